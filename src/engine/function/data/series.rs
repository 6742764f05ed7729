//! `generate_series` as an array, whose items become rows.

use super::cell::{Cell, Span};
use super::kind::{Kind, Returns};
use super::numeric::Number;
use super::zone::Zone;
use super::{Def, on, timestamp};
use crate::error::{Error, Kind as Fault, Result};

/// The most items that a series of one row may have: it is held in memory as a whole.
const LONGEST: usize = 1_000_000;

pub(super) const FUNCTIONS: &[Def] = &[Def::strict(
    "pg_series",
    &[
        on(&[Kind::Int, Kind::Int], Returns::ListOf(1), |_, args| whole(args)),
        on(&[Kind::Int, Kind::Int, Kind::Int], Returns::ListOf(1), |_, args| whole(args)),
        on(&[Kind::Numeric, Kind::Numeric], Returns::ListOf(1), |_, args| decimal(args)),
        on(&[Kind::Numeric, Kind::Numeric, Kind::Numeric], Returns::ListOf(1), |_, args| decimal(args)),
        on(&[Kind::Instant, Kind::Instant, Kind::Interval], Returns::ListOf(0), |context, args| {
            let [first, last, step] = args else { return Ok(Cell::Null) };
            let zone = Zone::Named(context.zone);
            let next = |at: i64| {
                zone.instant(timestamp::plus(zone.local(at)?, calendar(step.span()))?)?
                    .checked_add(step.span().micros)
                    .ok_or_else(super::zone::out_of_range)
            };
            times(first.micros(), last.micros(), step.span(), next, Cell::Instant)
        }),
        on(&[Kind::Timestamp, Kind::Timestamp, Kind::Interval], Returns::ListOf(0), |_, args| {
            let [first, last, step] = args else { return Ok(Cell::Null) };
            let next = |at: i64| timestamp::plus(at, step.span());
            times(first.micros(), last.micros(), step.span(), next, Cell::Timestamp)
        }),
    ],
)];

/// The parts of an interval that a calendar counts.
fn calendar(span: Span) -> Span {
    Span { micros: 0, ..span }
}

fn no_step() -> Error {
    Error::new(Fault::InvalidValue, "step size cannot equal zero")
}

fn listed<T>(values: impl Iterator<Item = Result<T>>, cell: impl Fn(T) -> Cell) -> Result<Cell> {
    let mut cells = vec![];
    for value in values {
        if cells.len() == LONGEST {
            let message = format!("generate_series gives more than {LONGEST} rows for one row");
            return Err(Error::new(Fault::TooLarge, message));
        }
        cells.push(cell(value?));
    }
    Ok(Cell::List(cells))
}

fn whole(args: &[Cell]) -> Result<Cell> {
    let [first, last, ..] = args else { return Ok(Cell::Null) };
    let (first, last, step) = (first.int(), last.int(), args.get(2).map_or(1, Cell::int));
    if step == 0 {
        return Err(no_step());
    }
    let within = |number: &i64| if step > 0 { *number <= last } else { *number >= last };
    let numbers = std::iter::successors(Some(first), |number| number.checked_add(step)).take_while(within);
    listed(numbers.map(Ok), Cell::Int)
}

fn decimal(args: &[Cell]) -> Result<Cell> {
    let [first, last, ..] = args else { return Ok(Cell::Null) };
    let (first, last) = (first.number(), last.number());
    let step = args.get(2).map_or_else(|| Number::whole(1), Cell::number);
    let rising = match step.digits.sign() {
        num_bigint::Sign::NoSign => return Err(no_step()),
        sign => sign == num_bigint::Sign::Plus,
    };
    let negative = Number::new(-step.digits.clone(), step.scale);
    let within = |number: &Number| {
        let rest = last.minus(number).digits;
        rest.sign() == num_bigint::Sign::NoSign || (rest.sign() == num_bigint::Sign::Plus) == rising
    };
    let numbers =
        std::iter::successors(Some(first), |number| Some(number.minus(&negative))).take_while(within);
    listed(numbers.map(Ok), Cell::Number)
}

fn times(
    first: i64,
    last: i64,
    step: Span,
    next: impl Fn(i64) -> Result<i64>,
    cell: fn(i64) -> Cell,
) -> Result<Cell> {
    let length = i128::from(step.months) * 30 * 86_400_000_000 + i128::from(step.days) * 86_400_000_000;
    let length = length + i128::from(step.micros);
    if length == 0 {
        return Err(no_step());
    }
    let mut at = Some(Ok(first));
    let values = std::iter::from_fn(|| {
        let current = match at.take()? {
            Ok(current) => current,
            Err(error) => return Some(Err(error)),
        };
        if (length > 0 && current > last) || (length < 0 && current < last) {
            return None;
        }
        at = Some(next(current));
        Some(Ok(current))
    });
    listed(values, cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_bounded() {
        let of = |args: &[i64]| {
            let args: Vec<Cell> = args.iter().map(|n| Cell::Int(*n)).collect();
            whole(&args)
        };
        let list = |items: &[i64]| Ok(Cell::List(items.iter().map(|n| Cell::Int(*n)).collect()));
        assert_eq!(of(&[1, 3]), list(&[1, 2, 3]));
        assert_eq!(of(&[5, 1, -2]), list(&[5, 3, 1]));
        assert_eq!(of(&[1, 0]), list(&[]));
        assert!(of(&[1, 2, 0]).is_err());
        assert!(of(&[1, i64::MAX]).is_err());
    }
}
