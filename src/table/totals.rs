//! The totals that a join is planned by: which of its sides is small, and whether its keys are worth asking for.
//!
//! One request for a table and a condition that nobody has counted, before the plan is made that runs. Planning
//! itself and plain EXPLAIN count nothing.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::try_join_all;

use super::context::ScanContext;
use super::meter::Cost;
use super::ordered::Asking;
use super::scan::{ScanRequest, TableRef, joined};

/// A table that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Which.
    pub table: TableRef,
    /// Records that match the scan's condition.
    pub records: u64,
}

/// What was counted for a plan, and what that took.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// One for each request.
    pub counted: Vec<Counted>,
    /// Of them all.
    pub cost: Cost,
}

/// Counts the records of the joined tables of a plan that are not known. Where there were any, the plan is to be
/// made anew.
pub async fn count_joined(plan: &Arc<dyn ExecutionPlan>, context: &Arc<ScanContext>) -> DfResult<Totals> {
    let metrics = ExecutionPlanMetricsSet::new();
    let counts = uncounted(&joined(plan)).into_iter().map(|request| {
        let asking = Asking::new(Arc::clone(context), request, &metrics, 0);
        async move {
            let records = asking.count(request.condition.as_ref()).await?;
            let records = u64::try_from(records).unwrap_or_default();
            Ok::<_, DataFusionError>(Counted { table: request.table.clone(), records })
        }
    });
    let counted: Vec<Counted> = try_join_all(counts).await?;
    let cost = Cost::of(&metrics.clone_inner()).unwrap_or_default();
    Ok(Totals { counted, cost })
}

/// Those to count: none where one side is known to be a page, since the other one then waits for its keys.
fn uncounted<'a>(requests: &[&'a ScanRequest]) -> Vec<&'a ScanRequest> {
    let bound = |request: &ScanRequest| {
        let limit = request.limit.and_then(|n| u64::try_from(n).ok());
        [request.expected, request.at_most, limit].into_iter().flatten().min()
    };
    let mut unknown: Vec<&ScanRequest> = vec![];
    for request in requests {
        let same = |other: &&ScanRequest| {
            (&other.table.connection, other.table.app, &other.condition)
                == (&request.table.connection, request.table.app, &request.condition)
        };
        if bound(request).is_none() && !unknown.iter().any(same) {
            unknown.push(request);
        }
    }
    let small = |request: &&&ScanRequest| bound(request).is_none_or(|n| n <= u64::from(request.page_size));
    let others_are_small = requests.iter().all(|request| small(&request));
    let scans = requests.iter().filter(|request| bound(request).is_none()).count();
    if scans == 1 && others_are_small { vec![] } else { unknown }
}
