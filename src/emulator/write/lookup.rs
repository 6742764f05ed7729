//! Lookups: a key is sent, its record's values are copied (K§4.2). A snapshot, not a link.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::super::call::Call;
use super::super::field::{Field, Kind, Place};
use super::super::query::View;
use super::super::reply::{Failure, LOOKUP_NOT_FOUND, LOOKUP_NOT_UNIQUE};
use super::super::store::{App, Key, Stored, typed_text};
use super::super::value::Value;

/// Replaces what was sent for copied fields by what the lookups give. `fields` are those of a form or of a
/// table, `values` by their place in a record or row.
pub(super) fn copy(
    call: &Call<'_>,
    fields: &[Field],
    values: &mut BTreeMap<usize, Value>,
) -> Result<(), Failure> {
    for field in fields {
        let Some(lookup) = field.definition.get("lookup").filter(|l| l.is_object()) else { continue };
        let Some(place) = index(field) else { continue };
        let mappings = mappings(fields, lookup);
        for (target, _) in &mappings {
            index(target).and_then(|target| values.remove(&target));
        }
        let Some(key) = values.get(&place).cloned() else { continue };
        let source = source(call, field, lookup, &key)?;
        for (target, related) in mappings {
            let Some(index) = index(target) else { continue };
            let value = source.as_ref().map_or(Value::Empty, |(stored, app)| {
                app.schema.find(related).map_or(Value::Empty, |from| converted(stored, from, target))
            });
            values.insert(index, value);
        }
    }
    Ok(())
}

fn index(field: &Field) -> Option<usize> {
    match field.place {
        Place::Cell(index) | Place::Column(_, index) => Some(index),
        _ => None,
    }
}

fn mappings<'a>(fields: &'a [Field], lookup: &'a Json) -> Vec<(&'a Field, &'a str)> {
    let mappings = lookup.get("fieldMappings").and_then(Json::as_array);
    mappings
        .into_iter()
        .flatten()
        .filter_map(|mapping| {
            let code = mapping.get("field")?.as_str()?;
            let target = fields.iter().find(|field| &*field.code == code)?;
            Some((target, mapping.get("relatedField")?.as_str()?))
        })
        .collect()
}

/// The record that a key names, with its app; `None` for an empty key, which clears the copies.
fn source<'a>(
    call: &Call<'a>,
    field: &Field,
    lookup: &Json,
    key: &Value,
) -> Result<Option<(Arc<Stored>, &'a App)>, Failure> {
    let Some(wanted) = View::of(key).key() else { return Ok(None) };
    let missing = || Failure::about(LOOKUP_NOT_FOUND, &format!("{}: {wanted}", field.code));
    let app = source_app(call, lookup).ok_or_else(missing)?;
    call.caller.may_open(app.definition.id)?;
    let code = lookup.get("relatedKeyField").and_then(Json::as_str).unwrap_or_default();
    let related = app.schema.find(code).ok_or_else(missing)?;
    let key = match related.kind {
        Kind::RecordNumber => {
            let number = wanted.strip_prefix(app.schema.number_prefix.as_str()).unwrap_or(&wanted);
            number.parse().ok().map(Key::Integer)
        }
        _ => Key::of(&typed_text(related.domain, &wanted)),
    };
    let records = app.read();
    match key.map(|key| records.find(related.place, &key)).unwrap_or_default().as_slice() {
        [] => Err(missing()),
        [id] => Ok(Some((records.get(*id).map(Arc::clone).ok_or_else(missing)?, app))),
        _ => Err(Failure::about(LOOKUP_NOT_UNIQUE, &format!("{}: {wanted}", field.code))),
    }
}

/// The app that a lookup names by its id, or else by its code.
fn source_app<'a>(call: &Call<'a>, lookup: &Json) -> Option<&'a App> {
    let part = |name: &str| lookup.get("relatedApp")?.get(name)?.as_str().filter(|text| !text.is_empty());
    if let Some(id) = part("app") {
        return call.store.apps.get(&id.parse().ok()?);
    }
    let code = part("code")?;
    call.store.apps.values().find(|app| app.definition.code == code)
}

/// A source's value in the type of the field that it is copied to.
fn converted(stored: &Stored, from: &Field, target: &Field) -> Value {
    if let Place::Cell(cell) = from.place
        && from.domain == target.domain
    {
        return stored.cells.get(cell).cloned().unwrap_or(Value::Empty);
    }
    View::at(stored, from.place).key().map_or(Value::Empty, |text| typed_text(target.domain, &text))
}
