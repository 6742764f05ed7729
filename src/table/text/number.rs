//! Numbers as PostgreSQL prints them. No formatter between a digit and its place: a result has millions of them.

use std::fmt::Write as _;

pub(super) fn append_integer(out: &mut String, value: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// The shortest text that reads back as the same value. PostgreSQL writes it out as long as its exponent is at least
/// -4 and below `limit`.
pub(super) fn append_float<F: ryu::Float + Into<f64> + std::fmt::LowerExp>(
    out: &mut String,
    value: F,
    limit: i32,
) {
    let number: f64 = value.into();
    if number.is_nan() {
        return out.push_str("NaN");
    }
    if number.is_infinite() {
        return out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let mut buffer = ryu::Buffer::new();
    let plain = buffer.format_finite(value);
    if (1e-4..10_f64.powi(limit)).contains(&number.abs()) && !plain.contains('e') {
        return out.push_str(plain.strip_suffix(".0").unwrap_or(plain));
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..limit).contains(&exponent) {
        append_plain(out, mantissa, exponent);
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        // Writing to a `String` cannot fail, so its result is not looked at here and below.
        let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
}

fn append_plain(out: &mut String, mantissa: &str, exponent: i32) {
    let digits = match mantissa.strip_prefix('-') {
        Some(rest) => {
            out.push('-');
            rest
        }
        None => mantissa,
    };
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    match usize::try_from(exponent) {
        Err(_) => {
            out.push_str("0.");
            (exponent + 1..0).for_each(|_| out.push('0'));
            out.push_str(&digits);
        }
        Ok(exponent) => {
            let (whole, fraction) = digits.split_at(digits.len().min(exponent + 1));
            out.push_str(whole);
            (whole.len()..=exponent).for_each(|_| out.push('0'));
            if !fraction.is_empty() {
                out.push('.');
                out.push_str(fraction);
            }
        }
    }
}

/// `value` / 10^`scale`, with `least` digits after the point, and without zeros at the end of the fraction beyond
/// these.
pub(super) fn append_decimal(out: &mut String, value: i128, scale: i8, least: usize) {
    if value < 0 {
        out.push('-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs());
    match usize::try_from(scale) {
        Ok(scale) => {
            let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
            out.push_str(if whole.is_empty() { "0" } else { whole });
            let zeros = scale - fraction.len();
            let fraction = fraction.trim_end_matches('0');
            let written = if fraction.is_empty() { 0 } else { zeros + fraction.len() };
            if written > 0 || least > 0 {
                out.push('.');
                (0..if fraction.is_empty() { 0 } else { zeros }).for_each(|_| out.push('0'));
                out.push_str(fraction);
                (written..least).for_each(|_| out.push('0'));
            }
        }
        Err(_) => {
            out.push_str(digits);
            if value != 0 {
                (scale..0).for_each(|_| out.push('0'));
            }
            append_decimals(out, "", least);
        }
    }
}

fn append_decimals(out: &mut String, digits: &str, least: usize) {
    if !digits.is_empty() || least > 0 {
        let _ = write!(out, ".{digits:0<least$}");
    }
}
