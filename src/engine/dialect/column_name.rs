//! Result columns keep the names of the forms that the client wrote: they are given before any rule changes a form.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, Select, SelectItem, Statement, VisitMut, VisitorMut};

use super::take;
use crate::engine::column_name::column_name;

/// Gives a name to every expression of every SELECT that is not a plain column.
pub(super) fn name_columns(statement: &mut Statement) {
    let _ = statement.visit(&mut Names);
}

struct Names;

impl VisitorMut for Names {
    type Break = Infallible;

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Infallible> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            {
                let alias = Ident::with_quote('"', column_name(expr));
                *item = SelectItem::ExprWithAlias { expr: take(expr), alias };
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn a_name_is_that_of_the_form_written() {
        let mut statement = parse("SELECT a, t.b, 1, a::regclass, pg_catalog.version(), array(SELECT 1 AS x)");
        name_columns(&mut statement);
        assert_eq!(
            statement.to_string(),
            "SELECT a, t.b, 1 AS \"?column?\", a::regclass AS \"a\", pg_catalog.version() AS \"version\", \
             array(SELECT 1 AS x) AS \"array\""
        );
    }
}
