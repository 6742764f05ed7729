//! psql's aligned table: a centred header, numbers at the right, `+` where a cell goes on in the next line.

use std::io::Write;

use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use unicode_width::UnicodeWidthStr;

use super::{Column, Writer, rows};
use crate::cli::failure::Result;

/// So many rows decide about the widths; after them, rows stream, and a wider cell sticks out. psql holds every row
/// in memory instead.
const ROWS_MEASURED: usize = 10_000;

/// The columns that a text takes on a terminal: two for a Chinese, Japanese or Korean character.
pub(in crate::cli) fn display_width(text: &str) -> usize {
    text.width()
}

/// A cell, or a header, as lines that can be shown.
struct Cell {
    lines: Vec<(String, usize)>,
}

impl Cell {
    fn new(text: &str) -> Self {
        let line = |line: &str| {
            let shown = printable(line);
            let width = display_width(&shown);
            (shown, width)
        };
        Self { lines: text.split('\n').map(line).collect() }
    }

    fn width(&self) -> usize {
        self.lines.iter().map(|(_, width)| *width).max().unwrap_or(0)
    }
}

/// Control characters as psql shows them, so that no text from a record drives the terminal.
fn printable(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\t' => {
                let column = display_width(&out);
                out.extend(std::iter::repeat_n(' ', 8 - column % 8));
            }
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            // Text direction marks would reorder the rest of the line.
            c if matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}') => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

/// Writes aligned tables.
pub(in crate::cli) struct Table {
    zone: Tz,
    columns: Vec<Column>,
    /// Rows that wait for the widths; `None` once the header is out.
    waiting: Option<Vec<Vec<Cell>>>,
    widths: Vec<usize>,
    count: usize,
}

impl Table {
    pub(in crate::cli) fn new(zone: Tz) -> Self {
        Self { zone, columns: vec![], waiting: None, widths: vec![], count: 0 }
    }

    /// Ends the table without the number of its rows.
    pub(in crate::cli) fn end_without_count(&mut self, out: &mut dyn Write) -> Result<()> {
        self.header_and_waiting(out)
    }

    fn header_and_waiting(&mut self, out: &mut dyn Write) -> Result<()> {
        let Some(waiting) = self.waiting.take() else { return Ok(()) };
        let headers: Vec<_> = self.columns.iter().map(|column| Cell::new(&column.name)).collect();
        self.widths = headers.iter().map(Cell::width).collect();
        for row in &waiting {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        self.lines(&headers, true, out)?;
        let rules: Vec<_> = self.widths.iter().map(|width| "-".repeat(width + 2)).collect();
        writeln!(out, "{}", if rules.is_empty() { "--".into() } else { rules.join("+") })?;
        for row in &waiting {
            self.lines(row, false, out)?;
        }
        Ok(())
    }

    /// One row: as many lines as its tallest cell has.
    fn lines(&self, cells: &[Cell], header: bool, out: &mut dyn Write) -> Result<()> {
        // A result without columns has no lines, only a count.
        let height = cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(0);
        for n in 0..height {
            let mut line = String::new();
            for (i, (cell, width)) in cells.iter().zip(&self.widths).enumerate() {
                let last = i + 1 == cells.len();
                let (text, used) = cell.lines.get(n).map_or(("", 0), |(text, used)| (text.as_str(), *used));
                let free = width.saturating_sub(used);
                let before = match self.columns.get(i) {
                    _ if header => free / 2,
                    Some(column) if column.is_number() => free,
                    _ => 0,
                };
                let goes_on = n + 1 < cell.lines.len();
                // Nothing needs to follow the last cell of a data line.
                let open_end = last && !header && !goes_on;
                line.push(' ');
                if !open_end || !text.is_empty() {
                    line.extend(std::iter::repeat_n(' ', before));
                }
                line.push_str(text);
                if !open_end {
                    line.extend(std::iter::repeat_n(' ', free - before));
                    line.push(if goes_on { '+' } else { ' ' });
                }
                if !last {
                    line.push('|');
                }
            }
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

impl Writer for Table {
    fn begin(&mut self, columns: &[Column], _: &mut dyn Write) -> Result<()> {
        self.columns = columns.to_vec();
        self.waiting = Some(vec![]);
        Ok(())
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<()> {
        for row in rows(batch, &self.columns, self.zone)? {
            self.count += 1;
            let cells: Vec<_> = row.iter().map(|cell| Cell::new(cell.as_deref().unwrap_or(""))).collect();
            match &mut self.waiting {
                Some(waiting) => {
                    waiting.push(cells);
                    if waiting.len() == ROWS_MEASURED {
                        self.header_and_waiting(out)?;
                    }
                }
                None => self.lines(&cells, false, out)?,
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<()> {
        self.header_and_waiting(out)?;
        writeln!(out, "({} {})\n", self.count, if self.count == 1 { "row" } else { "rows" })?;
        Ok(())
    }
}
