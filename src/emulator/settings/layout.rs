//! PUT `preview/app/form/layout.json` (K§2.2), and how a layout follows its fields.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::super::app::AppDefinition;
use super::super::call::Change;
use super::super::field::Kind;
use super::super::params::integer;
use super::super::reply::{Answer, FIELD_NOT_PLACED, Failure, NO_FIELD_CODE};
use super::preview::edit;
use super::{complete, reference};

/// Pixels of a field that nobody has sized.
const WIDTH: &str = "193";
/// What a layout has beside fields.
const DECORATIONS: &[&str] = &["LABEL", "SPACER", "HR"];
/// Characters of a spacer's id.
const LONGEST_ELEMENT: usize = 128;

/// The place of a field that nobody has placed.
pub(super) fn place(kind: Kind, code: &str) -> Json {
    match kind {
        Kind::ReferenceTable => json!({"type": kind.name(), "code": code}),
        Kind::MultiLineText | Kind::RichText => {
            json!({"type": kind.name(), "code": code, "size": {"width": "315", "innerHeight": "125"}})
        }
        _ => json!({"type": kind.name(), "code": code, "size": {"width": WIDTH}}),
    }
}

/// Puts a new field at the end of the form.
pub(super) fn append(app: &mut AppDefinition, kind: Kind, code: &str) {
    app.layout.push(match kind {
        Kind::Subtable => json!({"type": "SUBTABLE", "code": code, "fields": []}),
        Kind::Group => json!({"type": "GROUP", "code": code, "layout": []}),
        _ => json!({"type": "ROW", "fields": [place(kind, code)]}),
    });
}

/// Puts a new column at the end of its table.
pub(super) fn append_column(app: &mut AppDefinition, table: &str, kind: Kind, code: &str) {
    let table = app.layout.iter_mut().find(|row| is_named(row, table));
    if let Some(Json::Array(fields)) = table.and_then(|row| row.get_mut("fields")) {
        fields.push(place(kind, code));
    }
}

fn is_named(item: &Json, code: &str) -> bool {
    item.get("code").and_then(Json::as_str) == Some(code)
}

/// Takes a field out, and rows that are empty then. What a group held stays on the form.
pub(super) fn remove(layout: &mut Vec<Json>, code: &str) {
    for row in std::mem::take(layout) {
        let is_group = row.get("type").and_then(Json::as_str) == Some("GROUP");
        if is_named(&row, code) {
            if let (true, Some(Json::Array(inner))) = (is_group, row.get("layout")) {
                layout.extend(inner.iter().cloned());
            }
            continue;
        }
        let mut row = row;
        if let Some(Json::Array(inner)) = row.get_mut("layout") {
            remove(inner, code);
        }
        let mut emptied = false;
        if let Some(Json::Array(fields)) = row.get_mut("fields") {
            let before = fields.len();
            fields.retain(|field| !is_named(field, code));
            emptied = fields.is_empty() && before > 0;
        }
        if !emptied {
            layout.push(row);
        }
    }
}

/// Follows a field's new code.
pub(super) fn rename(items: &mut [Json], old: &str, new: &str) {
    for item in items {
        if is_named(item, old) {
            item["code"] = json!(new);
        }
        for inner in ["fields", "layout"] {
            if let Some(Json::Array(inner)) = item.get_mut(inner) {
                rename(inner, old, new);
            }
        }
    }
}

/// PUT.
pub(crate) fn update(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let ((), revision) = edit(change, |call, preview| {
        let rows = call.params.array("layout")?;
        let rows = rows.ok_or_else(|| Failure::invalid("layout", "Required field."))?;
        let mut reader = Reader { app: &preview.definition, placed: BTreeMap::new() };
        let mut layout = reader.rows(rows, "layout", true)?;
        reader.everything_is_placed()?;
        complete::places(&mut layout);
        preview.definition.layout = layout;
        Ok(())
    })?;
    Ok(Answer::json(&json!({"revision": revision})))
}

struct Reader<'a> {
    app: &'a AppDefinition,
    /// How often a field was placed.
    placed: BTreeMap<String, usize>,
}

impl Reader<'_> {
    fn rows(&mut self, rows: &[Json], at: &str, top: bool) -> Result<Vec<Json>, Failure> {
        let rows = rows.iter().enumerate();
        rows.map(|(index, row)| self.row(row, &format!("{at}[{index}]"), top)).collect()
    }

    fn row(&mut self, row: &Json, at: &str, top: bool) -> Result<Json, Failure> {
        let list = |name: &str| {
            let items = row.get(name).and_then(Json::as_array);
            items.ok_or_else(|| Failure::invalid(&format!("{at}.{name}"), "Required field."))
        };
        match row.get("type").and_then(Json::as_str) {
            Some("ROW") => {
                let fields = self.fields(list("fields")?, at, &self.app.properties)?;
                Ok(json!({"type": "ROW", "fields": fields}))
            }
            Some("SUBTABLE") if top => {
                let code = self.framed(row, Kind::Subtable, at)?;
                let columns = self.app.properties.get(&code).and_then(|t| t.get("fields")?.as_object());
                let columns = columns.ok_or_else(|| Failure::about(NO_FIELD_CODE, &code))?;
                let fields = self.fields(list("fields")?, at, columns)?;
                if columns.keys().any(|column| !self.placed.contains_key(column)) {
                    let message = "A field of the table is missing, or is not of the table.";
                    return Err(Failure::invalid(&format!("{at}.fields"), message));
                }
                Ok(json!({"type": "SUBTABLE", "code": code, "fields": fields}))
            }
            Some("GROUP") if top => {
                let code = self.framed(row, Kind::Group, at)?;
                let inner = self.rows(list("layout")?, &format!("{at}.layout"), false)?;
                Ok(json!({"type": "GROUP", "code": code, "layout": inner}))
            }
            _ => Err(Failure::invalid(&format!("{at}.type"), "Must be ROW, SUBTABLE or GROUP.")),
        }
    }

    /// The code of a table or a group.
    fn framed(&mut self, row: &Json, kind: Kind, at: &str) -> Result<String, Failure> {
        let code = row.get("code").and_then(Json::as_str);
        let code = code.ok_or_else(|| Failure::invalid(&format!("{at}.code"), "Required field."))?;
        let field = self.app.properties.get(code).and_then(Json::as_object);
        if field.and_then(reference::kind) != Some(kind) {
            return Err(Failure::about(NO_FIELD_CODE, code));
        }
        self.count(code, at)?;
        Ok(code.to_owned())
    }

    fn count(&mut self, code: &str, at: &str) -> Result<(), Failure> {
        let times = self.placed.entry(code.to_owned()).or_default();
        *times += 1;
        if *times > 1 {
            return Err(Failure::invalid(at, format!("The field \"{code}\" is there twice.")));
        }
        Ok(())
    }

    fn fields(&mut self, items: &[Json], at: &str, known: &Map<String, Json>) -> Result<Vec<Json>, Failure> {
        let items = items.iter().enumerate();
        items.map(|(index, item)| self.field(item, &format!("{at}.fields[{index}]"), known)).collect()
    }

    fn field(&mut self, item: &Json, at: &str, known: &Map<String, Json>) -> Result<Json, Failure> {
        let text = |name: &str| item.get(name).and_then(Json::as_str).unwrap_or_default();
        let kind = text("type");
        let mut out = json!({"type": kind});
        if DECORATIONS.contains(&kind) {
            if kind == "LABEL" {
                out["label"] = json!(text("label"));
            }
            if kind == "SPACER" {
                if text("elementId").chars().count() > LONGEST_ELEMENT {
                    let message = format!("Enter no more than {LONGEST_ELEMENT} characters.");
                    return Err(Failure::invalid(&format!("{at}.elementId"), message));
                }
                out["elementId"] = json!(text("elementId"));
            }
        } else {
            let code = text("code");
            if code.is_empty() {
                return Err(Failure::invalid(&format!("{at}.code"), "Required field."));
            }
            let field = known.get(code).and_then(Json::as_object);
            let field = field.ok_or_else(|| Failure::about(NO_FIELD_CODE, code))?;
            let own = reference::kind(field);
            let unplaceable = matches!(
                own,
                Some(Kind::Subtable | Kind::Group | Kind::Category | Kind::Status | Kind::Assignee) | None
            );
            if unplaceable || own.is_some_and(|own| own.name() != kind) {
                return Err(Failure::invalid(&format!("{at}.type"), "Is not the type of the field."));
            }
            self.count(code, at)?;
            out["code"] = json!(code);
        }
        if let Some(size) = size(item, at)? {
            out["size"] = size;
        }
        Ok(out)
    }

    /// Fields that people made must be on the form.
    fn everything_is_placed(&self) -> Result<(), Failure> {
        let missing = self.app.properties.iter().find(|(code, field)| {
            let kind = field.as_object().and_then(reference::kind);
            kind.is_some_and(|kind| kind.system_place().is_none()) && !self.placed.contains_key(*code)
        });
        match missing {
            Some((code, _)) => Err(Failure::about(FIELD_NOT_PLACED, code)),
            None => Ok(()),
        }
    }
}

/// Pixels, as texts.
fn size(item: &Json, at: &str) -> Result<Option<Json>, Failure> {
    let Some(sent) = item.get("size").filter(|size| !size.is_null()) else { return Ok(None) };
    let mut out = Map::new();
    for name in ["width", "height", "innerHeight"] {
        let Some(value) = sent.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
        else {
            continue;
        };
        let pixels = integer(value).filter(|pixels| *pixels >= 0);
        let pixels =
            pixels.ok_or_else(|| Failure::invalid(&format!("{at}.size.{name}"), "Enter an integer."))?;
        out.insert(name.to_owned(), json!(pixels.to_string()));
    }
    Ok(Some(Json::Object(out)))
}
