//! Rows as values.

use super::cell::Cell;
use super::kind::{Kind, Returns};
use super::show::text;
use super::{Def, on, variadic};

pub(super) const FUNCTIONS: &[Def] = &[
    Def::lenient(
        "pg_has_value",
        &[variadic(&[], Kind::Any, Returns::Bool, |_, args| {
            Ok(Cell::Bool(args.iter().any(|cell| *cell != Cell::Null)))
        })],
    ),
    Def::lenient(
        "num_nonnulls",
        &[variadic(&[], Kind::Any, Returns::Int4, |_, args| Ok(count(args, false)))],
    ),
    Def::lenient("num_nulls", &[variadic(&[], Kind::Any, Returns::Int4, |_, args| Ok(count(args, true)))]),
    Def::strict(
        "pg_record_text",
        &[on(&[Kind::Any], Returns::Text, |context, args| {
            Ok(args.first().and_then(|row| text(row, context.zone)).map_or(Cell::Null, Cell::Text))
        })],
    ),
];

fn count(args: &[Cell], nulls: bool) -> Cell {
    let counted = args.iter().filter(|cell| (**cell == Cell::Null) == nulls).count();
    Cell::Int(i64::try_from(counted).unwrap_or(i64::MAX))
}
