//! One client's session: settings, transaction, cancellation, and the way of a statement from text to rows.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::execution::session_state::SessionState;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast;
use futures::stream::{BoxStream, StreamExt};

use super::Engine;
use super::SqlType;
use super::block::Block;
use super::cancel::Stop;
use super::command;
use super::explain;
use super::need::Need;
use super::pg_catalog::{Catalog, CatalogSource, Schema as CatalogSchema};
use super::plan::{self, Planned};
use super::procedure;
use super::runtime;
use super::settings::Settings;
use super::statement::{self, Statement};
use crate::error::{Error, Kind, Result};

pub use super::cancel::CancelHandle;

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// Sees everything, everyone's rows of `Requests` too.
    pub administrator: bool,
}

/// A planned statement: its result's columns and its parameters' types are known.
#[derive(Debug, Clone)]
pub struct Prepared {
    statement: Arc<Statement>,
    parameters: Vec<SqlType>,
    schema: Option<SchemaRef>,
    planned: Option<Arc<Planned>>,
}

impl Prepared {
    /// The types of `$1`, `$2` ..., declared or inferred.
    #[must_use]
    pub fn parameters(&self) -> &[SqlType] {
        &self.parameters
    }

    /// The result's columns; `None` for a statement that gives no rows (SET, BEGIN ...).
    #[must_use]
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
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

impl QueryResult {
    /// A statement without rows.
    pub(super) fn command(command: &str) -> Self {
        Self {
            command: command.to_owned(),
            schema: None,
            rows: futures::stream::empty().boxed(),
            notices: vec![],
            changed_settings: vec![],
        }
    }

    /// Rows that are here already.
    pub(super) fn rows(command: &str, batch: RecordBatch) -> Self {
        let schema = Some(batch.schema());
        Self { schema, rows: futures::stream::iter([Ok(batch)]).boxed(), ..Self::command(command) }
    }
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

/// One client's session. Cheap: shares everything but its settings with the engine.
#[derive(Debug)]
pub struct Session {
    pub(super) engine: Engine,
    user: User,
    settings: Arc<Mutex<Settings>>,
    catalog: Arc<Catalog>,
    template: OnceLock<SessionState>,
    block: Mutex<Block>,
    stop: Arc<Stop>,
}

/// A lock that a panic elsewhere left is as good as before: each guards one plain value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(super) fn new(engine: Engine, user: User) -> Self {
        let settings = Arc::new(Mutex::new(engine.default_settings()));
        let facts =
            Facts { engine: engine.clone(), user: user.name.clone(), settings: Arc::clone(&settings) };
        Self {
            engine,
            user,
            settings,
            catalog: Catalog::new(Arc::new(facts)),
            template: OnceLock::new(),
            block: Mutex::default(),
            stop: Arc::default(),
        }
    }

    /// What PostgreSQL's catalog shows this session.
    pub(super) fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The state that each statement's is made from, made with the first one.
    pub(super) fn template(&self) -> &SessionState {
        self.template.get_or_init(|| runtime::with_catalog(self.engine.template(), &self.catalog))
    }

    /// Who is asking.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Guards and parses a text of any number of statements. An empty text gives none.
    pub fn parse(&self, sql: &str) -> Result<Vec<Statement>> {
        statement::parse(sql).inspect_err(|_| self.fail())
    }

    /// Plans a statement. `types` are the parameters' types as far as the client said them.
    pub async fn prepare(&self, statement: Statement, types: &[Option<SqlType>]) -> Result<Prepared> {
        self.check_transaction(&statement)?;
        let stop = self.stop.start(self.settings().statement_timeout);
        let prepared = stop.guard(Box::pin(self.plan(Arc::new(statement), types))).await;
        prepared.inspect_err(|_| self.fail())
    }

    async fn plan(&self, statement: Arc<Statement>, types: &[Option<SqlType>]) -> Result<Prepared> {
        let (query, explain) = match &statement.ast {
            ast::Statement::Query(query) => (query, None),
            ast::Statement::Explain { statement: inner, analyze, .. } => match inner.as_ref() {
                ast::Statement::Query(query) => (query, Some(*analyze)),
                _ => return Err(Error::unsupported("EXPLAIN of anything but a query")),
            },
            other => {
                let schema = command::schema(other);
                let parameters = procedure::parameters(other);
                return Ok(Prepared { statement, parameters, schema, planned: None });
            }
        };
        let planned = plan::plan(self, &statement, query, types).await?;
        let schema = if explain.is_some() { plan_column() } else { planned.schema() };
        Ok(Prepared {
            parameters: planned.parameters.clone(),
            schema: Some(schema),
            planned: Some(Arc::new(planned)),
            statement,
        })
    }

    /// Runs a planned statement with its parameters' values, as many as `Prepared::parameters`.
    pub async fn execute(&self, prepared: &Prepared, parameters: Vec<ScalarValue>) -> Result<QueryResult> {
        self.check_transaction(&prepared.statement)?;
        let stop = self.stop.start(self.settings().statement_timeout);
        let result =
            stop.guard(Box::pin(self.start(prepared, parameters))).await.inspect_err(|_| self.fail())?;
        Ok(QueryResult { rows: stop.stream(result.rows).boxed(), ..result })
    }

    async fn start(&self, prepared: &Prepared, parameters: Vec<ScalarValue>) -> Result<QueryResult> {
        if let ast::Statement::Call(call) = &prepared.statement.ast {
            return procedure::call(self, call, &parameters).await;
        }
        let Some(mut planned) = prepared.planned.clone() else {
            return command::run(self, &prepared.statement.ast);
        };
        if parameters.len() != prepared.parameters.len() {
            let message = format!(
                "the statement has {} parameters, {} values were bound",
                prepared.parameters.len(),
                parameters.len()
            );
            return Err(Error::new(Kind::InvalidParameter, message));
        }
        // A setting that changed since may change what a name or a literal means: plan again.
        if planned.settings != self.settings() {
            let types: Vec<_> = prepared.parameters.iter().cloned().map(Some).collect();
            let again = self.plan(Arc::clone(&prepared.statement), &types).await?;
            planned = again.planned.unwrap_or(planned);
        }
        match &prepared.statement.ast {
            ast::Statement::Explain { analyze, .. } => {
                let text =
                    explain::explain(self, &prepared.statement, &planned, parameters, *analyze).await?;
                Ok(QueryResult::rows("EXPLAIN", plan_rows(&text)?))
            }
            _ => plan::run(self, &prepared.statement, &planned, parameters).await,
        }
    }

    /// Parses, plans and runs one statement without parameters.
    pub async fn run(&self, sql: &str) -> Result<QueryResult> {
        let mut statements = self.parse(sql)?;
        match (statements.pop(), statements.is_empty()) {
            (Some(statement), true) => {
                let prepared = self.prepare(statement, &[]).await?;
                self.execute(&prepared, vec![]).await
            }
            (None, _) => Ok(QueryResult::command("")),
            _ => Err(Error::new(Kind::Syntax, "cannot run several statements at once")),
        }
    }

    /// After an error inside a block only its end is heard.
    ///
    /// # Errors
    /// Of kind `FailedTransaction`.
    pub fn check_transaction(&self, statement: &Statement) -> Result<()> {
        use ast::Statement as S;
        let ends = matches!(statement.ast, S::Commit { .. } | S::Rollback { .. });
        if self.transaction() == Transaction::Failed && !ends {
            let message = "current transaction is aborted, commands ignored until end of transaction block";
            return Err(Error::new(Kind::FailedTransaction, message));
        }
        Ok(())
    }

    /// Where the session stands.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        lock(&self.block).state()
    }

    /// Does something to the open block.
    pub(super) fn block<T>(&self, change: impl FnOnce(&mut Block) -> Result<T>) -> Result<T> {
        // The lock is given back before a failure takes it again.
        let result = change(&mut lock(&self.block));
        result.inspect_err(|_| self.fail())
    }

    /// Opens a block; whether one was open already.
    pub(super) fn begin_block(&self) -> bool {
        lock(&self.block).begin(self.settings())
    }

    /// Ends the block. Settings that it alone had, or that are rolled back, are as before; those that a client
    /// hears of.
    pub(super) fn end_block(&self, commits: bool) -> Vec<(String, String)> {
        let before = lock(&self.block).end();
        let Some((before, local)) = before else { return vec![] };
        let mut settings = lock(&self.settings);
        let kept = if commits { settings.with(&before, &local) } else { before };
        let changed = settings.reported_changes(&kept);
        *settings = kept;
        changed
    }

    /// Notes that a setting is for this block alone; whether there is a block.
    pub(super) fn set_local(&self, name: &str) -> bool {
        lock(&self.block).set_local(name)
    }

    /// Tells that something of a statement failed, so that an open block becomes failed.
    pub fn fail(&self) {
        lock(&self.block).fail();
    }

    /// No statement is being run: rows that are left to be fetched have no time limit.
    pub fn pause(&self) {
        self.stop.limit(None);
    }

    /// Rows of a statement are fetched on: they have the time that a statement has.
    pub fn resume(&self) {
        self.stop.limit(self.settings().statement_timeout);
    }

    /// Ends what this session is running, from anywhere.
    #[must_use]
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle::new(&self.stop)
    }

    pub(super) fn settings(&self) -> Settings {
        lock(&self.settings).clone()
    }

    pub(super) fn reset_settings(&self) {
        *lock(&self.settings) = self.engine.default_settings();
    }

    /// A setting's value as `SHOW` gives it: `TimeZone`, `client_encoding`, `DateStyle` ...
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        lock(&self.settings).show(name)
    }

    /// Changes a setting as `SET` does: for start-up parameters. Gives what a client is told of the change.
    pub fn set(&self, name: &str, value: &str) -> Result<Option<(String, String)>> {
        lock(&self.settings).set(name, value)
    }

    /// The zone in which timestamptz is shown.
    #[must_use]
    pub fn time_zone(&self) -> chrono_tz::Tz {
        lock(&self.settings).time_zone
    }
}

/// What the catalog tells of a session.
#[derive(Debug)]
struct Facts {
    engine: Engine,
    user: String,
    settings: Arc<Mutex<Settings>>,
}

#[async_trait]
impl CatalogSource for Facts {
    async fn schema(&self, need: &Need) -> Result<(Arc<CatalogSchema>, Option<String>)> {
        self.engine.schema(need).await
    }

    fn users(&self) -> Vec<String> {
        vec![self.user.clone()]
    }

    fn database(&self) -> String {
        runtime::DATABASE.to_owned()
    }

    fn current_user(&self) -> String {
        self.user.clone()
    }

    fn settings(&self) -> Vec<(String, String)> {
        lock(&self.settings).all()
    }
}

/// EXPLAIN's one column, named as PostgreSQL names it.
fn plan_column() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("QUERY PLAN", DataType::Utf8, false)]))
}

fn plan_rows(text: &str) -> Result<RecordBatch> {
    let lines = arrow::array::StringArray::from(text.lines().collect::<Vec<_>>());
    RecordBatch::try_new(plan_column(), vec![Arc::new(lines)]).map_err(|e| Error::internal(e.to_string()))
}
