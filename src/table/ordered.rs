//! What the nodes share that ask Kintone for a count, or for the first records of an order, instead of scanning.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::projection::ProjectionExec;

use super::aggregate::KintoneAggregate;
use super::choice_group::KintoneGroups;
use super::context::ScanContext;
use super::decode::PageDecoder;
use super::error::{Error, Origin};
use super::fault::Fault;
use super::field::{Formula, Order};
use super::meter::Meter;
use super::scan::{KintoneScan, Presence, ScanRequest, TableRef};
use super::schema::Source;
use super::top_k::KintoneTopK;
use crate::kintone::{Client, Condition, Operator, OrderBy, Query, RecordsRequest};

/// The tables of Kintone that a plan reads.
pub fn tables_of(plan: &Arc<dyn ExecutionPlan>) -> Vec<TableRef> {
    let mut tables: Vec<TableRef> = plan.children().into_iter().flat_map(tables_of).collect();
    let scan = plan.downcast_ref::<KintoneScan>().map(|scan| &scan.request);
    let request = scan
        .or_else(|| plan.downcast_ref::<KintoneAggregate>().map(|node| &node.request))
        .or_else(|| plan.downcast_ref::<KintoneGroups>().map(|node| &node.request))
        .or_else(|| plan.downcast_ref::<KintoneTopK>().map(|node| &node.request));
    tables.extend(request.map(|request| request.table.clone()));
    tables
}

/// The field behind a column of a scan's output and Kintone's order by it, where that is SQL's.
pub(crate) fn order_of(request: &ScanRequest, column: usize) -> Option<(String, Order)> {
    let column = request.columns.columns.get(*request.projection.get(column)?)?;
    let Source::Record { field, field_type, part: 0 } = &column.source else { return None };
    let order = field_type.order(field).filter(|_| Condition::is_nameable(&field.code))?;
    Some((field.code.clone(), order))
}

/// The scan under projections, and the column of it that each of `plan`'s columns is, where it is one.
pub(crate) fn projected_scan(plan: &Arc<dyn ExecutionPlan>) -> Option<(&KintoneScan, Vec<Option<usize>>)> {
    if let Some(scan) = plan.downcast_ref::<KintoneScan>() {
        return Some((scan, (0..scan.request.projection.len()).map(Some).collect()));
    }
    if let Some((scan, places)) = over_scan(plan, Fault::CountPastFilter) {
        return Some((scan, places.into_iter().map(Some).collect()));
    }
    let projection = plan.downcast_ref::<ProjectionExec>()?;
    let (scan, below) = projected_scan(projection.input())?;
    let place = |expr: &Arc<dyn PhysicalExpr>| *below.get(expr.downcast_ref::<Column>()?.index())?;
    Some((scan, projection.expr().iter().map(|item| place(&item.expr)).collect()))
}

/// The scan right under a filter and the column of it that each of the filter's is, where the mistake is to be made
/// not to mind the filter.
pub(crate) fn over_scan(plan: &Arc<dyn ExecutionPlan>, fault: Fault) -> Option<(&KintoneScan, Vec<usize>)> {
    let filter = plan.downcast_ref::<FilterExec>()?;
    let scan = filter.input().downcast_ref::<KintoneScan>().filter(|s| s.request.fault == Some(fault))?;
    let all = || (0..plan.schema().fields().len()).collect();
    Some((scan, filter.projection().as_ref().map_or_else(all, |kept| kept.to_vec())))
}

/// The plan with each node for which `of` has another replaced, and nothing looked at below.
pub(crate) fn replaced<T: ExecutionPlan + 'static>(
    plan: Arc<dyn ExecutionPlan>,
    of: impl Fn(&Arc<dyn ExecutionPlan>) -> Option<T>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    let replaced = plan.transform_down(|node| {
        Ok(match of(&node) {
            Some(other) => {
                let other: Arc<dyn ExecutionPlan> = Arc::new(other);
                Transformed::new(other, true, TreeNodeRecursion::Jump)
            }
            None => Transformed::no(node),
        })
    })?;
    Ok(replaced.data)
}

/// The scan's condition and another.
pub(crate) fn narrowed(request: &ScanRequest, by: &Formula) -> Formula {
    let own = request.condition.clone().map_or(Formula::All, Formula::Of);
    Formula::and(vec![own, by.clone()])
}

/// The condition of a formula that is one.
pub(crate) fn condition(formula: Formula) -> Option<Condition> {
    if let Formula::Of(condition) = formula { Some(condition) } else { None }
}

/// Whether a condition leaves out the records that lack a value of the field: each comparison but `!=` does
/// that which an empty value fails whether it counts as minus infinity or as nothing (K§3.5).
pub(crate) fn leaves_out_empty(condition: Option<&Condition>, code: &str) -> bool {
    match condition {
        Some(Condition::And(parts)) => parts.iter().any(|part| leaves_out_empty(Some(part), code)),
        Some(Condition::Compare { field, operator, value }) if field == code => match operator {
            Operator::Eq | Operator::Gt | Operator::GtEq => !value.is_empty(),
            Operator::NotEq => value.is_empty(),
            Operator::Lt | Operator::LtEq => false,
        },
        _ => false,
    }
}

/// Single requests about the records of a scan, metered as its own would be.
pub(crate) struct Asking {
    context: Arc<ScanContext>,
    pub(crate) request: ScanRequest,
    meter: Arc<Meter>,
}

impl Asking {
    pub(crate) fn new(
        context: Arc<ScanContext>,
        request: &ScanRequest,
        metrics: &ExecutionPlanMetricsSet,
        partition: usize,
    ) -> Self {
        let meter = Meter::new(Arc::clone(&context), metrics, partition);
        Self { context, request: request.clone(), meter }
    }

    /// The client for one request more.
    fn client(&self) -> Result<Client, Error> {
        self.context.budget.take()?;
        self.context.remembered.spend(&self.request.table);
        Ok(self.meter.watch(self.context.client(&self.request.table.connection)?))
    }

    /// How many records match a condition, in one request.
    pub(crate) async fn count(&self, condition: Option<&Condition>) -> Result<i64, Error> {
        let table = &self.request.table;
        let client = self.client()?;
        let waiting = self.meter.waiting();
        let total = client.count(table.app, condition).await;
        drop(waiting);
        let total = total.map_err(|e| Origin::error(self.request.origin.as_ref(), e))?;
        self.context.remembered.set_total(&table.connection, table.app, condition, total);
        Ok(i64::try_from(total).unwrap_or(i64::MAX))
    }

    /// The first `limit` records under a condition, in an order, and their ids. No request where nothing can match.
    pub(crate) async fn page(
        &self,
        decoder: &mut PageDecoder,
        condition: Formula,
        order_by: Vec<OrderBy>,
        limit: u32,
    ) -> Result<Option<(RecordBatch, Vec<u64>)>, Error> {
        let condition = match condition {
            Formula::Nothing => return Ok(None),
            Formula::All => None,
            Formula::Of(condition) => Some(condition),
        };
        let client = self.client()?;
        let query = Query { condition, order_by, limit: Some(limit), offset: None };
        let request = RecordsRequest { query, fields: decoder.fields(), total_count: false };
        let waiting = self.meter.waiting();
        let page = client.records(self.request.table.app, &request).await;
        drop(waiting);
        let page = page.map_err(|e| Origin::error(self.request.origin.as_ref(), e))?;
        let decoded = self.meter.decode(decoder, &page.body)?;
        page.set_rows(decoded.ids.len());
        Presence::default().check(&self.context, &client, &self.request, decoded.missing).await?;
        Ok(Some((decoded.batch, decoded.ids)))
    }
}
