//! A table of Kintone as DataFusion sees it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Constraint, Constraints, Result as DfResult};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::fault::Fault;
use super::field::Formula;
use super::pushdown::{Pushdown, pushdown};
use super::remembered::Remembered;
use super::rules::{Rule, Rules};
use super::scan::{FilterNote, KintoneScan, ScanRequest, TableRef, at_most};
use super::schema::{Columns, Shape};
use crate::kintone::Condition;

/// How a statement wants its tables read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanSettings {
    /// What Kintone does; the rest is evaluated here.
    pub pushdown: Rules,
    /// Records in a request, 1 to 500.
    pub page_size: u32,
    /// Requests of one scan at once.
    pub concurrency: usize,
    /// A mistake to be made, for tests of the tests.
    #[doc(hidden)]
    pub fault: Option<Fault>,
}

/// The records of an app, or the rows of one of its table fields.
#[derive(Debug)]
pub struct AppTable {
    table: TableRef,
    columns: Arc<Columns>,
    settings: ScanSettings,
    constraints: Constraints,
    remembered: Arc<Remembered>,
}

impl AppTable {
    /// The table with these columns, read with these settings.
    #[must_use]
    pub fn new(
        table: TableRef,
        columns: Arc<Columns>,
        settings: ScanSettings,
        remembered: Arc<Remembered>,
    ) -> Self {
        let position = |name: &str| columns.columns.iter().position(|c| c.name == name);
        let key: Vec<usize> = match columns.shape {
            Shape::Record => position("$id").into_iter().collect(),
            Shape::Row(_) => position("RowId").into_iter().collect(),
        };
        let constraints = Constraints::new_unverified(vec![Constraint::PrimaryKey(key)]);
        Self { table, columns, settings, constraints, remembered }
    }

    fn ask(&self, filter: &Expr) -> Pushdown {
        match self.settings.fault {
            _ if !self.settings.pushdown.has(Rule::Filter) => Pushdown::No,
            None => pushdown(filter, &self.columns),
            Some(fault) => fault.pushdown(filter, &self.columns),
        }
    }

    /// What goes to Kintone of these filters, and a note on each that does.
    fn condition(&self, filters: &[Expr]) -> (Formula, Vec<FilterNote>) {
        let mut formulas = vec![];
        let mut notes = vec![];
        for filter in filters {
            if let Some((formula, exact)) = self.ask(filter).into_parts() {
                formulas.push(formula);
                let verdict = if exact { "exact" } else { "rechecked" };
                notes.push(FilterNote { filter: filter.human_display().to_string(), verdict });
            }
        }
        (Formula::and(formulas), notes)
    }
}

#[async_trait]
impl TableProvider for AppTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns.schema)
    }

    fn constraints(&self) -> Option<&Constraints> {
        Some(&self.constraints)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DfResult<Vec<TableProviderFilterPushDown>> {
        Ok(filters
            .iter()
            .map(|filter| match self.ask(filter) {
                Pushdown::Exact(_) => TableProviderFilterPushDown::Exact,
                Pushdown::Superset(_) => TableProviderFilterPushDown::Inexact,
                Pushdown::No => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let projection = projection.cloned().unwrap_or_else(|| (0..self.columns.columns.len()).collect());
        let (formula, notes) = self.condition(filters);
        let condition: Option<Condition> = match formula {
            Formula::All => None,
            Formula::Of(condition) => Some(condition),
            Formula::Nothing => {
                return Ok(Arc::new(EmptyExec::new(Arc::new(self.columns.schema.project(&projection)?))));
            }
        };
        let (connection, app) = (&self.table.connection, self.table.app);
        Ok(Arc::new(KintoneScan::new(ScanRequest {
            expected: self.remembered.total(connection, app, condition.as_ref()),
            at_most: condition.as_ref().and_then(at_most),
            table: self.table.clone(),
            columns: Arc::clone(&self.columns),
            projection,
            condition,
            filters: notes,
            limit: limit.filter(|_| self.settings.pushdown.has(Rule::Limit)),
            page_size: self.settings.page_size,
            rules: self.settings.pushdown,
            concurrency: self.settings.concurrency,
            fault: self.settings.fault,
            ordered: true,
            limited: false,
        })?))
    }
}
