//! Cells as PostgreSQL prints them.

use chrono::{Datelike, Offset, TimeZone, Timelike};
use chrono_tz::Tz;

use super::cell::{Cell, DAY, Span};
use super::zone::{Zone, naive};

/// The text of a value; NULL has none.
pub(super) fn text(cell: &Cell, zone: Tz) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Bool(value) => if *value { "t" } else { "f" }.into(),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => float(*value),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) | Cell::Json(text) => text.clone(),
        Cell::Date(days) => date(*days, zone),
        Cell::Time(micros) => time(*micros),
        Cell::Timestamp(local) => timestamp(*local, ' '),
        Cell::Instant(instant) => self::instant(*instant, zone, ' '),
        Cell::Interval(span) => interval(*span),
        Cell::List(items) => {
            let items: Vec<String> = items.iter().map(|item| array_item(item, zone)).collect();
            format!("{{{}}}", items.join(","))
        }
        Cell::Row(columns) => {
            let columns: Vec<String> = columns.iter().map(|(_, cell)| row_item(cell, zone)).collect();
            format!("({})", columns.join(","))
        }
    })
}

/// The shortest digits that read back the same; an exponent where PostgreSQL has one.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..15).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn date(days: i32, zone: Tz) -> String {
    let _ = zone;
    let Ok(day) = naive(i64::from(days) * DAY) else { return days.to_string() };
    ymd(day.year(), day.month(), day.day()) + if day.year() > 0 { "" } else { " BC" }
}

fn ymd(year: i32, month: u32, day: u32) -> String {
    let year = if year > 0 { year } else { 1 - year };
    format!("{year:04}-{month:02}-{day:02}")
}

/// `HH:MM:SS`, with a fraction where there is one.
pub(super) fn time(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { clock } else { format!("{clock}.{fraction:06}").trim_end_matches('0').to_owned() }
}

/// A day and a time, with `between` between them.
pub(super) fn timestamp(local: i64, between: char) -> String {
    let Ok(moment) = naive(local) else { return local.to_string() };
    let day = ymd(moment.year(), moment.month(), moment.day());
    let micros =
        i64::from(moment.num_seconds_from_midnight()) * 1_000_000 + i64::from(moment.nanosecond() / 1_000);
    format!("{day}{between}{}{}", time(micros), if moment.year() > 0 { "" } else { " BC" })
}

/// An instant in a zone, with the offset at its end.
pub(super) fn instant(instant: i64, zone: Tz, between: char) -> String {
    let (Ok(local), Ok(utc)) = (Zone::Named(zone).local(instant), naive(instant)) else {
        return instant.to_string();
    };
    let seconds = zone.offset_from_utc_datetime(&utc).fix().local_minus_utc();
    let whole = timestamp(local, between);
    let (moment, era) = whole.split_once(" BC").map_or((whole.as_str(), ""), |(moment, _)| (moment, " BC"));
    format!("{moment}{}{era}", offset(seconds, between == 'T'))
}

/// `+09`, `+05:30`; with minutes always where `full`.
fn offset(seconds: i32, full: bool) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let mut out = format!("{sign}{:02}", seconds / 3_600);
    if full || seconds % 3_600 != 0 {
        out += &format!(":{:02}", seconds / 60 % 60);
    }
    if seconds % 60 != 0 {
        out += &format!(":{:02}", seconds % 60);
    }
    out
}

/// Interval style `postgres`: a part after a negative one carries its sign.
pub(super) fn interval(span: Span) -> String {
    let mut parts = vec![];
    let mut negative = false;
    let mut add = |count: i64, unit: &str| {
        if count != 0 {
            let sign = if negative && count > 0 { "+" } else { "" };
            let plural = if count == 1 { "" } else { "s" };
            parts.push(format!("{sign}{count} {unit}{plural}"));
            negative = count < 0;
        }
    };
    add((span.months / 12).into(), "year");
    add((span.months % 12).into(), "mon");
    add(span.days.into(), "day");
    if span.micros != 0 || parts.is_empty() {
        let sign = match (span.micros < 0, negative) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        };
        let micros = i64::try_from(span.micros.unsigned_abs()).unwrap_or(i64::MAX);
        parts.push(format!("{sign}{}", time(micros)));
    }
    parts.join(" ")
}

fn array_item(cell: &Cell, zone: Tz) -> String {
    if matches!(cell, Cell::List(_)) {
        return text(cell, zone).unwrap_or_default();
    }
    let Some(shown) = text(cell, zone) else { return "NULL".into() };
    let special = |c: char| matches!(c, '{' | '}' | ',' | '"' | '\\') || c.is_ascii_whitespace();
    if shown.is_empty() || shown.contains(special) || shown.eq_ignore_ascii_case("null") {
        return format!("\"{}\"", shown.replace('\\', "\\\\").replace('"', "\\\""));
    }
    shown
}

fn row_item(cell: &Cell, zone: Tz) -> String {
    let Some(shown) = text(cell, zone) else { return String::new() };
    let special = |c: char| matches!(c, '(' | ')' | ',' | '"' | '\\') || c.is_ascii_whitespace();
    if shown.is_empty() || shown.contains(special) {
        return format!("\"{}\"", shown.replace('\\', "\\\\").replace('"', "\"\""));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_postgresqls_text() {
        let tokyo = Tz::Asia__Tokyo;
        let span = |months, days, micros| Cell::Interval(Span { months, days, micros });
        for (cell, expected) in [
            (Cell::Bool(true), "t"),
            (Cell::Float(1e20), "1e+20"),
            (Cell::Float(1e-7), "1e-07"),
            (Cell::Float(100.0), "100"),
            (Cell::Float(1e15), "1e+15"),
            (Cell::Instant(0), "1970-01-01 09:00:00+09"),
            (Cell::Timestamp(1_500_000), "1970-01-01 00:00:01.5"),
            (Cell::Date(0), "1970-01-01"),
            (span(14, -1, 3_600_000_000), "1 year 2 mons -1 days +01:00:00"),
            (span(0, 0, 0), "00:00:00"),
            (Cell::List(vec![Cell::Text("a b".into()), Cell::Null, Cell::Int(1)]), "{\"a b\",NULL,1}"),
            (Cell::Row(vec![(String::new(), Cell::Int(1)), (String::new(), Cell::Null)]), "(1,)"),
        ] {
            assert_eq!(text(&cell, tokyo).as_deref(), Some(expected));
        }
    }
}
