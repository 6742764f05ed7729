//! Every relation of the two catalog schemas: its columns, and where its rows come from.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;

use super::column::{Column, relations};
use super::snapshot::Snapshot;
use super::{Value, information_schema};
use super::{
    pg_attribute, pg_class, pg_constraint, pg_database, pg_description, pg_index, pg_namespace, pg_roles,
    pg_settings, pg_tables,
};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

/// Names and columns of `pg_catalog`, from PostgreSQL 15.
pub(super) const PG_CATALOG: &str = include_str!("../../../sql/pg_catalog/pg_catalog.txt");
/// Names and columns of `information_schema`, from PostgreSQL 15.
pub(super) const INFORMATION_SCHEMA: &str = include_str!("../../../sql/pg_catalog/information_schema.txt");

/// Where rows come from.
#[derive(Debug, Clone, Copy)]
enum Rows {
    /// From the live tables.
    Live(fn(&Snapshot, &mut Builder<'_>)),
    /// From a list that never changes: a head line with column names, then a line for each row.
    Constant(&'static str),
}

/// The relations that have rows; every other relation of the lists is there, and empty.
const ROWS: &[(&str, Rows)] = &[
    ("pg_catalog.pg_am", Rows::Constant(include_str!("../../../sql/pg_catalog/pg_am.csv"))),
    ("pg_catalog.pg_attribute", Rows::Live(pg_attribute::rows)),
    ("pg_catalog.pg_authid", Rows::Live(pg_roles::rows)),
    ("pg_catalog.pg_class", Rows::Live(pg_class::rows)),
    ("pg_catalog.pg_collation", Rows::Constant(include_str!("../../../sql/pg_catalog/pg_collation.csv"))),
    ("pg_catalog.pg_constraint", Rows::Live(pg_constraint::rows)),
    ("pg_catalog.pg_database", Rows::Live(pg_database::rows)),
    ("pg_catalog.pg_description", Rows::Live(pg_description::rows)),
    ("pg_catalog.pg_index", Rows::Live(pg_index::rows)),
    ("pg_catalog.pg_indexes", Rows::Live(pg_index::indexes)),
    ("pg_catalog.pg_language", Rows::Constant(include_str!("../../../sql/pg_catalog/pg_language.csv"))),
    ("pg_catalog.pg_namespace", Rows::Live(pg_namespace::rows)),
    ("pg_catalog.pg_proc", Rows::Constant(include_str!("../../../sql/pg_catalog/pg_proc.csv"))),
    ("pg_catalog.pg_roles", Rows::Live(pg_roles::rows)),
    ("pg_catalog.pg_settings", Rows::Live(pg_settings::rows)),
    ("pg_catalog.pg_shadow", Rows::Live(pg_roles::users)),
    ("pg_catalog.pg_tables", Rows::Live(pg_tables::tables)),
    ("pg_catalog.pg_tablespace", Rows::Constant(include_str!("../../../sql/pg_catalog/pg_tablespace.csv"))),
    ("pg_catalog.pg_type", Rows::Constant(include_str!("../../../sql/pg_catalog/pg_type.csv"))),
    ("pg_catalog.pg_user", Rows::Live(pg_roles::users)),
    ("pg_catalog.pg_views", Rows::Live(pg_tables::views)),
    ("information_schema.columns", Rows::Live(information_schema::columns)),
    ("information_schema.constraint_column_usage", Rows::Live(information_schema::constraint_column_usage)),
    ("information_schema.key_column_usage", Rows::Live(information_schema::key_column_usage)),
    ("information_schema.referential_constraints", Rows::Live(information_schema::referential_constraints)),
    ("information_schema.schemata", Rows::Live(information_schema::schemata)),
    ("information_schema.table_constraints", Rows::Live(information_schema::table_constraints)),
    ("information_schema.tables", Rows::Live(information_schema::tables)),
    ("information_schema.views", Rows::Live(information_schema::views)),
];

/// A relation of the catalog.
#[derive(Debug)]
pub(crate) struct Relation {
    /// Its schema.
    pub(crate) schema: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// Its columns, in order.
    pub(crate) columns: Vec<Column>,
    rows: Option<Rows>,
}

/// Every relation, in the order of schema and name.
pub(crate) static RELATIONS: LazyLock<Vec<Relation>> = LazyLock::new(|| {
    let lists = [("information_schema", INFORMATION_SCHEMA), ("pg_catalog", PG_CATALOG)];
    let relation = |schema, (name, columns)| {
        let full = format!("{schema}.{name}");
        let rows = ROWS.iter().find(|(known, _)| *known == full).map(|(_, rows)| *rows);
        Relation { schema, name, columns, rows }
    };
    lists
        .into_iter()
        .flat_map(|(schema, list)| relations(list).into_iter().map(move |found| relation(schema, found)))
        .collect()
});

impl Relation {
    /// Its columns for Arrow.
    pub(super) fn arrow_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.columns.iter().map(Column::field).collect::<Vec<_>>()))
    }

    /// Whether it can have rows at all.
    pub(super) fn has_rows(&self) -> bool {
        self.rows.is_some()
    }

    /// Whether its rows change with the tables or the session: neither empty nor a list.
    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.rows, None | Some(Rows::Constant(_)))
    }

    /// Its rows now.
    pub(super) fn batch(&self, snapshot: &Snapshot) -> Result<RecordBatch> {
        let mut builder = Builder::new(&self.columns);
        match self.rows {
            Some(Rows::Live(rows)) => rows(snapshot, &mut builder),
            Some(Rows::Constant(list)) => builder.read(list),
            None => {}
        }
        builder.finish(self.arrow_schema())
    }
}

/// Collects the rows of one relation.
pub(super) struct Builder<'a> {
    columns: &'a [Column],
    positions: HashMap<&'static str, usize>,
    defaults: Vec<Value>,
    rows: Vec<Vec<Value>>,
}

impl<'a> Builder<'a> {
    fn new(columns: &'a [Column]) -> Self {
        let positions = columns.iter().enumerate().map(|(i, column)| (column.name, i)).collect();
        Self { columns, positions, defaults: columns.iter().map(Column::default).collect(), rows: vec![] }
    }

    /// Adds a row. A column that is not named gets its zero where it is NOT NULL, else NULL; a name that the
    /// relation does not have is left out, so that one row can serve relations that share columns.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = (&'static str, Value)>) {
        let mut row = self.defaults.clone();
        for (name, value) in cells {
            if let Some(cell) = self.positions.get(name).and_then(|i| row.get_mut(*i)) {
                *cell = value;
            }
        }
        self.rows.push(row);
    }

    fn read(&mut self, list: &'static str) {
        let mut lines = list.lines();
        let names: Vec<_> = lines.next().unwrap_or_default().split('|').collect();
        for line in lines {
            let cells: Vec<_> = names
                .iter()
                .zip(line.split('|'))
                .filter_map(|(name, text)| {
                    let column = self.columns.get(*self.positions.get(name)?)?;
                    Some((column.name, column.read(text)))
                })
                .collect();
            self.row(cells);
        }
    }

    fn finish(self, schema: SchemaRef) -> Result<RecordBatch> {
        if self.rows.is_empty() {
            return Ok(RecordBatch::new_empty(schema));
        }
        let mut arrays = vec![];
        for (i, field) in schema.fields().iter().enumerate() {
            let cells: Vec<_> = self
                .rows
                .iter()
                .filter_map(|row| row.get(i))
                .map(|cell| cell.to_scalar(field.data_type()))
                .collect::<Result<_>>()?;
            arrays.push(ScalarValue::iter_to_array(cells)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows.len()));
        Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_of_rows_belongs_to_a_relation() {
        for (name, rows) in ROWS {
            let relation = RELATIONS.iter().find(|r| format!("{}.{}", r.schema, r.name) == *name);
            let relation = relation.unwrap_or_else(|| panic!("{name} is in no list"));
            if let Rows::Constant(list) = rows {
                for column in list.lines().next().unwrap().split('|') {
                    assert!(relation.columns.iter().any(|c| c.name == column), "{name}.{column}");
                }
                let batch = relation.batch(&Snapshot::default()).unwrap();
                assert_eq!(batch.num_rows(), list.lines().count() - 1, "{name}");
            }
        }
    }
}
