//! What a new record or row holds where nothing was sent (K§4.2).

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::call::Call;
use super::super::field::{Field, Kind, Place};
use super::super::store::{App, typed_text};
use super::super::value::Value;
use super::errors::Errors;
use super::value::read;

/// Default values by place.
pub(super) fn defaults(call: &Call<'_>, app: &App, fields: &[Field]) -> BTreeMap<usize, Value> {
    let mut out = BTreeMap::new();
    for field in fields {
        let (Place::Cell(place) | Place::Column(_, place)) = field.place else { continue };
        if field.definition.get("lookup").is_some_and(Json::is_object) || field.kind == Kind::Subtable {
            continue;
        }
        let value = match field.definition.get("defaultValue") {
            _ if field.flag("defaultNowValue") => now(call, field),
            // A default that its own field refuses is none.
            Some(default) => read(call, app, field, &people(call, default), "", true, &mut Errors::default()),
            None => None,
        };
        value.filter(|value| *value != Value::Empty).and_then(|value| out.insert(place, value));
    }
    out
}

/// Default users may be `LOGINUSER()`, default organizations `PRIMARY_ORGANIZATION()`.
fn people(call: &Call<'_>, default: &Json) -> Json {
    let Json::Array(list) = default else { return default.clone() };
    let user = |entry: &Json| match entry.get("code").and_then(Json::as_str) {
        Some("LOGINUSER()") => {
            let known = call.store.directory.user(&call.caller.code).is_some();
            known.then(|| serde_json::json!({"code": call.caller.code}))
        }
        Some("PRIMARY_ORGANIZATION()") => {
            let primary = call.store.directory.primary_organization(&call.caller.code);
            primary.map(|code| serde_json::json!({"code": code}))
        }
        _ => Some(entry.clone()),
    };
    Json::Array(list.iter().filter_map(user).collect())
}

fn now(call: &Call<'_>, field: &Field) -> Option<Value> {
    let local = call.now.with_timezone(&call.caller.zone);
    match field.kind {
        Kind::Date => Some(Value::Date(local.date_naive().to_epoch_days())),
        Kind::Time => Some(typed_text(field.domain, &local.format("%H:%M").to_string())),
        Kind::DateTime => Some(Value::DateTime(call.minute())),
        _ => None,
    }
}
