//! Reading a table: pages by `$id`, many at once, decoded as they come.
//!
//! What a scan promises: a record that exists and matches throughout is read exactly once, whatever else is
//! written meanwhile. That is why pages seek by `$id` and never by offset (K§6). Records that are inserted after
//! the start may be missed.
//!
//! Takes: a [`ScanRequest`], plain data. `run` keeps pages under way, `chains` says which, `page` asks for one and
//! decodes it, `presence` sees a form change under the scan. Under a join `narrowed` waits for its keys, `keys` reads
//! them, `batches` says how they are asked for. `order`, `links` and `explain` are for the planner.

mod batches;
mod chains;
mod explain;
mod keys;
mod links;
mod narrowed;
mod order;
mod page;
mod presence;
mod run;

use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::Statistics;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};

pub use explain::LocalFilters;
pub(crate) use explain::records_path;
pub use links::JoinKeys;
pub(crate) use links::joined;
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

/// Records of a table that nobody has counted.
const UNKNOWN: u64 = 1_000_000;

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
    /// It is read for a join with another table of Kintone, by its keys where they are few.
    pub(crate) joined: bool,
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
        Condition::Compare { field, operator, value } if field == "$id" => match operator {
            Operator::Eq => Some(1),
            // Ids are from 1 on (K§9).
            Operator::Lt => value.parse::<u64>().ok().map(|id| id.saturating_sub(1)),
            Operator::LtEq => value.parse().ok(),
            Operator::NotEq | Operator::Gt | Operator::GtEq => None,
        },
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
    /// Filters that joins above make of their other side's keys while they run.
    keys: Vec<Arc<dyn PhysicalExpr>>,
    /// What came of the keys, for EXPLAIN ANALYZE.
    asked: Arc<OnceLock<String>>,
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
            keys: vec![],
            asked: Arc::default(),
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
    leaf_methods!("KintoneScan", listens to keys);

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let rows = if self.keys.is_empty() {
            narrowed::rows(self, partition, &task)?
        } else {
            narrowed::matching(self.clone(), partition, task)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }

    /// Takes up what joins tell of their keys. Never as the last word: the rows may be more than those that match.
    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        filters: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> DfResult<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let filters: Vec<_> = filters.parent_filters.into_iter().map(|parent| parent.filter).collect();
        let not_handled =
            FilterPushdownPropagation::with_parent_pushdown_result(vec![PushedDown::No; filters.len()]);
        let request = &self.request;
        // The first rows are to be the first of all, whatever a join makes of them.
        let taken =
            phase == FilterPushdownPhase::Post && request.rules.has(Rule::Join) && request.limit.is_none();
        let of_joins = |filter: &Arc<dyn PhysicalExpr>| keys::narrows(filter, &request.columns, &self.schema);
        let filters: Vec<_> = filters.into_iter().filter(|filter| taken && of_joins(filter)).collect();
        if filters.is_empty() {
            return Ok(not_handled);
        }
        let mut scan = self.clone();
        scan.keys.extend(filters);
        Ok(not_handled.with_updated_node(Arc::new(scan)))
    }

    /// A plan that runs anew has new joins, whose keys would never come here.
    fn reset_state(self: Arc<Self>) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { keys: vec![], ..Self::clone(&self) }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    /// Never exact: a total is what was counted some time ago.
    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> DfResult<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        let limit = self.request.limit.and_then(|n| u64::try_from(n).ok());
        let records = [self.request.expected, self.request.at_most].into_iter().flatten().min();
        let rows = match self.request.columns.shape {
            Shape::Record => [records, limit].into_iter().flatten().min(),
            // The rows of a record are not counted; what they cost is its page.
            Shape::Row(_) => limit.or(records),
        };
        // Of two tables that are joined the one that is not known is taken for the larger one.
        if let Some(rows) = rows
            .or(Some(UNKNOWN).filter(|_| self.request.rules.has(Rule::Join)))
            .and_then(|n| usize::try_from(n).ok())
        {
            statistics.num_rows = Precision::Inexact(rows);
        }
        Ok(Arc::new(statistics))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        if !self.request.rules.has(Rule::Limit) {
            return None;
        }
        let mut scan = self.clone();
        // A limit is of all rows, not of those that a join above it is going to match.
        scan.keys.clear();
        scan.request.limit = limit;
        scan.metrics = ExecutionPlanMetricsSet::new();
        Some(Arc::new(scan))
    }

    fn fetch(&self) -> Option<usize> {
        self.request.limit
    }
}
