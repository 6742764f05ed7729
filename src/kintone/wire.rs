//! Kintone's ways of writing values in its replies.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Null as a missing value.
pub(super) fn or_default<'de, D, T>(json: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(json).map(Option::unwrap_or_default)
}

/// A number that the wire gives as a number or as digits.
pub(super) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|s| s.parse().ok()))
}

/// An id, revision or count: Kintone writes them as digits in a text, its documentation as numbers.
pub(super) fn id<'de, D: Deserializer<'de>>(json: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(json)?;
    number(&value).ok_or_else(|| serde::de::Error::custom("not a number"))
}

/// As [`id`], none where it is null, empty or no number.
pub(super) fn maybe_id<'de, D: Deserializer<'de>>(json: D) -> Result<Option<u64>, D::Error> {
    Value::deserialize(json).map(|value| number(&value))
}

/// A list of ids.
pub(super) fn ids<'de, D: Deserializer<'de>>(json: D) -> Result<Vec<u64>, D::Error> {
    let values = Vec::<Value>::deserialize(json)?;
    let numbers = values.iter().map(number).collect::<Option<_>>();
    numbers.ok_or_else(|| serde::de::Error::custom("not a list of numbers"))
}
