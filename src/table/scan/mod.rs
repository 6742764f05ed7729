//! Reading a table: pages by `$id`, many at once, decoded as they come.
//!
//! What a scan promises: a record that exists and matches throughout is read exactly once, whatever else is
//! written meanwhile. That is why pages seek by `$id` and never by offset (K§6). Records that are inserted after
//! the start may be missed.
//!
//! Takes: a [`ScanRequest`], plain data. `run` keeps pages under way, `chains` says which, `page` asks for one and
//! decodes it, `presence` sees a form change under the scan; `order` and `explain` are for the planner.

mod chains;
mod explain;
mod order;
mod page;
mod presence;
mod run;

use std::fmt;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::stream;

pub use explain::LocalFilters;
pub(crate) use explain::records_path;
pub use order::AnyOrder;
pub(crate) use presence::Presence;

use super::decode::PageDecoder;
use super::error::Origin;
use super::fault::Fault;
use super::leaf::leaf_methods;
use super::rules::{Rule, Rules};
use super::schema::{Columns, Shape};
use crate::kintone::{AppKey, Condition, Operator, OrderBy, Query};

/// Which table of which connection, as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRef {
    /// The connection's name.
    pub connection: String,
    /// The app.
    pub app: AppKey,
    /// The table's name in SQL.
    pub name: String,
}

/// Between the parts of a scan's description: a line each where EXPLAIN shows it.
pub const PART: char = '\u{2028}';

/// What happened to one filter of the statement, for EXPLAIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilterNote {
    /// The filter as SQL.
    pub filter: String,
    /// `exact`, `rechecked` or `local`.
    pub verdict: &'static str,
}

/// What to read, as plain data: nothing in it is alive, so that a plan can be sent elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct ScanRequest {
    pub(crate) table: TableRef,
    pub(crate) columns: Arc<Columns>,
    pub(crate) projection: Vec<usize>,
    pub(crate) condition: Option<Condition>,
    /// Every filter is exact, so that what Kintone counts is what SQL counts.
    pub(crate) filters: Vec<FilterNote>,
    /// Whose condition it is that Kintone may refuse.
    pub(crate) origin: Option<Origin>,
    pub(crate) limit: Option<usize>,
    pub(crate) page_size: u32,
    pub(crate) rules: Rules,
    /// Pages at once, at most.
    pub(crate) concurrency: usize,
    /// Rows come by `$id`; else in any order.
    pub(crate) ordered: bool,
    /// Something above may stop before the end.
    pub(crate) limited: bool,
    /// Records that matched when they were counted last.
    pub(crate) expected: Option<u64>,
    /// No more records than these can match: the condition names their ids.
    pub(crate) at_most: Option<u64>,
    /// A mistake to be made.
    pub(crate) fault: Option<Fault>,
}

fn id(operator: Operator, value: u64) -> Condition {
    Condition::Compare { field: "$id".into(), operator, value: value.to_string() }
}

impl ScanRequest {
    /// The query for at most `limit` records with ids after `after` and before `before`.
    fn query(&self, after: u64, before: Option<u64>, limit: u32) -> Query {
        let after = after + u64::from(after > 0 && self.fault == Some(Fault::NextPage));
        let before = before.map(|before| before - u64::from(self.fault == Some(Fault::RangeEnd)));
        let mut parts = vec![];
        if after > 0 {
            parts.push(id(Operator::Gt, after));
        }
        parts.extend(before.map(|before| id(Operator::Lt, before)));
        parts.extend(self.condition.clone());
        let condition = match parts.len() {
            0 | 1 => parts.pop(),
            _ => Some(Condition::And(parts)),
        };
        let order_by = vec![OrderBy { field: "$id".into(), ascending: true }];
        Query { condition, order_by, limit: Some(limit), offset: None }
    }

    /// The query for the records with the highest ids.
    fn end_query(&self, limit: u32) -> Query {
        let order_by = vec![OrderBy { field: "$id".into(), ascending: false }];
        Query { condition: self.condition.clone(), order_by, limit: Some(limit), offset: None }
    }

    /// Records to ask for at once, where `wanted` rows are still wanted.
    fn page_limit(&self, wanted: Option<usize>) -> u32 {
        match (&self.columns.shape, wanted) {
            // A record of a table field may have no row, or many: its limit says nothing of records.
            (Shape::Record, Some(rows)) => u32::try_from(rows).unwrap_or(u32::MAX).clamp(1, self.page_size),
            _ => self.page_size,
        }
    }
}

/// How many records can match, where the condition names their ids.
pub(crate) fn at_most(condition: &Condition) -> Option<u64> {
    match condition {
        Condition::Compare { field, operator: Operator::Eq, .. } if field == "$id" => Some(1),
        Condition::In { field, negated: false, values } if field == "$id" => u64::try_from(values.len()).ok(),
        Condition::And(parts) => parts.iter().filter_map(at_most).min(),
        Condition::Or(parts) => parts.iter().map(at_most).sum(),
        _ => None,
    }
}

/// Reads records of one app.
#[derive(Debug, Clone)]
pub(crate) struct KintoneScan {
    pub(crate) request: ScanRequest,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl KintoneScan {
    pub(crate) fn new(request: ScanRequest) -> DfResult<Self> {
        let schema = Arc::new(request.columns.schema.project(&request.projection)?);
        let by_id = col("$id", &schema).ok().filter(|_| request.ordered).and_then(|id| {
            let options = SortOptions { descending: false, nulls_first: false };
            LexOrdering::new([PhysicalSortExpr::new(id, options)])
        });
        let equivalences = EquivalenceProperties::new_with_orderings(Arc::clone(&schema), by_id);
        let properties = PlanProperties::new(
            equivalences,
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        Ok(Self {
            request,
            schema,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    fn decoder(&self) -> PageDecoder {
        let request = &self.request;
        let schema = Arc::clone(&self.schema);
        PageDecoder::new(request.table.name.clone(), &request.columns, &request.projection, schema)
    }
}

impl DisplayAs for KintoneScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl ExecutionPlan for KintoneScan {
    leaf_methods!("KintoneScan");

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let run = run::Run::new(self, partition, &task)?;
        let rows = stream::try_unfold(run, |mut run| async move {
            let next = Box::pin(run.next()).await?;
            Ok(next.map(|batch| (batch, run)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    /// Never exact: a total is what was counted some time ago.
    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> DfResult<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        let limit = self.request.limit.and_then(|n| u64::try_from(n).ok());
        let rows = match self.request.columns.shape {
            Shape::Record => [self.request.expected, self.request.at_most, limit].into_iter().flatten().min(),
            Shape::Row(_) => limit,
        };
        if let Some(rows) = rows.and_then(|n| usize::try_from(n).ok()) {
            statistics.num_rows = Precision::Inexact(rows);
        }
        Ok(Arc::new(statistics))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        if !self.request.rules.has(Rule::Limit) {
            return None;
        }
        let mut scan = self.clone();
        scan.request.limit = limit;
        scan.metrics = ExecutionPlanMetricsSet::new();
        Some(Arc::new(scan))
    }

    fn fetch(&self) -> Option<usize> {
        self.request.limit
    }
}
