//! Lookups: a key is sent, its record's values are copied (K§4.2). A snapshot, not a link.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::call::Call;
use super::super::field::{Field, Place};
use super::super::query::View;
use super::super::reply::{Failure, LOOKUP_NOT_FOUND, LOOKUP_NOT_UNIQUE, NO_APP};
use super::super::store::{Stored, typed_text};
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
        let source = source(call, lookup, &key)?;
        for (target, related) in mappings {
            let Some(index) = index(target) else { continue };
            let value = source.as_ref().map_or(Value::Empty, |(stored, find)| {
                find(related).map_or(Value::Empty, |from| converted(stored, from, target))
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

/// The record that a key names, with the fields of its app; `None` for an empty key, which clears the copies.
type Source<'a> = Option<(std::sync::Arc<Stored>, Box<dyn Fn(&str) -> Option<&'a Field> + 'a>)>;

fn source<'a>(call: &Call<'a>, lookup: &Json, key: &Value) -> Result<Source<'a>, Failure> {
    let Some(wanted) = View::of(key).key() else { return Ok(None) };
    let id = lookup.pointer("/relatedApp/app").and_then(Json::as_str).and_then(|id| id.parse::<u64>().ok());
    let id = id.ok_or(NO_APP)?;
    call.caller.may_open(id)?;
    let app = call.store.apps.get(&id).ok_or(NO_APP)?;
    let code = lookup.get("relatedKeyField").and_then(Json::as_str).unwrap_or_default();
    let place = app.schema.find(code).ok_or(LOOKUP_NOT_FOUND)?.place;
    let records = app.read();
    let mut found =
        records.all.iter().filter(|record| View::at(record, place).key().as_deref() == Some(wanted.as_str()));
    let record = found.next().ok_or(LOOKUP_NOT_FOUND)?;
    if found.next().is_some() {
        return Err(LOOKUP_NOT_UNIQUE.into());
    }
    Ok(Some((std::sync::Arc::clone(record), Box::new(|code| app.schema.find(code)))))
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
