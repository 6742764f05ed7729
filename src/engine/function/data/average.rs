//! `avg` as a quotient of a sum and a count.

use super::cell::Cell;
use super::interval::scaled;
use super::kind::{Kind, Returns};
use super::{Def, on};

pub(super) const FUNCTIONS: &[Def] = &[Def::strict(
    "pg_average",
    &[
        on(&[Kind::Int, Kind::Int], Returns::Wide, |_, args| exact(args)),
        on(&[Kind::Numeric, Kind::Int], Returns::Wide, |_, args| exact(args)),
        on(&[Kind::Float, Kind::Int], Returns::Float, |_, args| {
            let [sum, count] = args else { return Ok(Cell::Null) };
            Ok(Cell::Float(sum.float() / count.float()))
        }),
        on(&[Kind::Interval, Kind::Int], Returns::Interval, |_, args| {
            let [sum, count] = args else { return Ok(Cell::Null) };
            scaled(sum.span(), |part| part / count.float()).map(Cell::Interval)
        }),
    ],
)];

fn exact(args: &[Cell]) -> crate::error::Result<Cell> {
    let [sum, count] = args else { return Ok(Cell::Null) };
    sum.number().divided_by(&count.number()).map(Cell::Number)
}
