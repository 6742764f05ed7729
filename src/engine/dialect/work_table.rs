//! The table that a recursive query reads its own rows from, with other columns than it was planned with.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::error::Result;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, TableScan};

/// Whether what is read is the work table of that name.
fn is_of(scan: &TableScan, name: &str) -> bool {
    source_as_provider(&scan.source)
        .is_ok_and(|table| table.downcast_ref::<CteWorkTable>().is_some_and(|table| table.name() == name))
}

/// A recursive term whose scans of the work table `name` have these columns.
///
/// # Errors
/// Those of building plans.
pub(super) fn with_work_table(
    term: LogicalPlan,
    name: &str,
    columns: &dyn Fn(SchemaRef) -> SchemaRef,
) -> Result<LogicalPlan> {
    let term = term.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(scan) if is_of(&scan, name) => {
            let table = CteWorkTable::new(name, columns(scan.source.schema()));
            let source = provider_as_source(Arc::new(table));
            let scan = LogicalPlanBuilder::scan(scan.table_name.clone(), source, None)?;
            Ok(Transformed::yes(scan.build()?))
        }
        other => other.recompute_schema().map(Transformed::no),
    })?;
    Ok(term.data)
}
