//! Every field type from end to end: recorded JSON of Kintone -> Arrow -> PostgreSQL text and binary -> OData.
//!
//! `tests/field/<TYPE>.json` holds samples: a field's definition, the SQL types of its columns, and values as
//! Kintone's API gives them, each with the text that PostgreSQL prints and the JSON that OData has (a number as its
//! digits). They are served by a server that knows nothing but to hand them out.

use std::collections::BTreeMap;
use std::path::Path;

use axum::Router;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use kintone_sql::engine::{Engine, User};
use kintone_sql::odata::{ApiUser, OdataConfig, Privileges};
use kintone_sql::table::field_type_names;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::door::{self, Door};
use crate::support::text::shown;
use crate::support::world::{engine, run};

/// One field's definition with values of it.
#[derive(Deserialize)]
struct Sample {
    /// As in `form/fields.json`; none for what every record has.
    property: Option<Value>,
    /// Column to SQL type.
    types: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    /// The `value` of the field in `records.json`.
    json: Value,
    /// Column to text; null for NULL.
    text: BTreeMap<String, Option<String>>,
    /// Property to JSON.
    odata: BTreeMap<String, Value>,
}

impl Sample {
    fn form(&self) -> Value {
        let mut properties = json!({});
        if let Some(property) = &self.property {
            let mut property = property.clone();
            property["code"] = json!("f");
            property["label"] = json!("Field");
            properties["f"] = property;
        }
        json!({"properties": properties, "revision": "1"})
    }

    /// Records with ids from 1, and at the end one without the field: its user may not see it (K§6).
    fn records(&self, kind: &str) -> Value {
        let system = |id: &Value, revision: &Value| json!({"$id": {"type": "__ID__", "value": id}, "$revision": {"type": "__REVISION__", "value": revision}});
        let mut records = vec![];
        for (at, case) in self.cases.iter().enumerate() {
            let id = json!((at + 1).to_string());
            records.push(match kind {
                "__ID__" => system(&case.json, &json!("1")),
                "__REVISION__" => system(&id, &case.json),
                _ => {
                    let mut record = system(&id, &json!("1"));
                    record["f"] = json!({"type": kind, "value": case.json});
                    record
                }
            });
        }
        if self.property.is_some() {
            records.push(system(&json!((self.cases.len() + 1).to_string()), &json!("1")));
        }
        json!({"records": records, "totalCount": null})
    }

    /// The columns' values of each record, as text.
    fn expected(&self) -> Vec<Vec<String>> {
        let texts = |case: &Case| case.text.values().map(|text| shown(text.as_deref())).collect();
        let mut rows: Vec<Vec<String>> = self.cases.iter().map(texts).collect();
        if self.property.is_some() {
            let empty = |sql_type: &String| match sql_type.as_str() {
                "_text" => "{}".to_owned(),
                _ => "NULL".to_owned(),
            };
            rows.push(self.types.values().map(empty).collect());
        }
        rows
    }

    fn sql(&self) -> String {
        let columns: Vec<String> = self.types.keys().map(|name| format!("\"{name}\"")).collect();
        format!("SELECT {} FROM t ORDER BY \"$id\"", columns.join(", "))
    }
}

fn samples(kind: &str) -> Vec<Sample> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/field").join(format!("{kind}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("the field type {kind} has no sample: write {}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The page as it is in the order of `$id desc`.
fn backwards(mut page: Value) -> Value {
    page["records"].as_array_mut().unwrap().reverse();
    page
}

/// An engine over a server of canned replies: one app with this field.
async fn over(sample: &Sample, kind: &str) -> Engine {
    let person = json!({"code": "demo", "name": "demo"});
    let app = json!({"appId": "1", "code": "T", "name": "T", "creator": person, "modifier": person});
    let replies = [
        ("apps.json", json!({"apps": [app]})),
        ("app/form/fields.json", sample.form()),
        ("app/form/layout.json", json!({"layout": [], "revision": "1"})),
        ("app/settings.json", json!({"numberPrecision": {"digits": "30", "decimalPlaces": "10"}})),
        ("app/views.json", json!({"views": {}, "revision": "1"})),
        ("records.json", sample.records(kind)),
        ("records.json desc", backwards(sample.records(kind))),
    ];
    let answer = move |uri: Uri| async move {
        let mut path = uri.path().trim_start_matches("/k/v1/").to_owned();
        if uri.query().is_some_and(|query| query.contains("desc")) {
            path.push_str(" desc");
        }
        let found = replies.iter().find(|(name, _)| *name == path);
        let (_, reply) = found.unwrap_or_else(|| panic!("{path} is asked for"));
        ([(CONTENT_TYPE, "application/json;charset=utf-8")], reply.to_string())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    engine(&url, ("demo", "demo"), vec![])
}

/// Every field type of the engine, each with its samples.
async fn each(check: impl AsyncFn(&str, &Sample, Engine)) {
    let names: Vec<&str> = field_type_names().collect();
    assert!(names.len() > 20, "{names:?}");
    for kind in names {
        for sample in samples(kind) {
            check(kind, &sample, over(&sample, kind).await).await;
        }
    }
}

fn lines(rows: &[Vec<Option<String>>]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(|value| shown(value.as_deref())).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_type_becomes_arrow_and_text() {
    each(async |kind, sample, engine| {
        let session = engine.session(User { name: "tester".into(), administrator: false });
        let answer = run(&session, &sample.sql()).await.unwrap();
        let types: BTreeMap<String, String> = answer.columns.into_iter().collect();
        assert_eq!(types, sample.types, "{kind}");
        assert_eq!(lines(&answer.rows), sample.expected(), "{kind}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_type_goes_over_the_wire_as_text_and_binary() {
    each(async |kind, sample, engine| {
        let door = Door::open(engine).await;
        let client = door.connect().await;
        let simple = door::run_simple(&client, &sample.sql()).await.unwrap();
        assert_eq!(lines(&simple.rows), sample.expected(), "{kind} as text");
        let prepared = door::run_prepared(&client, &sample.sql()).await.unwrap();
        assert_eq!(lines(&prepared.rows), sample.expected(), "{kind} in binary");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_type_is_json_in_odata() {
    each(async |kind, sample, engine| {
        let entities = odata(engine).await;
        assert_eq!(entities.len(), sample.expected().len(), "{kind}");
        for (entity, case) in entities.iter().zip(&sample.cases) {
            for (property, expected) in &case.odata {
                let found = entity[property].get();
                // A number's digits are its text: a float would lose some.
                let is_digits = sample.types.get(property).is_some_and(|name| name == "numeric");
                let expected = match expected {
                    Value::String(digits) if is_digits => digits.clone(),
                    other => other.to_string(),
                };
                assert_eq!(found, expected, "{kind}.{property}");
            }
        }
    })
    .await;
}

/// The entities of the app, over the OData door.
async fn odata(engine: Engine) -> Vec<BTreeMap<String, Box<RawValue>>> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let user = ApiUser {
        name: "reader".into(),
        tokens: vec!["secret".parse().unwrap()],
        privileges: Privileges { get: true, ..Privileges::default() },
        administrator: false,
    };
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    tokio::spawn(kintone_sql::odata::serve(listener, engine, vec![user], OdataConfig::new(address), stop));
    let mut stream = TcpStream::connect(address).await.unwrap();
    // HTTP/1.0, so that the body ends where the connection does.
    let request = "GET /api.rsc/T HTTP/1.0\r\nHost: localhost\r\nx-cdata-authtoken: secret\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let page: Page = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    page.value
}

/// A page of OData, its values as they are written.
#[derive(Deserialize)]
struct Page {
    value: Vec<BTreeMap<String, Box<RawValue>>>,
}
