//! Values as JSON: `to_json`, `row_to_json`, `json_build_object`, and what `json_agg` becomes.

use super::cell::Cell;
use super::json_value::{Json, append_string};
use super::kind::{Kind, Returns};
use super::show::{float, instant, text, timestamp};
use super::{Context, Def, Overload, on, variadic};
use crate::error::{Error, Kind as Fault, Result};

const TO_JSON: Overload =
    on(&[Kind::Any], Returns::Word("json"), |context, args| shown(context, args, false));
/// The second argument asks for a line for each item.
const PRETTY: Overload = on(&[Kind::Any, Kind::Any], Returns::Word("json"), |context, args| {
    shown(context, args, args.get(1) == Some(&Cell::Bool(true)))
});
const ANY: &[Kind] = &[];

pub(super) const FUNCTIONS: &[Def] = &[
    Def::strict("to_json", &[TO_JSON]),
    Def::strict("row_to_json", &[TO_JSON, PRETTY]),
    Def::strict("array_to_json", &[TO_JSON, PRETTY]),
    Def::strict(
        "to_jsonb",
        &[on(&[Kind::Any], Returns::Word("jsonb"), |context, args| {
            jsonb(&json(args.first().unwrap_or(&Cell::Null), context))
        })],
    ),
    Def::lenient(
        "json_build_object",
        &[variadic(ANY, Kind::Any, Returns::Word("json"), |context, args| {
            object(context, args).map(Cell::Json)
        })],
    ),
    Def::lenient(
        "jsonb_build_object",
        &[variadic(ANY, Kind::Any, Returns::Word("jsonb"), |context, args| jsonb(&object(context, args)?))],
    ),
    Def::lenient(
        "json_build_array",
        &[variadic(ANY, Kind::Any, Returns::Word("json"), |context, args| {
            Ok(Cell::Json(array(context, args)))
        })],
    ),
    Def::lenient(
        "jsonb_build_array",
        &[variadic(ANY, Kind::Any, Returns::Word("jsonb"), |context, args| jsonb(&array(context, args)))],
    ),
    Def::strict(
        "json_object",
        &[
            on(&[Kind::Any], Returns::Word("json"), |_, args| of_texts(args).map(Cell::Json)),
            on(&[Kind::Any, Kind::Any], Returns::Word("json"), |_, args| of_texts(args).map(Cell::Json)),
        ],
    ),
    Def::strict(
        "jsonb_object",
        &[
            on(&[Kind::Any], Returns::Word("jsonb"), |_, args| jsonb(&of_texts(args)?)),
            on(&[Kind::Any, Kind::Any], Returns::Word("jsonb"), |_, args| jsonb(&of_texts(args)?)),
        ],
    ),
    // One value of `json_agg`: a row and an array are on a line of their own.
    Def::lenient(
        "pg_json_item",
        &[on(&[Kind::Any], Returns::Text, |context, args| {
            let cell = args.first().unwrap_or(&Cell::Null);
            let line = if matches!(cell, Cell::Row(_) | Cell::List(_)) { "\n " } else { "" };
            Ok(Cell::Text(format!("{line}{}", json(cell, context))))
        })],
    ),
    // The values of an array as those.
    Def::strict(
        "pg_json_items_of",
        &[on(&[Kind::Any], Returns::Word("text[]"), |context, args| {
            let Some(Cell::List(items)) = args.first() else { return Ok(Cell::Null) };
            Ok(Cell::List(items.iter().map(|item| Cell::Text(json(item, context))).collect()))
        })],
    ),
    Def::lenient(
        "pg_json_name",
        &[on(&[Kind::Any], Returns::Text, |context, args| {
            let name = args.first().and_then(|cell| text(cell, context.zone));
            name.map(Cell::Text).ok_or_else(|| no_name("field name must not be null"))
        })],
    ),
    Def::strict(
        "pg_json_array",
        &[on(&[Kind::Any], Returns::Word("json"), |_, args| Ok(Cell::Json(format!("[{}]", joined(args)))))],
    ),
    Def::strict(
        "pg_jsonb_array",
        &[on(&[Kind::Any], Returns::Word("jsonb"), |_, args| jsonb(&format!("[{}]", joined(args))))],
    ),
    Def::strict(
        "pg_json_object",
        &[on(&[Kind::Any, Kind::Any], Returns::Word("json"), |_, args| {
            Ok(Cell::Json(format!("{{ {} }}", pairs(args))))
        })],
    ),
    Def::strict(
        "pg_jsonb_object",
        &[on(&[Kind::Any, Kind::Any], Returns::Word("jsonb"), |_, args| {
            jsonb(&format!("{{{}}}", pairs(args)))
        })],
    ),
];

fn no_name(message: &str) -> Error {
    Error::new(Fault::InvalidValue, message)
}

fn jsonb(json: &str) -> Result<Cell> {
    Ok(Cell::Json(Json::read(json)?.canonical()?.to_string()))
}

fn shown(context: &Context, args: &[Cell], lines: bool) -> Result<Cell> {
    let cell = args.first().unwrap_or(&Cell::Null);
    let between = if lines { ",\n " } else { "," };
    Ok(Cell::Json(match cell {
        Cell::List(items) => {
            let items: Vec<String> = items.iter().map(|item| json(item, context)).collect();
            format!("[{}]", items.join(between))
        }
        Cell::Row(columns) => row(columns, context, between),
        other => json(other, context),
    }))
}

/// A value as PostgreSQL's `to_json` writes it: numbers and truth values as they are, times in ISO 8601, all else as
/// its text.
fn json(cell: &Cell, context: &Context) -> String {
    let zone = context.zone;
    match cell {
        Cell::Null => "null".into(),
        Cell::Bool(value) => value.to_string(),
        Cell::Float(value) if value.is_finite() => float(*value),
        Cell::Int(_) | Cell::Number(_) => text(cell, zone).unwrap_or_default(),
        Cell::Json(json) => json.clone(),
        Cell::Timestamp(local) => quoted(&timestamp(*local, 'T')),
        Cell::Instant(at) => quoted(&instant(*at, zone, 'T')),
        Cell::List(items) => {
            let items: Vec<String> = items.iter().map(|item| json(item, context)).collect();
            format!("[{}]", items.join(","))
        }
        Cell::Row(columns) => row(columns, context, ","),
        other => quoted(&text(other, zone).unwrap_or_default()),
    }
}

fn row(columns: &[(String, Cell)], context: &Context, between: &str) -> String {
    let members = columns.iter().map(|(name, value)| {
        // A row that has no names has those that PostgreSQL gives it.
        let name = match name.strip_prefix('c').and_then(|place| place.parse::<usize>().ok()) {
            Some(place) if is_unnamed(columns) => format!("f{}", place + 1),
            _ => name.clone(),
        };
        format!("{}:{}", quoted(&name), json(value, context))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(between))
}

/// Whether the columns have the names that DataFusion gives those of `ROW(...)`.
fn is_unnamed(columns: &[(String, Cell)]) -> bool {
    columns.iter().enumerate().all(|(place, (name, _))| *name == format!("c{place}"))
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    append_string(&mut out, text);
    out
}

/// Names and values in turn.
fn object(context: &Context, args: &[Cell]) -> Result<String> {
    if !args.len().is_multiple_of(2) {
        return Err(no_name("argument list must have even number of elements")
            .with_hint("The arguments of json_build_object() must consist of alternating keys and values."));
    }
    let mut members = Vec::with_capacity(args.len() / 2);
    for (place, pair) in args.chunks(2).enumerate() {
        let [name, value] = pair else { continue };
        let Some(name) = text(name, context.zone) else {
            let message = format!("argument {} cannot be null", 2 * place + 1);
            return Err(no_name(&message).with_hint("Object keys should be text."));
        };
        members.push(format!("{} : {}", quoted(&name), json(value, context)));
    }
    Ok(format!("{{{}}}", members.join(", ")))
}

fn array(context: &Context, args: &[Cell]) -> String {
    let items: Vec<String> = args.iter().map(|item| json(item, context)).collect();
    format!("[{}]", items.join(", "))
}

/// Names and texts in turn, or names and texts apart.
fn of_texts(args: &[Cell]) -> Result<String> {
    let items = |place: usize| match args.get(place) {
        Some(Cell::List(items)) => items.clone(),
        Some(Cell::Text(text)) => {
            let items = crate::engine::dialect::array_items(text).unwrap_or_default();
            items.into_iter().map(Cell::Text).collect()
        }
        _ => vec![],
    };
    let (names, values): (Vec<Cell>, Vec<Cell>) = if args.len() == 1 {
        let all = items(0);
        if all.len() % 2 != 0 {
            return Err(no_name("array must have even number of elements"));
        }
        all.chunks(2).filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone()))).unzip()
    } else {
        (items(0), items(1))
    };
    if names.len() != values.len() {
        return Err(no_name("mismatched array dimensions"));
    }
    let mut members = vec![];
    for (name, value) in names.iter().zip(&values) {
        if *name == Cell::Null {
            return Err(no_name("null value not allowed for object key"));
        }
        let value = if *value == Cell::Null { "null".to_owned() } else { quoted(value.text()) };
        members.push(format!("{} : {value}", quoted(name.text())));
    }
    Ok(format!("{{{}}}", members.join(", ")))
}

/// The items of an aggregate, which are JSON.
fn joined(args: &[Cell]) -> String {
    let Some(Cell::List(items)) = args.first() else { return String::new() };
    let items: Vec<&str> = items.iter().map(Cell::text).collect();
    items.join(", ").trim_start_matches("\n ").to_owned()
}

fn pairs(args: &[Cell]) -> String {
    let [Cell::List(names), Cell::List(values)] = args else { return String::new() };
    let members = names.iter().zip(values).map(|(name, value)| {
        let value = value.text();
        format!("{} : {}", quoted(name.text()), value.strip_prefix("\n ").unwrap_or(value))
    });
    members.collect::<Vec<_>>().join(", ")
}
