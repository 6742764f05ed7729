//! Literals of a URL to parameter values, of the type of what they are compared with.

use arrow::datatypes::IntervalMonthDayNano;
use chrono::{NaiveDate, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;
use datafusion::scalar::ScalarValue;

use super::edm::Edm;
use super::parse::Literal;
use crate::engine::SqlType;
use crate::error::{Error, Kind, Result};

/// Digits after the point of a column that says nothing else: as in [`SqlType::data_type`].
const USUAL_SCALE: i8 = 10;
/// Digits of Arrow's widest decimal here.
const PRECISION: u8 = 38;

/// A literal as the value of a column's type. `None` when the two have nothing in common.
///
/// # Errors
/// `InvalidText` for quoted text that is no value of the type, `NumericOutOfRange` for a number beyond 38 digits.
pub(super) fn value_as(literal: &Literal, sql_type: &SqlType, zone: Tz) -> Result<Option<ScalarValue>> {
    if let (Literal::String(text), false) = (literal, Edm::of(sql_type) == Edm::String) {
        return from_text(text, sql_type, zone).map(Some);
    }
    Ok(match (literal, Edm::of(sql_type)) {
        (Literal::Null, _) => Some(ScalarValue::Null),
        (Literal::Boolean(value), Edm::Boolean) => Some(ScalarValue::Boolean(Some(*value))),
        (Literal::String(text), Edm::String) => Some(ScalarValue::Utf8(Some(text.clone()))),
        (Literal::Number(digits), Edm::Double | Edm::Single) => {
            Some(ScalarValue::Float64(digits.parse().ok()))
        }
        (Literal::Number(digits), edm) if edm.is_integer() => Some(integer(digits, &edm)?),
        (Literal::Number(digits), Edm::Decimal) => Some(decimal(digits)?),
        (Literal::Float(value), edm) if edm.is_number() => Some(ScalarValue::Float64(Some(*value))),
        (Literal::Date(date), Edm::Date) => Some(date_value(*date)),
        (Literal::Date(date), Edm::DateTimeOffset) => midnight(*date, zone).map(|at| instant(at, sql_type)),
        (Literal::TimeOfDay(time), Edm::TimeOfDay) => Some(time_value(*time)),
        (Literal::DateTimeOffset(at), Edm::DateTimeOffset) => Some(instant(at.timestamp_micros(), sql_type)),
        (Literal::Duration(seconds, nanos), Edm::Duration) => Some(duration(*seconds, *nanos)?),
        _ => None,
    })
}

/// A literal by itself, and the type that its text says.
///
/// # Errors
/// `Unsupported` for a form that no column here has.
pub(super) fn natural(literal: &Literal, zone: Tz) -> Result<(ScalarValue, SqlType)> {
    let sql_type = match literal {
        Literal::Null => return Ok((ScalarValue::Null, SqlType::Unknown)),
        Literal::Boolean(_) => SqlType::Bool,
        Literal::Number(digits) if digits.parse::<i64>().is_ok() => SqlType::Int8,
        Literal::Number(_) => SqlType::Numeric,
        Literal::Float(_) => SqlType::Float8,
        Literal::String(_) => SqlType::Text,
        Literal::Date(_) => SqlType::Date,
        Literal::TimeOfDay(_) => SqlType::Time,
        Literal::DateTimeOffset(_) => SqlType::TimestampTz,
        Literal::Duration(..) => SqlType::Interval,
        Literal::Other(name) => return Err(Error::unsupported(name)),
    };
    let value = value_as(literal, &sql_type, zone)?.ok_or_else(|| Error::unsupported("this literal"))?;
    Ok((value, sql_type))
}

/// `AppId eq '1354841'` is meant as `AppId eq 1354841` (OData 4.01, part 2, type promotion of string literals).
fn from_text(text: &str, sql_type: &SqlType, zone: Tz) -> Result<ScalarValue> {
    let literal = match (text.to_ascii_lowercase().as_str(), Edm::of(sql_type)) {
        ("true", Edm::Boolean) => Some(Literal::Boolean(true)),
        ("false", Edm::Boolean) => Some(Literal::Boolean(false)),
        (_, Edm::Duration) => super::parse::parse_duration(text),
        _ => super::parse::parse_plain(text),
    };
    let value = literal.map(|literal| value_as(&literal, sql_type, zone)).transpose()?.flatten();
    value.ok_or_else(|| {
        let name = Edm::of(sql_type).name();
        Error::new(Kind::InvalidText, format!("'{}' is not a value of {name}", shortened(text)))
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

fn integer(digits: &str, edm: &Edm) -> Result<ScalarValue> {
    let fitting = match edm {
        Edm::Int16 => digits.parse().ok().map(|n| ScalarValue::Int16(Some(n))),
        Edm::Int32 => digits.parse().ok().map(|n| ScalarValue::Int32(Some(n))),
        _ => digits.parse().ok().map(|n| ScalarValue::Int64(Some(n))),
    };
    fitting.map_or_else(|| decimal(digits), Ok)
}

/// Exactly these digits: with the usual scale where they fit it, so that no cast hides the column.
fn decimal(digits: &str) -> Result<ScalarValue> {
    let out_of_range = || {
        Error::new(Kind::NumericOutOfRange, format!("the number {} has too many digits", shortened(digits)))
    };
    let (unscaled, scale) = unscaled(digits).ok_or_else(out_of_range)?;
    let widened = usize::try_from(USUAL_SCALE - scale)
        .ok()
        .and_then(|zeros| format!("{unscaled}{}", "0".repeat(zeros)).parse::<i128>().ok())
        .filter(|value| value.unsigned_abs() < 10u128.pow(u32::from(PRECISION)));
    Ok(match widened {
        Some(value) => ScalarValue::Decimal128(Some(value), PRECISION, USUAL_SCALE),
        None => ScalarValue::Decimal128(Some(unscaled), PRECISION, scale),
    })
}

/// `-12.50` is (-125, 1): digits and how many of them stand after the point, at most 38 of either.
fn unscaled(number: &str) -> Option<(i128, i8)> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut digits = format!("{whole}{fraction}");
    let mut scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    if scale < -i32::from(PRECISION) {
        return (digits.trim_start_matches(['-', '+', '0']).is_empty()).then_some((0, 0));
    }
    while scale < 0 {
        digits.push('0');
        scale += 1;
    }
    let value: i128 = digits.parse().ok()?;
    let scale = i8::try_from(scale).ok()?;
    let fits =
        value.unsigned_abs() < 10u128.pow(u32::from(PRECISION)) && scale <= i8::try_from(PRECISION).ok()?;
    fits.then_some((value, scale))
}

fn date_value(date: NaiveDate) -> ScalarValue {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    ScalarValue::Date32(i32::try_from(days).ok())
}

fn time_value(time: NaiveTime) -> ScalarValue {
    let micros =
        i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1_000);
    ScalarValue::Time64Microsecond(Some(micros))
}

fn instant(micros: i64, sql_type: &SqlType) -> ScalarValue {
    let zone = (*sql_type != SqlType::Timestamp).then(|| "UTC".into());
    ScalarValue::TimestampMicrosecond(Some(micros), zone)
}

/// When a day begins in the zone, in microseconds. Where a clock change skips midnight, the first minute after it.
pub(super) fn midnight(date: NaiveDate, zone: Tz) -> Option<i64> {
    let start = date.and_time(NaiveTime::MIN);
    (0..4)
        .find_map(|half_hours| {
            zone.from_local_datetime(&(start + chrono::Duration::minutes(30 * half_hours))).earliest()
        })
        .map(|at| at.timestamp_micros())
}

fn duration(seconds: i64, nanos: i32) -> Result<ScalarValue> {
    let nanoseconds = seconds
        .checked_mul(1_000_000_000)
        .and_then(|total| total.checked_add(i64::from(nanos)))
        .ok_or_else(|| Error::new(Kind::NumericOutOfRange, "the duration is too long"))?;
    Ok(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano { months: 0, days: 0, nanoseconds })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit() {
        for (text, value, scale) in [
            ("100", 1_000_000_000_000, 10),
            ("-12.50", -125_000_000_000, 10),
            ("1.5e2", 1_500_000_000_000, 10),
            ("0.12345678901", 12_345_678_901, 11),
            ("12345678901234567890123456789012345678", 12_345_678_901_234_567_890_123_456_789_012_345_678, 0),
        ] {
            assert_eq!(decimal(text).unwrap(), ScalarValue::Decimal128(Some(value), 38, scale), "{text}");
        }
        for text in ["1e999999", "123456789012345678901234567890123456789", "1e-60"] {
            assert_eq!(decimal(text).unwrap_err().kind, Kind::NumericOutOfRange, "{text}");
        }
    }

    #[test]
    fn quoted_text_becomes_the_type() {
        let value = |text: &str, sql_type| value_as(&Literal::String(text.into()), &sql_type, Tz::UTC);
        assert_eq!(value("1354841", SqlType::Int8).unwrap(), Some(ScalarValue::Int64(Some(1_354_841))));
        assert_eq!(value("2024-01-01", SqlType::Date).unwrap(), Some(ScalarValue::Date32(Some(19_723))));
        assert_eq!(value("x", SqlType::Int8).unwrap_err().kind, Kind::InvalidText);
    }

    #[test]
    fn a_date_is_its_midnight() {
        let date = Literal::Date(NaiveDate::from_ymd_opt(2024, 4, 1).unwrap());
        let at = |zone| value_as(&date, &SqlType::TimestampTz, zone).unwrap().unwrap();
        let utc = Some("UTC".into());
        assert_eq!(at(Tz::UTC), ScalarValue::TimestampMicrosecond(Some(1_711_929_600_000_000), utc.clone()));
        assert_eq!(at(Tz::Asia__Tokyo), ScalarValue::TimestampMicrosecond(Some(1_711_897_200_000_000), utc));
    }
}
