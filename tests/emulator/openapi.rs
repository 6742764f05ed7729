//! Every answer against the official OpenAPI document, which is no part of this repository: without it beside the
//! repository these tests pass over, and say so.
//!
//! The document is looser than Kintone: it lets objects have anything and lack anything, and gives every variant
//! every type. Here objects have what it lists and no more, and variants their own types; what it leaves out or
//! has wrong is listed below. It calls ids and counts integers, which Kintone writes as texts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kintone_sql::emulator::app::World as _;
use kintone_sql::emulator::demo::Company;
use kintone_sql::emulator::{Emulator, Fixture, Options};
use serde_json::{Map, Value, json};

use super::file::upload;
use super::{Domain, Reply, password, send, world};

const FILE: &str = "../shared/data/kintone-openapi-20250423.yaml";

/// The end of a variant's name, and its types.
type Types = &'static [(&'static str, &'static [&'static str])];

/// The types of the document's variants, by what is left of a schema's name.
const TYPES: Types = &[
    ("Calc", &["CALC"]),
    ("CreatedAt", &["CREATED_TIME"]),
    ("Creator", &["CREATOR"]),
    ("Hr", &["HR"]),
    ("Label", &["LABEL"]),
    ("Spacer", &["SPACER"]),
    ("Category", &["CATEGORY"]),
    ("Date", &["DATE"]),
    ("Datetime", &["DATETIME"]),
    ("Decimal", &["NUMBER"]),
    ("Editor", &["RICH_TEXT"]),
    ("File", &["FILE"]),
    ("Group", &["GROUP"]),
    ("GroupSelect", &["GROUP_SELECT"]),
    ("Link", &["LINK"]),
    ("Lookup", &["SINGLE_LINE_TEXT", "NUMBER", "LINK"]),
    ("ModifiedAt", &["CREATED_TIME", "UPDATED_TIME"]),
    ("Modifier", &["CREATOR", "MODIFIER"]),
    ("MultipleCheck", &["CHECK_BOX"]),
    ("MultipleLineText", &["MULTI_LINE_TEXT"]),
    ("MultipleSelect", &["MULTI_SELECT"]),
    ("OrganizationSelect", &["ORGANIZATION_SELECT"]),
    ("RawRecordId", &["__ID__"]),
    ("RecordId", &["RECORD_NUMBER"]),
    ("ReferenceTable", &["REFERENCE_TABLE"]),
    ("Revision", &["__REVISION__"]),
    ("Simple", &["SUBTABLE"]),
    ("SingleCheck", &["RADIO_BUTTON"]),
    ("SingleLineText", &["SINGLE_LINE_TEXT"]),
    ("SingleSelect", &["DROP_DOWN"]),
    ("Status", &["STATUS"]),
    ("StatusAssignee", &["STATUS_ASSIGNEE"]),
    ("Table", &["SUBTABLE"]),
    ("Time", &["TIME"]),
    ("UserSelect", &["USER_SELECT"]),
];

/// Who is chosen has one schema in layouts.
const LAYOUT_TYPES: Types = &[("UserSelect", &["USER_SELECT", "ORGANIZATION_SELECT", "GROUP_SELECT"])];

/// Two types have one schema in records and in the older form.
const SHARED_TYPES: Types = &[
    ("", &["HR"]),
    ("Bultin", &["RECORD_NUMBER", "CREATOR", "MODIFIER", "CREATED_TIME", "UPDATED_TIME"]),
    ("SubTable", &["SUBTABLE"]),
    ("MultipleSelect", &["MULTI_SELECT", "CHECK_BOX"]),
    ("SingleSelect", &["DROP_DOWN", "RADIO_BUTTON"]),
    ("UserSelect", &["USER_SELECT", "STATUS_ASSIGNEE"]),
];

/// What the document has wrong: the end of a schema's name, a property that it lists, what that is.
const CHANGED: &[(&str, &str, &str)] = &[
    // Unset numbers of a definition, and numbers with decimals.
    ("FieldForm", "maxLength", r#"{"type": "string", "pattern": "^[0-9]*$"}"#),
    ("FieldForm", "minLength", r#"{"type": "string", "pattern": "^[0-9]*$"}"#),
    ("FieldForm", "displayScale", r#"{"type": "string", "pattern": "^[0-9]*$"}"#),
    ("FieldForm", "maxValue", r#"{"type": "string", "pattern": "^(-?[0-9]+(\\.[0-9]+)?)?$"}"#),
    ("FieldForm", "minValue", r#"{"type": "string", "pattern": "^(-?[0-9]+(\\.[0-9]+)?)?$"}"#),
    ("SimpleProperties", "maxLength", r#"{"type": ["string", "null"], "pattern": "^[0-9]+$"}"#),
    ("SimpleProperties", "minLength", r#"{"type": ["string", "null"], "pattern": "^[0-9]+$"}"#),
    ("SimpleProperties", "displayScale", r#"{"type": ["string", "null"], "pattern": "^[0-9]+$"}"#),
    ("SimpleProperties", "maxValue", r#"{"type": ["string", "null"]}"#),
    ("SimpleProperties", "minValue", r#"{"type": ["string", "null"]}"#),
    ("SimpleProperties", "defaultValue", r#"{"type": ["string", "array", "null"]}"#),
    ("SimpleProperties", "defaultExpression", r#"{"enum": ["NOW", null]}"#),
    // A radio button without a default, as the emulator's worlds have it.
    ("SingleCheckFieldForm", "defaultValue", r#"{"type": "string"}"#),
    // Unset values and what is not there.
    ("DateSimpleValue", "value", r#"{"type": ["string", "null"]}"#),
    ("TimeSimpleValue", "value", r#"{"type": ["string", "null"]}"#),
    ("SingleSelectSimpleValue", "value", r#"{"type": ["string", "null"]}"#),
    ("GET records.json", "totalCount", r#"{"type": ["string", "null"], "pattern": "^[0-9]+$"}"#),
    ("GET app.json", "spaceId", r#"{"type": ["string", "null"]}"#),
    ("GET app.json", "threadId", r#"{"type": ["string", "null"]}"#),
    ("AppsGetAppWithSpaceIdForm", "spaceId", r#"{"type": ["string", "null"]}"#),
    ("AppsGetAppWithSpaceIdForm", "threadId", r#"{"type": ["string", "null"]}"#),
    ("AppsStatisticsGetAppForm", "space", r#"{"type": ["object", "null"]}"#),
    ("AppsStatisticsGetAppForm", "recordUpdatedAt", r#"{"type": ["string", "null"]}"#),
    ("app/status.json", "states", r#"{"type": ["object", "null"]}"#),
    ("app/status.json", "actions", r#"{"type": ["array", "null"]}"#),
    // The creator has no code.
    ("AppAclGetRight", "code", r#"{"type": ["string", "null"]}"#),
];

/// Endpoints that the document has and the emulator has not.
const MISSING: &[&str] = &[
    "DELETE guests.json",
    "DELETE plugin.json",
    "DELETE space.json",
    "GET plugin/apps.json",
    "POST app/move.json",
    "POST guests.json",
    "POST plugin.json",
    "POST preview/app/plugins.json",
    "POST space/thread.json",
    "POST space/thread/comment.json",
    "POST template/space.json",
    "PUT app/acl.json",
    "PUT field/acl.json",
    "PUT plugin.json",
    "PUT preview/app/acl.json",
    "PUT preview/app/actions.json",
    "PUT preview/app/adminNotes.json",
    "PUT preview/app/customize.json",
    "PUT preview/app/notifications/general.json",
    "PUT preview/app/notifications/perRecord.json",
    "PUT preview/app/notifications/reminder.json",
    "PUT preview/app/reports.json",
    "PUT preview/field/acl.json",
    "PUT preview/record/acl.json",
    "PUT record/acl.json",
    "PUT space.json",
    "PUT space/body.json",
    "PUT space/guests.json",
    "PUT space/members.json",
    "PUT space/thread.json",
];

/// Endpoints that the emulator has and the document has not.
const BEYOND: &[&str] = &["GET apis.json"];

/// The document, tightened.
struct Document {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
}

static DOCUMENT: LazyLock<Option<Document>> = LazyLock::new(|| {
    // From this file, since the tests may run elsewhere.
    let root = Path::new(file!()).ancestors().nth(3).unwrap().to_owned();
    let path: PathBuf = root.join(FILE);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("passed over: there is no {}", path.display());
        return None;
    };
    let mut root: Value = serde_norway::from_str(&text).unwrap();
    let take = |value: &mut Value| match value.take() {
        Value::Object(map) => map,
        other => panic!("{other}"),
    };
    let paths = take(&mut root["paths"]);
    let mut schemas = take(&mut root["components"]["schemas"]);
    for (name, schema) in &mut schemas {
        tighten(schema, name);
        set_types(name, schema);
    }
    Some(Document { paths, schemas })
});

/// What is left of a schema's name, and the types that are looked at first: `RecordGetCalcSimpleValue` is `Calc`.
fn variant(name: &str) -> Option<(&str, Types)> {
    if let Some(rest) = name.strip_prefix("AppFormLayoutGet").or(name.strip_prefix("PreviewAppFormLayoutGet"))
    {
        return Some((rest.strip_suffix("Field")?, LAYOUT_TYPES));
    }
    if name.ends_with("GetTableForm") {
        return Some(("Table", TYPES));
    }
    let ends = [
        ("FieldForm", TYPES),
        ("SimpleValue", SHARED_TYPES),
        ("TableValue", SHARED_TYPES),
        ("SimpleProperties", SHARED_TYPES),
        ("LayoutProperties", SHARED_TYPES),
        ("Properties", SHARED_TYPES),
    ];
    let (rest, first) = ends.iter().find_map(|(end, first)| Some((name.strip_suffix(end)?, *first)))?;
    let start = rest.find("Get").map_or(0, |at| at + 3);
    Some((&rest[start..], first))
}

fn set_types(name: &str, schema: &mut Value) {
    let Some((variant, first)) = variant(name) else { return };
    let tables = [first, TYPES];
    let found = tables.iter().flat_map(|table| table.iter()).find(|(known, _)| *known == variant);
    if let (Some((_, types)), Some(property)) = (found, schema.pointer_mut("/properties/type")) {
        *property = json!({"enum": types});
    }
}

/// Objects have what is listed, and no more; integers are texts.
fn tighten(schema: &mut Value, name: &str) {
    let Value::Object(map) = schema else { return };
    map.shift_remove("format");
    if map.get("type").and_then(Value::as_str) == Some("integer") {
        *schema = json!({"type": "string", "pattern": "^-?[0-9]+$"});
        return;
    }
    if map.contains_key("properties") {
        close(map, name);
    }
    for inner in ["items", "additionalProperties"] {
        map.get_mut(inner).into_iter().for_each(|inner| tighten(inner, name));
    }
    for inner in ["anyOf", "oneOf"] {
        let inner = map.get_mut(inner).and_then(Value::as_array_mut).into_iter().flatten();
        inner.for_each(|inner| tighten(inner, name));
    }
    let properties = map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
    properties.for_each(|(_, inner)| tighten(inner, name));
}

fn close(map: &mut Map<String, Value>, name: &str) {
    let Some(Value::Object(properties)) = map.get_mut("properties") else { return };
    let read = |schema: &str| serde_json::from_str(schema).unwrap_or_else(|e| panic!("{schema}: {e}"));
    for (_, property, schema) in CHANGED.iter().filter(|(end, ..)| name.ends_with(end)) {
        properties.get_mut(*property).into_iter().for_each(|known| *known = read(schema));
    }
    let required = json!(properties.keys().collect::<Vec<_>>());
    map.insert("required".into(), required);
    map.entry("additionalProperties").or_insert(json!(false));
}

impl Document {
    /// The schema of an endpoint's answer, with the schemas that it names.
    fn answer(&self, method: &str, path: &str) -> Option<Value> {
        let operation = self.paths.get(path)?.get(method.to_lowercase())?;
        let pointer = "/responses/200/content/application~1json/schema";
        let mut schema = operation.pointer(pointer).cloned().unwrap_or_else(|| json!({}));
        let name = format!("{method} {}", path.rsplit("v1/").next().unwrap());
        tighten(&mut schema, &name);
        let mut needed = Map::new();
        let mut open = vec![schema.clone()];
        while let Some(next) = open.pop() {
            for name in references(&next) {
                if !needed.contains_key(&name) {
                    open.push(self.schemas[&name].clone());
                    needed.insert(name.clone(), self.schemas[&name].clone());
                }
            }
        }
        schema["components"] = json!({"schemas": needed});
        Some(schema)
    }

    /// What is wrong with an answer.
    fn faults(&self, method: &str, path: &str, answer: &Value) -> Vec<String> {
        let schema = self.answer(method, path).unwrap_or_else(|| panic!("{method} {path} is not there"));
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        validator
            .iter_errors(answer)
            .map(|e| format!("{}: {:.600}", e.instance_path(), e.to_string()))
            .collect()
    }

    /// `GET record.json` of the plain paths or of those of guest spaces.
    fn endpoints(&self, prefix: &str) -> BTreeSet<String> {
        let of_path = |(path, item): (&String, &Value)| -> Vec<String> {
            let Some(endpoint) = path.strip_prefix(prefix) else { return vec![] };
            let methods = item.as_object().unwrap().keys().map(|m| m.to_uppercase());
            methods.map(|method| format!("{method} {endpoint}")).collect()
        };
        self.paths.iter().flat_map(of_path).collect()
    }
}

fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next());
            own.map(str::to_owned).into_iter().chain(map.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => vec![],
    }
}

/// The emulator's endpoints, as it lists them.
async fn endpoints(domain: &Domain) -> BTreeSet<String> {
    let list = send(domain.emulator.port(), "GET", "/k/v1/apis.json", &[], None).await.json();
    let endpoint = |name: &String| {
        let (path, method) = name.rsplit_once('/').unwrap();
        format!("{} {path}.json", method.to_uppercase())
    };
    list["apis"].as_object().unwrap().keys().map(endpoint).collect()
}

#[tokio::test]
async fn the_endpoints_that_are_missing_are_known() {
    let Some(document) = DOCUMENT.as_ref() else { return };
    let domain = Domain::start(&world()).await;
    let (ours, theirs) = (endpoints(&domain).await, document.endpoints("/k/v1/"));
    let difference =
        |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(difference(&theirs, &ours), MISSING, "endpoints that the emulator lacks");
    assert_eq!(difference(&ours, &theirs), BEYOND, "endpoints that the document lacks");
}

/// A domain whose answers are held against the document.
struct Checked<'a> {
    domain: &'a Domain,
    document: &'a Document,
    called: BTreeSet<String>,
    faults: BTreeMap<String, Vec<String>>,
}

impl Checked<'_> {
    async fn at(&mut self, base: (&str, &str), method: &str, target: &str, body: Value) -> Value {
        let endpoint = target.split('?').next().unwrap();
        let text = (method != "GET").then(|| body.to_string());
        let port = self.domain.emulator.port();
        let full = format!("{}{target}", base.0);
        let reply = send(port, method, &full, &[password("sato", "pw")], text.as_deref()).await;
        assert_eq!(reply.status, 200, "{method} {target} {body}: {}", reply.json());
        self.look(base.1, method, endpoint, &reply)
    }

    fn look(&mut self, base: &str, method: &str, endpoint: &str, reply: &Reply) -> Value {
        let answer = reply.json();
        self.called.insert(format!("{method} {endpoint}"));
        let faults = self.document.faults(method, &format!("{base}{endpoint}"), &answer);
        if !faults.is_empty() {
            self.faults.insert(format!("{method} {base}{endpoint}"), faults);
        }
        answer
    }

    async fn call(&mut self, method: &str, target: &str, body: Value) -> Value {
        self.at(("/k/v1/", "/k/v1/"), method, target, body).await
    }

    async fn get(&mut self, target: &str) -> Value {
        self.call("GET", target, Value::Null).await
    }

    async fn guest(&mut self, target: &str) -> Value {
        let base = ("/k/guest/5/v1/", "/k/guest/{guestSpaceId}/v1/");
        self.at(base, "GET", target, Value::Null).await
    }
}

/// Reads of settings, of both sides.
const SETTINGS: &[&str] = &[
    "app/form/fields.json",
    "app/form/layout.json",
    "form.json",
    "app/views.json",
    "app/settings.json",
    "app/status.json",
    "app/reports.json",
    "app/acl.json",
    "record/acl.json",
    "field/acl.json",
    "app/notifications/general.json",
    "app/notifications/perRecord.json",
    "app/notifications/reminder.json",
    "app/customize.json",
    "app/plugins.json",
    "app/actions.json",
    "app/adminNotes.json",
];

/// Endpoints whose answer the document does not describe as JSON.
const UNDESCRIBED: &[&str] = &["GET file.json"];

#[tokio::test]
async fn every_answer_fits_the_document() {
    let Some(document) = DOCUMENT.as_ref() else { return };
    let options = Options { deploy_time: Duration::ZERO, ..Options::default() };
    let mut world = world();
    world["apps"][0]["status"]["actions"] = json!([
        {"name": "進める", "from": "未処理", "to": "完了"}, {"name": "戻す", "from": "完了", "to": "未処理"}]);
    let guest = json!({"app": {"appId": "55", "name": "客"}, "guestSpaceId": 5,
        "form": {"properties": {"文": {"type": "SINGLE_LINE_TEXT"}}}, "records": [{"文": {"value": "a"}}]});
    world["apps"].as_array_mut().unwrap().push(guest);
    let fixture = Arc::new(Fixture::from_json(&world).unwrap());
    let domain = Domain { emulator: Emulator::start(fixture, options).await.unwrap() };
    let mut checked = Checked { domain: &domain, document, called: BTreeSet::new(), faults: BTreeMap::new() };
    change_settings(&mut checked).await;
    for app in [1, 2, 4, 56] {
        for endpoint in SETTINGS {
            checked.get(&format!("{endpoint}?app={app}")).await;
            checked.get(&format!("preview/{endpoint}?app={app}")).await;
        }
        checked.get(&format!("app.json?id={app}")).await;
        checked.get(&format!("records.json?app={app}&totalCount=true")).await;
    }
    for endpoint in SETTINGS {
        checked.guest(&format!("{endpoint}?app=55")).await;
        checked.guest(&format!("preview/{endpoint}?app=55")).await;
    }
    for target in
        ["app.json?id=55", "space.json?id=5", "space/members.json?id=5", "apps.json", "records.json?app=55"]
    {
        checked.guest(target).await;
    }
    for target in [
        "apps.json",
        "apps/statistics.json",
        "spaces/statistics.json",
        "plugins.json",
        "plugins/required.json",
        "records.json?app=1",
        "record.json?app=1&id=1",
        "records/acl/evaluate.json?app=1&ids%5B0%5D=1&ids%5B1%5D=99",
        "record/comments.json?app=1&record=1",
    ] {
        checked.get(target).await;
    }
    change_records(&mut checked).await;
    assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
    let told = document.endpoints("/k/v1/");
    let ours = endpoints(&domain).await;
    let untold: Vec<_> = ours
        .iter()
        .filter(|e| told.contains(*e) && !checked.called.contains(*e) && !UNDESCRIBED.contains(&e.as_str()))
        .collect();
    assert!(untold.is_empty(), "no answer of these was looked at: {untold:?}");
}

/// A new app with every type of field, in every way in which settings change.
async fn change_settings(checked: &mut Checked<'_>) {
    let app = checked.call("POST", "preview/app.json", json!({"name": "新"})).await["app"].clone();
    assert_eq!(app, "56");
    let option = json!({"a": {"label": "a", "index": 0}});
    let extras: &[(&str, Value)] = &[
        ("SINGLE_LINE_TEXT", json!({"maxLength": 10})),
        ("MULTI_LINE_TEXT", json!({})),
        ("RICH_TEXT", json!({})),
        ("LINK", json!({"protocol": "MAIL"})),
        ("NUMBER", json!({"minValue": "-1.5", "displayScale": 2})),
        ("CALC", json!({"expression": "NUMBER * 2"})),
        ("CHECK_BOX", json!({"options": option})),
        ("MULTI_SELECT", json!({"options": option})),
        ("RADIO_BUTTON", json!({"options": option, "defaultValue": "a"})),
        ("DROP_DOWN", json!({"options": option})),
        ("DATE", json!({"defaultNowValue": true})),
        ("TIME", json!({})),
        ("DATETIME", json!({})),
        ("USER_SELECT", json!({"defaultValue": [{"type": "FUNCTION", "code": "LOGINUSER()"}]})),
        ("ORGANIZATION_SELECT", json!({})),
        ("GROUP_SELECT", json!({})),
        ("FILE", json!({})),
        ("GROUP", json!({"openGroup": true})),
        (
            "REFERENCE_TABLE",
            json!({"referenceTable": {
                "relatedApp": {"app": 2}, "condition": {"field": "SINGLE_LINE_TEXT", "relatedField": "顧客"},
                "displayFields": ["額"]}}),
        ),
        ("SUBTABLE", json!({"fields": {"列": {"type": "NUMBER", "code": "列", "label": "列"}}})),
    ];
    let mut properties = json!({});
    for (kind, extra) in extras {
        let mut field = json!({"type": kind, "code": kind, "label": kind});
        field.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        properties[*kind] = field;
    }
    properties["参照"] = json!({"type": "SINGLE_LINE_TEXT", "code": "参照", "label": "参照", "lookup": {
        "relatedApp": {"app": 4}, "relatedKeyField": "鍵",
        "fieldMappings": [{"field": "NUMBER", "relatedField": "数"}], "lookupPickerFields": []}});
    let fields = "preview/app/form/fields.json";
    checked.call("POST", fields, json!({"app": app, "properties": properties})).await;
    let change = json!({"DATE": {"type": "DATE", "code": "日付", "required": true}});
    checked.call("PUT", fields, json!({"app": app, "properties": change})).await;
    checked.call("DELETE", fields, json!({"app": app, "fields": ["TIME"]})).await;
    // What was read can be written again.
    let app_id = app.as_str().unwrap();
    let read = format!("preview/app/form/layout.json?app={app_id}");
    let layout = checked.get(&read).await["layout"].clone();
    checked.call("PUT", "preview/app/form/layout.json", json!({"app": app, "layout": layout})).await;
    assert_eq!(layout, checked.get(&read).await["layout"]);
    let views = json!({
        "一覧": {"type": "LIST", "index": 0, "fields": ["NUMBER"], "filterCond": "NUMBER > 1", "sort": "NUMBER asc"},
        "暦": {"type": "CALENDAR", "index": 1, "date": "日付", "title": "SINGLE_LINE_TEXT"},
        "自作": {"type": "CUSTOM", "index": 2, "html": "<p>", "device": "DESKTOP"}
    });
    checked.call("PUT", "preview/app/views.json", json!({"app": app, "views": views})).await;
    let settings = json!({"app": app, "theme": "RED", "description": "<b>説明</b>"});
    checked.call("PUT", "preview/app/settings.json", settings).await;
    let states = json!({"未": {"index": 0}, "済": {"index": 1, "assignee": {"type": "ONE", "entities": [
        {"entity": {"type": "FIELD_ENTITY", "code": "作成者"}, "includeSubs": false}]}}});
    let actions = json!([{"name": "了", "from": "未", "to": "済"}]);
    let status = json!({"app": app, "enable": true, "states": states, "actions": actions});
    checked.call("PUT", "preview/app/status.json", status).await;
    checked.call("POST", "preview/app/deploy.json", json!({"apps": [{"app": app}]})).await;
    let status = checked.get(&format!("preview/app/deploy.json?apps%5B0%5D={app_id}")).await;
    assert_eq!(status["apps"][0]["status"], "SUCCESS");
}

async fn change_records(checked: &mut Checked<'_>) {
    let record = |key: &str| json!({"鍵": {"value": key}});
    let added = checked.call("POST", "record.json", json!({"app": 4, "record": record("k8")})).await;
    let key = json!({"field": "鍵", "value": "k8"});
    let change = json!({"app": 4, "updateKey": key, "record": {"数": {"value": 3}}});
    checked.call("PUT", "record.json", change).await;
    let two = json!([record("k9"), record("k10")]);
    checked.call("POST", "records.json", json!({"app": 4, "records": two})).await;
    let id = &added["id"];
    checked.call("PUT", "records.json", json!({"app": 4, "records": [{"id": id, "record": {}}]})).await;
    let new = json!({"updateKey": {"field": "鍵", "value": "k11"}, "record": {}});
    checked.call("PUT", "records.json", json!({"app": 4, "upsert": true, "records": [new]})).await;
    let change = json!({"app": 4, "records": [{"id": id, "record": {}}]});
    let requests = json!([
        {"method": "POST", "api": "/k/v1/record.json", "payload": {"app": 4, "record": record("k12")}},
        {"method": "PUT", "api": "/k/v1/records.json", "payload": change},
        {"method": "DELETE", "api": "/k/v1/records.json", "payload": {"app": 4, "ids": [id]}}
    ]);
    checked.call("POST", "bulkRequest.json", json!({"requests": requests})).await;
    checked.call("DELETE", "records.json", json!({"app": 2, "ids": [1]})).await;
    let cursor =
        checked.call("POST", "records/cursor.json", json!({"app": 1, "size": 1})).await["id"].clone();
    checked.get(&format!("records/cursor.json?id={}", cursor.as_str().unwrap())).await;
    checked.call("DELETE", "records/cursor.json", json!({"id": cursor})).await;
    let comment = json!({"text": "やあ", "mentions": [{"code": "zoe", "type": "USER"}]});
    let comment = json!({"app": 1, "record": 1, "comment": comment});
    let comment = checked.call("POST", "record/comment.json", comment).await["id"].clone();
    checked.get("record/comments.json?app=1&record=1").await;
    let comment = json!({"app": 1, "record": 1, "comment": comment});
    checked.call("DELETE", "record/comment.json", comment).await;
    let assignees = json!({"app": 1, "id": 1, "assignees": ["sato"]});
    checked.call("PUT", "record/assignees.json", assignees).await;
    checked.call("PUT", "record/status.json", json!({"app": 1, "id": 1, "action": "進める"})).await;
    let records = json!([{"id": 1, "action": "戻す"}, {"id": 2, "action": "戻す"}]);
    checked.call("PUT", "records/status.json", json!({"app": 1, "records": records})).await;
    let port = checked.domain.emulator.port();
    let part: (&str, &[u8]) = ("name=\"file\"; filename=\"a.txt\"", b"abc");
    let reply = upload(port, "/k/v1/file.json", password("sato", "pw"), &[part]).await;
    checked.look("/k/v1/", "POST", "file.json", &reply);
}

#[tokio::test]
async fn the_sample_company_fits_the_document() {
    let Some(document) = DOCUMENT.as_ref() else { return };
    let today = chrono::NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
    let company = Arc::new(Company::new(1, today));
    let user = company.directory().into_iter().find(|user| user.password.is_some()).unwrap();
    let login = password(&user.code, user.password.as_deref().unwrap());
    let emulator = Emulator::start(company, Options::default()).await.unwrap();
    let get = async |target: &str| {
        send(emulator.port(), "GET", target, std::slice::from_ref(&login), None).await.json()
    };
    let apps = get("/k/v1/apps.json").await;
    let mut faults = vec![];
    for app in apps["apps"].as_array().unwrap() {
        let id = app["appId"].as_str().unwrap();
        for endpoint in SETTINGS {
            let answer = get(&format!("/k/v1/{endpoint}?app={id}")).await;
            let found = document.faults("GET", &format!("/k/v1/{endpoint}"), &answer);
            faults.extend(found.into_iter().map(|fault| format!("{endpoint} {id} {fault}")));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn wrong_answers_are_caught() {
    let Some(document) = DOCUMENT.as_ref() else { return };
    let domain = Domain::start(&world()).await;
    for (target, pointer, wrong) in [
        ("app.json?id=1", "/appId", json!(1)),
        ("app.json?id=1", "/appId", json!("one")),
        ("app.json?id=1", "/name", Value::Null),
        ("app.json?id=1", "/creator/more", json!("")),
        ("app/form/fields.json?app=1", "/revision", json!(1)),
        ("app/form/fields.json?app=1", "/properties/数値/type", json!("DATE")),
        ("app/form/fields.json?app=1", "/properties/数値/digit", json!("false")),
        ("app/form/fields.json?app=1", "/properties/数値/minValue", json!(0)),
        ("app/form/fields.json?app=1", "/properties/明細/fields/数量/type", json!("TEXT")),
        ("app/form/layout.json?app=1", "/layout/0/fields/0/size", json!({})),
        ("app/settings.json?app=1", "/numberPrecision/digits", json!(16)),
        ("record.json?app=1&id=1", "/record/数値/value", json!(10)),
        ("record.json?app=1&id=1", "/record/担当/value/0/code", Value::Null),
        ("record.json?app=1&id=1", "/record/明細/value/0/id", json!(1)),
        ("records.json?app=1", "/totalCount", json!(4)),
        ("record/comments.json?app=1&record=1", "/older", json!("true")),
    ] {
        let endpoint = format!("/k/v1/{}", target.split('?').next().unwrap());
        let right = domain.get(target).await.json();
        assert_eq!(document.faults("GET", &endpoint, &right), Vec::<String>::new(), "{target}");
        let mut changed = right.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[name] = wrong.clone();
        assert!(!document.faults("GET", &endpoint, &changed).is_empty(), "{target} {pointer} {wrong}");
        let mut lacking = right;
        let lost = lacking.pointer_mut(parent).and_then(Value::as_object_mut);
        if lost.and_then(|map| map.shift_remove(name)).is_some() {
            assert!(!document.faults("GET", &endpoint, &lacking).is_empty(), "{target} without {pointer}");
        }
    }
}
