//! A parameter's text form as a value: what each type's `in` function of PostgreSQL reads.

use std::str::FromStr;

use arrow::datatypes::IntervalMonthDayNano;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;
use datafusion::scalar::ScalarValue;

use super::failure::Failure;
use super::parameter::{list, out_of_range};
use crate::engine::SqlType;

/// Reads a value. `zone` is that of a timestamptz without an offset.
pub(super) fn parse(text: &str, sql_type: &SqlType, zone: Tz) -> Result<ScalarValue, Failure> {
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
    let bad = || invalid(text, sql_type);
    Ok(match sql_type {
        SqlType::Bool => ScalarValue::Boolean(Some(boolean(trimmed).ok_or_else(bad)?)),
        SqlType::Int2 => ScalarValue::Int16(Some(integer(trimmed, sql_type)?)),
        SqlType::Int4 => ScalarValue::Int32(Some(integer(trimmed, sql_type)?)),
        SqlType::Int8 => ScalarValue::Int64(Some(integer(trimmed, sql_type)?)),
        SqlType::Oid => ScalarValue::Int64(Some(i64::from(integer::<u32>(trimmed, sql_type)?))),
        SqlType::Float4 => ScalarValue::Float32(Some(trimmed.parse().map_err(|_| bad())?)),
        SqlType::Float8 => ScalarValue::Float64(Some(trimmed.parse().map_err(|_| bad())?)),
        SqlType::Numeric => decimal(trimmed).ok_or_else(bad)??,
        SqlType::Text | SqlType::Name | SqlType::Char | SqlType::Unknown => {
            ScalarValue::Utf8(Some(text.to_owned()))
        }
        SqlType::Jsonb => {
            serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| bad())?;
            ScalarValue::Utf8(Some(text.to_owned()))
        }
        SqlType::Bytea => ScalarValue::Binary(Some(bytea(text).ok_or_else(bad)?)),
        SqlType::Date => {
            let date = trimmed.split([' ', 'T']).next().and_then(date).ok_or_else(bad)?;
            ScalarValue::Date32(Some(date.to_epoch_days()))
        }
        SqlType::Time => {
            let time = time(trimmed).ok_or_else(bad)?;
            let micros = i64::from(time.num_seconds_from_midnight()) * 1_000_000;
            ScalarValue::Time64Microsecond(Some(micros + i64::from(time.nanosecond() / 1000)))
        }
        SqlType::Timestamp => {
            let (local, _) = date_time(trimmed).ok_or_else(bad)?;
            ScalarValue::TimestampMicrosecond(Some(local.and_utc().timestamp_micros()), None)
        }
        SqlType::TimestampTz => {
            let micros = instant(trimmed, zone).ok_or_else(bad)?;
            ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()))
        }
        SqlType::Interval => match interval(trimmed) {
            Some(value) => ScalarValue::IntervalMonthDayNano(Some(value)),
            // ISO 8601, fractions of units and the rest: as Arrow reads them.
            None => {
                let text = ScalarValue::Utf8(Some(trimmed.to_owned()));
                text.cast_to(&sql_type.data_type()).map_err(|_| bad())?
            }
        },
        SqlType::Array(item) => array(trimmed, item, zone)?,
    })
}

fn invalid(text: &str, sql_type: &SqlType) -> Failure {
    let code = match sql_type {
        SqlType::Date | SqlType::Time | SqlType::Timestamp | SqlType::TimestampTz | SqlType::Interval => {
            "22007"
        }
        _ => "22P02",
    };
    let shown: String = text.chars().take(80).collect();
    Failure::error(code, format!("invalid input syntax for type {}: \"{shown}\"", sql_type.name()))
}

fn boolean(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let means = |word: &str, shortest: usize| text.len() >= shortest && word.starts_with(&text);
    if means("true", 1) || means("yes", 1) || text == "on" || text == "1" {
        Some(true)
    } else if means("false", 1) || means("no", 1) || means("off", 2) || text == "0" {
        Some(false)
    } else {
        None
    }
}

fn integer<T: TryFrom<i128>>(text: &str, sql_type: &SqlType) -> Result<T, Failure> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid(text, sql_type));
    }
    let value: i128 = text.parse().map_err(|_| out_of_range(sql_type))?;
    T::try_from(value).map_err(|_| out_of_range(sql_type))
}

/// `None`: not a number. Its scale is the number of its digits after the point.
fn decimal(text: &str) -> Option<Result<ScalarValue, Failure>> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix(['+', '-']) {
        Some(rest) => (mantissa.starts_with('-'), rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = || {
        let significant = all.trim_end_matches('0');
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let scale = scale.checked_sub(i32::try_from(all.len() - significant.len()).ok()?)?;
        let mut value: i128 = if significant.is_empty() { 0 } else { significant.parse().ok()? };
        if scale < 0 && value != 0 {
            value = 10_i128.checked_pow(scale.unsigned_abs())?.checked_mul(value)?;
        }
        let scale =
            if value == 0 { 0 } else { i8::try_from(scale.max(0)).ok().filter(|scale| *scale <= 38)? };
        let value = if negative { -value } else { value };
        (value.unsigned_abs() < 10_u128.pow(38)).then_some(ScalarValue::Decimal128(Some(value), 38, scale))
    };
    Some(value().ok_or_else(|| out_of_range(&SqlType::Numeric)))
}

fn bytea(text: &str) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("\\x") {
        let hex = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(hex(high)? * 16 + hex(low)?),
            _ => None,
        };
        return digits.as_bytes().chunks(2).map(byte).collect();
    }
    let mut out = vec![];
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                out.push(b'\\');
                tail
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                tail
            }
            (b'\\', _) => return None,
            (byte, tail) => {
                out.push(*byte);
                tail
            }
        };
    }
    Some(out)
}

fn date(text: &str) -> Option<NaiveDate> {
    ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"].iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok())
}

fn time(text: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
}

/// A date and a time with whatever follows them: an offset, `Z`, or nothing.
fn date_time(text: &str) -> Option<(NaiveDateTime, &str)> {
    let Some(at) = text.find([' ', 'T']) else {
        return Some((date(text)?.and_time(NaiveTime::MIN), ""));
    };
    let (day, rest) = (text.get(..at)?, text.get(at + 1..)?.trim_start());
    let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(end)?;
    Some((date(day)?.and_time(time(clock)?), zone.trim()))
}

/// Microseconds since 1970 in UTC. A local time that occurs twice is the earlier, as in PostgreSQL.
fn instant(text: &str, zone: Tz) -> Option<i64> {
    let (local, offset) = date_time(text)?;
    if offset.is_empty() {
        return Some(zone.from_local_datetime(&local).earliest()?.timestamp_micros());
    }
    if offset.eq_ignore_ascii_case("z") || offset.eq_ignore_ascii_case("utc") {
        return Some(local.and_utc().timestamp_micros());
    }
    if let Ok(named) = offset.parse::<Tz>() {
        return Some(named.from_local_datetime(&local).earliest()?.timestamp_micros());
    }
    let padded = if offset.len() == 3 { format!("{offset}:00") } else { offset.to_owned() };
    let whole = format!("{}{padded}", local.format("%Y-%m-%dT%H:%M:%S%.6f"));
    Some(DateTime::parse_from_str(&whole, "%Y-%m-%dT%H:%M:%S%.f%:z").ok()?.timestamp_micros())
}

/// What the server itself prints: `1 mon 2 days -03:04:05.6`.
fn interval(text: &str) -> Option<IntervalMonthDayNano> {
    let (mut months, mut days, mut nanos) = (0_i32, 0_i32, 0_i64);
    let mut words = text.split_ascii_whitespace();
    while let Some(word) = words.next() {
        if word.contains(':') {
            nanos = nanos.checked_add(clock(word)?)?;
            continue;
        }
        let count: i32 = word.parse().ok()?;
        match words.next()?.to_ascii_lowercase().trim_end_matches('s') {
            "year" => months = months.checked_add(count.checked_mul(12)?)?,
            "mon" | "month" => months = months.checked_add(count)?,
            "week" => days = days.checked_add(count.checked_mul(7)?)?,
            "day" => days = days.checked_add(count)?,
            _ => return None,
        }
    }
    (!text.is_empty()).then(|| IntervalMonthDayNano::new(months, days, nanos))
}

/// `[-]H:MM[:SS[.fff]]` in nanoseconds; there may be more hours than a day has.
fn clock(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (if text.starts_with('-') { -1 } else { 1 }, rest),
        None => (1, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut seconds: i64 = 0;
    let mut parts = 0;
    for part in whole.split(':') {
        let value: i64 = u32::from_str(part).ok()?.into();
        if parts > 0 && value > 59 {
            return None;
        }
        seconds = seconds.checked_mul(60)?.checked_add(value)?;
        parts += 1;
    }
    match parts {
        2 if fraction.is_empty() => seconds = seconds.checked_mul(60)?,
        3 => {}
        _ => return None,
    }
    let nanos: i64 = u32::from_str(format!("{fraction:0<9}").get(..9)?).ok()?.into();
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?.checked_mul(sign)
}

fn array(text: &str, item: &SqlType, zone: Tz) -> Result<ScalarValue, Failure> {
    let malformed = || Failure::error("22P02", format!("malformed array literal: \"{text}\""));
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(malformed)?;
    let items = items(inner).ok_or_else(malformed)?;
    let values = items
        .into_iter()
        .map(|value| value.map(|value| parse(&value, item, zone)).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    list(values, item)
}

/// The items between the braces; `None` inside for NULL, `None` outside where the text is malformed.
fn items(text: &str) -> Option<Vec<Option<String>>> {
    let mut out = vec![];
    let mut chars = text.chars().peekable();
    if text.trim().is_empty() {
        return Some(out);
    }
    loop {
        while chars.next_if(char::is_ascii_whitespace).is_some() {}
        let mut value = String::new();
        let quoted = chars.next_if_eq(&'"').is_some();
        let mut more = false;
        loop {
            match chars.next() {
                Some('\\') => value.push(chars.next()?),
                Some('"') if quoted => break,
                Some('"' | '{' | '}') if !quoted => return None,
                Some(',') if !quoted => {
                    more = true;
                    break;
                }
                Some(c) => value.push(c),
                None if quoted => return None,
                None => break,
            }
        }
        if quoted {
            while chars.next_if(char::is_ascii_whitespace).is_some() {}
            more = chars.peek().is_some();
            if more && chars.next() != Some(',') {
                return None;
            }
        } else {
            value.truncate(value.trim_end().len());
        }
        if value.is_empty() && !quoted {
            return None;
        }
        out.push((quoted || !value.eq_ignore_ascii_case("null")).then_some(value));
        if !more {
            return Some(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, sql_type: &SqlType) -> Result<String, &'static str> {
        match parse(text, sql_type, chrono_tz::Asia::Tokyo) {
            Ok(value) => Ok(format!("{value:?}")),
            Err(failure) => Err(failure.code()),
        }
    }

    #[test]
    fn texts_are_read_as_postgresql_reads_them() {
        let array = |item| SqlType::Array(Box::new(item));
        for (text, sql_type, expected) in [
            ("t", SqlType::Bool, "Boolean(true)"),
            (" off ", SqlType::Bool, "Boolean(false)"),
            ("-12", SqlType::Int4, "Int32(-12)"),
            ("2249", SqlType::Oid, "Int64(2249)"),
            ("1e2", SqlType::Float8, "Float64(100)"),
            ("NaN", SqlType::Float8, "Float64(NaN)"),
            ("-1.50", SqlType::Numeric, "Decimal128(-1.5,38,1)"),
            ("1.5e3", SqlType::Numeric, "Decimal128(1500,38,0)"),
            (".5", SqlType::Numeric, "Decimal128(0.5,38,1)"),
            ("1e-10", SqlType::Numeric, "Decimal128(0.0000000001,38,10)"),
            (" a ", SqlType::Text, "Utf8(\" a \")"),
            ("\\x00fF", SqlType::Bytea, "Binary(\"0,255\")"),
            ("a\\\\\\001", SqlType::Bytea, "Binary(\"97,92,1\")"),
            ("2026-04-24", SqlType::Date, "Date32(\"2026-04-24\")"),
            ("2026-04-24 10:00:00", SqlType::Date, "Date32(\"2026-04-24\")"),
            ("12:34", SqlType::Time, "Time64Microsecond(\"45240000000\")"),
            ("2026-04-24T12:00:00", SqlType::Timestamp, "TimestampMicrosecond(1777032000000000, None)"),
        ] {
            assert_eq!(shown(text, &sql_type).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "2026-04-24 21:00:00",
            "2026-04-24T12:00:00Z",
            "2026-04-24 14:00:00+02",
            "2026-04-24 17:30:00.000+05:30",
            "2026-04-24 14:00:00 Europe/Paris",
        ] {
            let expected = "TimestampMicrosecond(1777032000000000, Some(\"UTC\"))";
            assert_eq!(shown(text, &SqlType::TimestampTz).as_deref(), Ok(expected), "{text}");
        }
        for (text, sql_type, expected) in [
            (r#"{a, "b c" ,NULL,"NULL","q\"\\"}"#, array(SqlType::Text), r#"[a, b c, , NULL, q"\]"#),
            ("{}", array(SqlType::Int8), "[]"),
            ("{1,2}", array(SqlType::Int8), "[1, 2]"),
            ("{1.5,2.25}", array(SqlType::Numeric), "[1.50, 2.25]"),
        ] {
            let value = parse(text, &sql_type, chrono_tz::UTC).unwrap();
            assert_eq!(value.to_string(), expected);
        }
    }

    #[test]
    fn intervals_are_read() {
        for (text, expected) in
            [("1 day", (0, 1, 0)), ("25:01:00", (0, 0, 90_060)), ("1 mon 2 days 03:04:05", (1, 2, 11_045))]
        {
            let value = parse(text, &SqlType::Interval, chrono_tz::UTC).unwrap();
            let ScalarValue::IntervalMonthDayNano(Some(value)) = value else { panic!("{value:?}") };
            assert_eq!((value.months, value.days, value.nanoseconds / 1_000_000_000), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_value_is_an_error() {
        for (text, sql_type, code) in [
            ("maybe", SqlType::Bool, "22P02"),
            ("", SqlType::Int4, "22P02"),
            ("1.5", SqlType::Int4, "22P02"),
            ("40000", SqlType::Int2, "22003"),
            ("9223372036854775808", SqlType::Int8, "22003"),
            ("1e39", SqlType::Numeric, "22003"),
            ("1.2.3", SqlType::Numeric, "22P02"),
            ("{\"a\":", SqlType::Jsonb, "22P02"),
            ("\\x0", SqlType::Bytea, "22P02"),
            ("2026-02-30", SqlType::Date, "22007"),
            ("25:00", SqlType::Time, "22007"),
            ("soon", SqlType::TimestampTz, "22007"),
            ("", SqlType::Interval, "22007"),
            ("1:70", SqlType::Interval, "22007"),
            ("{a", SqlType::Array(Box::new(SqlType::Text)), "22P02"),
            ("{a,}", SqlType::Array(Box::new(SqlType::Text)), "22P02"),
            ("{{1},{2}}", SqlType::Array(Box::new(SqlType::Int4)), "22P02"),
        ] {
            assert_eq!(shown(text, &sql_type), Err(code), "{text}");
        }
    }
}
