//! `jsonb` and `json`: text that is JSON, in PostgreSQL's spelling or in its own; `uuid`: text in one spelling.

use std::collections::HashMap;

use chrono_tz::Tz;
use datafusion::common::ScalarValue;
use serde_json::value::RawValue;

use super::scalar::Function;
use crate::engine::SqlType;
use crate::engine::input::read;
use crate::engine::pg_catalog::{Snapshot, Value};
use crate::error::{Error, Kind};
use crate::table::{append_jsonb, space_json};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("pg_jsonb", "jsonb", jsonb),
    Function::strict("pg_json", "json", |_, args| spelled(args, &SqlType::Json)),
    Function::strict("pg_uuid", "uuid", |_, args| spelled(args, &SqlType::Uuid)),
    // `->`, `->>`, `#>`, `#>>`
    Function::strict("pg_json_get", "jsonb", |_, args| json_of(args, false)),
    Function::strict("pg_json_get_text", "text", |_, args| json_of(args, true)),
];

fn text(args: &[Value]) -> String {
    args.first().map(Value::text).unwrap_or_default()
}

fn jsonb(_: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let text = text(args);
    let mut out = String::with_capacity(text.len());
    append_jsonb(&mut out, &text).map_err(|_| {
        Error::new(Kind::InvalidText, "invalid input syntax for type json")
            .with_detail(format!("the text is not JSON: {text}"))
    })?;
    Ok(out.into())
}

/// The member or the item of a JSON text that a name, a place or a path of both says; NULL where there is none. As
/// text, a string is without its quotes, and `null` is NULL.
fn json_of(args: &[Value], as_text: bool) -> Result<Value, Error> {
    let [json, path] = args else { return Ok(Value::Null) };
    let json = json.text();
    let steps = match path {
        Value::List(steps) => steps.clone(),
        one => vec![one.clone()],
    };
    let Ok(mut at) = serde_json::from_str::<&RawValue>(&json) else {
        return Err(Error::new(Kind::InvalidText, "invalid input syntax for type json"));
    };
    for step in &steps {
        match member(at, step, matches!(path, Value::List(_))) {
            Some(inner) => at = inner,
            None => return Ok(Value::Null),
        }
    }
    if as_text && at.get() == "null" {
        return Ok(Value::Null);
    }
    if let (true, Ok(text)) = (as_text, serde_json::from_str::<String>(at.get())) {
        return Ok(text.into());
    }
    let mut spaced = String::with_capacity(at.get().len());
    space_json(&mut spaced, at.get());
    Ok(spaced.into())
}

/// `in_path`: a place in an array is written as a text there.
fn member<'j>(json: &'j RawValue, step: &Value, in_path: bool) -> Option<&'j RawValue> {
    let place = match step {
        Value::Int(place) => Some(*place),
        Value::Text(text) if in_path => text.parse().ok(),
        _ => None,
    };
    if json.get().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(json.get()).ok()?;
        let place = place?;
        let count = i64::try_from(items.len()).ok()?;
        let place = if place < 0 { place.checked_add(count)? } else { place };
        return items.get(usize::try_from(place).ok()?).copied();
    }
    let Value::Text(name) = step else { return None };
    let members: HashMap<String, &RawValue> = serde_json::from_str(json.get()).ok()?;
    members.get(name).copied()
}

/// The text as the type spells it.
fn spelled(args: &[Value], sql_type: &SqlType) -> Result<Value, Error> {
    match read(&text(args), sql_type, Tz::UTC)? {
        ScalarValue::Utf8(Some(text)) => Ok(text.into()),
        _ => Ok(Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name_place_and_path() {
        let json = r#"{"code": "x\"y", "n": [1, {"a": 2.50}, null], "t": true}"#;
        let text = |path: Value| json_of(&[json.into(), path], true).unwrap();
        let path = |steps: &[&str]| Value::List(steps.iter().map(|step| (*step).into()).collect());
        assert_eq!(text("code".into()), "x\"y".into());
        assert_eq!(text("t".into()), "true".into());
        assert_eq!(text("missing".into()), Value::Null);
        assert_eq!(text(Value::Int(0)), Value::Null);
        assert_eq!(text(path(&["n", "-1"])), Value::Null);
        assert_eq!(text(path(&["n", "0"])), "1".into());
        assert_eq!(json_of(&[json.into(), "n".into()], false).unwrap(), r#"[1, {"a": 2.50}, null]"#.into());
        assert_eq!(json_of(&["[1, 2]".into(), Value::Int(-1)], true).unwrap(), "2".into());
        assert!(json_of(&["{".into(), Value::Int(0)], true).is_err());
    }
}
