//! A table's rows: what was sent, merged with what was there (K§4.2).

use std::collections::{BTreeMap, BTreeSet};

use super::super::field::Field;
use super::super::value::{TableRow, Value};
use super::draft::RowDraft;

/// The new rows, which are exactly those that were sent: one with the id of a row that was there keeps its
/// other values, any other is new. `filled` is what a new row holds before; `last_row` numbers it.
pub(super) fn merge(
    table: &Field,
    old: &Value,
    sent: &[RowDraft],
    filled: &BTreeMap<usize, Value>,
    last_row: &mut u64,
) -> Value {
    let old: &[TableRow] = if let Value::Rows(rows) = old { rows } else { &[] };
    let mut taken = BTreeSet::new();
    let rows = sent.iter().map(|draft| {
        // A row that is named twice is there once.
        let known = old.iter().find(|row| Some(row.id) == draft.id && taken.insert(row.id));
        let id = known.map_or_else(
            || {
                *last_row += 1;
                *last_row
            },
            |row| row.id,
        );
        let cell = |index: usize| {
            let before = match known {
                Some(row) => row.cells.get(index),
                None => filled.get(&index),
            };
            draft.cells.get(&index).or(before).cloned().unwrap_or(Value::Empty)
        };
        TableRow { id, cells: (0..table.columns.len()).map(cell).collect() }
    });
    let rows: Vec<TableRow> = rows.collect();
    if rows.is_empty() { Value::Empty } else { Value::Rows(rows.into()) }
}
