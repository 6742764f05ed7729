//! Exact arithmetic on decimals, done on integers of any length. `None` is a result that does not fit, or a division by zero.

use num_bigint::{BigInt, BigUint};

use super::super::decimal::{Decimal, PLACES, Rounding};

/// How digits are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    HalfEven,
    /// Half goes away from zero.
    HalfUp,
    /// Away from zero.
    Up,
    /// Toward zero.
    Down,
}

impl From<Rounding> for Mode {
    fn from(rounding: Rounding) -> Self {
        match rounding {
            Rounding::HalfEven => Mode::HalfEven,
            Rounding::Up => Mode::Up,
            Rounding::Down => Mode::Down,
        }
    }
}

pub(super) fn whole(number: i64) -> Decimal {
    Decimal::whole(number)
}

pub(super) fn add(left: Decimal, right: Decimal) -> Option<Decimal> {
    Decimal::from_scaled(&(left.scaled() + right.scaled()))
}

pub(super) fn subtract(left: Decimal, right: Decimal) -> Option<Decimal> {
    Decimal::from_scaled(&(left.scaled() - right.scaled()))
}

/// Digits past the tenth decimal place fall away.
pub(super) fn multiply(left: Decimal, right: Decimal) -> Option<Decimal> {
    Decimal::from_scaled(&(left.scaled() * right.scaled() / power_of_ten(PLACES)?))
}

/// A quotient to so many decimal places.
pub(super) fn divide(left: Decimal, right: Decimal, places: usize, mode: Mode) -> Option<Decimal> {
    let places = places.min(PLACES);
    let dividend = left.scaled() * power_of_ten(places)?;
    let quotient = rounded_quotient(&dividend, &right.scaled(), mode)?;
    Decimal::from_scaled(&(quotient * power_of_ten(PLACES - places)?))
}

/// A whole power from -100 to 100; negative ones are quotients.
pub(super) fn power(base: Decimal, exponent: Decimal, places: usize, mode: Mode) -> Option<Decimal> {
    // The exponent's decimals fall away.
    let exponent = i32::try_from(exponent.truncated()).ok().filter(|e| (-100..=100).contains(e))?;
    let mut product = whole(1);
    for _ in 0..exponent.unsigned_abs() {
        product = multiply(product, base)?;
    }
    if exponent < 0 { divide(whole(1), product, places, mode) } else { Some(product) }
}

/// To so many decimal places; fewer than none round before the point.
pub(super) fn round(number: Decimal, places: i32, mode: Mode) -> Option<Decimal> {
    let dropped = i32::try_from(PLACES).ok()?.checked_sub(places)?;
    if dropped <= 0 {
        return Some(number);
    }
    let unit = power_of_ten(usize::try_from(dropped).ok()?)?;
    Decimal::from_scaled(&(rounded_quotient(&number.scaled(), &unit, mode)? * unit))
}

/// The seconds, or digits, before the point.
pub(super) fn truncated(number: Decimal) -> Option<i64> {
    i64::try_from(number.truncated()).ok()
}

fn power_of_ten(exponent: usize) -> Option<BigInt> {
    Some(BigInt::from(10).pow(u32::try_from(exponent).ok()?))
}

fn rounded_quotient(dividend: &BigInt, divisor: &BigInt, mode: Mode) -> Option<BigInt> {
    let quotient = dividend.checked_div(divisor)?;
    let rest = (dividend - &quotient * divisor).into_parts().1;
    if rest == BigUint::ZERO {
        return Some(quotient);
    }
    let away = if dividend.sign() == divisor.sign() { 1 } else { -1 };
    // Twice what is left beside the whole: more than half where it is larger.
    let half = (rest * 2_u32).cmp(divisor.magnitude());
    let up = match mode {
        Mode::Down => false,
        Mode::Up => true,
        Mode::HalfUp => half.is_ge(),
        Mode::HalfEven => half.is_gt() || (half.is_eq() && quotient.bit(0)),
    };
    Some(if up { quotient + away } else { quotient })
}
