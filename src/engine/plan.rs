//! A query's way: names to exact names, tables from the catalog, a logical plan, a physical plan, rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{ParamValues, Result as DfResult};
use datafusion::datasource::ViewTable;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, ScalarUDF};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::scalar::ScalarValue;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{self, Ident, ObjectName, Query, visit_relations};
use futures::StreamExt;

use super::bounds;
use super::catalog::{ColumnInfo, TableInfo, TableKind};
use super::dialect::{self, folded};
use super::expansion;
use super::fault;
use super::local::View;
use super::names::{self, KnownTable, KnownTables};
use super::native;
use super::need::Need;
use super::numeric::{Specials, take_specials, with_forms};
use super::origin::with_origins;
use super::parameter;
use super::pg_catalog;
use super::runtime::DATABASE;
use super::session::{Notice, QueryResult, Session};
use super::settings::Settings;
use super::statement::{Statement, on_big_stack};
use super::{LOCAL, Local, SqlType};
use crate::error::{Error, Result};
use crate::table::{
    Budget, DAILY_REQUESTS, ScanContext, ScanSettings, Stretch, Totals, count_joined, tables_of,
};

/// A query that is planned, and the settings that it was planned with.
#[derive(Debug)]
pub(super) struct Planned {
    pub settings: Settings,
    pub parameters: Vec<SqlType>,
    logical: LogicalPlan,
    /// The marks of the result's columns: the types that Arrow's do not tell.
    marks: Vec<String>,
    state: SessionState,
    /// What of the catalog it reads.
    need: Need,
}

impl Planned {
    /// The result's columns under the names that clients see.
    pub(super) fn schema(&self) -> SchemaRef {
        with_origins(&visible(self.logical.schema().as_arrow()), &self.logical, &self.marks)
    }

    /// The columns of a result as they were announced, with the data types and the numerics' form of this run.
    fn result_schema(&self, physical: &Physical) -> SchemaRef {
        let announced = self.schema();
        let sent = physical.plan.schema();
        let fields = announced.fields().iter().zip(sent.fields()).map(|(announced, sent)| {
            let field = Field::clone(announced).with_data_type(sent.data_type().clone());
            field.with_nullable(sent.is_nullable())
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        with_forms(&schema, &physical.logical, &physical.specials)
    }
}

/// Without the marks on repeated names.
fn visible(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match dialect::shown_name(field.name()) {
        name if name == field.name() => Arc::clone(field),
        name => Arc::new(Field::clone(field).with_name(name)),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Tables by schema and name.
type Tables = BTreeMap<String, HashMap<String, Arc<dyn TableProvider>>>;

/// Plans a query. Asks Kintone for the forms of the tables that it names, if they are not known yet.
pub(super) async fn plan(
    session: &Session,
    statement: &Statement,
    query: &Query,
    types: &[Option<SqlType>],
) -> Result<Planned> {
    let settings = session.settings();
    let drafted = draft(session, statement, query, types, &settings, usize::MAX).await?;
    let Draft { logical, parameters, state, reads } = drafted;
    let max_rows = session.engine.max_rows(&reads.schemas);
    let (logical, marks) = bounds::check(&logical)
        .and_then(|()| native::place(logical, parameters.is_empty()))
        .and_then(|logical| dialect::complete(limited(logical, max_rows)?, &state, settings.time_zone))
        .map_err(|e| fault::translate(&e, Some(statement)))?;
    Ok(Planned { settings, parameters, logical, marks, state, need: reads.need })
}

/// A query as the planner understands it.
struct Draft {
    logical: LogicalPlan,
    parameters: Vec<SqlType>,
    state: SessionState,
    reads: Reads,
}

/// What a query reads, itself and through the views of the settings that it names.
#[derive(Debug, Default)]
struct Reads {
    /// The schemas of its tables.
    schemas: BTreeSet<String>,
    /// Of the catalog.
    need: Need,
}

impl Reads {
    fn and(mut self, other: Self) -> Self {
        self.schemas.extend(other.schemas);
        Self { schemas: self.schemas, need: self.need.and(other.need) }
    }
}

/// Understands a query; of the views of the settings it may name the first `views`.
async fn draft(
    session: &Session,
    statement: &Statement,
    query: &Query,
    types: &[Option<SqlType>],
    settings: &Settings,
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
    let (known, tables, within) = find_tables(session, statement, &query, settings, views).await?;
    on_big_stack(|| names::resolve(&mut query, &known));
    let reads = Reads { schemas: tables.keys().cloned().collect(), need }.and(within);
    let state = state(session, settings, tables);
    let (logical, parameters) = on_big_stack(|| {
        parameter::plan(types, &|types: &[SqlType]| {
            let ast = parameter::declared(ast::Statement::Query(query.clone()), types);
            let plan = at_once(state.statement_to_plan(DfStatement::Statement(Box::new(ast))))?;
            dialect::typed(plan, settings.time_zone)
        })
    })
    .map_err(|e| fault::translate(&e, Some(statement)))?;
    Ok(Draft { logical, parameters, state, reads })
}

/// A view of the settings for a session with these settings, and what it reads.
async fn view(session: &Session, view: &View, settings: &Settings) -> Result<(ViewTable, Reads)> {
    let ast::Statement::Query(query) = &view.statement.ast else {
        return Err(Error::internal("a view that is no query"));
    };
    let drafted = Box::pin(draft(session, &view.statement, query, &[], settings, view.place)).await;
    let drafted = drafted.map_err(|error| Error {
        message: format!("the view {}: {}", view.name, error.message),
        position: None,
        ..error
    })?;
    Ok((ViewTable::new(drafted.logical, Some(view.statement.sql.clone())), drafted.reads))
}

/// A view of the settings as the catalog shows it.
pub(super) async fn view_info(session: &Session, of: &View) -> Result<TableInfo> {
    let (table, _) = view(session, of, &session.settings()).await?;
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
/// turns): that lets it run here, on a big stack.
fn at_once<T>(work: impl Future<Output = DfResult<T>>) -> DfResult<T> {
    futures::executor::block_on(work)
}

/// The tables that a query names. A name that is none is a CTE's, or an error.
async fn find_tables(
    session: &Session,
    statement: &Statement,
    query: &Query,
    settings: &Settings,
    views: usize,
) -> Result<(KnownTables, Tables, Reads)> {
    let mut relations: Vec<ObjectName> = vec![];
    let _ = visit_relations(query, |name| {
        relations.push(name.clone());
        ControlFlow::<()>::Continue(())
    });
    refuse_misread(query)?;
    expansion::check(query)?;
    let ctes = cte_names(query);
    let (mut known, mut tables, mut within) = (KnownTables::new(), Tables::new(), Reads::default());
    for name in relations {
        let key = names::key(&name);
        if known.contains_key(&key) {
            continue;
        }
        let parts: Vec<&Ident> = name.0.iter().filter_map(|p| p.as_ident()).collect();
        let found = find_table(session, &parts, settings, views).await?;
        let Some(FoundTable { schema, table, provider, reads }) = found else {
            let is_cte = matches!(parts.as_slice(), [one] if ctes.contains(&folded(one)));
            if is_cte {
                continue;
            }
            let names = session.engine.table_names().await;
            return Err(fault::no_table(statement, parts.last().copied(), &name.to_string(), &names));
        };
        let columns = provider.schema().fields().iter().map(|f| f.name().clone()).collect();
        known.insert(key, KnownTable { schema: schema.clone(), name: table.clone(), columns });
        tables.entry(schema).or_default().insert(table, provider);
        within = within.and(reads);
    }
    Ok((known, tables, within))
}

/// What would be answered otherwise than it is meant: the planner leaves TABLESAMPLE out and gives every row, and
/// the parser takes `a IS DISTINCT FROM b AND c` for `a IS DISTINCT FROM (b AND c)`.
fn refuse_misread(query: &Query) -> Result<()> {
    struct Misread;
    impl ast::Visitor for Misread {
        type Break = Error;
        fn pre_visit_table_factor(&mut self, table: &ast::TableFactor) -> ControlFlow<Error> {
            match table {
                ast::TableFactor::Table { sample: Some(_), .. }
                | ast::TableFactor::Derived { sample: Some(_), .. } => {
                    ControlFlow::Break(Error::unsupported("TABLESAMPLE"))
                }
                _ => ControlFlow::Continue(()),
            }
        }
        fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<Error> {
            let (ast::Expr::IsDistinctFrom(_, right) | ast::Expr::IsNotDistinctFrom(_, right)) = expr else {
                return ControlFlow::Continue(());
            };
            match right.as_ref() {
                ast::Expr::BinaryOp { op: ast::BinaryOperator::And | ast::BinaryOperator::Or, .. } => {
                    let error = Error::unsupported("IS DISTINCT FROM beside AND or OR without brackets");
                    ControlFlow::Break(error.with_hint("Write (a IS DISTINCT FROM b) AND c."))
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    match ast::Visit::visit(query, &mut Misread) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Every CTE's name, wherever it stands: enough to tell it from a table that does not exist.
fn cte_names(query: &Query) -> Vec<String> {
    struct Ctes(Vec<String>);
    impl ast::Visitor for Ctes {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let ctes = query.with.iter().flat_map(|w| &w.cte_tables);
            self.0.extend(ctes.map(|c| folded(&c.alias.name)));
            ControlFlow::Continue(())
        }
    }
    let mut ctes = Ctes(vec![]);
    let _ = ast::Visit::visit(query, &mut ctes);
    ctes.0
}

/// A table that a statement names.
struct FoundTable {
    schema: String,
    table: String,
    provider: Arc<dyn TableProvider>,
    /// What a view of the settings reads.
    reads: Reads,
}

/// `table`, `schema.table` or `database.schema.table`.
async fn find_table(
    session: &Session,
    parts: &[&Ident],
    settings: &Settings,
    views: usize,
) -> Result<Option<FoundTable>> {
    let (schema, table) = match parts {
        [table] => (None, *table),
        [schema, table] => (Some(folded(schema)), *table),
        [database, schema, table] if folded(database) == DATABASE => (Some(folded(schema)), *table),
        _ => return Ok(None),
    };
    let quoted = table.quote_style.is_some();
    let scan = ScanSettings {
        pushdown: settings.pushdown,
        page_size: settings.page_size,
        concurrency: settings.concurrency,
        fault: session.engine.inner.config.fault,
    };
    let found =
        |schema, table, provider| Ok(Some(FoundTable { schema, table, provider, reads: Reads::default() }));
    let wanted = schema.map_or_else(|| settings.search_path.clone(), |s| vec![s]);
    for schema in wanted {
        if let Some(provider) = pg_catalog::table(session.catalog(), &schema, &folded(table)) {
            return found(schema, folded(table), provider);
        }
        match session.engine.local(&schema, &table.value, quoted) {
            Some(Local::Table(local)) => {
                let provider = local.provider(settings.time_zone).map_err(|e| fault::translate(&e, None))?;
                return found(schema, local.info.name.clone(), provider);
            }
            Some(Local::View(of)) if of.place < views => {
                let (provider, reads) = view(session, of, settings).await?;
                let (table, provider) = (of.name.clone(), Arc::new(provider));
                return Ok(Some(FoundTable { schema, table, provider, reads }));
            }
            _ => {}
        }
        let Some(connection) = session.engine.connection(&schema) else { continue };
        if let Some(meant) = connection.find(&table.value, quoted).await.map_err(|e| fault::of_table(&e))? {
            let remembered = session.engine.remembered();
            let provider = connection.provider(&meant, settings.time_zone, scan, remembered).await;
            let (name, provider) = provider.map_err(|e| fault::of_table(&e))?;
            return found(schema, name, provider);
        }
    }
    Ok(None)
}

/// The state of one statement: the tables that it names, its zone, its budget.
fn state(session: &Session, settings: &Settings, tables: Tables) -> SessionState {
    let catalog = MemoryCatalogProvider::new();
    for (schema, tables) in tables {
        let provider = MemorySchemaProvider::new();
        for (name, table) in tables {
            let _ = provider.register_table(name, table);
        }
        let _ = catalog.register_schema(&schema, Arc::new(provider));
    }
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(DATABASE.to_owned(), Arc::new(catalog));
    // A copy: building one anew would enter each function again, which takes longer than the rest of the planning.
    let mut state = session.template().clone();
    state.config_mut().options_mut().execution.time_zone = Some(settings.time_zone.name().to_owned());
    state.register_catalog_list(Arc::new(catalogs));
    for function in in_zone(&state) {
        let _ = state.register_udf(function);
    }
    state.mark_start_execution();
    state
}

/// The functions that know the state's zone, such as `now()`.
fn in_zone(state: &SessionState) -> Vec<Arc<ScalarUDF>> {
    let options = state.config().options();
    let known = state.scalar_functions().values();
    known.filter_map(|function| function.inner().with_updated_config(options)).map(Arc::new).collect()
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
    let mut state = planned.state.clone();
    // The clock of now() starts with each run.
    state.mark_start_execution();
    let context = Arc::new(ScanContext {
        clients: session.engine.clients(),
        directories: session.engine.directories(),
        budget: Arc::new(Budget::new(planned.settings.max_requests)),
        concurrency: planned.settings.concurrency,
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
    let values = parameter::values(&planned.parameters, parameters)?;
    on_big_stack(|| {
        let logical = planned.logical.clone();
        let logical = if values.is_empty() {
            logical
        } else {
            dialect::typed(logical.with_param_values(ParamValues::from(values))?, planned.settings.time_zone)?
        };
        let (logical, specials) = take_specials(logical)?;
        let placed = native::place(dialect::bare(logical.clone())?, true)?;
        Ok((at_once(state.create_physical_plan(&placed))?, logical, specials))
    })
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
    let translate = |e: DataFusionError| fault::translate(&e, Some(statement));
    let physical = physical_to_run(session, planned, parameters).await.map_err(translate)?;
    let schema = planned.result_schema(&physical);
    let Physical { plan, state, untold, .. } = physical;
    let mut notices = quota_notices(session, &plan);
    notices.extend(untold.map(|message| Notice { severity: "NOTICE", code: "00000", message }));
    let tables = tables_of(&plan);
    let stream = execute_stream(plan, state.task_ctx()).map_err(translate)?;
    let renamed = Arc::clone(&schema);
    let engine = session.engine.clone();
    let rows = stream.map(move |batch| {
        let batch = batch.map_err(|e| {
            if fault::is_stale(&e) {
                engine.forget(&tables);
            }
            fault::translate(&e, None)
        })?;
        // Not `with_schema`, which takes no other names.
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&renamed), batch.columns().to_vec(), &rows)
            .map_err(|e| Error::internal(e.to_string()))
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
