//! Casts that Arrow's kernels do in another form than PostgreSQL: a value as text, a `numeric` as a float.

use super::cell::Cell;
use super::kind::{Kind, Returns};
use super::show::text;
use super::{Def, on};
use crate::table::FLOAT;

pub(super) const FUNCTIONS: &[Def] = &[
    Def::strict(
        "pg_text",
        &[on(&[Kind::Any], Returns::Text, |context, args| {
            Ok(args.first().and_then(|cell| text(cell, context.zone)).map_or(Cell::Null, Cell::Text))
        })],
    ),
    // The items of an array, each as a text.
    Def::strict(
        "pg_texts",
        &[on(&[Kind::Any], Returns::Word("text[]"), |context, args| {
            let Some(Cell::List(items)) = args.first() else { return Ok(Cell::Null) };
            let texts = items.iter().map(|item| text(item, context.zone).map_or(Cell::Null, Cell::Text));
            Ok(Cell::List(texts.collect()))
        })],
    ),
    // Through the digits: the nearest of all floats.
    Def::strict(
        FLOAT,
        &[on(&[Kind::Numeric], Returns::Float, |_, args| {
            Ok(args.first().map_or(Cell::Null, |cell| Cell::Float(cell.float())))
        })],
    ),
];
