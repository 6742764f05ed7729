//! A Markdown table, as GitHub shows them.

use std::io::Write;

use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;

use super::{Column, Writer, rows};
use crate::cli::failure::Result;

/// Writes Markdown.
pub(super) struct Markdown {
    zone: Tz,
    columns: Vec<Column>,
}

impl Markdown {
    pub(super) fn new(zone: Tz) -> Self {
        Self { zone, columns: vec![] }
    }
}

/// A cell's text, with what would end the cell or begin markup made harmless.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '*' | '_' | '`' | '[' | ']' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\n' => out.push_str("<br>"),
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

impl Writer for Markdown {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> Result<()> {
        self.columns = columns.to_vec();
        let names: Vec<_> = columns.iter().map(|column| escaped(&column.name)).collect();
        let rules = columns.iter().map(|column| if column.is_number() { "---:" } else { "---" });
        writeln!(out, "| {} |", names.join(" | "))?;
        writeln!(out, "| {} |", rules.collect::<Vec<_>>().join(" | "))?;
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<()> {
        for row in rows(batch, &self.columns, self.zone)? {
            let cells: Vec<_> = row.iter().map(|cell| escaped(cell.as_deref().unwrap_or(""))).collect();
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<()> {
        // A blank line ends a Markdown table.
        writeln!(out)?;
        Ok(())
    }
}
