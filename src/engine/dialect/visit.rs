//! Walks a statement and applies rules to its nodes, children before parents.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Select, Statement, TableFactor, VisitMut, VisitorMut};

/// What a rule changes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// An expression.
    Expr(fn(&mut Expr)),
    /// An expression, before what is in it.
    Outer(fn(&mut Expr)),
    /// A relation of FROM. The names are those of the statement's common table expressions.
    Table(fn(&mut TableFactor, &[String])),
    /// A whole SELECT, before what is in it.
    Select(fn(&mut Select)),
    /// A query, before what is in it.
    Query(fn(&mut Query)),
}

/// Applies the rules.
pub(super) fn apply(rules: &[Rule], statement: &mut Statement) {
    let mut names = CommonTables { names: vec![] };
    let _ = statement.visit(&mut names);
    let _ = statement.visit(&mut Walk { rules, common_tables: names.names });
}

struct CommonTables {
    names: Vec<String>,
}

impl VisitorMut for CommonTables {
    type Break = Infallible;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Infallible> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.names.extend(tables.map(|table| table.alias.name.value.clone()));
        ControlFlow::Continue(())
    }
}

struct Walk<'a> {
    rules: &'a [Rule],
    common_tables: Vec<String>,
}

impl VisitorMut for Walk<'_> {
    type Break = Infallible;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Infallible> {
        for rule in self.rules {
            if let Rule::Query(apply) = rule {
                apply(query);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Infallible> {
        for rule in self.rules {
            if let Rule::Select(apply) = rule {
                apply(select);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
        for rule in self.rules {
            if let Rule::Outer(apply) = rule {
                apply(expr);
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
        for rule in self.rules {
            if let Rule::Expr(apply) = rule {
                apply(expr);
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<Infallible> {
        for rule in self.rules {
            if let Rule::Table(apply) = rule {
                apply(table, &self.common_tables);
            }
        }
        ControlFlow::Continue(())
    }
}
