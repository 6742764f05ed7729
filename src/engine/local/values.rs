//! Texts of a file as the values of a column.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListBuilder, StringArray, StringBuilder, new_empty_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use datafusion::common::ScalarValue;

use super::columns::ColumnDefinition;
use crate::engine::SqlType;
use crate::engine::dialect::array_items;
use crate::engine::input::read;
use crate::table::append_jsonb;

/// A value of a file, before it is of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    /// A text, a number, true or false.
    Text(String),
    /// JSON as it stands in the file.
    Json(String),
    /// The items of a JSON list.
    List(Vec<Option<String>>),
}

/// Collects the cells of one column for one batch.
pub(super) struct Values<'c> {
    column: &'c ColumnDefinition,
    cells: Vec<Cell>,
}

/// What is wrong with a value: its place in the batch, and why.
#[derive(Debug)]
pub(super) struct BadCell {
    pub(super) row: usize,
    pub(super) why: String,
}

impl<'c> Values<'c> {
    pub(super) fn new(column: &'c ColumnDefinition) -> Self {
        Self { column, cells: vec![] }
    }

    pub(super) fn push(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// The array of what was pushed; nothing is left of it.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, BadCell> {
        let cells = std::mem::take(&mut self.cells);
        if !self.column.nullable
            && let Some(row) = cells.iter().position(|cell| *cell == Cell::Null)
        {
            return Err(BadCell { row, why: "has no value, and may not be NULL".into() });
        }
        self.array(&cells).map_err(|error| self.locate(&cells, &error))
    }

    /// Which cell it was: each alone, since the kernels do not say.
    fn locate(&self, cells: &[Cell], error: &ArrowError) -> BadCell {
        let alone = |cell: &Cell| self.array(std::slice::from_ref(cell)).err();
        let found = cells.iter().enumerate().find_map(|(row, cell)| Some((row, cell, alone(cell)?)));
        match found {
            Some((row, Cell::Text(text) | Cell::Json(text), _)) => {
                BadCell { row, why: format!("is no {}: {text}", self.column.sql_type.name()) }
            }
            Some((row, _, error)) => {
                BadCell { row, why: format!("is no {}: {error}", self.column.sql_type.name()) }
            }
            None => BadCell { row: 0, why: error.to_string() },
        }
    }

    fn array(&self, cells: &[Cell]) -> Result<ArrayRef, ArrowError> {
        match &self.column.sql_type {
            SqlType::Array(_) => self.lists(cells),
            SqlType::Jsonb => Ok(Arc::new(cells.iter().map(json).collect::<Result<StringArray, _>>()?)),
            SqlType::Uuid => {
                let uuid = |cell: &Cell| -> Result<Option<String>, ArrowError> {
                    let Some(text) = text(cell)? else { return Ok(None) };
                    match read(text, &SqlType::Uuid, chrono_tz::UTC) {
                        Ok(ScalarValue::Utf8(uuid)) => Ok(uuid),
                        _ => Err(bad(text)),
                    }
                };
                Ok(Arc::new(cells.iter().map(uuid).collect::<Result<StringArray, _>>()?))
            }
            SqlType::Numeric => {
                let texts = cells.iter().map(|cell| text(cell).map(|t| t.map(str::trim)));
                let texts = texts.collect::<Result<Vec<_>, _>>()?;
                if let DataType::Decimal128(_, scale) = self.column.data_type
                    && let Some(text) = texts.iter().flatten().find(|text| loses_digits(text, scale))
                {
                    return Err(ArrowError::CastError(format!(
                        "{text} has more than {scale} decimal places"
                    )));
                }
                typed(&StringArray::from(texts), &self.column.data_type)
            }
            _ => {
                let texts = cells.iter().map(text).collect::<Result<StringArray, _>>()?;
                typed(&texts, &self.column.data_type)
            }
        }
    }

    fn lists(&self, cells: &[Cell]) -> Result<ArrayRef, ArrowError> {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for cell in cells {
            match cell {
                Cell::Null => builder.append_null(),
                Cell::List(items) => builder.append_value(items.iter().map(Option::as_deref)),
                Cell::Text(text) | Cell::Json(text) => {
                    let items = array_items(text).ok_or_else(|| bad(text))?;
                    builder.append_value(items.iter().map(Some));
                }
            }
        }
        typed(&builder.finish(), &self.column.data_type)
    }

    /// No rows.
    pub(super) fn nothing(&self) -> ArrayRef {
        new_empty_array(&self.column.data_type)
    }
}

fn bad(text: &str) -> ArrowError {
    ArrowError::CastError(text.to_owned())
}

/// A cast that fails where a value does not fit, instead of giving NULL.
pub(super) fn typed(array: &dyn Array, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(array, data_type, &CastOptions { safe: false, ..CastOptions::default() })
}

fn text(cell: &Cell) -> Result<Option<&str>, ArrowError> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Text(text) | Cell::Json(text) => Ok(Some(text)),
        Cell::List(_) => Err(bad("a list")),
    }
}

fn json(cell: &Cell) -> Result<Option<String>, ArrowError> {
    let Some(text) = text(cell)? else { return Ok(None) };
    let mut out = String::with_capacity(text.len());
    append_jsonb(&mut out, text).map_err(|_| bad(text))?;
    Ok(Some(out))
}

/// Whether a number has digits after the point that the column has no place for.
fn loses_digits(text: &str, scale: i8) -> bool {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction.trim_end_matches('0'));
    !text.contains(['e', 'E']) && fraction.len() > usize::from(scale.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use arrow::util::display::array_value_to_string;

    use super::super::columns::parse;
    use super::*;

    fn read(sql_type: &str, cell: Cell) -> Result<String, String> {
        let definition = parse(&format!("c {sql_type}")).unwrap();
        let mut values = Values::new(&definition.columns[0]);
        values.push(cell);
        let array = values.finish().map_err(|bad| bad.why)?;
        assert_eq!(*array.data_type(), definition.columns[0].data_type);
        Ok(array_value_to_string(&array, 0).unwrap())
    }

    fn of(sql_type: &str, text: &str) -> Result<String, String> {
        read(sql_type, Cell::Text(text.into()))
    }

    #[test]
    fn texts_become_values() {
        for (sql_type, text, shown) in [
            ("boolean", "true", "true"),
            ("boolean", "f", "false"),
            ("bigint", "-12", "-12"),
            ("numeric(20,4)", "1234.5678", "1234.5678"),
            ("numeric", "12345678901234567890.5", "12345678901234567890.5000000000"),
            ("date", "2024-02-29", "2024-02-29"),
            ("time", "00:07:00", "00:07:00"),
            ("timestamptz", "2024-01-01T09:37:00+09:00", "2024-01-01T00:37:00Z"),
            ("timestamptz", "2024-01-01 00:37:00+00", "2024-01-01T00:37:00Z"),
            ("text[]", "{a,\"b,c\"}", "[a, b,c]"),
            ("bigint[]", "{1,2}", "[1, 2]"),
            ("jsonb", "{\"a\":[1,2]}", "{\"a\": [1, 2]}"),
        ] {
            assert_eq!(of(sql_type, text).as_deref(), Ok(shown), "{sql_type} {text}");
        }
        assert_eq!(read("text", Cell::Null).as_deref(), Ok(""));
        let list = Cell::List(vec![Some("東京".into()), None, Some(String::new())]);
        assert_eq!(read("text[]", list).as_deref(), Ok("[東京, , ]"));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for (sql_type, text, why) in [
            ("bigint", "12x", "is no bigint: 12x"),
            ("numeric(5,2)", "1.234", "is no numeric: 1.234"),
            ("numeric(5,2)", "12345.6", "is no numeric: 12345.6"),
            ("date", "2023-02-29", "is no date: 2023-02-29"),
            ("boolean", "perhaps", "is no boolean: perhaps"),
            ("jsonb", "{", "is no jsonb: {"),
            ("text[]", "a", "is no text[]: a"),
        ] {
            assert_eq!(of(sql_type, text), Err(why.to_owned()), "{sql_type} {text}");
        }
        assert_eq!(read("text not null", Cell::Null), Err("has no value, and may not be NULL".into()));
    }
}
