//! Which scans need the order of `$id`: only where somebody relies on it are rows held back for it.
//!
//! Every scan is planned in order, so that DataFusion takes out the sorts that it makes needless. When all sorts are
//! decided and the query's own order is still written in the plan, this rule looks who asks for it, and lets the
//! others go. It also tells a scan that something above may stop early.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use super::KintoneScan;

/// Takes the order from scans of which nobody wants it. Has to run before DataFusion drops the query's own
/// requirement (`OutputRequirements` in its remove mode).
#[derive(Debug)]
pub struct AnyOrder;

impl PhysicalOptimizerRule for AnyOrder {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        visit(plan, false, false)
    }

    fn name(&self) -> &'static str {
        "any_order"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `ordered`: somebody above wants this node's order. `limited`: somebody above may stop before its end.
fn visit(plan: Arc<dyn ExecutionPlan>, ordered: bool, limited: bool) -> DfResult<Arc<dyn ExecutionPlan>> {
    if let Some(scan) = plan.downcast_ref::<KintoneScan>() {
        let mut request = scan.request.clone();
        // A limit that went down already may be one of the first rows by `$id`.
        request.ordered = ordered || request.limit.is_some();
        request.limited = limited;
        return Ok(Arc::new(KintoneScan::new(request)?));
    }
    let stops = plan.fetch().is_some()
        || plan.downcast_ref::<GlobalLimitExec>().is_some()
        || plan.downcast_ref::<LocalLimitExec>().is_some();
    let (required, kept) = (plan.required_input_ordering(), plan.maintains_input_order());
    let mut children = vec![];
    for (i, child) in plan.children().into_iter().enumerate() {
        let keeps = kept.get(i).copied().unwrap_or(false);
        // The sort below a limit may be gone because the scan is in order: then the limit wants it.
        let ordered = required.get(i).is_some_and(Option::is_some) || stops || (ordered && keeps);
        // What reads its input whole, such as a sort, stops nothing.
        let limited = (stops || limited) && keeps;
        children.push(visit(Arc::clone(child), ordered, limited)?);
    }
    if children.is_empty() { Ok(plan) } else { replace_children_if_necessary(plan, children) }
}
