//! A full scan through the whole engine, SQL in and Arrow out, against the embedded Kintone.
//!
//! `cargo bench --bench scan` reads 100,000 records of 14 fields; `SCAN_RECORDS` takes another number. Each line is
//! one combination of latency and requests at once: median of three runs, rows a second, requests.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench may fail and prints"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use kintone_sql::emulator::{Emulator, Fixture, Options};
use kintone_sql::engine::{Engine, EngineConfig, User};
use kintone_sql::kintone::{Client, ClientConfig, Credentials, Secret};
use serde_json::{Value, json};

fn fixture(records: u64) -> Value {
    let record = |n: u64| {
        let rank = ["A", "B", ""][usize::try_from(n % 3).unwrap()];
        json!({
            "会社名": format!("株式会社 {n}"), "備考": "一行目\n二行目", "金額": (n * 1000).to_string(),
            "数量": (n % 100).to_string(), "ランク": rank,
            "タグ": ["重要"], "受注日": "2026-04-24", "予定": "2026-04-24T12:00:00Z", "開始": "09:30"
        })
    };
    json!({
        "users": [{"code": "demo", "password": "demo"}],
        "apps": [{
            "app": {"appId": 1, "code": "T"},
            "form": {"properties": {
                "会社名": {"type": "SINGLE_LINE_TEXT"}, "備考": {"type": "MULTI_LINE_TEXT"},
                "金額": {"type": "NUMBER"}, "数量": {"type": "NUMBER"},
                "ランク": {"type": "DROP_DOWN", "options": ["A", "B"]},
                "タグ": {"type": "CHECK_BOX", "options": ["重要"]},
                "受注日": {"type": "DATE"}, "予定": {"type": "DATETIME"}, "開始": {"type": "TIME"}
            }},
            "records": (1..=records).map(record).collect::<Vec<_>>()
        }]
    })
}

/// Fourteen columns: two of the record, nine fields, three of the system.
const SQL: &str = "SELECT \"$id\", \"$revision\", 会社名, 備考, 金額, 数量, ランク, タグ, 受注日, 予定, 開始, \
                   作成者, 作成日時, 更新日時 FROM t";

async fn once(emulator: &Emulator, concurrency: usize, records: u64) -> (Duration, usize) {
    let credentials = Credentials::Password { user: "demo".into(), password: Secret::new("demo") };
    let mut config = ClientConfig::new("public", emulator.url().parse().unwrap(), credentials);
    config.max_in_flight = concurrency;
    let engine = Engine::new(EngineConfig::default(), vec![Client::new(config).unwrap()]).unwrap();
    let session = engine.session(User { name: "bench".into(), administrator: true });
    session.run("SELECT 1 FROM t LIMIT 0").await.unwrap();
    emulator.clear_requests();
    let started = Instant::now();
    let mut rows = session.run(SQL).await.unwrap().rows;
    let mut read = 0;
    while let Some(batch) = rows.try_next().await.unwrap() {
        read += batch.num_rows();
    }
    let took = started.elapsed();
    assert_eq!(u64::try_from(read).unwrap(), records);
    (took, emulator.requests().len())
}

fn main() {
    let records = std::env::var("SCAN_RECORDS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let world = Arc::new(Fixture::from_json(&fixture(records)).unwrap());
        let emulator = Emulator::start(world, Options::default()).await.unwrap();
        println!("{records} records, 14 columns");
        for (latency, concurrency) in [(200, 10), (200, 50), (0, 10), (0, 50)] {
            emulator.set_latency(Duration::from_millis(latency));
            let mut runs = vec![];
            for _ in 0..3 {
                runs.push(once(&emulator, concurrency, records).await);
            }
            runs.sort();
            let (took, requests) = runs[1];
            let rate = records as f64 / took.as_secs_f64();
            println!(
                "{latency} ms, {concurrency} at once: {took:.2?}, {rate:.0} rows/s, {requests} requests"
            );
        }
        emulator.stop().await;
    });
}
