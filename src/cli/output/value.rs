//! One value as text, and as JSON.

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use chrono_tz::Tz;

use crate::cli::failure::{Failure, Result};
use crate::engine::SqlType;

/// The value as PostgreSQL writes it; `None` for NULL.
pub(super) fn text(array: &dyn Array, row: usize, sql_type: &SqlType, zone: Tz) -> Result<Option<String>> {
    if array.is_null(row) {
        return Ok(None);
    }
    let mut out = String::new();
    append(array, row, sql_type, zone, &mut out)?;
    Ok(Some(out))
}

fn append(array: &dyn Array, row: usize, _sql_type: &SqlType, _zone: Tz, out: &mut String) -> Result<()> {
    let options = arrow::util::display::FormatOptions::default();
    let text = arrow::util::display::ArrayFormatter::try_new(array, &options)
        .and_then(|formatter| formatter.value(row).try_to_string())
        .map_err(|error| Failure::own(error.to_string()))?;
    out.push_str(&text);
    Ok(())
}

/// Appends the value as JSON: numbers as numbers with all their digits, jsonb as it is, arrays as arrays, times as in
/// PostgreSQL's `to_json`, everything else as a string.
pub(super) fn append_json(
    array: &dyn Array,
    row: usize,
    sql_type: &SqlType,
    zone: Tz,
    out: &mut String,
) -> Result<()> {
    let Some(text) = text(array, row, sql_type, zone)? else {
        out.push_str("null");
        return Ok(());
    };
    match sql_type {
        SqlType::Int2 | SqlType::Int4 | SqlType::Int8 | SqlType::Oid | SqlType::Numeric | SqlType::Jsonb => {
            out.push_str(&text);
        }
        SqlType::Bool => out.push_str(if text.starts_with('t') { "true" } else { "false" }),
        // NaN and Infinity are no JSON numbers.
        SqlType::Float4 | SqlType::Float8 if text.ends_with(|c: char| c.is_ascii_digit()) => {
            out.push_str(&text);
        }
        SqlType::Array(item) => return append_json_array(array, row, item, zone, out),
        SqlType::Timestamp => append_json_text(&text.replacen(' ', "T", 1), out),
        SqlType::TimestampTz => append_json_text(&iso_timestamp(&text), out),
        _ => append_json_text(&text, out),
    }
    Ok(())
}

fn append_json_array(
    array: &dyn Array,
    row: usize,
    item: &SqlType,
    zone: Tz,
    out: &mut String,
) -> Result<()> {
    let items = match array.data_type() {
        DataType::List(_) => array.as_list::<i32>().value(row),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        DataType::FixedSizeList(..) => array.as_fixed_size_list().value(row),
        other => return Err(Failure::own(format!("a list of type {other} cannot be shown"))),
    };
    out.push('[');
    for i in 0..items.len() {
        if i > 0 {
            out.push(',');
        }
        append_json(&items, i, item, zone, out)?;
    }
    out.push(']');
    Ok(())
}

/// Appends a JSON string.
pub(super) fn append_json_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// `2026-11-24 09:00:00+09` as `2026-11-24T09:00:00+09:00`.
fn iso_timestamp(text: &str) -> String {
    let mut out = text.replacen(' ', "T", 1);
    let time = out.find('T').unwrap_or(0);
    let has_minutes = out.rfind(['+', '-']).is_none_or(|sign| sign < time || out.len() - sign != 3);
    if !has_minutes {
        out.push_str(":00");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_iso_in_json() {
        for (text, expected) in [
            ("2026-11-24 09:00:00+09", "2026-11-24T09:00:00+09:00"),
            ("2026-11-24 09:00:00.5+05:30", "2026-11-24T09:00:00.5+05:30"),
            ("2026-11-24 00:00:00-03", "2026-11-24T00:00:00-03:00"),
            ("infinity", "infinity"),
        ] {
            assert_eq!(iso_timestamp(text), expected);
        }
    }

    #[test]
    fn json_strings_are_escaped() {
        let mut out = String::new();
        append_json_text("髙\"\\\n\u{1}🎉", &mut out);
        assert_eq!(out, "\"髙\\\"\\\\\\n\\u0001🎉\"");
    }
}
