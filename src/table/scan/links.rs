//! Which filters of joins a scan may rely on, and which scans are joined at all.
//!
//! DataFusion pushes a join's filter down through whatever says that it may pass, and finds the columns of a node
//! below by their names. Here each filter is followed from its join: what passed a limit would change which rows are
//! the first ones, what passed a node whose columns share a name may mean another column, and a filter whose join is
//! not there any more would never come. A scan keeps the rest.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use super::{KintoneScan, ScanRequest};
use crate::table::outer_side::OuterSide;
use crate::table::rules::Rule;

/// Takes from each scan the filters that it must not rely on. The last rule: nothing moves after it.
#[derive(Debug)]
pub struct JoinKeys;

impl PhysicalOptimizerRule for JoinKeys {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        visit(plan, &HashSet::new(), false)
    }

    fn name(&self) -> &'static str {
        "join_keys"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `alive`: the filters of joins above that may come down to here. `joined`: a join above reads two tables.
fn visit(
    plan: Arc<dyn ExecutionPlan>,
    alive: &HashSet<u64>,
    joined: bool,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    if let Some(scan) = plan.downcast_ref::<KintoneScan>() {
        let mut scan = scan.clone();
        scan.keys.retain(|filter| filter.expression_id().is_some_and(|id| alive.contains(&id)));
        scan.request.joined = joined && scan.request.rules.has(Rule::Join);
        return Ok(Arc::new(scan));
    }
    let children: Vec<Arc<dyn ExecutionPlan>> = plan.children().into_iter().cloned().collect();
    let join = plan.downcast_ref::<HashJoinExec>();
    let joined = joined || join.is_some_and(joins_tables);
    let own: HashSet<u64> = match join {
        Some(join) => join.dynamic_expressions_produced().iter().filter_map(|e| e.expression_id()).collect(),
        None => HashSet::new(),
    };
    let mut visited = vec![];
    for (at, child) in children.into_iter().enumerate() {
        let mut below = if passes(plan.as_ref(), child.as_ref()) { alive.clone() } else { HashSet::new() };
        // A join reads its left side first and tells the right one.
        if at == 1 {
            below.extend(&own);
        }
        visited.push(visit(child, &below, joined)?);
    }
    if visited.is_empty() { Ok(plan) } else { replace_children_if_necessary(plan, visited) }
}

/// Whether a filter from above a node means the same below it.
fn passes(node: &dyn ExecutionPlan, child: &dyn ExecutionPlan) -> bool {
    let keeps_rows = node.is::<FilterExec>()
        || node.is::<ProjectionExec>()
        || node.is::<SortExec>()
        || node.is::<HashJoinExec>()
        || node.is::<CooperativeExec>()
        || node.is::<OuterSide>()
        || node.downcast_ref::<AggregateExec>().is_some_and(groups_by_columns);
    keeps_rows && node.fetch().is_none() && has_own_names(&node.schema()) && has_own_names(&child.schema())
}

/// Groups of whole columns under their own names: a filter of them leaves out whole groups.
fn groups_by_columns(aggregate: &AggregateExec) -> bool {
    let group = aggregate.group_expr();
    let plain = |(key, name): &(Arc<dyn datafusion::physical_expr::PhysicalExpr>, String)| {
        key.downcast_ref::<Column>().is_some_and(|column| column.name() == name)
    };
    group.is_single() && aggregate.limit_options().is_none() && group.expr().iter().all(plain)
}

fn has_own_names(schema: &Schema) -> bool {
    let mut names = HashSet::new();
    schema.fields().iter().all(|field| names.insert(field.name()))
}

fn joins_tables(join: &HashJoinExec) -> bool {
    [join.left(), join.right()].into_iter().all(|side| has_scan(side.as_ref()))
}

fn has_scan(plan: &dyn ExecutionPlan) -> bool {
    plan.is::<KintoneScan>() || plan.children().into_iter().any(|child| has_scan(child.as_ref()))
}

/// The scans of a plan that joins read.
pub(crate) fn joined(plan: &Arc<dyn ExecutionPlan>) -> Vec<&ScanRequest> {
    match plan.downcast_ref::<KintoneScan>() {
        Some(scan) => Some(&scan.request).filter(|request| request.joined).into_iter().collect(),
        None => plan.children().into_iter().flat_map(joined).collect(),
    }
}
