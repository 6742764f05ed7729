//! The text of a value as a value: what each type's `in` function of PostgreSQL 15 reads.
//!
//! Takes: a text, a type, the session's zone and order of days. Gives: a value of the type's Arrow type, or an error in PostgreSQL's
//! words. Both bound parameters and literals of a statement are read here, so that they mean the same.
//! IntervalStyle is postgres.

mod array;
mod bytes;
mod clock;
mod datetime;
mod interval;
mod number;

use datafusion::scalar::ScalarValue;

pub(crate) use array::list;
pub use clock::{Clock, DateOrder};
pub use number::numeric;
pub(crate) use number::special_of;

use super::SqlType;
use crate::error::{Error, Kind, Result};

/// Reads a value. `clock` has the zone of a timestamptz without one; a zone alone is one with days as `MDY`.
///
/// A numeric has as many digits after the point as its text; one that is no number is NaN or an infinity.
///
/// # Errors
/// `InvalidText` where it is none of its type, `DatetimeSyntax` where it is no date or time, `InvalidDatetime` where
/// it is one that does not exist, `NumericOutOfRange`.
pub fn read(text: &str, sql_type: &SqlType, clock: impl Into<Clock>) -> Result<ScalarValue> {
    let clock = clock.into();
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    let bad = || invalid(text, sql_type);
    Ok(match sql_type {
        SqlType::Bool => ScalarValue::Boolean(Some(boolean(trimmed).ok_or_else(bad)?)),
        SqlType::Int2 => ScalarValue::Int16(Some(number::integer(trimmed, sql_type)?)),
        SqlType::Int4 => ScalarValue::Int32(Some(number::integer(trimmed, sql_type)?)),
        SqlType::Int8 => ScalarValue::Int64(Some(number::integer(trimmed, sql_type)?)),
        SqlType::Oid => ScalarValue::Int64(Some(number::oid(trimmed)?)),
        SqlType::Float4 => ScalarValue::Float32(Some(number::real(trimmed)?)),
        SqlType::Float8 => ScalarValue::Float64(Some(number::double(trimmed)?)),
        SqlType::Numeric => number::decimal(trimmed)?,
        SqlType::Text
        | SqlType::Varchar
        | SqlType::Name
        | SqlType::Char
        | SqlType::Catalog(_)
        | SqlType::Unknown => ScalarValue::Utf8(Some(text.to_owned())),
        SqlType::Bpchar => ScalarValue::Utf8(Some(text.trim_end_matches(' ').to_owned())),
        SqlType::Json | SqlType::Jsonb => {
            serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| json(text))?;
            ScalarValue::Utf8(Some(text.to_owned()))
        }
        SqlType::Uuid => ScalarValue::Utf8(Some(bytes::uuid(trimmed).ok_or_else(bad)?)),
        SqlType::Bytea => match bytes::bytea(text) {
            Some(bytes) => ScalarValue::Binary(Some(bytes)),
            None if text.starts_with("\\x") => {
                let message = format!("invalid hexadecimal data: \"{}\"", shown(text));
                return Err(Error::new(Kind::InvalidValue, message));
            }
            None => return Err(bad()),
        },
        SqlType::Date => {
            ScalarValue::Date32(Some(datetime::date(trimmed, clock.order).map_err(|e| e.of(text, sql_type))?))
        }
        SqlType::Time => {
            ScalarValue::Time64Microsecond(Some(datetime::time(trimmed).map_err(|e| e.of(text, sql_type))?))
        }
        SqlType::Timestamp => {
            let micros = datetime::timestamp(trimmed, clock.order).map_err(|e| e.of(text, sql_type))?;
            ScalarValue::TimestampMicrosecond(Some(micros), None)
        }
        SqlType::TimestampTz => {
            let micros = datetime::instant(trimmed, clock).map_err(|e| e.of(text, sql_type))?;
            ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()))
        }
        SqlType::Interval => {
            let value = interval::interval(trimmed).map_err(|e| e.of(text, sql_type))?;
            ScalarValue::IntervalMonthDayNano(Some(value))
        }
        SqlType::Int2Vector => array::vector(trimmed, &SqlType::Int2, clock)?,
        SqlType::OidVector => array::vector(trimmed, &SqlType::Oid, clock)?,
        SqlType::Array(item) => array::array(text, item, clock)?,
    })
}

/// Why a date or a time is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// It is not written as one.
    Syntax,
    /// It is, and does not exist.
    Field,
    /// It is beyond what can be held.
    Range,
    /// It names a zone that does not exist.
    Zone,
}

impl Wrong {
    fn of(self, text: &str, sql_type: &SqlType) -> Error {
        let shown = shown(text);
        let name = sql_type.name();
        match self {
            Self::Syntax => {
                Error::new(Kind::DatetimeSyntax, format!("invalid input syntax for type {name}: \"{shown}\""))
            }
            Self::Field if *sql_type == SqlType::Interval => {
                Error::new(Kind::InvalidDatetime, format!("interval field value out of range: \"{shown}\""))
            }
            Self::Field => {
                Error::new(Kind::InvalidDatetime, format!("date/time field value out of range: \"{shown}\""))
            }
            Self::Zone => Error::new(Kind::InvalidValue, format!("time zone of \"{shown}\" not recognized")),
            Self::Range => Error::new(Kind::InvalidDatetime, format!("{name} out of range: \"{shown}\"")),
        }
    }
}

/// At most so much of a text is shown in a message.
const LONGEST_SHOWN: usize = 80;

fn shown(text: &str) -> String {
    text.chars().take(LONGEST_SHOWN).collect()
}

fn invalid(text: &str, sql_type: &SqlType) -> Error {
    let message = format!("invalid input syntax for type {}: \"{}\"", sql_type.name(), shown(text));
    Error::new(Kind::InvalidText, message)
}

fn json(text: &str) -> Error {
    Error::new(Kind::InvalidText, "invalid input syntax for type json")
        .with_detail(format!("the text is not JSON: {}", shown(text)))
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

#[cfg(test)]
mod tests;
