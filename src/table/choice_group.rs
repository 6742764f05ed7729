//! GROUP BY a choice, and DISTINCT of one: a count for each option of the form, where that is fewer requests than
//! reading the records.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions,
};
use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::aggregate::{aggregated_scan, counts_rows};
use super::context::ScanContext;
use super::error::Error;
use super::fault::Fault;
use super::field::Formula;
use super::ordered::{Asking, condition, narrowed, replaced};
use super::rules::Rule;
use super::scan::{PART, ScanRequest, records_path};
use super::schema::Source;
use crate::kintone::{Condition, FieldProperties};

/// Replaces a grouping by one choice field over a scan.
///
/// Sound because a filter that is not exact leaves a node between the two, and because the counts must add up to
/// the total: a record with an option that the form no longer has cannot be asked for, and then the records are
/// read.
#[derive(Debug)]
pub struct ChoiceGroups;

impl PhysicalOptimizerRule for ChoiceGroups {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        replaced(plan, KintoneGroups::of)
    }

    fn name(&self) -> &'static str {
        "kintone_choice_groups"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A row for each option that records have, with how many have it.
#[derive(Debug)]
pub(crate) struct KintoneGroups {
    pub(super) request: ScanRequest,
    field: Arc<FieldProperties>,
    /// The plan that reads the records.
    reading: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl KintoneGroups {
    fn of(node: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let (aggregate, scan, places) = aggregated_scan(node)?;
        let request = &scan.request;
        let group = aggregate.group_expr();
        let [(key, _)] = group.expr() else { return None };
        let plain = group.is_single() && aggregate.limit_options().is_none();
        if !plain || !request.rules.has(Rule::Group) || !aggregate.aggr_expr().iter().all(|a| counts_rows(a))
        {
            return None;
        }
        let column = (*places.get(key.downcast_ref::<Column>()?.index())?)?;
        let column = request.columns.columns.get(*request.projection.get(column)?)?;
        let Source::Record { field, field_type, part: 0 } = &column.source else { return None };
        if !field_type.is_one_choice()
            || !Condition::is_nameable(&field.code)
            || node.schema().field(0).data_type() != &DataType::Utf8
        {
            return None;
        }
        let schema = node.schema();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let (request, field) = (request.clone(), Arc::clone(field));
        let reading = Arc::clone(node);
        let (properties, metrics) = (Arc::new(properties), ExecutionPlanMetricsSet::new());
        Some(Self { request, field, reading, schema, properties, metrics })
    }
}

impl DisplayAs for KintoneGroups {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.request.table;
        write!(f, "KintoneGroups: {} (app {}) by {}{PART}", table.name, table.app, self.field.code)?;
        write!(f, "path: GET {}{PART}", records_path(table.app))?;
        let most = self.field.options.len() + 2;
        match self.request.expected.is_some_and(|n| pays(&self.request, &self.field, n)) {
            true => write!(f, "requests: {most} at once (totalCount, and of each option)"),
            false => write!(f, "requests: 1 (totalCount), at most {most} (and of each option)"),
        }?;
        write!(f, "{PART}where that is fewer than pages and adds up; else the plan below runs")
    }
}

impl ExecutionPlan for KintoneGroups {
    fn name(&self) -> &'static str {
        "KintoneGroups"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.reading]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn datafusion::physical_expr::PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let Some(reading) = children.pop() else { return Ok(self) };
        Ok(Arc::new(Self {
            request: self.request.clone(),
            field: Arc::clone(&self.field),
            reading,
            schema: Arc::clone(&self.schema),
            properties: Arc::clone(&self.properties),
            metrics: self.metrics.clone(),
        }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let recompute = datafusion::physical_plan::execution_plan::ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(recompute))
    }

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let asking = Asking::new(ScanContext::of(&task)?, &self.request, &self.metrics, partition);
        let (field, schema) = (Arc::clone(&self.field), Arc::clone(&self.schema));
        let reading = Arc::clone(&self.reading);
        let rows = async move {
            match asking.groups(&field).await? {
                Some(groups) => Ok(stream::once(async move { batch(&schema, &groups) }).boxed()),
                None => {
                    Ok::<_, datafusion::error::DataFusionError>(reading.execute(partition, task)?.boxed())
                }
            }
        };
        let rows = stream::once(rows).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

impl Asking {
    /// How many records have each option (`None`: none), where that is fewer requests than reading them and adds
    /// up. Where it was so the last time, the total is asked for together with them, not before.
    async fn groups(&self, field: &FieldProperties) -> Result<Option<Vec<(Option<String>, i64)>>, Error> {
        let all = self.count(self.request.condition.as_ref());
        let (total, groups) = if self.request.expected.is_some_and(|n| pays(&self.request, field, n)) {
            futures::try_join!(all, self.counts(field))?
        } else {
            let total = all.await?;
            if !pays(&self.request, field, u64::try_from(total).unwrap_or_default()) {
                // No record is no group; few are read.
                return Ok((total == 0).then(Vec::new));
            }
            (total, self.counts(field).await?)
        };
        let sum: i64 = groups.iter().map(|(_, count)| count).sum();
        let adds_up = sum == total || self.request.fault == Some(Fault::GroupWithoutEmpty);
        Ok(adds_up.then(|| groups.into_iter().filter(|(_, count)| *count > 0).collect()))
    }

    /// How many records have each option.
    async fn counts(&self, field: &FieldProperties) -> Result<Vec<(Option<String>, i64)>, Error> {
        let empty = (self.request.fault != Some(Fault::GroupWithoutEmpty)).then_some(None);
        let options = field.options.iter().cloned().map(Some).chain(empty);
        let counts = options.map(|option| async move {
            let values = vec![option.clone().unwrap_or_default()];
            let has = Condition::In { field: field.code.clone(), negated: false, values };
            match condition(narrowed(&self.request, &Formula::Of(has))) {
                Some(condition) => Ok::<_, Error>((option, self.count(Some(&condition)).await?)),
                None => Ok((option, 0)),
            }
        });
        try_join_all(counts).await
    }
}

/// Whether so many records have more pages than the field has options.
fn pays(request: &ScanRequest, field: &FieldProperties, records: u64) -> bool {
    let options = u64::try_from(field.options.len()).unwrap_or(u64::MAX);
    records.div_ceil(u64::from(request.page_size.max(1))) > options.saturating_add(1)
}

/// The option, then as many counts as the schema has.
fn batch(schema: &SchemaRef, groups: &[(Option<String>, i64)]) -> DfResult<RecordBatch> {
    let options: StringArray = groups.iter().map(|(option, _)| option.as_deref()).collect();
    let counts: Int64Array = groups.iter().map(|(_, count)| Some(*count)).collect();
    let counts: ArrayRef = Arc::new(counts);
    let mut columns: Vec<ArrayRef> = vec![Arc::new(options)];
    columns.resize(schema.fields().len(), counts);
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
