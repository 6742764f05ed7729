//! One client's session: settings, transaction, cancellation, and the way of a statement from text to rows.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::execution::session_state::SessionState;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast;
use futures::stream::{BoxStream, StreamExt};

use super::Engine;
use super::apart;
use super::backend::{Activity, Backends, Signals};
use super::block::Block;
use super::cancel::Stop;
use super::command;
use super::explain;
use super::explain_option::ExplainOptions;
use super::need::Need;
use super::pg_catalog::{Catalog, CatalogSource, Schema as CatalogSchema};
use super::plan::{self, Planned};
use super::procedure;
use super::runtime;
use super::settings::Settings;
use super::state::State;
use super::statement::{self, Statement, on_big_stack};
use super::{Clock, SqlType, tables};
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
    /// The plan has run once: what a session and its catalog showed then may be old.
    used: Arc<AtomicBool>,
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
    /// The rows are here already: to read them takes no time.
    pub ready: bool,
}

impl QueryResult {
    /// A statement without rows.
    pub(super) fn command(command: &str) -> Self {
        Self {
            command: command.to_owned(),
            schema: None,
            rows: futures::stream::empty().boxed(),
            notices: vec![],
            ready: false,
        }
    }

    /// Rows that are here already.
    pub(super) fn rows(command: &str, batch: RecordBatch) -> Self {
        let schema = Some(batch.schema());
        let rows = futures::stream::iter([Ok(batch)]).boxed();
        Self { schema, rows, ready: true, ..Self::command(command) }
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
    state: Arc<State>,
    catalog: Arc<Catalog>,
    stop: Arc<Stop>,
}

impl Session {
    pub(super) fn new(engine: Engine, user: User) -> Self {
        let settings = engine.default_settings().of_user(&user.name);
        let state = Arc::new(State::new(settings, Arc::clone(&engine.inner.backends)));
        let facts = Facts { engine: engine.clone(), user: user.name.clone(), state: Arc::clone(&state) };
        Self { engine, user, state, catalog: Catalog::new(Arc::new(facts)), stop: Arc::default() }
    }

    /// What the session changes.
    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// What PostgreSQL's catalog shows this session.
    pub(super) fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
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
        self.check(&statement)?;
        let stop = self.stop.start(self.settings().statement_timeout);
        let prepared = if on_big_stack(|| apart::is_large(&statement)) {
            let (session, types) = (self.share(), types.to_vec());
            let plan = move || async move { session.plan(Arc::new(statement), &types).await };
            stop.guard(Box::pin(self.engine.inner.apart.run(plan))).await
        } else {
            stop.guard(Box::pin(self.plan(Arc::new(statement), types))).await
        };
        prepared.inspect_err(|_| self.fail())
    }

    /// The same session, for a thread of its own.
    fn share(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            user: self.user.clone(),
            state: Arc::clone(&self.state),
            catalog: Arc::clone(&self.catalog),
            stop: Arc::clone(&self.stop),
        }
    }

    async fn plan(&self, statement: Arc<Statement>, types: &[Option<SqlType>]) -> Result<Prepared> {
        if let Some(utility) = &statement.utility {
            let schema = command::schema(self, utility)?;
            return Ok(Prepared {
                statement,
                parameters: vec![],
                schema,
                planned: None,
                used: Arc::default(),
            });
        }
        let (query, explain) = match &statement.ast {
            ast::Statement::Query(query) => (query, None),
            ast::Statement::Explain { statement: inner, analyze, options, .. } => match inner.as_ref() {
                ast::Statement::Query(query) => {
                    (query, Some(ExplainOptions::of(*analyze, options.as_deref())?))
                }
                _ => return Err(Error::unsupported("EXPLAIN of anything but a query")),
            },
            ast::Statement::Call(_) => {
                let parameters = procedure::parameters(&statement.ast);
                let (schema, planned, used) = (None, None, Arc::default());
                return Ok(Prepared { statement, parameters, schema, planned, used });
            }
            other => return Err(without_door(other)),
        };
        let planned = plan::plan(self, &statement, query, types).await?;
        let schema = if explain.is_some() { plan_column() } else { Arc::clone(&planned.schema) };
        Ok(Prepared {
            parameters: planned.parameters.clone(),
            schema: Some(schema),
            planned: Some(planned),
            statement,
            used: Arc::default(),
        })
    }

    /// Runs a planned statement with its parameters' values, as many as `Prepared::parameters`.
    pub async fn execute(&self, prepared: &Prepared, parameters: Vec<ScalarValue>) -> Result<QueryResult> {
        self.check(&prepared.statement)?;
        let stop = self.stop.start(self.settings().statement_timeout);
        let started = if prepared.planned.as_ref().is_some_and(|planned| planned.is_large()) {
            let (session, prepared) = (self.share(), prepared.clone());
            let start = move || async move { session.start(&prepared, parameters).await };
            stop.guard(Box::pin(self.engine.inner.apart.run(start))).await
        } else {
            stop.guard(Box::pin(self.start(prepared, parameters))).await
        };
        let result = started.inspect_err(|_| self.fail())?;
        if result.ready {
            return Ok(result);
        }
        let rows = self.engine.inner.apart.rows(result.rows);
        Ok(QueryResult { rows: stop.stream(rows).boxed(), ..result })
    }

    async fn start(&self, prepared: &Prepared, parameters: Vec<ScalarValue>) -> Result<QueryResult> {
        if let ast::Statement::Call(call) = &prepared.statement.ast {
            return procedure::call(self, call, &parameters).await;
        }
        if let Some(utility) = &prepared.statement.utility {
            return command::run(self, utility);
        }
        let Some(planned) = &prepared.planned else { return Err(without_door(&prepared.statement.ast)) };
        if parameters.len() != prepared.parameters.len() {
            let message = format!(
                "the statement has {} parameters, {} values were bound",
                prepared.parameters.len(),
                parameters.len()
            );
            return Err(Error::new(Kind::InvalidParameter, message));
        }
        let planned = self.current(prepared, planned).await?;
        match &prepared.statement.ast {
            ast::Statement::Explain { analyze, options, .. } => {
                let options = ExplainOptions::of(*analyze, options.as_deref())?;
                let text = explain::explain(self, &prepared.statement, &planned, parameters, options).await?;
                Ok(QueryResult::rows("EXPLAIN", plan_rows(&text)?))
            }
            _ => plan::run(self, &prepared.statement, &planned, parameters).await,
        }
    }

    /// The plan as it is to be made now: a setting, a table's form or the catalog may have changed since.
    ///
    /// # Errors
    /// Of kind `Unsupported`, as in PostgreSQL: the result has other columns than the client was told.
    async fn current(&self, prepared: &Prepared, planned: &Arc<Planned>) -> Result<Arc<Planned>> {
        let settings = self.settings();
        let again = prepared.used.swap(true, Ordering::Relaxed);
        let holds = planned.planning == settings.planning
            && !(again && planned.of_session)
            && tables::unchanged(self, &planned.reads, &settings.planning).await?;
        if holds {
            return Ok(Arc::clone(planned));
        }
        let types: Vec<_> = prepared.parameters.iter().cloned().map(Some).collect();
        let again = self.plan(Arc::clone(&prepared.statement), &types).await?;
        let columns = |schema: Option<&SchemaRef>| -> Vec<(String, SqlType)> {
            let fields = schema.iter().flat_map(|schema| schema.fields());
            fields.map(|field| (field.name().clone(), SqlType::of(field))).collect()
        };
        if again.parameters != prepared.parameters || columns(again.schema()) != columns(prepared.schema()) {
            return Err(Error::new(Kind::Unsupported, "cached plan must not change result type"));
        }
        again.planned.ok_or_else(|| Error::internal("a query became another statement"))
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

    /// Whether a statement may run now. After an error inside a block only its end is heard.
    ///
    /// # Errors
    /// Of kind `FailedTransaction`; `ReadOnly` for a write in a transaction that only reads; those of a statement that
    /// is not done here.
    pub fn check(&self, statement: &Statement) -> Result<()> {
        if self.transaction() == Transaction::Failed && !statement.ends_block() {
            let message = "current transaction is aborted, commands ignored until end of transaction block";
            return Err(Error::new(Kind::FailedTransaction, message));
        }
        let checked = match statement.write() {
            Some(write) => self.state.check_writable(write).and_then(|()| statement.check()),
            None => statement.check(),
        };
        checked.inspect_err(|_| self.fail())
    }

    /// Where the session stands.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        self.state.transaction()
    }

    /// Whether statements for a block may run: one is open, or the message has several statements.
    #[must_use]
    pub fn is_in_block(&self) -> bool {
        self.state.block(|block| block.is_block())
    }

    /// A statement of a message, which has `several` or one, begins: those that are in no block are one transaction.
    pub fn begin_message(&self, several: bool) {
        self.state.begin_message(several);
    }

    /// The message is at its end, and with it its transaction, unless a block is open: after an error the settings are
    /// as before.
    pub fn end_message(&self) {
        self.state.end_message();
    }

    /// `now()` is the time when the transaction began, as in PostgreSQL.
    pub(super) fn set_clock(&self, state: &mut SessionState) {
        if let Some(began) = self.state.began() {
            state.execution_props_mut().query_execution_start_time = Some(began);
        }
    }

    /// Does something to the open block.
    pub(super) fn block<T>(&self, change: impl FnOnce(&mut Block) -> Result<T>) -> Result<T> {
        // The lock is given back before a failure takes it again.
        let result = self.state.block(change);
        result.inspect_err(|_| self.fail())
    }

    /// Tells that something of a statement failed, so that an open block becomes failed.
    pub fn fail(&self) {
        self.state.block(Block::fail);
    }

    /// No statement is being run: rows that are left to be fetched have no time limit.
    pub fn pause(&self) {
        self.stop.pause();
    }

    /// A statement begins, unless one has since the last pause; or its rows are fetched on. Reading, planning and
    /// running it have the time of `statement_timeout` together.
    pub fn resume(&self) {
        self.stop.resume(self.settings().statement_timeout);
    }

    /// Ends what this session is running, from anywhere.
    #[must_use]
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle::new(&self.stop)
    }

    /// The settings as they are now.
    pub(super) fn settings(&self) -> Arc<Settings> {
        self.state.settings()
    }

    /// A setting's value as `SHOW` gives it: `TimeZone`, `client_encoding`, `DateStyle` ...
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        self.settings().show(name)
    }

    /// Takes a setting as the session starts: RESET goes back to it.
    ///
    /// # Errors
    /// No setting of this name, or a value that it does not take.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        // Some clients quote a start-up setting as SET would have it.
        let value = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')).unwrap_or(value);
        self.state.set_at_start(name, value)
    }

    /// Names without a schema are of this one.
    pub fn search_in(&self, schema: &str) {
        self.state.search_in(schema);
    }

    /// What changed of the settings that a client hears of, since `known` was given; and what is known now.
    #[must_use]
    pub fn changed_settings(&self, known: &KnownSettings) -> (Vec<(String, String)>, KnownSettings) {
        let now = self.settings();
        let changed = match &known.0 {
            Some(before) if Arc::ptr_eq(before, &now) => vec![],
            Some(before) => before.reported_changes(&now),
            None => vec![],
        };
        (changed, KnownSettings(Some(now)))
    }

    /// From now on others know this session by a number, as `pg_backend_pid()` tells it, and may stop it by `signals`.
    pub fn set_backend(&self, pid: i32, address: Option<IpAddr>, signals: Box<dyn Signals>) {
        self.state.set_pid(pid);
        self.state.backends().add(pid, self.user.name.clone(), address, &self.state, signals);
    }

    /// What others see of it: it is running this text.
    pub fn begin_activity(&self, text: &str) {
        self.state.activity(|activity| activity.begin(text));
    }

    /// What others see of it: it waits for its client.
    pub fn end_activity(&self) {
        self.state.activity(Activity::end);
    }

    /// What functions had to tell since this was asked last.
    #[must_use]
    pub fn take_notices(&self) -> Vec<Notice> {
        self.state.take_notices()
    }

    /// What a text of a day or a time leaves open.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.settings().planning.clock()
    }

    /// The zone in which timestamptz is shown.
    #[must_use]
    pub fn time_zone(&self) -> chrono_tz::Tz {
        self.settings().planning.time_zone
    }
}

/// The settings that a client was told of last.
#[derive(Debug, Clone, Default)]
pub struct KnownSettings(Option<Arc<Settings>>);

/// What only a connection can do.
fn without_door(statement: &ast::Statement) -> Error {
    let text = statement.to_string();
    let word = text.split_whitespace().next().unwrap_or("this statement").to_uppercase();
    Error::unsupported(format!("{word} without a PostgreSQL connection"))
}

/// What the catalog tells of a session.
#[derive(Debug)]
struct Facts {
    engine: Engine,
    user: String,
    state: Arc<State>,
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

    fn pid(&self) -> i32 {
        self.state.pid()
    }

    fn settings(&self) -> Arc<Settings> {
        self.state.settings()
    }

    fn backends(&self) -> Arc<Backends> {
        Arc::clone(self.state.backends())
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
