//! PostgreSQL's names of functions that DataFusion has under others, and calls with named arguments.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
};

use super::visit::Rule;
use super::{call, number};

pub(super) const RULE: Rule = Rule::Expr(renamed);

/// The parameters of `make_interval`, in their order.
const PARTS: [&str; 7] = ["years", "months", "weeks", "days", "hours", "mins", "secs"];

fn renamed(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let [part] = function.name.0.as_slice() else { return };
    let Some(name) = part.as_ident().map(|ident| ident.value.to_lowercase()) else { return };
    let plain = match name.as_str() {
        // All of the items, where DataFusion's take the first one.
        "array_remove" => "array_remove_all",
        "array_replace" => "array_replace_all",
        "array_length" => "pg_array_length",
        "array_dims" => "pg_array_dims",
        "every" => "bool_and",
        "variance" => "var_samp",
        "clock_timestamp" | "statement_timestamp" | "transaction_timestamp" => "now",
        "gen_random_uuid" => {
            *expr = call("pg_uuid", vec![call("uuid", vec![])]);
            return;
        }
        // To the beginning of the day.
        "age" => {
            if let FunctionArguments::List(list) = &mut function.args
                && list.args.len() == 1
            {
                let today = FunctionArg::Unnamed(FunctionArgExpr::Expr(call("current_date", vec![])));
                list.args.insert(0, today);
            }
            return;
        }
        "make_interval" => {
            positional(function);
            return;
        }
        _ => return,
    };
    function.name = ObjectName::from(vec![Ident::new(plain)]);
}

/// `make_interval(days => 3)` with its arguments in their places.
fn positional(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    let mut places: Vec<Option<Expr>> = vec![None; PARTS.len()];
    for (at, arg) in list.args.iter().enumerate() {
        let (place, value) = match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => (Some(at), value),
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => {
                (PARTS.iter().position(|part| name.value.eq_ignore_ascii_case(part)), value)
            }
            FunctionArg::ExprNamed {
                name: Expr::Identifier(name),
                arg: FunctionArgExpr::Expr(value),
                ..
            } => (PARTS.iter().position(|part| name.value.eq_ignore_ascii_case(part)), value),
            _ => return,
        };
        let Some(place) = place.and_then(|place| places.get_mut(place)) else { return };
        *place = Some(value.clone());
    }
    let args = places.into_iter().map(|value| value.unwrap_or_else(|| number(0)));
    list.args = args.map(|value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value))).collect();
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn names_are_those_that_there_are() {
        check(RULE, "SELECT every(a), variance(b) OVER ()", "SELECT bool_and(a), var_samp(b) OVER ()");
        check(RULE, "SELECT age(a), age(a, b)", "SELECT age(current_date(), a), age(a, b)");
        check(RULE, "SELECT array_remove(a, 1)", "SELECT array_remove_all(a, 1)");
        check(
            RULE,
            "SELECT make_interval(days => 3, secs => 1.5)",
            "SELECT make_interval(0, 0, 0, 3, 0, 0, 1.5)",
        );
    }
}
