//! What an app has beside its form: views, general settings and process management (K§2.2).

use serde_json::{Map, Value, json};

/// A saved view.
pub(super) enum View {
    /// A list.
    List {
        /// Its name.
        name: &'static str,
        /// The columns.
        fields: &'static [&'static str],
        /// Which records, in the query language.
        filter: &'static str,
        /// In which order, in the query language.
        sort: &'static str,
    },
    /// Records in a month's calendar.
    Calendar {
        /// Its name.
        name: &'static str,
        /// The field that places a record.
        date: &'static str,
        /// The field that names it.
        title: &'static str,
    },
    /// HTML for scripts to fill.
    Custom {
        /// Its name.
        name: &'static str,
        /// The HTML.
        html: &'static str,
    },
    /// What Kintone itself adds with process management: the records waiting for the reader.
    Mine {
        /// The columns.
        fields: &'static [&'static str],
    },
}

/// `views.json`'s `views`.
pub(super) fn views(app: u64, views: &[View]) -> Map<String, Value> {
    let mut map = Map::new();
    for (index, view) in views.iter().enumerate() {
        let (name, kind) = match view {
            View::List { name, .. } => (*name, "LIST"),
            View::Calendar { name, .. } => (*name, "CALENDAR"),
            View::Custom { name, .. } => (*name, "CUSTOM"),
            View::Mine { .. } => ("（作業者が自分）", "LIST"),
        };
        // View ids are unique on the whole domain.
        let id = format!("{app}{index:02}");
        let mut body = json!({"id": id, "index": index.to_string(), "type": kind, "name": name});
        let more = match view {
            View::List { fields, filter, sort, .. } => {
                json!({"fields": fields, "filterCond": filter, "sort": sort})
            }
            View::Calendar { date, title, .. } => {
                json!({"date": date, "title": title, "filterCond": "", "sort": "レコード番号 desc"})
            }
            View::Custom { html, .. } => json!({
                "html": html, "pager": true, "device": "DESKTOP", "filterCond": "",
                "sort": "レコード番号 desc",
            }),
            View::Mine { fields } => json!({
                "fields": fields, "builtinType": "ASSIGNEE", "filterCond": "", "sort": "更新日時 desc",
            }),
        };
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        map.insert(name.to_owned(), body);
    }
    map
}

/// `settings.json` without name and description, with Kintone's default of 16 digits.
pub(super) fn settings(title: &str, theme: &str) -> Map<String, Value> {
    settings_with_precision(title, theme, "16", "4")
}

/// `settings.json` without name and description.
pub(super) fn settings_with_precision(
    title: &str,
    theme: &str,
    digits: &str,
    decimals: &str,
) -> Map<String, Value> {
    let settings = json!({
        "icon": {"type": "PRESET", "key": "APP72"},
        "theme": theme,
        "titleField": {"selectionMode": "MANUAL", "code": title},
        "enableThumbnails": true,
        "enableBulkDeletion": false,
        "enableComments": true,
        "enableDuplicateRecord": true,
        "enableInlineRecordEditing": true,
        "numberPrecision": {"digits": digits, "decimalPlaces": decimals, "roundingMode": "HALF_EVEN"},
        "firstMonthOfFiscalYear": "4",
    });
    object(settings)
}

/// An action of a process: (name, from, to).
pub(super) type Action = (&'static str, &'static str, &'static str);

/// `status.json`, on: the states in their order, all but `done` waiting for a user of `assignee`.
pub(super) fn process(
    states: &[&str],
    done: &[&str],
    assignee: &str,
    actions: &[Action],
) -> Map<String, Value> {
    let mut listed = Map::new();
    for (index, state) in states.iter().enumerate() {
        let entity = json!({"entity": {"type": "FIELD_ENTITY", "code": assignee}, "includeSubs": false});
        let entities = if done.contains(state) { json!([]) } else { json!([entity]) };
        let assignee = json!({"type": "ONE", "entities": entities});
        let state_body = json!({"name": state, "index": index.to_string(), "assignee": assignee});
        listed.insert((*state).to_owned(), state_body);
    }
    let actions: Vec<_> = actions
        .iter()
        .map(|(name, from, to)| {
            json!({"name": name, "from": from, "to": to, "filterCond": "", "type": "PRIMARY"})
        })
        .collect();
    object(json!({"enable": true, "states": listed, "actions": actions}))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
