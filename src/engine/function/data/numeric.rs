//! `numeric`: decimals of any length, with the scale that PostgreSQL gives a quotient.

use std::fmt;

use num_bigint::{BigInt, Sign};

use crate::error::{Error, Kind};

/// A decimal number: `digits` with the point `scale` places from their right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    pub(super) digits: BigInt,
    pub(super) scale: u32,
}

/// Significant digits that a quotient has at least (PostgreSQL's `NUMERIC_MIN_SIG_DIGITS`).
const SIGNIFICANT: i64 = 16;
/// Decimal digits in one of PostgreSQL's own digits (`DEC_DIGITS`).
const GROUP: i64 = 4;

impl Number {
    pub(super) fn new(digits: BigInt, scale: u32) -> Self {
        Self { digits, scale }
    }

    pub(super) fn whole(value: i64) -> Self {
        Self::new(value.into(), 0)
    }

    /// A column's value. A type of 38 digits and more is that of a column or of a result, whose values have as many
    /// digits after the point as they need; a literal has those that it was written with.
    pub(super) fn of_column(digits: BigInt, precision: u8, scale: i8) -> Self {
        let number = match u32::try_from(scale) {
            Ok(scale) => Self::new(digits, scale),
            Err(_) => Self::new(digits * power(u32::from(scale.unsigned_abs())), 0),
        };
        if precision >= 38 { number.trimmed() } else { number }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.sign() == Sign::NoSign
    }

    /// Without zeros at the end of the fraction.
    pub(super) fn trimmed(mut self) -> Self {
        if self.is_zero() {
            return Self::whole(0);
        }
        let ten = BigInt::from(10);
        while self.scale > 0 && (&self.digits % &ten).sign() == Sign::NoSign {
            self.digits /= &ten;
            self.scale -= 1;
        }
        self
    }

    /// With so many digits after the point, rounded half away from zero.
    pub(super) fn rounded(&self, scale: u32) -> Self {
        match scale.checked_sub(self.scale) {
            Some(more) => Self::new(&self.digits * power(more), scale),
            None => Self::new(divided(&self.digits, &power(self.scale - scale)), scale),
        }
    }

    /// The quotient with the scale that PostgreSQL's `select_div_scale` gives it.
    ///
    /// # Errors
    /// `DivisionByZero`.
    pub(super) fn divided_by(&self, other: &Self) -> Result<Self, Error> {
        if other.is_zero() {
            return Err(Error::new(Kind::DivisionByZero, "division by zero"));
        }
        let ((weight, first), (other_weight, other_first)) = (self.leading(), other.leading());
        let weight = weight - other_weight - i64::from(first <= other_first);
        let scale =
            (SIGNIFICANT - weight * GROUP).max(self.scale.into()).max(other.scale.into()).clamp(0, 1000);
        let scale = u32::try_from(scale).unwrap_or(0);
        let dividend = &self.digits * power(scale + other.scale);
        let divisor = &other.digits * power(self.scale);
        Ok(Self::new(divided(&dividend, &divisor), scale))
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        Self::new(&self.digits * &other.digits, self.scale + other.scale)
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self::new(self.rounded(scale).digits - other.rounded(scale).digits, scale)
    }

    /// The remainder, with the sign of the dividend.
    ///
    /// # Errors
    /// `DivisionByZero`.
    pub(super) fn remainder(&self, other: &Self) -> Result<Self, Error> {
        if other.is_zero() {
            return Err(Error::new(Kind::DivisionByZero, "division by zero"));
        }
        let scale = self.scale.max(other.scale);
        Ok(Self::new(self.rounded(scale).digits % other.rounded(scale).digits, scale))
    }

    /// The weight of the first of PostgreSQL's digits of base 10000, and that digit.
    fn leading(&self) -> (i64, BigInt) {
        if self.is_zero() {
            return (0, BigInt::from(0));
        }
        let magnitude = BigInt::from(self.digits.magnitude().clone());
        let length = i64::try_from(magnitude.to_string().len()).unwrap_or(i64::MAX);
        let weight = (length - 1 - i64::from(self.scale)).div_euclid(GROUP);
        // The digits left of the group's end.
        let cut = i64::from(self.scale) + weight * GROUP;
        let first = match u32::try_from(cut) {
            Ok(cut) => magnitude / power(cut),
            Err(_) => magnitude * power(u32::try_from(-cut).unwrap_or(0)),
        };
        (weight, first)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::try_from(self.scale).unwrap_or(0);
        let digits = format!("{:0>width$}", self.digits.magnitude().to_string(), width = scale + 1);
        let sign = if self.digits.sign() == Sign::Minus { "-" } else { "" };
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

/// 10 to a power.
pub(super) fn power(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// The quotient, rounded half away from zero.
fn divided(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    let quotient = dividend / divisor;
    let rest = BigInt::from((dividend % divisor).magnitude().clone()) * 2;
    if rest < BigInt::from(divisor.magnitude().clone()) {
        return quotient;
    }
    let negative = (dividend.sign() == Sign::Minus) != (divisor.sign() == Sign::Minus);
    if negative { quotient - 1 } else { quotient + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        Number::new(format!("{whole}{fraction}").parse().unwrap(), u32::try_from(fraction.len()).unwrap())
    }

    #[test]
    fn quotients_have_postgresqls_digits() {
        for (dividend, divisor, quotient) in [
            ("10.0", "3", "3.3333333333333333"),
            ("1", "7", "0.14285714285714285714"),
            ("22.0", "7.0", "3.1428571428571429"),
            ("-0.5", "3", "-0.16666666666666666667"),
            ("5", "2.5", "2.0000000000000000"),
            ("12345678901234567890.0123456789", "3", "4115226300411522630.0041152263"),
            ("200.0", "3", "66.6666666666666667"),
            ("0", "3", "0.00000000000000000000"),
            ("100000", "3", "33333.333333333333"),
        ] {
            assert_eq!(
                number(dividend).divided_by(&number(divisor)).unwrap().to_string(),
                quotient,
                "{dividend}"
            );
        }
        assert!(number("1").divided_by(&number("0")).is_err());
    }

    #[test]
    fn numbers_are_rounded_half_away_from_zero() {
        for (text, scale, rounded) in
            [("2.345", 2, "2.35"), ("-2.5", 0, "-3"), ("1.5", 3, "1.500"), ("-0.04", 1, "0.0")]
        {
            assert_eq!(number(text).rounded(scale).to_string(), rounded);
        }
        assert_eq!(number("1.500").trimmed().to_string(), "1.5");
        assert_eq!(number("-7.5").remainder(&number("2")).unwrap().to_string(), "-1.5");
    }
}
