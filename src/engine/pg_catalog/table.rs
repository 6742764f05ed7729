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
        if !self.relation.has_rows() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let partition = Arc::new(self.clone());
        let schema = Arc::clone(&self.schema);
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![partition], projection, vec![], false, limit)?))
    }
}

impl PartitionStream for CatalogTable {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let table = self.clone();
        let batch = async move {
            let snapshot =
                table.catalog.snapshot().await.map_err(|e| DataFusionError::External(Box::new(e)))?;
            snapshot.batch(table.relation)
        };
        let rows = futures::stream::once(batch);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}
