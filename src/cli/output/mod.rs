//! Results on paper: record batches in, bytes out, in the format that was asked for.
//!
//! Every format streams but the aligned table, which looks at the first rows to find its widths. Absent on purpose:
//! errors and progress, which go to standard error and live elsewhere.

mod csv;
mod encoding;
mod json;
mod markdown;
mod table;
mod value;

pub(super) use encoding::{Encoding, encoded};
pub(super) use table::{Table, display_width};

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use clap::ValueEnum;

use super::failure::{Failure, Result};
use crate::engine::{NumericForm, SqlType, TextColumn};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Aligned columns, as psql shows them
    Table,
    /// Comma-separated values (RFC 4180) with a header
    Csv,
    /// An array of objects
    Json,
    /// An object a line
    Ndjson,
    /// A Markdown table
    Markdown,
}

/// A column of a result.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) sql_type: SqlType,
    pub(super) form: NumericForm,
}

impl Column {
    pub(super) fn all(schema: &Schema) -> Vec<Self> {
        let column = |field: &arrow::datatypes::FieldRef| Self {
            name: field.name().clone(),
            sql_type: SqlType::of(field),
            form: NumericForm::of(field),
        };
        schema.fields().iter().map(column).collect()
    }

    /// psql's rule: numbers stand at the right.
    pub(super) fn is_number(&self) -> bool {
        matches!(
            self.sql_type,
            SqlType::Int2
                | SqlType::Int4
                | SqlType::Int8
                | SqlType::Float4
                | SqlType::Float8
                | SqlType::Numeric
                | SqlType::Oid
        )
    }
}

/// Writes one result: `begin` once, then the batches, then `end`.
pub(super) trait Writer {
    /// The columns are known.
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> Result<()>;
    /// More rows.
    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<()>;
    /// No more rows.
    fn end(&mut self, out: &mut dyn Write) -> Result<()>;
}

impl Format {
    /// A writer for one result whose timestamps are shown in `zone`.
    pub(super) fn writer(self, encoding: Encoding, zone: Tz) -> Box<dyn Writer + Send> {
        match self {
            Self::Table => Box::new(Table::new(zone)),
            Self::Csv => Box::new(csv::Csv::new(encoding, zone)),
            Self::Json => Box::new(json::Json::array(zone)),
            Self::Ndjson => Box::new(json::Json::lines(zone)),
            Self::Markdown => Box::new(markdown::Markdown::new(zone)),
        }
    }
}

/// Standard output, or a file where a path is given.
pub(super) fn open(path: Option<&Path>) -> Result<Box<dyn Write + Send>> {
    let Some(path) = path else { return Ok(Box::new(BufWriter::new(io::stdout()))) };
    let file = File::create(path)
        .map_err(|error| Failure::own(format!("cannot write {}: {error}", path.display())))?;
    Ok(Box::new(BufWriter::new(file)))
}

/// The cells of a batch as text, a row at a time; NULL is `None`.
fn rows(batch: &RecordBatch, columns: &[Column], zone: Tz) -> Result<Vec<Vec<Option<String>>>> {
    let texts = batch.columns().iter().zip(columns);
    let texts = texts.map(|(array, column)| value::formed_column(array, column, zone));
    let texts: Vec<_> = texts.collect::<Result<_>>()?;
    let cell = |text: &TextColumn, row| {
        let mut cell = String::new();
        text.append(&mut cell, row).then_some(cell)
    };
    Ok((0..batch.num_rows()).map(|row| texts.iter().map(|text| cell(text, row)).collect()).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray, StringArray,
        TimestampMicrosecondArray,
    };
    use arrow::datatypes::{DataType, Field, Int64Type, TimeUnit};

    use super::*;

    fn batch() -> RecordBatch {
        let numeric = Decimal128Array::from(vec![Some(15_000_000_000_000), Some(-5_000_000_000), None])
            .with_precision_and_scale(38, 10)
            .unwrap();
        let zone: Arc<str> = "UTC".into();
        let columns: Vec<(Field, ArrayRef)> = vec![
            (SqlType::Int8.field("$id", false), Arc::new(Int64Array::from(vec![1, 22, 3]))),
            (
                SqlType::Text.field("会社名", true),
                Arc::new(StringArray::from(vec![
                    Some("㈱髙﨑\n「東京」"),
                    Some("𠮷野家, \"本店\" 🎉"),
                    None,
                ])),
            ),
            (SqlType::Numeric.field("金額", true), Arc::new(numeric)),
            (
                SqlType::Text.field("備考", true),
                Arc::new(StringArray::from(vec![Some("a|b"), Some(""), Some("ｶﾅ\t\u{1B}[31m\r\n2")])),
            ),
            (
                Field::new("いつ", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
                Arc::new(
                    TimestampMicrosecondArray::from(vec![Some(1_700_000_040_000_000), None, None])
                        .with_timezone(zone),
                ),
            ),
        ];
        let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    }

    fn written(format: Format, encoding: Encoding, batches: &[RecordBatch]) -> Result<Vec<u8>> {
        let mut writer = format.writer(encoding, chrono_tz::Asia::Tokyo);
        let mut out = vec![];
        writer.begin(&Column::all(&batches[0].schema()), &mut out)?;
        for batch in batches {
            writer.batch(batch, &mut out)?;
        }
        writer.end(&mut out)?;
        Ok(out)
    }

    fn check(format: Format, batch: RecordBatch, expected: &str) {
        let out = String::from_utf8(written(format, Encoding::Utf8, &[batch]).unwrap()).unwrap();
        assert_eq!(out, expected, "\n{out}");
    }

    fn one_column(name: &str, array: ArrayRef) -> RecordBatch {
        let field = Field::new(name, array.data_type().clone(), true);
        RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap()
    }

    #[test]
    fn the_table_is_as_psql_shows_it() {
        check(Format::Table, batch(), include_str!("golden/table.txt"));
        check(
            Format::Table,
            one_column("n", Arc::new(Int64Array::from(vec![1]))),
            " n \n---\n 1\n(1 row)\n\n",
        );
        check(
            Format::Table,
            one_column("会社名", Arc::new(StringArray::from(Vec::<&str>::new()))),
            " 会社名 \n--------\n(0 rows)\n\n",
        );
        check(
            Format::Table,
            one_column("x\nyy", Arc::new(StringArray::from(vec!["a\nb"]))),
            " x +\n yy \n----\n a +\n b\n(1 row)\n\n",
        );
        let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(1));
        let empty = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
        check(Format::Table, empty, "--\n(1 row)\n\n");
    }

    #[test]
    fn widths_hold_for_the_rows_that_stream() {
        let first = one_column("n", Arc::new(Int64Array::from((0..10_000).collect::<Vec<_>>())));
        let second = one_column("n", Arc::new(Int64Array::from(vec![5, 123_456])));
        let out = written(Format::Table, Encoding::Utf8, &[first, second]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("  n   \n------\n    0\n"), "{}", &text[..40]);
        assert!(text.ends_with(" 9999\n    5\n 123456\n(10002 rows)\n\n"));
    }

    #[test]
    fn csv_is_rfc_4180() {
        let expected = "$id,会社名,金額,備考,いつ\n\
             1,\"㈱髙﨑\n「東京」\",1500,a|b,2023-11-15 07:14:00+09\n\
             22,\"𠮷野家, \"\"本店\"\" 🎉\",-0.5,\"\",\n\
             3,,,\"ｶﾅ\t\u{1B}[31m\r\n2\",\n";
        check(Format::Csv, batch(), expected);
        let out =
            written(Format::Csv, Encoding::Utf8Bom, &[one_column("n", Arc::new(Int64Array::from(vec![1])))]);
        assert_eq!(out.unwrap(), b"\xEF\xBB\xBFn\r\n1\r\n");
    }

    #[test]
    fn csv_in_cp932_names_what_it_cannot_write() {
        let names = one_column("会社名", Arc::new(StringArray::from(vec!["㈱髙﨑", "𠮷野家"])));
        let out = written(Format::Csv, Encoding::Cp932, &[names.slice(0, 1)]);
        assert_eq!(out.unwrap(), b"\x89\xEF\x8E\xD0\x96\xBC\r\n\x87\x8A\xFB\xFC\xFA\xB1\r\n");
        let error = written(Format::Csv, Encoding::Cp932, &[names]).unwrap_err();
        assert!(
            error.message().starts_with("row 2, column \"会社名\": the character 𠮷 (U+20BB7)"),
            "{error:?}"
        );
    }

    #[test]
    fn json_keeps_types() {
        let rows = [
            r#"{"$id":1,"会社名":"㈱髙﨑\n「東京」","金額":1500,"備考":"a|b","いつ":"2023-11-15T07:14:00+09:00"}"#,
            r#"{"$id":22,"会社名":"𠮷野家, \"本店\" 🎉","金額":-0.5,"備考":"","いつ":null}"#,
            r#"{"$id":3,"会社名":null,"金額":null,"備考":"ｶﾅ\t\u001b[31m\r\n2","いつ":null}"#,
        ];
        check(Format::Json, batch(), &format!("[\n{}\n]\n", rows.join(",\n")));
        check(Format::Ndjson, batch(), &format!("{}\n", rows.join("\n")));
        check(Format::Json, batch().slice(0, 0), "[]\n");
        check(Format::Ndjson, batch().slice(0, 0), "");
    }

    #[test]
    fn json_has_arrays_jsonb_and_no_key_twice() {
        let list =
            ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), Some(vec![])]);
        let fields = vec![
            Field::new("a", list.data_type().clone(), true),
            SqlType::Jsonb.field("a", true),
            SqlType::Bool.field("b", true),
            SqlType::Float8.field("a_2", true),
        ];
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(list),
            Arc::new(StringArray::from(vec![Some("[{\"name\": \"見積.pdf\"}]"), None])),
            Arc::new(BooleanArray::from(vec![true, false])),
            Arc::new(Float64Array::from(vec![0.25, f64::NAN])),
        ];
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
        let expected = "{\"a\":[1,null],\"a_3\":[{\"name\": \"見積.pdf\"}],\"b\":true,\"a_2\":0.25}\n\
                        {\"a\":[],\"a_3\":null,\"b\":false,\"a_2\":\"NaN\"}\n";
        check(Format::Ndjson, batch, expected);
    }

    #[test]
    fn markdown_is_a_table() {
        let expected = "| $id | 会社名 | 金額 | 備考 | いつ |\n\
             | ---: | --- | ---: | --- | --- |\n\
             | 1 | ㈱髙﨑<br>「東京」 | 1500 | a\\|b | 2023-11-15 07:14:00+09 |\n\
             | 22 | 𠮷野家, \"本店\" 🎉 | -0.5 |  |  |\n\
             | 3 |  |  | ｶﾅ\t\u{1B}\\[31m<br>2 |  |\n\n";
        check(Format::Markdown, batch(), expected);
    }
}
