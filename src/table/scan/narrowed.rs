//! A scan under joins: waits for their keys, asks for those, and reads batch by batch.
//!
//! Each batch is a scan of its own by `$id`. A record whose key changes from one batch's to another's while they
//! are read did not match throughout: it may come in neither, or in both as it stood then.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::filter_record_batch;
use datafusion::common::Result as DfResult;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::DynamicFilterPhysicalExpr;
use datafusion::physical_expr_common::physical_expr::snapshot_physical_expr;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use super::batches::{Batch, Narrowing};
use super::run::Run;
use super::{KintoneScan, at_most, keys};
use crate::table::context::ScanContext;
use crate::table::field::Formula;
use crate::table::ordered::{Asking, narrowed};

/// Batches that are read at once; each of them may have several pages under way.
const AT_ONCE: usize = 4;

type Rows = BoxStream<'static, DfResult<RecordBatch>>;

/// The rows of a scan, as it is.
pub(super) fn rows(scan: &KintoneScan, partition: usize, task: &TaskContext) -> DfResult<Rows> {
    let run = Run::new(scan, partition, task)?;
    let rows = stream::try_unfold(run, |mut run| async move {
        let next = Box::pin(run.next()).await?;
        Ok(next.map(|batch| (batch, run)))
    });
    Ok(rows.boxed())
}

/// The rows of a scan that match the keys of the joins above it, and perhaps others.
pub(super) fn matching(scan: KintoneScan, partition: usize, task: Arc<TaskContext>) -> Rows {
    let start = async move { start(&scan, partition, &task).await };
    stream::once(start).try_flatten().boxed()
}

async fn start(scan: &KintoneScan, partition: usize, task: &Arc<TaskContext>) -> DfResult<Rows> {
    let mut filters = vec![];
    for filter in &scan.keys {
        if let Some(dynamic) = filter.downcast_ref::<DynamicFilterPhysicalExpr>() {
            // The join polls this side after its own small side is read; others of its kind may be earlier.
            dynamic.wait_complete().await;
        }
        let filter = snapshot_physical_expr(Arc::clone(filter))?;
        filters.extend(keys::read(&filter, &scan.schema));
    }
    let request = &scan.request;
    let narrowing = Narrowing::new(&filters, request, &scan.schema)?;
    let context = ScanContext::of(task)?;
    let table = &request.table;
    let mut total = context.remembered.total(&table.connection, table.app, request.condition.as_ref());
    if total.is_none() && narrowing.depends_on_total() {
        let asking = Asking::new(context, request, &scan.metrics, partition);
        total = u64::try_from(asking.count(request.condition.as_ref()).await?).ok();
    }
    let choice = narrowing.choose(request, total);
    // Told once; a plan that runs again tells of its first run.
    let _ = scan.asked.set(choice.why);
    let mut batches: Vec<Rows> = vec![];
    for batch in choice.batches {
        batches.extend(read(scan, batch, partition, task)?);
    }
    let sequential = request.ordered || request.limited;
    let at_once = if sequential { 1 } else { AT_ONCE };
    Ok(stream::iter(batches).flatten_unordered(at_once).boxed())
}

/// The rows of one batch; `None` where no record can match.
fn read(scan: &KintoneScan, batch: Batch, partition: usize, task: &TaskContext) -> DfResult<Option<Rows>> {
    let condition = match narrowed(&scan.request, &batch.formula) {
        Formula::Nothing => return Ok(None),
        Formula::All => None,
        Formula::Of(condition) => Some(condition),
    };
    let mut scan = KintoneScan { keys: vec![], ..scan.clone() };
    let of_ids = condition.as_ref().and_then(at_most);
    if condition != scan.request.condition {
        scan.request.expected = None;
    }
    scan.request.at_most = [of_ids, batch.at_most].into_iter().flatten().min();
    scan.request.condition = condition;
    let rows = rows(&scan, partition, task)?;
    Ok(Some(match batch.kept {
        Some(kept) => rows.map(move |batch| own(&batch?, kept.as_ref())).boxed(),
        None => rows,
    }))
}

/// The rows that belong to a batch.
fn own(rows: &RecordBatch, kept: &dyn PhysicalExpr) -> DfResult<RecordBatch> {
    let is_kept = kept.evaluate(rows)?.into_array(rows.num_rows())?;
    Ok(filter_record_batch(rows, is_kept.as_boolean())?)
}
