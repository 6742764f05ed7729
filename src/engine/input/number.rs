//! Numbers: `integer`, `oid`, `real`, `double precision`, `numeric`.

use std::str::FromStr;

use datafusion::scalar::ScalarValue;

use super::{invalid, shown};
use crate::engine::SqlType;
use crate::error::{Error, Kind, Result};

/// Digits that a numeric has at most here.
const NUMERIC_DIGITS: u8 = 38;

/// The values of a numeric that are no numbers, as they travel to where they are told apart: decimals of 39 digits,
/// which no number has.
const SPECIALS: [(&str, i128); 3] =
    [("NaN", i128::MAX), ("Infinity", i128::MAX - 1), ("-Infinity", i128::MIN)];

/// What a value is that is no number: `NaN`, `Infinity` or `-Infinity`.
#[must_use]
pub(crate) fn special_of(value: &ScalarValue) -> Option<&'static str> {
    let ScalarValue::Decimal128(Some(value), ..) = value else { return None };
    SPECIALS.iter().find(|(_, known)| known == value).map(|(name, _)| *name)
}

/// A numeric of these digits, no wider than it must be.
///
/// # Errors
/// `NumericOutOfRange` beyond 38 digits, before and after the point.
pub fn numeric(value: i128, scale: u8) -> Result<ScalarValue> {
    let digits = value.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
    let precision = u8::try_from(digits).unwrap_or(u8::MAX).max(scale);
    if precision > NUMERIC_DIGITS {
        return Err(beyond());
    }
    Ok(ScalarValue::Decimal128(Some(value), precision, i8::try_from(scale).map_err(|_| beyond())?))
}

fn beyond() -> Error {
    Error::new(Kind::NumericOutOfRange, "value overflows numeric format: it has more than 38 digits")
}

pub(super) fn integer<T: TryFrom<i128>>(text: &str, sql_type: &SqlType) -> Result<T> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid(text, sql_type));
    }
    let value: Option<i128> = text.parse().ok();
    value.and_then(|value| T::try_from(value).ok()).ok_or_else(|| out_of_range(text, sql_type))
}

/// An oid may be written as the negative number of the same bits.
pub(super) fn oid(text: &str) -> Result<i64> {
    let value: i64 = integer(text, &SqlType::Oid)?;
    match (u32::try_from(value), i32::try_from(value)) {
        (Ok(oid), _) => Ok(i64::from(oid)),
        (_, Ok(negative)) => Ok(i64::from(u32::from_ne_bytes(negative.to_ne_bytes()))),
        _ => Err(out_of_range(text, &SqlType::Oid)),
    }
}

fn out_of_range(text: &str, sql_type: &SqlType) -> Error {
    let message = format!("value \"{}\" is out of range for type {}", shown(text), sql_type.name());
    Error::new(Kind::NumericOutOfRange, message)
}

/// A number of `real`: one that is too big or too small for it is an error.
pub(super) fn real(text: &str) -> Result<f32> {
    let value: f32 = float(text, &SqlType::Float4)?;
    if (value.is_infinite() && is_finite(text)) || (value == 0.0 && has_digits(text)) {
        return Err(out_of_range(text, &SqlType::Float4));
    }
    Ok(value)
}

/// A number of `double precision`.
pub(super) fn double(text: &str) -> Result<f64> {
    let value: f64 = float(text, &SqlType::Float8)?;
    if (value.is_infinite() && is_finite(text)) || (value == 0.0 && has_digits(text)) {
        return Err(out_of_range(text, &SqlType::Float8));
    }
    Ok(value)
}

fn float<T: FromStr>(text: &str, sql_type: &SqlType) -> Result<T> {
    text.parse().map_err(|_| invalid(text, sql_type))
}

fn is_finite(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
}

/// Whether a digit before the exponent is not zero.
fn has_digits(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    mantissa.bytes().any(|b| matches!(b, b'1'..=b'9'))
}

/// Its scale is the number of its digits after the point.
pub(super) fn decimal(text: &str) -> Result<ScalarValue> {
    if let Some(special) = special(text) {
        return Ok(ScalarValue::Decimal128(Some(special), NUMERIC_DIGITS, 0));
    }
    let bad = || invalid(text, &SqlType::Numeric);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| bad())?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix(['+', '-']) {
        Some(rest) => (mantissa.starts_with('-'), rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let scale = i32::try_from(fraction.len()).ok().and_then(|scale| scale.checked_sub(exponent));
    let digits = all.trim_start_matches('0');
    let value: Option<i128> = if digits.is_empty() { Some(0) } else { digits.parse().ok() };
    let (Some(mut value), Some(scale)) = (value, scale) else { return Err(beyond()) };
    if scale < 0 && value != 0 {
        let power = 10_i128.checked_pow(scale.unsigned_abs());
        value = power.and_then(|power| power.checked_mul(value)).ok_or_else(beyond)?;
    }
    numeric(if negative { -value } else { value }, u8::try_from(scale.max(0)).map_err(|_| beyond())?)
}

fn special(text: &str) -> Option<i128> {
    let known = |name: &str| SPECIALS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    match text.to_ascii_lowercase().as_str() {
        "nan" => known("NaN"),
        "infinity" | "inf" | "+infinity" | "+inf" => known("Infinity"),
        "-infinity" | "-inf" => known("-Infinity"),
        _ => None,
    }
}
