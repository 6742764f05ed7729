//! SQL text in, a stream of record batches out. All that a door gets.

mod catalog;
mod dialect;
mod function;
mod pg_catalog;
mod session;

pub use catalog::{ColumnInfo, ForeignKey, TableInfo, TableKind};
pub use session::{
    CancelHandle, Notice, Prepared, QueryResult, RowStream, Session, Statement, Transaction, User,
};

pub use crate::table::SqlType;

use crate::error::Result;
use std::sync::Arc;

/// The running engine: connections, catalog, memory. Built once, shared by every door.
#[derive(Debug, Clone)]
pub struct Engine {}

impl Engine {
    /// A session of its own for one client: nothing that it sets reaches another.
    #[must_use]
    pub fn session(&self, user: User) -> Session {
        Session::new(self.clone(), user)
    }

    /// Every table, view and system table with its columns, in the order of their names.
    /// `schema` names one connection; the default one is `public`.
    pub async fn tables(&self, schema: &str) -> Result<Vec<Arc<TableInfo>>> {
        let _ = schema;
        Ok(vec![])
    }

    /// The names of the schemas, the default one first.
    #[must_use]
    pub fn schemas(&self) -> Vec<String> {
        vec!["public".into()]
    }
}
