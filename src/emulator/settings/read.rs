//! GET of the settings that decide how records are read, of either side (K§2.2).

use serde_json::{Map, Value as Json, json};

use super::super::app::AppDefinition;
use super::super::call::Call;
use super::super::reply::{Answer, Failure};
use super::preview::Side;

const LANGUAGES: &[&str] = &["default", "user", "ja", "en", "zh"];

/// Refuses a language that Kintone does not have. Names are the same in all of them here.
pub(super) fn check_language(call: &Call<'_>) -> Result<(), Failure> {
    match call.params.text("lang")? {
        Some(language) if !LANGUAGES.contains(&language) => {
            Err(Failure::invalid("lang", format!("Must be one of {}.", LANGUAGES.join(", "))))
        }
        _ => Ok(()),
    }
}

/// `app/form/fields.json`.
pub(crate) fn fields(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    let settings = side.of(call)?;
    check_language(call)?;
    let mut properties = settings.definition.properties.clone();
    for property in properties.values_mut() {
        hide_reference(call, property);
    }
    Ok(Answer::json(&json!({"properties": properties, "revision": settings.revision.to_string()})))
}

/// The source of related records is `null` where the caller cannot see that app (K§4.3).
fn hide_reference(call: &Call<'_>, property: &mut Json) {
    let Some(reference) = property.get_mut("referenceTable") else { return };
    let app = reference.pointer("/relatedApp/app").and_then(Json::as_str).and_then(|id| id.parse().ok());
    let exists = |id| call.store.apps.contains_key(&id) || call.store.previews.contains_key(&id);
    if app.is_some_and(|id| call.caller.may_open(id).is_err() || !exists(id)) {
        *reference = Json::Null;
    }
}

/// `app/form/layout.json`.
pub(crate) fn layout(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    let settings = side.of(call)?;
    let layout = &settings.definition.layout;
    Ok(Answer::json(&json!({"layout": layout, "revision": settings.revision.to_string()})))
}

/// `app/views.json`. A token cannot read them where one is custom (K§1.3).
pub(crate) fn views(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    let settings = side.of(call)?;
    check_language(call)?;
    let views = &settings.definition.views;
    let is_custom = |view: &Json| view.get("type").and_then(Json::as_str) == Some("CUSTOM");
    if call.caller.is_token() && views.values().any(is_custom) {
        return Err(call.caller.token_not_allowed());
    }
    Ok(Answer::json(&json!({"views": views, "revision": settings.revision.to_string()})))
}

/// `settings.json` of an app, but name and description, with what is not set at its default.
pub(super) fn general(app: &AppDefinition) -> Map<String, Json> {
    let defaults = json!({
        "icon": {"type": "PRESET", "key": "APP72"},
        "theme": "WHITE",
        "titleField": {"selectionMode": "AUTO", "code": ""},
        "enableThumbnails": true,
        "enableBulkDeletion": false,
        "enableComments": true,
        "enableDuplicateRecord": true,
        "enableInlineRecordEditing": true,
        "numberPrecision": {"digits": "16", "decimalPlaces": "4", "roundingMode": "HALF_EVEN"},
        "firstMonthOfFiscalYear": "4",
    });
    let mut out = match defaults {
        Json::Object(defaults) => defaults,
        _ => Map::new(),
    };
    out.extend(app.settings.clone());
    out
}

/// `app/settings.json`.
pub(crate) fn settings(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    let settings = side.of(call)?;
    check_language(call)?;
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(settings.definition.name));
    body.insert("description".to_owned(), json!(settings.definition.description));
    body.extend(general(settings.definition));
    body.insert("revision".to_owned(), json!(settings.revision.to_string()));
    Ok(Answer::json(&Json::Object(body)))
}

/// `app/status.json`; no states and actions where it was never on.
pub(crate) fn status(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    let settings = side.of(call)?;
    check_language(call)?;
    let status = &settings.definition.status;
    let part = |key: &str| status.get(key).cloned().unwrap_or(Json::Null);
    Ok(Answer::json(&json!({
        "enable": status.get("enable").and_then(Json::as_bool).unwrap_or_default(),
        "states": part("states"),
        "actions": part("actions"),
        "revision": settings.revision.to_string(),
    })))
}
