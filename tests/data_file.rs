//! Data files of the emulator: what is refused and where, and that what is written down is read back.

use std::sync::Arc;

use kintone_sql::emulator::app::{AppDefinition, Comment, Entity, Record, World};
use kintone_sql::emulator::demo::Company;
use kintone_sql::emulator::{Emulator, Fixture, Options};
use serde_json::{Value, json};

fn read(text: &str) -> Result<Fixture, String> {
    Fixture::from_reader(|| Ok(text.as_bytes()))
}

fn refusal(text: &str) -> String {
    read(text).map(|_| "read".to_owned()).unwrap_or_else(|message| message)
}

/// A file with one mistake in place of `@`, on line 12.
fn file_with(field: &str) -> String {
    const FILE: &str = r#"{
"users": [{"code": "sato", "password": "pw"}],
"groups": [{"code": "all"}],
"apps": [{
  "app": {"appId": "7", "code": "A", "name": "a"},
  "status": {"enable": true, "states": {"todo": {"name": "todo", "index": "0"}}, "actions": []},
  "form": {"properties": {
    "text": {"type": "SINGLE_LINE_TEXT", "unique": true}, "long": {"type": "MULTI_LINE_TEXT", "required": true},
    "n": {"type": "NUMBER"}, "hours": {"type": "CALC", "format": "HOUR_MINUTE"}, "drop": {"type": "DROP_DOWN", "options": ["x"]},
    "checks": {"type": "CHECK_BOX", "options": {"a": {"label": "a", "index": "0"}}}, "day": {"type": "DATE"}, "at": {"type": "TIME"}, "when": {"type": "DATETIME"}, "who": {"type": "USER_SELECT"}, "teams": {"type": "GROUP_SELECT"}, "files": {"type": "FILE"}, "rows": {"type": "SUBTABLE", "fields": {"c": {"type": "NUMBER"}}}, "see": {"type": "REFERENCE_TABLE"}
  }},
  "records": [{"text": {"value": "one"}}, {"$id": {"value": "4"}}, {"text": {"value": "two"}, @}],
  "comments": {"4": [{"text": "hello"}]}
}]}"#;
    FILE.replace('@', field)
}

#[test]
fn a_value_that_does_not_fit_is_refused_with_its_place() {
    let column = file_with("").lines().nth(11).unwrap().find(", }").unwrap() + 3;
    for (field, path, message) in [
        (r#""n": {"value": "1x"}"#, "n", "\"1x\" is not a number"),
        (r#""n": {"value": "0.00000000001"}"#, "n", "has more digits than a number can have"),
        (r#""n": {"value": ["1"]}"#, "n.value", "expected a text"),
        (r#""n": {"value": true}"#, "n.value", "invalid type: boolean `true`, expected a text"),
        (r#""n": {"type": "CALC", "value": "1"}"#, "n.type", "the field is a NUMBER"),
        (r#""n": {"valeu": "1"}"#, "n.valeu", "unknown key"),
        (r#""long": {"value": 5}"#, "long.value", "expected a text, not a number"),
        (r#""hours": {"value": "1.5"}"#, "hours.value", "not a time span such as 25:01"),
        (r#""drop": {"value": "y"}"#, "drop.value", "\"y\" is not one of the options"),
        (r#""drop": {"value": ["x"]}"#, "drop.value", "expected a text"),
        (r#""checks": {"value": ["a", "b"]}"#, "checks.value[1]", "\"b\" is not one of the options"),
        (r#""checks": {"value": "a"}"#, "checks.value", "expected an array of texts"),
        (r#""day": {"value": "2026-02-30"}"#, "day.value", "is not a date such as"),
        (r#""at": {"value": "25:00"}"#, "at.value", "is not a time such as"),
        (r#""when": {"value": "yesterday"}"#, "when.value", "is not a time such as"),
        (r#""who": {"value": [{"code": "suzuki"}]}"#, "who.value[0].code", "there is no user suzuki"),
        (r#""teams": {"value": [{"code": "sato"}]}"#, "teams.value[0].code", "there is no group sato"),
        (r#""files": {"value": [{"name": 1}]}"#, "files.value[0].name", "expected a text"),
        (r#""files": {"value": [{"names": "x"}]}"#, "files.value[0].names", "unknown key"),
        (
            r#""rows": {"value": [{"value": {"d": {"value": "1"}}}]}"#,
            "rows.value[0].value.d",
            "no such field",
        ),
        (r#""rows": {"value": [{"value": {"c": {"value": "x"}}}]}"#, "rows.value[0].value.c", "not a number"),
        (r#""rows": {"value": [{"id": 3}, {"id": "3"}]}"#, "rows.value[1]", "the row id 3 is there twice"),
        (r#""other": {"value": ""}"#, "other", "the form has no such field"),
        (r#""$id": {"value": "4"}"#, "", "the id 4 is there twice"),
        (r#""$id": {"value": "0"}"#, "$id", "is not a number from 1"),
        (r#""レコード番号": {"value": "B-3"}"#, "レコード番号", "is not a record number of this app"),
        (
            r#""$id": {"value": "9"}, "レコード番号": {"value": "A-8"}"#,
            "レコード番号",
            "8 is not the record's id, 9",
        ),
        (r#""ステータス": {"value": "done"}"#, "ステータス", "\"done\" is not one of the states"),
        (r#""作成者": {"value": {"code": "suzuki", "name": "鈴木"}}"#, "作成者", "there is no user suzuki"),
        (r#""作成日時": {"value": "x"}"#, "作成日時", "is not a time such as"),
    ] {
        let refused = refusal(&file_with(field));
        let at = refused.strip_prefix("line 12, column ").unwrap_or_else(|| panic!("{field}: {refused}"));
        let (at, rest) = at.split_once(": ").unwrap();
        let at: usize = at.parse().unwrap();
        assert!(path.is_empty() || at >= column - 2, "{field}: {refused}");
        let path = if path.is_empty() { String::new() } else { format!(".{path}") };
        assert!(rest.starts_with(&format!("apps[0].records[2]{path}")), "{field}: {refused}");
        assert!(rest.contains(message), "{field}: {refused}");
    }
    // Twice in the file: the second place counts.
    let twice = refusal(&file_with(r#""n": {"value": "1"}, "n": {"value": "2"}"#));
    assert!(twice.starts_with("line 12, column "), "{twice}");
    assert!(twice.ends_with("apps[0].records[2]: the key n is there twice"), "{twice}");
    let twice = refusal(&file_with(r#""n": {"value": "1"}"#).replace("\"two\"", "\"one\""));
    assert!(
        twice.ends_with("apps[0].records[2].text: one is there twice in a field without duplicates"),
        "{twice}"
    );
    // A required field may be empty, empties are no duplicates, and `null` is empty everywhere.
    for fine in
        [r#""n": {"value": "1"}"#, r#""long": {"value": ""}"#, r#""drop": {"value": null}"#, r#""n": 5"#]
    {
        assert_eq!(refusal(&file_with(fine)), "read");
    }
}

#[test]
fn settings_are_refused_with_their_place() {
    for (file, expected) in [
        ("[]", "line 1, column 1: invalid type: sequence, expected an object with users and apps"),
        ("{\n\"apps\": [}", "line 2, column 10: apps[0]: expected value"),
        ("{\n\"appz\": []}", "line 2, column 9: appz: unknown key"),
        ("{\"apps\": []} x", "line 1, column 14: trailing characters"),
        ("{\"apps\": [],\n\"apps\": []}", "line 2, column 7: the key apps is there twice"),
        (
            "{\"users\": [{\"code\": \"a\"},\n{\"code\": \"a\"}]}",
            "line 2, column 10: users[1].code: the code a is there twice",
        ),
        ("{\"users\": [\n{\"name\": \"a\"}]}", "line 2, column 1: users[0]: expected a code"),
        (
            "{\"users\": [{\"code\": \"a\",\n \"timezone\": \"Mars\"}]}",
            "line 2, column 14: users[0].timezone: there is no time zone Mars",
        ),
        ("{\"users\": [{\"code\": \"a\",\n \"age\": 5}]}", "line 2, column 9: users[0].age: unknown key"),
        ("{\"apps\": [{\n\"apiTokens\": [5]}]}", "line 2, column 15: apps[0].apiTokens[0]: expected a text"),
        (
            "{\"apps\": [{\"app\": {\"appId\": 1}},\n{\"app\": {\n\"appId\": \"1\"}}]}",
            "line 3, column 10: apps[1].app.appId: the id 1 is there twice",
        ),
        (
            "{\"apps\": [{\"app\": {\n\"creator\": \"x\"}}]}",
            "line 2, column 12: apps[0].app.creator: there is no user x",
        ),
        (
            "{\"apps\": [{\"app\": {\n\"createdAt\": \"x\"}}]}",
            "line 2, column 14: apps[0].app.createdAt: \"x\" is not a time such as 2026-01-01T00:00:00Z",
        ),
        (
            "{\"apps\": [{\"settings\": {\n\"name\": 5}}]}",
            "line 2, column 9: apps[0].settings.name: expected a text",
        ),
        (
            "{\"apps\": [{\"status\": {\n\"enable\": 1}}]}",
            "line 2, column 11: apps[0].status.enable: expected true or false",
        ),
        (
            "{\"apps\": [{\"comments\": {\n\"1\": []}}]}",
            "line 2, column 6: apps[0].comments.1: there is no such record",
        ),
        (
            "{\"apps\": [{\"records\": [{}], \"comments\": {\"1\": [\n{\"txt\": \"\"}]}}]}",
            "line 2, column 9: apps[0].comments.1[0].txt: unknown key",
        ),
    ] {
        assert_eq!(refusal(file), expected, "{file}");
    }
    for (field, expected) in [
        ("{}", "a: expected a type"),
        ("{\"type\":\n\"NOPE\"}", "a.type: there is no field type NOPE"),
        ("{\"type\": \"NUMBER\",\n\"size\": 1}", "a.size: unknown key"),
        ("{\"type\": \"NUMBER\",\n\"code\": \"b\"}", "a.code: expected a"),
        ("{\"type\": \"NUMBER\",\n\"required\": \"yes\"}", "a.required: expected true or false"),
        ("{\"type\": \"DROP_DOWN\", \"options\":\n5}", "a.options: expected an object"),
        (
            "{\"type\": \"SUBTABLE\", \"fields\": {\"b\": {\"type\":\n\"SUBTABLE\"}}}",
            "a.fields.b.type: SUBTABLE cannot be in a table",
        ),
        (
            "{\"type\": \"SUBTABLE\", \"fields\": {\"a\":\n{\"type\": \"NUMBER\"}}}",
            "another field has this code",
        ),
    ] {
        let refused =
            refusal(&format!("{{\"apps\": [{{\"form\": {{\"properties\": {{\"a\": {field}}}}}}}]}}"));
        let line = if field == "{}" || field.contains("\"a\":") { 1 } else { 2 };
        assert!(refused.starts_with(&format!("line {line}, ")), "{refused}");
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn parts_may_come_in_any_order() {
    let file = json!({"apps": [{
        "comments": {"5": [{"text": "x", "creator": "sato"}]},
        "records": [{"作成者": {"value": {"code": "sato"}}, "$id": {"value": "5"}, "n": {"value": "1"}}],
        "form": {"properties": {"n": {"type": "NUMBER"}}},
        "app": {"appId": 3}
    }], "users": [{"code": "sato"}]});
    let world = Fixture::from_json(&file).unwrap();
    assert_eq!(world.apps()[0].id, 3);
    assert_eq!(world.comments(3)[0].1[0].creator, "sato");
    let mut wrong = file.clone();
    wrong["apps"][0]["records"][0]["n"]["value"] = json!("x");
    let refused = Fixture::from_json(&wrong).unwrap_err();
    assert_eq!(refused, "apps[0].records[0].n.value: \"x\" is not a number");
}

/// Everything that can be seen of a world over the store.
async fn seen(world: Fixture) -> (Value, String) {
    let emulator = Emulator::start(Arc::new(world), Options::default()).await.unwrap();
    let store = emulator.backdoor();
    let mut text = vec![];
    store.save(&mut text).unwrap();
    let apps: Vec<Value> = (1..=9)
        .filter_map(|app| Some((app, store.app(app)?)))
        .map(|(app, definition)| json!([format!("{definition:?}"), store.records(app)]))
        .collect();
    (Value::Array(apps), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn what_is_saved_is_read_back() {
    let mut world: Value = serde_json::from_str(include_str!("fixtures/emulator.json")).unwrap();
    world["apps"][0]["comments"] = json!({"1": [
        {"text": "やあ ", "creator": "zoe", "createdAt": "2026-03-01T10:00:00Z",
         "mentions": [{"code": "sato", "type": "USER"}, {"code": "sales", "type": "ORGANIZATION"}]}
    ]});
    let first = Fixture::from_json(&world).unwrap();
    let (seen_first, text) = seen(first).await;
    let second = read(&text).unwrap();
    let directory = second.directory();
    assert_eq!(second.comments(1)[0].1[0].mentions.len(), 2);
    let (seen_second, again) = seen(second).await;
    assert_eq!(seen_first, seen_second);
    assert_eq!(text, again);
    assert_eq!(directory, Fixture::from_json(&world).unwrap().directory());
    assert!(seen_first.as_array().unwrap().len() > 1);

    // The demo company too, whose apps use every type of field.
    let today = chrono::NaiveDate::from_ymd_opt(2026, 3, 31).unwrap();
    let company =
        Emulator::start(Arc::new(Sample(Company::new(1, today))), Options::default()).await.unwrap();
    let mut text = vec![];
    company.backdoor().save(&mut text).unwrap();
    assert!(text.len() > 300_000, "{}", text.len());
    let copy = Fixture::from_reader(|| Ok(&*text)).unwrap();
    let copy = Emulator::start(Arc::new(copy), Options::default()).await.unwrap();
    let mut again = vec![];
    copy.backdoor().save(&mut again).unwrap();
    assert!(text == again);
}

/// The first hundred records of each app of the demo company, its largest app left out.
struct Sample(Company);

const LAST: u64 = 100;

impl World for Sample {
    fn directory(&self) -> Vec<Entity> {
        self.0.directory()
    }

    fn apps(&self) -> Vec<AppDefinition> {
        let mut apps = self.0.apps();
        apps.retain(|app| app.id != 1_120_057);
        apps
    }

    fn records(&self, app: u64) -> Vec<Record> {
        let mut records = self.0.records(app);
        records.retain(|record| record.id <= LAST);
        records
    }

    fn comments(&self, app: u64) -> Vec<(u64, Vec<Comment>)> {
        let mut comments = self.0.comments(app);
        comments.retain(|(record, _)| *record <= LAST);
        comments
    }
}
