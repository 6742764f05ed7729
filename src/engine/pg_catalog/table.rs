//! The catalog's relations as tables of DataFusion. Rows are made when the plan runs.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, empty::EmptyExec};

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

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        if !self.relation.has_rows() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let part =
            Arc::new(Part { table: self.clone(), schema: Arc::clone(&schema), columns: projection.cloned() });
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![part], None, vec![], false, limit)?))
    }
}

/// What a statement reads of a relation.
#[derive(Debug)]
struct Part {
    table: CatalogTable,
    schema: SchemaRef,
    columns: Option<Vec<usize>>,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let table = self.table.clone();
        let columns = self.columns.clone();
        let batch = async move {
            let snapshot =
                table.catalog.snapshot().await.map_err(|e| DataFusionError::External(Box::new(e)))?;
            snapshot.batch(table.relation, columns.as_deref())
        };
        let rows = futures::stream::once(batch);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}
