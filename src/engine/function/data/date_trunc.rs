//! `date_trunc`. A day becomes an instant first, as PostgreSQL prefers `timestamptz`.

use chrono::{Datelike, Days, NaiveDate};

use super::cell::{Cell, DAY, Span};
use super::kind::{Kind, Returns};
use super::timestamp::{date_of, start_of};
use super::zone::{Zone, out_of_range};
use super::{Def, on};
use crate::error::{Error, Kind as Fault, Result};

pub(super) const FUNCTIONS: &[Def] = &[Def::strict(
    "date_trunc",
    &[
        on(&[Kind::Text, Kind::Instant], Returns::Instant, |context, args| {
            let [unit, instant] = args else { return Ok(Cell::Null) };
            in_zone(unit, instant, Zone::Named(context.zone))
        }),
        on(&[Kind::Text, Kind::Timestamp], Returns::Timestamp, |_, args| {
            let [unit, local] = args else { return Ok(Cell::Null) };
            truncated(unit.text(), local.micros(), "timestamp without time zone").map(Cell::Timestamp)
        }),
        on(&[Kind::Text, Kind::Instant, Kind::Text], Returns::Instant, |_, args| {
            let [unit, instant, zone] = args else { return Ok(Cell::Null) };
            in_zone(unit, instant, Zone::read(zone.text())?)
        }),
        on(&[Kind::Text, Kind::Interval], Returns::Interval, |_, args| {
            let [unit, span] = args else { return Ok(Cell::Null) };
            of_interval(unit.text(), span.span()).map(Cell::Interval)
        }),
    ],
)];

fn in_zone(unit: &Cell, instant: &Cell, zone: Zone) -> Result<Cell> {
    let local = truncated(unit.text(), zone.local(instant.micros())?, "timestamp with time zone")?;
    zone.instant(local).map(Cell::Instant)
}

/// The microseconds of a unit that divides the day.
fn part_of_day(unit: &str) -> Option<i64> {
    Some(match unit {
        "microsecond" => 1,
        "millisecond" => 1_000,
        "second" => 1_000_000,
        "minute" => 60_000_000,
        "hour" => 3_600_000_000,
        "day" => DAY,
        _ => return None,
    })
}

/// The one name of a unit that has several.
pub(super) fn unit_name(written: &str) -> String {
    let lower = written.trim().to_ascii_lowercase();
    match lower.as_str() {
        "microseconds" | "us" | "usec" | "usecs" | "usecond" | "useconds" => "microsecond".into(),
        "milliseconds" | "ms" | "msec" | "msecs" | "msecond" | "mseconds" => "millisecond".into(),
        "seconds" | "s" | "sec" | "secs" => "second".into(),
        "minutes" | "m" | "min" | "mins" => "minute".into(),
        "hours" | "h" | "hr" | "hrs" => "hour".into(),
        "days" | "d" => "day".into(),
        "weeks" | "w" => "week".into(),
        "months" | "mon" | "mons" => "month".into(),
        "quarters" | "qtr" => "quarter".into(),
        "years" | "y" | "yr" | "yrs" => "year".into(),
        "decades" | "dec" | "decs" => "decade".into(),
        "centuries" | "c" | "cent" => "century".into(),
        "millennia" | "mil" | "mils" | "millennium" => "millennium".into(),
        _ => lower,
    }
}

/// What is not a unit of a type.
pub(super) fn unknown_unit(unit: &str, sql_type: &str) -> Error {
    Error::new(
        Fault::InvalidValue,
        format!("unit \"{}\" not recognized for type {sql_type}", unit.to_lowercase()),
    )
}

fn truncated(unit: &str, local: i64, sql_type: &str) -> Result<i64> {
    let name = unit_name(unit);
    if let Some(size) = part_of_day(&name) {
        return Ok(local - local.rem_euclid(size));
    }
    let date = date_of(local)?;
    let year = date.year();
    let first = match name.as_str() {
        "week" => date.checked_sub_days(Days::new(date.weekday().num_days_from_monday().into())),
        "month" => date.with_day(1),
        "quarter" => NaiveDate::from_ymd_opt(year, (date.month0() / 3) * 3 + 1, 1),
        "year" => NaiveDate::from_ymd_opt(year, 1, 1),
        "decade" => NaiveDate::from_ymd_opt(year.div_euclid(10) * 10, 1, 1),
        "century" => NaiveDate::from_ymd_opt((year - 1).div_euclid(100) * 100 + 1, 1, 1),
        "millennium" => NaiveDate::from_ymd_opt((year - 1).div_euclid(1_000) * 1_000 + 1, 1, 1),
        _ => return Err(unknown_unit(unit, sql_type)),
    };
    first.map(start_of).ok_or_else(out_of_range)
}

fn of_interval(unit: &str, span: Span) -> Result<Span> {
    let name = unit_name(unit);
    let months = |size: i32| Span { months: span.months - span.months % size, ..Span::default() };
    Ok(match name.as_str() {
        "day" => Span { micros: 0, ..span },
        "month" => months(1),
        "quarter" => months(3),
        "year" => months(12),
        "decade" => months(120),
        "century" => months(1_200),
        "millennium" => months(12_000),
        other => match part_of_day(other) {
            Some(size) => Span { micros: span.micros - span.micros % size, ..span },
            None => return Err(unknown_unit(unit, "interval")),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDateTime;

    #[test]
    fn times_are_cut_to_their_unit() {
        let at = |text: &str| {
            super::super::zone::micros(&NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap())
        };
        for (unit, cut) in [
            ("minute", "2024-05-09 07:08:00"),
            ("day", "2024-05-09 00:00:00"),
            ("WEEK", "2024-05-06 00:00:00"),
            ("quarter", "2024-04-01 00:00:00"),
            ("decade", "2020-01-01 00:00:00"),
            ("century", "2001-01-01 00:00:00"),
        ] {
            assert_eq!(truncated(unit, at("2024-05-09 07:08:09"), "x"), Ok(at(cut)), "{unit}");
        }
        assert!(truncated("fortnight", 0, "x").is_err());
    }
}
