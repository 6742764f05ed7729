//! Comma-separated values: RFC 4180, a header line, NULL as nothing, an empty text as `""`.

use std::io::Write;

use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;

use super::{Column, Encoding, Writer, encoded, rows};
use crate::cli::failure::Result;

/// Writes CSV.
pub(super) struct Csv {
    encoding: Encoding,
    zone: Tz,
    columns: Vec<Column>,
    row: usize,
}

impl Csv {
    pub(super) fn new(encoding: Encoding, zone: Tz) -> Self {
        Self { encoding, zone, columns: vec![], row: 0 }
    }

    fn line<'c>(&self, cells: impl Iterator<Item = Option<&'c str>>, out: &mut dyn Write) -> Result<()> {
        for (i, cell) in cells.enumerate() {
            if i > 0 {
                out.write_all(b",")?;
            }
            let place = || {
                let column = self.columns.get(i).map_or("", |column| column.name.as_str());
                if self.row == 0 {
                    "the header".into()
                } else {
                    format!("row {}, column \"{column}\"", self.row)
                }
            };
            let text = quoted(cell);
            match self.encoding {
                Encoding::Cp932 => out.write_all(&encoded(&text, self.encoding, &place())?)?,
                _ => out.write_all(text.as_bytes())?,
            }
        }
        out.write_all(self.encoding.line_end().as_bytes())?;
        Ok(())
    }
}

/// A field, in quotes where it needs them.
fn quoted(cell: Option<&str>) -> std::borrow::Cow<'_, str> {
    match cell {
        None => "".into(),
        Some("") => "\"\"".into(),
        Some(text) if text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\"")).into()
        }
        Some(text) => text.into(),
    }
}

impl Writer for Csv {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> Result<()> {
        self.columns = columns.to_vec();
        out.write_all(self.encoding.mark())?;
        self.line(columns.iter().map(|column| Some(column.name.as_str())), out)
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<()> {
        for row in rows(batch, &self.columns, self.zone)? {
            self.row += 1;
            self.line(row.iter().map(Option::as_deref), out)?;
        }
        Ok(())
    }

    fn end(&mut self, _: &mut dyn Write) -> Result<()> {
        Ok(())
    }
}
