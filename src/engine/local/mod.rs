//! Tables and views that the administrator adds in the settings: files beside the apps, and named queries.
//!
//! Takes: names, files, columns in SQL. Gives: tables in memory, read once at the start, read-only. A client can name
//! no file: SQL sees the table's name alone. Absent on purpose: any way of SQL to a file.

mod columns;
mod file;
mod values;
mod view;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampMicrosecondType};
use chrono_tz::Tz;
use datafusion::catalog::TableProvider;
use datafusion::common::{Constraint, Constraints, Result as DfResult};
use datafusion::datasource::MemTable;

use self::columns::Definition;
pub(super) use self::view::View;
pub use self::view::ViewSettings;
use super::catalog::{ColumnInfo, TableInfo, TableKind};
use crate::error::{Error, Kind, Result};

/// `[[local_tables]]`: a file as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTableSettings {
    name: String,
    file: PathBuf,
    definition: Definition,
}

impl LocalTableSettings {
    /// A table of this name over a file, whose columns are as in CREATE TABLE:
    /// `"$id" bigint primary key, company text, tags text[]`. Reads nothing yet.
    ///
    /// # Errors
    /// Of kind `Config`: the columns are none.
    pub fn new(name: &str, file: PathBuf, columns: &str) -> Result<Self> {
        Ok(Self { name: name.to_owned(), file, definition: columns::parse(columns)? })
    }
}

/// A file's rows, in memory.
pub(super) struct LocalTable {
    pub(super) info: Arc<TableInfo>,
    schema: SchemaRef,
    constraints: Constraints,
    batches: Vec<RecordBatch>,
    /// By session zone: timestamptz columns carry it in their type.
    in_zone: Mutex<HashMap<Tz, Arc<MemTable>>>,
}

impl fmt::Debug for LocalTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalTable").field("name", &self.info.name).finish_non_exhaustive()
    }
}

impl LocalTable {
    /// Reads the file.
    ///
    /// # Errors
    /// Of kind `Config`, with file, line and column: it cannot be read, or a value does not fit.
    pub(super) fn read(settings: &LocalTableSettings, schema: &str) -> Result<Self> {
        let definition = &settings.definition;
        let batches = file::read(&settings.file, definition).map_err(|problem| {
            let place = settings.file.display();
            Error::new(Kind::Config, format!("the local table {}: {place}{problem}", settings.name))
        })?;
        let column = |column: &columns::ColumnDefinition| ColumnInfo {
            name: column.name.clone(),
            label: column.name.clone(),
            sql_type: column.sql_type.clone(),
            nullable: column.nullable,
            unique: column.unique,
            kintone_type: String::new(),
            options: vec![],
        };
        let info = TableInfo {
            schema: schema.to_owned(),
            name: settings.name.clone(),
            kind: TableKind::Local,
            app_id: None,
            label: settings.name.clone(),
            description: String::new(),
            columns: definition.columns.iter().map(column).collect(),
            primary_key: definition.primary_key.clone(),
            foreign_keys: definition.foreign_keys.clone(),
        };
        Ok(Self {
            info: Arc::new(info),
            schema: definition.schema(),
            constraints: key(definition),
            batches,
            in_zone: Mutex::default(),
        })
    }

    /// The table for a session in this zone.
    pub(super) fn provider(&self, zone: Tz) -> DfResult<Arc<dyn TableProvider>> {
        let mut in_zone = self.in_zone.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = in_zone.get(&zone) {
            return Ok(Arc::clone(table) as Arc<dyn TableProvider>);
        }
        let schema = Arc::new(schema_in(&self.schema, zone));
        let batches = self.batches.iter().map(|batch| batch_in(batch, &schema)).collect::<DfResult<_>>()?;
        let table = MemTable::try_new(schema, vec![batches])?.with_constraints(self.constraints.clone());
        let table = Arc::new(table);
        in_zone.insert(zone, Arc::clone(&table));
        Ok(table)
    }
}

fn key(definition: &Definition) -> Constraints {
    let place = |name: &String| definition.columns.iter().position(|c| c.name == *name);
    let columns: Vec<usize> = definition.primary_key.iter().filter_map(place).collect();
    if columns.is_empty() {
        return Constraints::default();
    }
    Constraints::new_unverified(vec![Constraint::PrimaryKey(columns)])
}

/// The same with the zone in the type of each timestamptz.
fn schema_in(schema: &Schema, zone: Tz) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let data_type = DataType::Timestamp(*unit, Some(zone.name().into()));
            Arc::new(Field::clone(field).with_data_type(data_type))
        }
        _ => Arc::clone(field),
    });
    Schema::new(fields.collect::<Vec<_>>())
}

fn batch_in(batch: &RecordBatch, schema: &SchemaRef) -> DfResult<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(array, field)| -> ArrayRef {
        match (field.data_type(), array.as_primitive_opt::<TimestampMicrosecondType>()) {
            (DataType::Timestamp(_, zone @ Some(_)), Some(instants)) => {
                Arc::new(instants.clone().with_timezone_opt(zone.clone()))
            }
            _ => Arc::clone(array),
        }
    });
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect(), &rows)?)
}
