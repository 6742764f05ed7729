//! `count(*)`, `min` and `max` of a whole table, one request each: Kintone's totalCount, and the first record of
//! an order.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, new_null_array};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::future::try_join_all;
use futures::stream;

use super::context::ScanContext;
use super::decode::PageDecoder;
use super::error::Error;
use super::fault::Fault;
use super::field::Formula;
use super::leaf::leaf_methods;
use super::ordered::{Asking, condition, leaves_out_empty, narrowed, order_of, projected_scan, replaced};
use super::rules::Rule;
use super::scan::{KintoneScan, PART, ScanRequest, records_path};
use super::schema::Shape;
use crate::kintone::{OrderBy, Query};

/// Replaces an aggregate over a scan, with no group, by a request for each of its values.
///
/// Sound because a filter that is not exact leaves a node between the two, and then nothing is replaced.
#[derive(Debug)]
pub struct Aggregates;

impl PhysicalOptimizerRule for Aggregates {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        replaced(plan, KintoneAggregate::of)
    }

    fn name(&self) -> &'static str {
        "kintone_aggregates"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// An aggregate that makes whole values, the scan of records that it is over, read to its end, and which column of
/// the scan each of the aggregate's input is.
pub(super) type Aggregated<'a> = (&'a AggregateExec, &'a KintoneScan, Vec<Option<usize>>);

/// Takes a node for an aggregate over a scan.
pub(super) fn aggregated_scan(node: &Arc<dyn ExecutionPlan>) -> Option<Aggregated<'_>> {
    let aggregate = node.downcast_ref::<AggregateExec>()?;
    let first = match aggregate.mode() {
        AggregateMode::Single | AggregateMode::SinglePartitioned => aggregate,
        AggregateMode::Final | AggregateMode::FinalPartitioned => {
            let mut below = aggregate.input();
            if let Some(coalesce) = below.downcast_ref::<CoalescePartitionsExec>() {
                below = coalesce.input();
            }
            let partial = below.downcast_ref::<AggregateExec>()?;
            (*partial.mode() == AggregateMode::Partial).then_some(partial)?
        }
        _ => return None,
    };
    let (scan, places) = projected_scan(first.input())?;
    let whole = scan.request.limit.is_none() && scan.request.columns.shape == Shape::Record;
    let plain = first.filter_expr().iter().all(Option::is_none);
    (whole && plain).then_some((first, scan, places))
}

/// Whether it is `count(*)` or a count of a constant.
pub(super) fn counts_rows(aggregate: &AggregateFunctionExpr) -> bool {
    let constant =
        |e: &Arc<dyn PhysicalExpr>| e.downcast_ref::<Literal>().is_some_and(|l| !l.value().is_null());
    aggregate.fun().name() == "count"
        && !aggregate.is_distinct()
        && aggregate.expressions().iter().all(constant)
}

/// One value of the answer.
#[derive(Debug, Clone)]
enum Value {
    /// How many records match.
    Total,
    /// The value of the first record of an order; NULL without one.
    First { column: usize, order: OrderBy, condition: Formula },
}

impl Value {
    fn of(
        aggregate: &AggregateFunctionExpr,
        request: &ScanRequest,
        places: &[Option<usize>],
    ) -> Option<Self> {
        if counts_rows(aggregate) {
            return request.rules.has(Rule::Count).then_some(Self::Total);
        }
        let ascending = match aggregate.fun().name() {
            "min" => true,
            "max" => false,
            _ => return None,
        };
        let arguments = aggregate.expressions();
        let [argument] = arguments.as_slice() else { return None };
        let column = (*places.get(argument.downcast_ref::<Column>()?.index())?)?;
        let (field, order) = order_of(request, column)?;
        let guarded = request.fault != Some(Fault::ExtremeOfEmpty);
        let filled = if !guarded || leaves_out_empty(request.condition.as_ref(), &field) {
            Formula::All
        } else {
            order.filled?
        };
        let condition = narrowed(request, &filled);
        let value = Self::First { column, order: OrderBy { field, ascending }, condition };
        request.rules.has(Rule::MinMax).then_some(value)
    }

    fn query(&self, request: &ScanRequest) -> String {
        let (order_by, condition) = match self {
            Self::Total => (vec![], request.condition.clone()),
            Self::First { order, condition: of, .. } => (vec![order.clone()], condition(of.clone())),
        };
        Query { condition, order_by, limit: Some(1), offset: None }.to_string()
    }
}

/// One row of aggregates.
#[derive(Debug)]
pub(crate) struct KintoneAggregate {
    pub(super) request: ScanRequest,
    values: Vec<Value>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl KintoneAggregate {
    fn of(node: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let (aggregate, scan, places) = aggregated_scan(node)?;
        if !aggregate.group_expr().is_true_no_grouping() || aggregate.aggr_expr().is_empty() {
            return None;
        }
        let values = aggregate.aggr_expr().iter().map(|a| Value::of(a, &scan.request, &places));
        let values = values.collect::<Option<Vec<_>>>()?;
        let schema = node.schema();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let (request, metrics) = (scan.request.clone(), ExecutionPlanMetricsSet::new());
        Some(Self { request, values, schema, properties: Arc::new(properties), metrics })
    }
}

impl DisplayAs for KintoneAggregate {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.request.table;
        write!(f, "KintoneAggregate: {} (app {}){PART}", table.name, table.app)?;
        write!(f, "path: GET {}", records_path(table.app))?;
        let mut asked: Vec<String> = vec![];
        for value in &self.values {
            let query = value.query(&self.request);
            let what = if matches!(value, Value::Total) { "totalCount" } else { "the first record" };
            let line = format!("query: {query} ({what})");
            if !asked.contains(&line) {
                write!(f, "{PART}{line}")?;
                asked.push(line);
            }
        }
        write!(f, "{PART}requests: {}", asked.len())?;
        self.request.filters.iter().try_for_each(|note| write!(f, "{PART}{}: {}", note.verdict, note.filter))
    }
}

impl ExecutionPlan for KintoneAggregate {
    leaf_methods!("KintoneAggregate");

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let asking = Asking::new(ScanContext::of(&task)?, &self.request, &self.metrics, partition);
        let (values, schema) = (self.values.clone(), Arc::clone(&self.schema));
        let row = async move {
            let total = asking.total(&values);
            let firsts = try_join_all(values.iter().map(|value| asking.first(value)));
            let (total, firsts) = futures::try_join!(total, firsts)?;
            let columns = firsts.into_iter().zip(schema.fields()).map(|(first, field)| match first {
                None => Arc::new(Int64Array::from(vec![total])) as ArrayRef,
                Some(array) if array.is_empty() => new_null_array(field.data_type(), 1),
                Some(array) => array,
            });
            Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect())?)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::once(row))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

impl Asking {
    /// How many records match, where a value asks for it.
    async fn total(&self, values: &[Value]) -> Result<i64, Error> {
        if !values.iter().any(|value| matches!(value, Value::Total)) {
            return Ok(0);
        }
        self.count(self.request.condition.as_ref()).await
    }

    /// An array of the first record's value, empty where there is none; `None` for a total.
    async fn first(&self, value: &Value) -> Result<Option<ArrayRef>, Error> {
        let Value::First { column, order, condition } = value else { return Ok(None) };
        let app = || self.request.table.name.clone();
        let columns = &self.request.columns;
        let projection = vec![self.request.projection.get(*column).copied().unwrap_or_default()];
        let schema = columns.schema.project(&projection);
        let schema = Arc::new(schema.map_err(|e| Error::Page { app: app(), reason: e.to_string() })?);
        let mut decoder = PageDecoder::new(app(), columns, &projection, Arc::clone(&schema));
        let page = self.page(&mut decoder, condition.clone(), vec![order.clone()], 1).await?;
        let page = page.map_or_else(|| RecordBatch::new_empty(schema), |(page, _)| page);
        Ok(Some(Arc::clone(page.column(0))))
    }
}
