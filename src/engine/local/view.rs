//! `[[views]]`: a query under a name.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast;

use crate::engine::statement::{self, Statement};
use crate::error::{Error, Kind, Result};

/// A view of the settings.
#[derive(Debug, Clone)]
pub struct ViewSettings {
    name: String,
    statement: Arc<Statement>,
}

impl PartialEq for ViewSettings {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.statement.sql == other.statement.sql
    }
}

impl Eq for ViewSettings {}

impl ViewSettings {
    /// A view of this name. Its tables are looked for when it is first used.
    ///
    /// # Errors
    /// Of kind `Config`: the text is not one query.
    pub fn new(name: &str, sql: &str) -> Result<Self> {
        let wrong = |message: String| Error::new(Kind::Config, message);
        let mut statements = statement::parse(sql).map_err(|error| wrong(error.message))?;
        match (statements.pop(), statements.is_empty()) {
            (Some(statement), true) if matches!(statement.ast, ast::Statement::Query(_)) => {
                statement.check().map_err(|error| wrong(error.message))?;
                Ok(Self { name: name.to_owned(), statement: Arc::new(statement) })
            }
            _ => Err(wrong("a view is one query, such as SELECT company FROM customers".into())),
        }
    }
}

/// A view of the engine.
#[derive(Debug, Clone)]
pub(in crate::engine) struct View {
    pub(in crate::engine) name: String,
    pub(in crate::engine) statement: Arc<Statement>,
    /// How many views stand before it in the settings: those it may name.
    pub(in crate::engine) place: usize,
}

impl View {
    pub(in crate::engine) fn new(settings: &ViewSettings, place: usize) -> Self {
        Self { name: settings.name.clone(), statement: Arc::clone(&settings.statement), place }
    }
}
