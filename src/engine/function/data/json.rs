//! `json` and `jsonb`: members, containment, changes.

use std::collections::HashSet;

use super::cell::Cell;
use super::json_value::{Json, written_items, written_members};
use super::kind::{Kind, Returns};
use super::{Def, Overload, on, variadic};
use crate::engine::dialect::array_items;
use crate::error::{Error, Kind as Fault, Result};

const JSON: &[Kind] = &[Kind::Text];
const TWO: &[Kind] = &[Kind::Text, Kind::Text];
const AND_ANY: &[Kind] = &[Kind::Text, Kind::Any];

const GET: Overload = on(AND_ANY, Returns::JsonLike(0), |_, args| got(args, false));
const GET_TEXT: Overload = on(AND_ANY, Returns::Text, |_, args| got(args, true));
const PATH_JSON: Overload =
    variadic(JSON, Kind::Text, Returns::Word("json"), |_, args| followed(args, false));
const PATH_JSONB: Overload =
    variadic(JSON, Kind::Text, Returns::Word("jsonb"), |_, args| followed(args, false));
const PATH_TEXT: Overload = variadic(JSON, Kind::Text, Returns::Text, |_, args| followed(args, true));
const TYPE: Overload = on(JSON, Returns::Text, |_, args| Ok(Cell::Text(first(args)?.kind().to_owned())));
const LENGTH: Overload = on(JSON, Returns::Int4, |_, args| length(&first(args)?));
const STRIP: Overload = on(JSON, Returns::Word("jsonb"), |_, args| {
    Ok(Cell::Json(first(args)?.without_nulls().canonical()?.to_string()))
});

/// What operators and rows-giving functions become has a name that begins with `pg_`.
pub(super) const FUNCTIONS: &[Def] = &[
    // `->`, `->>`, `#>`, `#>>`
    Def::strict("pg_json_get", &[GET]),
    Def::strict("pg_json_get_text", &[GET_TEXT]),
    Def::strict("json_extract_path", &[PATH_JSON]),
    Def::strict("jsonb_extract_path", &[PATH_JSONB]),
    Def::strict("json_extract_path_text", &[PATH_TEXT]),
    Def::strict("jsonb_extract_path_text", &[PATH_TEXT]),
    Def::strict("json_typeof", &[TYPE]),
    Def::strict("jsonb_typeof", &[TYPE]),
    Def::strict("json_array_length", &[LENGTH]),
    Def::strict("jsonb_array_length", &[LENGTH]),
    Def::strict("jsonb_strip_nulls", &[STRIP]),
    Def::strict(
        "json_strip_nulls",
        &[on(JSON, Returns::Word("json"), |_, args| Ok(Cell::Json(first(args)?.without_nulls().compact())))],
    ),
    Def::strict(
        "jsonb_pretty",
        &[on(JSON, Returns::Text, |_, args| {
            let mut out = String::new();
            first(args)?.canonical()?.pretty(0, &mut out);
            Ok(Cell::Text(out))
        })],
    ),
    Def::strict(
        "jsonb_set",
        &[
            on(&[Kind::Text, Kind::Any, Kind::Text], Returns::Word("jsonb"), |_, args| replaced(args, true)),
            on(&[Kind::Text, Kind::Any, Kind::Text, Kind::Any], Returns::Word("jsonb"), |_, args| {
                replaced(args, args.get(3) == Some(&Cell::Bool(true)))
            }),
        ],
    ),
    Def::strict(
        "pg_jsonb_contains",
        &[on(TWO, Returns::Bool, |_, args| Ok(Cell::Bool(first(args)?.contains(&second(args)?))))],
    ),
    Def::strict(
        "pg_jsonb_equal",
        &[on(TWO, Returns::Bool, |_, args| {
            Ok(Cell::Bool(first(args)?.canonical()?.equals(&second(args)?.canonical()?)))
        })],
    ),
    Def::strict("jsonb_exists", &[on(AND_ANY, Returns::Bool, |_, args| has(args, true))]),
    Def::strict("jsonb_exists_any", &[on(AND_ANY, Returns::Bool, |_, args| has(args, false))]),
    Def::strict("jsonb_exists_all", &[on(AND_ANY, Returns::Bool, |_, args| has(args, true))]),
    Def::strict(
        "pg_jsonb_concat",
        &[on(TWO, Returns::Word("jsonb"), |_, args| {
            jsonb(joined(first(args)?.canonical()?, second(args)?.canonical()?)?)
        })],
    ),
    Def::strict(
        "pg_jsonb_delete",
        &[on(AND_ANY, Returns::Word("jsonb"), |_, args| {
            jsonb(without(first(args)?, args.get(1).unwrap_or(&Cell::Null))?)
        })],
    ),
    Def::strict(
        "pg_jsonb_delete_path",
        &[on(AND_ANY, Returns::Word("jsonb"), |_, args| {
            let mut value = first(args)?.canonical()?;
            changed(&mut value, &path(args.get(1)), &Change::Delete)?;
            jsonb(value)
        })],
    ),
    Def::strict(
        "pg_json_items",
        &[on(JSON, Returns::JsonListLike(0), |_, args| {
            items(&first(args)?)?;
            let written = written_items(args.first().map_or("", Cell::text))?.unwrap_or_default();
            Ok(list(written.iter().map(|item| Some(item.get().to_owned())), Cell::Json))
        })],
    ),
    Def::strict(
        "pg_json_texts",
        &[on(JSON, Returns::Word("text[]"), |_, args| {
            items(&first(args)?).map(|items| list(items.iter().map(Json::plain_text), Cell::Text))
        })],
    ),
    Def::strict(
        "pg_json_keys",
        &[on(JSON, Returns::Word("text[]"), |_, args| {
            members(&first(args)?)
                .map(|members| list(members.iter().map(|(name, _)| Some(name.clone())), Cell::Text))
        })],
    ),
    Def::strict(
        "pg_json_values",
        &[on(JSON, Returns::JsonListLike(0), |_, args| {
            members(&first(args)?)?;
            let written = written_members(args.first().map_or("", Cell::text))?.unwrap_or_default();
            Ok(list(written.iter().map(|(_, value)| Some(value.get().to_owned())), Cell::Json))
        })],
    ),
    Def::strict(
        "pg_json_value_texts",
        &[on(JSON, Returns::Word("text[]"), |_, args| {
            members(&first(args)?)
                .map(|members| list(members.iter().map(|(_, value)| value.plain_text()), Cell::Text))
        })],
    ),
    // A member of each item.
    Def::strict(
        "pg_json_member_texts",
        &[on(TWO, Returns::Word("text[]"), |_, args| {
            let name = args.get(1).map_or("", Cell::text);
            let of = |item: &Json| item.member(name).and_then(Json::plain_text);
            items(&first(args)?).map(|items| list(items.iter().map(of), Cell::Text))
        })],
    ),
    // `x::json` and `x::jsonb` of a text.
    Def::strict(
        "pg_json",
        &[on(JSON, Returns::Word("json"), |_, args| {
            Json::read(args.first().map_or("", Cell::text))?;
            Ok(Cell::Json(args.first().map_or("", Cell::text).to_owned()))
        })],
    ),
    Def::strict("pg_jsonb", &[on(JSON, Returns::Word("jsonb"), |_, args| jsonb(first(args)?))]),
];

fn jsonb(value: Json) -> Result<Cell> {
    Ok(Cell::Json(value.canonical()?.to_string()))
}

fn read(cell: Option<&Cell>) -> Result<Json> {
    Json::read(cell.map_or("", Cell::text))
}

fn first(args: &[Cell]) -> Result<Json> {
    read(args.first())
}

fn second(args: &[Cell]) -> Result<Json> {
    read(args.get(1))
}

fn list(texts: impl Iterator<Item = Option<String>>, cell: fn(String) -> Cell) -> Cell {
    Cell::List(texts.map(|text| text.map_or(Cell::Null, cell)).collect())
}

fn invalid(message: &str) -> Error {
    Error::new(Fault::InvalidValue, message)
}

fn length(json: &Json) -> Result<Cell> {
    match json {
        Json::Array(items) => Ok(Cell::Int(i64::try_from(items.len()).unwrap_or(i64::MAX))),
        Json::Object(_) => Err(invalid("cannot get array length of a non-array")),
        _ => Err(invalid("cannot get array length of a scalar")),
    }
}

fn items(json: &Json) -> Result<&[Json]> {
    match json {
        Json::Array(items) => Ok(items),
        Json::Object(_) => Err(invalid("cannot extract elements from an object")),
        _ => Err(invalid("cannot extract elements from a scalar")),
    }
}

fn members(json: &Json) -> Result<&[(String, Json)]> {
    match json {
        Json::Object(members) => Ok(members),
        Json::Array(_) => Err(invalid("cannot deconstruct an array as an object")),
        _ => Err(invalid("cannot deconstruct a scalar")),
    }
}

/// The steps of a path: an array, or its text.
fn path(cell: Option<&Cell>) -> Vec<Cell> {
    match cell {
        Some(Cell::List(steps)) => steps.clone(),
        Some(Cell::Text(text)) => array_items(text).unwrap_or_default().into_iter().map(Cell::Text).collect(),
        _ => vec![],
    }
}

/// The place of an item: negative ones are counted from the end.
fn place(step: i64, count: usize) -> Option<usize> {
    let count = i64::try_from(count).ok()?;
    let place = if step < 0 { step.checked_add(count)? } else { step };
    usize::try_from(place).ok().filter(|_| place < count)
}

/// What a step leads to, as it is written.
fn step<'j>(json: &'j str, step: &Cell, in_path: bool) -> Result<Option<&'j str>> {
    let at = match step {
        Cell::Int(at) => Some(*at),
        Cell::Text(text) if in_path => text.trim().parse().ok(),
        _ => None,
    };
    if let Some(items) = written_items(json)? {
        let item = at.and_then(|at| items.get(place(at, items.len())?));
        return Ok(item.map(|item| item.get()));
    }
    match (step, written_members(json)?) {
        (Cell::Text(name), Some(members)) => {
            // Of one name, the last one counts.
            Ok(members.into_iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.get()))
        }
        _ => Ok(None),
    }
}

/// The member or the item that a name, a place or a path of both says; NULL where there is none. As text, a string is
/// without its quotes, and `null` is NULL.
fn got(args: &[Cell], as_text: bool) -> Result<Cell> {
    match args.get(1) {
        Some(Cell::List(steps)) => walked(args, steps, true, as_text),
        Some(step) => walked(args, std::slice::from_ref(step), false, as_text),
        None => Ok(Cell::Null),
    }
}

fn followed(args: &[Cell], as_text: bool) -> Result<Cell> {
    walked(args, args.get(1..).unwrap_or_default(), true, as_text)
}

fn walked(args: &[Cell], steps: &[Cell], in_path: bool, as_text: bool) -> Result<Cell> {
    let mut at = args.first().map_or("", Cell::text);
    for one in steps {
        match step(at, one, in_path)? {
            Some(inner) => at = inner,
            None => return Ok(Cell::Null),
        }
    }
    let at = at.trim();
    if !as_text {
        return Ok(Cell::Json(at.to_owned()));
    }
    Ok(match serde_json::from_str::<Option<String>>(at) {
        Ok(text) => text.map_or(Cell::Null, Cell::Text),
        Err(_) => Cell::Text(at.to_owned()),
    })
}

/// Whether there are members, or items that are texts, of these names: of all, or of any.
fn has(args: &[Cell], all: bool) -> Result<Cell> {
    let json = first(args)?;
    let names = match args.get(1) {
        Some(Cell::Text(name)) if all => vec![Cell::Text(name.clone())],
        other => path(other),
    };
    let there = |name: &Cell| match &json {
        Json::Object(_) => json.member(name.text()).is_some(),
        Json::Array(items) => {
            items.iter().any(|item| matches!(item, Json::Text(text) if text == name.text()))
        }
        Json::Text(text) => text == name.text(),
        _ => false,
    };
    let mut names = names.iter().filter(|name| **name != Cell::Null);
    Ok(Cell::Bool(if all { names.all(there) } else { names.any(there) }))
}

/// `||`: the members of both, or the items of both.
fn joined(left: Json, right: Json) -> Result<Json> {
    Ok(match (left, right) {
        (Json::Object(mut left), Json::Object(right)) => {
            left.extend(right);
            Json::Object(left)
        }
        (Json::Array(mut left), Json::Array(right)) => {
            left.extend(right);
            Json::Array(left)
        }
        (Json::Array(mut left), right) => {
            left.push(right);
            Json::Array(left)
        }
        (left, Json::Array(right)) => Json::Array(std::iter::once(left).chain(right).collect()),
        (Json::Object(_), _) | (_, Json::Object(_)) => {
            return Err(invalid("invalid concatenation of jsonb objects"));
        }
        (left, right) => Json::Array(vec![left, right]),
    })
}

/// `-`: without the members of a name or of several, or without an item.
fn without(json: Json, what: &Cell) -> Result<Json> {
    let names: HashSet<String> = match what {
        Cell::Int(at) => {
            let Json::Array(mut items) = json else {
                let is_object = matches!(json, Json::Object(_));
                let message = if is_object {
                    "cannot delete from object using integer index"
                } else {
                    "cannot delete from scalar"
                };
                return Err(invalid(message));
            };
            if let Some(place) = place(*at, items.len()) {
                items.remove(place);
            }
            return Ok(Json::Array(items));
        }
        Cell::Text(name) => HashSet::from([name.clone()]),
        other => path(Some(other)).iter().map(|name| name.text().to_owned()).collect(),
    };
    match json {
        Json::Object(members) => {
            Ok(Json::Object(members.into_iter().filter(|(name, _)| !names.contains(name)).collect()))
        }
        Json::Array(items) => {
            let named = |item: &Json| matches!(item, Json::Text(text) if names.contains(text));
            Ok(Json::Array(items.into_iter().filter(|item| !named(item)).collect()))
        }
        _ => Err(invalid("cannot delete from scalar")),
    }
}

/// What is done at the end of a path.
enum Change {
    Delete,
    /// Whether it is added where there is none.
    Set(Json, bool),
}

fn replaced(args: &[Cell], create: bool) -> Result<Cell> {
    let mut value = first(args)?.canonical()?;
    if !matches!(value, Json::Array(_) | Json::Object(_)) {
        return Err(invalid("cannot set path in scalar"));
    }
    let change = Change::Set(read(args.get(2))?.canonical()?, create);
    changed(&mut value, &path(args.get(1)), &change)?;
    jsonb(value)
}

/// Changes what a path leads to. A path that leads nowhere changes nothing.
fn changed(json: &mut Json, path: &[Cell], change: &Change) -> Result<()> {
    let Some((step, rest)) = path.split_first() else { return Ok(()) };
    match json {
        Json::Object(members) => {
            let name = step.text();
            let at = members.iter().position(|(known, _)| known == name);
            match (at, change) {
                (Some(at), _) if !rest.is_empty() => {
                    if let Some((_, value)) = members.get_mut(at) {
                        changed(value, rest, change)?;
                    }
                }
                (Some(at), Change::Delete) => {
                    members.remove(at);
                }
                (Some(at), Change::Set(value, _)) => {
                    if let Some(member) = members.get_mut(at) {
                        member.1 = value.clone();
                    }
                }
                (None, Change::Set(value, true)) if rest.is_empty() => {
                    members.push((name.to_owned(), value.clone()));
                }
                (None, _) => {}
            }
        }
        Json::Array(items) => {
            let wanted: i64 = step.text().trim().parse().map_err(|_| {
                let message = format!("path element at position 1 is not an integer: \"{}\"", step.text());
                Error::new(Fault::InvalidText, message)
            })?;
            match (place(wanted, items.len()), change) {
                (Some(at), _) if !rest.is_empty() => {
                    if let Some(value) = items.get_mut(at) {
                        changed(value, rest, change)?;
                    }
                }
                (Some(at), Change::Delete) => {
                    items.remove(at);
                }
                (Some(at), Change::Set(value, _)) => {
                    if let Some(item) = items.get_mut(at) {
                        *item = value.clone();
                    }
                }
                (None, Change::Set(value, true)) if rest.is_empty() => {
                    // Beyond the end it is the last, before the beginning the first.
                    let at = if wanted < 0 { 0 } else { items.len() };
                    items.insert(at, value.clone());
                }
                (None, _) => {}
            }
        }
        _ => {}
    }
    Ok(())
}
