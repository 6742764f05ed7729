//! `x IN (SELECT ...)` as a value, outside of conditions: the subquery's rows become an array.
//!
//! DataFusion joins such a subquery where it filters, and nowhere else.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Query, Select, SelectItem, TableAlias, TableAliasColumnDef, TableFactor,
    TableWithJoins, UnaryOperator, VisitMut, VisitorMut,
};

use super::set_returning::select;
use super::visit::Rule;
use super::{call, take};

pub(super) const RULE: Rule = Rule::Select(of_arrays);

/// The subquery's one column.
const ITEM: &str = "item";

fn of_arrays(of: &mut Select) {
    for item in &mut of.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            let _ = expr.visit(&mut Values { depth: 0 });
        }
    }
}

/// The expressions of one SELECT: those of subqueries have their turn with these.
struct Values {
    depth: usize,
}

impl VisitorMut for Values {
    type Break = Infallible;

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<Infallible> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Infallible> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        let (value, query, negated) = match expr {
            Expr::InSubquery { expr: value, subquery, negated } => (value, subquery, *negated),
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => match right.as_mut() {
                Expr::Subquery(query) => (left, query, false),
                _ => return ControlFlow::Continue(()),
            },
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => match right.as_mut() {
                Expr::Subquery(query) => (left, query, true),
                _ => return ControlFlow::Continue(()),
            },
            _ => return ControlFlow::Continue(()),
        };
        if matches!(value.as_ref(), Expr::Tuple(_)) {
            return ControlFlow::Continue(());
        }
        let items = Expr::Subquery(Box::new(collected(std::mem::replace(query.as_mut(), select(vec![])))));
        let found = call("pg_is_in", vec![take(value), items]);
        *expr = if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(found) } } else { found };
        ControlFlow::Continue(())
    }
}

/// The rows of a query as one array: `SELECT array_agg(item) FROM (query) AS rows (item)`.
fn collected(query: Query) -> Query {
    use datafusion::sql::sqlparser::ast::SetExpr;
    let item = Expr::CompoundIdentifier(vec![Ident::new("in_rows"), Ident::new(ITEM)]);
    let mut outer = select(vec![SelectItem::ExprWithAlias {
        expr: call("array_agg", vec![item]),
        alias: Ident::new("items"),
    }]);
    if let SetExpr::Select(outer) = outer.body.as_mut() {
        let column = TableAliasColumnDef { name: Ident::new(ITEM), data_type: None };
        let alias =
            TableAlias { explicit: true, name: Ident::new("in_rows"), columns: vec![column], at: None };
        let relation = TableFactor::Derived {
            lateral: false,
            subquery: Box::new(query),
            alias: Some(alias),
            sample: None,
        };
        outer.from = vec![TableWithJoins { relation, joins: vec![] }];
    }
    outer
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_value_is_looked_up_in_an_array() {
        let rows = "(SELECT array_agg(in_rows.item) AS items FROM (SELECT y FROM t) AS in_rows (item))";
        check(RULE, "SELECT x IN (SELECT y FROM t)", &format!("SELECT pg_is_in(x, {rows})"));
        check(RULE, "SELECT x NOT IN (SELECT y FROM t)", &format!("SELECT NOT pg_is_in(x, {rows})"));
        check(RULE, "SELECT x <> ALL (SELECT y FROM t)", &format!("SELECT NOT pg_is_in(x, {rows})"));
        check(RULE, "SELECT 1 WHERE x IN (SELECT y FROM t)", "SELECT 1 WHERE x IN (SELECT y FROM t)");
    }
}
