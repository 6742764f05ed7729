//! A subquery for one value becomes an aggregate over its rows, since DataFusion joins a correlated subquery only
//! when that proves that there is one row for each outer row.
//!
//! `single_value` fails for a second row, as PostgreSQL does. `ORDER BY ... LIMIT 1` becomes `first_value`.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::execution::SessionStateDefaults;
use datafusion::sql::sqlparser::ast::{
    Distinct, DuplicateTreatment, Expr, Function, FunctionArgumentClause, FunctionArguments, GroupByExpr,
    LimitClause, OrderBy, OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr, TableFactor,
    TableWithJoins, Value, Visit, Visitor,
};

use super::only_column::{over, value};
use super::quantified;
use super::set_returning::gives_rows;
use super::visit::Rule;
use super::{call, take};

pub(super) const RULE: Rule = Rule::Expr(one_value);

fn one_value(expr: &mut Expr) {
    let Expr::Subquery(query) = expr else { return };
    if let Some(item) = plain_item(query) {
        *expr = item;
        return;
    }
    let order = match ordered_by(query) {
        Ok(order) => order,
        Err(()) => return guard(query),
    };
    let Some(item) = single_item(query) else { return guard(query) };
    if is_of_many_rows(item) {
        // An aggregate of a whole is one row, which LIMIT 1 leaves.
        if order.is_some() && !calls(item, |function| function.over.is_some()) {
            query.order_by = None;
            query.limit_clause = None;
        }
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

/// Of a query of any other form, the one value is taken of its rows; of one that says each value once, of those.
fn guard(query: &mut Query) {
    if let Some(item) = distinct_item(query) {
        let mut once = call("single_value", vec![take(item)]);
        if let Expr::Function(function) = &mut once
            && let FunctionArguments::List(list) = &mut function.args
        {
            list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
        }
        *item = once;
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.distinct = None;
            select.group_by = GroupByExpr::Expressions(vec![], vec![]);
        }
        query.order_by = None;
    } else if is_value(&query.body) && (query.limit_clause.is_some() || !is_one_row(&query.body)) {
        over(query, call("single_value", vec![value()]));
    }
}

/// The item of `SELECT DISTINCT item FROM ...` and of `SELECT item FROM ... GROUP BY item`.
fn distinct_item(query: &mut Query) -> Option<&mut Expr> {
    if query.with.is_some() || query.limit_clause.is_some() || query.fetch.is_some() {
        return None;
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let Select { projection, distinct, having: None, group_by: GroupByExpr::Expressions(keys, _), .. } =
        select.as_mut()
    else {
        return None;
    };
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        projection.as_mut_slice()
    else {
        return None;
    };
    let is_distinct = match distinct {
        Some(Distinct::Distinct) => keys.is_empty(),
        None => !keys.is_empty() && keys.iter().all(|key| key == item),
        Some(_) => false,
    };
    (is_distinct && !is_of_many_rows(item)).then_some(item)
}

/// Whether a query is one for a value: not one whose rows are compared.
fn is_value(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => match select.projection.as_slice() {
            [SelectItem::ExprWithAlias { alias, .. }] => alias.value != quantified::NAME,
            [SelectItem::UnnamedExpr(_)] => true,
            _ => false,
        },
        _ => true,
    }
}

/// Whether a query has one row, whatever it reads.
fn is_one_row(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => {
            let Select { projection, from, selection, having, distinct, group_by, .. } = select.as_ref();
            let GroupByExpr::Expressions(keys, _) = group_by else { return false };
            (keys.is_empty() && distinct.is_none() && (has_one_row(from) || is_total(projection)))
                || (from.is_empty() && selection.is_none() && having.is_none() && keys.is_empty())
        }
        SetExpr::Query(query) => is_one_row(&query.body),
        _ => false,
    }
}

/// Whether a SELECT list is an aggregate of all rows.
fn is_total(projection: &[SelectItem]) -> bool {
    projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => calls(expr, is_aggregate),
        _ => false,
    })
}

/// The expression of `(SELECT expression)`, which is the expression itself.
fn plain_item(query: &mut Query) -> Option<Expr> {
    if query.with.is_some()
        || query.limit_clause.is_some()
        || query.fetch.is_some()
        || query.order_by.is_some()
    {
        return None;
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return None };
    let is_plain = select.from.is_empty()
        && select.selection.is_none()
        && select.having.is_none()
        && select.distinct.is_none()
        && select.qualify.is_none()
        && keys.is_empty();
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        select.projection.as_mut_slice()
    else {
        return None;
    };
    // A function that gives rows, or an aggregate, stays in its query.
    let is_value = match item {
        Expr::Subquery(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_) => true,
        Expr::Function(_) => !calls(item, |function| {
            function.over.is_some() || is_aggregate(function) || gives_rows(&function.name.to_string())
        }),
        _ => false,
    };
    (is_plain && is_value).then(|| take(item))
}

/// The order where the query ends with `ORDER BY ... LIMIT 1`, or nothing; an error for other endings.
fn ordered_by(query: &Query) -> Result<Option<Vec<OrderByExpr>>, ()> {
    if query.fetch.is_some() {
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
        selection,
        ..
    } = select.as_mut()
    else {
        return None;
    };
    if !keys.is_empty() || (from.is_empty() && selection.is_none()) || has_one_row(from) {
        return None;
    }
    match projection.as_mut_slice() {
        [SelectItem::ExprWithAlias { alias, .. }] if alias.value == quantified::NAME => None,
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

/// Functions that make one value of many rows: DataFusion's by each of their names, and ours.
static AGGREGATES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let functions = SessionStateDefaults::default_aggregate_functions();
    let names = functions.iter().flat_map(|f| f.aliases().iter().cloned().chain([f.name().to_owned()]));
    names.chain(["every".to_owned(), "single_value".to_owned()]).collect()
});

/// Whether a relation has one row at most: it is a subquery for aggregates of a whole, or a part of such a row.
/// DataFusion sees that too, and that a count of nothing is 0; under `single_value` it would be NULL.
fn has_one_row(from: &[TableWithJoins]) -> bool {
    let [TableWithJoins { relation: TableFactor::Derived { subquery, .. }, joins }] = from else {
        return false;
    };
    let SetExpr::Select(select) = subquery.body.as_ref() else { return false };
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return false };
    let mut items = select.projection.iter().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    });
    joins.is_empty()
        && keys.is_empty()
        && subquery.limit_clause.is_none()
        && subquery.fetch.is_none()
        && (items.any(|item| calls(item, is_aggregate)) || has_one_row(&select.from))
}

/// Whether an expression is made of many rows: an aggregate, or a window function.
pub(super) fn is_of_many_rows(expr: &Expr) -> bool {
    calls(expr, |function| function.over.is_some() || is_aggregate(function))
}

fn is_aggregate(function: &Function) -> bool {
    function.over.is_none() && AGGREGATES.contains(&function.name.to_string().to_lowercase())
}

/// Whether an expression calls such a function, outside the subqueries in it.
fn calls(expr: &Expr, such: fn(&Function) -> bool) -> bool {
    struct Find {
        such: fn(&Function) -> bool,
        depth: usize,
    }
    impl Visitor for Find {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) if self.depth == 0 && (self.such)(function) => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Find { such, depth: 0 }).is_break()
}

#[cfg(test)]
mod tests {
    use super::super::only_column::VALUE;
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
            "SELECT (SELECT n FROM (SELECT count(*) OVER () AS n FROM d))",
            "SELECT (SELECT single_value(n) FROM (SELECT count(*) OVER () AS n FROM d))",
        );
        check(
            RULE,
            "SELECT (SELECT x FROM d ORDER BY y DESC LIMIT 1)",
            "SELECT (SELECT first_value(x ORDER BY y DESC) FROM d)",
        );
        check(
            RULE,
            "SELECT (SELECT (SELECT x FROM d WHERE d.a = t.a)) FROM t",
            "SELECT (SELECT single_value(x) FROM d WHERE d.a = t.a) FROM t",
        );
        check(
            RULE,
            "SELECT (SELECT DISTINCT x FROM d), (SELECT x FROM d GROUP BY x), (SELECT 1 WHERE false)",
            "SELECT (SELECT single_value(DISTINCT x) FROM d), (SELECT single_value(DISTINCT x) FROM d), (SELECT single_value(1) WHERE false)",
        );
        check(
            RULE,
            "SELECT (SELECT x FROM d UNION SELECT 1)",
            &format!(
                "SELECT (SELECT single_value(\"{VALUE}\") FROM (SELECT x FROM d UNION SELECT 1) AS \"{0}\" (\"{VALUE}\"))",
                quantified::NAME
            ),
        );
        check(
            RULE,
            "SELECT (SELECT f((SELECT count(*) FROM d WHERE d.a = t.a))) FROM t",
            "SELECT f((SELECT count(*) FROM d WHERE d.a = t.a)) FROM t",
        );
        check(
            RULE,
            "SELECT (SELECT count(1) FROM d WHERE d.a = t.a LIMIT 1) FROM t",
            "SELECT (SELECT count(1) FROM d WHERE d.a = t.a) FROM t",
        );
    }

    #[test]
    fn an_aggregate_stays() {
        for sql in [
            "SELECT (SELECT count(*) FROM d WHERE d.a = t.a) FROM t",
            "SELECT (SELECT 1)",
            "SELECT (SELECT n FROM (SELECT count(*) AS n FROM d WHERE d.a = t.a)) FROM t",
            "SELECT (SELECT unnest(a)), (SELECT abs(max(1))), (SELECT now() OVER ())",
            "SELECT (SELECT regr_count(x, y) FROM d)",
            "SELECT a IN (SELECT x FROM d)",
        ] {
            check(RULE, sql, sql);
        }
    }
}
