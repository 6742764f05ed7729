//! A record's values in a compact typed form, and the exact decimal that numbers are kept in.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Timelike};

use super::app::File;

/// Decimal places that a [`Decimal`] keeps: Kintone's most (K§3.5).
pub(super) const PLACES: usize = 10;
pub(super) const ONE: i128 = 10_i128.pow(10);
/// Digits before the point that fit.
const WHOLE_DIGITS: usize = 28;

/// An exact decimal with ten places, in two words so that a value stays at 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Decimal {
    high: i64,
    low: u64,
}

/// How digits past the app's decimal places are dropped (K§2.2, `numberPrecision`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    HalfEven,
    Up,
    Down,
}

/// A number as it was written: digits before and after the point.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Digits {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Digits {
    /// Reads sign, digits, point and, where allowed, an exponent. No spaces.
    pub(super) fn parse(text: &str, exponent_allowed: bool) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) if exponent_allowed => (mantissa, self::exponent(exponent)?),
            Some(_) => return None,
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits_only = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !digits_only(whole) || !digits_only(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let (mut whole, mut fraction) = (whole.to_owned(), fraction.to_owned());
        shift(&mut whole, &mut fraction, exponent);
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        Some(Self { negative, whole, fraction })
    }

    /// The value to `places` decimals; `None` where it does not fit.
    pub(super) fn round(&self, places: usize, rounding: Rounding) -> Option<Decimal> {
        let places = places.min(PLACES);
        if self.whole.len() > WHOLE_DIGITS {
            return None;
        }
        let kept = self.fraction.get(..places).unwrap_or(&self.fraction);
        let dropped = self.fraction.get(places..).unwrap_or_default();
        let scaled: i128 = format!("{}{kept:0<PLACES$}", self.whole).parse().ok()?;
        let unit = 10_i128.pow(u32::try_from(PLACES - places).ok()?);
        let odd = (scaled / unit) % 2 == 1;
        let up = match rounding {
            Rounding::Down => false,
            Rounding::Up => !dropped.is_empty(),
            // Trailing zeros are gone, so "5" alone is exactly half.
            Rounding::HalfEven => dropped > "5" || (dropped == "5" && odd),
        };
        let magnitude = if up { scaled.checked_add(unit)? } else { scaled };
        Some(Decimal::from_scaled(if self.negative { -magnitude } else { magnitude }))
    }
}

/// An exponent; one that no number could have is cut, since it is past every limit anyway.
fn exponent(text: &str) -> Option<i16> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let past_all = if text.starts_with('-') { i16::MIN } else { i16::MAX };
    is_number.then(|| text.parse().unwrap_or(past_all))
}

/// Moves the point by the exponent.
fn shift(whole: &mut String, fraction: &mut String, exponent: i16) {
    for _ in 0..exponent.unsigned_abs().min(400) {
        if exponent > 0 {
            whole.push(if fraction.is_empty() { '0' } else { fraction.remove(0) });
        } else {
            fraction.insert(0, whole.pop().unwrap_or('0'));
        }
    }
}

impl Decimal {
    /// Of ten-billionths.
    pub(super) fn from_scaled(scaled: i128) -> Self {
        let low = u64::try_from(scaled & i128::from(u64::MAX)).unwrap_or_default();
        let high = i64::try_from(scaled >> 64).unwrap_or_default();
        Self { high, low }
    }

    /// How many digits stand before the point.
    pub(super) fn whole_digits(self) -> usize {
        let whole = self.scaled().unsigned_abs() / ONE.unsigned_abs();
        if whole == 0 { 0 } else { usize::try_from(whole.ilog10()).unwrap_or(usize::MAX).saturating_add(1) }
    }

    /// In ten-billionths.
    pub(super) fn scaled(self) -> i128 {
        (i128::from(self.high) << 64) | i128::from(self.low)
    }

    /// Reads a literal that values are compared with: one beyond all values stands for the largest or the least.
    pub(super) fn literal(text: &str) -> Option<Self> {
        let digits = Digits::parse(text, false)?;
        match digits.round(PLACES, Rounding::Down) {
            None if digits.negative => Some(Self::from_scaled(i128::MIN)),
            None => Some(Self::from_scaled(i128::MAX)),
            Some(_) => Self::parse(text),
        }
    }

    /// Reads a plain decimal; `None` where it is not one, or has more digits than are kept.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = Digits::parse(text, false)?;
        if digits.fraction.len() > PLACES {
            return None;
        }
        digits.round(PLACES, Rounding::Down)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scaled = self.scaled();
        let sign = if scaled < 0 { "-" } else { "" };
        let magnitude = scaled.unsigned_abs();
        let one = ONE.unsigned_abs();
        let (whole, fraction) = (magnitude / one, magnitude % one);
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{fraction:0>PLACES$}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

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

/// Days since 1970 of `2026-04-24`.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.to_epoch_days())
}

/// Minutes of the day of `15:31` or `15:31:00`.
pub(super) fn parse_time(text: &str) -> Option<i32> {
    let time = chrono::NaiveTime::parse_from_str(text, "%H:%M")
        .or_else(|_| chrono::NaiveTime::parse_from_str(text, "%H:%M:%S"))
        .ok()?;
    i32::try_from(time.num_seconds_from_midnight() / 60).ok()
}

/// Minutes since 1970 of an instant with an offset, or of a date alone, taken as UTC (K§4.2).
pub(super) fn parse_datetime(text: &str) -> Option<i64> {
    if let Some(days) = parse_date(text) {
        return Some(i64::from(days) * 24 * 60);
    }
    let zoned = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
    let seconds = zoned
        .iter()
        .find_map(|format| DateTime::parse_from_str(text, format).ok())
        .map(|instant| instant.timestamp())
        .or_else(|| {
            let plain = NaiveDateTime::parse_from_str(text.strip_suffix('Z')?, "%Y-%m-%dT%H:%M").ok()?;
            Some(plain.and_utc().timestamp())
        })?;
    Some(seconds.div_euclid(60))
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
    fn decimals_read_and_write_plainly() {
        for (text, shown) in [
            ("0", "0"),
            ("-0", "0"),
            ("007.50", "7.5"),
            ("-12345678901234567890.0000000001", "-12345678901234567890.0000000001"),
            (".5", "0.5"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "-", "1e3", "1,000", "0.00000000001", "１"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_order_as_numbers() {
        let mut previous = None;
        for text in
            ["-10000000000000000000", "-2", "-1.5", "0", "0.0000000001", "9", "10", "99999999999999999999"]
        {
            let decimal = Decimal::parse(text);
            assert!(decimal > previous, "{text}");
            previous = decimal;
        }
    }

    #[test]
    fn rounding_follows_the_mode() {
        for (text, places, mode, shown) in [
            ("12.34567", 4, Rounding::HalfEven, "12.3457"),
            ("0.00005", 4, Rounding::HalfEven, "0"),
            ("0.00015", 4, Rounding::HalfEven, "0.0002"),
            ("0.00011", 4, Rounding::Up, "0.0002"),
            ("-0.00019", 4, Rounding::Down, "-0.0001"),
            ("1.5e1", 4, Rounding::HalfEven, "15"),
            ("15e-2", 4, Rounding::HalfEven, "0.15"),
        ] {
            assert_eq!(Digits::parse(text, true).unwrap().round(places, mode).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn instants_are_minutes() {
        for text in ["2012-02-03T09:00:59+0900", "2012-02-03T00:00:00Z", "2012-02-03T00:00Z", "2012-02-03"] {
            assert_eq!(format_datetime(parse_datetime(text).unwrap()), "2012-02-03T00:00:00Z", "{text}");
        }
        assert_eq!(parse_datetime("2012-02-03T00:00:00"), None);
        assert_eq!(format_duration(parse_duration("-25:01").unwrap()), "-25:01");
    }
}
