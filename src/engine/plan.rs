//! A query's way: names to exact names, tables from the catalog, a logical plan, a physical plan, rows.

use std::sync::{Arc, OnceLock};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{ParamValues, Result as DfResult};
use datafusion::datasource::ViewTable;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::common::spawn_buffered;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, execute_stream};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Query};
use futures::StreamExt;

use super::apart;
use super::bounds;
use super::catalog::{ColumnInfo, TableInfo, TableKind};
use super::dialect;
use super::distinct_on;
use super::fault;
use super::local::View;
use super::names;
use super::native;
use super::need::Need;
use super::numeric::{Specials, take_specials, with_forms};
use super::origin::with_origins;
use super::parameter;
use super::plan_cache::{PlanKey, Traits};
use super::registry::{Scope, Tables};
use super::session::{Notice, QueryResult, Session};
use super::settings::Planning;
use super::statement::{Statement, on_big_stack};
use super::tables::{self, Named, Read, Reads};
use super::{LOCAL, SqlType};
use crate::error::{Error, Result};
use crate::table::{Budget, DAILY_REQUESTS, ScanContext, Stretch, Totals, count_joined, tables_of};

/// Rows of a statement without tables that are kept with its plan.
const MOST_CONSTANT_BYTES: usize = 4096;

/// A query that is planned, and what it was planned with. Holds nothing of a session, unless it reads the catalog.
#[derive(Debug)]
pub(super) struct Planned {
    pub planning: Arc<Planning>,
    pub parameters: Vec<SqlType>,
    /// It reads the session or its catalog: nobody else's plan, and a later run needs another one.
    pub of_session: bool,
    /// What of the catalog it reads.
    need: Need,
    /// The result's columns under the names that clients see.
    pub schema: SchemaRef,
    pub reads: Vec<Read>,
    logical: LogicalPlan,
    /// To run it is to compute for long before there is a row.
    is_large: bool,
    /// The rows of a plan that gives the same each time, once it has run.
    constant: Option<OnceLock<RecordBatch>>,
}

impl Planned {
    /// Whether to run it is to compute for long before there is a row.
    pub(super) fn is_large(&self) -> bool {
        self.is_large && self.constant.as_ref().is_none_or(|constant| constant.get().is_none())
    }

    /// The columns of a result as they were announced, with the data types and the numerics' form of this run.
    fn result_schema(&self, physical: &Physical) -> SchemaRef {
        let sent = physical.plan.schema();
        let fields = self.schema.fields().iter().zip(sent.fields()).map(|(announced, sent)| {
            let field = Field::clone(announced).with_data_type(sent.data_type().clone());
            field.with_nullable(sent.is_nullable())
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        with_forms(&schema, &physical.logical, &physical.specials)
    }
}

/// The columns of a plan with the types that they have when it runs: its branches (of CASE, UNION, COALESCE) are brought
/// to one type only then.
fn announced(logical: &LogicalPlan, state: &SessionState) -> DfResult<Schema> {
    let bare = dialect::bare(logical.clone())?;
    let analyzed = state.analyzer().execute_and_check(bare, state.config_options(), |_, _| {})?;
    let types = analyzed.schema().fields().iter().map(|field| field.data_type().clone());
    let fields = logical.schema().fields().iter().zip(types);
    let fields = fields.map(|(field, data_type)| Field::clone(field).with_data_type(data_type));
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}

/// Without the marks on repeated names.
fn visible(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match dialect::shown_name(field.name()) {
        name if name == field.name() => Arc::clone(field),
        name => Arc::new(Field::clone(field).with_name(name)),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Plans a query, or takes the plan that another statement of the same text had. Asks Kintone for the forms of the
/// tables that it names, if they are not known yet.
pub(super) async fn plan(
    session: &Session,
    statement: &Statement,
    query: &Query,
    types: &[Option<SqlType>],
) -> Result<Arc<Planned>> {
    let settings = session.settings();
    let planning = &settings.planning;
    let plans = session.engine.plans();
    let key = PlanKey::new(statement, types, planning);
    if let Some(known) = key.as_ref().and_then(|key| plans.get(key))
        && tables::unchanged(session, &known.reads, planning).await?
    {
        return Ok(known);
    }
    let drafted = draft(session, statement, query, types, planning, usize::MAX).await?;
    let Draft { logical, parameters, state, reads } = drafted;
    let max_rows = session.engine.max_rows(&reads.schemas());
    let nothing = Tables::new();
    let scope = Scope::new(session, &state, &nothing);
    let finished = on_big_stack(|| {
        bounds::check(&logical)?;
        let logical = native::place(logical, parameters.is_empty())?;
        let (logical, marks) = dialect::complete(limited(logical, max_rows)?, &scope, planning.clock())?;
        let traits = Traits::of(&logical)?;
        let is_large = apart::is_large_plan(&logical)?;
        let announced = announced(&logical, &state)?;
        Ok((logical, marks, traits, is_large, announced))
    });
    let (logical, marks, traits, is_large, announced) =
        finished.map_err(|e| fault::translate(&e, Some(statement)))?;
    let planned = Arc::new(Planned {
        planning: Arc::clone(planning),
        of_session: traits.of_session
            || reads.need.reads_catalog()
            || reads.names.iter().any(Read::is_of_catalog),
        schema: with_origins(&visible(&announced), &logical, &marks),
        constant: (traits.constant && parameters.is_empty()).then(OnceLock::new),
        parameters,
        is_large,
        need: reads.need,
        reads: reads.names,
        logical,
    });
    if let Some(key) = key.filter(|_| !planned.of_session) {
        plans.put(key, Arc::clone(&planned));
    }
    Ok(planned)
}

/// A query as the planner understands it.
struct Draft {
    logical: LogicalPlan,
    parameters: Vec<SqlType>,
    state: SessionState,
    reads: Reads,
}

/// Understands a query; of the views of the settings it may name the first `views`.
async fn draft(
    session: &Session,
    statement: &Statement,
    query: &Query,
    types: &[Option<SqlType>],
    planning: &Planning,
    views: usize,
) -> Result<Draft> {
    let mut rewritten = ast::Statement::Query(Box::new(query.clone()));
    on_big_stack(|| dialect::expand_system_views(&mut rewritten));
    let need = on_big_stack(|| Need::of(&rewritten));
    let need = if views == usize::MAX { need } else { need.of_own_view() };
    // What parameters name is read when they are there.
    session.catalog().refresh(&need.with(&[])).await?;
    on_big_stack(|| native::mark(&mut rewritten, statement))?;
    on_big_stack(|| dialect::rewrite(&mut rewritten));
    let ast::Statement::Query(mut query) = rewritten else {
        return Err(Error::internal("a query became another statement"));
    };
    let Named { known, tables, mut reads } =
        tables::find_tables(session, statement, &query, planning, views).await?;
    reads.need = need.and(reads.need);
    on_big_stack(|| names::resolve(&mut query, &known));
    let mut state = session.engine.registry().state(planning.time_zone);
    session.set_clock(&mut state);
    let scope = Scope::new(session, &state, &tables);
    let (logical, parameters) = on_big_stack(|| {
        parameter::plan(types, &|types: &[SqlType]| {
            let ast = parameter::declared(ast::Statement::Query(query.clone()), types);
            let logical =
                dialect::integer_literals(distinct_on::apart(scope.plan(ast)?)?, !types.is_empty())?;
            dialect::typed(logical, planning.clock())
        })
    })
    .map_err(|e| fault::translate(&e, Some(statement)))?;
    Ok(Draft { logical, parameters, state, reads })
}

/// A view of the settings for a session with these settings, and what it reads.
pub(super) async fn view(session: &Session, view: &View, planning: &Planning) -> Result<(ViewTable, Reads)> {
    let ast::Statement::Query(query) = &view.statement.ast else {
        return Err(Error::internal("a view that is no query"));
    };
    let drafted = Box::pin(draft(session, &view.statement, query, &[], planning, view.place)).await;
    let drafted = drafted.map_err(|error| Error {
        message: format!("the view {}: {}", view.name, error.message),
        position: None,
        ..error
    })?;
    Ok((ViewTable::new(drafted.logical, Some(view.statement.sql.clone())), drafted.reads))
}

/// A view of the settings as the catalog shows it.
pub(super) async fn view_info(session: &Session, of: &View) -> Result<TableInfo> {
    let (table, _) = view(session, of, &session.settings().planning).await?;
    let column = |field: &Arc<Field>| ColumnInfo {
        name: dialect::shown_name(field.name()).to_owned(),
        label: dialect::shown_name(field.name()).to_owned(),
        sql_type: SqlType::of(field),
        nullable: field.is_nullable(),
        unique: false,
        kintone_type: String::new(),
        options: vec![],
    };
    Ok(TableInfo {
        schema: LOCAL.to_owned(),
        name: of.name.clone(),
        kind: TableKind::View,
        app_id: None,
        label: of.name.clone(),
        description: of.statement.sql.clone(),
        columns: table.schema().fields().iter().map(column).collect(),
        primary_key: vec![],
        foreign_keys: vec![],
    })
}

/// `MaxRows` of a connection bounds a result that is not aggregated, as CData's driver does.
fn limited(plan: LogicalPlan, max_rows: Option<u64>) -> DfResult<LogicalPlan> {
    let Some(rows) = max_rows else { return Ok(plan) };
    if plan.exists(|node| Ok(matches!(node, LogicalPlan::Aggregate(_))))? {
        return Ok(plan);
    }
    LogicalPlanBuilder::from(plan).limit(0, usize::try_from(rows).ok())?.build()
}

/// Planning sends no request, so that it never waits for anything but itself (a plan of many tables is made in
/// turns): that lets it run here, on a big stack. The turns of the task that it runs in are not to be counted: where
/// they are used up, tokio would wake it once it has given way, which it never does.
fn at_once<T>(work: impl Future<Output = DfResult<T>>) -> DfResult<T> {
    futures::executor::block_on(tokio::task::unconstrained(work))
}

/// A physical plan, and what it needs to run.
pub(super) struct Physical {
    pub plan: Arc<dyn ExecutionPlan>,
    /// What it was made from, with the parameters' values.
    logical: LogicalPlan,
    specials: Specials,
    pub state: SessionState,
    pub context: Arc<ScanContext>,
    /// Counted before the plan was made.
    pub totals: Totals,
    /// What of the catalog was not read.
    pub untold: Option<String>,
}

/// The physical plan with the parameters' values; nothing is asked for it.
pub(super) fn physical(
    session: &Session,
    planned: &Planned,
    parameters: Vec<ScalarValue>,
) -> DfResult<Physical> {
    let mut state = session.engine.registry().state(planned.planning.time_zone);
    session.set_clock(&mut state);
    let context = Arc::new(ScanContext {
        clients: session.engine.clients(),
        directories: session.engine.directories(),
        budget: Arc::new(Budget::new(planned.planning.max_requests)),
        concurrency: planned.planning.concurrency,
        remembered: Arc::clone(session.engine.remembered()),
        busy: Stretch::default(),
    });
    state.config_mut().set_extension(Arc::clone(&context));
    let (plan, logical, specials) = create(planned, &state, parameters)?;
    Ok(Physical { plan, logical, specials, state, context, totals: Totals::default(), untold: None })
}

fn create(
    planned: &Planned,
    state: &SessionState,
    parameters: Vec<ScalarValue>,
) -> DfResult<(Arc<dyn ExecutionPlan>, LogicalPlan, Specials)> {
    let values = parameter::values(&planned.parameters, parameters, planned.planning.time_zone)?;
    on_big_stack(|| {
        let logical = planned.logical.clone();
        let logical = if values.is_empty() {
            logical
        } else {
            dialect::typed(logical.with_param_values(ParamValues::from(values))?, planned.planning.clock())?
        };
        let (logical, specials) = take_specials(logical)?;
        let placed = native::place(dialect::bare(logical.clone())?, true)?;
        Ok((at_once(state.create_physical_plan(&placed))?, logical, specials))
    })
}

/// The rows of a plan. Those of UNION ALL come branch by branch, as PostgreSQL gives them, though all branches run at once.
fn in_order(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
    let mut root = &plan;
    while let (true, [input]) = (is_in_place(root), root.children().as_slice()) {
        root = input;
    }
    let branches = plan.output_partitioning().partition_count();
    if root.downcast_ref::<UnionExec>().is_none() || branches < 2 {
        return execute_stream(plan, context);
    }
    let branches =
        (0..branches).map(|branch| Ok(spawn_buffered(plan.execute(branch, Arc::clone(&context))?, 1)));
    let branches = branches.collect::<DfResult<Vec<_>>>()?;
    let rows = futures::stream::iter(branches).flatten();
    Ok(Box::pin(RecordBatchStreamAdapter::new(plan.schema(), rows)))
}

/// Whether a node leaves each branch of its input a branch, in the same order.
fn is_in_place(node: &Arc<dyn ExecutionPlan>) -> bool {
    matches!(node.name(), "ProjectionExec" | "CooperativeExec" | "FilterExec")
}

/// The physical plan that runs: where it joins tables whose sizes are not known, those are counted first.
pub(super) async fn physical_to_run(
    session: &Session,
    planned: &Planned,
    parameters: Vec<ScalarValue>,
) -> DfResult<Physical> {
    let need = planned.need.with(&parameters);
    let untold =
        session.catalog().refresh(&need).await.map_err(|e| DataFusionError::External(Box::new(e)))?;
    let mut physical = physical(session, planned, parameters.clone())?;
    physical.untold = untold;
    physical.totals = count_joined(&physical.plan, &physical.context).await?;
    if !physical.totals.counted.is_empty() {
        (physical.plan, physical.logical, physical.specials) = create(planned, &physical.state, parameters)?;
    }
    Ok(physical)
}

/// Starts a query.
pub(super) async fn run(
    session: &Session,
    statement: &Statement,
    planned: &Planned,
    parameters: Vec<ScalarValue>,
) -> Result<QueryResult> {
    if let Some(rows) = planned.constant.as_ref().and_then(OnceLock::get) {
        return Ok(QueryResult::rows("SELECT", rows.clone()));
    }
    let translate = |e: DataFusionError| fault::translate(&e, Some(statement));
    let physical = physical_to_run(session, planned, parameters).await.map_err(translate)?;
    let schema = planned.result_schema(&physical);
    let Physical { plan, state, untold, .. } = physical;
    let mut notices = quota_notices(session, &plan);
    notices.extend(untold.map(|message| Notice { severity: "NOTICE", code: "00000", message }));
    let tables = tables_of(&plan);
    let mut stream = in_order(plan, state.task_ctx()).map_err(translate)?;
    let renamed = Arc::clone(&schema);
    let renamed = move |batch: &RecordBatch| {
        // Not `with_schema`, which takes no other names.
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&renamed), batch.columns().to_vec(), &rows)
            .map_err(|e| Error::internal(e.to_string()))
    };
    if let Some(constant) = &planned.constant {
        let mut rows = vec![];
        while let Some(batch) = stream.next().await {
            rows.push(renamed(&batch.map_err(|e| fault::translate(&e, None))?)?);
        }
        let all = concat_batches(&schema, &rows).map_err(|e| Error::internal(e.to_string()))?;
        if all.get_array_memory_size() <= MOST_CONSTANT_BYTES {
            let _ = constant.set(all.clone());
        }
        return Ok(QueryResult::rows("SELECT", all));
    }
    let engine = session.engine.clone();
    let rows = stream.map(move |batch| {
        let batch = batch.map_err(|e| {
            if fault::is_stale(&e) {
                engine.forget(&tables);
            }
            fault::translate(&e, None)
        })?;
        renamed(&batch)
    });
    Ok(QueryResult { schema: Some(schema), rows: rows.boxed(), notices, ..QueryResult::command("SELECT") })
}

/// Tells of each app whose requests of the day come near Kintone's quota: from four fifths on.
fn quota_notices(session: &Session, plan: &Arc<dyn ExecutionPlan>) -> Vec<Notice> {
    let mut notices: Vec<Notice> = vec![];
    for table in tables_of(plan) {
        let spent = session.engine.remembered().spent(&table);
        if spent < DAILY_REQUESTS / 5 * 4 {
            continue;
        }
        let message = format!(
            "app {} ({}) has had {spent} requests since 09:00 JST; Kintone's Standard course allows {DAILY_REQUESTS} a day",
            table.app, table.name
        );
        if !notices.iter().any(|notice| notice.message == message) {
            notices.push(Notice { severity: "NOTICE", code: "00000", message });
        }
    }
    notices
}
