//! A value written in a URL (OData ABNF, section 7: literals).

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};

/// A value of a URL, with its type as far as the text says it.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Literal {
    /// `null`
    Null,
    /// `true`, `false` in any case
    Boolean(bool),
    /// Digits with an optional sign, point and exponent: exactly as written, for no float may touch it.
    Number(String),
    /// `INF`, `-INF`, `NaN`
    Float(f64),
    /// `'text'`, the doubled quotes undone
    String(String),
    /// `2024-02-29`
    Date(NaiveDate),
    /// `23:59:59.9`
    TimeOfDay(NaiveTime),
    /// `2024-02-29T23:59:59+09:00`
    DateTimeOffset(DateTime<FixedOffset>),
    /// `duration'PT1H'`: seconds and nanoseconds of a second, of one sign
    Duration(i64, i32),
    /// A known form that no column here has: its name.
    Other(&'static str),
}

/// Reads a literal that begins with a digit or a sign and the length of it. `None` when there is none.
pub(super) fn scan_number_or_date(text: &str) -> Option<(Literal, usize)> {
    scan_guid(text)
        .or_else(|| scan_date_time(text))
        .or_else(|| scan_date(text).map(|(date, n)| (Literal::Date(date), n)))
        .or_else(|| scan_time(text).map(|(time, n)| (Literal::TimeOfDay(time), n)))
        .or_else(|| scan_number(text))
}

/// A number, date or time that fills the whole text.
pub(in super::super) fn parse_plain(text: &str) -> Option<Literal> {
    scan_number_or_date(text).filter(|(_, length)| *length == text.len()).map(|(literal, _)| literal)
}

fn scan_guid(text: &str) -> Option<(Literal, usize)> {
    let guid = text.get(..36)?;
    let fits = |(i, c): (usize, char)| {
        if [8, 13, 18, 23].contains(&i) { c == '-' } else { c.is_ascii_hexdigit() }
    };
    guid.char_indices().all(fits).then_some((Literal::Other("a GUID"), 36))
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn scan_date(text: &str) -> Option<(NaiveDate, usize)> {
    let sign = usize::from(text.starts_with('-'));
    let year = sign + digits(text.get(sign..)?);
    let end = year + 6;
    let rest = text.get(year..end)?.as_bytes();
    let fits = rest.iter().enumerate().all(|(i, b)| if i % 3 == 0 { *b == b'-' } else { b.is_ascii_digit() });
    if year - sign < 4 || !fits || text.get(end..)?.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse().ok();
    let date = NaiveDate::from_ymd_opt(
        text.get(..year)?.parse().ok()?,
        number(year + 1, year + 3)?,
        number(year + 4, year + 6)?,
    )?;
    Some((date, end))
}

/// `HH:MM`, with optional seconds and their fraction.
fn scan_time(text: &str) -> Option<(NaiveTime, usize)> {
    let pair = |at: usize| -> Option<u32> {
        let pair = text.get(at..at + 2)?;
        pair.bytes().all(|b| b.is_ascii_digit()).then(|| pair.parse().ok())?
    };
    let colon = |at: usize| text.get(at..at + 1) == Some(":");
    if !colon(2) {
        return None;
    }
    let (hour, minute) = (pair(0)?, pair(3)?);
    if !colon(5) {
        return Some((NaiveTime::from_hms_opt(hour, minute, 0)?, 5));
    }
    let second = pair(6)?;
    let rest = text.get(8..)?;
    let fraction = if rest.starts_with('.') { digits(rest.get(1..)?) } else { 0 };
    if fraction == 0 {
        return Some((NaiveTime::from_hms_opt(hour, minute, second)?, 8));
    }
    let written = rest.get(1..=fraction)?;
    let nano = format!("{written:0<9}").get(..9)?.parse().ok()?;
    Some((NaiveTime::from_hms_nano_opt(hour, minute, second, nano)?, 9 + fraction))
}

fn scan_date_time(text: &str) -> Option<(Literal, usize)> {
    let (date, at) = scan_date(text)?;
    text.get(at..)?.strip_prefix(['T', 't'])?;
    let (time, length) = scan_time(text.get(at + 1..)?)?;
    let at = at + 1 + length;
    let (seconds_east, length) = scan_offset(text.get(at..)?)?;
    let zone = FixedOffset::east_opt(seconds_east)?;
    let instant = NaiveDateTime::new(date, time).and_local_timezone(zone).single()?;
    Some((Literal::DateTimeOffset(instant), at + length))
}

/// `Z`, `+09:00`, `-05:00`. A `+` that nobody encoded has become a space on the way: it is meant.
fn scan_offset(text: &str) -> Option<(i32, usize)> {
    let sign = match text.chars().next()? {
        'Z' | 'z' => return Some((0, 1)),
        '+' | ' ' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..6)?.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && (0..60).contains(&minutes)).then_some((sign * (hours * 3600 + minutes * 60), 6))
}

fn scan_number(text: &str) -> Option<(Literal, usize)> {
    let sign = usize::from(text.starts_with(['-', '+']));
    if text.get(sign..)?.get(..3) == Some("INF") {
        let value = if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
        return Some((Literal::Float(value), sign + 3));
    }
    let mut end = sign + digits(text.get(sign..)?);
    if end == sign {
        return None;
    }
    if text.get(end..)?.starts_with('.') {
        let fraction = digits(text.get(end + 1..)?);
        end = if fraction == 0 { return None } else { end + 1 + fraction };
    }
    if text.get(end..)?.starts_with(['e', 'E']) {
        let signed = end + 1 + usize::from(text.get(end + 1..)?.starts_with(['-', '+', ' ']));
        let exponent = digits(text.get(signed..)?);
        end = if exponent == 0 { return None } else { signed + exponent };
    }
    Some((Literal::Number(text.get(..end)?.replace(' ', "+")), end))
}

/// The text inside `duration'...'`: `P1DT2H3M4.5S`.
pub(in super::super) fn parse_duration(text: &str) -> Option<Literal> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let rest = rest.strip_prefix('P')?;
    let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
    if rest.is_empty() || rest.ends_with('T') {
        return None;
    }
    let mut seconds = 0i64;
    if !days.is_empty() {
        seconds = days.strip_suffix('D')?.parse::<i64>().ok()?.checked_mul(86_400)?;
    }
    let mut left = time;
    let mut nanos = 0;
    for (unit, factor) in [('H', 3600), ('M', 60)] {
        if let Some((amount, rest)) = left.split_once(unit) {
            seconds = seconds.checked_add(amount.parse::<i64>().ok()?.checked_mul(factor)?)?;
            left = rest;
        }
    }
    if !left.is_empty() {
        let (whole, fraction) =
            left.strip_suffix('S')?.split_once('.').unwrap_or((left.strip_suffix('S')?, "0"));
        seconds = seconds.checked_add(whole.parse().ok()?)?;
        nanos = format!("{fraction:0<9}").get(..9)?.parse::<i32>().ok()?;
    }
    Some(if negative { Literal::Duration(-seconds, -nanos) } else { Literal::Duration(seconds, nanos) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_told_apart() {
        let number = |text: &str| Literal::Number(text.into());
        for (text, expected, length) in [
            ("5)", number("5"), 1),
            ("-12.50 add", number("-12.50"), 6),
            ("1e10", number("1e10"), 4),
            ("2024-02-29 and", Literal::Date(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()), 10),
            ("23:59", Literal::TimeOfDay(NaiveTime::from_hms_opt(23, 59, 0).unwrap()), 5),
            ("01234567-89ab-cdef-0123-456789abcdef", Literal::Other("a GUID"), 36),
            ("-INF", Literal::Float(f64::NEG_INFINITY), 4),
        ] {
            assert_eq!(scan_number_or_date(text), Some((expected, length)), "{text}");
        }
        for text in ["1.", "1e", "2024-02-30T00:00:00Z", "-", "a"] {
            let found = scan_number_or_date(text);
            assert!(found.as_ref().is_none_or(|(_, n)| *n < text.len()), "{text}: {found:?}");
        }
    }

    #[test]
    fn instants_keep_their_offset() {
        for text in ["2024-03-31T09:00:00+09:00", "2024-03-31T09:00:00 09:00", "2024-03-31T00:00Z"] {
            let Some((Literal::DateTimeOffset(instant), length)) = scan_number_or_date(text) else {
                panic!("{text}")
            };
            assert_eq!((instant.timestamp(), length), (1_711_843_200, text.len()), "{text}");
        }
    }

    #[test]
    fn durations_are_seconds() {
        assert_eq!(parse_duration("PT25H1M"), Some(Literal::Duration(90_060, 0)));
        assert_eq!(parse_duration("-P1DT0.5S"), Some(Literal::Duration(-86_400, -500_000_000)));
        for text in ["", "P", "PT", "P1Y", "1H", "PT1X"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
