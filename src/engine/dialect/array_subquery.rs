//! `ARRAY(SELECT x ... ORDER BY y)` is a subquery with `array_agg(x ORDER BY y)`; no rows give an empty array.
//!
//! Of a query that is more than a plain SELECT, the rows are aggregated: `(SELECT array_agg(v) FROM (query) AS t(v))`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Array, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, OrderBy,
    OrderByKind, Query, Select, SelectItem, SetExpr, Value, visit_expressions,
};

use super::only_column::{over, taken, value};
use super::scalar_subquery::{add_order, is_of_many_rows};
use super::visit::Rule;
use super::{call, folded, take};

pub(super) const RULE: Rule = Rule::Expr(aggregate);

fn aggregate(expr: &mut Expr) {
    let Expr::Function(Function { name, args: FunctionArguments::Subquery(query), .. }) = expr else {
        return;
    };
    if !name.to_string().eq_ignore_ascii_case("array") {
        return;
    }
    if let Some(array) = unnested(query) {
        *expr = or_empty(array);
        return;
    }
    if !rewritten(query) && !around(query) {
        return;
    }
    *expr = Expr::Subquery(Box::new(taken(query)));
}

/// Aggregates the rows of a query of any form; `false` for one in an order that is not of its own column.
fn around(query: &mut Query) -> bool {
    // What orders the rows orders the items, too; with a LIMIT the rows come in its order.
    let mut order = match (&query.order_by, &query.limit_clause, &query.fetch) {
        (Some(OrderBy { kind: OrderByKind::Expressions(order), .. }), None, None) => order.clone(),
        _ => vec![],
    };
    let item = only_item(&query.body);
    for key in &mut order {
        if !is_first(&key.expr) && !item.as_ref().is_some_and(|item| is_item(&key.expr, item)) {
            return false;
        }
        key.expr = value();
    }
    let mut array = call("array_agg", vec![value()]);
    add_order(&mut array, order);
    over(query, or_empty(array));
    true
}

/// The items, or none.
fn or_empty(array: Expr) -> Expr {
    call("coalesce", vec![array, Expr::Array(Array { elem: vec![], named: true })])
}

/// The one item of a SELECT list; of several SELECTs, the first one's.
fn only_item(body: &SetExpr) -> Option<SelectItem> {
    match body {
        SetExpr::Select(select) => match select.projection.as_slice() {
            [item] => Some(item.clone()),
            _ => None,
        },
        SetExpr::SetOperation { left, .. } => only_item(left),
        SetExpr::Query(query) => only_item(&query.body),
        _ => None,
    }
}

/// Whether a key is an item, by its name or as it is written.
fn is_item(key: &Expr, item: &SelectItem) -> bool {
    match (key, item) {
        (Expr::Identifier(name), SelectItem::ExprWithAlias { alias, .. })
            if folded(name) == folded(alias) =>
        {
            true
        }
        (key, SelectItem::ExprWithAlias { expr, .. } | SelectItem::UnnamedExpr(expr)) => key == expr,
        _ => false,
    }
}

/// Whether `ORDER BY` names the first column by its place.
fn is_first(key: &Expr) -> bool {
    matches!(key, Expr::Value(value) if value.value == Value::Number("1".into(), false))
}

/// Whether an array is unnested in an expression of a SELECT list: what gives rows is that by now.
fn unnests(expr: &Expr) -> bool {
    let mut found = false;
    let _ = visit_expressions(expr, |expr| {
        if let Expr::Function(function) = expr {
            found |= function.name.to_string().eq_ignore_ascii_case("unnest");
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

/// The array of `SELECT unnest(array)`.
fn unnested(query: &mut Query) -> Option<Expr> {
    let Query { with: None, order_by: None, limit_clause: None, fetch: None, body, .. } = query else {
        return None;
    };
    let SetExpr::Select(select) = body.as_mut() else { return None };
    let Select {
        projection,
        distinct: None,
        selection: None,
        having: None,
        qualify: None,
        from,
        group_by,
        ..
    } = select.as_mut()
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
            if from.is_empty()
                && matches!(group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty())
                && function.name.to_string() == "unnest" =>
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
    if !keys.is_empty() || unnests(item) || is_of_many_rows(item) {
        return false;
    }
    let mut order = match order_by.take() {
        Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) => order,
        _ => vec![],
    };
    for key in &mut order {
        // `ORDER BY 1` is the item itself.
        if is_first(&key.expr) {
            key.expr = item.clone();
        }
    }
    let value = take(item);
    let mut array = call("array_agg", vec![value]);
    add_order(&mut array, order);
    *item = or_empty(array);
    true
}

#[cfg(test)]
mod tests {
    use super::super::only_column::VALUE;
    use super::super::quantified::NAME;
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
            &format!(
                "SELECT coalesce(a, ARRAY[]), (SELECT coalesce(array_agg(\"{VALUE}\"), ARRAY[]) FROM (SELECT unnest(a) WHERE false) AS \"{NAME}\" (\"{VALUE}\"))"
            ),
        );
        check(
            RULE,
            "SELECT ARRAY(SELECT x FROM r)",
            "SELECT (SELECT coalesce(array_agg(x), ARRAY[]) FROM r)",
        );
        check(
            RULE,
            "SELECT ARRAY(SELECT DISTINCT x FROM r ORDER BY 1 DESC)",
            &format!(
                "SELECT (SELECT coalesce(array_agg(\"{VALUE}\" ORDER BY \"{VALUE}\" DESC), ARRAY[]) FROM (SELECT DISTINCT x FROM r ORDER BY 1 DESC) AS \"{NAME}\" (\"{VALUE}\"))"
            ),
        );
    }
}
