//! JSON: an array of objects, or an object a line.

use std::io::Write;

use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;

use super::value::JsonColumn;
use super::{Column, Writer, value};
use crate::cli::failure::Result;

/// Writes JSON.
pub(super) struct Json {
    zone: Tz,
    /// One array around everything.
    array: bool,
    columns: Vec<Column>,
    /// `"name":` of each column.
    keys: Vec<String>,
    first: bool,
}

impl Json {
    pub(super) fn array(zone: Tz) -> Self {
        Self { zone, array: true, columns: vec![], keys: vec![], first: true }
    }

    pub(super) fn lines(zone: Tz) -> Self {
        Self { array: false, ..Self::array(zone) }
    }
}

/// Names of which none occurs twice: a second `id` becomes `id_2`, since an object loses one of two equal keys.
fn unique(columns: &[Column]) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for column in columns {
        let free = |name: &String| {
            !names.contains(name) && (*name == column.name || columns.iter().all(|c| c.name != *name))
        };
        let numbered = (2..).map(|n| format!("{}_{n}", column.name));
        let name = std::iter::once(column.name.clone()).chain(numbered).find(free);
        names.extend(name);
    }
    names
}

impl Writer for Json {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> Result<()> {
        self.columns = columns.to_vec();
        self.keys = unique(columns)
            .iter()
            .map(|name| {
                let mut key = String::new();
                value::append_json_text(name, &mut key);
                key + ":"
            })
            .collect();
        if self.array {
            out.write_all(b"[")?;
        }
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<()> {
        let columns = batch.columns().iter().zip(&self.columns);
        let columns: Vec<_> = columns
            .map(|(array, column)| JsonColumn::new(array, column, self.zone))
            .collect::<Result<_>>()?;
        let mut line = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            if self.array {
                line.push_str(if self.first { "\n" } else { ",\n" });
            }
            self.first = false;
            line.push('{');
            for (i, (values, key)) in columns.iter().zip(&self.keys).enumerate() {
                if i > 0 {
                    line.push(',');
                }
                line.push_str(key);
                values.append(&mut line, row);
            }
            line.push('}');
            if !self.array {
                line.push('\n');
            }
            out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<()> {
        if self.array {
            out.write_all(if self.first { b"]\n" } else { b"\n]\n" })?;
        }
        Ok(())
    }
}
