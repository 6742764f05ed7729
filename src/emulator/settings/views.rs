//! PUT `preview/app/views.json` (K§2.2): the views that are sent become all there are.

use serde_json::{Map, Value as Json, json};

use super::super::app::AppDefinition;
use super::super::call::{Call, Change};
use super::super::field::Kind;
use super::super::params::integer;
use super::super::query::{Scope, prepare};
use super::super::reply::{Answer, Failure, NO_FIELD_CODE};
use super::super::store::App;
use super::preview::edit;
use super::reference;

/// Views of an app (K§5.1).
const MOST: usize = 1_000;
/// Characters of a view's name.
const LONGEST_NAME: usize = 128;
/// Bytes of a custom view's HTML.
const LONGEST_HTML: usize = 65_535;

/// PUT.
pub(crate) fn update(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let (ids, revision) = edit(change, |call, preview| {
        let sent = call.params.get("views").and_then(Json::as_object);
        let sent = sent.ok_or_else(|| Failure::invalid("views", "Required field."))?;
        if sent.len() > MOST {
            return Err(Failure::invalid("views", format!("An app has no more than {MOST} views.")));
        }
        // Conditions are read against the form as it will be.
        let app = call.store.make(preview.definition.clone(), 0);
        let mut next_id = last_id(call, &preview.definition) + 1;
        let mut views: Vec<(i64, String, Json)> = vec![];
        for (key, view) in sent {
            let old = preview.definition.views.get(key);
            let (index, name, mut read) = read(call, &app, key, view)?;
            if views.iter().any(|(_, known, _)| *known == name) {
                return Err(Failure::invalid(&format!("views[{key}].name"), "The name is there twice."));
            }
            let id = old.and_then(|old| old.get("id")).cloned().unwrap_or_else(|| {
                next_id += 1;
                json!((next_id - 1).to_string())
            });
            read.insert("id".to_owned(), id);
            views.push((index, name, Json::Object(read)));
        }
        views.sort_by_key(|(index, ..)| *index);
        let placed = views.into_iter().enumerate().map(|(place, (_, name, mut view))| {
            view["index"] = json!(place.to_string());
            (name, view)
        });
        preview.definition.views = placed.collect();
        let id = |view: &Json| json!({"id": view.get("id").cloned().unwrap_or_default()});
        let views = preview.definition.views.iter();
        Ok(views.map(|(name, view)| (name.clone(), id(view))).collect::<Map<String, Json>>())
    })?;
    Ok(Answer::json(&json!({"views": ids, "revision": revision})))
}

/// The highest id of a view on the domain, where they are unique.
fn last_id(call: &Call<'_>, own: &AppDefinition) -> i64 {
    let live = call.store.apps.values().map(|app| &app.definition);
    let coming = call.store.previews.values().map(|preview| &preview.definition);
    let views = live.chain(coming).chain([own]).flat_map(|app| app.views.values());
    views.filter_map(|view| view.get("id").and_then(integer)).max().unwrap_or(0)
}

type Read = (i64, String, Map<String, Json>);

/// One view: its place, its name, and what it is.
fn read(call: &Call<'_>, app: &App, key: &str, view: &Json) -> Result<Read, Failure> {
    let fault = |name: &str, message: &str| Failure::invalid(&format!("views[{key}].{name}"), message);
    let text = |name: &str| view.get(name).and_then(Json::as_str).unwrap_or_default();
    let index = view.get("index").and_then(integer).filter(|index| *index >= 0);
    let index = index.ok_or_else(|| fault("index", "Required field."))?;
    let name = if view.get("name").is_some() { text("name") } else { key };
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(fault("name", &format!("A name has 1 to {LONGEST_NAME} characters.")));
    }
    let kind = text("type");
    let mut out = Map::new();
    out.insert("type".to_owned(), json!(kind));
    out.insert("name".to_owned(), json!(name));
    if text("builtinType") == "ASSIGNEE" {
        out.insert("builtinType".to_owned(), json!("ASSIGNEE"));
    }
    match kind {
        "LIST" => {
            let fields = view.get("fields").and_then(Json::as_array).cloned().unwrap_or_default();
            fields.iter().try_for_each(|code| has(app, code.as_str().unwrap_or_default()).map(drop))?;
            out.insert("fields".to_owned(), json!(fields));
        }
        "CALENDAR" => {
            let date = has(app, text("date"))?;
            if !matches!(
                date,
                Kind::Date | Kind::DateTime | Kind::CreatedTime | Kind::UpdatedTime | Kind::Calc
            ) {
                return Err(fault("date", "Must be a field of dates."));
            }
            has(app, text("title"))?;
            out.insert("date".to_owned(), json!(text("date")));
            out.insert("title".to_owned(), json!(text("title")));
        }
        "CUSTOM" => {
            if text("html").len() > LONGEST_HTML {
                return Err(fault("html", &format!("Enter no more than {LONGEST_HTML} bytes.")));
            }
            let device = if view.get("device").is_some() { text("device") } else { "ANY" };
            if !matches!(device, "DESKTOP" | "ANY") {
                return Err(fault("device", "Must be DESKTOP or ANY."));
            }
            out.insert("html".to_owned(), json!(text("html")));
            out.insert("pager".to_owned(), json!(view.get("pager").and_then(Json::as_bool).unwrap_or(true)));
            out.insert("device".to_owned(), json!(device));
        }
        _ => return Err(fault("type", "Must be LIST, CALENDAR or CUSTOM.")),
    }
    let (condition, sort) = (text("filterCond"), text("sort"));
    let order = if sort.is_empty() { String::new() } else { format!(" order by {sort}") };
    prepare(
        Scope { store: call.store, app, caller: call.caller, now: call.now },
        &format!("{condition}{order}"),
    )?;
    out.insert("filterCond".to_owned(), json!(condition));
    out.insert("sort".to_owned(), json!(sort));
    Ok((index, name.to_owned(), out))
}

fn has(app: &App, code: &str) -> Result<Kind, Failure> {
    let field = reference::find(&app.definition, code).and_then(reference::kind);
    field.ok_or_else(|| Failure::about(NO_FIELD_CODE, code))
}
