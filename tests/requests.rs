//! What a statement costs: requests for records, counted by the Kintone that answered them.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use kintone_sql::emulator::{Fault, When};
use serde_json::{Value, json};

use crate::support::world::{World, run};

/// An app of so many records, and one with a table field.
fn fixture(records: u64) -> Value {
    let record = |n: u64| {
        let option = ["x", "y", ""][(n % 3) as usize];
        json!({"n": n.to_string(), "s": format!("s{}", n % 7), "d": option})
    };
    let records: Vec<Value> = (1..=records).map(record).collect();
    json!({
        "users": [{"code": "demo", "password": "demo"}],
        "apps": [{
            "app": {"appId": 1, "code": "T"},
            "form": {"properties": {
                "n": {"type": "NUMBER"},
                "s": {"type": "SINGLE_LINE_TEXT"},
                "d": {"type": "DROP_DOWN", "options": ["x", "y"]}
            }},
            "records": records
        }]
    })
}

#[tokio::test]
async fn a_statement_sends_no_more_requests_than_its_answer_needs() {
    const ROWS: u64 = 1700;
    let world = World::start(&fixture(ROWS)).await;
    let session = world.session();
    run(&session, "SELECT 1 FROM t LIMIT 0").await.unwrap();
    // (statement, at most so many requests, rows of the answer, its first value)
    for (sql, most, rows, first) in [
        ("SELECT count(*) FROM t", 1, 1, "1700"),
        ("SELECT count(*) FROM t WHERE n > 100", 1, 1, "1600"),
        ("SELECT count(*) FROM t WHERE d = 'x'", 1, 1, "566"),
        ("SELECT * FROM t LIMIT 10", 1, 10, "1"),
        ("SELECT n FROM t WHERE n >= 1000 LIMIT 10", 1, 10, "1000"),
        ("SELECT id FROM t ORDER BY id LIMIT 10", 1, 10, "1"),
        ("SELECT id FROM t ORDER BY id LIMIT 10 OFFSET 20", 1, 10, "21"),
        ("SELECT n FROM t WHERE \"$id\" = 5", 1, 1, "5"),
        ("SELECT n FROM t WHERE id IN (5, 6, 7)", 1, 3, "5"),
        ("SELECT n FROM t WHERE d = 'no such option'", 0, 0, ""),
        ("SELECT n FROM t WHERE n = NULL", 0, 0, ""),
        ("SELECT id FROM t", ROWS.div_ceil(500), 1700, "1"),
        ("SELECT id FROM t ORDER BY id", ROWS.div_ceil(500), 1700, "1"),
        ("SELECT id FROM t WHERE n > 100", 1600_u64.div_ceil(500), 1600, "101"),
        ("SELECT id FROM t LIMIT 1200", 3, 1200, "1"),
        ("SELECT id FROM t WHERE s LIKE 's%' LIMIT 10", 1, 10, "1"),
        ("SELECT count(*) FROM (SELECT id FROM t ORDER BY id LIMIT 700) x WHERE id <= 700", 2, 1, "700"),
        ("SELECT sum(n) FROM t", ROWS.div_ceil(500), 1, "1445850"),
        ("SELECT id FROM t WHERE s = 's3' ORDER BY id", 1, 243, "3"),
        // The first of an order: one request where SQL and Kintone agree on NULL, else at most two.
        ("SELECT id FROM t ORDER BY id DESC LIMIT 10", 1, 10, "1700"),
        ("SELECT n FROM t ORDER BY n NULLS FIRST, id LIMIT 10", 2, 10, "1"),
        ("SELECT n FROM t ORDER BY n DESC NULLS LAST LIMIT 10", 1, 10, "1700"),
        ("SELECT n FROM t ORDER BY n LIMIT 10", 1, 10, "1"),
        ("SELECT n FROM t ORDER BY n DESC LIMIT 10", 2, 10, "1700"),
        ("SELECT n FROM t WHERE n >= 5 ORDER BY n DESC LIMIT 10 OFFSET 2", 1, 10, "1698"),
        ("SELECT n FROM t WHERE n IS NOT NULL ORDER BY n DESC LIMIT 10", 1, 10, "1700"),
        ("SELECT n + 1 FROM t WHERE n > 5 ORDER BY n DESC LIMIT 1", 1, 1, "1701"),
        ("SELECT s FROM t ORDER BY s NULLS FIRST LIMIT 3", 1, 3, "s0"),
        ("SELECT min(n), max(n) FROM t", 2, 1, "1"),
        ("SELECT max(n), count(*) FROM t WHERE d = 'x'", 2, 1, "1698"),
        ("SELECT min(n) FROM t WHERE n < 0", 1, 1, ""),
        ("SELECT max(id), min(created) FROM (SELECT id, 作成日時 AS created FROM t)", 2, 1, "1700"),
        ("SELECT d, count(*) FROM t GROUP BY d ORDER BY d NULLS FIRST", 4, 3, ""),
        ("SELECT DISTINCT d FROM t WHERE n > 0 ORDER BY d", 4, 3, "x"),
        ("SELECT d, count(*) FROM t WHERE n < 3 GROUP BY d ORDER BY d", 2, 2, "y"),
        ("SELECT a.id FROM t a JOIN t b ON a.id = b.id WHERE a.id < 3 AND b.id < 3", 2, 2, "1"),
    ] {
        world.emulator.clear_requests();
        let answer = run(&session, sql).await.unwrap();
        let sent = world.record_requests();
        assert!(sent.len() as u64 <= most, "{sql}: {} requests: {sent:#?}", sent.len());
        let value = answer.rows.first().and_then(|row| row[0].as_deref()).unwrap_or_default();
        assert_eq!((answer.rows.len(), value), (rows, first), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_an_app_that_is_known_to_be_large_are_counted_in_one_round_trip() {
    let world = World::start(&fixture(2600)).await;
    let session = world.session();
    let sql = "SELECT d, count(*) FROM t GROUP BY d ORDER BY d";
    let counted = run(&session, sql).await.unwrap();
    world.emulator.clear_requests();
    // The total, each of two options, and none of them: no answer before all are asked for.
    let asked = Arc::new((Mutex::new(0), Condvar::new()));
    let meeting = Arc::clone(&asked);
    let wait = move || {
        let (count, changed) = &*meeting;
        let mut count = count.lock().unwrap();
        *count += 1;
        changed.notify_all();
        let met = changed.wait_timeout_while(count, Duration::from_secs(60), |n| *n < 4).unwrap();
        assert!(!met.1.timed_out());
    };
    world.emulator.fault(When::next().at("records.json").times(4), Fault::meanwhile(move |_| wait()));
    assert_eq!(counted.rows, run(&session, sql).await.unwrap().rows);
    assert_eq!(*asked.0.lock().unwrap(), 4);
    assert_eq!(world.record_requests().len(), 4);
    let plan = run(&session, &format!("EXPLAIN {sql}")).await.unwrap().rows.concat();
    let plan: Vec<&str> = plan.iter().map(|line| line.as_deref().unwrap().trim()).collect();
    assert!(plan.contains(&"requests: 4 at once (totalCount, and of each option)"), "{plan:#?}");
}

#[tokio::test]
async fn planning_and_explain_send_no_request_for_records() {
    let world = World::start(&fixture(3)).await;
    let session = world.session();
    for sql in ["EXPLAIN SELECT * FROM t WHERE n > 1", "EXPLAIN SELECT count(*) FROM t"] {
        run(&session, sql).await.unwrap();
        assert!(world.record_requests().is_empty(), "{sql}");
    }
}

#[tokio::test]
async fn a_scan_of_no_multiple_of_a_page_and_of_one_reads_every_record_once() {
    for rows in [0, 1, 499, 500, 501, 1000] {
        let world = World::start(&fixture(rows)).await;
        let answer = run(&world.session(), "SELECT id FROM t").await.unwrap();
        let ids: Vec<u64> = answer.rows.iter().map(|r| r[0].as_deref().unwrap().parse().unwrap()).collect();
        assert_eq!(ids, (1..=rows).collect::<Vec<_>>());
        assert!(world.record_requests().len() as u64 <= rows.div_ceil(500).max(1) + 1);
        // A last page that turned out needless may still be on its way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        // The second time the number of records is known.
        world.emulator.clear_requests();
        run(&world.session(), "SELECT id FROM t").await.unwrap();
        // A full page may have one after it, whatever was counted.
        let more = u64::from(rows == 500);
        assert_eq!(world.record_requests().len() as u64, rows.div_ceil(500).max(1) + more);
    }
}

#[tokio::test]
async fn pushdown_off_asks_for_every_record() {
    let world = World::start(&fixture(1200)).await;
    let session = world.session();
    run(&session, "SET kintone.pushdown = off").await.unwrap();
    let answer = run(&session, "SELECT id FROM t WHERE n = 3 AND d = 'x'").await.unwrap();
    assert_eq!(answer.rows, [[Some("3".to_owned())]]);
    let sent = world.record_requests();
    // The last page may overlap the one before it.
    assert!(sent.len() == 3 && sent.iter().map(|request| request.rows).sum::<u64>() >= 1200, "{sent:#?}");
    assert!(sent.iter().all(|r| !r.query.as_deref().unwrap_or_default().contains("n =")), "{sent:#?}");
}

#[tokio::test]
async fn each_rule_can_be_off() {
    let world = World::start(&fixture(1700)).await;
    let session = world.session();
    run(&session, "SELECT 1 FROM t LIMIT 0").await.unwrap();
    for (rule, sql) in [
        ("filter", "SELECT id FROM t WHERE n = 3"),
        ("limit", "SELECT id FROM t LIMIT 1"),
        ("count", "SELECT count(*) FROM t"),
        ("top_k", "SELECT id FROM t ORDER BY n LIMIT 1"),
        ("min_max", "SELECT min(n) FROM t"),
        ("group", "SELECT DISTINCT d FROM t"),
    ] {
        let mut sent = vec![];
        for rules in ["on", "off", rule] {
            run(&session, &format!("SET kintone.pushdown = '{rules}'")).await.unwrap();
            world.emulator.clear_requests();
            run(&session, sql).await.unwrap();
            sent.push(world.record_requests().iter().map(|request| request.rows).sum::<u64>());
        }
        assert!(sent[0] < sent[1] && sent[2] < sent[1], "{rule}: rows read {sent:?}");
    }
}
