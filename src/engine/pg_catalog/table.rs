//! The catalog's relations as tables of DataFusion. Rows are made when the plan runs.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, empty::EmptyExec};

use super::live::Catalog;
use super::relation::{RELATIONS, Relation};

/// One schema of the catalog.
#[derive(Debug)]
pub(super) struct CatalogSchema {
    tables: HashMap<&'static str, Arc<CatalogTable>>,
}

impl CatalogSchema {
    /// The relations of this schema.
    pub(super) fn new(name: &str, catalog: &Arc<Catalog>) -> Self {
        let table = |relation: &'static Relation| {
            let catalog = Arc::clone(catalog);
            (relation.name, Arc::new(CatalogTable { relation, schema: relation.arrow_schema(), catalog }))
        };
        Self { tables: RELATIONS.iter().filter(|relation| relation.schema == name).map(table).collect() }
    }
}

#[async_trait]
impl SchemaProvider for CatalogSchema {
    fn table_names(&self) -> Vec<String> {
        self.tables.keys().map(|name| (*name).to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.tables.get(name).map(|table| Arc::clone(table) as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.contains_key(name)
    }
}

/// One relation.
#[derive(Clone)]
struct CatalogTable {
    relation: &'static Relation,
    schema: SchemaRef,
    catalog: Arc<Catalog>,
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
            table.relation.batch(&snapshot)
        };
        let rows = futures::stream::once(batch);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}
