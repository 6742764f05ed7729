//! One page in an order that Kintone makes: what top-k and extremes are read by.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;

use super::context::ScanContext;
use super::decode::PageDecoder;
use super::error::Error;
use super::field::{Formula, Order};
use super::scan::{KintoneScan, ScanRequest};
use super::schema::Source;
use crate::kintone::{Condition, Operator, OrderBy, Query, RecordsRequest};

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
    let projection = plan.downcast_ref::<ProjectionExec>()?;
    let (scan, below) = projected_scan(projection.input())?;
    let place = |expr: &Arc<dyn PhysicalExpr>| *below.get(expr.downcast_ref::<Column>()?.index())?;
    Some((scan, projection.expr().iter().map(|item| place(&item.expr)).collect()))
}

/// The scan's condition and another.
pub(crate) fn narrowed(request: &ScanRequest, by: &Formula) -> Formula {
    let own = request.condition.clone().map_or(Formula::All, Formula::Of);
    Formula::and(vec![own, by.clone()])
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

/// A table to read ordered pages of.
pub(crate) struct Ordered<'a> {
    pub(crate) context: &'a ScanContext,
    pub(crate) request: &'a ScanRequest,
}

impl Ordered<'_> {
    /// The first `limit` records under a condition, in an order. No request where nothing can match.
    pub(crate) async fn page(
        &self,
        decoder: &mut PageDecoder,
        condition: Formula,
        order_by: Vec<OrderBy>,
        limit: u32,
    ) -> Result<Option<RecordBatch>, Error> {
        let condition = match condition {
            Formula::Nothing => return Ok(None),
            Formula::All => None,
            Formula::Of(condition) => Some(condition),
        };
        let client = self.context.client(&self.request.table.connection)?;
        let query = Query { condition, order_by, limit: Some(limit), offset: None };
        let request = RecordsRequest { query, fields: decoder.fields(), total_count: false };
        self.context.budget.take()?;
        let page = client.records(self.request.table.app, &request).await?;
        let decoded = decoder.decode(&page.body)?;
        page.set_rows(decoded.records);
        Ok(Some(decoded.batch))
    }
}
