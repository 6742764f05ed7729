//! Days and times: `age`, `make_*`, `to_timestamp` of a number.

use chrono::{DateTime, Datelike, Months, NaiveDate};

use super::cell::{Cell, DAY, Span};
use super::interval::whole;
use super::kind::{Kind, Returns};
use super::zone::{Zone, days_and_rest, micros, naive, out_of_range};
use super::{Context, Def, format, on};
use crate::error::{Error, Kind as Fault, Result};

pub(super) const FUNCTIONS: &[Def] = &[
    Def::strict(
        "age",
        &[
            on(&[Kind::Timestamp, Kind::Timestamp], Returns::Interval, |_, args| {
                let [later, earlier] = args else { return Ok(Cell::Null) };
                age(later.micros(), earlier.micros())
            }),
            on(&[Kind::Instant, Kind::Instant], Returns::Interval, |context, args| {
                let [later, earlier] = args else { return Ok(Cell::Null) };
                let zone = Zone::Named(context.zone);
                age(zone.local(later.micros())?, zone.local(earlier.micros())?)
            }),
        ],
    ),
    Def::strict(
        "make_date",
        &[on(&[Kind::Int, Kind::Int, Kind::Int], Returns::Date, |_, args| Ok(Cell::Date(day(args)?)))],
    ),
    Def::strict(
        "make_time",
        &[on(&[Kind::Int, Kind::Int, Kind::Float], Returns::Time, |_, args| {
            let [hour, minute, second] = args else { return Ok(Cell::Null) };
            time(hour, minute, second).map(Cell::Time)
        })],
    ),
    Def::strict(
        "make_timestamp",
        &[on(
            &[Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Float],
            Returns::Timestamp,
            |_, args| made(args).map(Cell::Timestamp),
        )],
    ),
    Def::strict(
        "make_timestamptz",
        &[
            on(
                &[Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Float],
                Returns::Instant,
                |context, args| Zone::Named(context.zone).instant(made(args)?).map(Cell::Instant),
            ),
            on(
                &[Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Float, Kind::Text],
                Returns::Instant,
                |_, args| {
                    let zone = Zone::read(args.last().map(Cell::text).unwrap_or_default())?;
                    zone.instant(made(args)?).map(Cell::Instant)
                },
            ),
        ],
    ),
    Def::strict(
        "to_timestamp",
        &[
            on(&[Kind::Float], Returns::Instant, of_seconds),
            on(&[Kind::Text, Kind::Text], Returns::Instant, format::to_timestamp),
        ],
    ),
    // `date + time` and `timestamp::time` are the planner's; this is `time - time` and `date - timestamp`.
    Def::strict(
        "pg_time_subtract",
        &[on(&[Kind::Time, Kind::Time], Returns::Interval, |_, args| {
            let [later, earlier] = args else { return Ok(Cell::Null) };
            Ok(Cell::Interval(Span { micros: later.micros() - earlier.micros(), ..Span::default() }))
        })],
    ),
    // `time + interval`: around the clock.
    Def::strict(
        "pg_time_add",
        &[on(&[Kind::Time, Kind::Interval], Returns::Time, |_, args| {
            let [time, span] = args else { return Ok(Cell::Null) };
            Ok(Cell::Time((time.micros() + span.span().micros % DAY).rem_euclid(DAY)))
        })],
    ),
    Def::strict(
        "isfinite",
        &[
            on(&[Kind::Date], Returns::Bool, |_, _| Ok(Cell::Bool(true))),
            on(&[Kind::Timestamp], Returns::Bool, |_, _| Ok(Cell::Bool(true))),
            on(&[Kind::Instant], Returns::Bool, |_, _| Ok(Cell::Bool(true))),
            on(&[Kind::Interval], Returns::Bool, |_, _| Ok(Cell::Bool(true))),
        ],
    ),
];

/// Seconds since 1970-01-01 00:00 UTC.
fn of_seconds(_: &Context, args: &[Cell]) -> Result<Cell> {
    let seconds = args.first().map_or(0.0, Cell::float);
    if !seconds.is_finite() || seconds.abs() > 8e12 {
        return Err(Error::new(Fault::InvalidDatetime, format!("timestamp out of range: \"{seconds}\"")));
    }
    // The whole seconds apart: together with the fraction they have more digits than a float.
    let rest = (seconds.fract() * 1e6).round_ties_even();
    Ok(Cell::Instant(whole(seconds.trunc())? * 1_000_000 + whole(rest)?))
}

/// The time from one day and time to another in years, months, days and a rest, by the calendar (PostgreSQL's
/// `timestamp_age`).
pub(super) fn age(later: i64, earlier: i64) -> Result<Cell> {
    if later < earlier {
        let Cell::Interval(span) = age(earlier, later)? else { return Ok(Cell::Null) };
        return Ok(Cell::Interval(Span { months: -span.months, days: -span.days, micros: -span.micros }));
    }
    let ((later_day, later_time), (earlier_day, earlier_time)) =
        (days_and_rest(later), days_and_rest(earlier));
    let (end, start) = (naive(later_day * DAY)?.date(), naive(earlier_day * DAY)?.date());
    let mut micros = later_time - earlier_time;
    let mut days = i64::from(end.day()) - i64::from(start.day());
    let mut months =
        i64::from(end.year() - start.year()) * 12 + i64::from(end.month()) - i64::from(start.month());
    if micros < 0 {
        micros += DAY;
        days -= 1;
    }
    // The days of the month in which the earlier one is.
    if days < 0 {
        days += days_of_month(start);
        months -= 1;
    }
    let part = |value: i64| i32::try_from(value).map_err(|_| out_of_range());
    Ok(Cell::Interval(Span { months: part(months)?, days: part(days)?, micros }))
}

fn days_of_month(day: NaiveDate) -> i64 {
    let first = day.with_day(1).unwrap_or(day);
    let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
    (next - first).num_days()
}

fn day(args: &[Cell]) -> Result<i32> {
    let part = |i: usize| args.get(i).map(Cell::int).unwrap_or_default();
    let (year, month, day) = (part(0), part(1), part(2));
    let invalid = || {
        Error::new(
            Fault::InvalidDatetime,
            format!("date field value out of range: {year}-{month:02}-{day:02}"),
        )
    };
    // A negative year is one before Christ; there is no year 0.
    let astronomical = if year < 0 { year + 1 } else { year };
    let date = i32::try_from(astronomical)
        .ok()
        .filter(|_| year != 0)
        .and_then(|year| NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?));
    let date = date.ok_or_else(invalid)?;
    let days = date.signed_duration_since(DateTime::UNIX_EPOCH.date_naive()).num_days();
    i32::try_from(days).map_err(|_| invalid())
}

fn time(hour: &Cell, minute: &Cell, second: &Cell) -> Result<i64> {
    let (hour, minute, second) = (hour.int(), minute.int(), second.float());
    let micros = whole((second * 1e6).round_ties_even())?;
    let within = (0..=24).contains(&hour) && (0..60).contains(&minute) && (0..=60_000_000).contains(&micros);
    let total = hour * 3_600_000_000 + minute * 60_000_000 + micros;
    if !within || total > DAY {
        let message = format!("time field value out of range: {hour}:{minute:02}:{second:02}");
        return Err(Error::new(Fault::InvalidDatetime, message));
    }
    Ok(total)
}

fn made(args: &[Cell]) -> Result<i64> {
    let [_, _, _, hour, minute, second, ..] = args else { return Err(out_of_range()) };
    Ok(i64::from(day(args)?) * DAY + time(hour, minute, second)?)
}

/// A day and a time with an interval added: first the months, to the last day of a shorter one, then the days, then
/// the rest.
///
/// # Errors
/// `InvalidDatetime` beyond what there are days for.
pub(super) fn plus(local: i64, span: Span) -> Result<i64> {
    let (day, time) = days_and_rest(local);
    let date = date_of(day * DAY)?;
    let months = Months::new(span.months.unsigned_abs());
    let date =
        if span.months < 0 { date.checked_sub_months(months) } else { date.checked_add_months(months) };
    let start = date.map(start_of).ok_or_else(out_of_range)?;
    let micros = i128::from(start)
        + i128::from(span.days) * i128::from(DAY)
        + i128::from(time)
        + i128::from(span.micros);
    i64::try_from(micros).map_err(|_| out_of_range())
}

/// The day of microseconds.
pub(super) fn date_of(local: i64) -> Result<NaiveDate> {
    Ok(naive(local)?.date())
}

/// The first moment of a day.
pub(super) fn start_of(date: NaiveDate) -> i64 {
    micros(&date.and_time(chrono::NaiveTime::MIN))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDateTime;

    use super::*;

    #[test]
    fn age_counts_by_the_calendar() {
        let at = |text: &str| micros(&NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap());
        for (later, earlier, months, days, hours) in [
            ("2024-03-01 00:00", "2024-01-01 00:00", 2, 0, 0),
            ("2024-03-01 00:00", "2024-01-31 00:00", 1, 1, 0),
            ("2001-04-10 00:00", "1957-06-13 00:00", 43 * 12 + 9, 27, 0),
            ("2024-01-01 00:00", "2024-03-01 12:00", -2, 0, -12),
        ] {
            let micros = hours * 3_600_000_000;
            assert_eq!(
                age(at(later), at(earlier)),
                Ok(Cell::Interval(Span { months, days, micros })),
                "{later}"
            );
        }
    }

    #[test]
    fn there_is_no_year_zero() {
        let of = |year, month, d| day(&[Cell::Int(year), Cell::Int(month), Cell::Int(d)]);
        assert_eq!(of(1970, 1, 2), Ok(1));
        assert_eq!(of(-1, 12, 31), Ok(of(1, 1, 1).unwrap() - 1));
        assert!(of(0, 1, 1).is_err());
        assert!(of(2023, 2, 29).is_err());
    }
}
