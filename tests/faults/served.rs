//! Each fault as it comes over the wire, and what is true in the store afterwards.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kintone_sql::emulator::{Emulator, Fault, Fixture, Options, Plan, When};
use serde_json::{Value, json};

use super::wire::{Raw, call, get, gunzip};

/// A hundred records of a number and a text.
pub(super) fn world() -> Value {
    let records: Vec<Value> = (1..=100)
        .map(|n| json!({"n": {"value": n.to_string()}, "t": {"value": format!("text {n}")}}))
        .collect();
    json!({
        "users": [{"code": "sato", "name": "佐藤", "password": "pw"}],
        "apps": [{
            "app": {"appId": 1},
            "apiTokens": ["token"],
            "form": {"properties": {"n": {"type": "NUMBER"}, "t": {"type": "SINGLE_LINE_TEXT"}}},
            "records": records
        }]
    })
}

async fn start() -> Emulator {
    let world = Arc::new(Fixture::from_json(&world()).unwrap());
    Emulator::start(world, Options::default()).await.unwrap()
}

const PAGE: &str = "records.json?app=1&query=order+by+$id+asc+limit+10";

async fn page(emulator: &Emulator, fault: Fault) -> Raw {
    emulator.fault(When::next(), fault);
    get(emulator.port(), PAGE, "").await
}

async fn insert(emulator: &Emulator, fault: Fault) -> Raw {
    emulator.fault(When::next().method("POST").at("record.json"), fault);
    let body = json!({"app": 1, "record": {"t": {"value": "new"}}});
    call(emulator.port(), "POST", "record.json", &body).await
}

#[tokio::test]
async fn refusals_and_pages_come_instead_of_the_answer() {
    let emulator = start().await;
    for (fault, expected) in [
        (Fault::TooManyRequests, "429 GAIA_TO04"),
        (Fault::LockFailed, "400 GAIA_DA02"),
        (Fault::LockTimeout, "400 GAIA_RE18"),
        (Fault::CursorsTaken, "429 GAIA_TM12"),
        (Fault::Page { status: 502, applied: false }, "502 html"),
        (Fault::Page { status: 503, applied: false }, "503 html"),
        (Fault::Page { status: 504, applied: false }, "504 html"),
        (Fault::Page { status: 520, applied: false }, "520 html"),
        (Fault::LoginPage, "200 html"),
    ] {
        let name = fault.name();
        assert_eq!(insert(&emulator, fault).await.outcome(), expected);
        assert_eq!(emulator.backdoor().records(1).len(), 100, "{name}");
        assert_eq!(emulator.requests().last().unwrap().faults, [name]);
        // It was for one request.
        assert_eq!(get(emulator.port(), PAGE, "").await.outcome(), "200");
    }
    let totals = emulator.totals();
    assert_eq!((totals.requests, totals.faulty), (18, 9));
    assert_eq!(totals.bytes, emulator.requests().iter().map(|request| request.bytes).sum::<u64>());
}

#[tokio::test]
async fn a_write_is_done_or_not_before_the_connection_is_lost() {
    let emulator = start().await;
    for (fault, outcome, records) in [
        (Fault::Reset { applied: false }, "0", 100),
        (Fault::Reset { applied: true }, "0", 101),
        (Fault::Page { status: 504, applied: true }, "504 html", 102),
        (Fault::CutBody(0), "200", 103),
        (Fault::CutChunked(5), "200", 104),
    ] {
        let name = fault.name();
        let reset = matches!(fault, Fault::Reset { .. });
        let raw = insert(&emulator, fault).await;
        assert_eq!(raw.status().to_string(), outcome.split(' ').next().unwrap(), "{name}");
        assert_eq!(raw.end, reset.then_some(ErrorKind::ConnectionReset), "{name}");
        assert_eq!(emulator.backdoor().records(1).len(), records, "{name}");
        assert_eq!(emulator.requests().last().unwrap().faults, [name]);
    }
}

#[tokio::test]
async fn bodies_are_cut_slow_and_compressed() {
    let emulator = start().await;
    let whole = get(emulator.port(), PAGE, "").await;
    let length = whole.body().len();
    for at in [0, 1, 7, length - 1, length, usize::MAX] {
        let cut = page(&emulator, Fault::CutBody(at)).await;
        assert_eq!(cut.header("content-length"), Some(length.to_string().as_str()));
        assert_eq!(cut.body(), &whole.body()[..at.min(length - 1)]);
        let chunked = page(&emulator, Fault::CutChunked(at)).await;
        assert_eq!(chunked.header("transfer-encoding"), Some("chunked"));
        // The last chunk, of no bytes, is missing.
        assert!(!chunked.body().ends_with(b"0\r\n\r\n"));
        assert_eq!(chunked.body().is_empty(), at == 0);
    }
    let slow = page(&emulator, Fault::SlowBody { bytes: 500, every: Duration::from_millis(1) }).await;
    assert_eq!(slow.json(), whole.json());
    let late = page(&emulator, Fault::SlowStart(Duration::from_millis(5))).await;
    assert_eq!(late.json(), whole.json());

    // By size, unless a fault decides.
    let gzip = "Accept-Encoding: gzip\r\n";
    let short = "records.json?app=1&query=%24id+%3D+0";
    assert_eq!(get(emulator.port(), PAGE, gzip).await.header("content-encoding"), Some("gzip"));
    assert_eq!(get(emulator.port(), short, gzip).await.header("content-encoding"), None);
    emulator.fault(When::next(), Fault::Gzip(true));
    let forced = get(emulator.port(), short, gzip).await;
    assert_eq!(forced.header("content-encoding"), Some("gzip"));
    assert_eq!(gunzip(forced.body()), b"{\"records\":[],\"totalCount\":null}");
    emulator.fault(When::next(), Fault::Gzip(false));
    assert_eq!(get(emulator.port(), PAGE, gzip).await.body(), whole.body());
    let bomb = page(&emulator, Fault::GzipBomb(3_000_000)).await;
    assert!(bomb.body().len() < 50_000);
    assert_eq!(gunzip(bomb.body()).len(), 3_000_000 + "{\"records\":[".len());
}

#[tokio::test]
async fn a_search_may_stop_early() {
    let emulator = start().await;
    let cut = page(&emulator, Fault::SearchAborted(3)).await;
    assert_eq!(cut.header("x-cybozu-warning"), Some("Filter aborted because of too many search results"));
    assert_eq!(cut.json()["records"].as_array().unwrap().len(), 3);
    // Answers that have no records stay.
    emulator.fault(When::next(), Fault::SearchAborted(3));
    let apps = get(emulator.port(), "apps.json", "").await;
    assert_eq!((apps.header("x-cybozu-warning"), apps.outcome()), (None, "200".to_owned()));
}

#[tokio::test]
async fn the_world_changes_between_requests() {
    let emulator = start().await;
    let hook = Fault::meanwhile(|store| {
        store.delete(1, 1).unwrap();
        store.update(1, 2, &json!({"t": {"value": "changed"}})).unwrap();
        let id = store.insert(1, &json!({"n": {"value": "7"}})).unwrap();
        assert_eq!(id, 101);
    });
    emulator.fault(When::next().method("GET").app(1).nth(2), hook);
    let first = get(emulator.port(), PAGE, "").await.json();
    let second = get(emulator.port(), PAGE, "").await.json();
    assert_eq!(first["records"][0]["$id"]["value"], "1");
    assert_eq!(second["records"][0]["$id"]["value"], "2");
    assert_eq!(second["records"][0]["t"]["value"], "changed");
    assert_eq!(emulator.backdoor().records(1).len(), 100);
    // Only what Kintone allows.
    let refused = emulator.backdoor().insert(1, &json!({"n": {"value": "x"}})).unwrap_err();
    assert_eq!(refused["code"], "CB_VA01");
    assert_eq!(emulator.backdoor().insert(9, &json!({})).unwrap_err()["code"], "GAIA_AP01");

    let cursor = call(emulator.port(), "POST", "records/cursor.json", &json!({"app": 1})).await.json();
    emulator.fault(When::next(), Fault::CursorsExpired);
    let path = format!("records/cursor.json?id={}", cursor["id"].as_str().unwrap());
    assert_eq!(get(emulator.port(), &path, "").await.outcome(), "404 GAIA_CN01");

    assert_eq!(page(&emulator, Fault::CredentialsRevoked).await.outcome(), "401 CB_WA01");
    assert_eq!(get(emulator.port(), PAGE, "").await.outcome(), "401 CB_WA01");
    emulator.heal();
    assert_eq!(get(emulator.port(), PAGE, "").await.outcome(), "200");
    assert_eq!(page(&emulator, Fault::AppDeleted).await.outcome(), "404 GAIA_AP01");
    assert_eq!(get(emulator.port(), PAGE, "").await.outcome(), "404 GAIA_AP01");
    assert!(emulator.backdoor().records(1).is_empty());
}

#[tokio::test]
async fn a_seed_spoils_requests_again_in_the_same_way() {
    let mut runs = vec![];
    for _ in 0..2 {
        let emulator = start().await;
        emulator.fault_plan(Plan::passing(3, 0.5));
        for _ in 0..40 {
            get(emulator.port(), PAGE, "").await;
        }
        let faults: Vec<_> = emulator.requests().into_iter().map(|request| request.faults).collect();
        let faulty = faults.iter().filter(|faults| !faults.is_empty()).count();
        assert!((10..=30).contains(&faulty), "{faulty}");
        runs.push(faults);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn latency_grows_with_the_requests_that_run() {
    let world = Arc::new(Fixture::from_json(&world()).unwrap());
    let (latency, latency_per_running) = (Duration::from_millis(150), Duration::from_millis(100));
    let options = Options { latency, latency_per_running, concurrency_limit: 3, ..Options::default() };
    let emulator = Emulator::start(world, options).await.unwrap();
    let start = Instant::now();
    let replies = futures::future::join_all((0..6).map(|_| get(emulator.port(), "apps.json", ""))).await;
    // One came while another ran.
    assert!(start.elapsed() >= latency + latency_per_running);
    let outcomes: Vec<String> = replies.iter().map(Raw::outcome).collect();
    assert!(outcomes.iter().any(|outcome| outcome == "429 GAIA_TO04"), "{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| outcome == "200"), "{outcomes:?}");
    assert!(emulator.totals().most_running > 3);
}

#[tokio::test]
async fn a_form_changes_between_two_pages() {
    let world = Arc::new(Fixture::from_json(&world()).unwrap());
    let options = Options { deploy_time: Duration::ZERO, ..Options::default() };
    let emulator = Emulator::start(world, options).await.unwrap();
    let hook = Fault::meanwhile(|store| {
        let renamed = json!({"app": 1, "properties": {"t": {"type": "SINGLE_LINE_TEXT", "code": "title"}}});
        store.call("PUT", "preview/app/form/fields.json", None, &renamed).unwrap();
        store.call("POST", "preview/app/deploy.json", None, &json!({"apps": [{"app": 1}]})).unwrap();
    });
    emulator.fault(When::next().nth(2), hook);
    let first = get(emulator.port(), PAGE, "").await.json();
    let second = get(emulator.port(), PAGE, "").await.json();
    assert_eq!(first["records"][0]["t"]["value"], "text 1");
    assert_eq!(second["records"][0].get("t"), None);
    assert_eq!(second["records"][0]["title"]["value"], "text 1");
    assert!(emulator.backdoor().app(1).unwrap().properties.contains_key("title"));
}
