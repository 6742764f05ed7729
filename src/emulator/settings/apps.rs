//! Apps and how much is in them (K§2.2).

use serde_json::{Value as Json, json};

use super::super::app::AppDefinition;
use super::super::call::Call;
use super::super::directory::Directory;
use super::super::reply::{Answer, Failure, NO_PRIVILEGE};
use super::super::store::App;
use super::super::value;
use super::spaces;

/// Apps in an answer, and values of each filter.
const MOST: usize = 100;
const LONGEST_NAME: usize = 64;

/// GET `apps.json`.
pub(crate) fn list(call: &Call<'_>) -> Result<Answer, Failure> {
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
    let (offset, limit) = page(call)?;
    // A guest space is known by its apps here: one without any does not exist.
    if call.guest_space.is_some_and(|space| !spaces::exists(call.store, space)) {
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
        .skip(offset)
        .take(limit)
        .map(|app| description(app, &call.store.directory))
        .collect();
    let rows = apps.len();
    Ok(Answer::json(&json!({"apps": apps})).with_rows(rows))
}

/// GET `app.json`.
pub(crate) fn get(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("id")?;
    Ok(Answer::json(&description(&app.definition, &call.store.directory)))
}

fn description(app: &AppDefinition, directory: &Directory) -> Json {
    json!({
        "appId": app.id.to_string(),
        "code": app.code,
        "name": app.name,
        "description": app.description,
        "spaceId": app.guest_space.map(|space| space.to_string()),
        "threadId": app.guest_space.map(|space| space.to_string()),
        "createdAt": time(app.created_at),
        "creator": user(directory, &app.creator),
        "modifiedAt": time(app.modified_at),
        "modifier": user(directory, &app.modifier),
    })
}

/// Somebody of the directory, as apps name them.
pub(super) fn user(directory: &Directory, code: &str) -> Json {
    json!({"code": code, "name": directory.user(code).map_or(code, |user| &user.name)})
}

/// Apps show seconds and milliseconds, unlike records.
pub(super) fn time(minutes: i64) -> String {
    value::format_datetime(minutes).replace('Z', ".000Z")
}

/// `offset` and `limit` of a list.
pub(super) fn page(call: &Call<'_>) -> Result<(usize, usize), Failure> {
    let limit = call.params.integer("limit")?.unwrap_or(100);
    if !(1..=100).contains(&limit) {
        return Err(Failure::invalid("limit", "Must be 1 to 100."));
    }
    let offset = call.params.integer("offset")?.unwrap_or(0);
    if !(0..=i64::from(i32::MAX)).contains(&offset) {
        return Err(Failure::invalid("offset", "Must be 0 to 2147483647."));
    }
    Ok((usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(MOST)))
}

/// GET `apps/statistics.json`: how much is in each app.
pub(crate) fn statistics(call: &Call<'_>) -> Result<Answer, Failure> {
    call.caller.must_be_user()?;
    let (offset, limit) = page(call)?;
    let apps: Vec<Json> =
        call.store.apps.values().skip(offset).take(limit).map(|app| statistic(call, app)).collect();
    let rows = apps.len();
    Ok(Answer::json(&json!({"apps": apps})).with_rows(rows))
}

fn statistic(call: &Call<'_>, app: &App) -> Json {
    let definition = &app.definition;
    let records = app.read();
    let updated = records.all.iter().map(|record| record.updated).max();
    let changed = call.store.previews.contains_key(&definition.id);
    let directory = &call.store.directory;
    let space = definition.guest_space;
    json!({
        "id": definition.id.to_string(),
        "name": definition.name,
        "space": space.map(|id| json!({"id": id.to_string(), "name": format!("Space {id}")})),
        "appGroup": "Public",
        "status": if changed { "CHANGED" } else { "ACTIVATED" },
        "recordUpdatedAt": updated.map(time),
        "recordCount": records.all.len().to_string(),
        "fieldCount": app.schema.fields.len().to_string(),
        "dailyRequestCount": "0",
        "storageUsage": "0",
        "customized": false,
        "creator": user(directory, &definition.creator),
        "createdAt": time(definition.created_at),
        "modifier": user(directory, &definition.modifier),
        "modifiedAt": time(definition.modified_at),
    })
}
