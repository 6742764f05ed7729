//! Collects the rows of one relation: only the columns that are asked for, only rows that a filter may keep.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int16Array, Int32Array, Int64Array, StringArray, new_empty_array,
};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::ScalarValue;
use datafusion::error::Result;

use super::Value;
use super::column::Column;
use super::rows;

/// What a filter leaves of a column: one of these values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Restriction {
    /// The column's place in the relation.
    pub(super) column: usize,
    /// The values that pass.
    pub(super) values: Vec<Value>,
}

/// Collects the rows of one relation.
pub(super) struct Builder<'a> {
    columns: &'a [Column],
    restrictions: &'a [Restriction],
    positions: HashMap<&'static str, usize>,
    defaults: Vec<Value>,
    /// The places of the columns that are asked for.
    wanted: Vec<usize>,
    /// Their cells, column by column.
    cells: Vec<Vec<Value>>,
    rows: usize,
}

impl<'a> Builder<'a> {
    /// For the columns of a relation at these places; all of them without.
    pub(super) fn new(
        columns: &'a [Column],
        wanted: Option<&[usize]>,
        restrictions: &'a [Restriction],
    ) -> Self {
        let wanted: Vec<usize> = wanted.map_or_else(|| (0..columns.len()).collect(), <[usize]>::to_vec);
        Self {
            columns,
            restrictions,
            positions: columns.iter().enumerate().map(|(i, column)| (column.name, i)).collect(),
            defaults: columns.iter().map(Column::default).collect(),
            cells: vec![vec![]; wanted.len()],
            wanted,
            rows: 0,
        }
    }

    /// Whether a row with this value may be kept: where not, it need not be made.
    pub(super) fn may_keep(&self, column: &str, value: &Value) -> bool {
        let place = self.positions.get(column);
        let mut known = self.restrictions.iter().filter(|known| Some(&known.column) == place);
        known.all(|known| known.values.contains(value))
    }

    /// Adds a row. A column that is not named gets its zero where it is NOT NULL, else NULL; a name that the
    /// relation does not have is left out, so that one row can serve relations that share columns.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = (&'static str, Value)>) {
        let row = self.defaults.clone();
        self.fill(row, cells);
    }

    /// Adds a row whose counters, where they are not named, are 0.
    pub(super) fn counted(&mut self, cells: impl IntoIterator<Item = (&'static str, Value)>) {
        let row = self.columns.iter().map(Column::counter).collect();
        self.fill(row, cells);
    }

    fn fill(&mut self, mut row: Vec<Value>, cells: impl IntoIterator<Item = (&'static str, Value)>) {
        for (name, value) in cells {
            if let Some(cell) = self.positions.get(name).and_then(|i| row.get_mut(*i)) {
                *cell = value;
            }
        }
        let kept = |known: &Restriction| row.get(known.column).is_none_or(|cell| known.values.contains(cell));
        if !self.restrictions.iter().all(kept) {
            return;
        }
        self.rows += 1;
        for (place, cells) in self.wanted.iter().zip(&mut self.cells) {
            cells.push(row.get(*place).cloned().unwrap_or(Value::Null));
        }
    }

    /// Adds the rows of a list that never changes.
    pub(super) fn read(&mut self, list: &'static str) {
        let (names, rows) = rows::read(list);
        for row in rows {
            let cells: Vec<_> = names
                .iter()
                .zip(row)
                .filter_map(|(name, text)| {
                    let column = self.columns.get(*self.positions.get(name)?)?;
                    Some((column.name, text.map_or(Value::Null, |text| column.read(text))))
                })
                .collect();
            self.row(cells);
        }
    }

    /// The rows, with the columns that were asked for.
    pub(super) fn finish(self, schema: SchemaRef) -> Result<RecordBatch> {
        let arrays = schema
            .fields()
            .iter()
            .zip(&self.cells)
            .map(|(field, cells)| array(cells, field.data_type()))
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
    }
}

fn array(cells: &[Value], data_type: &DataType) -> Result<ArrayRef> {
    if cells.is_empty() {
        return Ok(new_empty_array(data_type));
    }
    let ints = || cells.iter().map(|cell| if let Value::Int(v) = cell { Some(*v) } else { None });
    Ok(match data_type {
        DataType::Utf8 => Arc::new(StringArray::from_iter(cells.iter().map(|cell| match cell {
            Value::Null => None,
            Value::Text(text) => Some(std::borrow::Cow::Borrowed(text.as_str())),
            other => Some(std::borrow::Cow::Owned(other.text())),
        }))),
        DataType::Boolean => Arc::new(BooleanArray::from_iter(
            cells.iter().map(|cell| if let Value::Bool(v) = cell { Some(*v) } else { None }),
        )),
        DataType::Int64 => Arc::new(Int64Array::from_iter(ints())),
        DataType::Int32 => {
            Arc::new(Int32Array::from_iter(ints().map(|v| v.and_then(|v| i32::try_from(v).ok()))))
        }
        DataType::Int16 => {
            Arc::new(Int16Array::from_iter(ints().map(|v| v.and_then(|v| i16::try_from(v).ok()))))
        }
        _ => {
            let cells = cells.iter().map(|cell| cell.to_scalar(data_type)).collect::<Result<Vec<_>>>()?;
            ScalarValue::iter_to_array(cells)?
        }
    })
}
