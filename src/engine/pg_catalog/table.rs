//! The catalog's relations as tables of DataFusion. Rows are made when the plan runs.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, empty::EmptyExec};

use super::Value;
use super::builder::Restriction;
use super::live::Catalog;
use super::relation::Relation;

/// One relation.
#[derive(Clone)]
pub(super) struct CatalogTable {
    relation: &'static Relation,
    schema: SchemaRef,
    catalog: Arc<Catalog>,
}

impl CatalogTable {
    pub(super) fn new(relation: &'static Relation, catalog: &Arc<Catalog>) -> Self {
        Self { relation, schema: relation.arrow_schema(), catalog: Arc::clone(catalog) }
    }

    /// What a filter says of one column: `oid = 5`, `relname IN ('a', 'b')`. The relation may then leave rows out;
    /// the filter itself stays above.
    fn restriction(&self, filter: &Expr) -> Option<Restriction> {
        let (column, values) = match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
                match (left.as_ref(), right.as_ref()) {
                    (Expr::Column(column), value) | (value, Expr::Column(column)) => (column, vec![value]),
                    _ => return None,
                }
            }
            Expr::InList(InList { expr, list, negated: false }) => match expr.as_ref() {
                Expr::Column(column) => (column, list.iter().collect()),
                _ => return None,
            },
            _ => return None,
        };
        let value = |expr: &Expr| match expr {
            Expr::Literal(value @ (ScalarValue::Int64(Some(_)) | ScalarValue::Utf8(Some(_))), _) => {
                Some(Value::of(value))
            }
            _ => None,
        };
        Some(Restriction {
            column: self.schema.index_of(&column.name).ok()?,
            values: values.into_iter().map(value).collect::<Option<_>>()?,
        })
    }
}

impl fmt::Debug for CatalogTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CatalogTable({}.{})", self.relation.schema, self.relation.name)
    }
}

#[async_trait]
impl TableProvider for CatalogTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match self.restriction(filter) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        if !self.relation.has_rows() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let part = Arc::new(Part {
            table: self.clone(),
            schema: Arc::clone(&schema),
            columns: projection.cloned(),
            restrictions: filters.iter().filter_map(|filter| self.restriction(filter)).collect(),
        });
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![part], None, vec![], false, limit)?))
    }
}

/// What a statement reads of a relation.
#[derive(Debug)]
struct Part {
    table: CatalogTable,
    schema: SchemaRef,
    columns: Option<Vec<usize>>,
    restrictions: Vec<Restriction>,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let table = self.table.clone();
        let (columns, restrictions) = (self.columns.clone(), self.restrictions.clone());
        let batch = async move {
            let snapshot =
                table.catalog.snapshot().await.map_err(|e| DataFusionError::External(Box::new(e)))?;
            snapshot.batch(table.relation, columns.as_deref(), &restrictions)
        };
        let rows = futures::stream::once(batch);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}
