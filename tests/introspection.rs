//! What real clients ask the catalog, replayed: every query runs, and names its columns as PostgreSQL 15 did; where it
//! is about the sample tables, it gives as many rows.
//!
//! The file lies beside the project; where it is absent, these tests say so and pass.

use std::collections::HashMap;
use std::error::Error;

use kintone_sql::engine::{EngineConfig, LocalTableSettings, ViewSettings};
use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::support::door::{Door, run_simple};
use crate::support::world::{World, engine_of};

const FILE: &str = "../shared/data/introspection-corpus.jsonl";

/// Answers about the sample tables that have another number of rows than PostgreSQL's, and why.
const OTHER_COUNTS: &[(&str, &str)] = &[
    ("orders_customer_idx", "a file's table has the indexes of its keys alone"),
    ("\\d customers", "the index of orders.customer_id is told of there too"),
    ("\\di", "the index of orders.customer_id"),
    ("SQLStatistics(orders)", "the index of orders.customer_id"),
    ("getIndexInfo orders", "the index of orders.customer_id"),
    ("comment", "a file's table has no comment"),
    ("\\dd", "a file's table has no comment"),
];

async fn sample() -> (World, Door, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, line: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, line).unwrap();
        path
    };
    let customers = file("customers.ndjson", r#"{"$id": 1, "company": "甲", "active": true}"#);
    let orders = file("orders.ndjson", r#"{"$id": 1, "customer_id": 1}"#);
    let customer_columns = "\"$id\" bigint primary key, \"レコード番号\" text, company text, amount numeric, \
                            active boolean, tags text[], created timestamptz, due date, at time, owner jsonb";
    let order_columns = "\"$id\" bigint primary key, customer_id bigint not null references customers (\"$id\"), \
                         product text, qty integer, price numeric(12, 2), ordered_at timestamptz";
    let config = EngineConfig {
        local_tables: vec![
            LocalTableSettings::new("customers", customers, customer_columns).unwrap(),
            LocalTableSettings::new("orders", orders, order_columns).unwrap(),
        ],
        views: vec![
            ViewSettings::new(
                "active_customers",
                "SELECT \"$id\", company, amount, due FROM customers WHERE active",
            )
            .unwrap(),
        ],
        ..EngineConfig::default()
    };
    let world = World::start(&json!({"users": [{"code": "demo", "password": "demo"}], "apps": []})).await;
    let door = Door::open(engine_of(&world.emulator.url(), ("demo", "demo"), config)).await;
    (world, door, folder)
}

/// A parameter as it was recorded: text, or the bytes of its binary form.
#[derive(Debug)]
enum Recorded {
    Null,
    Text(String),
    Binary(Vec<u8>),
}

impl ToSql for Recorded {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut tokio_postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Binary(bytes) => out.extend_from_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        if matches!(self, Self::Binary(_)) { Format::Binary } else { Format::Text }
    }

    to_sql_checked!();
}

fn recorded(value: &Value) -> Recorded {
    match value {
        Value::Null => Recorded::Null,
        Value::Object(object) => {
            let hex = object["binary"].as_str().unwrap();
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            Recorded::Binary((0..hex.len()).step_by(2).map(byte).collect())
        }
        other => Recorded::Text(other.as_str().unwrap().to_owned()),
    }
}

/// A query that only reads the catalog, and that PostgreSQL answered.
fn is_asked(entry: &Value) -> bool {
    const OTHERS: &[&str] = &[
        "create", "drop", "insert", "alter", "declare", "fetch", "move", "close", "lock", "copy", "begin",
        "prepare", "execute", "explain", "comment", "truncate",
    ];
    let sql = entry["sql"].as_str().unwrap();
    let first = sql.split_whitespace().next().unwrap_or_default().to_lowercase();
    let several = sql.trim_end().trim_end_matches(';').contains(';');
    let made = |name: &str| entry.to_string().contains(name);
    entry["catalog"] == json!(true)
        && entry["reference_error"].is_null()
        && entry["copy"].is_null()
        && entry["results"].is_null()
        && !several
        && !OTHERS.contains(&first.as_str())
        && !["dbtout", "kit_tmp", "ibis_"].iter().any(|name| made(name))
}

/// The text with PostgreSQL's oids of its own objects replaced by ours; `None` where we have no such object.
async fn with_own_oids(
    client: &Client,
    entry: &Value,
    known: &mut HashMap<String, Option<String>>,
) -> Option<String> {
    let mut text = entry.to_string();
    for (literal, name) in entry["oid_literals"].as_object().into_iter().flatten() {
        let name = name.as_str().unwrap();
        if !known.contains_key(name) {
            let sql = match name.split(' ').next().unwrap() {
                "role" => "SELECT oid FROM pg_roles WHERE rolname = current_user".to_owned(),
                "database" => "SELECT oid FROM pg_database WHERE datname = current_database()".to_owned(),
                _ => format!("SELECT '{name}'::regclass::oid"),
            };
            let found = run_simple(client, &sql).await.ok();
            let oid = found.and_then(|answer| answer.rows.first()?.first()?.clone());
            known.insert(name.to_owned(), oid);
        }
        text = replace_number(&text, literal, known[name].as_ref()?);
    }
    Some(text)
}

/// Replaces a number where it stands alone.
fn replace_number(text: &str, number: &str, by: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(number) {
        let (before, after) = (&rest[..at], &rest[at + number.len()..]);
        let alone = !before.ends_with(|c: char| c.is_alphanumeric())
            && !after.starts_with(|c: char| c.is_alphanumeric());
        out.push_str(before);
        out.push_str(if alone { by } else { number });
        rest = after;
    }
    out + rest
}

/// The names of the columns, and the number of rows where it was run.
async fn answer(client: &Client, entry: &Value) -> Result<(Vec<String>, Option<usize>), String> {
    let sql = entry["sql"].as_str().unwrap();
    let shown =
        |error: tokio_postgres::Error| error.as_db_error().map_or(error.to_string(), |e| e.to_string());
    if entry["protocol"] == json!("simple") {
        let answer = run_simple(client, sql).await.map_err(shown)?;
        return Ok((answer.columns.into_iter().map(|(name, _)| name).collect(), Some(answer.rows.len())));
    }
    let oids = entry["param_oids"].as_array().cloned().unwrap_or_default();
    let types: Vec<Type> = oids
        .iter()
        .map(|oid| Type::from_oid(u32::try_from(oid.as_u64().unwrap()).unwrap()).unwrap_or(Type::UNKNOWN))
        .collect();
    let statement = client.prepare_typed(sql, &types).await.map_err(shown)?;
    let columns = statement.columns().iter().map(|column| column.name().to_owned()).collect();
    let Some(parameters) = entry["params"].as_array() else { return Ok((columns, None)) };
    let parameters: Vec<Recorded> = parameters.iter().map(recorded).collect();
    let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
    let rows = client.query(&statement, &parameters).await.map_err(shown)?;
    Ok((columns, Some(rows.len())))
}

#[tokio::test]
async fn clients_find_their_way() {
    let Ok(corpus) = std::fs::read_to_string(FILE) else {
        eprintln!("left out: {FILE} is absent");
        return;
    };
    let (_world, door, _folder) = sample().await;
    let client = door.connect().await;
    let (mut known, mut wrong) = (HashMap::new(), vec![]);
    let (mut asked, mut counted) = (0, 0);
    for line in corpus.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        if !is_asked(&entry) {
            continue;
        }
        let Some(text) = with_own_oids(&client, &entry, &mut known).await else { continue };
        let entry: Value = serde_json::from_str(&text).unwrap();
        let of = format!("{} {}: {}", entry["client"], entry["action"], entry["sql"]);
        asked += 1;
        let (columns, rows) = match answer(&client, &entry).await {
            Ok(answer) => answer,
            Err(error) => {
                wrong.push(format!("{error}\n    {of}"));
                continue;
            }
        };
        let names: Option<Vec<String>> = serde_json::from_value(entry["reference_columns"].clone()).ok();
        if names.is_some_and(|names| names != columns) {
            wrong.push(format!("columns {columns:?}\n    {of}"));
        }
        // What lists everything lists other things: tables of the connection, fewer functions, one database.
        let sample = ["customers", "orders"].iter().any(|name| line.contains(name));
        let action = entry["action"].as_str().unwrap();
        let differs = OTHER_COUNTS.iter().any(|(what, _)| action.contains(what) || of.contains(what));
        let lists = ["<TAB>", "\\d ", "(all)", "(TABLE", "\\dt", "IMPORT"];
        let is_list = !of.contains("customers") && !of.contains("orders") && entry["oid_literals"].is_null();
        let is_list = is_list || action == "\\d" || lists[2..].iter().any(|list| action.contains(list));
        if let (Some(rows), Some(expected)) = (rows, entry["reference_row_count"].as_u64())
            && sample
            && !differs
            && !is_list
        {
            counted += 1;
            if rows as u64 != expected {
                wrong.push(format!("{rows} rows, not {expected}\n    {of}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 400 && counted > 90, "{asked} asked, {counted} counted");
}
