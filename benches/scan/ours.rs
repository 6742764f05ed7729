//! This engine as a client of the bench's Kintone.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use kintone_sql::engine::{Engine, EngineConfig, SqlType, TextColumn, TextOptions, User};
use kintone_sql::kintone::{Client, ClientConfig, Credentials, Domains, Secret, SystemClock};
use kintone_sql::postgres::{Login, PostgresConfig, serve};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::world::FIELDS;

/// An engine with so many requests at once, in a governor of its own.
pub(crate) fn engine(url: &str, concurrency: usize) -> Engine {
    let credentials = Credentials::Password { user: "demo".into(), password: Secret::new("demo") };
    let mut config = ClientConfig::new("public", url.parse().unwrap(), credentials);
    config.max_in_flight = concurrency;
    let client = Client::in_domains(config, &Domains::new(Arc::new(SystemClock))).unwrap();
    Engine::new(EngineConfig::default(), vec![client]).unwrap()
}

/// Every field of an app's records.
pub(crate) fn select(table: &str) -> String {
    format!("SELECT \"{}\" FROM {table}", FIELDS.join("\", \""))
}

/// Runs a statement to its end, SQL in and Arrow out: time and rows.
pub(crate) async fn read(engine: &Engine, sql: &str) -> (Duration, usize) {
    let session = engine.session(User { name: "bench".into(), administrator: true });
    let started = Instant::now();
    let mut batches = session.run(sql).await.unwrap().rows;
    let mut rows = 0;
    while let Some(batch) = batches.try_next().await.unwrap() {
        rows += batch.num_rows();
    }
    (started.elapsed(), rows)
}

/// The rows of a statement as PostgreSQL prints them, and how long the statement took without that.
pub(crate) async fn texts(engine: &Engine, sql: &str) -> (Duration, Vec<Vec<String>>) {
    let session = engine.session(User { name: "bench".into(), administrator: true });
    let started = Instant::now();
    let result = session.run(sql).await.unwrap();
    let batches: Vec<_> = result.rows.try_collect().await.unwrap();
    let took = started.elapsed();
    let types: Vec<SqlType> =
        result.schema.unwrap().fields().iter().map(|field| SqlType::of(field)).collect();
    let options = TextOptions { time_zone: session.time_zone() };
    let mut rows = vec![];
    for batch in batches {
        let columns: Vec<TextColumn> = batch
            .columns()
            .iter()
            .zip(&types)
            .map(|(array, sql_type)| TextColumn::new(array, sql_type, options).unwrap())
            .collect();
        let text = |column: &TextColumn, row| {
            let mut text = String::new();
            if column.append(&mut text, row) { text } else { "\\N".into() }
        };
        rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|c| text(c, row)).collect()));
    }
    (took, rows)
}

/// SHA-256 over rows in the order of their first column, an id.
pub(crate) fn hash(mut rows: Vec<Vec<String>>) -> String {
    rows.sort_by_key(|row| row[0].parse::<u64>().unwrap());
    let mut sha = Sha256::new();
    for row in rows {
        sha.update(row.join("\u{1f}"));
        sha.update("\u{1e}");
    }
    sha.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Opens the PostgreSQL door of an engine; its port.
pub(crate) async fn door(engine: Engine) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let login =
        Login { name: "bench".into(), password: super::PASSWORD.parse().unwrap(), administrator: true };
    let config = PostgresConfig { listen: address, ..PostgresConfig::default() };
    tokio::spawn(serve(listener, engine, vec![login], config, CancellationToken::new()));
    address.port()
}
