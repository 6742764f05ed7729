//! A subquery for one value becomes an aggregate over its rows, since DataFusion joins a correlated subquery only
//! when that proves that there is one row for each outer row.
//!
//! `single_value` fails for a second row, as PostgreSQL does. `ORDER BY ... LIMIT 1` becomes `first_value`.

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArgumentClause, FunctionArguments, GroupByExpr, LimitClause, OrderBy, OrderByExpr,
    OrderByKind, Query, Select, SelectItem, SetExpr, Value, Visit, Visitor,
};
use std::ops::ControlFlow;

use super::visit::Rule;
use super::{call, take};

pub(super) const RULE: Rule = Rule::Expr(one_value);

fn one_value(expr: &mut Expr) {
    let Expr::Subquery(query) = expr else { return };
    let order = match ordered_by(query) {
        Ok(order) => order,
        Err(()) => return,
    };
    let Some(item) = single_item(query) else { return };
    if has_aggregate(item) {
        return;
    }
    let value = take(item);
    *item =
        if order.is_some() { call("first_value", vec![value]) } else { call("single_value", vec![value]) };
    if let Some(order) = order {
        add_order(item, order);
        query.order_by = None;
        query.limit_clause = None;
    }
}

/// The order where the query ends with `ORDER BY ... LIMIT 1`, or nothing; an error for other endings.
fn ordered_by(query: &Query) -> Result<Option<Vec<OrderByExpr>>, ()> {
    if query.with.is_some() || query.fetch.is_some() {
        return Err(());
    }
    match (&query.order_by, &query.limit_clause) {
        (_, None) => Ok(None),
        (
            order,
            Some(LimitClause::LimitOffset { limit: Some(Expr::Value(limit)), offset: None, limit_by }),
        ) if limit_by.is_empty() && limit.value == Value::Number("1".into(), false) => match order {
            None => Ok(Some(vec![])),
            Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) => Ok(Some(order.clone())),
            Some(_) => Err(()),
        },
        _ => Err(()),
    }
}

/// The only expression of a plain SELECT without grouping.
fn single_item(query: &mut Query) -> Option<&mut Expr> {
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let Select {
        projection,
        distinct: None,
        having: None,
        group_by: GroupByExpr::Expressions(keys, _),
        from,
        ..
    } = select.as_mut()
    else {
        return None;
    };
    if !keys.is_empty() || from.is_empty() {
        return None;
    }
    match projection.as_mut_slice() {
        [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }] => Some(expr),
        _ => None,
    }
}

pub(super) fn add_order(aggregate: &mut Expr, order: Vec<OrderByExpr>) {
    if let Expr::Function(function) = aggregate
        && let FunctionArguments::List(list) = &mut function.args
        && !order.is_empty()
    {
        list.clauses.push(FunctionArgumentClause::OrderBy(order));
    }
}

/// Functions that make one value of many rows.
const AGGREGATES: &[&str] = &[
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "count",
    "every",
    "first_value",
    "last_value",
    "max",
    "min",
    "single_value",
    "string_agg",
    "sum",
];

fn has_aggregate(expr: &Expr) -> bool {
    struct Find;
    impl Visitor for Find {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function)
                    if AGGREGATES.contains(&function.name.to_string().to_lowercase().as_str()) =>
                {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Find).is_break()
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_subquery_for_a_value_is_an_aggregate() {
        check(
            RULE,
            "SELECT (SELECT d.x FROM d WHERE d.a = t.a) FROM t",
            "SELECT (SELECT single_value(d.x) FROM d WHERE d.a = t.a) FROM t",
        );
        check(
            RULE,
            "SELECT (SELECT x FROM d ORDER BY y DESC LIMIT 1)",
            "SELECT (SELECT first_value(x ORDER BY y DESC) FROM d)",
        );
    }

    #[test]
    fn an_aggregate_stays() {
        for sql in [
            "SELECT (SELECT count(*) FROM d WHERE d.a = t.a) FROM t",
            "SELECT (SELECT x FROM d GROUP BY x)",
            "SELECT (SELECT 1)",
            "SELECT a IN (SELECT x FROM d)",
        ] {
            check(RULE, sql, sql);
        }
    }
}
