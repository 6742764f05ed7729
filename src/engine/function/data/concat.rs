//! `concat` and `concat_ws`: values as PostgreSQL prints them, NULLs left out.

use super::cell::Cell;
use super::kind::{Kind, Returns};
use super::show::text;
use super::{Def, variadic};

pub(super) const FUNCTIONS: &[Def] = &[
    Def::lenient(
        "concat",
        &[variadic(&[], Kind::Any, Returns::Text, |context, args| {
            Ok(Cell::Text(args.iter().filter_map(|cell| text(cell, context.zone)).collect()))
        })],
    ),
    Def::lenient(
        "concat_ws",
        &[variadic(&[Kind::Text], Kind::Any, Returns::Text, |context, args| {
            let Some((Cell::Text(separator), rest)) = args.split_first() else { return Ok(Cell::Null) };
            let texts: Vec<String> = rest.iter().filter_map(|cell| text(cell, context.zone)).collect();
            Ok(Cell::Text(texts.join(separator)))
        })],
    ),
];
