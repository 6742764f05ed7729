//! A world may leave out what Kintone fills in: every answer has it all the same.

use serde_json::{Map, Value as Json, json};

use super::super::app::AppDefinition;
use super::super::field::Kind;
use super::{definition, layout};

/// Gives an app every property that Kintone gives.
pub(crate) fn complete(app: &mut AppDefinition) {
    fields(&mut app.properties);
    places(&mut app.layout);
    let states = app.status.get_mut("states").and_then(Json::as_object_mut).into_iter().flatten();
    for (name, state) in states {
        add(state, json!({"name": name, "index": "0", "assignee": {"type": "ONE", "entities": []}}));
    }
    for action in app.status.get_mut("actions").and_then(Json::as_array_mut).into_iter().flatten() {
        add(action, json!({"filterCond": "", "type": "PRIMARY"}));
    }
}

/// Adds what is not there.
fn add(item: &mut Json, defaults: Json) {
    if let (Json::Object(map), Json::Object(defaults)) = (item, defaults) {
        for (name, value) in defaults {
            map.entry(name).or_insert(value);
        }
    }
}

fn fields(fields: &mut Map<String, Json>) {
    for field in fields.values_mut() {
        let Some(map) = field.as_object_mut() else { continue };
        let Some(kind) = map.get("type").and_then(Json::as_str).and_then(Kind::from_name) else { continue };
        for (name, value) in definition::defaults(kind, map.contains_key("lookup")) {
            map.entry(name).or_insert(value);
        }
        let lookup = json!({"fieldMappings": [], "lookupPickerFields": [], "filterCond": "", "sort": ""});
        map.get_mut("lookup").into_iter().for_each(|l| add(l, lookup.clone()));
        let reference = json!({"filterCond": "", "displayFields": [], "sort": "", "size": "5"});
        map.get_mut("referenceTable").into_iter().for_each(|r| add(r, reference.clone()));
        for related in ["lookup", "referenceTable"] {
            let app = map.get_mut(related).and_then(|related| related.get_mut("relatedApp"));
            app.into_iter().for_each(|app| add(app, json!({"code": ""})));
        }
        if let Some(Json::Object(columns)) = map.get_mut("fields") {
            self::fields(columns);
        }
    }
}

/// Gives fields the size that they have until somebody sizes them.
pub(super) fn places(layout: &mut [Json]) {
    for row in layout {
        for place in row.get_mut("fields").and_then(Json::as_array_mut).into_iter().flatten() {
            let kind = place.get("type").and_then(Json::as_str).and_then(Kind::from_name);
            if let Some(size) = kind.and_then(|kind| layout::place(kind, "").get("size").cloned()) {
                add(place, json!({"size": {}}));
                place.get_mut("size").into_iter().for_each(|own| add(own, size.clone()));
            }
        }
        if let Some(Json::Array(inner)) = row.get_mut("layout") {
            places(inner);
        }
    }
}
