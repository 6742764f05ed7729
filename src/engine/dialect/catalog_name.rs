//! Names in `pg_catalog`: found without their schema, as PostgreSQL finds them first of all.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Statement, TableFactor, Visit, Visitor,
};

use super::folded;
use super::visit::Rule;
use crate::engine::function::is_catalog_function;
use crate::engine::pg_catalog::is_catalog_table;

/// `pg_catalog.version()` is `version()`.
pub(super) const FUNCTION: Rule = Rule::Expr(plain_function);
/// `FROM pg_class` is `FROM pg_catalog.pg_class`; a function in FROM loses its schema.
pub(super) const RELATION: Rule = Rule::Table(qualified_relation);

fn plain_function(expr: &mut Expr) {
    if let Expr::Function(function) = expr {
        drop_schema(&mut function.name);
    }
}

fn drop_schema(name: &mut ObjectName) {
    if let [schema, _] = name.0.as_slice()
        && schema.as_ident().is_some_and(|schema| {
            schema.value.eq_ignore_ascii_case("pg_catalog")
                || schema.value.eq_ignore_ascii_case("information_schema")
        })
    {
        name.0.remove(0);
    }
}

fn qualified_relation(table: &mut TableFactor, common_tables: &[String]) {
    match table {
        TableFactor::Table { args: Some(_), name, .. } | TableFactor::Function { name, .. } => {
            drop_schema(name)
        }
        TableFactor::Table { name, .. } => {
            if let [part] = name.0.as_slice()
                && let Some(ident) = part.as_ident()
                && !common_tables.contains(&ident.value)
                && is_catalog_table(&folded(ident))
            {
                name.0.insert(0, ObjectNamePart::Identifier(Ident::new("pg_catalog")));
            }
        }
        _ => {}
    }
}

/// Whether a statement, before or after its rewriting, names a relation or a function of the catalog.
pub(crate) fn mentions_catalog(statement: &Statement) -> bool {
    statement.visit(&mut Mentions).is_break()
}

struct Mentions;

impl Visitor for Mentions {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let parts: Vec<_> = relation.0.iter().filter_map(ObjectNamePart::as_ident).map(folded).collect();
        let found = match parts.as_slice() {
            // A function in FROM may stand for a relation.
            [name] => is_catalog_table(name) || name.starts_with("pg_"),
            [.., schema, _] => schema == "pg_catalog" || schema == "information_schema",
            [] => false,
        };
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let found = match expr {
            Expr::Function(function) => function
                .name
                .0
                .last()
                .and_then(ObjectNamePart::as_ident)
                .is_some_and(|name| is_catalog_function(&folded(name))),
            // A cast to a type that stands for a name, or `current_schema` without parentheses.
            Expr::Cast { data_type, .. } => data_type.to_string().to_lowercase().contains("reg"),
            Expr::Identifier(name) => name.quote_style.is_none() && is_catalog_function(&folded(name)),
            _ => false,
        };
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, parse};
    use super::*;

    #[test]
    fn names_of_the_catalog_need_no_schema() {
        check(FUNCTION, "SELECT pg_catalog.version()", "SELECT version()");
        check(RELATION, "SELECT 1 FROM pg_class", "SELECT 1 FROM pg_catalog.pg_class");
        check(RELATION, "SELECT 1 FROM PG_CLASS c", "SELECT 1 FROM pg_catalog.PG_CLASS c");
        check(RELATION, "SELECT 1 FROM customers", "SELECT 1 FROM customers");
        check(
            RELATION,
            "WITH pg_type AS (SELECT 1) SELECT 1 FROM pg_type",
            "WITH pg_type AS (SELECT 1) SELECT 1 FROM pg_type",
        );
        check(
            RELATION,
            "SELECT * FROM pg_catalog.generate_series(1, 2)",
            "SELECT * FROM generate_series(1, 2)",
        );
    }

    #[test]
    fn only_statements_about_the_catalog_ask_for_it() {
        for (sql, expect) in [
            ("SELECT 1", false),
            ("SELECT * FROM customers WHERE company ~ 'a'", false),
            ("SELECT * FROM pg_class", true),
            ("SELECT * FROM information_schema.tables", true),
            ("SELECT 'customers'::regclass", true),
            ("SELECT current_schema()", true),
            ("SELECT (SELECT count(*) FROM pg_catalog.pg_type)", true),
        ] {
            assert_eq!(mentions_catalog(&parse(sql)), expect, "{sql}");
        }
    }
}
