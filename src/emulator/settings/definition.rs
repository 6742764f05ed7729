//! A field's definition (K§4.3): which properties each type has, what they may be, and what they are unless said.
//!
//! Booleans are booleans and numbers are texts there; `""` is an unset number.

use serde_json::{Map, Value as Json, json};

use super::super::field::Kind;
use super::super::params::integer;
use super::super::value::{Decimal, parse_date, parse_datetime, parse_time};

/// Characters of a code, a label, an option.
pub(super) const LONGEST_NAME: usize = 128;
/// Characters of a number's default value.
const LONGEST_DEFAULT: usize = 1_000;
/// UTF-16 units that a limit of a text may say.
const LONGEST_TEXT: i64 = 64_000;
/// Where Kintone publishes no bound.
const UNBOUNDED: usize = usize::MAX;

/// What a property may be. The first of several choices, else unset, is what it is unless said.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Flag,
    /// At most so many characters.
    Text(usize),
    /// A whole number within bounds.
    Whole(i64, i64),
    Number,
    OneOf(&'static [&'static str]),
    /// The options of a choice.
    Options,
    /// One of the options.
    Option,
    /// Some of the options.
    OptionList,
    /// Users, groups or organizations: the types that are allowed.
    People(&'static [&'static str]),
    Date,
    Time,
    DateTime,
    /// Read with the whole form in view, by `reference`.
    Reference,
}
use Shape::{Flag, Number, OneOf, People, Reference, Text, Whole};

type Properties = &'static [(&'static str, Shape)];

const UNIT: &[&str] = &["BEFORE", "AFTER"];
const FORMATS: &[&str] =
    &["NUMBER", "NUMBER_DIGIT", "DATETIME", "DATE", "TIME", "HOUR_MINUTE", "DAY_HOUR_MINUTE"];
const ALIGN: &[&str] = &["HORIZONTAL", "VERTICAL"];
const USERS: &[&str] = &["USER", "GROUP", "ORGANIZATION", "FUNCTION"];
const GROUPS: &[&str] = &["GROUP"];
const ORGANIZATIONS: &[&str] = &["ORGANIZATION", "FUNCTION"];
/// Pixels.
const THUMBNAILS: &[&str] = &["150", "50", "250", "500"];

/// The properties of each type beyond its type, code and label.
const PROPERTIES: &[(Kind, Properties)] = &[
    (
        Kind::SingleLineText,
        &[
            ("required", Flag),
            ("unique", Flag),
            ("maxLength", Whole(0, LONGEST_TEXT)),
            ("minLength", Whole(0, LONGEST_TEXT)),
            ("defaultValue", Text(UNBOUNDED)),
            ("expression", Text(UNBOUNDED)),
            ("hideExpression", Flag),
        ],
    ),
    (Kind::MultiLineText, &[("required", Flag), ("defaultValue", Text(UNBOUNDED))]),
    (Kind::RichText, &[("required", Flag), ("defaultValue", Text(UNBOUNDED))]),
    (
        Kind::Number,
        &[
            ("required", Flag),
            ("unique", Flag),
            ("maxValue", Number),
            ("minValue", Number),
            ("defaultValue", Text(LONGEST_DEFAULT)),
            ("digit", Flag),
            ("displayScale", Whole(0, 10)),
            ("unit", Text(LONGEST_NAME)),
            ("unitPosition", OneOf(UNIT)),
        ],
    ),
    (
        Kind::Calc,
        &[
            ("required", Flag),
            ("expression", Text(UNBOUNDED)),
            ("format", OneOf(FORMATS)),
            ("displayScale", Whole(0, 10)),
            ("hideExpression", Flag),
            ("unit", Text(LONGEST_NAME)),
            ("unitPosition", OneOf(UNIT)),
        ],
    ),
    (
        Kind::Link,
        &[
            ("required", Flag),
            ("unique", Flag),
            ("maxLength", Whole(0, LONGEST_TEXT)),
            ("minLength", Whole(0, LONGEST_TEXT)),
            ("defaultValue", Text(UNBOUNDED)),
            ("protocol", OneOf(&["WEB", "CALL", "MAIL"])),
        ],
    ),
    (
        Kind::CheckBox,
        &[
            ("required", Flag),
            ("options", Shape::Options),
            ("defaultValue", Shape::OptionList),
            ("align", OneOf(ALIGN)),
        ],
    ),
    (
        Kind::RadioButton,
        &[
            ("required", Flag),
            ("options", Shape::Options),
            ("defaultValue", Shape::Option),
            ("align", OneOf(ALIGN)),
        ],
    ),
    (
        Kind::MultiSelect,
        &[("required", Flag), ("options", Shape::Options), ("defaultValue", Shape::OptionList)],
    ),
    (Kind::DropDown, &[("required", Flag), ("options", Shape::Options), ("defaultValue", Shape::Option)]),
    (
        Kind::Date,
        &[("required", Flag), ("unique", Flag), ("defaultValue", Shape::Date), ("defaultNowValue", Flag)],
    ),
    (
        Kind::DateTime,
        &[("required", Flag), ("unique", Flag), ("defaultValue", Shape::DateTime), ("defaultNowValue", Flag)],
    ),
    (Kind::Time, &[("required", Flag), ("defaultValue", Shape::Time), ("defaultNowValue", Flag)]),
    (Kind::File, &[("required", Flag), ("thumbnailSize", OneOf(THUMBNAILS))]),
    (Kind::UserSelect, &[("required", Flag), ("entities", People(USERS)), ("defaultValue", People(USERS))]),
    (
        Kind::GroupSelect,
        &[("required", Flag), ("entities", People(GROUPS)), ("defaultValue", People(GROUPS))],
    ),
    (
        Kind::OrganizationSelect,
        &[("required", Flag), ("entities", People(ORGANIZATIONS)), ("defaultValue", People(ORGANIZATIONS))],
    ),
    (Kind::ReferenceTable, &[("referenceTable", Reference)]),
    (Kind::Group, &[("openGroup", Flag)]),
    (Kind::Category, &[("enabled", Flag)]),
    (Kind::Status, &[("enabled", Flag)]),
    (Kind::Assignee, &[("enabled", Flag)]),
];

/// A lookup has these in place of those of its type.
const LOOKUP: Properties = &[("required", Flag), ("lookup", Reference)];

fn properties(kind: Kind, is_lookup: bool) -> Properties {
    if is_lookup && matches!(kind, Kind::SingleLineText | Kind::Number | Kind::Link) {
        return LOOKUP;
    }
    PROPERTIES.iter().find(|(known, _)| *known == kind).map_or(&[], |(_, properties)| properties)
}

/// The properties of a type with what each is unless said.
pub(super) fn defaults(kind: Kind, is_lookup: bool) -> impl Iterator<Item = (&'static str, Json)> {
    properties(kind, is_lookup).iter().map(|(name, shape)| (*name, unset(*shape)))
}

fn has_label_switch(kind: Kind) -> bool {
    !matches!(kind, Kind::Category | Kind::Status | Kind::Assignee)
}

fn unset(shape: Shape) -> Json {
    match shape {
        Flag => json!(false),
        OneOf(choices) => json!(choices.first().unwrap_or(&"")),
        Shape::OptionList | People(_) => json!([]),
        Shape::Options => json!({}),
        Reference => Json::Null,
        Text(_) | Whole(..) | Number | Shape::Option | Shape::Date | Shape::Time | Shape::DateTime => {
            json!("")
        }
    }
}

/// Messages by parameter, and renamed options: (old, new).
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) errors: Vec<(String, Vec<String>)>,
    pub(super) renames: Vec<(String, String)>,
}

impl Notes {
    pub(super) fn error(&mut self, at: &str, message: impl Into<String>) {
        self.errors.push((at.to_owned(), vec![message.into()]));
    }
}

/// A definition as it was sent, held against its type. What was not sent stays as in `old`, or takes its default.
/// `at` is where the definition stands in the call.
pub(super) fn read(
    kind: Kind,
    sent: &Map<String, Json>,
    old: Option<&Map<String, Json>>,
    at: &str,
    notes: &mut Notes,
) -> Map<String, Json> {
    let lookup = |map: &Map<String, Json>| map.get("lookup").is_some_and(Json::is_object);
    let is_lookup = old.map_or_else(|| lookup(sent), lookup);
    if lookup(sent) && !is_lookup {
        notes.error(&format!("{at}.lookup"), "A field cannot become a lookup.");
    }
    let mut out = Map::new();
    out.insert("type".to_owned(), json!(kind.name()));
    for name in ["code", "label"] {
        let value = sent.get(name).or_else(|| old?.get(name)).and_then(Json::as_str).unwrap_or_default();
        if value.is_empty() {
            notes.error(&format!("{at}.{name}"), "Required field.");
        } else if value.chars().count() > LONGEST_NAME {
            notes.error(&format!("{at}.{name}"), format!("Enter no more than {LONGEST_NAME} characters."));
        }
        out.insert(name.to_owned(), json!(value));
    }
    let label_switch = has_label_switch(kind).then_some(("noLabel", Flag));
    for (name, shape) in label_switch.iter().chain(properties(kind, is_lookup)) {
        let before = old.and_then(|old| old.get(*name));
        // Process management and categories have calls of their own.
        let sent = sent.get(*name).filter(|value| !value.is_null() && *name != "enabled");
        let value = match sent {
            Some(sent) => property(*shape, sent, before, &out, notes).unwrap_or_else(|message| {
                notes.error(&format!("{at}.{name}"), message);
                unset(*shape)
            }),
            None => before.cloned().unwrap_or_else(|| unset(*shape)),
        };
        out.insert((*name).to_owned(), value);
    }
    keep_known_defaults(&mut out);
    together(kind, &out, at, notes);
    out
}

/// A default that is no option any more is dropped.
fn keep_known_defaults(out: &mut Map<String, Json>) {
    let Some(options) = out.get("options").and_then(Json::as_object).cloned() else { return };
    let known = |option: &Json| option.as_str().is_some_and(|option| options.contains_key(option));
    match out.get_mut("defaultValue") {
        Some(Json::Array(list)) => list.retain(known),
        Some(value) if !known(value) => *value = json!(""),
        _ => {}
    }
}

/// What properties must be in view of each other.
fn together(kind: Kind, out: &Map<String, Json>, at: &str, notes: &mut Notes) {
    let text = |name: &str| out.get(name).and_then(Json::as_str).unwrap_or_default();
    if kind.is_choice() && out.get("options").and_then(Json::as_object).is_none_or(Map::is_empty) {
        notes.error(&format!("{at}.options"), "Required field.");
    }
    if kind == Kind::Calc && text("expression").is_empty() {
        notes.error(&format!("{at}.expression"), "Required field.");
    }
    let above = |least: &str, most: &str| {
        Decimal::parse(text(least)).zip(Decimal::parse(text(most))).is_some_and(|(least, most)| least > most)
    };
    for (least, most) in [("minLength", "maxLength"), ("minValue", "maxValue")] {
        if above(least, most) {
            notes.error(&format!("{at}.{least}"), format!("Must not be larger than {most}."));
        }
    }
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

type Read = Result<Json, String>;

fn property(
    shape: Shape,
    sent: &Json,
    before: Option<&Json>,
    out: &Map<String, Json>,
    notes: &mut Notes,
) -> Read {
    let said = || text(sent).ok_or_else(|| "Enter a text.".to_owned());
    match shape {
        Flag => match sent {
            Json::Bool(_) => Ok(sent.clone()),
            Json::String(text) if text == "true" || text == "false" => Ok(json!(text == "true")),
            _ => Err("Enter true or false.".to_owned()),
        },
        Text(most) => said().and_then(|text| match text.chars().count() {
            length if length > most => Err(format!("Enter no more than {most} characters.")),
            _ => Ok(json!(text)),
        }),
        Whole(least, most) => said().and_then(|text| match text.parse::<i64>() {
            _ if text.is_empty() => Ok(json!("")),
            Ok(number) if (least..=most).contains(&number) => Ok(json!(number.to_string())),
            _ => Err(format!("Must be {least} to {most}.")),
        }),
        Number => said().and_then(|text| match Decimal::parse(&text) {
            Some(number) => Ok(json!(number.to_string())),
            None if text.is_empty() => Ok(json!("")),
            None => Err("Only numbers are allowed.".to_owned()),
        }),
        OneOf(choices) => said().and_then(|text| match choices.contains(&text.as_str()) {
            true => Ok(json!(text)),
            false => Err(format!("Must be one of {}.", choices.join(", "))),
        }),
        Shape::Options => options(sent, before, notes),
        Shape::Option => {
            said().and_then(|text| if text.is_empty() { Ok(json!("")) } else { known(&text, out) })
        }
        Shape::OptionList => list(sent)?
            .iter()
            .map(|item| known(item.as_str().unwrap_or_default(), out))
            .collect::<Result<Vec<_>, _>>()
            .map(Json::Array),
        People(types) => people(sent, types),
        Shape::Date => moment(&said()?, |text| parse_date(text).is_some()),
        Shape::Time => moment(&said()?, |text| parse_time(text).is_some()),
        Shape::DateTime => {
            // Without a zone here, unlike in records.
            let read = |text: &str| parse_datetime(text).or_else(|| parse_datetime(&format!("{text}:00Z")));
            moment(&said()?, |text| read(text).is_some())
        }
        Reference => match sent {
            Json::Object(_) => Ok(sent.clone()),
            _ => Err("Enter an object.".to_owned()),
        },
    }
}

fn moment(text: &str, reads: impl Fn(&str) -> bool) -> Read {
    if text.is_empty() || reads(text) { Ok(json!(text)) } else { Err("Enter a date or time.".to_owned()) }
}

fn list(sent: &Json) -> Result<&[Json], String> {
    sent.as_array().map(Vec::as_slice).ok_or_else(|| "Enter an array.".to_owned())
}

fn known(option: &str, out: &Map<String, Json>) -> Read {
    let options = out.get("options").and_then(Json::as_object);
    if options.is_some_and(|options| options.contains_key(option)) {
        Ok(json!(option))
    } else {
        Err(format!("\"{option}\" is not one of the options."))
    }
}

fn people(sent: &Json, types: &[&str]) -> Read {
    let mut out = vec![];
    for item in list(sent)? {
        let text = |name: &str| item.get(name).and_then(Json::as_str).unwrap_or_default();
        if !types.contains(&text("type")) || text("code").is_empty() {
            return Err(format!("Each needs a code and a type of {}.", types.join(", ")));
        }
        out.push(json!({"type": text("type"), "code": text("code")}));
    }
    Ok(Json::Array(out))
}

/// Options by the name they had, each with the name it gets and its place. Those that are not sent are gone.
fn options(sent: &Json, before: Option<&Json>, notes: &mut Notes) -> Read {
    let sent = sent.as_object().ok_or("Enter an object.")?;
    let before = before.and_then(Json::as_object);
    let mut ordered: Vec<(i64, &str)> = vec![];
    for (name, option) in sent {
        let label = option.get("label").map_or(Some(name.as_str()), Json::as_str).unwrap_or_default();
        let index = option.get("index").and_then(integer).filter(|index| *index >= 0);
        let index = index.ok_or_else(|| format!("\"{name}\" has no index."))?;
        if label.is_empty() || label.chars().count() > LONGEST_NAME {
            return Err(format!("An option has 1 to {LONGEST_NAME} characters."));
        }
        if ordered.iter().any(|(_, known)| *known == label) {
            return Err(format!("\"{label}\" is there twice."));
        }
        if label != name && before.is_some_and(|before| before.contains_key(name)) {
            notes.renames.push((name.clone(), label.to_owned()));
        }
        ordered.push((index, label));
    }
    ordered.sort_by_key(|(index, _)| *index);
    let options = ordered.iter().enumerate().map(|(place, (_, label))| {
        ((*label).to_owned(), json!({"label": label, "index": place.to_string()}))
    });
    Ok(Json::Object(options.collect()))
}
