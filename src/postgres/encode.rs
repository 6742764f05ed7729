//! Batches as DataRow messages, column by column, in the formats that the client asked for.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::{BufMut, BytesMut};
use pgwire::messages::data::{FORMAT_CODE_BINARY, FORMAT_CODE_TEXT, FieldDescription, RowDescription};

use super::binary::BinaryColumn;
use super::copy::CopyFormat;
use super::failure::{Failure, c_string};
use super::types::{type_size, wire_type};
use crate::engine::{NumericForm, SqlType, TextColumn, TextOptions, column_origin};
use crate::error::Error;

/// PostgreSQL's own limit of a result (`MaxTupleAttributeNumber`).
const MAX_COLUMNS: usize = 1664;

/// A result's columns, each with its type and its format.
#[derive(Debug, Clone)]
pub(super) struct RowLayout {
    columns: Vec<Column>,
    /// The rows are those of a COPY.
    copy: Option<CopyFormat>,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    sql_type: SqlType,
    form: NumericForm,
    binary: bool,
    /// The table that it comes from and its number there; zeros where it is computed.
    origin: (i32, i16),
}

impl RowLayout {
    /// `formats` are the codes of a Bind message: none for text, one for all, or one for each.
    pub(super) fn new(schema: &SchemaRef, formats: &[i16]) -> Result<Self, Failure> {
        let count = schema.fields().len();
        if count > MAX_COLUMNS {
            let message = format!("the result has {count} columns; at most {MAX_COLUMNS} can be sent");
            return Err(Failure::error("54011", message));
        }
        let mut columns = Vec::with_capacity(count);
        for (at, field) in schema.fields().iter().enumerate() {
            columns.push(Column {
                name: c_string(field.name()),
                sql_type: SqlType::of(field),
                form: NumericForm::of(field),
                binary: is_binary(formats, at, count)?,
                origin: column_origin(field)
                    .and_then(|(table, number)| Some((i32::try_from(table).ok()?, number)))
                    .unwrap_or_default(),
            });
        }
        Ok(Self { columns, copy: None })
    }

    /// Rows of a COPY.
    pub(super) fn of_copy(schema: &SchemaRef, format: CopyFormat) -> Result<Self, Failure> {
        let code = if format.is_binary() { FORMAT_CODE_BINARY } else { FORMAT_CODE_TEXT };
        Ok(Self { copy: Some(format), ..Self::new(schema, &[code])? })
    }

    /// What stands in front of the first row, in its message.
    pub(super) fn before(&self) -> &'static [u8] {
        self.copy.as_ref().map_or(&[], CopyFormat::before)
    }

    /// The columns' names.
    pub(super) fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// The message that announces the rows.
    pub(super) fn description(&self) -> RowDescription {
        let fields = self.columns.iter().map(|column| {
            let format = if column.binary { FORMAT_CODE_BINARY } else { FORMAT_CODE_TEXT };
            let oid = wire_type(&column.sql_type).oid();
            let (table, number) = column.origin;
            FieldDescription::new(
                column.name.clone(),
                table,
                number,
                oid,
                type_size(&column.sql_type),
                -1,
                format,
            )
        });
        RowDescription::new(fields.collect())
    }

    /// Prepares a batch of the result.
    pub(super) fn rows(&self, batch: &RecordBatch, options: TextOptions) -> Result<BatchRows, Error> {
        if batch.num_columns() != self.columns.len() {
            return Err(Error::internal("a batch has other columns than its result"));
        }
        let columns = self.columns.iter().zip(batch.columns()).map(|(column, array)| {
            let prepared = if column.binary {
                BinaryColumn::new(array, &column.sql_type, options, column.form).map(Values::Binary)
            } else {
                TextColumn::with_form(array, &column.sql_type, options, column.form).map(Values::Text)
            };
            prepared.map_err(|error| {
                let sql_type = column.sql_type.name();
                Error::internal(format!("column \"{}\" cannot be sent as {sql_type}: {error}", column.name))
            })
        });
        let columns = columns.collect::<Result<_, _>>()?;
        let field_count = i16::try_from(self.columns.len()).unwrap_or(i16::MAX);
        Ok(BatchRows {
            columns,
            copy: self.copy.as_ref().map(|format| (format.clone(), self.columns.clone())),
            count: batch.num_rows(),
            next: 0,
            field_count,
            text: String::new(),
        })
    }
}

/// Whether the value at `at` of `count` is in binary format.
pub(super) fn is_binary(formats: &[i16], at: usize, count: usize) -> Result<bool, Failure> {
    let code = match formats {
        [] => FORMAT_CODE_TEXT,
        [all] => *all,
        each if each.len() == count => each.get(at).copied().unwrap_or(FORMAT_CODE_TEXT),
        each => {
            let message = format!("bind message has {} format codes for {count} values", each.len());
            return Err(Failure::error("08P01", message));
        }
    };
    match code {
        FORMAT_CODE_TEXT => Ok(false),
        FORMAT_CODE_BINARY => Ok(true),
        other => Err(Failure::error("22023", format!("unsupported format code: {other}"))),
    }
}

enum Values {
    Text(TextColumn),
    Binary(BinaryColumn),
}

/// The rows of one batch, sent from the first to the last.
pub(super) struct BatchRows {
    columns: Vec<Values>,
    copy: Option<(CopyFormat, Vec<Column>)>,
    count: usize,
    next: usize,
    field_count: i16,
    text: String,
}

impl BatchRows {
    /// Whether all rows are sent.
    pub(super) fn is_empty(&self) -> bool {
        self.next >= self.count
    }

    /// Writes the next row as a message, straight into what goes out; `before` stands in front of it, once.
    pub(super) fn encode_next(&mut self, out: &mut BytesMut, before: &mut Vec<u8>) -> Result<(), Error> {
        let row = self.next;
        self.next += 1;
        let start = out.len();
        out.put_u8(if self.copy.is_some() { b'd' } else { b'D' });
        out.put_i32(0);
        out.put_slice(before);
        before.clear();
        match self.copy.take() {
            Some((format, columns)) if !format.is_binary() => {
                self.put_line(out, row, &format, &columns);
                self.copy = Some((format, columns));
            }
            copy => {
                self.copy = copy;
                self.put_fields(out, row);
            }
        }
        // The length counts itself, and not the letter before it.
        let length = i32::try_from(out.len() - start - 1)
            .map_err(|_| Error::internal("a row is larger than a message can be"))?;
        if let Some(place) = out.get_mut(start + 1..start + 5) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    fn put_fields(&mut self, out: &mut BytesMut, row: usize) {
        out.put_i16(self.field_count);
        for column in &self.columns {
            match column {
                Values::Binary(column) => column.append(out, row),
                Values::Text(column) => {
                    self.text.clear();
                    if column.append(&mut self.text, row) {
                        out.put_i32(i32::try_from(self.text.len()).unwrap_or(i32::MAX));
                        out.put_slice(self.text.as_bytes());
                    } else {
                        out.put_i32(-1);
                    }
                }
            }
        }
    }

    fn put_line(&mut self, out: &mut BytesMut, row: usize, format: &CopyFormat, columns: &[Column]) {
        for (at, (column, of)) in self.columns.iter().zip(columns).enumerate() {
            format.separate(out, at);
            self.text.clear();
            let filled = matches!(column, Values::Text(column) if column.append(&mut self.text, row));
            format.put(out, filled.then_some(self.text.as_str()), &of.name);
        }
        out.put_u8(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn batch() -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new("n", DataType::Int32, true),
            Field::new("氏名", DataType::Utf8, true),
        ]);
        let columns: [ArrayRef; 2] =
            [Arc::new(Int32Array::from(vec![Some(7), None])), Arc::new(StringArray::from(vec!["a", "é"]))];
        RecordBatch::try_new(Arc::new(schema), columns.to_vec()).unwrap()
    }

    fn encoded(formats: &[i16]) -> Vec<u8> {
        let layout = RowLayout::new(&batch().schema(), formats).unwrap();
        let mut rows = layout.rows(&batch(), TextOptions { time_zone: chrono_tz::UTC }).unwrap();
        let mut out = BytesMut::new();
        while !rows.is_empty() {
            rows.encode_next(&mut out, &mut vec![]).unwrap();
        }
        out.to_vec()
    }

    #[test]
    fn rows_are_data_row_messages() {
        assert_eq!(
            encoded(&[]),
            b"D\0\0\0\x10\0\x02\0\0\0\x017\0\0\0\x01aD\0\0\0\x10\0\x02\xff\xff\xff\xff\0\0\0\x02\xc3\xa9"
        );
        assert_eq!(encoded(&[1, 0])[..20], *b"D\0\0\0\x13\0\x02\0\0\0\x04\0\0\0\x07\0\0\0\x01a");
    }

    #[test]
    fn the_description_names_oids_and_formats() {
        let layout = RowLayout::new(&batch().schema(), &[1]).unwrap();
        let fields = layout.description().fields;
        let seen: Vec<_> =
            fields.iter().map(|f| (f.name.as_str(), f.type_id, f.type_size, f.format_code)).collect();
        assert_eq!(seen, [("n", 23, 4, 1), ("氏名", 25, -1, 1)]);
    }

    #[test]
    fn format_codes_must_fit_the_columns() {
        for formats in [&[0, 0, 0][..], &[2]] {
            assert!(RowLayout::new(&batch().schema(), formats).is_err(), "{formats:?}");
        }
    }
}
