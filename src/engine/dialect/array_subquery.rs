//! `ARRAY(SELECT x ... ORDER BY y)` is a subquery with `array_agg(x ORDER BY y)`; no rows give an empty array.

use datafusion::sql::sqlparser::ast::{
    Array, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, OrderBy,
    OrderByKind, Query, Select, SelectItem, SetExpr, Value, Values,
};

use super::scalar_subquery::add_order;
use super::visit::Rule;
use super::{call, take};

pub(super) const RULE: Rule = Rule::Expr(aggregate);

fn aggregate(expr: &mut Expr) {
    let Expr::Function(Function { name, args: FunctionArguments::Subquery(query), .. }) = expr else {
        return;
    };
    if !name.to_string().eq_ignore_ascii_case("array") {
        return;
    }
    if let Some(array) = unnested(query) {
        *expr = call("coalesce", vec![array, Expr::Array(Array { elem: vec![], named: true })]);
        return;
    }
    if !rewritten(query) {
        return;
    }
    let query = std::mem::replace(
        query,
        Box::new(super::query(SetExpr::Values(Values {
            explicit_row: false,
            value_keyword: false,
            rows: vec![],
        }))),
    );
    *expr = Expr::Subquery(query);
}

/// The array of `SELECT unnest(array)`.
fn unnested(query: &mut Query) -> Option<Expr> {
    let Query { with: None, order_by: None, limit_clause: None, fetch: None, body, .. } = query else {
        return None;
    };
    let SetExpr::Select(select) = body.as_mut() else { return None };
    let Select { projection, distinct: None, selection: None, having: None, qualify: None, from, .. } =
        select.as_mut()
    else {
        return None;
    };
    let [
        SelectItem::UnnamedExpr(Expr::Function(function))
        | SelectItem::ExprWithAlias { expr: Expr::Function(function), .. },
    ] = projection.as_mut_slice()
    else {
        return None;
    };
    let FunctionArguments::List(list) = &mut function.args else { return None };
    match list.args.as_mut_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(array))]
            if from.is_empty() && function.name.to_string() == "unnest" =>
        {
            Some(take(array))
        }
        _ => None,
    }
}

fn rewritten(query: &mut Query) -> bool {
    if query.limit_clause.is_some() || query.fetch.is_some() {
        return false;
    }
    let Query { body, order_by, .. } = query;
    let SetExpr::Select(select) = body.as_mut() else { return false };
    let Select { projection, distinct: None, group_by: GroupByExpr::Expressions(keys, _), .. } =
        select.as_mut()
    else {
        return false;
    };
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        projection.as_mut_slice()
    else {
        return false;
    };
    if !keys.is_empty() {
        return false;
    }
    let mut order = match order_by.take() {
        Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) => order,
        _ => vec![],
    };
    for key in &mut order {
        // `ORDER BY 1` is the item itself.
        if matches!(&key.expr, Expr::Value(value) if value.value == Value::Number("1".into(), false)) {
            key.expr = item.clone();
        }
    }
    let value = take(item);
    let mut array = call("array_agg", vec![value]);
    add_order(&mut array, order);
    *item = call("coalesce", vec![array, Expr::Array(Array { elem: vec![], named: true })]);
    true
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn an_array_of_rows_is_an_aggregate() {
        check(
            RULE,
            "SELECT array(SELECT rolname FROM r WHERE a = 1 ORDER BY 1)",
            "SELECT (SELECT coalesce(array_agg(rolname ORDER BY rolname), ARRAY[]) FROM r WHERE a = 1)",
        );
        check(
            RULE,
            "SELECT ARRAY(SELECT unnest(a) AS n), ARRAY(SELECT unnest(a) WHERE false)",
            "SELECT coalesce(a, ARRAY[]), (SELECT coalesce(array_agg(unnest(a)), ARRAY[]) WHERE false)",
        );
        check(
            RULE,
            "SELECT ARRAY(SELECT x FROM r)",
            "SELECT (SELECT coalesce(array_agg(x), ARRAY[]) FROM r)",
        );
    }
}
