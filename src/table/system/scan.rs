//! A system table as DataFusion sees it, and its scan.

use std::fmt;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use chrono_tz::Tz;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use datafusion::scalar::ScalarValue;
use futures::StreamExt;

use super::{Ask, RELATIONS, Relation, batch, schema};
use crate::table::context::ScanContext;
use crate::table::error::Error;
use crate::table::leaf::leaf_methods;
use crate::table::meter::Meter;
use crate::table::scan::PART;

/// A table about one connection.
pub struct SystemTable {
    connection: String,
    relation: &'static dyn Relation,
    schema: SchemaRef,
}

impl fmt::Debug for SystemTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SystemTable({}.{})", self.connection, self.relation.name())
    }
}

impl SystemTable {
    /// The table of that name, exactly.
    #[must_use]
    pub fn find(connection: &str, name: &str, time_zone: Tz) -> Option<Self> {
        let relation = RELATIONS.iter().copied().find(|r| r.name() == name)?;
        Some(Self { connection: connection.to_owned(), relation, schema: schema(relation, time_zone) })
    }
}

#[async_trait]
impl TableProvider for SystemTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DfResult<Vec<TableProviderFilterPushDown>> {
        let helps = |filter: &Expr| {
            ids(filter, "AppId").is_some()
                || ids(filter, "RecordId").is_some()
                || up_to(filter, "RecordId").is_some()
                || since(filter, "CreatedAt").is_some()
                || texts(filter, "UserCode").is_some()
        };
        let verdict = |filter: &&Expr| match helps(filter) {
            true => TableProviderFilterPushDown::Inexact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(verdict).collect())
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.schema.fields().len()).collect();
        let projection = projection.cloned().unwrap_or_else(all);
        let among = |column| filters.iter().filter_map(|f| ids(f, column)).reduce(|a, b| both(a, &b));
        let apps = among("AppId");
        if apps.is_none() && self.relation.needs_apps() {
            let table = self.relation.name().to_owned();
            return Err(Error::NeedsFilter { table, needs: "WHERE AppId = <the app's id>".into() }.into());
        }
        let schema = Arc::new(self.schema.project(&projection)?);
        let one_app = apps.as_ref().is_some_and(|a| a.len() == 1);
        let order = if one_app { descending(self.relation, &schema) } else { None };
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(Arc::clone(&schema), order),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(SystemScan {
            connection: self.connection.clone(),
            relation: self.relation,
            whole: Arc::clone(&self.schema),
            projection,
            apps,
            users: filters.iter().filter_map(|f| texts(f, "UserCode")).reduce(|a, b| both(a, &b)),
            records: among("RecordId"),
            up_to: filters.iter().filter_map(|f| up_to(f, "RecordId")).min(),
            since: filters.iter().filter_map(|f| since(f, "CreatedAt")).max(),
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }
}

/// Those in both lists.
fn both<T: PartialEq>(mut a: Vec<T>, b: &[T]) -> Vec<T> {
    a.retain(|one| b.contains(one));
    a
}

/// The ids that a filter lets a column have: `column = 5`, `column = '5'`, `column IN (5, 6)`, or an OR of such.
fn ids(filter: &Expr, column: &str) -> Option<Vec<u64>> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let value = if is_column(left, column) {
                right
            } else if is_column(right, column) {
                left
            } else {
                return None;
            };
            id(value).map(|id| id.into_iter().collect())
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut all = ids(left, column)?;
            all.extend(ids(right, column)?);
            Some(all)
        }
        Expr::InList(InList { expr, list, negated: false }) if is_column(expr, column) => {
            list.iter().map(id).collect::<Option<Vec<_>>>().map(|ids| ids.into_iter().flatten().collect())
        }
        Expr::Alias(alias) => ids(&alias.expr, column),
        _ => None,
    }
}

/// The texts that a filter lets a column have: `column = 'a'`, `column IN ('a', 'b')`, or an OR of such.
fn texts(filter: &Expr, column: &str) -> Option<Vec<String>> {
    let text = |expr: &Expr| match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text.clone()),
        _ => None,
    };
    let mut found = match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let value = match (is_column(left, column), is_column(right, column)) {
                (true, _) => right,
                (_, true) => left,
                _ => return None,
            };
            vec![text(value)?]
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut all = texts(left, column)?;
            all.extend(texts(right, column)?);
            all
        }
        Expr::InList(InList { expr, list, negated: false }) if is_column(expr, column) => {
            list.iter().map(text).collect::<Option<_>>()?
        }
        _ => return None,
    };
    found.sort_unstable();
    found.dedup();
    Some(found)
}

/// The highest id that a filter lets a column have: `column <= 5`, `column < 5`.
fn up_to(filter: &Expr, column: &str) -> Option<u64> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::LtEq | Operator::Lt, right })
            if is_column(left, column) =>
        {
            id(right).flatten()
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::GtEq | Operator::Gt, right })
            if is_column(right, column) =>
        {
            id(left).flatten()
        }
        _ => None,
    }
}

/// The lowest instant that a filter lets a column have: `column >= t`, `column > t`.
fn since(filter: &Expr, column: &str) -> Option<i64> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return None };
    let value = match op {
        Operator::GtEq | Operator::Gt if is_column(left, column) => right,
        Operator::LtEq | Operator::Lt if is_column(right, column) => left,
        _ => return None,
    };
    match value.as_ref() {
        Expr::Literal(ScalarValue::TimestampMicrosecond(Some(micros), Some(_)), _) => Some(*micros),
        Expr::Literal(ScalarValue::TimestampNanosecond(Some(nanos), Some(_)), _) => {
            Some(nanos.div_euclid(1000))
        }
        _ => None,
    }
}

/// The order in which the rows come, as far as its columns are projected.
fn descending(relation: &dyn Relation, schema: &SchemaRef) -> Option<LexOrdering> {
    let options = SortOptions { descending: true, nulls_first: true };
    let keys = relation.descending().iter().map_while(|name| col(name, schema).ok());
    LexOrdering::new(keys.map(|key| PhysicalSortExpr::new(key, options)))
}

fn is_column(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Column(column) => column.name == name,
        Expr::Cast(cast) => is_column(&cast.expr, name),
        Expr::Alias(alias) => is_column(&alias.expr, name),
        _ => false,
    }
}

/// The id that a literal is; `Some(None)` for one that cannot be an id and so matches nothing.
fn id(expr: &Expr) -> Option<Option<u64>> {
    let Expr::Literal(value, _) = expr else { return None };
    match value {
        ScalarValue::Int64(Some(n)) => Some(u64::try_from(*n).ok()),
        ScalarValue::Utf8(Some(text)) => Some(text.trim().parse().ok()),
        value if value.is_null() => Some(None),
        _ => None,
    }
}

/// Reads a system table.
struct SystemScan {
    connection: String,
    relation: &'static dyn Relation,
    whole: SchemaRef,
    projection: Vec<usize>,
    apps: Option<Vec<u64>>,
    users: Option<Vec<String>>,
    records: Option<Vec<u64>>,
    up_to: Option<u64>,
    since: Option<i64>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl fmt::Debug for SystemScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, f)
    }
}

impl DisplayAs for SystemScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KintoneScan: {}", self.relation.name())?;
        if let Some(apps) = &self.apps {
            write!(f, ", AppId in {apps:?}")?;
        }
        if let Some(users) = &self.users {
            write!(f, ", UserCode in {users:?}")?;
        }
        if let Some(records) = &self.records {
            write!(f, ", RecordId in {records:?}")?;
        }
        self.relation.requests().iter().try_for_each(|line| write!(f, "{PART}{line}"))
    }
}

impl ExecutionPlan for SystemScan {
    leaf_methods!("KintoneScan");

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let context = ScanContext::of(&task)?;
        let meter = Meter::new(Arc::clone(&context), &self.metrics, partition);
        let ask = Ask {
            client: meter.watch(context.client(&self.connection)?),
            directory: context.directory(&self.connection)?,
            budget: Arc::clone(&context.budget),
            apps: self.apps.clone(),
            users: self.users.clone(),
            records: self.records.clone(),
            up_to: self.up_to,
            since: self.since,
            concurrency: context.concurrency,
        };
        let (whole, projection) = (Arc::clone(&self.whole), self.projection.clone());
        // Lots that are ready together go as one batch.
        let batches = self.relation.rows(ask).ready_chunks(64).map(move |lots| {
            let rows = lots.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
            Ok(batch(&whole, &rows)?.project(&projection)?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(self.properties.eq_properties.schema()),
            meter.waits_in(batches),
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
