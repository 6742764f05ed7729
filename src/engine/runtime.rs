//! DataFusion, built closed: no file format, no table factory, no object store, no setting that a client reaches.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::config::Dialect;
use datafusion::common::exec_datafusion_err;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::ScalarUDF;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::object_store::ObjectStore;
use datafusion::prelude::SessionConfig;
use url::Url;

use super::DateOrder;
use super::yielding::Yielding;
use super::{apart, dialect, function, join_condition, plain_filter, postgres_cast, unnest_rule};
use crate::table::{Aggregates, ChoiceGroups, JoinKeys, LocalFilters, TopK, native_functions};

/// The database's name, in catalogs and at start-up.
pub(super) const DATABASE: &str = "kintone";

/// DataFusion's functions that tell of files or of this machine, and those whose patterns are not PostgreSQL's.
const LEFT_OUT: &[&str] =
    &["input_file_name", "file_row_index", "version", "arrow_metadata", "to_char", "to_date"];

/// Distinct keys of a join's small side; beyond, their bounds alone are asked for. As many as 40 requests name.
const MOST_KEYS: usize = 20_000;

/// What a join's small side takes at most for a list of its keys to be made.
const MOST_KEY_BYTES: usize = 4 << 20;

/// Memory that all statements share, and no disk.
pub(super) fn runtime(memory_limit: usize) -> DfResult<Arc<RuntimeEnv>> {
    let consumers = std::num::NonZeroUsize::MIN.saturating_add(4);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(TrackConsumersPool::new(FairSpillPool::new(memory_limit), consumers)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .with_object_store_registry(Arc::new(NoObjectStore))
        .build_arc()
}

/// DataFusion's scalar functions and those of Kintone.
pub(super) fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let scalar = SessionStateDefaults::default_scalar_functions();
    let scalar = scalar.into_iter().filter(|f| !LEFT_OUT.contains(&f.name()));
    scalar.chain(native_functions()).chain(function::plain_functions()).collect()
}

/// The hooks of the planner. Ours come first: they know PostgreSQL's forms.
pub(super) fn planners(order: DateOrder) -> Vec<Arc<dyn ExprPlanner>> {
    dialect::expr_planners(order).into_iter().chain(SessionStateDefaults::default_expr_planners()).collect()
}

/// The state that each statement's is made from: rules, no catalog, and no function but the one that a rule asks for
/// (`DISTINCT ON`).
pub(super) fn template(runtime: Arc<RuntimeEnv>) -> SessionState {
    SessionStateBuilder::new()
        .with_config(config())
        .with_runtime_env(runtime)
        .with_expr_planners(planners(DateOrder::default()))
        .with_aggregate_functions(vec![first_value_udaf()])
        .with_analyzer_rules(postgres_cast::analyzer_rules())
        .with_optimizer_rules(apart::stoppable(unnest_rule::guarded(join_condition::optimizer_rules())))
        .with_physical_optimizer_rules(plain_filter::optimizer_rules())
        .with_physical_optimizer_rule(Arc::new(Aggregates))
        .with_physical_optimizer_rule(Arc::new(ChoiceGroups))
        .with_physical_optimizer_rule(Arc::new(TopK))
        .with_physical_optimizer_rule(Arc::new(LocalFilters))
        .with_physical_optimizer_rule(Arc::new(JoinKeys))
        .with_physical_optimizer_rule(Arc::new(Yielding))
        .build()
}

fn config() -> SessionConfig {
    // One partition: a scan is bound by Kintone, not by this machine's cores, and an exchange between partitions
    // can panic when a nested-loop join runs out of memory.
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema(DATABASE, "public")
        .with_information_schema(false);
    let options = config.options_mut();
    options.sql_parser.dialect = Dialect::PostgreSQL;
    options.sql_parser.parse_float_as_decimal = true;
    // Names are exact before the planner sees them.
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    // A scan takes up the keys of joins alone: the bounds of a running TopK change with each page.
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    // So many keys may be worth asking for: the scan itself decides, by what the table's pages cost.
    options.optimizer.hash_join_inlist_pushdown_max_distinct_values = MOST_KEYS;
    options.optimizer.hash_join_inlist_pushdown_max_size = MOST_KEY_BYTES;
    config
}

/// There is no file to read.
#[derive(Debug)]
struct NoObjectStore;

impl ObjectStoreRegistry for NoObjectStore {
    fn register_store(&self, _: &Url, _: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, _: &Url) -> DfResult<Arc<dyn ObjectStore>> {
        Err(exec_datafusion_err!("there are no files here"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::Registry;
    use super::*;

    struct FileUrl(Url);

    impl AsRef<Url> for FileUrl {
        fn as_ref(&self) -> &Url {
            &self.0
        }
    }

    #[test]
    fn nothing_leads_to_a_file() {
        let state = template(runtime(1 << 20).unwrap());
        assert!(state.table_factories().is_empty());
        assert!(state.get_file_format_factory("csv").is_none());
        assert!(state.catalog_list().catalog_names().is_empty());
        assert!(
            state.runtime_env().object_store(FileUrl(Url::parse("file:///etc/passwd").unwrap())).is_err()
        );
        let (scalar, tables) = Registry::new(runtime(1 << 20).unwrap()).names();
        for name in ["input_file_name", "file_row_index", "version", "arrow_metadata", "date_format"] {
            assert!(!scalar.contains(name), "{name}");
        }
        let mut tables: Vec<_> = tables.into_iter().collect();
        tables.sort();
        assert_eq!(tables, ["generate_series", "range"]);
    }
}
