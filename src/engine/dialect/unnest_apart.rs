//! A SELECT list that gives rows, and renames an expression to what one of its columns is called, is taken apart:
//! `SELECT unnest(k) AS p, CASE WHEN t.d THEN 1 END AS d FROM t`. DataFusion would have both `d` in one schema.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, GroupByExpr, Ident, Select, SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins,
    Visit, Visitor,
};

use super::folded;
use super::set_returning::{gives_rows, select};
use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Select(apart);

/// Begins the names of the inner columns: no user's table has it.
const NAME: &str = "\u{E001}item";

fn apart(outer: &mut Select) {
    let GroupByExpr::Expressions(keys, _) = &outer.group_by else { return };
    if !keys.is_empty() || outer.having.is_some() || outer.distinct.is_some() {
        return;
    }
    let mut found = Columns::default();
    let _ = outer.projection.visit(&mut found);
    let clashes = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { expr, alias } => {
            let is_column = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
            !is_column && found.columns.contains(&folded(alias))
        }
        _ => false,
    };
    if !found.gives_rows || !outer.projection.iter().any(clashes) {
        return;
    }
    let mut names = vec![];
    for (place, item) in outer.projection.iter_mut().enumerate() {
        let inner = Ident::with_quote('"', format!("{NAME}{place}"));
        let (expr, name) = match item {
            SelectItem::ExprWithAlias { expr, alias } => (expr.clone(), alias.clone()),
            SelectItem::UnnamedExpr(expr) => {
                let name = match expr {
                    Expr::Identifier(name) => Some(name.clone()),
                    Expr::CompoundIdentifier(path) => path.last().cloned(),
                    _ => None,
                };
                let Some(name) = name else { return };
                (expr.clone(), name)
            }
            _ => return,
        };
        *item = SelectItem::ExprWithAlias { expr, alias: inner.clone() };
        names.push((inner, name));
    }
    let items = names
        .into_iter()
        .map(|(inner, alias)| SelectItem::ExprWithAlias { expr: Expr::Identifier(inner), alias });
    let mut query = select(items.collect());
    let SetExpr::Select(renamed) = query.body.as_mut() else { return };
    let alias = TableAlias {
        explicit: true,
        name: Ident::with_quote('"', format!("{NAME}s")),
        columns: vec![],
        at: None,
    };
    let inner = std::mem::replace(outer, renamed.as_ref().clone());
    let relation = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(super::query(SetExpr::Select(Box::new(inner)))),
        alias: Some(alias),
        sample: None,
    };
    outer.from = vec![TableWithJoins { relation, joins: vec![] }];
}

/// What a SELECT list names.
#[derive(Default)]
struct Columns {
    columns: Vec<String>,
    gives_rows: bool,
}

impl Visitor for Columns {
    type Break = Infallible;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Infallible> {
        match expr {
            Expr::CompoundIdentifier(path) => self.columns.extend(path.last().map(folded)),
            Expr::Identifier(name) => self.columns.push(folded(name)),
            Expr::Function(Function { name, .. }) => {
                let name = name.0.last().and_then(|part| part.as_ident());
                self.gives_rows |= name.is_some_and(|name| gives_rows(&name.value));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn two_columns_of_one_name_are_kept_apart() {
        check(
            RULE,
            "SELECT unnest(k) AS p, CASE WHEN t.d THEN 1 END AS d FROM t",
            &format!(
                "SELECT \"{NAME}0\" AS p, \"{NAME}1\" AS d FROM (SELECT unnest(k) AS \"{NAME}0\", \
                 CASE WHEN t.d THEN 1 END AS \"{NAME}1\" FROM t) AS \"{NAME}s\""
            ),
        );
        let plain = "SELECT unnest(k) AS p, CASE WHEN t.d THEN 1 END AS e FROM t";
        check(RULE, plain, plain);
    }
}
