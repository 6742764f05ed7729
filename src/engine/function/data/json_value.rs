//! JSON as a value: read, compared and written as PostgreSQL's `json` and `jsonb`.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::numeric::{Number, power};
use crate::error::{Error, Kind, Result};

/// How deep a value may be: each level is a call.
const DEEPEST: usize = 128;
/// The digits that a number may have before the point, and behind it, as `numeric`.
const MOST_DIGITS: i64 = 16_383;

/// A value. Numbers keep their text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    /// In the order of the text, names that are there twice too.
    Object(Vec<(String, Json)>),
}

/// The members of an object, in order.
struct Members<'j>(Vec<(String, &'j RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Members<'de>, A::Error> {
                let mut members = vec![];
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// The items of an array, as they are written; `None` for what is none.
///
/// # Errors
/// `InvalidText` where the text is not JSON.
pub(super) fn written_items(text: &str) -> Result<Option<Vec<&RawValue>>> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| no_json(text))?;
    Ok(if raw.get().starts_with('[') { serde_json::from_str(raw.get()).ok() } else { None })
}

/// The members of an object, as they are written; `None` for what is none.
///
/// # Errors
/// As [`written_items`].
pub(super) fn written_members(text: &str) -> Result<Option<Vec<(String, &RawValue)>>> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| no_json(text))?;
    let Members(members) = match raw.get().starts_with('{') {
        true => serde_json::from_str(raw.get()).map_err(|_| no_json(text))?,
        false => return Ok(None),
    };
    Ok(Some(members))
}

fn no_json(text: &str) -> Error {
    Error::new(Kind::InvalidText, "invalid input syntax for type json")
        .with_detail(format!("the text is not JSON: {text}"))
}

impl Json {
    /// Reads a text.
    ///
    /// # Errors
    /// `InvalidText` where it is not JSON, `TooComplex` where it is too deep.
    pub(super) fn read(text: &str) -> Result<Self> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| no_json(text))?;
        Self::of_raw(raw, 0)
    }

    fn of_raw(raw: &RawValue, depth: usize) -> Result<Self> {
        if depth > DEEPEST {
            return Err(Error::new(Kind::TooComplex, "the JSON value is nested too deep"));
        }
        let text = raw.get();
        let fault = |_| no_json(text);
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::Text(serde_json::from_str(text).map_err(fault)?),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(fault)?;
                let items = items.into_iter().map(|item| Self::of_raw(item, depth + 1));
                Self::Array(items.collect::<Result<_>>()?)
            }
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text).map_err(fault)?;
                let members =
                    members.into_iter().map(|(name, value)| Ok((name, Self::of_raw(value, depth + 1)?)));
                Self::Object(members.collect::<Result<_>>()?)
            }
            _ => Self::Number(text.to_owned()),
        })
    }

    /// As `jsonb` has it: members by the length of their names, then by their bytes, the last of each name; numbers
    /// as `numeric`.
    ///
    /// # Errors
    /// `NumericOutOfRange` for a number with too many digits.
    pub(super) fn canonical(self) -> Result<Self> {
        Ok(match self {
            Self::Number(text) => Self::Number(numeric(&text)?.to_string()),
            Self::Array(items) => Self::Array(items.into_iter().map(Self::canonical).collect::<Result<_>>()?),
            Self::Object(members) => {
                let mut kept: Vec<(String, Self)> = Vec::with_capacity(members.len());
                // The sort is stable: of one name, the last one is behind.
                let mut sorted = members;
                sorted.sort_by(|(left, _), (right, _)| by_name(left, right));
                for (name, value) in sorted {
                    let value = value.canonical()?;
                    match kept.last_mut().filter(|(last, _)| *last == name) {
                        Some((_, last)) => *last = value,
                        None => kept.push((name, value)),
                    }
                }
                Self::Object(kept)
            }
            other => other,
        })
    }

    /// The word for what it is.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// The value as SQL's text: a string without its quotes; `null` has none.
    pub(super) fn plain_text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// The member of a name: of one name, the last.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Whether all of another value is in this one, as `@>` says.
    pub(super) fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Object(_), Self::Object(wanted)) => wanted.iter().all(|(name, value)| {
                self.member(name).is_some_and(|own| match value {
                    Self::Array(_) | Self::Object(_) => own.contains(value),
                    scalar => own.equals(scalar),
                })
            }),
            (Self::Array(own), Self::Array(wanted)) => wanted.iter().all(|value| match value {
                Self::Array(_) | Self::Object(_) => {
                    own.iter().any(|item| item.kind() == value.kind() && item.contains(value))
                }
                scalar => own.iter().any(|item| item.equals(scalar)),
            }),
            // An array may contain a scalar, not the other way round.
            (Self::Array(own), scalar) if !matches!(scalar, Self::Object(_)) => {
                own.iter().any(|item| item.equals(scalar))
            }
            (Self::Array(_) | Self::Object(_), _) | (_, Self::Array(_) | Self::Object(_)) => false,
            (left, right) => left.equals(right),
        }
    }

    /// Whether two values are the same: numbers by their value, members in any order.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => match (numeric(left), numeric(right)) {
                (Ok(left), Ok(right)) => left.minus(&right).is_zero(),
                _ => left == right,
            },
            (Self::Array(left), Self::Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.equals(right))
            }
            (Self::Object(left), Self::Object(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .all(|(name, value)| other.member(name).is_some_and(|own| own.equals(value)))
            }
            (left, right) => left == right,
        }
    }

    /// Without members that are `null`, at any depth.
    pub(super) fn without_nulls(self) -> Self {
        match self {
            Self::Array(items) => Self::Array(items.into_iter().map(Self::without_nulls).collect()),
            Self::Object(members) => {
                let members = members.into_iter().filter(|(_, value)| *value != Self::Null);
                Self::Object(members.map(|(name, value)| (name, value.without_nulls())).collect())
            }
            other => other,
        }
    }

    /// Without any space.
    pub(super) fn compact(&self) -> String {
        let mut out = String::new();
        self.append(&mut out, &Spacing { comma: ",", colon: ":" });
        out
    }

    fn append(&self, out: &mut String, spacing: &Spacing) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::Text(text) => append_string(out, text),
            Self::Array(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { spacing.comma });
                    item.append(out, spacing);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (place, (name, value)) in members.iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { spacing.comma });
                    append_string(out, name);
                    out.push_str(spacing.colon);
                    value.append(out, spacing);
                }
                out.push('}');
            }
        }
    }

    /// A line for each item, four spaces deeper at each level.
    pub(super) fn pretty(&self, depth: usize, out: &mut String) {
        let line = |out: &mut String, depth: usize| {
            let _ = write!(out, "\n{:width$}", "", width = depth * 4);
        };
        match self {
            Self::Array(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { "," });
                    line(out, depth + 1);
                    item.pretty(depth + 1, out);
                }
                line(out, depth);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (place, (name, value)) in members.iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { "," });
                    line(out, depth + 1);
                    append_string(out, name);
                    out.push_str(": ");
                    value.pretty(depth + 1, out);
                }
                line(out, depth);
                out.push('}');
            }
            scalar => scalar.append(out, &JSONB),
        }
    }
}

struct Spacing {
    comma: &'static str,
    colon: &'static str,
}

/// How `jsonb` is written.
const JSONB: Spacing = Spacing { comma: ", ", colon: ": " };

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.append(&mut out, &JSONB);
        f.write_str(&out)
    }
}

/// Shorter names first, then by bytes.
fn by_name(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// A text in quotes.
pub(super) fn append_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// The number of JSON's text, which may have an exponent.
fn numeric(text: &str) -> Result<Number> {
    let too_large = || Error::new(Kind::NumericOutOfRange, "value overflows numeric format");
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().map_err(|_| too_large())?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let value = format!("{whole}{fraction}").parse().map_err(|_| no_json(text))?;
    let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX).saturating_sub(exponent);
    let too_long = i64::try_from(text.len()).unwrap_or(i64::MAX) > 8 * MOST_DIGITS;
    if too_long || !(-8 * MOST_DIGITS..=MOST_DIGITS).contains(&scale) {
        return Err(too_large());
    }
    Ok(match u32::try_from(scale) {
        Ok(scale) => Number::new(value, scale),
        Err(_) => Number::new(value * power(u32::try_from(-scale).unwrap_or(0)), 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jsonb(text: &str) -> String {
        Json::read(text).and_then(Json::canonical).map_or_else(|error| error.message, |json| json.to_string())
    }

    #[test]
    fn jsonb_has_one_form() {
        for (text, expected) in [
            (r#"{"bb": 1, "a": 2, "a": 3, "B": 4}"#, r#"{"B": 4, "a": 3, "bb": 1}"#),
            (
                "[1.0, 1e2, 1.5e-3, -0, 12345678901234567890123]",
                "[1.0, 100, 0.0015, 0, 12345678901234567890123]",
            ),
            (r#""\u3042\u0007\/""#, "\"あ\\u0007/\""),
            ("{", "invalid input syntax for type json"),
        ] {
            assert_eq!(jsonb(text), expected);
        }
        assert!(Json::read(&("[".repeat(100_000) + &"]".repeat(100_000))).is_err());
    }

    #[test]
    fn values_contain_and_equal_by_meaning() {
        let of = |text: &str| Json::read(text).unwrap();
        for (left, right, contains) in [
            (r#"{"a": 1, "b": 2}"#, r#"{"b": 2.0}"#, true),
            (r#"{"a": {"b": [1, 2]}}"#, r#"{"a": {"b": [2]}}"#, true),
            ("[1, 2, [1, 3]]", "[[3]]", true),
            ("[1, 2]", "1", true),
            ("1", "[1]", false),
            ("[{\"a\": 1}]", "{\"a\": 1}", false),
            ("[]", "[]", true),
            ("{}", "[]", false),
        ] {
            assert_eq!(of(left).contains(&of(right)), contains, "{left} {right}");
        }
        assert!(of(r#"{"a": 1, "b": [1.0]}"#).equals(&of(r#"{"b": [1], "a": 1}"#)));
        assert!(!of("[1, 2]").equals(&of("[2, 1]")));
    }
}
