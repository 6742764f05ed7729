//! The exact decimal that numbers are kept in: as many digits as an app can ask for (K§3.5).

use std::fmt;

use num_bigint::{BigInt, Sign};

/// Decimal places that a [`Decimal`] keeps: Kintone's most (K§3.5).
pub(super) const PLACES: usize = 10;
/// Ten-billionths in one.
const ONE: u64 = 10_u64.pow(10);
/// Digits before the point of a number that is read: Kintone's most (K§3.5).
const WHOLE_DIGITS: usize = 30;

/// An exact decimal with ten places. It orders as it is declared: the next whole number below it, in two words so that
/// a value stays at 32 bytes, then the ten-billionths above that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Decimal {
    high: i64,
    low: u64,
    fraction: u64,
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
        let whole: i128 = format!("0{}", self.whole).parse().ok()?;
        let fraction: u64 = format!("{kept:0<PLACES$}").parse().ok()?;
        let unit = 10_u64.pow(u32::try_from(PLACES - places).ok()?);
        let odd = if places == 0 { whole % 2 == 1 } else { (fraction / unit) % 2 == 1 };
        let up = match rounding {
            Rounding::Down => false,
            Rounding::Up => !dropped.is_empty(),
            // Trailing zeros are gone, so "5" alone is exactly half.
            Rounding::HalfEven => dropped > "5" || (dropped == "5" && odd),
        };
        let fraction = if up { fraction + unit } else { fraction };
        Some(Decimal::of(self.negative, whole + i128::from(fraction / ONE), fraction % ONE))
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
    /// The parts of its magnitude; `whole` is not negative.
    fn of(negative: bool, whole: i128, fraction: u64) -> Self {
        match (negative, fraction) {
            (false, _) => Self::above(whole, fraction),
            (true, 0) => Self::above(-whole, 0),
            (true, _) => Self::above(-whole - 1, ONE - fraction),
        }
    }

    /// So many ten-billionths above a whole number.
    fn above(whole: i128, fraction: u64) -> Self {
        let low = u64::try_from(whole & i128::from(u64::MAX)).unwrap_or_default();
        let high = i64::try_from(whole >> 64).unwrap_or_default();
        Self { high, low, fraction }
    }

    /// The next whole number below.
    fn floor(self) -> i128 {
        (i128::from(self.high) << 64) | i128::from(self.low)
    }

    /// A whole number.
    pub(super) fn whole(number: i64) -> Self {
        Self::above(i128::from(number), 0)
    }

    /// Of ten-billionths; `None` where it does not fit.
    pub(super) fn from_scaled(scaled: &BigInt) -> Option<Self> {
        let magnitude = scaled.magnitude();
        let whole = i128::try_from(magnitude / ONE).ok().filter(|whole| *whole < i128::MAX)?;
        let fraction = u64::try_from(magnitude % ONE).ok()?;
        Some(Self::of(scaled.sign() == Sign::Minus, whole, fraction))
    }

    /// In ten-billionths, of which a word cannot hold so many.
    pub(super) fn scaled(self) -> BigInt {
        BigInt::from(self.floor()) * ONE + self.fraction
    }

    /// Without the digits behind the point.
    pub(super) fn truncated(self) -> i128 {
        let floor = self.floor();
        if floor < 0 && self.fraction > 0 { floor + 1 } else { floor }
    }

    /// How many digits stand before the point.
    pub(super) fn whole_digits(self) -> usize {
        let whole = self.truncated().unsigned_abs();
        if whole == 0 { 0 } else { usize::try_from(whole.ilog10()).unwrap_or(usize::MAX).saturating_add(1) }
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
        let (is_negative, whole) = (self.floor() < 0, self.truncated().unsigned_abs());
        let sign = if is_negative { "-" } else { "" };
        if self.fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = if is_negative { ONE - self.fraction } else { self.fraction };
        let fraction = format!("{fraction:0>PLACES$}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
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
        let nines = "9".repeat(30);
        let mut previous = None;
        for text in [
            &format!("-{nines}.9999999999"),
            &format!("-{nines}"),
            "-10000000000000000000",
            "-2",
            "-1.5",
            "-1",
            "-0.9999999999",
            "-0.0000000001",
            "0",
            "0.0000000001",
            "9",
            "10",
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999",
            &nines,
            &format!("{nines}.0000000001"),
            &format!("{nines}.9999999999"),
        ] {
            let decimal = Decimal::parse(text);
            assert!(decimal > previous, "{text}");
            assert_eq!(decimal.unwrap().to_string(), text);
            assert_eq!(Decimal::from_scaled(&decimal.unwrap().scaled()), decimal, "{text}");
            previous = decimal;
        }
    }

    #[test]
    fn thirty_digits_fit_before_the_point() {
        assert_eq!(Decimal::parse(&format!("1{}", "0".repeat(30))), None);
        assert_eq!(Decimal::from_scaled(&BigInt::from(10).pow(60)), None);
        for (text, digits) in [("0.9", 0), ("-0.9", 0), ("-9.9", 1), ("-10", 2), (&"9".repeat(30), 30)] {
            assert_eq!(Decimal::parse(text).unwrap().whole_digits(), digits, "{text}");
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
            ("0.5", 0, Rounding::HalfEven, "0"),
            ("-1.5", 0, Rounding::HalfEven, "-2"),
            ("2.5", 0, Rounding::HalfEven, "2"),
            ("0.99999", 4, Rounding::Up, "1"),
            ("-0.99999", 4, Rounding::Up, "-1"),
            ("9.00000000005", 10, Rounding::HalfEven, "9"),
            ("999999999999999999999999999999.5", 0, Rounding::HalfEven, "1000000000000000000000000000000"),
            ("-999999999999999999999999999999.5", 0, Rounding::Down, "-999999999999999999999999999999"),
        ] {
            assert_eq!(Digits::parse(text, true).unwrap().round(places, mode).unwrap().to_string(), shown);
        }
    }
}
