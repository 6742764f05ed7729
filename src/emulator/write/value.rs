//! A field's value as it was sent: read, and held against the field's definition (K§4.2). What can only be
//! said of the whole record (required, shortest length, unique) is `check`'s.

use std::sync::Arc;

use serde_json::Value as Json;

use super::super::app::File;
use super::super::call::Call;
use super::super::field::{Field, Kind};
use super::super::store::App;
use super::super::value::{self, Value};
use super::errors::{Errors, Fault, Part};
use super::number;

/// Characters of a text whose values must be unique.
const LONGEST_UNIQUE: usize = 64;

/// A field's value as it goes into the record; `None` where it is refused and nothing more is to be said of
/// the field. `at` is where its record, or row, stands in the call.
pub(super) fn read(
    call: &Call<'_>,
    app: &App,
    field: &Field,
    sent: &Json,
    at: &str,
    in_table: bool,
    errors: &mut Errors,
) -> Option<Value> {
    let result = match field.kind {
        Kind::Number => number::read(&app.schema, field, scalar(sent).as_deref()),
        Kind::CheckBox | Kind::MultiSelect => options(field, sent),
        Kind::UserSelect | Kind::OrganizationSelect | Kind::GroupSelect => people(call, field, sent),
        Kind::File => Ok(files(sent)),
        _ => match scalar(sent) {
            None => Err(Fault::value("Enter a text.")),
            Some(text) if text.is_empty() => Ok(Value::Empty),
            Some(text) => single(field, &text),
        },
    };
    match result {
        Ok(value) => Some(value),
        // In a table, what is no number is silently dropped.
        Err(fault) if in_table && field.kind == Kind::Number && fault.leaves_nothing() => Some(Value::Empty),
        Err(fault) => {
            let value = fault.leaves_nothing().then_some(Value::Empty);
            fault.note(at, &field.code, errors);
            value
        }
    }
}

type Read<T> = Result<T, Fault>;

/// A text, also sent as a number; `null` is empty.
fn scalar(sent: &Json) -> Option<String> {
    match sent {
        Json::Null => Some(String::new()),
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn single(field: &Field, text: &str) -> Read<Value> {
    let bad = |what: &str| Fault::value(format!("Enter a {what}."));
    // The reader of times passes over spaces; Kintone does not.
    let spaced = text.contains(char::is_whitespace);
    match field.kind {
        Kind::RadioButton | Kind::DropDown => {
            if !field.options.contains_key(text) {
                return Err(Fault::value(format!("The value, \"{text}\", is not in options.")));
            }
            Ok(Value::Text(text.into()))
        }
        Kind::Date => date(text).map(Value::Date).ok_or_else(|| bad("date")),
        Kind::Time => value::parse_time(text).filter(|_| !spaced).map(Value::Time).ok_or_else(|| bad("time")),
        Kind::DateTime => {
            let minutes = value::parse_datetime(text).filter(|_| !spaced && has_year(text));
            minutes.map(Value::DateTime).ok_or_else(|| bad("date and time"))
        }
        Kind::Link => {
            match (text_length(field, text), protocol(field, text)) {
                (Ok(()), Ok(())) => {}
                (Err(length), Err(protocol)) => return Err(length.and(protocol)),
                (Err(fault), Ok(())) | (Ok(()), Err(fault)) => return Err(fault),
            }
            Ok(Value::Text(text.into()))
        }
        _ => {
            text_length(field, text)?;
            Ok(Value::Text(text.into()))
        }
    }
}

/// Whether it begins with four digits and ends there or goes on with a hyphen.
fn has_year(text: &str) -> bool {
    let year = text.split('-').next().unwrap_or_default();
    year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit())
}

/// Days since 1970. `2015` and `2015-7` begin on their first day.
fn date(text: &str) -> Option<i32> {
    let parts: Vec<&str> = text.split('-').collect();
    let short = |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !has_year(text) || !parts.iter().skip(1).all(short) {
        return None;
    }
    let padded = match parts.len() {
        1 => format!("{text}-01-01"),
        2 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    value::parse_date(&padded)
}

/// Lengths count UTF-16 units; the messages quote one past the limit, as Kintone's do.
fn text_length(field: &Field, text: &str) -> Read<()> {
    if !matches!(field.kind, Kind::SingleLineText | Kind::Link) {
        return Ok(());
    }
    let length = text.encode_utf16().count();
    let most = field.text("maxLength").parse::<usize>().ok();
    let most =
        if field.flag("unique") { Some(most.unwrap_or(LONGEST_UNIQUE).min(LONGEST_UNIQUE)) } else { most };
    if let Some(most) = most.filter(|most| length > *most) {
        return Err(Fault::value(format!("Enter less than {} characters.", most.saturating_add(1))));
    }
    match too_short(field, length) {
        Some(message) => Err(Fault::value(message)),
        None => Ok(()),
    }
}

/// What to say where a text of that length is too short for its field.
pub(super) fn too_short(field: &Field, length: usize) -> Option<String> {
    if !matches!(field.kind, Kind::SingleLineText | Kind::Link) {
        return None;
    }
    let least = field.text("minLength").parse::<usize>().ok().filter(|least| length < *least)?;
    Some(format!("Enter more than {} characters.", least.saturating_sub(1)))
}

fn protocol(field: &Field, text: &str) -> Read<()> {
    let fits = match field.text("protocol") {
        "WEB" => text.starts_with("http://") || text.starts_with("https://"),
        "MAIL" => text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()),
        "CALL" => text.chars().all(|c| c.is_ascii_digit() || "+-()*# ".contains(c)),
        _ => true,
    };
    if fits { Ok(()) } else { Err(Fault::value("The URL format is not valid.")) }
}

fn options(field: &Field, sent: &Json) -> Read<Value> {
    let texts = match sent {
        Json::Null => return Ok(Value::Empty),
        Json::Array(items) => items.iter().map(|item| item.as_str().unwrap_or_default()),
        _ => return Err(Fault::new(Part::Values, "Enter an array.")),
    };
    let mut out: Vec<Arc<str>> = vec![];
    for (index, text) in texts.enumerate() {
        if !field.options.contains_key(text) {
            let message = format!("The value, \"{text}\", is not in options.");
            return Err(Fault::new(Part::Item(index), message));
        }
        out.push(text.into());
    }
    // Kintone keeps the form's order.
    out.sort_by_key(|text| field.options.get(text).copied());
    out.dedup();
    Ok(if out.is_empty() { Value::Empty } else { Value::Texts(out.into()) })
}

fn people(call: &Call<'_>, field: &Field, sent: &Json) -> Read<Value> {
    let items = match sent {
        Json::Null => return Ok(Value::Empty),
        Json::Array(items) => items,
        _ => return Err(Fault::new(Part::Values, "Enter an array.")),
    };
    let directory = &call.store.directory;
    let mut out: Vec<Arc<str>> = vec![];
    for item in items {
        let code = item.get("code").and_then(Json::as_str).unwrap_or_default();
        let known = match field.kind {
            Kind::UserSelect => directory.user(code),
            Kind::GroupSelect => directory.group(code),
            _ => directory.organization(code),
        };
        if known.is_none() {
            return Err(Fault::new(Part::Person, format!("\"{code}\" was not found.")));
        }
        if !is_offered(field, code) {
            return Err(Fault::new(Part::Person, format!("\"{code}\" cannot be selected.")));
        }
        if !out.iter().any(|known| **known == *code) {
            out.push(code.into());
        }
    }
    Ok(if out.is_empty() { Value::Empty } else { Value::Codes(out.into()) })
}

/// Whether the field's `entities` offer somebody. Who is in an organization or a group is not known here, so
/// that a field which offers one to choose users from takes any user.
fn is_offered(field: &Field, code: &str) -> bool {
    let entities = field.definition.get("entities").and_then(Json::as_array);
    let Some(entities) = entities.filter(|entities| !entities.is_empty()) else { return true };
    let own = match field.kind {
        Kind::UserSelect => "USER",
        Kind::GroupSelect => "GROUP",
        _ => "ORGANIZATION",
    };
    entities.iter().any(|entity| {
        let kind = entity.get("type").and_then(Json::as_str).unwrap_or_default();
        kind != own || entity.get("code").and_then(Json::as_str) == Some(code)
    })
}

/// Only keys are sent; the stage puts the files in their place.
fn files(sent: &Json) -> Value {
    let key = |file: &Json| file.get("fileKey").and_then(Json::as_str).unwrap_or_default().to_owned();
    let files: Vec<File> = sent
        .as_array()
        .into_iter()
        .flatten()
        .map(|file| File { file_key: key(file), ..File::default() })
        .collect();
    if files.is_empty() { Value::Empty } else { Value::Files(files.into()) }
}
