//! `count(*)` as one request: Kintone's totalCount, where every filter is exact.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::stream;

use super::context::ScanContext;
use super::error::Error;
use super::leaf::leaf_methods;
use super::scan::{FilterNote, KintoneScan, PART, TableRef, records_path};
use super::schema::Shape;
use crate::kintone::Condition;

/// Replaces `count(*)` over a scan, with no group and no other aggregate, by one request.
///
/// Sound because a filter that is not exact leaves a node between the two, and then nothing is replaced.
#[derive(Debug)]
pub struct CountByTotal;

impl PhysicalOptimizerRule for CountByTotal {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        let replaced = plan.transform_down(|node| {
            Ok(match counted_scan(&node) {
                Some(scan) => Transformed::new(
                    Arc::new(KintoneCount::new(scan, node.schema())) as Arc<dyn ExecutionPlan>,
                    true,
                    TreeNodeRecursion::Jump,
                ),
                None => Transformed::no(node),
            })
        })?;
        Ok(replaced.data)
    }

    fn name(&self) -> &'static str {
        "count_by_total"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The tables of Kintone that a plan reads.
pub fn tables_of(plan: &Arc<dyn ExecutionPlan>) -> Vec<TableRef> {
    let mut tables: Vec<TableRef> = plan.children().into_iter().flat_map(tables_of).collect();
    tables.extend(plan.downcast_ref::<KintoneScan>().map(|scan| scan.request.table.clone()));
    tables.extend(plan.downcast_ref::<KintoneCount>().map(|count| count.table.clone()));
    tables
}

/// The scan whose rows `node` counts, and does nothing else with.
fn counted_scan(node: &Arc<dyn ExecutionPlan>) -> Option<&KintoneScan> {
    let aggregate = node.downcast_ref::<AggregateExec>()?;
    let input = match aggregate.mode() {
        AggregateMode::Single | AggregateMode::SinglePartitioned => aggregate.input(),
        AggregateMode::Final | AggregateMode::FinalPartitioned => {
            let mut below = aggregate.input();
            if let Some(coalesce) = below.downcast_ref::<CoalescePartitionsExec>() {
                below = coalesce.input();
            }
            let partial = below.downcast_ref::<AggregateExec>()?;
            (*partial.mode() == AggregateMode::Partial && counts_rows(partial)).then(|| partial.input())?
        }
        _ => return None,
    };
    let scan = input.downcast_ref::<KintoneScan>()?;
    let whole = scan.request.limit.is_none() && scan.request.columns.shape == Shape::Record;
    (whole && counts_rows(aggregate)).then_some(scan)
}

/// No group, no FILTER, nothing but `count(*)` or a count of a constant.
fn counts_rows(aggregate: &AggregateExec) -> bool {
    let constant = |e: &Arc<dyn PhysicalExpr>| {
        e.downcast_ref::<Literal>().is_some_and(|l| !l.value().is_null() && *l.value() != ScalarValue::Null)
    };
    aggregate.group_expr().is_empty()
        && aggregate.filter_expr().iter().all(Option::is_none)
        && !aggregate.aggr_expr().is_empty()
        && aggregate
            .aggr_expr()
            .iter()
            .all(|a| a.fun().name() == "count" && !a.is_distinct() && a.expressions().iter().all(constant))
}

/// One row of totals.
#[derive(Debug)]
pub(crate) struct KintoneCount {
    table: TableRef,
    condition: Option<Condition>,
    filters: Vec<FilterNote>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl KintoneCount {
    fn new(scan: &KintoneScan, schema: SchemaRef) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self {
            table: scan.request.table.clone(),
            condition: scan.request.condition.clone(),
            filters: scan.request.filters.clone(),
            schema,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for KintoneCount {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let condition = self.condition.as_ref().map(|c| format!("{c} ")).unwrap_or_default();
        write!(f, "KintoneCount: {} (app {}){PART}", self.table.name, self.table.app)?;
        write!(f, "path: GET {}{PART}", records_path(self.table.app))?;
        write!(f, "query: {condition}limit 1{PART}fields: $id{PART}requests: 1 (totalCount)")?;
        self.filters.iter().try_for_each(|note| write!(f, "{PART}{}: {}", note.verdict, note.filter))
    }
}

impl ExecutionPlan for KintoneCount {
    leaf_methods!("KintoneCount");

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let context = ScanContext::of(&task)?;
        let client = context.client(&self.table.connection)?;
        let (table, condition, schema) =
            (self.table.clone(), self.condition.clone(), Arc::clone(&self.schema));
        let requests = MetricBuilder::new(&self.metrics).counter("requests", partition);
        let waiting = MetricBuilder::new(&self.metrics).subset_time("waited_for_kintone", partition);
        let row = async move {
            context.budget.take()?;
            requests.add(1);
            context.remembered.spend(&table);
            let timer = waiting.timer();
            let total = client.count(table.app, condition.as_ref()).await.map_err(Error::from)?;
            timer.done();
            context.remembered.set_total(&table.connection, table.app, condition.as_ref(), total);
            let total = i64::try_from(total).unwrap_or(i64::MAX);
            let columns = schema.fields().iter().map(|_| Arc::new(Int64Array::from(vec![total])) as ArrayRef);
            Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect())?)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::once(row))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
