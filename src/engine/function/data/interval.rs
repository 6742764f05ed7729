//! Intervals: arithmetic, comparison, `justify_*`, `make_interval`.

use super::build::interval_out_of_range;
use super::cell::{Cell, DAY, Span};
use super::kind::{Kind, Returns};
use super::{Def, on};
use crate::error::{Error, Kind as Fault, Result};

/// Days of a month, where one has to count as days.
const MONTH: i64 = 30;

pub(super) const FUNCTIONS: &[Def] = &[
    Def::strict(
        "pg_interval_multiply",
        &[on(&[Kind::Interval, Kind::Float], Returns::Interval, |_, args| {
            let [span, factor] = args else { return Ok(Cell::Null) };
            scaled(span.span(), |part| part * factor.float()).map(Cell::Interval)
        })],
    ),
    Def::strict(
        "pg_interval_divide",
        &[on(&[Kind::Interval, Kind::Float], Returns::Interval, |_, args| {
            let [span, divisor] = args else { return Ok(Cell::Null) };
            if divisor.float() == 0.0 {
                return Err(Error::new(Fault::DivisionByZero, "division by zero"));
            }
            scaled(span.span(), |part| part / divisor.float()).map(Cell::Interval)
        })],
    ),
    // What an interval counts where it is compared: microseconds, a month having 30 days.
    Def::strict(
        "pg_interval_length",
        &[on(&[Kind::Interval], Returns::Numeric(0), |_, args| {
            let span = of(args);
            let days = i128::from(span.months) * i128::from(MONTH) + i128::from(span.days);
            let micros = days * i128::from(DAY) + i128::from(span.micros);
            Ok(Cell::Number(super::numeric::Number::new(micros.into(), 0)))
        })],
    ),
    // The time between two times, in days and a rest.
    Def::strict(
        "pg_timestamp_subtract",
        &[
            on(&[Kind::Timestamp, Kind::Timestamp], Returns::Interval, |_, args| between(args)),
            on(&[Kind::Instant, Kind::Instant], Returns::Interval, |_, args| between(args)),
        ],
    ),
    Def::strict(
        "justify_hours",
        &[on(&[Kind::Interval], Returns::Interval, |_, args| hours(of(args)).map(Cell::Interval))],
    ),
    Def::strict(
        "justify_days",
        &[on(&[Kind::Interval], Returns::Interval, |_, args| days(of(args)).map(Cell::Interval))],
    ),
    Def::strict(
        "justify_interval",
        &[on(&[Kind::Interval], Returns::Interval, |_, args| justified(of(args)).map(Cell::Interval))],
    ),
    Def::strict(
        "make_interval",
        &[
            on(&[], Returns::Interval, |_, args| made(args)),
            on(&[Kind::Int], Returns::Interval, |_, args| made(args)),
            on(&[Kind::Int, Kind::Int], Returns::Interval, |_, args| made(args)),
            on(&[Kind::Int, Kind::Int, Kind::Int], Returns::Interval, |_, args| made(args)),
            on(&[Kind::Int, Kind::Int, Kind::Int, Kind::Int], Returns::Interval, |_, args| made(args)),
            on(&[Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int], Returns::Interval, |_, args| {
                made(args)
            }),
            on(
                &[Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int],
                Returns::Interval,
                |_, args| made(args),
            ),
            on(
                &[Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Float],
                Returns::Interval,
                |_, args| made(args),
            ),
        ],
    ),
];

fn of(args: &[Cell]) -> Span {
    args.first().map(Cell::span).unwrap_or_default()
}

fn between(args: &[Cell]) -> Result<Cell> {
    let [later, earlier] = args else { return Ok(Cell::Null) };
    let micros = later.micros().checked_sub(earlier.micros()).ok_or_else(interval_out_of_range)?;
    hours(Span { micros, ..Span::default() }).map(Cell::Interval)
}

/// 24 hours become a day.
pub(super) fn hours(span: Span) -> Result<Span> {
    let whole = i64::from(span.days) + span.micros / DAY;
    let mut rest = span.micros % DAY;
    let mut whole = whole;
    if whole > 0 && rest < 0 {
        rest += DAY;
        whole -= 1;
    } else if whole < 0 && rest > 0 {
        rest -= DAY;
        whole += 1;
    }
    Ok(Span { days: small(whole)?, micros: rest, ..span })
}

/// 30 days become a month.
fn days(span: Span) -> Result<Span> {
    let mut months = i64::from(span.months) + i64::from(span.days) / MONTH;
    let mut rest = i64::from(span.days) % MONTH;
    if months > 0 && rest < 0 {
        rest += MONTH;
        months -= 1;
    } else if months < 0 && rest > 0 {
        rest -= MONTH;
        months += 1;
    }
    Ok(Span { months: small(months)?, days: small(rest)?, ..span })
}

/// Both, with one sign for all parts.
fn justified(span: Span) -> Result<Span> {
    let total_days = i64::from(span.days) + span.micros / DAY;
    let mut micros = span.micros % DAY;
    let mut months = i64::from(span.months) + total_days / MONTH;
    let mut rest = total_days % MONTH;
    if months > 0 && (rest < 0 || (rest == 0 && micros < 0)) {
        rest += MONTH;
        months -= 1;
    } else if months < 0 && (rest > 0 || (rest == 0 && micros > 0)) {
        rest -= MONTH;
        months += 1;
    }
    if rest > 0 && micros < 0 {
        micros += DAY;
        rest -= 1;
    } else if rest < 0 && micros > 0 {
        micros -= DAY;
        rest += 1;
    }
    Ok(Span { months: small(months)?, days: small(rest)?, micros })
}

fn small(value: i64) -> Result<i32> {
    i32::try_from(value).map_err(|_| interval_out_of_range())
}

/// A floating point number without a fraction as a whole one.
pub(super) fn whole(value: f64) -> Result<i64> {
    if value.is_finite() && value.abs() < 9.2e18 {
        format!("{value:.0}").parse().map_err(|_| interval_out_of_range())
    } else {
        Err(interval_out_of_range())
    }
}

/// A part changes, and what it has after the point goes into the next smaller ones (PostgreSQL's `interval_mul`).
pub(super) fn scaled(span: Span, change: impl Fn(f64) -> f64) -> Result<Span> {
    let float = |value: i64| Cell::Int(value).float();
    // To the microsecond: what is beyond comes from binary fractions.
    let settled = |value: f64| (value * 1e6).round_ties_even() / 1e6;
    let months = change(float(span.months.into()));
    let own_days = change(float(span.days.into()));
    let rest_of_month = settled((months - months.trunc()) * float(MONTH));
    let rest_of_days = settled(own_days - own_days.trunc() + rest_of_month - rest_of_month.trunc());
    let mut days = small(whole(own_days.trunc())?)?;
    days = days.checked_add(small(whole(rest_of_month.trunc())?)?).ok_or_else(interval_out_of_range)?;
    let mut seconds = rest_of_days * 86_400.0;
    if rest_of_days.abs() >= 1.0 {
        days = days.checked_add(small(whole(rest_of_days.trunc())?)?).ok_or_else(interval_out_of_range)?;
        seconds -= rest_of_days.trunc() * 86_400.0;
    }
    let micros = (change(float(span.micros)) + seconds * 1e6).round_ties_even();
    Ok(Span { months: small(whole(months.trunc())?)?, days, micros: whole(micros)? })
}

fn made(args: &[Cell]) -> Result<Cell> {
    let part = |i: usize| args.get(i).map(Cell::int).unwrap_or_default();
    let seconds = args.get(6).map_or(0.0, Cell::float);
    let times = |count: i64, unit: i64| count.checked_mul(unit).ok_or_else(interval_out_of_range);
    let sum = |left: i64, right: i64| left.checked_add(right).ok_or_else(interval_out_of_range);
    let months = sum(times(part(0), 12)?, part(1))?;
    let days = sum(times(part(2), 7)?, part(3))?;
    let micros = sum(times(part(4), 3_600_000_000)?, times(part(5), 60_000_000)?)?;
    let micros = sum(micros, whole((seconds * 1e6).round_ties_even())?)?;
    Ok(Cell::Interval(Span { months: small(months)?, days: small(days)?, micros }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn span(months: i32, days: i32, micros: i64) -> Span {
        Span { months, days, micros }
    }

    #[test]
    fn parts_become_larger_ones() {
        assert_eq!(hours(span(0, 0, 25 * HOUR)), Ok(span(0, 1, HOUR)));
        assert_eq!(hours(span(0, 1, -HOUR)), Ok(span(0, 0, 23 * HOUR)));
        assert_eq!(days(span(0, 35, 0)), Ok(span(1, 5, 0)));
        assert_eq!(justified(span(1, 0, -HOUR)), Ok(span(0, 29, 23 * HOUR)));
    }

    #[test]
    fn a_fraction_goes_into_the_smaller_parts() {
        assert_eq!(scaled(span(0, 1, 0), |part| part / 2.0), Ok(span(0, 0, 12 * HOUR)));
        assert_eq!(scaled(span(1, 0, 0), |part| part * 0.5), Ok(span(0, 15, 0)));
        assert_eq!(scaled(span(0, 1, HOUR), |part| part * 2.0), Ok(span(0, 2, 2 * HOUR)));
    }
}
