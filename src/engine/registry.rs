//! What all sessions share to plan with: functions by name, rules, one state of DataFusion for each zone.
//!
//! Takes: the memory that statements share. Gives: a statement's state, which holds no function, and the names that
//! its planner asks for. A function that reads the session is made for the statement that calls it, so that a
//! session keeps nothing of all this.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, SchemaRef};
use chrono_tz::Tz;
use datafusion::catalog::{TableFunction, TableFunctionArgs, TableProvider};
use datafusion::common::{DFSchema, Result as DfResult, TableReference, plan_datafusion_err, plan_err};
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::provider_as_source;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::{ExprPlanner, TypePlanner};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF,
};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::planner::{ContextProvider, ParserOptions, SqlToRel};
use datafusion::sql::sqlparser::ast;

use super::DateOrder;
use super::function;
use super::runtime::{self, DATABASE};
use super::session::Session;
use super::type_planner::PostgresTypes;

/// Tables by schema and name.
pub(super) type Tables = BTreeMap<String, HashMap<String, Arc<dyn TableProvider>>>;

/// Functions and rules; built once.
pub(super) struct Registry {
    state: SessionState,
    /// The state of each zone that was asked for: only the zone's name differs.
    zones: Mutex<HashMap<Tz, SessionState>>,
    scalar: HashMap<String, Arc<ScalarUDF>>,
    aggregate: HashMap<String, Arc<AggregateUDF>>,
    window: HashMap<String, Arc<WindowUDF>>,
    table: HashMap<String, Arc<TableFunction>>,
    /// The planner's hooks for each order of days.
    planners: Vec<(DateOrder, Vec<Arc<dyn ExprPlanner>>)>,
}

impl Registry {
    pub(super) fn new(runtime: Arc<RuntimeEnv>) -> Self {
        let mut scalar = HashMap::new();
        for function in runtime::scalar_functions() {
            for alias in function.aliases() {
                scalar.insert(alias.clone(), Arc::clone(&function));
            }
            scalar.insert(function.name().to_owned(), function);
        }
        let mut aggregate = HashMap::new();
        let own = function::aggregate_functions();
        for function in SessionStateDefaults::default_aggregate_functions().into_iter().chain(own) {
            for alias in function.aliases() {
                aggregate.insert(alias.clone(), Arc::clone(&function));
            }
            aggregate.insert(function.name().to_owned(), function);
        }
        let mut window = HashMap::new();
        for function in SessionStateDefaults::default_window_functions() {
            for alias in function.aliases() {
                window.insert(alias.clone(), Arc::clone(&function));
            }
            window.insert(function.name().to_owned(), function);
        }
        let table = SessionStateDefaults::default_table_functions();
        let table = table.into_iter().map(|f| (f.name().to_owned(), f)).collect();
        let planners = DateOrder::ALL.into_iter().map(|order| (order, runtime::planners(order))).collect();
        let state = runtime::template(runtime);
        Self { state, zones: Mutex::default(), scalar, aggregate, window, table, planners }
    }

    /// The state of a statement in this zone.
    pub(super) fn state(&self, zone: Tz) -> SessionState {
        let mut zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        let of_zone = zones.entry(zone).or_insert_with(|| {
            let mut state = self.state.clone();
            state.config_mut().options_mut().execution.time_zone = Some(zone.name().to_owned());
            state
        });
        let mut state = of_zone.clone();
        state.mark_start_execution();
        state
    }

    fn planners(&self, order: DateOrder) -> &[Arc<dyn ExprPlanner>] {
        let of_order = self.planners.iter().find(|(known, _)| *known == order);
        of_order.map_or(&[], |(_, planners)| planners.as_slice())
    }

    /// Whether a name is a table function's: for tests of what is left out.
    #[cfg(test)]
    pub(super) fn names(&self) -> (HashSet<String>, HashSet<String>) {
        (self.scalar.keys().cloned().collect(), self.table.keys().cloned().collect())
    }
}

/// What one statement's planner may ask for.
pub(super) struct Scope<'s> {
    session: &'s Session,
    registry: &'s Registry,
    state: &'s SessionState,
    tables: &'s Tables,
    order: DateOrder,
}

impl<'s> Scope<'s> {
    /// Of a session's statement: the tables that it names, in its state.
    pub(super) fn new(session: &'s Session, state: &'s SessionState, tables: &'s Tables) -> Self {
        let order = session.clock().order;
        Self { session, registry: session.engine.registry(), state, tables, order }
    }

    /// The logical plan of a statement whose names are exact. Waits for nothing.
    ///
    /// # Errors
    /// Those of the planner.
    pub(super) fn plan(&self, statement: ast::Statement) -> DfResult<LogicalPlan> {
        let sql = &self.state.config_options().sql_parser;
        let options = ParserOptions {
            parse_float_as_decimal: sql.parse_float_as_decimal,
            enable_ident_normalization: sql.enable_ident_normalization,
            enable_options_value_normalization: sql.enable_options_value_normalization,
            support_varchar_with_length: sql.support_varchar_with_length,
            map_string_types_to_utf8view: sql.map_string_types_to_utf8view,
            collect_spans: sql.collect_spans,
            default_null_ordering: sql.default_null_ordering.as_str().into(),
        };
        let planner = SqlToRel::new_with_options(self, options);
        planner.statement_to_plan(DfStatement::Statement(Box::new(statement)))
    }

    /// The catalog's functions come first: they are PostgreSQL's.
    fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        if let Some(own) = function::scalar_function(name, self.session) {
            return Some(own);
        }
        let known = self.registry.scalar.get(name)?;
        // `now()` and its kin know the session's zone.
        let in_zone = known.inner().with_updated_config(self.state.config_options());
        Some(in_zone.map_or_else(|| Arc::clone(known), Arc::new))
    }

    fn scalar_names(&self) -> impl Iterator<Item = String> {
        self.registry.scalar.keys().cloned().chain(function::scalar_names().map(str::to_owned))
    }
}

impl ContextProvider for Scope<'_> {
    fn get_table_source(&self, name: TableReference) -> DfResult<Arc<dyn TableSource>> {
        let here = name.catalog().is_none_or(|catalog| catalog == DATABASE);
        let tables = self.tables.get(name.schema().unwrap_or("public")).filter(|_| here);
        let table = tables.and_then(|tables| tables.get(name.table()));
        let table = table.ok_or_else(|| plan_datafusion_err!("table '{name}' not found"))?;
        Ok(provider_as_source(Arc::clone(table)))
    }

    fn get_table_function_source(&self, name: &str, args: Vec<Expr>) -> DfResult<Arc<dyn TableSource>> {
        let Some(function) = self.registry.table.get(name) else {
            return plan_err!("table function '{name}' not found");
        };
        let context = SimplifyContext::builder()
            .with_config_options(Arc::clone(self.state.config_options()))
            .with_query_execution_start_time(self.state.execution_props().query_execution_start_time)
            .build();
        let simplifier = ExprSimplifier::new(context);
        let schema = DFSchema::empty();
        let constant = |arg| simplifier.coerce(arg, &schema).and_then(|coerced| simplifier.simplify(coerced));
        let args = args.into_iter().map(constant).collect::<DfResult<Vec<_>>>()?;
        let args = TableFunctionArgs::new(&args, self.state);
        Ok(provider_as_source(function.create_table_provider_with_args(args)?))
    }

    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> DfResult<Arc<dyn TableSource>> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.registry.planners(self.order)
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(PostgresTypes))
    }

    /// The planner asks here first. What is no function at all is told once the types of its arguments are known.
    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let registry = self.registry;
        let of_rows = registry.aggregate.contains_key(name) || registry.window.contains_key(name);
        // `unnest` is the planner's own.
        let is_other = of_rows || matches!(name, "unnest" | "unnest_outer");
        self.scalar(name).or_else(|| (!is_other).then(|| function::missing(name)))
    }

    fn get_higher_order_meta(&self, _: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.registry.aggregate.get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.registry.window.get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &datafusion::config::ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.scalar_names().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        vec![]
    }

    fn udaf_names(&self) -> Vec<String> {
        self.registry.aggregate.keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.registry.window.keys().cloned().collect()
    }
}

impl FunctionRegistry for Scope<'_> {
    fn udfs(&self) -> HashSet<String> {
        self.scalar_names().collect()
    }

    fn higher_order_function_names(&self) -> HashSet<String> {
        HashSet::new()
    }

    fn udafs(&self) -> HashSet<String> {
        self.registry.aggregate.keys().cloned().collect()
    }

    fn udwfs(&self) -> HashSet<String> {
        self.registry.window.keys().cloned().collect()
    }

    fn udf(&self, name: &str) -> DfResult<Arc<ScalarUDF>> {
        self.scalar(name).ok_or_else(|| plan_datafusion_err!("function '{name}' not found"))
    }

    fn higher_order_function(&self, name: &str) -> DfResult<Arc<HigherOrderUDF>> {
        plan_err!("function '{name}' not found")
    }

    fn udaf(&self, name: &str) -> DfResult<Arc<AggregateUDF>> {
        let known = self.registry.aggregate.get(name).cloned();
        known.ok_or_else(|| plan_datafusion_err!("function '{name}' not found"))
    }

    fn udwf(&self, name: &str) -> DfResult<Arc<WindowUDF>> {
        let known = self.registry.window.get(name).cloned();
        known.ok_or_else(|| plan_datafusion_err!("function '{name}' not found"))
    }

    fn expr_planners(&self) -> Vec<Arc<dyn ExprPlanner>> {
        self.registry.planners(self.order).to_vec()
    }
}
