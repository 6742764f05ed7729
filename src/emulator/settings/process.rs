//! PUT `preview/app/status.json` (K§2.2): process management, its states and actions.

use serde_json::{Map, Value as Json, json};

use super::super::app::AppDefinition;
use super::super::call::Change;
use super::super::params::integer;
use super::super::reply::{Answer, Failure, NO_FIELD_CODE};
use super::preview::edit;
use super::reference;

/// Characters of a state's or an action's name.
const LONGEST_NAME: usize = 64;
const WHO: &[&str] = &["USER", "GROUP", "ORGANIZATION", "FIELD_ENTITY", "CREATOR", "CUSTOM_FIELD"];

/// PUT. What is not sent stays; states and actions that are sent become all there are.
pub(crate) fn update(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let ((), revision) = edit(change, |call, preview| {
        let mut status = preview.definition.status.clone();
        if call.params.get("enable").is_some() {
            status.insert("enable".to_owned(), json!(call.params.flag("enable")?));
        }
        let mut renames = vec![];
        if let Some(sent) = call.params.get("states") {
            let old = status.get("states").and_then(Json::as_object).cloned().unwrap_or_default();
            let states = states(&preview.definition, sent, &old, &mut renames)?;
            status.insert("states".to_owned(), Json::Object(states));
        }
        let known = status.get("states").and_then(Json::as_object).cloned().unwrap_or_default();
        if let Some(sent) = call.params.array("actions")? {
            status.insert("actions".to_owned(), actions(sent, &known)?);
        }
        let enabled = status.get("enable").and_then(Json::as_bool).unwrap_or_default();
        if enabled && known.is_empty() {
            return Err(Failure::invalid("states", "Required field."));
        }
        status.entry("enable").or_insert(json!(false));
        preview.origins.rename_states(&renames);
        show(&mut preview.definition, enabled);
        preview.definition.status = status;
        Ok(())
    })?;
    Ok(Answer::json(&json!({"revision": revision})))
}

/// State and assignee are fields of the form while process management is on.
fn show(app: &mut AppDefinition, enabled: bool) {
    for field in app.properties.values_mut() {
        if matches!(field.get("type").and_then(Json::as_str), Some("STATUS" | "STATUS_ASSIGNEE")) {
            field["enabled"] = json!(enabled);
        }
    }
}

fn checked_name(value: Option<&Json>, at: &str) -> Result<String, Failure> {
    let name = value.and_then(Json::as_str).unwrap_or_default();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Failure::invalid(at, format!("A name has 1 to {LONGEST_NAME} characters.")));
    }
    Ok(name.to_owned())
}

/// The states by the name that they get, in their order.
fn states(
    app: &AppDefinition,
    sent: &Json,
    old: &Map<String, Json>,
    renames: &mut Vec<(String, String)>,
) -> Result<Map<String, Json>, Failure> {
    let sent = sent.as_object().ok_or_else(|| Failure::invalid("states", "Enter an object."))?;
    let mut out: Vec<(i64, String, Json)> = vec![];
    for (key, state) in sent {
        let at = |name: &str| format!("states[{key}].{name}");
        let index = state.get("index").and_then(integer).filter(|index| *index >= 0);
        let index = index.ok_or_else(|| Failure::invalid(&at("index"), "Required field."))?;
        let name = checked_name(Some(state.get("name").unwrap_or(&json!(key))), &at("name"))?;
        if out.iter().any(|(_, known, _)| *known == name) {
            return Err(Failure::invalid(&at("name"), "The name is there twice."));
        }
        let before = old.get(key).and_then(|state| state.get("assignee"));
        let assignee = match state.get("assignee") {
            Some(sent) => assignee(app, sent, &at("assignee"))?,
            None => before.cloned().unwrap_or_else(|| json!({"type": "ONE", "entities": []})),
        };
        if name != *key && old.contains_key(key) {
            renames.push((key.clone(), name.clone()));
        }
        out.push((index, name, assignee));
    }
    out.sort_by_key(|(index, ..)| *index);
    let states = out.into_iter().enumerate().map(|(place, (_, name, assignee))| {
        let state = json!({"name": name, "index": place.to_string(), "assignee": assignee});
        (name, state)
    });
    Ok(states.collect())
}

fn assignee(app: &AppDefinition, sent: &Json, at: &str) -> Result<Json, Failure> {
    let kind = sent.get("type").and_then(Json::as_str).unwrap_or_default();
    if !matches!(kind, "ONE" | "ALL" | "ANY") {
        return Err(Failure::invalid(&format!("{at}.type"), "Must be ONE, ALL or ANY."));
    }
    let mut entities = vec![];
    for (index, sent) in sent.get("entities").and_then(Json::as_array).into_iter().flatten().enumerate() {
        let at = format!("{at}.entities[{index}].entity");
        let entity = sent.get("entity").unwrap_or(&Json::Null);
        let text = |name: &str| entity.get(name).and_then(Json::as_str);
        let kind = text("type").filter(|kind| WHO.contains(kind));
        let kind = kind.ok_or_else(|| Failure::invalid(&format!("{at}.type"), "Required field."))?;
        if kind == "FIELD_ENTITY" {
            let code = text("code").unwrap_or_default();
            reference::find(app, code).ok_or_else(|| Failure::about(NO_FIELD_CODE, code))?;
        }
        let subs = sent.get("includeSubs").and_then(Json::as_bool).unwrap_or_default();
        entities.push(json!({"entity": {"type": kind, "code": text("code")}, "includeSubs": subs}));
    }
    Ok(json!({"type": kind, "entities": entities}))
}

fn actions(sent: &[Json], states: &Map<String, Json>) -> Result<Json, Failure> {
    let mut out = vec![];
    for (index, action) in sent.iter().enumerate() {
        let at = |name: &str| format!("actions[{index}].{name}");
        let mut read = json!({"name": checked_name(action.get("name"), &at("name"))?});
        for end in ["from", "to"] {
            let state = checked_name(action.get(end), &at(end))?;
            if !states.contains_key(&state) {
                return Err(Failure::invalid(&at(end), format!("There is no status \"{state}\".")));
            }
            read[end] = json!(state);
        }
        read["filterCond"] = json!(action.get("filterCond").and_then(Json::as_str).unwrap_or_default());
        let kind = action.get("type").and_then(Json::as_str).unwrap_or("PRIMARY");
        if !matches!(kind, "PRIMARY" | "SECONDARY") {
            return Err(Failure::invalid(&at("type"), "Must be PRIMARY or SECONDARY."));
        }
        read["type"] = json!(kind);
        out.push(read);
    }
    Ok(Json::Array(out))
}
