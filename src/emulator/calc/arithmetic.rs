//! Exact arithmetic on decimals. `None` is a result that does not fit, or a division by zero.

use super::super::value::{Decimal, ONE, PLACES, Rounding};

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
    Decimal::from_scaled(i128::from(number) * ONE)
}

pub(super) fn add(left: Decimal, right: Decimal) -> Option<Decimal> {
    left.scaled().checked_add(right.scaled()).map(Decimal::from_scaled)
}

pub(super) fn subtract(left: Decimal, right: Decimal) -> Option<Decimal> {
    left.scaled().checked_sub(right.scaled()).map(Decimal::from_scaled)
}

/// Digits past the tenth decimal place fall away.
pub(super) fn multiply(left: Decimal, right: Decimal) -> Option<Decimal> {
    // (a + b / ONE) * (c + d / ONE), in parts that fit.
    let (a, b) = (left.scaled() / ONE, left.scaled() % ONE);
    let (c, d) = (right.scaled() / ONE, right.scaled() % ONE);
    let high = a.checked_mul(c)?.checked_mul(ONE)?;
    let middle = a.checked_mul(d)?.checked_add(b.checked_mul(c)?)?;
    high.checked_add(middle)?.checked_add(b * d / ONE).map(Decimal::from_scaled)
}

/// A quotient to so many decimal places.
pub(super) fn divide(left: Decimal, right: Decimal, places: usize, mode: Mode) -> Option<Decimal> {
    let places = places.min(PLACES);
    let (dividend, divisor) = (left.scaled(), right.scaled());
    if divisor == 0 {
        return None;
    }
    let dividend = dividend.checked_mul(power_of_ten(places)?)?;
    let quotient = rounded_quotient(dividend, divisor, mode)?;
    quotient.checked_mul(power_of_ten(PLACES - places)?).map(Decimal::from_scaled)
}

/// A whole power from -100 to 100; negative ones are quotients.
pub(super) fn power(base: Decimal, exponent: Decimal, places: usize, mode: Mode) -> Option<Decimal> {
    // The exponent's decimals fall away.
    let exponent = i32::try_from(exponent.scaled() / ONE).ok().filter(|e| (-100..=100).contains(e))?;
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
    let Some(unit) = power_of_ten(usize::try_from(dropped).ok()?) else {
        // Every digit is dropped.
        return (mode != Mode::Up || number.scaled() == 0).then(|| whole(0));
    };
    rounded_quotient(number.scaled(), unit, mode)?.checked_mul(unit).map(Decimal::from_scaled)
}

/// The seconds, or digits, before the point.
pub(super) fn truncated(number: Decimal) -> Option<i64> {
    i64::try_from(number.scaled() / ONE).ok()
}

/// How many digits stand before the point.
pub(super) fn whole_digits(number: Decimal) -> usize {
    let magnitude = (number.scaled() / ONE).unsigned_abs();
    if magnitude == 0 { 0 } else { magnitude.to_string().len() }
}

fn power_of_ten(exponent: usize) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

fn rounded_quotient(dividend: i128, divisor: i128, mode: Mode) -> Option<i128> {
    let (quotient, rest) = (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?);
    if rest == 0 {
        return Some(quotient);
    }
    let away = if (dividend < 0) == (divisor < 0) { 1 } else { -1 };
    let (rest, divisor) = (rest.unsigned_abs(), divisor.unsigned_abs());
    // What is left beside what is missing to the next one: more than half where it is larger.
    let half = rest.cmp(&(divisor - rest));
    let up = match mode {
        Mode::Down => false,
        Mode::Up => true,
        Mode::HalfUp => half.is_ge(),
        Mode::HalfEven => half.is_gt() || (half.is_eq() && quotient % 2 != 0),
    };
    if up { quotient.checked_add(away) } else { Some(quotient) }
}
