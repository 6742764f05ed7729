//! `sum` and `avg` with PostgreSQL's types: the sum of `bigint` is `numeric`, the average of any exact number too.
//!
//! `sum(x)` is `sum(pg_summand(x))`, where the function makes `bigint` exact and leaves the rest; `avg(x)` is that sum
//! divided by `count(x)`.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
};

use super::visit::Rule;
use super::{call, take};

pub(super) const RULE: Rule = Rule::Expr(typed);

fn typed(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    match function.name.to_string().to_lowercase().as_str() {
        "sum" => summed(function),
        "avg" if argument(function).is_some() => {
            let mut counted = function.clone();
            counted.name = ObjectName::from(vec![Ident::new("count")]);
            function.name = ObjectName::from(vec![Ident::new("sum")]);
            summed(function);
            let sum = take(expr);
            *expr = call("pg_average", vec![sum, Expr::Function(counted)]);
        }
        _ => {}
    }
}

fn summed(function: &mut Function) {
    if let Some(summand) = argument(function) {
        let value = take(summand);
        *summand = call("pg_summand", vec![value]);
    }
}

/// The one argument of a call.
fn argument(function: &mut Function) -> Option<&mut Expr> {
    let FunctionArguments::List(list) = &mut function.args else { return None };
    match list.args.as_mut_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] => Some(expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_sum_is_exact_and_an_average_a_quotient() {
        check(RULE, "SELECT sum(a) FROM t", "SELECT sum(pg_summand(a)) FROM t");
        check(
            RULE,
            "SELECT avg(DISTINCT a) FILTER (WHERE b) FROM t",
            "SELECT pg_average(sum(DISTINCT pg_summand(a)) FILTER (WHERE b), count(DISTINCT a) FILTER (WHERE b)) FROM t",
        );
        check(
            RULE,
            "SELECT avg(a) OVER w FROM t WINDOW w AS (ORDER BY b)",
            "SELECT pg_average(sum(pg_summand(a)) OVER w, count(a) OVER w) FROM t WINDOW w AS (ORDER BY b)",
        );
    }
}
