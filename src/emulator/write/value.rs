//! A field's value as it was sent: read, rounded, and held against the field's definition (K§4.2).

use std::sync::Arc;

use serde_json::Value as Json;

use super::super::app::File;
use super::super::call::Call;
use super::super::field::{Field, Kind, Schema};
use super::super::reply::Failure;
use super::super::store::App;
use super::super::value::{self, Decimal, Digits, Value};

/// Messages by parameter.
#[derive(Debug, Default)]
pub(super) struct Errors(Vec<(String, Vec<String>)>);

impl Errors {
    pub(super) fn add(&mut self, key: String, message: impl Into<String>) {
        self.0.push((key, vec![message.into()]));
    }

    /// `CB_VA01` where there is any.
    pub(super) fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::invalid_many(self.0)) }
    }
}

/// Reads a value. `None` where it is refused; `at` is where its record, or row, stands in the call.
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
        Kind::Number => number(&app.schema, field, sent, in_table),
        Kind::CheckBox | Kind::MultiSelect => options(field, sent),
        Kind::UserSelect | Kind::OrganizationSelect | Kind::GroupSelect => people(call, field, sent),
        Kind::File => Ok(files(sent)),
        _ => match scalar(sent) {
            None => Err(Fault::value("Enter a text.")),
            Some(text) if text.is_empty() => text_length(field, "").map(|()| Value::Empty),
            Some(text) => single(field, &text),
        },
    };
    match result {
        Ok(value) => Some(value),
        Err(fault) => {
            errors.add(fault.key(at, &field.code), fault.message);
            None
        }
    }
}

/// Why a value is refused.
struct Fault {
    part: Part,
    message: String,
}

/// What of a value is at fault, which decides the parameter's name (K§5.2).
enum Part {
    Value,
    NotANumber,
    Values,
    Item(usize),
    Person,
}

impl Fault {
    fn new(part: Part, message: impl Into<String>) -> Self {
        Self { part, message: message.into() }
    }

    fn value(message: impl Into<String>) -> Self {
        Self::new(Part::Value, message)
    }

    fn key(&self, at: &str, code: &str) -> String {
        match self.part {
            Part::Value => format!("{at}.{code}.value"),
            Part::NotANumber => format!("{at}[{code}].value"),
            Part::Values => format!("{at}.{code}.values"),
            Part::Item(index) => format!("{at}.{code}.values[{index}].value"),
            Part::Person => format!("{at}.{code}.values.value"),
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
    match field.kind {
        Kind::RadioButton | Kind::DropDown => {
            if !field.options.contains_key(text) {
                return Err(Fault::value(format!("\"{text}\" is not one of the options.")));
            }
            Ok(Value::Text(text.into()))
        }
        Kind::Date => value::parse_date(&padded(text)).map(Value::Date).ok_or_else(|| bad("date")),
        Kind::Time => value::parse_time(text).map(Value::Time).ok_or_else(|| bad("time")),
        Kind::DateTime => {
            value::parse_datetime(text).map(Value::DateTime).ok_or_else(|| bad("date and time"))
        }
        Kind::Link => {
            text_length(field, text)?;
            protocol(field, text)?;
            Ok(Value::Text(text.into()))
        }
        _ => {
            text_length(field, text)?;
            Ok(Value::Text(text.into()))
        }
    }
}

/// `2015` and `2015-7` begin on their first day.
fn padded(text: &str) -> String {
    match text.split('-').count() {
        1 => format!("{text}-01-01"),
        2 => format!("{text}-01"),
        _ => text.to_owned(),
    }
}

/// Lengths count UTF-16 units; the messages quote one past the limit, as Kintone's do.
fn text_length(field: &Field, text: &str) -> Read<()> {
    if !matches!(field.kind, Kind::SingleLineText | Kind::Link) {
        return Ok(());
    }
    let length = text.encode_utf16().count();
    if let Ok(most) = field.text("maxLength").parse::<usize>()
        && length > most
    {
        return Err(Fault::value(format!("Enter less than {} characters.", most + 1)));
    }
    if let Ok(least) = field.text("minLength").parse::<usize>()
        && length < least
    {
        return Err(Fault::value(format!("Enter more than {} characters.", least.saturating_sub(1))));
    }
    Ok(())
}

fn protocol(field: &Field, text: &str) -> Read<()> {
    let fits = match field.text("protocol") {
        "WEB" => text.starts_with("http://") || text.starts_with("https://"),
        "MAIL" => text.contains('@'),
        "CALL" => text.chars().all(|c| c.is_ascii_digit() || "+-()*# ".contains(c)),
        _ => true,
    };
    if fits { Ok(()) } else { Err(Fault::value("The URL format is not valid.")) }
}

fn number(schema: &Schema, field: &Field, sent: &Json, in_table: bool) -> Read<Value> {
    let text = scalar(sent);
    let text = text.as_deref().map(str::trim);
    if text == Some("") {
        return Ok(Value::Empty);
    }
    let Some(digits) = text.and_then(|text| Digits::parse(text, true)) else {
        // In a table, junk is silently dropped.
        let fault = Fault::new(Part::NotANumber, "Only numbers are allowed.");
        return if in_table { Ok(Value::Empty) } else { Err(fault) };
    };
    let most = schema.digits.saturating_sub(schema.places);
    let rounded = digits.round(schema.places, schema.rounding).filter(|_| digits.whole_digits() <= most);
    let Some(number) = rounded else {
        return Err(Fault::value(format!("The number of significant digits exceeds {}.", schema.digits)));
    };
    if Decimal::parse(field.text("maxValue")).is_some_and(|most| number > most) {
        return Err(Fault::value(format!("Must be {} or smaller.", field.text("maxValue"))));
    }
    if Decimal::parse(field.text("minValue")).is_some_and(|least| number < least) {
        return Err(Fault::value(format!("Must be {} or larger.", field.text("minValue"))));
    }
    Ok(Value::Number(number))
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
            let message = format!("\"{text}\" is not one of the options.");
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
        out.push(code.into());
    }
    Ok(if out.is_empty() { Value::Empty } else { Value::Codes(out.into()) })
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
