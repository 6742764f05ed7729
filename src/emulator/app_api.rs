//! Apps and their settings (K§2.2).

use serde_json::{Map, Value as Json, json};

use super::app::AppDefinition;
use super::call::Call;
use super::directory::Directory;
use super::reply::{Answer, Failure, NO_PRIVILEGE};
use super::value;

/// Settings are never deployed here, so that they stay at their first revision.
const REVISION: &str = "1";
/// Apps in an answer, and values of each filter.
const MOST: usize = 100;
const LONGEST_NAME: usize = 64;
const LANGUAGES: &[&str] = &["default", "user", "ja", "en", "zh"];

/// GET `apps.json`.
pub(super) fn list(call: &Call<'_>) -> Result<Answer, Failure> {
    if !call.store.unknowns.tokens_list_apps {
        call.caller.must_be_user()?;
    }
    let params = call.params;
    let ids = params.texts("ids", MOST)?;
    let codes = params.texts("codes", MOST)?;
    let spaces = params.texts("spaceIds", MOST)?;
    let name = params.text("name")?.map(str::to_lowercase);
    if name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
        return Err(Failure::invalid("name", format!("Enter no more than {LONGEST_NAME} characters.")));
    }
    let limit = params.integer("limit")?.unwrap_or(100);
    if !(1..=100).contains(&limit) {
        return Err(Failure::invalid("limit", "Must be 1 to 100."));
    }
    let offset = params.integer("offset")?.unwrap_or(0);
    if !(0..=i64::from(i32::MAX)).contains(&offset) {
        return Err(Failure::invalid("offset", "Must be 0 to 2147483647."));
    }
    // A guest space is known by its apps here: one without any does not exist.
    let exists = |space| call.store.apps.values().any(|app| app.definition.guest_space == Some(space));
    if call.guest_space.is_some_and(|space| !exists(space)) {
        return Err(NO_PRIVILEGE.into());
    }
    let one_of =
        |list: &Option<Vec<String>>, value: &str| list.as_ref().is_none_or(|l| l.iter().any(|v| v == value));
    let listed_here = |app: &AppDefinition| {
        app.guest_space == call.guest_space
            || (call.guest_space.is_none() && call.store.unknowns.plain_path_lists_guest_apps)
    };
    let apps: Vec<Json> = call
        .store
        .apps
        .values()
        .map(|app| &app.definition)
        .filter(|app| listed_here(app) && call.caller.may_open(app.id).is_ok())
        .filter(|app| one_of(&ids, &app.id.to_string()) && one_of(&codes, &app.code))
        .filter(|app| spaces.is_none() || app.guest_space.is_some_and(|s| one_of(&spaces, &s.to_string())))
        .filter(|app| name.as_ref().is_none_or(|name| app.name.to_lowercase().contains(name)))
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(MOST))
        .map(|app| description(app, &call.store.directory))
        .collect();
    let rows = apps.len();
    Ok(Answer::json(&json!({"apps": apps})).with_rows(rows))
}

/// GET `app.json`.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("id")?;
    Ok(Answer::json(&description(&app.definition, &call.store.directory)))
}

fn description(app: &AppDefinition, directory: &Directory) -> Json {
    let user = |code: &str| json!({"code": code, "name": directory.user(code).map_or(code, |u| &u.name)});
    // Apps show seconds and milliseconds, unlike records.
    let time = |minutes| value::format_datetime(minutes).replace('Z', ".000Z");
    json!({
        "appId": app.id.to_string(),
        "code": app.code,
        "name": app.name,
        "description": app.description,
        "spaceId": app.guest_space.map(|space| space.to_string()),
        "threadId": app.guest_space.map(|space| space.to_string()),
        "createdAt": time(app.created_at),
        "creator": user(&app.creator),
        "modifiedAt": time(app.modified_at),
        "modifier": user(&app.modifier),
    })
}

/// GET `app/form/fields.json`.
pub(super) fn fields(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    check_language(call)?;
    let mut properties = app.definition.properties.clone();
    for property in properties.values_mut() {
        hide_reference(call, property);
    }
    Ok(Answer::json(&json!({"properties": properties, "revision": REVISION})))
}

/// The source of related records is `null` where the caller cannot see that app (K§4.3).
fn hide_reference(call: &Call<'_>, property: &mut Json) {
    let Some(reference) = property.get_mut("referenceTable") else { return };
    let app = reference.pointer("/relatedApp/app").and_then(Json::as_str).and_then(|id| id.parse().ok());
    if app.is_some_and(|id| call.caller.may_open(id).is_err() || !call.store.apps.contains_key(&id)) {
        *reference = Json::Null;
    }
}

fn check_language(call: &Call<'_>) -> Result<(), Failure> {
    match call.params.text("lang")? {
        Some(language) if !LANGUAGES.contains(&language) => {
            Err(Failure::invalid("lang", format!("Must be one of {}.", LANGUAGES.join(", "))))
        }
        _ => Ok(()),
    }
}

/// GET `app/form/layout.json`.
pub(super) fn layout(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    Ok(Answer::json(&json!({"layout": app.definition.layout, "revision": REVISION})))
}

/// GET `app/views.json`. A token cannot read them where one is custom (K§1.3).
pub(super) fn views(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    check_language(call)?;
    let is_custom = |view: &Json| view.get("type").and_then(Json::as_str) == Some("CUSTOM");
    if call.caller.is_token() && app.definition.views.values().any(is_custom) {
        return Err(call.caller.token_not_allowed());
    }
    Ok(Answer::json(&json!({"views": app.definition.views, "revision": REVISION})))
}

/// GET `app/settings.json`.
pub(super) fn settings(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    check_language(call)?;
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(app.definition.name));
    body.insert("description".to_owned(), json!(app.definition.description));
    body.insert(
        "numberPrecision".to_owned(),
        json!({"digits": "16", "decimalPlaces": "4", "roundingMode": "HALF_EVEN"}),
    );
    body.extend(app.definition.settings.clone());
    body.insert("revision".to_owned(), json!(REVISION));
    Ok(Answer::json(&Json::Object(body)))
}

/// GET `app/status.json`.
pub(super) fn status(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    check_language(call)?;
    let status = &app.definition.status;
    let part = |key: &str| status.get(key).cloned().unwrap_or(Json::Null);
    Ok(Answer::json(&json!({
        "enable": app.schema.process,
        "states": part("states"),
        "actions": part("actions"),
        "revision": REVISION,
    })))
}
