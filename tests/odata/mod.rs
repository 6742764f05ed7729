//! The OData door without an engine: requests to SQL, `$metadata` and `$oas`. `UPDATE=1` rewrites the answers.

mod company;
mod http;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kintone_sql::engine::{ColumnInfo, SqlType, TableInfo, TableKind};
use kintone_sql::odata::{describe, translate};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/odata")
}

fn column(name: &str, label: &str, sql_type: SqlType, kintone_type: &str) -> ColumnInfo {
    ColumnInfo {
        name: name.into(),
        label: label.into(),
        nullable: !name.starts_with('$') && !matches!(sql_type, SqlType::Array(_)),
        sql_type,
        unique: name == "$id",
        kintone_type: kintone_type.into(),
        options: vec![],
    }
}

fn table(
    kind: TableKind,
    name: &str,
    app_id: Option<u64>,
    columns: Vec<ColumnInfo>,
    key: &[&str],
) -> Arc<TableInfo> {
    Arc::new(TableInfo {
        schema: "public".into(),
        name: name.into(),
        kind,
        app_id,
        label: if name == "DEALS" { "案件管理".into() } else { String::new() },
        description: String::new(),
        columns,
        primary_key: key.iter().map(|name| (*name).into()).collect(),
        foreign_keys: vec![],
    })
}

/// A small catalog with every type of column.
fn tables() -> Vec<Arc<TableInfo>> {
    let texts = || SqlType::Array(Box::new(SqlType::Text));
    let comments = ["Id", "AppId", "RecordId"];
    let required = |mut column: ColumnInfo| {
        column.nullable = false;
        column
    };
    let mut comment_columns: Vec<_> =
        comments.iter().map(|name| required(column(name, "", SqlType::Int8, ""))).collect();
    comment_columns.extend([
        column("Text", "", SqlType::Text, ""),
        column("CreatedAt", "", SqlType::TimestampTz, ""),
        column("MentionsAggregate", "", SqlType::Jsonb, ""),
    ]);
    let mut status = column("状況", "状況", SqlType::Text, "DROP_DOWN");
    status.options = vec!["未着手".into(), "<完了> & \"済\"".into()];
    vec![
        table(TableKind::System, "Comments", None, comment_columns, &["AppId", "RecordId", "Id"]),
        table(
            TableKind::App,
            "DEALS",
            Some(1_354_841),
            vec![
                column("$id", "レコード番号", SqlType::Int8, "__ID__"),
                column("$revision", "リビジョン", SqlType::Int8, "__REVISION__"),
                column("会社名", "会社名", SqlType::Text, "SINGLE_LINE_TEXT"),
                column("数値", "受注金額", SqlType::Numeric, "NUMBER"),
                column("見込-率", "見込", SqlType::Float8, "CALC"),
                column("受注日", "受注日", SqlType::Date, "DATE"),
                column("時刻", "時刻", SqlType::Time, "TIME"),
                column("更新日時", "更新日時", SqlType::TimestampTz, "UPDATED_TIME"),
                column("所要時間", "所要時間", SqlType::Interval, "CALC"),
                column("タグ", "タグ", texts(), "CHECK_BOX"),
                status,
                column("添付", "添付", SqlType::Jsonb, "FILE"),
            ],
            &["$id"],
        ),
        table(
            TableKind::Subtable,
            "受注_明細",
            Some(9),
            vec![
                required(column("$id", "", SqlType::Int8, "__ID__")),
                required(column("RowId", "", SqlType::Int8, "")),
                column("商品", "商品", SqlType::Text, "LOOKUP"),
                column("Parent_商品", "商品", SqlType::Text, "LOOKUP"),
            ],
            &["$id", "RowId"],
        ),
        table(
            TableKind::System,
            "Requests",
            None,
            vec![
                required(column("Time", "", SqlType::TimestampTz, "")),
                required(column("Path", "", SqlType::Text, "")),
                column("Rows", "", SqlType::Int8, ""),
            ],
            &[],
        ),
    ]
}

fn is_update() -> bool {
    std::env::var_os("UPDATE").is_some()
}

fn assert_golden(name: &str, actual: &str) {
    let path = folder().join(name);
    if is_update() {
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "{name} differs; UPDATE=1 rewrites it");
}

/// Each case is a line `GET ...`, then the statement and its values, or the error.
#[test]
fn requests_become_statements() {
    let tables = tables();
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let mut actual = String::new();
        for line in text.lines().filter(|line| line.starts_with("GET ") || line.starts_with("# ")) {
            if let Some(url) = line.strip_prefix("GET ") {
                let answer = translate(&tables, &format!("/api.rsc/{url}")).unwrap_or_else(|error| error);
                actual.push_str(&format!("GET {url}\n{answer}\n\n"));
            } else {
                actual.push_str(&format!("{line}\n\n"));
            }
        }
        assert_golden(path.file_name().unwrap().to_str().unwrap(), &actual);
    }
}

#[test]
fn metadata_and_swagger_are_as_recorded() {
    let (csdl, oas) = describe(&tables());
    assert_golden("metadata.xml", &csdl);
    assert_golden("oas.json", &format!("{}\n", serde_json::to_string_pretty(&oas).unwrap()));
}

/// The rules of Swagger 2.0 that connectors insist on. A full validator is `tests/clients/swagger.mjs`.
#[test]
fn swagger_keeps_the_rules() {
    let (_, oas) = describe(&tables());
    assert_eq!(oas["swagger"], "2.0");
    assert!(oas["basePath"].as_str().unwrap().starts_with('/'));
    assert!(!oas["host"].as_str().unwrap().contains('/'));
    let mut ids = HashSet::new();
    let mut paths = HashSet::new();
    for (path, item) in oas["paths"].as_object().unwrap() {
        assert!(path.starts_with('/') && path.is_ascii(), "{path}");
        assert!(paths.insert(path.to_lowercase()), "{path} is there twice");
        for (verb, operation) in item.as_object().unwrap() {
            assert_eq!(verb, "get");
            check_operation(path, operation);
            let id = operation["operationId"].as_str().unwrap();
            assert!(id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
        }
    }
    assert!(ids.contains("ListComments"));
    assert_eq!(oas["paths"]["/Comments"]["get"]["summary"], "Return Comments");
    assert_eq!(oas["paths"]["/Comments"]["get"]["x-ms-pageable"]["nextLinkName"], "@odata.nextLink");
    check_schemas(&oas, &oas);
}

fn check_operation(path: &str, operation: &Value) {
    let allowed = ["operationId", "summary", "description", "tags", "parameters", "responses", "produces"];
    for key in operation.as_object().unwrap().keys() {
        assert!(allowed.contains(&key.as_str()) || key.starts_with("x-ms-"), "{path}: {key}");
    }
    let (summary, description) =
        (operation["summary"].as_str().unwrap(), operation["description"].as_str().unwrap());
    assert!(summary.chars().count() <= 80 && summary != description);
    assert!(operation["responses"]["200"].is_object() && operation["responses"]["default"].is_object());
    let mut in_path = HashSet::new();
    for parameter in operation["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        assert!(parameter["type"].is_string() && parameter["description"].is_string(), "{path} {name}");
        assert!(parameter["x-ms-summary"].is_string(), "{path} {name}");
        if parameter["in"] == "path" {
            assert_eq!(parameter["required"], true);
            assert!(path.contains(&format!("{{{name}}}")), "{path} has no {name}");
            in_path.insert(name);
        }
    }
    assert_eq!(path.matches('{').count(), in_path.len(), "{path}");
}

/// Every reference has its target, every type and format is one that connectors know.
fn check_schemas(root: &Value, value: &Value) {
    const FORMATS: &[&str] =
        &["int32", "int64", "float", "double", "byte", "binary", "date", "date-time", "html", "uri", "uuid"];
    match value {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get("$ref") {
                assert!(root.pointer(target.trim_start_matches('#')).is_some(), "{target}");
            }
            if let Some(Value::String(format)) = object.get("format") {
                assert!(FORMATS.contains(&format.as_str()), "{format}");
            }
            object.values().for_each(|inner| check_schemas(root, inner));
        }
        Value::Array(items) => items.iter().for_each(|inner| check_schemas(root, inner)),
        _ => {}
    }
}
