//! `json_agg` and its kin are aggregates of arrays, made JSON at the end.
//!
//! `json_agg(x ORDER BY y)` is `pg_json_array(array_agg(pg_json_item(x) ORDER BY y))`.

use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
};

use super::visit::Rule;
use super::{call, distinct_order};

pub(super) const RULE: Rule = Rule::Expr(of_arrays);

fn of_arrays(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let name = function.name.0.last().and_then(|part| part.as_ident());
    let Some(name) = name.map(|name| name.value.to_lowercase()) else { return };
    let (array, object) = match name.as_str() {
        "json_agg" => ("pg_json_array", false),
        "jsonb_agg" => ("pg_jsonb_array", false),
        "json_object_agg" => ("pg_json_object", true),
        "jsonb_object_agg" => ("pg_jsonb_object", true),
        _ => return,
    };
    if is_distinct(function) && !object {
        // What is told apart, and in which order, is a matter of the values, not of their JSON.
        if let Some(Expr::Function(mut values)) = aggregate(function, 0, 1, None) {
            distinct_order::ordered(&mut values);
            *expr = call(array, vec![call("pg_json_items_of", vec![Expr::Function(values)])]);
        }
        return;
    }
    let places: &[(usize, &str)] =
        if object { &[(0, "pg_json_name"), (1, "pg_json_item")] } else { &[(0, "pg_json_item")] };
    let aggregates =
        places.iter().filter_map(|(place, item)| aggregate(function, *place, places.len(), Some(item)));
    let aggregates: Vec<Expr> = aggregates.collect();
    if aggregates.len() == places.len() {
        *expr = call(array, aggregates);
    }
}

fn is_distinct(function: &Function) -> bool {
    matches!(
        &function.args,
        FunctionArguments::List(list) if list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
    )
}

/// The array of one argument's values, in the order and of the rows that the call says.
fn aggregate(function: &Function, place: usize, count: usize, item: Option<&str>) -> Option<Expr> {
    let mut function = function.clone();
    function.name = ObjectName::from(vec![Ident::new("array_agg")]);
    let FunctionArguments::List(list) = &mut function.args else { return None };
    if list.args.len() != count {
        return None;
    }
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) = list.args.get(place)? else { return None };
    let arg = item.map_or_else(|| arg.clone(), |item| call(item, vec![arg.clone()]));
    list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))];
    Some(Expr::Function(function))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn json_is_made_of_arrays() {
        check(
            RULE,
            "SELECT json_agg(x ORDER BY y) FILTER (WHERE z)",
            "SELECT pg_json_array(array_agg(pg_json_item(x) ORDER BY y) FILTER (WHERE z))",
        );
        check(
            RULE,
            "SELECT jsonb_object_agg(a, b)",
            "SELECT pg_jsonb_object(array_agg(pg_json_name(a)), array_agg(pg_json_item(b)))",
        );
    }
}
