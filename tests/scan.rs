//! What a scan promises: each record once, whatever the pages are like and whatever happens meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::StreamExt;
use kintone_sql::engine::{Engine, Session, User};
use kintone_sql::error::Kind;
use serde_json::{Value, json};

use crate::support::proxy::Proxy;
use crate::support::world::{World, engine_with, run};

/// An app whose records have these ids.
fn fixture(ids: impl Iterator<Item = u64>) -> Value {
    let record = |id: u64| {
        json!({"$id": id.to_string(), "n": (id % 10).to_string(), "s": format!("s{}", id % 3),
               "T": [{"value": {"c": "a"}}, {"value": {"c": "b"}}]})
    };
    let records: Vec<Value> = ids.map(record).collect();
    json!({
        "users": [{"code": "demo", "password": "demo"}],
        "apps": [{
            "app": {"appId": 1, "code": "T"},
            "form": {"properties": {
                "n": {"type": "NUMBER"},
                "s": {"type": "SINGLE_LINE_TEXT"},
                "T": {"type": "SUBTABLE", "fields": {"c": {"type": "SINGLE_LINE_TEXT"}}}
            }},
            "records": records
        }]
    })
}

/// An engine that may have 50 requests under way.
fn wide(url: &str) -> Engine {
    engine_with(url, ("demo", "demo"), |config| config.max_in_flight = 50)
}

fn session(engine: &Engine, settings: &[(&str, &str)]) -> Session {
    let session = engine.session(User { name: "tester".into(), administrator: true });
    for (name, value) in settings {
        session.set(name, value).unwrap();
    }
    session
}

async fn ids(session: &Session, sql: &str) -> Vec<u64> {
    let answer = run(session, sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    answer.rows.iter().map(|row| row[0].as_deref().unwrap().parse().unwrap()).collect()
}

fn sorted(mut ids: Vec<u64>) -> Vec<u64> {
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_chains_of_any_size_read_the_same() {
    let all: Vec<u64> = (1..=400).filter(|id| id % 3 != 0 && !(100..250).contains(id)).collect();
    let world = World::start(&fixture(all.iter().copied())).await;
    let engine = wide(&world.emulator.url());
    let some: Vec<u64> = all.iter().copied().filter(|id| id % 10 >= 5).collect();
    for page in ["1", "2", "7", "499", "500"] {
        for concurrency in ["1", "2", "8", "50"] {
            let session =
                session(&engine, &[("kintone.page_size", page), ("kintone.concurrency", concurrency)]);
            let told = format!("page {page}, concurrency {concurrency}");
            assert_eq!(sorted(ids(&session, "SELECT id FROM t").await), all, "{told}");
            assert_eq!(ids(&session, "SELECT id FROM t WHERE n >= 5 ORDER BY id").await, some, "{told}");
            let rows = ids(&session, "SELECT id FROM \"T_T\" WHERE \"RowIndex\" = 2").await;
            assert_eq!(sorted(rows), all, "{told}");
            assert_eq!(ids(&session, "SELECT id FROM t ORDER BY id LIMIT 90").await, all[..90], "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_cost_few_requests_and_order_is_kept_where_it_is_asked_for() {
    let mut random = fastrand::Rng::with_seed(3);
    for part in [1.0, 0.9, 0.5, 0.01] {
        let all: Vec<u64> = (1..).filter(|_| random.f64() < part).take(3000).collect();
        let world = World::start(&fixture(all.iter().copied())).await;
        let engine = wide(&world.emulator.url());
        for (concurrency, sql) in [
            ("10", "SELECT id FROM t"),
            ("50", "SELECT id FROM t"),
            ("10", "SELECT id FROM t ORDER BY id"),
            ("10", "SELECT id FROM t WHERE s LIKE 's%' ORDER BY id"),
        ] {
            let session =
                session(&engine, &[("kintone.page_size", "50"), ("kintone.concurrency", concurrency)]);
            world.emulator.clear_requests();
            let read = ids(&session, sql).await;
            assert!(!sql.contains("ORDER") || read == all, "{sql} with {part}");
            assert_eq!(sorted(read), all, "{sql} with {part}");
            let sent = world.record_requests().len();
            let most = if part < 1.0 { 69 } else { 60 };
            assert!(sent <= most, "{sql} with {part}, {concurrency} at once: {sent} requests for 60 pages");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_run_together_up_to_the_setting() {
    let world = World::start(&fixture(1..=2000)).await;
    world.emulator.set_latency(Duration::from_millis(20));
    let engine = wide(&world.emulator.url());
    for (concurrency, at_least) in [(1, 1), (3, 3), (20, 10)] {
        let session = session(
            &engine,
            &[("kintone.page_size", "40"), ("kintone.concurrency", &concurrency.to_string())],
        );
        world.emulator.clear_requests();
        assert_eq!(sorted(ids(&session, "SELECT id FROM t").await), (1..=2000).collect::<Vec<_>>());
        let running = world.record_requests().iter().map(|r| r.running).max().unwrap();
        assert!((at_least..=concurrency).contains(&running), "{running} at once of {concurrency}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_more_rows_ends_the_requests() {
    let world = World::start(&fixture(1..=3000)).await;
    world.emulator.set_latency(Duration::from_millis(10));
    let session = session(&wide(&world.emulator.url()), &[("kintone.page_size", "10")]);
    let mut rows = session.run("SELECT id, s FROM t").await.unwrap().rows;
    for _ in 0..3 {
        rows.next().await.unwrap().unwrap();
    }
    drop(rows);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let sent = world.record_requests().len();
    assert!(sent < 100, "{sent} of 300 pages for three of them");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.record_requests().len(), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_nobody_takes_are_not_read_ahead_without_bound() {
    let world = World::start(&fixture(1..=3000)).await;
    let session =
        session(&wide(&world.emulator.url()), &[("kintone.page_size", "10"), ("kintone.concurrency", "4")]);
    for sql in ["SELECT id FROM t", "SELECT id FROM t ORDER BY id"] {
        world.emulator.clear_requests();
        let mut rows = session.run(sql).await.unwrap().rows;
        rows.next().await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let sent = world.record_requests().len();
        assert!(sent <= 2 + 4 * 4, "{sql}: {sent} pages for one that was taken");
        drop(rows);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_one_chain_ends_them_all() {
    let world = World::start(&fixture(1..=3000)).await;
    let proxy = Proxy::start(world.emulator.url(), |number, _, _, status, body| match number {
        12 => (400, json!({"code": "GAIA_XX01", "id": "1", "message": "No more."}).to_string()),
        _ => (status, body),
    })
    .await;
    let session = session(&wide(&proxy.url()), &[("kintone.page_size", "20")]);
    let error = run(&session, "SELECT id, s FROM t").await.unwrap_err();
    assert_eq!((error.kind, error.message.contains("No more.")), (Kind::BadUpstream, true), "{error:?}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let sent = proxy.seen().len();
    assert!(sent < 100, "{sent} of 150");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(proxy.seen().len(), sent);
}

/// Takes a field out of every record of a page.
fn without(body: &str, field: &str) -> String {
    let mut page: Value = serde_json::from_str(body).unwrap();
    for record in page["records"].as_array_mut().unwrap() {
        record.as_object_mut().unwrap().shift_remove(field);
    }
    page.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_goes_away_under_the_scan_is_an_error() {
    let world = World::start(&fixture(1..=300)).await;
    let gone = Arc::new(AtomicBool::new(false));
    let proxy = Proxy::start(world.emulator.url(), move |number, path, _, status, body| match number {
        5.. => {
            gone.store(true, Ordering::SeqCst);
            (status, without(&body, "s"))
        }
        _ if gone.load(Ordering::SeqCst) && path.ends_with("form/fields.json") => {
            let mut form: Value = serde_json::from_str(&body).unwrap();
            form["revision"] = json!("99");
            (status, form.to_string())
        }
        _ => (status, body),
    })
    .await;
    let session = session(&wide(&proxy.url()), &[("kintone.page_size", "20")]);
    let error = run(&session, "SELECT id, s FROM t").await.unwrap_err();
    assert!(error.message.contains("the form changed while it was read: records lack s"), "{error:?}");
    assert_eq!(error.hint.as_deref(), Some("Run the statement again."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_field_is_null_and_costs_two_looks_at_the_form() {
    let world = World::start(&fixture(1..=100)).await;
    let proxy = Proxy::start(world.emulator.url(), |number, _, _, status, body| match number {
        1.. => (status, without(&body, "s")),
        _ => (status, body),
    })
    .await;
    let session = session(&wide(&proxy.url()), &[("kintone.page_size", "20")]);
    let looks = || proxy.seen().iter().filter(|path| path.ends_with("form/fields.json")).count();
    run(&session, "SELECT id FROM t LIMIT 0").await.unwrap();
    let before = looks();
    let answer = run(&session, "SELECT s FROM t").await.unwrap();
    assert!(answer.rows.len() == 100 && answer.rows.iter().all(|row| row[0].is_none()));
    assert_eq!(looks(), before + 2);
    // Who does not ask for it pays nothing.
    run(&session, "SELECT n FROM t").await.unwrap();
    assert_eq!(looks(), before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_was_deleted_before_the_scan_is_an_error() {
    let world = World::start(&fixture(1..=100)).await;
    let changed = Arc::new(AtomicBool::new(false));
    let proxy = {
        let changed = Arc::clone(&changed);
        Proxy::start(world.emulator.url(), move |number, path, _, status, body| {
            match (changed.load(Ordering::SeqCst), number) {
                (true, 1..) => (status, without(&body, "s")),
                (true, _) if path.ends_with("form/fields.json") => {
                    let mut form: Value = serde_json::from_str(&body).unwrap();
                    form["revision"] = json!("99");
                    form["properties"].as_object_mut().unwrap().shift_remove("s");
                    (status, form.to_string())
                }
                _ => (status, body),
            }
        })
        .await
    };
    let session = session(&wide(&proxy.url()), &[]);
    assert_eq!(run(&session, "SELECT s FROM t").await.unwrap().rows.len(), 100);
    changed.store(true, Ordering::SeqCst);
    let error = run(&session, "SELECT s FROM t").await.unwrap_err();
    assert!(error.message.contains("records lack s"), "{error:?}");
    // The form is read anew.
    let error = run(&session, "SELECT s FROM t").await.unwrap_err();
    assert_eq!(error.kind, Kind::UndefinedColumn, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_refused_as_soon_as_their_number_is_known() {
    let world = World::start(&fixture(1..=2000)).await;
    let settings = [("kintone.page_size", "20"), ("kintone.max_requests", "30")];
    let session = session(&wide(&world.emulator.url()), &settings);
    let error = run(&session, "SELECT id, s FROM t").await.unwrap_err();
    assert_eq!(error.kind, Kind::RateLimited);
    let expect = "the statement needs about 100 Kintone requests, kintone.max_requests is 30";
    assert_eq!(error.message, expect);
    assert!(error.hint.unwrap().contains("raise kintone.max_requests"));
    assert!(world.record_requests().len() <= 3, "{:#?}", world.record_requests());
    // A limit keeps within it.
    world.emulator.clear_requests();
    assert_eq!(run(&session, "SELECT id FROM t LIMIT 100").await.unwrap().rows.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_ends_a_scan_early() {
    let world = World::start(&fixture(1..=2000)).await;
    let session = session(&wide(&world.emulator.url()), &[("kintone.page_size", "20")]);
    for (sql, rows, most) in [
        ("SELECT id FROM t LIMIT 20", 20, 1),
        ("SELECT id FROM t LIMIT 30", 30, 2),
        ("SELECT id FROM t LIMIT 300", 300, 16),
        ("SELECT id FROM t LIMIT 300 OFFSET 40", 300, 18),
        // Not a filter for Kintone: half of the rows are left out here. Three pages hold enough; as many may be
        // under way when that is seen, and the last one besides.
        ("SELECT id FROM t WHERE id % 2 = 0 LIMIT 10", 10, 3),
        ("SELECT id FROM t WHERE id % 2 = 0 LIMIT 25", 25, 7),
        ("SELECT id FROM t WHERE id % 2 = 0 ORDER BY id LIMIT 25", 25, 7),
    ] {
        world.emulator.clear_requests();
        let read = ids(&session, sql).await;
        let step = if sql.contains('%') { 2 } else { 1 };
        let skip = if sql.contains("OFFSET") { 40 } else { 0 };
        let expect: Vec<u64> = (1..=rows).map(|i| skip + i * step).collect();
        assert_eq!(read, expect, "{sql}");
        let sent = world.record_requests().len();
        assert!(sent <= most, "{sql}: {sent} requests");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_tells_what_is_sent_and_analyze_what_was() {
    let world = World::start(&fixture(1..=1200)).await;
    let session = session(&wide(&world.emulator.url()), &[]);
    let text = |answer: crate::support::world::Answer| -> String {
        let lines: Vec<String> = answer.rows.into_iter().map(|row| row[0].clone().unwrap()).collect();
        lines.join("\n")
    };
    let sql = "SELECT id FROM t WHERE n > 3 AND s LIKE 's%'";
    let plan = text(run(&session, &format!("EXPLAIN {sql}")).await.unwrap());
    for line in [
        "path: GET /k/v1/records.json",
        "query: n > \"3\" order by $id asc limit 500",
        "fields: $id, s",
        "requests: unknown (not counted yet; 500 a page, up to 50 at once by $id, in any order)",
        "exact: n > 3",
        "local: s LIKE s%",
    ] {
        assert!(plan.lines().any(|l| l.trim().starts_with(line)), "{line} is not in\n{plan}");
    }
    assert!(plan.lines().all(|line| line.chars().count() <= 98), "{plan}");
    let ran = text(run(&session, &format!("EXPLAIN ANALYZE {sql}")).await.unwrap());
    for part in ["sent: 2 requests, 720 records, ", " ms waiting for Kintone, ", "rows: 720", "\nRows: 720\n"]
    {
        assert!(ran.contains(part), "{part} is not in\n{ran}");
    }
    let plan = text(run(&session, &format!("EXPLAIN {sql}")).await.unwrap());
    assert!(plan.contains("requests: about 2 (720 records, 500 a page"), "{plan}");
    world.emulator.clear_requests();
    run(&session, "EXPLAIN SELECT * FROM t ORDER BY id").await.unwrap();
    assert!(world.record_requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_bound_of_time_ends_each_records_comments() {
    let comments: BTreeMap<String, Value> = (1..=5)
        .map(|record| {
            let comments: Vec<Value> = (1..=40)
                .map(|n| json!({"text": format!("{n}"), "createdAt": format!("2026-03-{:02}T00:00:00Z", 1 + n / 2)}))
                .collect();
            (record.to_string(), Value::from(comments))
        })
        .collect();
    let mut world = fixture(1..=5);
    world["apps"][0]["comments"] = json!(comments);
    let world = World::start(&world).await;
    let session = world.session();
    let calls = || world.emulator.requests().iter().filter(|r| r.path.ends_with("comments.json")).count();
    let sql =
        "SELECT \"RecordId\", \"Id\" FROM comments WHERE AppId = 1 AND CreatedAt >= '2026-03-20T00:00:00Z'";
    let answer = run(&session, sql).await.unwrap();
    let first: Vec<Option<&str>> = answer.rows[0].iter().map(Option::as_deref).collect();
    assert_eq!((answer.rows.len(), first), (15, vec![Some("5"), Some("40")]));
    assert_eq!(calls(), 5);
}

/// Writes to the app as fast as it answers, at most 200 times a second, until it is told to stop.
async fn storm(url: String, stop: Arc<AtomicBool>, written: Arc<AtomicU64>, first: u64, last: u64) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{url}/k/v1/records.json");
    let login = BASE64_STANDARD.encode("demo:demo");
    let mut random = fastrand::Rng::with_seed(first);
    let mut volatile: Vec<u64> = (first..=last).filter(|id| id % 2 == 1).collect();
    let mut made = vec![];
    while !stop.load(Ordering::SeqCst) {
        let at = random.usize(..volatile.len().max(1));
        let (method, body) = match random.u8(..4) {
            0 if volatile.len() > 100 => {
                let id = volatile.swap_remove(at);
                (reqwest::Method::DELETE, json!({"app": 1, "ids": [id]}))
            }
            1 if made.len() > 50 => {
                let id: u64 = made.swap_remove(0);
                (reqwest::Method::DELETE, json!({"app": 1, "ids": [id]}))
            }
            2 => {
                let n = json!({"n": {"value": random.i32(-9..9).to_string()}});
                (reqwest::Method::PUT, json!({"app": 1, "records": [{"id": volatile[at], "record": n}]}))
            }
            _ => (reqwest::Method::POST, json!({"app": 1, "records": [{"n": {"value": "5"}}]})),
        };
        let is_post = method == reqwest::Method::POST;
        let sent = client
            .request(method, &url)
            .header("X-Cybozu-Authorization", &login)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let answer = sent.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{body}: {text}");
        if is_post {
            let reply: Value = serde_json::from_str(&text).unwrap();
            made.push(reply["ids"][0].as_str().unwrap().parse().unwrap());
        }
        written.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// `SCAN_STORM` scans (40 without it) while records come, change and go.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_stay_are_read_exactly_once_in_a_storm() {
    const RECORDS: u64 = 3000;
    let scans: usize = std::env::var("SCAN_STORM").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let world = World::start(&fixture(1..=RECORDS)).await;
    let engine = wide(&world.emulator.url());
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let third = RECORDS / 3;
    let writers: Vec<_> = (0..3)
        .map(|i| {
            let (stop, written) = (Arc::clone(&stop), Arc::clone(&written));
            tokio::spawn(storm(world.emulator.url(), stop, written, i * third + 1, (i + 1) * third))
        })
        .collect();
    let stable: Vec<u64> = (1..=RECORDS).filter(|id| id % 2 == 0).collect();
    for scan in 0..scans {
        let page = ["20", "50", "125", "500"][scan % 4];
        let concurrency = ["10", "50", "3"][scan % 3];
        let settings = [("kintone.page_size", page), ("kintone.concurrency", concurrency)];
        let session = session(&engine, &settings);
        let filtered = scan % 2 == 1;
        let sql = match scan % 8 {
            0 | 4 => "SELECT id FROM t",
            2 | 6 => "SELECT id FROM t ORDER BY id",
            1 | 5 => "SELECT id FROM t WHERE n >= 5",
            _ => "SELECT id FROM t WHERE n >= 5 ORDER BY id",
        };
        let read = ids(&session, sql).await;
        assert!(!sql.contains("ORDER") || read.is_sorted(), "{sql}");
        let read = sorted(read);
        let twice: Vec<_> = read.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{sql}, page {page}, {concurrency} at once: read twice {twice:?}");
        let expect = stable.iter().filter(|id| !filtered || **id % 10 >= 5);
        let lost: Vec<_> = expect.filter(|id| read.binary_search(id).is_err()).collect();
        assert!(lost.is_empty(), "{sql}, page {page}, {concurrency} at once: lost {lost:?}");
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    println!("{scans} scans, {} writes", written.load(Ordering::SeqCst));
    assert!(written.load(Ordering::SeqCst) as usize >= scans);
}
