//! A setting's value as its type takes it: truth values, numbers with units, words of a list.
//!
//! A value is kept in the setting's base unit, as `pg_settings` shows it; SHOW gives it in the largest unit that
//! divides it.

use super::known::Known;
use crate::error::{Error, Kind, Result};

/// Units of memory, in bytes, the largest first.
const MEMORY: &[(&str, f64)] =
    &[("TB", 1_099_511_627_776.0), ("GB", 1_073_741_824.0), ("MB", 1_048_576.0), ("kB", 1024.0), ("B", 1.0)];

/// Units of time, in microseconds, the largest first.
const TIME: &[(&str, f64)] = &[
    ("d", 86_400_000_000.0),
    ("h", 3_600_000_000.0),
    ("min", 60_000_000.0),
    ("s", 1_000_000.0),
    ("ms", 1000.0),
    ("us", 1.0),
];

/// The value in the form that is kept.
///
/// # Errors
/// Of kind `InvalidValue`, in PostgreSQL's words.
pub(super) fn check(known: &Known, text: &str) -> Result<String> {
    match known.kind.as_str() {
        "bool" => {
            let message = || format!("parameter \"{}\" requires a Boolean value", known.name);
            let value = truth(text).ok_or_else(|| Error::new(Kind::InvalidValue, message()))?;
            Ok(if value { "on".into() } else { "off".into() })
        }
        "enum" => choice(known, text),
        "integer" => number(known, text).map(|number| format!("{number:.0}")),
        "real" => number(known, text).map(|number| number.to_string()),
        _ => Ok(text.to_owned()),
    }
}

/// A value that is not one of the setting's.
pub(super) fn invalid(name: &str, text: &str) -> Error {
    Error::new(Kind::InvalidValue, format!("invalid value for parameter \"{name}\": \"{text}\""))
}

/// `on`, `true`, `yes`, `1` and what is short for them.
pub(super) fn truth(text: &str) -> Option<bool> {
    let lower = text.to_lowercase();
    let is = |word: &str, least: usize| lower.len() >= least && word.starts_with(lower.as_str());
    if lower == "1" || is("on", 2) || is("true", 1) || is("yes", 1) {
        return Some(true);
    }
    (lower == "0" || is("off", 2) || is("false", 1) || is("no", 1)).then_some(false)
}

fn choice(known: &Known, text: &str) -> Result<String> {
    let lower = text.to_lowercase();
    let same = |choice: &&String| choice.to_lowercase() == lower;
    if let Some(choice) = known.choices.iter().find(same) {
        return Ok(choice.clone());
    }
    // Words that PostgreSQL takes and does not list.
    let word = match lower.as_str() {
        "true" | "yes" | "1" => "on",
        "false" | "no" | "0" => "off",
        "debug" => "debug2",
        _ => "",
    };
    if let Some(choice) = known.choices.iter().find(|choice| *choice == word) {
        return Ok(choice.clone());
    }
    let choices: Vec<&str> = known.choices.iter().map(String::as_str).filter(|c| !c.is_empty()).collect();
    Err(invalid(&known.name, text).with_hint(format!("Available values: {}.", choices.join(", "))))
}

/// The number in the base unit.
fn number(known: &Known, text: &str) -> Result<f64> {
    let trimmed = text.trim();
    let (number, rest) = leading_number(trimmed).ok_or_else(|| invalid(&known.name, text))?;
    let mut number = number;
    if !rest.is_empty() {
        number *= factor(known, rest).ok_or_else(|| {
            let hint = match units(&known.unit) {
                Some((units, _)) if units == MEMORY => {
                    "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"."
                }
                Some(_) => {
                    "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\"."
                }
                None => return invalid(&known.name, text),
            };
            invalid(&known.name, text).with_hint(hint)
        })?;
    }
    if known.kind == "integer" {
        number = number.round_ties_even();
    }
    let bound = |text: &str, default: f64| text.parse::<f64>().unwrap_or(default);
    if !number.is_finite() || number < bound(&known.min, f64::MIN) || number > bound(&known.max, f64::MAX) {
        let unit = if known.unit.is_empty() { String::new() } else { format!(" {}", known.unit) };
        let message = format!(
            "{number}{unit} is outside the valid range for parameter \"{}\" ({} .. {})",
            known.name, known.min, known.max
        );
        return Err(Error::new(Kind::InvalidValue, message));
    }
    Ok(number)
}

/// A number and what follows it: `1.5s`, `0x10`, `1e3`.
fn leading_number(text: &str) -> Option<(f64, &str)> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let number = f64::from(i32::from_str_radix(hex, 16).ok()?);
        return Some((if text.starts_with('-') { -number } else { number }, ""));
    }
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut end = text.len() - digits.len();
    end += digits.find(|c: char| !is_number(c)).unwrap_or(digits.len());
    // An exponent, where digits follow: the `e` of no unit.
    let rest = text.get(end..).unwrap_or_default();
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let unsigned = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let count = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
        if count > 0 {
            end += 1 + (exponent.len() - unsigned.len()) + count;
        }
    }
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest.trim()))
}

/// The units of a base unit, and what that is in the smallest of them.
fn units(base: &str) -> Option<(&'static [(&'static str, f64)], f64)> {
    let of = |units: &'static [(&'static str, f64)]| {
        let size = units.iter().find(|(name, _)| *name == base).map(|(_, size)| *size)?;
        Some((units, size))
    };
    if base == "8kB" { Some((MEMORY, 8192.0)) } else { of(MEMORY).or_else(|| of(TIME)) }
}

/// How many of the base unit one of this unit is.
fn factor(known: &Known, unit: &str) -> Option<f64> {
    let (units, base) = units(&known.unit)?;
    let (_, size) = units.iter().find(|(name, _)| *name == unit)?;
    Some(size / base)
}

/// A kept value as SHOW gives it.
pub(super) fn shown(known: &Known, kept: &str) -> String {
    let (Some((units, base)), Ok(number)) = (units(&known.unit), kept.parse::<f64>()) else {
        return kept.to_owned();
    };
    if number <= 0.0 {
        return kept.to_owned();
    }
    let smallest = number * base;
    let whole = units.iter().find(|(_, size)| (smallest % size).abs() < f64::EPSILON);
    match whole {
        Some((unit, size)) => format!("{:.0}{unit}", smallest / size),
        None => format!("{kept}{}", known.unit),
    }
}

#[cfg(test)]
mod tests {
    use super::super::known::find;
    use super::*;

    #[test]
    fn values_are_kept_and_shown_as_postgresql_does() {
        for (name, text, kept, show) in [
            ("statement_timeout", "2min", "120000", "2min"),
            ("statement_timeout", "1500", "1500", "1500ms"),
            ("statement_timeout", "1.5s", "1500", "1500ms"),
            ("statement_timeout", "3601s", "3601000", "3601s"),
            ("statement_timeout", "0", "0", "0"),
            ("work_mem", "1MB", "1024", "1MB"),
            ("work_mem", "1 MB", "1024", "1MB"),
            ("work_mem", "65", "65", "65kB"),
            ("temp_buffers", "8MB", "1024", "8MB"),
            ("jit", "of", "off", "off"),
            ("jit", "1", "on", "on"),
            ("enable_seqscan", "FALSE", "off", "off"),
            ("seq_page_cost", "1e1", "10", "10"),
            ("cpu_tuple_cost", "0.0100", "0.01", "0.01"),
            ("synchronous_commit", "false", "off", "off"),
            ("client_min_messages", "WARNING", "warning", "warning"),
            ("default_transaction_isolation", "Repeatable Read", "repeatable read", "repeatable read"),
            ("search_path", "a, b", "a, b", "a, b"),
        ] {
            let known = find(name).unwrap();
            let value = check(known, text).unwrap_or_else(|error| panic!("{name} {text}: {error}"));
            assert_eq!((value.as_str(), shown(known, &value).as_str()), (kept, show), "{name} {text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_in_postgresqls_words() {
        for (name, text, message) in [
            ("jit", "o", "parameter \"jit\" requires a Boolean value"),
            ("statement_timeout", "abc", "invalid value for parameter \"statement_timeout\": \"abc\""),
            (
                "statement_timeout",
                "-1",
                "-1 ms is outside the valid range for parameter \"statement_timeout\" (0 .. 2147483647)",
            ),
            (
                "extra_float_digits",
                "9",
                "9 is outside the valid range for parameter \"extra_float_digits\" (-15 .. 3)",
            ),
            ("work_mem", "1XB", "invalid value for parameter \"work_mem\": \"1XB\""),
            ("bytea_output", "x", "invalid value for parameter \"bytea_output\": \"x\""),
        ] {
            let error = check(find(name).unwrap(), text).unwrap_err();
            assert_eq!((error.kind, error.message.as_str()), (Kind::InvalidValue, message));
        }
    }
}
