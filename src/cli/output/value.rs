//! A column's values as text, and as JSON.

use arrow::array::{Array, ArrayRef, ListArray};
use arrow::error::ArrowError;
use chrono_tz::Tz;

use super::Column;
use crate::cli::failure::{Failure, Result};
use crate::engine::{SqlType, TextColumn, TextOptions, canonical, downcast, item_range};

/// A column of a batch whose values are wanted as PostgreSQL writes them.
pub(super) fn text_column(array: &ArrayRef, sql_type: &SqlType, zone: Tz) -> Result<TextColumn> {
    TextColumn::new(array, sql_type, TextOptions { time_zone: zone }).map_err(|error| unprintable(&error))
}

/// The same with the column's own form of numerics.
pub(super) fn formed_column(array: &ArrayRef, column: &Column, zone: Tz) -> Result<TextColumn> {
    let options = TextOptions { time_zone: zone };
    TextColumn::with_form(array, &column.sql_type, options, column.form).map_err(|error| unprintable(&error))
}

fn unprintable(error: &ArrowError) -> Failure {
    Failure::own(format!("a value cannot be printed: {error}"))
}

/// A column of a batch whose values are wanted as JSON.
pub(super) enum JsonColumn {
    /// As it is: numbers with all their digits, jsonb.
    Raw(TextColumn),
    /// `t` and `f`.
    Bool(TextColumn),
    /// A number, or one of those that JSON does not have.
    Float(TextColumn),
    /// A date and a time with a blank between them.
    Time(TextColumn),
    /// Any other text.
    Text(TextColumn),
    /// An array of the other column's values.
    List(ListArray, Box<JsonColumn>),
}

impl JsonColumn {
    pub(super) fn new(array: &ArrayRef, column: &Column, zone: Tz) -> Result<Self> {
        Self::of(array, &column.sql_type, zone)
    }

    fn of(array: &ArrayRef, sql_type: &SqlType, zone: Tz) -> Result<Self> {
        if let SqlType::Array(item) = sql_type {
            let list: ListArray = canonical(array, sql_type)
                .and_then(|array| downcast(&array))
                .map_err(|error| unprintable(&error))?;
            let items = Self::of(list.values(), item, zone)?;
            return Ok(Self::List(list, Box::new(items)));
        }
        let text = text_column(array, sql_type, zone)?;
        Ok(match sql_type {
            SqlType::Int2
            | SqlType::Int4
            | SqlType::Int8
            | SqlType::Oid
            | SqlType::Numeric
            | SqlType::Jsonb => Self::Raw(text),
            SqlType::Bool => Self::Bool(text),
            SqlType::Float4 | SqlType::Float8 => Self::Float(text),
            SqlType::Timestamp | SqlType::TimestampTz => Self::Time(text),
            _ => Self::Text(text),
        })
    }

    /// Appends a row's value, or `null`.
    pub(super) fn append(&self, out: &mut String, row: usize) {
        let mut value = String::new();
        let given = match self {
            Self::Raw(text) | Self::Bool(text) | Self::Float(text) | Self::Time(text) | Self::Text(text) => {
                text.append(&mut value, row)
            }
            Self::List(list, items) => {
                let given = row < list.len() && list.is_valid(row);
                if given {
                    append_items(list, items, out, row);
                }
                given
            }
        };
        match self {
            _ if !given => out.push_str("null"),
            Self::List(..) => {}
            Self::Raw(_) => out.push_str(&value),
            Self::Bool(_) => out.push_str(if value.starts_with('t') { "true" } else { "false" }),
            // NaN and Infinity are no JSON numbers.
            Self::Float(_) if value.ends_with(|c: char| c.is_ascii_digit()) => out.push_str(&value),
            Self::Time(_) => append_json_text(&iso(&value), out),
            Self::Float(_) | Self::Text(_) => append_json_text(&value, out),
        }
    }
}

fn append_items(list: &ListArray, items: &JsonColumn, out: &mut String, row: usize) {
    out.push('[');
    for (i, item) in item_range(list, row).enumerate() {
        if i > 0 {
            out.push(',');
        }
        items.append(out, item);
    }
    out.push(']');
}

/// Appends a JSON string.
pub(super) fn append_json_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// `2026-11-24 09:00:00+09` as `2026-11-24T09:00:00+09:00`, as in PostgreSQL's `to_json`.
fn iso(text: &str) -> String {
    let Some((date, time)) = text.split_once(' ') else { return text.to_owned() };
    let minutes = match time.rfind(['+', '-']) {
        Some(sign) if time.len() - sign == 3 => ":00",
        _ => "",
    };
    format!("{date}T{time}{minutes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso_in_json() {
        for (text, expected) in [
            ("2026-11-24 09:00:00", "2026-11-24T09:00:00"),
            ("2026-11-24 09:00:00+09", "2026-11-24T09:00:00+09:00"),
            ("2026-11-24 09:00:00.5+05:30", "2026-11-24T09:00:00.5+05:30"),
            ("2026-11-24 00:00:00-03", "2026-11-24T00:00:00-03:00"),
            ("infinity", "infinity"),
        ] {
            assert_eq!(iso(text), expected);
        }
    }

    #[test]
    fn json_strings_are_escaped() {
        let mut out = String::new();
        append_json_text("髙\"\\\n\u{1}🎉", &mut out);
        assert_eq!(out, "\"髙\\\"\\\\\\n\\u0001🎉\"");
    }
}
