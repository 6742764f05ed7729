//! One client's session: settings, transaction, prepared statements, cancellation.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast;
use futures::stream::BoxStream;

use super::Engine;
use crate::error::{Error, Result};

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// Sees everything, everyone's rows of `Requests` too.
    pub administrator: bool,
}

/// One statement of a text, parsed and let through by the guard.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its own text.
    pub sql: String,
    /// Its syntax tree.
    pub ast: ast::Statement,
    /// Characters before it in the whole text; added to an error's position.
    pub offset: usize,
}

/// A planned statement: its result's columns and its parameters' types are known.
#[derive(Debug, Clone)]
pub struct Prepared {
    statement: Arc<Statement>,
    parameters: Vec<DataType>,
    schema: SchemaRef,
}

impl Prepared {
    /// The types of `$1`, `$2` ..., declared or inferred.
    #[must_use]
    pub fn parameters(&self) -> &[DataType] {
        &self.parameters
    }

    /// The result's columns; `None` for a statement that gives no rows (SET, BEGIN ...).
    #[must_use]
    pub fn schema(&self) -> Option<&SchemaRef> {
        Some(&self.schema)
    }

    /// What was prepared.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }
}

/// Something to tell the client that is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `WARNING`, `NOTICE` or `INFO`.
    pub severity: &'static str,
    /// The SQLSTATE.
    pub code: &'static str,
    /// What to tell.
    pub message: String,
}

/// Rows as they arrive. Ends with an error of kind `Canceled` or `Timeout` when it was stopped.
pub type RowStream = BoxStream<'static, Result<RecordBatch>>;

/// What a statement gives.
pub struct QueryResult {
    /// The first words of PostgreSQL's command tag: `SELECT`, `EXPLAIN`, `SHOW`, `SET`, `BEGIN` ...
    /// A door adds the number of rows to `SELECT`.
    pub command: String,
    /// The columns; `None` where the statement gives no rows.
    pub schema: Option<SchemaRef>,
    /// The rows; empty where there is no schema.
    pub rows: RowStream,
    /// To be told before the rows.
    pub notices: Vec<Notice>,
    /// Settings that changed and that a client wants to hear of (`ParameterStatus`).
    pub changed_settings: Vec<(String, String)>,
}

/// Where the session stands, as PostgreSQL's ReadyForQuery says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// `I`: no block.
    Idle,
    /// `T`: in a block.
    Open,
    /// `E`: in a block that failed.
    Failed,
}

/// Ends what a session is running, from anywhere.
#[derive(Debug, Clone)]
pub struct CancelHandle {}

impl CancelHandle {
    /// Stops the running statement, if there is one; its stream ends with `Canceled`.
    pub fn cancel(&self) {}
}

/// One client's session. Cheap: shares everything but its settings with the engine.
#[derive(Debug)]
pub struct Session {
    #[expect(dead_code, reason = "contract first")]
    engine: Engine,
    user: User,
}

impl Session {
    pub(super) fn new(engine: Engine, user: User) -> Self {
        Self { engine, user }
    }

    /// Who is asking.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Guards and parses a text of any number of statements. An empty text gives none.
    pub fn parse(&self, sql: &str) -> Result<Vec<Statement>> {
        let _ = sql;
        Err(Error::unsupported("everything"))
    }

    /// Plans a statement. `types` are the parameters' types as far as the client said them.
    pub async fn prepare(&self, statement: Statement, types: &[Option<DataType>]) -> Result<Prepared> {
        let _ = (statement, types);
        Err(Error::unsupported("everything"))
    }

    /// Runs a planned statement with its parameters' values, as many as `Prepared::parameters`.
    pub async fn execute(&self, prepared: &Prepared, parameters: Vec<ScalarValue>) -> Result<QueryResult> {
        let _ = (prepared, parameters);
        Err(Error::unsupported("everything"))
    }

    /// Parses, plans and runs one statement without parameters.
    pub async fn run(&self, sql: &str) -> Result<QueryResult> {
        let _ = sql;
        Err(Error::unsupported("everything"))
    }

    /// Where the session stands.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        Transaction::Idle
    }

    /// Tells that a stream of a result failed, so that an open block becomes failed.
    pub fn fail(&self) {}

    /// Ends what this session is running, from anywhere.
    #[must_use]
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle {}
    }

    /// A setting's value as `SHOW` gives it: `TimeZone`, `client_encoding`, `DateStyle` ...
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }

    /// Changes a setting as `SET` does: for start-up parameters.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        let _ = (name, value);
        Ok(())
    }

    /// The zone in which timestamptz is shown.
    #[must_use]
    pub fn time_zone(&self) -> chrono_tz::Tz {
        chrono_tz::UTC
    }
}
