//! Whatever is sent to whichever endpoint: Kintone's codes where they are known, never a panic, and the next call is
//! served.

use std::sync::Arc;

use kintone_sql::emulator::{Emulator, Fixture, Options, calls};
use serde_json::{Value, json};

use super::served::world;
use super::wire::{Raw, exchange, exchange_all, get, request};

/// What calls take, each to be sent as something else.
const PARAMETERS: &[&str] = &[
    "app",
    "id",
    "ids",
    "record",
    "records",
    "query",
    "fields",
    "totalCount",
    "size",
    "limit",
    "offset",
    "updateKey",
    "upsert",
    "revision",
    "revisions",
    "comment",
    "requests",
    "order",
    "lang",
    "codes",
    "name",
    "spaceIds",
    "action",
    "assignee",
    "assignees",
    "properties",
    "apps",
    "settings",
    "views",
    "layout",
    "states",
    "fileKey",
];

async fn start() -> Emulator {
    let world = Arc::new(Fixture::from_json(&world()).unwrap());
    Emulator::start(world, Options::default()).await.unwrap()
}

/// The base of the User API is another (K§2.3).
fn target(endpoint: &str) -> String {
    if endpoint.starts_with('/') { endpoint.to_owned() } else { format!("/k/v1/{endpoint}") }
}

/// JSON with a code, a page of the gateway, or done.
fn is_kintones(raw: &Raw) -> bool {
    let is_json = raw.header("content-type") == Some("application/json;charset=utf-8");
    match raw.status() {
        200 => true,
        400..=409 | 413..=429 | 520 if is_json => {
            let body = raw.json();
            // A bulk request tells of each of its requests.
            body["code"].is_string() || body["results"].is_array()
        }
        401 | 404 | 405 | 413 | 414 => raw.header("content-type") == Some("text/html;charset=utf-8"),
        _ => false,
    }
}

async fn send(emulator: &Emulator, method: &str, target: &str, body: Option<&[u8]>) -> Raw {
    let raw = exchange(emulator.port(), &request(method, target, "", body)).await;
    let sent = body.map(|body| String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned());
    assert!(is_kintones(&raw), "{method} {target} {sent:?}: {}", String::from_utf8_lossy(&raw.bytes));
    raw
}

#[tokio::test]
async fn what_is_no_json_is_refused_everywhere() {
    let emulator = start().await;
    let deep = "[".repeat(100_000);
    let deep_object = "{\"a\":".repeat(5_000);
    let bad: &[&[u8]] = &[
        b"{",
        b"[]",
        b"\"x\"",
        b"null",
        b"5",
        b"{\"app\":}",
        b"{\"app\":1,}",
        b"{'app':1}",
        b"{\"app\":1} x",
        b"{\"app\":\"\xff\xfe\"}",
        b"\x00\x00\x00",
        b"{\"a\":\"\x00\"}",
        b"\xef\xbb\xbf{}",
        b"{\"app\": 1e400}",
        b"{\"app\": NaN}",
        b"{\"app\": 01}",
        deep.as_bytes(),
        deep_object.as_bytes(),
    ];
    for (method, endpoint) in calls() {
        // Files come in another form, and the list of the APIs is for everybody, whatever is sent.
        if endpoint.ends_with("file.json") || endpoint == "apis.json" {
            continue;
        }
        for body in bad {
            let raw = send(&emulator, method, &target(endpoint), Some(body)).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]);
            assert_eq!(raw.outcome(), "400 CB_IJ01", "{method} {endpoint} {shown}");
        }
    }
    assert_eq!(get(emulator.port(), "app.json?id=1", "").await.outcome(), "200");
}

#[tokio::test]
async fn parameters_of_any_kind_are_answered_everywhere() {
    let emulator = start().await;
    let long: Vec<u32> = (1..=10_000).collect();
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("\u{0}"),
        json!("9".repeat(400)),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null]),
        json!([{}]),
        json!([1, "1", 1]),
        json!({"value": {"value": []}}),
        json!(long),
        json!([{"method": "POST", "api": "/k/v1/record.json", "payload": {"app": []}}]),
    ];
    let mut rng = fastrand::Rng::with_seed(1);
    for (method, endpoint) in calls() {
        for value in &values {
            // All at once, and one of them beside what else is right.
            let all: Value = PARAMETERS.iter().map(|name| ((*name).to_owned(), value.clone())).collect();
            send(&emulator, method, &target(endpoint), Some(all.to_string().as_bytes())).await;
            let mut one =
                json!({"app": 1, "id": 2, "record": {"t": {"value": "x"}}, "records": [], "ids": [3]});
            one[*rng.choice(PARAMETERS).unwrap()] = value.clone();
            one["nobody knows this"] = json!(1);
            send(&emulator, method, &target(endpoint), Some(one.to_string().as_bytes())).await;
        }
    }
    assert_eq!(get(emulator.port(), "app.json?id=1&other=2", "").await.outcome(), "200");
}

#[tokio::test]
async fn query_strings_of_any_kind_are_answered_everywhere() {
    let emulator = start().await;
    let strings = [
        "?",
        "?&&&",
        "?=",
        "?app",
        "?app=",
        "?app=%FF",
        "?app=%00",
        "?app=%",
        "?app=%zz",
        "?app=1&app=2",
        "?app=1e9",
        "?app=99999999999999999999",
        "?app=-1",
        "?app=%EF%BC%91",
        "?fields[100]=x",
        "?fields[x]=a",
        "?fields[=a",
        "?fields]=a",
        "?fields[-1]=a",
        "?fields[0]=a&fields=b",
        "?id=1&id[0]=2",
        "?query=%00",
        "?query=((((((",
        "?query=%22",
        "?totalCount=maybe",
        "?limit=1&offset=-1",
    ];
    for (method, endpoint) in calls() {
        for string in strings {
            send(&emulator, method, &format!("{}{string}", target(endpoint)), None).await;
        }
        // Any other method, and paths beside it.
        for other in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            if !calls().contains(&(other, endpoint)) {
                assert_eq!(send(&emulator, other, &target(endpoint), None).await.outcome(), "405 html");
            }
        }
        for path in ["/", "x", "?", "//"].map(|tail| format!("{}{tail}", target(endpoint))) {
            send(&emulator, method, &path, None).await;
        }
    }
    for path in
        ["/", "//", "/k", "/k/v1", "/k/v1/", "/k/v2/app.json", "/k/guest/v1/app.json", "/k/guest/0/v1/x", "*"]
    {
        assert_eq!(send(&emulator, "GET", path, None).await.outcome(), "404 html", "{path}");
    }
    let twice = get(emulator.port(), "record.json?app=9&app=1&id=1", "").await;
    assert_eq!(twice.outcome(), "400 CB_VA01");
}

#[tokio::test]
async fn what_is_no_http_does_not_stop_the_server() {
    let emulator = start().await;
    let port = emulator.port();
    let long = format!("GET /{} HTTP/1.1\r\nHost: k\r\n\r\n", "x".repeat(9_000));
    assert_eq!(exchange(port, long.as_bytes()).await.outcome(), "414 html");
    let heads = format!("GET / HTTP/1.1\r\n{}\r\n", "X-A: b\r\n".repeat(2_000));
    for bytes in [
        &b"\r\n\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /k/v1/record.json HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        heads.as_bytes(),
    ] {
        let raw = exchange_all(port, bytes).await;
        assert!(matches!(raw.status(), 0 | 400..=431), "{}", String::from_utf8_lossy(&raw.bytes));
    }
    // A body that is announced as too large is not waited for.
    let large = "POST /k/v1/record.json HTTP/1.1\r\nHost: k\r\nContent-Length: 60000000\r\n\r\n";
    assert_eq!(exchange(port, large.as_bytes()).await.outcome(), "413 html");
    assert_eq!(get(port, "app.json?id=1", "").await.outcome(), "200");
    assert_eq!(emulator.backdoor().records(1).len(), 100);
}
