//! Many records.

use std::sync::Arc;
use std::time::Instant;

use kintone_sql::emulator::app::{AppDefinition, Cell, Comment, Entity, Record, World};
use kintone_sql::emulator::{Emulator, Options};
use serde_json::{Value, json};

use super::{Domain, encode};

/// An app of many records, made without JSON.
struct Large(u64);

impl World for Large {
    fn directory(&self) -> Vec<Entity> {
        vec![Entity { password: Some("pw".into()), ..Entity::new("USER", "sato", "佐藤") }]
    }

    fn apps(&self) -> Vec<AppDefinition> {
        let properties = json!({
            "n": {"type": "NUMBER", "code": "n", "unique": true},
            "t": {"type": "SINGLE_LINE_TEXT", "code": "t", "unique": true},
        });
        let properties = properties.as_object().unwrap().clone();
        vec![AppDefinition { id: 1, properties, ..AppDefinition::default() }]
    }

    fn records(&self, _: u64) -> Vec<Record> {
        (1..=self.0)
            .map(|id| Record {
                id,
                revision: 1,
                creator: "sato".into(),
                modifier: "sato".into(),
                created_at: 0,
                updated_at: 0,
                status: None,
                assignees: vec![],
                categories: vec![],
                cells: vec![Cell::Text(id.to_string()), Cell::Text(format!("text {id}"))],
            })
            .collect()
    }

    fn comments(&self, _: u64) -> Vec<(u64, Vec<Comment>)> {
        vec![]
    }
}

#[tokio::test]
async fn a_page_by_id_does_not_read_the_app() {
    let records: u64 = std::env::var("EMULATOR_RECORDS").map_or(100_000, |n| n.parse().unwrap());
    let emulator = Emulator::start(Arc::new(Large(records)), Options::default()).await.unwrap();
    let domain = Domain { emulator };
    let timed = async |query: String, count: bool| {
        let start = Instant::now();
        let path = format!("records.json?app=1&totalCount={count}&query={}", encode(&query));
        let body = domain.get(&path).await.json();
        (start.elapsed(), body["records"].as_array().unwrap().len(), body["totalCount"].clone())
    };
    let (load, ..) = timed("limit 1".into(), false).await;
    let (scan, _, total) = timed("n >= 0 limit 1".into(), true).await;
    assert_eq!(total, json!(records.to_string()));
    let mut pages = vec![];
    for start in (0..10).map(|n| records / 10 * n) {
        let (time, rows, _) =
            timed(format!("($id > {start} and $id < 999999999) order by $id asc limit 1"), false).await;
        assert_eq!(rows, 1);
        pages.push(time);
    }
    pages.sort();
    let (page, rows, total) = timed(format!("$id > {} order by $id asc limit 500", records / 2), true).await;
    assert_eq!((rows, total), (500, json!((records - records / 2).to_string())));
    println!("load {load:?}, scan {scan:?}, median seek {:?}, page of 500 {page:?}", pages[5]);
    assert!(pages[5] < scan, "seek {:?}, scan {scan:?}", pages[5]);
}

#[tokio::test]
async fn unique_values_are_found_by_index() {
    let records: u64 = std::env::var("EMULATOR_RECORDS").map_or(100_000, |n| n.parse().unwrap());
    let emulator = Emulator::start(Arc::new(Large(records)), Options::default()).await.unwrap();
    let domain = Domain { emulator };
    let timed = async |method: &str, body: Value| {
        let start = Instant::now();
        let reply = domain.call(method, "records.json", body).await;
        (start.elapsed(), reply)
    };
    let many = |from: u64| -> Value {
        let add = |n: u64| json!({"n": {"value": n}, "t": {"value": format!("new {n}")}});
        json!({"app": 1, "records": (from..from + 100).map(add).collect::<Vec<_>>()})
    };
    let (first, reply) = timed("POST", many(records + 1)).await;
    assert_eq!(reply.json()["ids"][99], json!((records + 100).to_string()));
    let (second, reply) = timed("POST", many(records + 101)).await;
    assert_eq!(reply.json()["ids"][0], json!((records + 101).to_string()));
    let by = |n: u64| json!({"updateKey": {"field": "n", "value": n}, "record": {"t": {"value": format!("put {n}")}}});
    let change = json!({"app": 1, "records": (1..=100).map(by).collect::<Vec<_>>()});
    let (update, reply) = timed("PUT", change).await;
    assert_eq!(reply.json()["records"][99], json!({"id": "100", "revision": "2"}));
    let (_, reply) =
        timed("POST", json!({"app": 1, "records": [{"t": {"value": "put 100"}}, {"n": {"value": records}}]}))
            .await;
    let errors = reply.json()["errors"].as_object().unwrap().len();
    assert_eq!((reply.outcome().as_str(), errors), ("400 CB_VA01", 2));
    let ids: Vec<u64> = (1..=100).map(|n| n * (records / 100)).collect();
    let (delete, reply) = timed("DELETE", json!({"app": 1, "ids": ids})).await;
    assert_eq!(reply.json(), json!({}));
    let (again, reply) = timed("POST", json!({"app": 1, "records": [{"n": {"value": records}}]})).await;
    assert_eq!(reply.json()["ids"][0], json!((records + 201).to_string()));
    println!("first {first:?}, second {second:?}, by key {update:?}, delete {delete:?}, one {again:?}");
}
