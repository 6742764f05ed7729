//! `sys_tables` and its kin: the tables by which CData's drivers tell of tables, as queries over the catalog.
//!
//! Each is a file in `sql/sys`. A statement that names one reads that query in its place.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::sql::sqlparser::ast::{
    Ident, Query, Statement, TableAlias, TableFactor, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::folded;

macro_rules! views {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../sql/sys/", $name, ".sql")))),*]
    };
}

/// The names of the views, and their queries.
const VIEWS: &[(&str, &str)] = views![
    "sys_catalogs",
    "sys_foreignkeys",
    "sys_indexes",
    "sys_keycolumns",
    "sys_primarykeys",
    "sys_procedureparameters",
    "sys_procedures",
    "sys_schemas",
    "sys_tablecolumns",
    "sys_tables",
];

static QUERIES: LazyLock<HashMap<&'static str, Query>> = LazyLock::new(|| {
    let parsed = |(name, sql): &(&'static str, &str)| match Parser::parse_sql(&PostgreSqlDialect {}, sql)
        .ok()?
        .pop()?
    {
        Statement::Query(query) => Some((*name, *query)),
        _ => None,
    };
    VIEWS.iter().filter_map(parsed).collect()
});

/// Puts the queries in the place of the views' names, those of the statement's own common tables left alone.
pub(crate) fn expand_system_views(statement: &mut Statement) {
    let _ = statement.visit(&mut Expand { common_tables: vec![] });
}

struct Expand {
    common_tables: Vec<String>,
}

impl VisitorMut for Expand {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.common_tables.extend(tables.map(|table| folded(&table.alias.name)));
        ControlFlow::Continue(())
    }

    /// Before what is in it: a view may be made of others.
    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, alias, args: None, .. } = table else {
            return ControlFlow::Continue(());
        };
        let [part] = name.0.as_slice() else { return ControlFlow::Continue(()) };
        let Some(ident) = part.as_ident() else { return ControlFlow::Continue(()) };
        let name = ident.value.to_lowercase();
        if self.common_tables.contains(&folded(ident)) {
            return ControlFlow::Continue(());
        }
        if let Some(query) = QUERIES.get(name.as_str()) {
            let alias = alias.take().unwrap_or_else(|| TableAlias {
                explicit: true,
                name: Ident::new(name),
                columns: vec![],
                at: None,
            });
            *table = TableFactor::Derived {
                lateral: false,
                subquery: Box::new(query.clone()),
                alias: Some(alias),
                sample: None,
            };
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn every_view_is_a_query() {
        assert_eq!(QUERIES.len(), VIEWS.len());
    }

    #[test]
    fn a_view_is_its_query() {
        let expanded = |sql: &str| {
            let mut statement = parse(sql);
            expand_system_views(&mut statement);
            statement.to_string()
        };
        assert!(
            expanded("SELECT * FROM sys_catalogs c")
                .starts_with("SELECT * FROM (SELECT catalog_name AS \"CatalogName\"")
        );
        assert!(!expanded("SELECT * FROM sys_keycolumns").contains("FROM sys_"));
        let own = "WITH sys_tables AS (SELECT 1) SELECT * FROM sys_tables";
        assert_eq!(expanded(own), own);
    }
}
