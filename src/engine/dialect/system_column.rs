//! PostgreSQL's hidden columns of catalog relations, which `*` does not show: `c.tableoid` is the relation's oid,
//! `c.xmin` the transaction of a row, one for all here.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectNamePart, Select, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};

use super::call;
use super::visit::Rule;
use crate::engine::pg_catalog::is_catalog_table;

pub(super) const RULE: Rule = Rule::Select(known_table);

fn known_table(select: &mut Select) {
    let relations: Vec<_> = select.from.iter().flat_map(relations).collect();
    if !relations.is_empty() {
        let _ = select.visit(&mut TableOid { relations });
    }
}

/// The catalog relations of a FROM item: alias and name.
fn relations(from: &TableWithJoins) -> Vec<(String, String)> {
    let factors = std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
    factors
        .filter_map(|factor| {
            let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
            let name = name.0.last().and_then(ObjectNamePart::as_ident)?.value.to_lowercase();
            let alias = alias.as_ref().map_or_else(|| name.clone(), |alias| alias.name.value.to_lowercase());
            is_catalog_table(&name).then_some((alias, name))
        })
        .collect()
}

/// Whether a column is one of these by its name.
pub(super) fn is_hidden(column: &Ident) -> bool {
    column.value.eq_ignore_ascii_case("tableoid") || column.value.eq_ignore_ascii_case("xmin")
}

struct TableOid {
    relations: Vec<(String, String)>,
}

impl VisitorMut for TableOid {
    type Break = Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
        let relation = match expr {
            Expr::CompoundIdentifier(path) => match path.as_slice() {
                [.., alias, column] if is_hidden(column) => self
                    .relations
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(&alias.value))
                    .zip(Some(column)),
                _ => None,
            },
            Expr::Identifier(column) if is_hidden(column) => match &self.relations[..] {
                [only] => Some((only, &*column)),
                _ => None,
            },
            _ => None,
        };
        let Some(((_, name), column)) = relation else { return ControlFlow::Continue(()) };
        if column.value.eq_ignore_ascii_case("xmin") {
            *expr = call("pg_row_transaction", vec![]);
        } else {
            let name = Value::SingleQuotedString(format!("pg_catalog.{name}"));
            *expr = call("pg_oid", vec![call("pg_regclass", vec![Expr::value(name)])]);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_table_knows_its_oid() {
        check(
            RULE,
            "SELECT c.tableoid FROM pg_catalog.pg_class c JOIN pg_namespace n ON true",
            "SELECT pg_oid(pg_regclass('pg_catalog.pg_class')) FROM pg_catalog.pg_class c JOIN pg_namespace n ON true",
        );
        check(RULE, "SELECT xmin FROM pg_class", "SELECT pg_row_transaction() FROM pg_class");
        check(RULE, "SELECT c.tableoid FROM customers c", "SELECT c.tableoid FROM customers c");
    }
}
