//! A table of Kintone as DataFusion sees it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Constraint, Constraints, Result as DfResult};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::error::{Error, Origin};
use super::fault::Fault;
use super::field::Formula;
use super::native::{self, refused};
use super::pushdown::{Pushdown, pushdown};
use super::remembered::Remembered;
use super::rules::{Rule, Rules};
use super::scan::{FilterNote, KintoneScan, ScanRequest, TableRef, at_most};
use super::schema::{Columns, Shape};
use crate::kintone::Condition;

const MIXED: &str = "cannot be sent: it stands in an OR with what Kintone does not answer exactly";

const MIXED_HINT: &str = "Say the rest in Kintone's words too, with kintone_query.";

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
    /// A saved view's own condition.
    view: Option<Condition>,
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
        Self { table, columns, settings, constraints, remembered, view: None }
    }

    /// Only the records of a saved view: those under this condition.
    #[must_use]
    pub fn under(self, condition: Option<Condition>) -> Self {
        Self { view: condition, ..self }
    }

    /// A predicate with Kintone's own functions and conditions, as a filter that a scan of this table takes.
    ///
    /// # Errors
    /// One of them says what Kintone cannot.
    pub fn bind(&self, predicate: Expr) -> Result<Expr, Error> {
        native::bind(predicate, &self.columns)
    }

    fn ask(&self, filter: &Expr) -> Pushdown {
        match self.settings.fault {
            _ if !self.settings.pushdown.has(Rule::Filter) => Pushdown::No,
            None => pushdown(filter, &self.columns),
            Some(fault) => fault.pushdown(filter, &self.columns),
        }
    }

    /// What goes to Kintone of these filters, and a note on each that does. Kintone's own predicates go whole.
    fn condition(&self, filters: &[Expr]) -> Result<(Formula, Vec<FilterNote>), Error> {
        let mut formulas: Vec<_> = self.view.iter().cloned().map(Formula::Of).collect();
        let of_view = |condition: &Condition| FilterNote {
            filter: format!("{condition}, the view's own"),
            verdict: "exact",
        };
        let mut notes: Vec<_> = self.view.iter().map(of_view).collect();
        for filter in filters {
            let asked = match native::placed(filter) {
                None => self.ask(filter),
                Some(predicate) => match pushdown(predicate, &self.columns) {
                    exact @ Pushdown::Exact(_) => exact,
                    _ => return Err(refused(predicate, MIXED, MIXED_HINT)),
                },
            };
            if let Some((formula, exact)) = asked.into_parts() {
                formulas.push(formula);
                let verdict = if exact { "exact" } else { "rechecked" };
                let filter = native::placed(filter).map_or_else(|| shown(filter), native::shown);
                notes.push(FilterNote { filter, verdict });
            }
        }
        Ok((Formula::and(formulas), notes))
    }

    /// Whose condition it is that Kintone may refuse.
    fn origin(&self, filters: &[Expr]) -> Option<Origin> {
        let of_view = self.view.as_ref().map(|_| Origin::View(self.table.name.clone()));
        filters.iter().find_map(native::origin).or(of_view)
    }
}

/// A filter as the plan that runs it shows it: literals in functions without their types.
fn shown(filter: &Expr) -> String {
    let plain = filter.clone().transform_up(|expr| match expr {
        Expr::ScalarFunction(mut function) => {
            for arg in &mut function.args {
                if let Expr::Literal(value, _) = arg {
                    *arg = Expr::Column(Column::new_unqualified(value.to_string()));
                }
            }
            Ok(Transformed::yes(Expr::ScalarFunction(function)))
        }
        other => Ok(Transformed::no(other)),
    });
    plain.map_or_else(|_| filter.human_display().to_string(), |plain| plain.data.human_display().to_string())
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
        let (formula, notes) = self.condition(filters)?;
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
            origin: self.origin(filters),
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
