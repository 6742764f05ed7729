//! `x > ANY (SELECT ...)` and `x > ALL (SELECT ...)` compare with every row of the subquery.
//!
//! Its column gets a name of its own, or else its rows: so it is not taken for a subquery that must give one value, and
//! DataFusion, which compares `x` with the column by its name, never takes `t.x` of a subquery over `t` for the outer
//! `t.x`. Rows with a name are the second choice: DataFusion joins no subquery that refers outwards through one.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArguments, GroupByExpr, Ident, Query, SelectItem, SetExpr, TableAlias,
    TableFactor, TableWithJoins, Values, WildcardAdditionalOptions,
};

use super::set_returning::select;
use super::take;
use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Outer(named);

/// No user's table has it.
pub(super) const NAME: &str = "\u{E001}rows";

fn named(expr: &mut Expr) {
    let (Expr::AnyOp { right, .. } | Expr::AllOp { right, .. }) = expr else { return };
    // An array of a query's rows has the same items.
    if let Expr::Function(Function { name, args: FunctionArguments::Subquery(query), .. }) = right.as_mut()
        && name.to_string().eq_ignore_ascii_case("array")
    {
        let query = std::mem::replace(query, Box::new(no_rows()));
        **right = Expr::Subquery(query);
    }
    let Expr::Subquery(query) = right.as_mut() else { return };
    match only_item(query) {
        Some(item) => {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                *item = SelectItem::ExprWithAlias { expr: take(expr), alias: Ident::with_quote('"', NAME) };
            }
        }
        None => name_rows(query),
    }
}

/// The item of a SELECT whose name nothing refers to.
fn only_item(query: &mut Query) -> Option<&mut SelectItem> {
    let is_ordered = query.order_by.is_some();
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return None };
    let is_grouped = !keys.is_empty() || select.having.is_some() || select.distinct.is_some();
    let [item] = select.projection.as_mut_slice() else { return None };
    let is_free = match item {
        SelectItem::UnnamedExpr(_) => !is_ordered,
        SelectItem::ExprWithAlias { .. } => !is_ordered && !is_grouped,
        _ => false,
    };
    is_free.then_some(item)
}

fn no_rows() -> Query {
    super::query(SetExpr::Values(Values { explicit_row: false, value_keyword: false, rows: vec![] }))
}

fn name_rows(query: &mut Query) {
    let inner = std::mem::replace(query, no_rows());
    let relation = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(inner),
        alias: Some(TableAlias {
            explicit: true,
            name: Ident::with_quote('"', NAME),
            columns: vec![],
            at: None,
        }),
        sample: None,
    };
    let mut outer = select(vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())]);
    if let SetExpr::Select(select) = outer.body.as_mut() {
        select.from = vec![TableWithJoins { relation, joins: vec![] }];
    }
    *query = outer;
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn what_is_compared_with_has_a_name() {
        check(
            RULE,
            "SELECT a > ALL(SELECT x FROM d)",
            &format!("SELECT a > ALL(SELECT x AS \"{NAME}\" FROM d)"),
        );
        check(
            RULE,
            "SELECT a > ALL(SELECT x FROM d ORDER BY x LIMIT 2)",
            &format!("SELECT a > ALL(SELECT * FROM (SELECT x FROM d ORDER BY x LIMIT 2) AS \"{NAME}\")"),
        );
        check(RULE, "SELECT a = ANY(b)", "SELECT a = ANY(b)");
        check(
            RULE,
            "SELECT a = ANY(ARRAY(SELECT x FROM d))",
            &format!("SELECT a = ANY(SELECT x AS \"{NAME}\" FROM d)"),
        );
    }
}
