//! Lookups and related records (K§4.3): what they name in this app and in the other one must exist.

use serde_json::{Map, Value as Json, json};

use super::super::app::AppDefinition;
use super::super::call::Call;
use super::super::field::Kind;
use super::super::params::integer;
use super::super::reply::{Failure, LOOKUP_NOT_UNIQUE, NO_APP, NO_FIELD_CODE};
use super::preview;

/// How many related records a form shows.
const SIZES: &[i64] = &[1, 3, 5, 10, 20, 30, 40, 50];

fn text<'a>(map: &'a Json, key: &str) -> &'a str {
    map.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// The field, or table column, of a code.
pub(super) fn find<'a>(definition: &'a AppDefinition, code: &str) -> Option<&'a Map<String, Json>> {
    let column = |field: &'a Json| field.get("fields")?.as_object()?.get(code);
    let field = definition.properties.get(code);
    field.or_else(|| definition.properties.values().find_map(column))?.as_object()
}

pub(super) fn kind(field: &Map<String, Json>) -> Option<Kind> {
    Kind::from_name(field.get("type")?.as_str()?)
}

/// The other app, as it is live, or as its preview where it never was.
pub(super) fn related<'a>(call: &Call<'a>, reference: &Json) -> Result<&'a AppDefinition, Failure> {
    let app = reference.get("relatedApp").unwrap_or(&Json::Null);
    let id = app.get("app").and_then(integer).and_then(|id| u64::try_from(id).ok());
    let apps = || call.store.apps.values().map(|app| &app.definition);
    let found = match id {
        Some(id) => {
            let live = call.store.apps.get(&id).map(|app| &app.definition);
            live.or_else(|| call.store.previews.get(&id).map(|preview| &preview.definition))
        }
        None => apps().find(|app| !app.code.is_empty() && app.code == text(app_code(reference), "code")),
    };
    Ok(found.ok_or(NO_APP)?)
}

fn app_code(reference: &Json) -> &Json {
    reference.get("relatedApp").unwrap_or(&Json::Null)
}

fn must_have(definition: &AppDefinition, code: &str) -> Result<(), Failure> {
    if matches!(code, "$id" | "$revision") || find(definition, code).is_some() {
        Ok(())
    } else {
        Err(Failure::about(NO_FIELD_CODE, code))
    }
}

fn texts<'a>(reference: &'a Json, key: &str) -> impl Iterator<Item = &'a str> {
    reference.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

/// Checks every lookup and related record of the changed fields, and gives them the shape in which they are read.
pub(super) fn check(
    call: &Call<'_>,
    definition: &mut AppDefinition,
    changed: &[String],
) -> Result<(), Failure> {
    for code in changed {
        let Some(field) = find(definition, code) else { continue };
        if let Some(lookup) = field.get("lookup") {
            let shaped = lookup_of(call, definition, lookup, code)?;
            set(definition, code, "lookup", shaped);
        } else if kind(field) == Some(Kind::ReferenceTable) {
            let reference = field.get("referenceTable").unwrap_or(&Json::Null);
            let shaped = reference_of(call, definition, reference, code)?;
            set(definition, code, "referenceTable", shaped);
        }
    }
    Ok(())
}

fn set(definition: &mut AppDefinition, code: &str, name: &str, value: Json) {
    let in_table = !definition.properties.contains_key(code);
    let fields = definition.properties.iter_mut();
    let found = fields.into_iter().find_map(|(own, field)| match in_table {
        false => (own == code).then_some(field),
        true => field.get_mut("fields")?.get_mut(code),
    });
    if let Some(Json::Object(field)) = found {
        field.insert(name.to_owned(), value);
    }
}

fn lookup_of(
    call: &Call<'_>,
    definition: &AppDefinition,
    lookup: &Json,
    code: &str,
) -> Result<Json, Failure> {
    let at = |name: &str| format!("properties[{code}].lookup.{name}");
    let source = related(call, lookup)?;
    let key = text(lookup, "relatedKeyField");
    if key.is_empty() {
        return Err(Failure::invalid(&at("relatedKeyField"), "Required field."));
    }
    must_have(source, key)?;
    let mut mappings = vec![];
    for mapping in lookup.get("fieldMappings").and_then(Json::as_array).into_iter().flatten() {
        let (field, from) = (text(mapping, "field"), text(mapping, "relatedField"));
        must_have(definition, field)?;
        must_have(source, from)?;
        mappings.push(json!({"field": field, "relatedField": from}));
    }
    for picked in texts(lookup, "lookupPickerFields") {
        must_have(source, picked)?;
    }
    Ok(json!({
        "relatedApp": {"app": source.id.to_string(), "code": source.code},
        "relatedKeyField": key,
        "fieldMappings": mappings,
        "lookupPickerFields": texts(lookup, "lookupPickerFields").collect::<Vec<_>>(),
        "filterCond": text(lookup, "filterCond"),
        "sort": text(lookup, "sort"),
    }))
}

fn reference_of(
    call: &Call<'_>,
    definition: &AppDefinition,
    reference: &Json,
    code: &str,
) -> Result<Json, Failure> {
    let at = |name: &str| format!("properties[{code}].referenceTable{name}");
    if !reference.is_object() {
        return Err(Failure::invalid(&at(""), "Required field."));
    }
    let source = related(call, reference)?;
    let condition = reference.get("condition").unwrap_or(&Json::Null);
    let (field, from) = (text(condition, "field"), text(condition, "relatedField"));
    if field.is_empty() || from.is_empty() {
        return Err(Failure::invalid(&at(".condition"), "Required field."));
    }
    must_have(definition, field)?;
    must_have(source, from)?;
    let shown: Vec<&str> = texts(reference, "displayFields").collect();
    if shown.is_empty() {
        return Err(Failure::invalid(&at(".displayFields"), "Required field."));
    }
    for code in &shown {
        must_have(source, code)?;
    }
    let size = reference.get("size").map_or(Some(5), integer).filter(|size| SIZES.contains(size));
    let size =
        size.ok_or_else(|| Failure::invalid(&at(".size"), "Must be 1, 3, 5, 10, 20, 30, 40 or 50."))?;
    Ok(json!({
        "relatedApp": {"app": source.id.to_string(), "code": source.code},
        "condition": {"field": field, "relatedField": from},
        "filterCond": text(reference, "filterCond"),
        "displayFields": shown,
        "sort": text(reference, "sort"),
        "size": size.to_string(),
    }))
}

/// Lookups of a form: their code and what they say.
pub(super) fn lookups(definition: &AppDefinition) -> impl Iterator<Item = (&str, &Json)> {
    preview::codes(definition).filter_map(|code| Some((code, find(definition, code)?.get("lookup")?)))
}

/// Whether the keys of all lookups are unique in their source apps (`GAIA_LO03`). `source` gives an app as it will be.
pub(super) fn keys_are_unique<'a>(
    definition: &AppDefinition,
    source: impl Fn(u64) -> Option<&'a AppDefinition>,
) -> Result<(), Failure> {
    for (code, lookup) in lookups(definition) {
        let id = lookup.pointer("/relatedApp/app").and_then(integer).and_then(|id| u64::try_from(id).ok());
        let key = text(lookup, "relatedKeyField");
        let field =
            id.and_then(&source).and_then(|app| find(app, key)).ok_or(Failure::about(NO_FIELD_CODE, key))?;
        let unique = field.get("unique").and_then(Json::as_bool).unwrap_or_default();
        if !unique && kind(field) != Some(Kind::RecordNumber) {
            return Err(Failure::about(LOOKUP_NOT_UNIQUE, code));
        }
    }
    Ok(())
}
