//! ORDER BY ... LIMIT ordered by Kintone: the first rows in one request, or two where SQL and Kintone differ on
//! where NULL stands.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{Boundedness, ChildrenPropertiesMode, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions,
};
use futures::future::try_join_all;
use futures::stream;

use super::context::ScanContext;
use super::decode::PageDecoder;
use super::error::Error;
use super::fault::Fault;
use super::field::Formula;
use super::leaf::leaf_methods;
use super::ordered::{self, Asking, condition, leaves_out_empty, narrowed, order_of};
use super::rules::Rule;
use super::scan::{KintoneScan, PART, ScanRequest, records_path};
use super::schema::Shape;
use crate::kintone::{OrderBy, Query};

/// Rows of a page: more are not read in one request, and pages of an order cannot be joined without gaps.
const MOST: usize = 500;

/// Puts a `KintoneTopK` under each sort with a limit whose order Kintone makes too.
///
/// Sound because a filter that is not exact leaves a node between the sort and the scan. The sort stays: it orders
/// the few rows that come.
#[derive(Debug)]
pub struct TopK;

impl PhysicalOptimizerRule for TopK {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        let place = |node: Arc<dyn ExecutionPlan>| {
            let Some(sort) = node.downcast_ref::<SortExec>() else { return Ok(Transformed::no(node)) };
            let Some(most) = sort.fetch().filter(|most| (1..=MOST).contains(most)) else {
                return Ok(Transformed::no(node));
            };
            match replaced(sort.input(), sort.expr(), most)? {
                Some(input) => {
                    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
                    Ok(Transformed::yes(Arc::clone(&node).replace_children(vec![input], options)?))
                }
                None => Ok(Transformed::no(node)),
            }
        };
        Ok(plan.transform_up(place)?.data)
    }

    fn name(&self) -> &'static str {
        "kintone_top_k"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The sort's input with its scan replaced, through projections.
fn replaced(
    input: &Arc<dyn ExecutionPlan>,
    order: &[PhysicalSortExpr],
    most: usize,
) -> DfResult<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(scan) = input.downcast_ref::<KintoneScan>() {
        let top = KintoneTopK::new(&scan.request, input.schema(), order, most);
        return Ok(top.map(|top| Arc::new(top) as Arc<dyn ExecutionPlan>));
    }
    if let Some((scan, places)) = ordered::over_scan(input, Fault::TopKPastFilter) {
        let below = order.iter().map(|key| {
            let column = key.expr.downcast_ref::<Column>()?;
            let expr = Arc::new(Column::new(column.name(), *places.get(column.index())?));
            Some(PhysicalSortExpr { expr, options: key.options })
        });
        let Some(below) = below.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let top = KintoneTopK::new(&scan.request, scan.schema(), &below, most);
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        return top.map(|top| Arc::clone(input).replace_children(vec![Arc::new(top)], options)).transpose();
    }
    let Some(projection) = input.downcast_ref::<ProjectionExec>() else { return Ok(None) };
    let below = order.iter().map(|key| {
        let column = key.expr.downcast_ref::<Column>()?;
        let expr = Arc::clone(&projection.expr().get(column.index())?.expr);
        Some(PhysicalSortExpr { expr, options: key.options })
    });
    let Some(below) = below.collect::<Option<Vec<_>>>() else { return Ok(None) };
    let Some(inner) = replaced(projection.input(), &below, most)? else { return Ok(None) };
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Ok(Some(Arc::clone(input).replace_children(vec![inner], options)?))
}

/// The first rows of an order.
#[derive(Debug)]
pub(crate) struct KintoneTopK {
    pub(super) request: ScanRequest,
    order: Vec<OrderBy>,
    /// Asked for in turn, each for the rows that are still wanted.
    parts: Vec<Formula>,
    /// Asked for at once instead: the records without a value, which come first, are seldom enough.
    at_once: bool,
    most: usize,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl KintoneTopK {
    fn new(request: &ScanRequest, schema: SchemaRef, keys: &[PhysicalSortExpr], most: usize) -> Option<Self> {
        let whole = request.limit.is_none() && request.columns.shape == Shape::Record;
        if !whole || !request.rules.has(Rule::TopK) {
            return None;
        }
        let mut order: Vec<OrderBy> = vec![];
        let (mut parts, mut at_once) = (vec![Formula::All], false);
        for (place, key) in keys.iter().enumerate() {
            let column = key.expr.downcast_ref::<Column>()?;
            let (field, kintone) = order_of(request, column.index())?;
            let ascending = !key.options.descending;
            let agrees = request.fault == Some(Fault::NullsAnywhere)
                || (kintone.empties_first && key.options.nulls_first == ascending)
                || kintone.empty == Some(Formula::Nothing)
                || leaves_out_empty(request.condition.as_ref(), &field);
            if !agrees {
                // Apart, which works for the first key alone.
                let (filled, empty) = (kintone.filled?, kintone.empty?);
                at_once = key.options.nulls_first;
                parts = match (place, key.options.nulls_first) {
                    (0, true) => vec![empty, filled],
                    (0, false) => vec![filled, empty],
                    _ => return None,
                };
            }
            order.push(OrderBy { field, ascending });
        }
        if request.fault == Some(Fault::LastSortKey) && order.len() > 1 {
            order.pop();
        } else if !order.iter().any(|key| key.field == "$id") {
            order.push(OrderBy { field: "$id".into(), ascending: true });
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let (request, properties) = (request.clone(), Arc::new(properties));
        let metrics = ExecutionPlanMetricsSet::new();
        Some(Self { request, order, parts, at_once, most, schema, properties, metrics })
    }
}

impl DisplayAs for KintoneTopK {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.request.table;
        write!(f, "KintoneTopK: {} (app {}){PART}", table.name, table.app)?;
        write!(f, "path: GET {}", records_path(table.app))?;
        for part in &self.parts {
            let query = Query {
                condition: condition(narrowed(&self.request, part)),
                order_by: self.order.clone(),
                limit: u32::try_from(self.most).ok(),
                offset: None,
            };
            write!(f, "{PART}query: {query}")?;
        }
        write!(f, "{PART}fields: {}", decoder(&self.request, &self.schema).fields().join(", "))?;
        write!(f, "{PART}requests: ")?;
        match (self.parts.len(), self.at_once) {
            (1, _) => write!(f, "1 (the first {} in Kintone's order)", self.most),
            (_, true) => write!(f, "2 at once (those without a value come first)"),
            _ => write!(f, "1, or 2 where the first has fewer than {}", self.most),
        }?;
        self.request.filters.iter().try_for_each(|note| write!(f, "{PART}{}: {}", note.verdict, note.filter))
    }
}

impl ExecutionPlan for KintoneTopK {
    leaf_methods!("KintoneTopK");

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let reading = Reading {
            asking: Asking::new(ScanContext::of(&task)?, &self.request, &self.metrics, partition),
            order: self.order.clone(),
            parts: self.parts.clone(),
            at_once: self.at_once,
            most: self.most,
            schema: Arc::clone(&self.schema),
        };
        let rows = stream::once(async move { Ok(reading.rows().await?) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// A page and its records' ids.
type Page = (RecordBatch, Vec<u64>);

/// A running read.
struct Reading {
    asking: Asking,
    order: Vec<OrderBy>,
    parts: Vec<Formula>,
    at_once: bool,
    most: usize,
    schema: SchemaRef,
}

impl Reading {
    /// The rows, each record once, though it may have changed between two requests.
    async fn rows(&self) -> Result<RecordBatch, Error> {
        let pages = if self.at_once {
            try_join_all(self.parts.iter().map(|part| self.page(part, self.most))).await?
        } else {
            self.pages().await?
        };
        let mut seen = HashSet::new();
        let fresh = pages.into_iter().flatten().map(|(page, ids)| {
            let fresh: BooleanArray = ids.into_iter().map(|id| Some(seen.insert(id))).collect();
            filter_record_batch(&page, &fresh)
        });
        let batches = fresh.collect::<Result<Vec<_>, _>>();
        let rows = batches.and_then(|batches| concat_batches(&self.schema, &batches));
        let app = || self.asking.request.table.name.clone();
        rows.map_err(|e| Error::Page { app: app(), reason: e.to_string() })
    }

    /// One part after the other, until there are enough rows.
    async fn pages(&self) -> Result<Vec<Option<Page>>, Error> {
        let (mut pages, mut wanted) = (vec![], self.most);
        for part in &self.parts {
            if wanted == 0 {
                break;
            }
            let page = self.page(part, wanted).await?;
            wanted = wanted.saturating_sub(page.as_ref().map_or(0, |(_, ids)| ids.len()));
            pages.push(page);
        }
        Ok(pages)
    }

    async fn page(&self, part: &Formula, most: usize) -> Result<Option<Page>, Error> {
        let limit = u32::try_from(most).unwrap_or(u32::MAX);
        let condition = narrowed(&self.asking.request, part);
        let mut decoder = decoder(&self.asking.request, &self.schema);
        self.asking.page(&mut decoder, condition, self.order.clone(), limit).await
    }
}

fn decoder(request: &ScanRequest, schema: &SchemaRef) -> PageDecoder {
    PageDecoder::new(request.table.name.clone(), &request.columns, &request.projection, Arc::clone(schema))
}
