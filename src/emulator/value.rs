//! A record's values in a compact typed form, and how dates and times are read and written.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::app::File;
use super::decimal::Decimal;

/// A field's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Empty,
    Text(Arc<str>),
    Number(Decimal),
    /// Days since 1970.
    Date(i32),
    /// Minutes of the day.
    Time(i32),
    /// Minutes since 1970 in UTC.
    DateTime(i64),
    /// Minutes.
    Duration(i64),
    Texts(Arc<[Arc<str>]>),
    /// Codes of users, organizations or groups.
    Codes(Arc<[Arc<str>]>),
    Files(Arc<[File]>),
    Rows(Arc<[TableRow]>),
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableRow {
    pub(super) id: u64,
    pub(super) cells: Vec<Value>,
}

/// Whether a text has digits where the pattern has `0`, and elsewhere what the pattern has. The readers of dates
/// and times alone pass over spaces, signs and missing digits.
fn is_like(text: &str, pattern: &str) -> bool {
    let fits = |(byte, wanted): (u8, u8)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

/// Days since 1970 of `2026-04-24`.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    let date = is_like(text, "0000-00-00").then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?;
    date.map(|date| date.to_epoch_days())
}

/// Minutes of the day of `15:31` or `15:31:00`.
pub(super) fn parse_time(text: &str) -> Option<i32> {
    let (minute, seconds) = text.split_at_checked("12:00".len())?;
    let is_whole = seconds.is_empty() || (is_seconds(seconds) && !seconds.contains('.'));
    if !is_like(minute, "00:00") || !is_whole {
        return None;
    }
    let time = NaiveTime::parse_from_str(minute, "%H:%M").ok()?;
    i32::try_from(time.num_seconds_from_midnight() / 60).ok()
}

/// Minutes since 1970 of an instant with an offset, or of a date alone, taken as UTC (K§4.2).
pub(super) fn parse_datetime(text: &str) -> Option<i64> {
    if let Some(days) = parse_date(text) {
        return Some(i64::from(days) * 24 * 60);
    }
    let (minute, rest) = text.split_at_checked("2026-04-24T12:00".len())?;
    let (seconds, zone) = rest.split_at_checked(rest.find(['Z', '+', '-'])?)?;
    if !is_like(minute, "0000-00-00T00:00") || !(seconds.is_empty() || is_seconds(seconds)) {
        return None;
    }
    let local = NaiveDateTime::parse_from_str(minute, "%Y-%m-%dT%H:%M").ok()?;
    Some(local.and_utc().timestamp().div_euclid(60) - offset(zone)?)
}

/// `:59`, with or without a part of a second.
fn is_seconds(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_part = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    is_like(whole, ":00") && whole < ":60" && is_part
}

/// Minutes of `Z`, `+09:00` or `+0900`.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, digits) = zone.split_at_checked(1)?;
    if !is_like(digits, "00:00") && !is_like(digits, "0000") {
        return None;
    }
    let part = |text: Option<&str>, most: i64| text?.parse::<i64>().ok().filter(|number| *number <= most);
    let minutes = part(digits.get(..2), 23)? * 60 + part(digits.get(digits.len() - 2..), 59)?;
    Some(if sign == "-" { -minutes } else { minutes })
}

/// Minutes of `25:01`.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = i64::from(hours) * 60 + i64::from(minutes);
    (minutes < 60).then_some(if negative { -total } else { total })
}

/// `2026-04-24`.
pub(super) fn format_date(days: i32) -> String {
    NaiveDate::from_epoch_days(days).map(|date| date.format("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// `15:31`.
pub(super) fn format_time(minutes: i32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `2026-04-24T12:00:00Z`.
pub(super) fn format_datetime(minutes: i64) -> String {
    DateTime::from_timestamp(minutes.saturating_mul(60), 0)
        .map(|instant| instant.format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// `25:01`.
pub(super) fn format_duration(minutes: i64) -> String {
    let sign = if minutes < 0 { "-" } else { "" };
    let magnitude = minutes.unsigned_abs();
    format!("{sign}{}:{:02}", magnitude / 60, magnitude % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_small() {
        assert_eq!(size_of::<Value>(), 32);
    }

    #[test]
    fn instants_are_minutes() {
        for text in ["2012-02-03T09:00:59+0900", "2012-02-03T00:00:00Z", "2012-02-03T00:00Z", "2012-02-03"] {
            assert_eq!(format_datetime(parse_datetime(text).unwrap()), "2012-02-03T00:00:00Z", "{text}");
        }
        for text in [
            "2012-02-03T00:00:00",
            "2012-2-3T00:00:00Z",
            "2012-02-03T0:0:0Z",
            "2012-02-03 00:00:00Z",
            "2012-02-03T00:00:60Z",
            "2012-02-03T00:00:00.Z",
            "2012-02-03T24:00:00Z",
            "2012-02-03T00:00:00+9",
            "2012-02-03T00:00:00+0960",
            "2012-02-03t00:00:00z",
            "+2012-02-03",
            "2012-02-3",
            " 2012-02-03",
        ] {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
        assert_eq!((parse_time("09:05"), parse_time("09:05:59")), (Some(545), Some(545)));
        for text in ["9:05", "09:5", "24:00", "09:05:60", "09:05:", "+9:05", " 9:05"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
        assert_eq!(format_duration(parse_duration("-25:01").unwrap()), "-25:01");
    }
}
