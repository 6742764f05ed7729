//! What EXPLAIN ANALYZE counts is what Kintone answered.

use std::time::Duration;

use kintone_sql::emulator::{Fault, When};
use kintone_sql::engine::{Engine, User};
use serde_json::{Value, json};

use crate::support::world::{World, engine_with, run};

const ROWS: u64 = 2600;

fn fixture() -> Value {
    let record = |n: u64| json!({"n": n.to_string(), "d": if n.is_multiple_of(2) { "x" } else { "y" }});
    json!({
        "users": [{"code": "demo", "password": "demo"}],
        "apps": [{
            "app": {"appId": 1, "code": "T"},
            "form": {"properties": {
                "n": {"type": "NUMBER"},
                "d": {"type": "DROP_DOWN", "options": ["x", "y"]}
            }},
            "records": (1..=ROWS).map(record).collect::<Vec<_>>()
        }]
    })
}

/// An engine that tries again almost at once.
fn engine(world: &World) -> Engine {
    engine_with(&world.emulator.url(), ("demo", "demo"), |config| {
        config.retry.base = Duration::from_millis(1);
    })
}

async fn analyzed(engine: &Engine, sql: &str) -> Vec<String> {
    let session = engine.session(User { name: "tester".into(), administrator: true });
    let answer = run(&session, &format!("EXPLAIN ANALYZE {sql}")).await.unwrap();
    answer.rows.into_iter().map(|row| row[0].clone().unwrap()).collect()
}

/// The number before a word in the line that begins so; 0 where it is not there.
fn number(lines: &[String], begin: &str, word: &str) -> u64 {
    let line = lines.iter().find(|line| line.trim_start().starts_with(begin)).unwrap();
    let words: Vec<&str> = line.split([' ', '(', ')']).map(|w| w.trim_end_matches(',')).collect();
    let at = words.iter().position(|w| w.strip_suffix('s').unwrap_or(w) == word);
    at.map_or(0, |at| words[at - 1].replace(',', "").parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_is_counted_as_sent_and_its_repetition_as_a_retry() {
    let world = World::start(&fixture()).await;
    let engine = engine(&world);
    // The second time it is known how many records there are: no request is on trial.
    let sql = "SELECT * FROM t";
    analyzed(&engine, sql).await;
    for fault in [Fault::TooManyRequests, Fault::Page { status: 503, applied: false }, Fault::LockFailed] {
        for times in [0, 1, 2] {
            world.emulator.clear_requests();
            if times > 0 {
                let when = When::next().at("records.json").times(times);
                world.emulator.fault(when, fault.clone());
            }
            let lines = analyzed(&engine, sql).await;
            let (sent, totals) = (world.record_requests(), world.emulator.totals());
            // The bodies of refusals are no answers.
            let answers: Vec<_> = sent.iter().filter(|request| request.status == 200).collect();
            let records: u64 = answers.iter().map(|request| request.rows).sum();
            let bytes: u64 = answers.iter().map(|request| request.bytes).sum();
            assert_eq!(totals.faulty, times, "{fault:?}");
            for begin in ["sent: ", "Kintone: "] {
                let told = ["request", "retrie", "record", "byte"].map(|word| number(&lines, begin, word));
                let retries = told[1] + number(&lines, begin, "retry");
                assert_eq!(
                    (told[0], retries, told[2], told[3]),
                    (sent.len() as u64, times, records, bytes),
                    "{fault:?}, {times} times\n{}",
                    lines.join("\n")
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_tells_what_it_took_and_the_end_sums_it_up() {
    let world = World::start(&fixture()).await;
    let engine = engine(&world);
    for (sql, nodes) in [
        ("SELECT count(*) FROM t", 1),
        ("SELECT min(n), max(n), count(*) FROM t", 1),
        ("SELECT n FROM t ORDER BY n DESC LIMIT 3", 1),
        ("SELECT d, count(*) FROM t GROUP BY d", 1),
        ("SELECT a.n FROM t a JOIN t b ON a.n = b.n WHERE a.id < 3 AND b.id < 3", 2),
        ("SELECT \"AppId\" FROM \"Comments\" WHERE \"AppId\" = 1 AND \"RecordId\" = 1", 1),
    ] {
        world.emulator.clear_requests();
        let lines = analyzed(&engine, sql).await;
        let text = lines.join("\n");
        assert!(lines.iter().all(|line| line.chars().count() <= 98), "{text}");
        let of_nodes: Vec<_> = lines.iter().filter(|l| l.trim_start().starts_with("sent: ")).collect();
        assert_eq!(of_nodes.len(), nodes, "{text}");
        let told: u64 = of_nodes.iter().map(|line| number(&[(*line).clone()], "sent: ", "request")).sum();
        assert_eq!(told, number(&lines, "Kintone: ", "request"), "{text}");
        let calls = world.emulator.requests();
        let sent = calls.iter().filter(|r| r.path.ends_with("records.json") || r.path.contains("comments"));
        assert_eq!(told, sent.count() as u64, "{text}");
        assert!(lines.last().unwrap().starts_with("Time: "), "{text}");
    }
}
