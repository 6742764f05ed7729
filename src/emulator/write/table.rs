//! A table's rows: what was sent, merged with what was there (K§4.2).

use std::collections::BTreeMap;

use super::super::field::Field;
use super::super::value::{TableRow, Value};
use super::draft::RowDraft;

/// The new rows, which are exactly those that were sent: one with the id of a row that was there keeps its
/// other values, any other is new. `fill` gives what a new row holds before; `last_row` numbers it.
pub(super) fn merge(
    table: &Field,
    old: Option<&Value>,
    sent: &[RowDraft],
    fill: impl Fn() -> BTreeMap<usize, Value>,
    last_row: &mut u64,
) -> Value {
    let old: &[TableRow] = if let Some(Value::Rows(rows)) = old { rows } else { &[] };
    let rows = sent.iter().map(|draft| {
        let known = old.iter().find(|row| Some(row.id) == draft.id);
        let id = known.map_or_else(
            || {
                *last_row += 1;
                *last_row
            },
            |row| row.id,
        );
        let filled = if known.is_none() { fill() } else { BTreeMap::new() };
        let cell = |index: usize| {
            let kept = known.and_then(|row| row.cells.get(index));
            draft.cells.get(&index).or(kept).or(filled.get(&index)).cloned().unwrap_or(Value::Empty)
        };
        TableRow { id, cells: (0..table.columns.len()).map(cell).collect() }
    });
    let rows: Vec<TableRow> = rows.collect();
    if rows.is_empty() { Value::Empty } else { Value::Rows(rows.into()) }
}
