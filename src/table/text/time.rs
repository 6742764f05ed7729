//! Dates, times and intervals as PostgreSQL prints them: DateStyle ISO, IntervalStyle postgres.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike};
use chrono_tz::Tz;

use super::number::append_integer;

/// The year, month and day; whether it is before year 1, which PostgreSQL tells at the very end.
fn append_ymd(out: &mut String, date: NaiveDate) -> bool {
    let before = date.year() < 1;
    let year = if before { 1 - date.year() } else { date.year() };
    if year < 1000 {
        let _ = write!(out, "{year:04}");
    } else {
        append_integer(out, year);
    }
    out.push('-');
    append_pair(out, date.month());
    out.push('-');
    append_pair(out, date.day());
    before
}

/// A number below 100 in two digits.
fn append_pair(out: &mut String, value: u32) {
    let digit = |value: u32| char::from_digit(value % 10, 10).unwrap_or('0');
    out.push(digit(value / 10));
    out.push(digit(value));
}

fn append_hms(out: &mut String, hour: u32, minute: u32, second: u32) {
    append_pair(out, hour);
    out.push(':');
    append_pair(out, minute);
    out.push(':');
    append_pair(out, second);
}

fn append_era(out: &mut String, before_christ: bool) {
    if before_christ {
        out.push_str(" BC");
    }
}

fn append_infinity(out: &mut String, negative: bool) {
    out.push_str(if negative { "-infinity" } else { "infinity" });
}

pub(super) fn append_date32(out: &mut String, days: i32) {
    match NaiveDate::from_epoch_days(days) {
        Some(date) => {
            let before = append_ymd(out, date);
            append_era(out, before);
        }
        None => append_infinity(out, days < 0),
    }
}

fn append_time(out: &mut String, time: NaiveTime) {
    append_hms(out, time.hour(), time.minute(), time.second());
    append_fraction(out, u64::from(time.nanosecond() / 1000));
}

fn append_fraction(out: &mut String, micros: u64) {
    if micros > 0 {
        let digits = format!("{micros:06}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
}

pub(super) fn append_micros_of_day(out: &mut String, micros: i64) {
    append_clock(out, micros.unsigned_abs());
}

/// `HH:MM:SS[.ffffff]`; the hours may be more than two digits.
fn append_clock(out: &mut String, micros: u64) {
    let seconds = micros / 1_000_000;
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    append_fraction(out, micros % 1_000_000);
}

fn append_datetime(out: &mut String, local: NaiveDateTime) -> bool {
    let before = append_ymd(out, local.date());
    out.push(' ');
    append_time(out, local.time());
    before
}

pub(super) fn append_timestamp(out: &mut String, micros: i64) {
    match DateTime::from_timestamp_micros(micros) {
        Some(time) => {
            let before = append_datetime(out, time.naive_utc());
            append_era(out, before);
        }
        None => append_infinity(out, micros < 0),
    }
}

pub(super) fn append_timestamptz(out: &mut String, micros: i64, zone: Tz) {
    let Some(utc) = DateTime::from_timestamp_micros(micros) else {
        return append_infinity(out, micros < 0);
    };
    if zone == Tz::UTC {
        let before = append_datetime(out, utc.naive_utc());
        out.push_str("+00");
        return append_era(out, before);
    }
    let offset = zone.offset_from_utc_datetime(&utc.naive_utc()).fix();
    let Some(local) = utc.naive_utc().checked_add_offset(offset) else {
        return append_infinity(out, micros < 0);
    };
    let before = append_datetime(out, local);
    let seconds = offset.local_minus_utc();
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    let _ = write!(out, "{sign}{:02}", seconds / 3600);
    if !seconds.is_multiple_of(3600) {
        let _ = write!(out, ":{:02}", seconds / 60 % 60);
    }
    if !seconds.is_multiple_of(60) {
        let _ = write!(out, ":{:02}", seconds % 60);
    }
    append_era(out, before);
}

/// Interval style `postgres`: a part after a negative one carries its sign.
pub(super) fn append_interval(out: &mut String, months: i32, days: i32, micros: i64) {
    let mut empty = true;
    let mut after_negative = false;
    for (value, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if value != 0 {
            let space = if empty { "" } else { " " };
            let plus = if after_negative && value > 0 { "+" } else { "" };
            let plural = if value == 1 { "" } else { "s" };
            let _ = write!(out, "{space}{plus}{value} {unit}{plural}");
            after_negative = value < 0;
            empty = false;
        }
    }
    if micros != 0 || empty {
        if !empty {
            out.push(' ');
        }
        match (micros < 0, after_negative) {
            (true, _) => out.push('-'),
            (false, true) => out.push('+'),
            (false, false) => {}
        }
        append_clock(out, micros.unsigned_abs());
    }
}
