//! Reading a table: pages by `$id`, decoded as they come.
//!
//! What a scan promises: a record that exists and matches throughout is read exactly once, whatever else is
//! written meanwhile. That is why pages seek by `$id` and never by offset (K§6).

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::stream::{self, TryStreamExt};

use super::context::{Budget, ScanContext};
use super::decode::PageDecoder;
use super::error::Error;
use super::leaf::leaf_methods;
use super::rules::{Rule, Rules};
use super::schema::{Columns, Shape};
use crate::kintone::{AppKey, Client, Condition, Operator, OrderBy, Query, RecordsRequest};

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
    /// `exact` or `rechecked`.
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
    pub(crate) limit: Option<usize>,
    pub(crate) page_size: u32,
    pub(crate) rules: Rules,
}

impl ScanRequest {
    /// The query of the page after `last_id`, of at most `limit` records.
    fn query(&self, last_id: Option<u64>, limit: u32) -> Query {
        let mut parts = vec![];
        if let Some(last) = last_id {
            parts.push(Condition::Compare {
                field: "$id".into(),
                operator: Operator::Gt,
                value: last.to_string(),
            });
        }
        parts.extend(self.condition.clone());
        let condition = match parts.len() {
            0 | 1 => parts.pop(),
            _ => Some(Condition::And(parts)),
        };
        Query {
            condition,
            order_by: vec![OrderBy { field: "$id".into(), ascending: true }],
            limit: Some(limit),
            offset: None,
        }
    }

    /// Records to ask for at once, where `wanted` rows are still wanted.
    fn page_limit(&self, wanted: Option<usize>) -> u32 {
        match (&self.columns.shape, wanted) {
            // A record of a table field may have no row, or many: its limit says nothing of records.
            (Shape::Record, Some(rows)) => u32::try_from(rows).unwrap_or(u32::MAX).clamp(1, self.page_size),
            _ => self.page_size,
        }
    }

    fn decoder(&self, schema: SchemaRef) -> PageDecoder {
        PageDecoder::new(self.table.name.clone(), &self.columns, &self.projection, schema)
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
        // Pages come by `$id`, so that ORDER BY "$id" needs no sort.
        let by_id = col("$id", &schema).ok().and_then(|id| {
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

    /// The first request, as EXPLAIN shows it.
    fn describe(&self) -> String {
        let request = &self.request;
        let fields = request.decoder(Arc::clone(&self.schema)).fields();
        let query = request.query(None, request.page_limit(request.limit));
        let mut parts = vec![
            format!("KintoneScan: {} (app {})", request.table.name, request.table.app),
            format!("query: {query}"),
            format!("fields: {}", fields.join(", ")),
        ];
        parts.extend(request.filters.iter().map(|f| format!("{}: {}", f.verdict, f.filter)));
        parts.join(&PART.to_string())
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
        let context = ScanContext::of(&task)?;
        let pages = Pages {
            client: context.client(&self.request.table.connection)?,
            budget: Arc::clone(&context.budget),
            decoder: self.request.decoder(Arc::clone(&self.schema)),
            request: self.request.clone(),
            wanted: self.request.limit,
            last_id: None,
            done: self.request.limit == Some(0),
            requests: MetricBuilder::new(&self.metrics).counter("requests", partition),
            baseline: BaselineMetrics::new(&self.metrics, partition),
        };
        let rows = stream::try_unfold(pages, |mut pages| async move {
            Ok::<_, Error>(pages.next().await?.map(|batch| (batch, pages)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows.map_err(Into::into))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
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

/// A running scan.
struct Pages {
    client: Client,
    budget: Arc<Budget>,
    request: ScanRequest,
    decoder: PageDecoder,
    wanted: Option<usize>,
    last_id: Option<u64>,
    done: bool,
    requests: Count,
    baseline: BaselineMetrics,
}

impl Pages {
    /// The next batch with rows; `None` at the end.
    async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        while !self.done {
            let limit = self.request.page_limit(self.wanted);
            let request = RecordsRequest {
                query: self.request.query(self.last_id, limit),
                fields: self.decoder.fields(),
                total_count: false,
            };
            self.budget.take()?;
            self.requests.add(1);
            let page = self.client.records(self.request.table.app, &request).await?;
            let decoded = self.decoder.decode(&page.body)?;
            page.set_rows(decoded.records);
            // A page that is not full is the last one.
            self.done = decoded.records < usize::try_from(limit).unwrap_or(usize::MAX);
            if !self.done && decoded.last_id <= self.last_id {
                let reason = "its records do not come in the order of $id".into();
                return Err(Error::Page { app: self.request.table.name.clone(), reason });
            }
            self.last_id = decoded.last_id;
            let batch = self.cut(decoded.batch);
            if batch.num_rows() > 0 {
                self.baseline.record_output(batch.num_rows());
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// No more rows than are wanted.
    fn cut(&mut self, batch: RecordBatch) -> RecordBatch {
        let Some(wanted) = self.wanted else { return batch };
        let rows = wanted.min(batch.num_rows());
        self.wanted = Some(wanted - rows);
        self.done |= wanted == rows;
        batch.slice(0, rows)
    }
}
