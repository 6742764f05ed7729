//! The client against a scripted server: what it sends, and what it makes of every kind of answer.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::future::join_all;
use kintone_sql::kintone::{
    App, AppKey, Basic, Client, ClientConfig, Condition, Credentials, Domains, Error, OrderBy, Query,
    RecordsRequest, RetryConfig, Secret,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

mod call;
mod emulator;
mod fault;
mod governor;
mod truncation;

const PASSWORD: &str = "canary-password";
const GATE: &str = "canary-gate";

/// A request as it came in.
#[derive(Debug, Clone)]
struct Seen {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Decoded, the last of each name.
    fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        url::form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }
}

/// A step of an answer.
#[derive(Debug, Clone)]
enum Step {
    Send(Vec<u8>),
    Wait(u64),
    /// Ends the connection, cleanly or with a reset.
    Close,
    Reset,
    /// Nothing until the client goes away.
    Hang,
}
use Step::{Close, Hang, Reset, Send, Wait};

#[derive(Debug, Default)]
struct Record {
    seen: Mutex<Vec<Seen>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
    /// Connections that the client ended while they hung.
    left: AtomicUsize,
}

struct Server {
    port: u16,
    record: Arc<Record>,
}

type Script = dyn Fn(usize, &Seen) -> Vec<Step> + std::marker::Send + Sync;

impl Server {
    /// A server that answers the n-th request, from 0, by this script.
    async fn start(script: impl Fn(usize, &Seen) -> Vec<Step> + std::marker::Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let record = Arc::new(Record::default());
        let (kept, script): (_, Arc<Script>) = (Arc::clone(&record), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&kept), Arc::clone(&script)));
            }
        });
        Self { port, record }
    }

    /// The answers in turn, the last one for ever.
    async fn answers(answers: Vec<Vec<Step>>) -> Self {
        Self::start(move |n, _| answers[n.min(answers.len() - 1)].clone()).await
    }

    fn config(&self) -> ClientConfig {
        self.config_at("")
    }

    fn config_at(&self, path: &str) -> ClientConfig {
        let url = format!("http://127.0.0.1:{}{path}", self.port).parse().unwrap();
        let credentials = Credentials::Password { user: "佐藤".into(), password: Secret::new(PASSWORD) };
        let mut config = ClientConfig::new("crm", url, credentials);
        config.retry = RetryConfig {
            attempts: 3,
            base: Duration::from_millis(2),
            cap: Duration::from_millis(4),
            total: Duration::from_secs(2),
        };
        config
    }

    fn client(&self) -> Client {
        Client::new(self.config()).unwrap()
    }

    /// A client that may write.
    fn writer(&self) -> Client {
        Client::new(ClientConfig { read_only: false, ..self.config() }).unwrap()
    }

    async fn has_seen(&self, requests: usize) {
        while self.record.seen.lock().unwrap().len() < requests {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn seen(&self) -> Vec<Seen> {
        self.record.seen.lock().unwrap().clone()
    }
}

async fn serve(mut socket: TcpStream, record: Arc<Record>, script: Arc<Script>) {
    let mut buffer = vec![];
    while let Some(seen) = read_request(&mut socket, &mut buffer).await {
        let number = {
            let mut all = record.seen.lock().unwrap();
            all.push(seen.clone());
            all.len() - 1
        };
        let running = record.running.fetch_add(1, Ordering::SeqCst) + 1;
        record.most_running.fetch_max(running, Ordering::SeqCst);
        let goes_on = answer(&mut socket, script(number, &seen), &record).await;
        if !goes_on {
            return;
        }
    }
}

/// Plays an answer; false where it ended the connection.
async fn answer(socket: &mut TcpStream, steps: Vec<Step>, record: &Record) -> bool {
    let last = steps.len().saturating_sub(1);
    for (i, step) in steps.into_iter().enumerate() {
        // Before the last byte, so that the next request of a freed place is not counted with this one.
        if i == last {
            record.running.fetch_sub(1, Ordering::SeqCst);
        }
        match step {
            Send(bytes) if socket.write_all(&bytes).await.is_err() => return false,
            Send(_) => {}
            Wait(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Close => return false,
            Reset => {
                socket2::SockRef::from(&*socket).set_linger(Some(Duration::ZERO)).unwrap();
                return false;
            }
            Hang => {
                while !matches!(socket.read(&mut [0; 512]).await, Ok(0) | Err(_)) {}
                record.left.fetch_add(1, Ordering::SeqCst);
                return false;
            }
        }
    }
    true
}

async fn read_request(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
            let mut lines = head.lines();
            let mut first = lines.next()?.split(' ');
            let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
            let headers: Vec<_> =
                lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            let mut seen = Seen { method, target, headers, body: String::new() };
            let length = seen.header("content-length").map_or(0, |l| l.parse().unwrap());
            if buffer.len() >= end + 4 + length {
                seen.body = String::from_utf8(buffer[end + 4..end + 4 + length].to_vec()).unwrap();
                buffer.drain(..end + 4 + length);
                return Some(seen);
            }
        }
        let mut part = [0; 4096];
        match socket.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => buffer.extend_from_slice(&part[..n]),
        }
    }
}

const JSON: &str = "Content-Type: application/json;charset=utf-8";
const HTML: &str = "Content-Type: text/html";

fn http(status: u16, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Any\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        write!(head, "{header}\r\n").unwrap();
    }
    let mut out = (head + "\r\n").into_bytes();
    out.extend_from_slice(body);
    out
}

fn reply(status: u16, headers: &[&str], body: &str) -> Vec<Step> {
    vec![Send(http(status, headers, body.as_bytes()))]
}

fn ok(body: &Value) -> Vec<Step> {
    reply(200, &[JSON], &body.to_string())
}

const RECORDS: &str = r#"{"records":[{"$id":{"type":"__ID__","value":"1"}}],"totalCount":"1"}"#;

fn records() -> Vec<Step> {
    reply(200, &[JSON], RECORDS)
}

fn refused(status: u16, code: &str) -> Vec<Step> {
    let body = json!({"code": code, "id": "x", "message": "no\u{1b}[31m", "errors": {"query": {"messages": ["bad"]}}});
    reply(status, &[JSON], &body.to_string())
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

const APP: AppKey = AppKey { id: 7, guest_space: None };

fn request(condition: &str, fields: usize) -> RecordsRequest {
    let condition = (!condition.is_empty()).then(|| Condition::Native(condition.into()));
    let order_by = vec![OrderBy { field: "$id".into(), ascending: true }];
    let query = Query { condition, order_by, limit: Some(500), offset: None };
    let fields = (0..fields).map(|i| format!("f{i}")).collect();
    RecordsRequest { query, fields, total_count: false }
}

async fn read(client: &Client) -> Result<String, Error> {
    let page = client.records(APP, &request("", 0)).await?;
    Ok(String::from_utf8(page.body.to_vec()).unwrap())
}

fn ids(apps: &[App]) -> Vec<u64> {
    apps.iter().map(|a| a.key.id).collect()
}

fn app(id: u64) -> Value {
    let user = json!({"code": "sato", "name": "佐藤"});
    json!({"appId": id.to_string(), "code": "", "name": format!("App {id}"), "description": null, "spaceId": null,
           "threadId": null, "createdAt": "2026-04-24T12:00:00.000Z", "creator": user,
           "modifiedAt": "2026-04-24T12:00:00.000Z", "modifier": user})
}

// What is sent.

#[tokio::test]
async fn credentials_go_into_their_headers() {
    let server = Server::answers(vec![records()]).await;
    let password = BASE64_STANDARD.encode(format!("佐藤:{PASSWORD}"));
    let gate = format!("Basic {}", BASE64_STANDARD.encode(format!("gate:{GATE}")));
    let basic = Basic { user: "gate".into(), password: Secret::new(GATE) };
    let tokens = Credentials::ApiTokens(vec![Secret::new("t1"), Secret::new("t2")]);
    let login = server.config().credentials;
    for (credentials, basic, expect) in [
        (login.clone(), None, [Some(password.as_str()), None, None]),
        (login, Some(basic.clone()), [Some(password.as_str()), None, Some(gate.as_str())]),
        (tokens.clone(), None, [None, Some("t1,t2"), None]),
        (tokens, Some(basic), [None, Some("t1,t2"), Some(gate.as_str())]),
    ] {
        let config = ClientConfig { credentials, basic, ..server.config() };
        read(&Client::new(config).unwrap()).await.unwrap();
        let seen = server.seen().pop().unwrap();
        let names = ["X-Cybozu-Authorization", "X-Cybozu-API-Token", "Authorization"];
        assert_eq!(names.map(|n| seen.header(n)), expect);
        assert_eq!(seen.method, "GET");
        // Kintone refuses a body-less GET with a content type.
        assert_eq!((seen.header("Content-Type"), seen.header("Content-Length")), (None, None));
        assert_eq!(seen.header("Accept-Language"), Some("en"));
        assert_eq!(seen.header("Accept-Encoding"), Some("gzip"));
        assert!(seen.header("User-Agent").unwrap().starts_with("kintone-sql/"));
    }
}

#[tokio::test]
async fn paths_keep_the_prefix_and_name_the_guest_space() {
    let server = Server::answers(vec![records()]).await;
    for (prefix, guest_space, expect) in [
        ("", None, "/k/v1/records.json"),
        ("/", Some(5), "/k/guest/5/v1/records.json"),
        ("/a%20b/sub/", None, "/a%20b/sub/k/v1/records.json"),
        ("/sub?x=1#y", Some(5), "/sub/k/guest/5/v1/records.json"),
    ] {
        let client = Client::new(server.config_at(prefix)).unwrap();
        client.records(AppKey { id: 7, guest_space }, &request("", 0)).await.unwrap();
        let (path, query) = server.seen().pop().unwrap().target.split_once('?').map(own).unwrap();
        assert_eq!(path, expect);
        assert_eq!(query, "app=7&query=order%20by%20%24id%20asc%20limit%20500");
    }
}

fn own((a, b): (&str, &str)) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[tokio::test]
async fn queries_and_lists_are_encoded() {
    let server = Server::answers(vec![records()]).await;
    let mut wanted = request("会社名 = \"a+b &=%#?\u{3000}髙\" and d > \"2026-01-01T00:00:00+0900\"", 2);
    wanted.fields[1] = "金額".into();
    wanted.total_count = true;
    server.client().records(APP, &wanted).await.unwrap();
    let seen = server.seen().pop().unwrap();
    assert!(seen.target.is_ascii() && !seen.target.contains(['+', ' ', '"']), "{}", seen.target);
    assert_eq!(seen.parameter("query").unwrap(), wanted.query.to_string());
    assert_eq!(seen.parameter("fields[0]").as_deref(), Some("f0"));
    assert_eq!(seen.parameter("fields[1]").as_deref(), Some("金額"));
    assert_eq!(seen.parameter("totalCount").as_deref(), Some("true"));
}

/// A request whose URL has exactly so many characters.
fn of_length(server: &Server, length: usize) -> RecordsRequest {
    let base = format!("http://127.0.0.1:{}/k/v1/records.json?app=7&query=", server.port).len();
    let tail = "()%20order%20by%20%24id%20asc%20limit%20500".len() + "%28%29".len() - 2;
    request(&"x".repeat(length - base - tail), 0)
}

#[tokio::test]
async fn long_requests_go_as_post_with_the_method_in_a_header() {
    let server = Server::answers(vec![records()]).await;
    for (wanted, is_post) in [
        (of_length(&server, 4096), false),
        (of_length(&server, 4097), true),
        (request("", 100), false),
        (request("", 101), true),
    ] {
        server.client().records(APP, &wanted).await.unwrap();
        let seen = server.seen().pop().unwrap();
        if is_post {
            assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/k/v1/records.json"));
            assert_eq!(seen.header("X-HTTP-Method-Override"), Some("GET"));
            assert_eq!(seen.header("Content-Type"), Some("application/json"));
            let mut expect = json!({"app": 7, "query": wanted.query.to_string()});
            if !wanted.fields.is_empty() {
                expect["fields"] = json!(wanted.fields);
            }
            assert_eq!(serde_json::from_str::<Value>(&seen.body).unwrap(), expect);
        } else {
            assert_eq!((seen.method.as_str(), seen.header("X-HTTP-Method-Override")), ("GET", None));
            assert_eq!(seen.parameter("query").unwrap(), wanted.query.to_string());
        }
    }
}

// What is made of answers.

#[tokio::test]
async fn packed_answers_are_unpacked() {
    let packed = gzip(RECORDS.as_bytes());
    let headers = [JSON, "Content-Encoding: gzip"];
    let cut = http(200, &headers, &packed[..packed.len() - 12]);
    let server = Server::answers(vec![vec![Send(cut)], vec![Send(http(200, &headers, &packed))]]).await;
    let client = server.client();
    assert_eq!(read(&client).await.unwrap(), RECORDS);
    assert_eq!(server.seen().len(), 2, "a cut packing is read again");
    let bytes = u64::try_from(RECORDS.len()).unwrap();
    assert_eq!(client.requests().iter().map(|r| r.bytes).collect::<Vec<_>>(), [0, bytes]);
}

#[tokio::test]
async fn failures_that_may_pass_are_read_again() {
    let whole = http(200, &[JSON], RECORDS.as_bytes());
    let half = whole[..whole.len() - 20].to_vec();
    let chunked = format!("HTTP/1.1 200 OK\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = |text: &str| format!("{chunked}{:x}\r\n{text}\r\n", text.len()).into_bytes();
    for (name, failure) in [
        ("429", refused(429, "GAIA_TO04")),
        ("429 without a body", reply(429, &[HTML], "")),
        ("503 HTML", reply(503, &[HTML], "<html>maintenance</html>")),
        ("502 JSON of another shape", reply(502, &[JSON], "[1]")),
        ("520", refused(520, "GAIA_XX01")),
        ("database lock", refused(400, "GAIA_DA02")),
        ("lock", refused(400, "GAIA_RE18")),
        ("reset", vec![Reset]),
        ("closed", vec![Close]),
        ("head cut", vec![Send(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()), Close]),
        ("short body, closed", vec![Send(half.clone()), Wait(5), Close]),
        ("short body, reset", vec![Send(half), Wait(5), Reset]),
        ("chunks cut", vec![Send(chunk(RECORDS)), Wait(5), Close]),
        ("a chunk cut", vec![Send(chunk(RECORDS)[..90].to_vec()), Close]),
        ("JSON cut", reply(200, &[JSON], &RECORDS[..RECORDS.len() - 1])),
        ("JSON cut after a brace", reply(200, &[JSON], &RECORDS[..RECORDS.find("}}").unwrap() + 2])),
        ("no JSON at all", reply(200, &[JSON], "")),
    ] {
        let server = Server::answers(vec![failure.clone(), records()]).await;
        assert_eq!(read(&server.client()).await.expect(name), RECORDS, "{name}");
        assert_eq!(server.seen().len(), 2, "{name}");

        let server = Server::answers(vec![failure]).await;
        let error = read(&server.client()).await.expect_err(name);
        let text = error.to_string();
        assert!(matches!(error, Error::Exhausted { attempts: 3, .. }), "{name}: {text}");
        assert!(text.contains(" (after 3 tries in 0.") && text.ends_with(" s)"), "{name}: {text}");
        assert!(text.starts_with("connection crm: "), "{name}: {text}");
        assert!(!text.contains("maintenance") && !text.contains('\u{1b}'), "{name}: {text}");
        assert_eq!(server.seen().len(), 3, "{name}");
    }
}

#[tokio::test]
async fn failures_that_stay_are_told_at_once() {
    let call = "GET /k/v1/records.json (app 7)";
    let not_kintone =
        |what: &str| format!("connection crm: {call} was not answered by Kintone ({what}); check its Url");
    let cut = format!("connection crm: Kintone cut the answer of {call} short");
    let rejected =
        |code: &str| format!("connection crm: Kintone refused {call}: no [31m ({code}; query: bad)");
    let warning = "X-Cybozu-Warning: Filter aborted because of too many search results";
    let mut foreign = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Cybozu-Warning: ".to_vec();
    foreign.extend_from_slice(&[0x8c, 0x8f, 0x90, 0x94]);
    write!(foreign, "\r\nContent-Length: {}\r\n\r\n{RECORDS}", RECORDS.len()).unwrap();
    for (answer, expect) in [
        (refused(400, "GAIA_IQ11"), rejected("GAIA_IQ11")),
        (refused(403, "CB_NO02"), rejected("CB_NO02")),
        (refused(520, "GAIA_IA02"), rejected("GAIA_IA02")),
        (reply(404, &[HTML], "<html>"), format!("connection crm: {call} was answered with HTTP status 404")),
        (reply(200, &[HTML], "<html>login</html>"), not_kintone("status 200, text/html")),
        (reply(200, &[], RECORDS), not_kintone("status 200, no content type")),
        (reply(204, &["Content-Type: a\tb"], ""), not_kintone("status 204, a b")),
        (
            reply(200, &[JSON], "{]"),
            format!(
                "connection crm: the answer of {call} has an unexpected form (Syntax error at line 1 column 2)"
            ),
        ),
        (
            reply(200, &[JSON, warning], RECORDS),
            format!("{cut} (Filter aborted because of too many search results)"),
        ),
        (vec![Send(foreign)], format!("{cut} (\u{fffd}\u{fffd}\u{fffd}\u{fffd})")),
    ] {
        let server = Server::answers(vec![answer]).await;
        assert_eq!(read(&server.client()).await.unwrap_err().to_string(), expect);
        assert_eq!(server.seen().len(), 1, "{expect}");
    }
}

#[tokio::test]
async fn redirects_are_refused() {
    let target = Server::answers(vec![records()]).await;
    let location = format!("Location: http://127.0.0.1:{}/k/v1/records.json", target.port);
    for status in [301, 302, 303, 307, 308] {
        let server = Server::answers(vec![reply(status, &[&location, JSON], "{}")]).await;
        let error = read(&server.client()).await.unwrap_err().to_string();
        assert!(error.ends_with("was redirected, and redirects are not followed; check its Url"), "{error}");
        assert_eq!((server.seen().len(), target.seen().len()), (1, 0));
    }
}

#[tokio::test]
async fn one_rejected_login_stops_every_call() {
    let lost = vec![
        Send(b"HTTP/1.1 401 Any\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{".to_vec()),
        Close,
    ];
    for refusal in [refused(401, "CB_WA01"), reply(401, &[HTML], "<html>gate</html>"), lost] {
        let server = Server::start(move |_, _| [vec![Wait(30)], refusal.clone()].concat()).await;
        let client = Client::new(ClientConfig { max_in_flight: 1, ..server.config() }).unwrap();
        let outcomes = join_all((0..5).map(|_| read(&client))).await;
        assert!(outcomes.iter().all(Result::is_err));
        let stopped = outcomes.iter().filter(|o| matches!(o, Err(Error::CredentialsRejected { .. }))).count();
        let later = client.apps().await.unwrap_err();
        let expect = "connection crm: Kintone rejected its credentials; check its user, password or token";
        assert_eq!(later.to_string(), expect);
        // Those who waited for their place send nothing either.
        assert_eq!((stopped, server.seen().len(), client.requests().len()), (4, 1, 1));
    }
}

#[tokio::test]
async fn replies_of_another_shape_are_errors() {
    for body in [
        "null",
        "[]",
        "{}",
        "1",
        r#""x""#,
        r#"{"apps":{}}"#,
        r#"{"apps":[1]}"#,
        r#"{"apps":[{"appId":"x","name":"a","creator":{"code":"c"},"modifier":{"code":"c"}}]}"#,
        r#"{"properties":{"a":[]},"revision":"1"}"#,
        r#"{"properties":{},"revision":1,"layout":{}}"#,
        r#"{"views":[]}"#,
        r#"{"views":{"a":{"index":"1"}}}"#,
        r#"{"records":[],"totalCount":null}"#,
        r#"{"records":{},"totalCount":"1"}"#,
        r#"{"totalCount":"-1","records":[]}"#,
        r#"{"comments":[{"id":"x"}],"older":false,"newer":false}"#,
        r#"{"comments":[],"older":1,"newer":false}"#,
        &"[".repeat(10_000),
        &format!("{{\"apps\":{}{}}}", "[".repeat(9_000), "]".repeat(9_000)),
    ] {
        let server = Server::answers(vec![reply(200, &[JSON], body)]).await;
        let client = server.client();
        let shown = &body[..body.len().min(80)];
        assert!(client.apps().await.is_err(), "apps: {shown}");
        assert!(client.form(APP).await.is_err(), "form: {shown}");
        assert!(client.views(APP).await.is_err(), "views: {shown}");
        assert!(client.count(APP, None).await.is_err(), "count: {shown}");
        assert!(client.comments(APP, 1, 0, false).await.is_err(), "comments: {shown}");
    }
}

#[tokio::test]
async fn answers_are_bounded_after_unpacking() {
    let body = format!("{{\"records\":[]{}}}", " ".repeat(5_000_000));
    let packed = gzip(body.as_bytes());
    assert!(packed.len() < 50_000);
    let large = vec![Send(http(200, &[JSON, "Content-Encoding: gzip"], &packed))];
    let plain = reply(200, &[JSON], &RECORDS.replace("[{", &format!("[{}{{", " ".repeat(2_000_000))));
    for (answer, limit, fits) in
        [(large.clone(), 4_000_000, false), (large, 6_000_000, true), (plain, 1_000_000, false)]
    {
        let server = Server::answers(vec![answer]).await;
        let client = Client::new(ClientConfig { max_answer_bytes: limit, ..server.config() }).unwrap();
        match read(&client).await {
            Ok(text) => assert!(fits && text == body),
            Err(error) => {
                let expect = format!(
                    "connection crm: the answer of GET /k/v1/records.json (app 7) is larger than {limit} bytes"
                );
                assert!(!fits && error.to_string() == expect, "{error}");
            }
        }
        assert_eq!(server.seen().len(), 1);
    }
}

// Time.

#[tokio::test]
async fn every_step_has_its_time() {
    let whole = http(200, &[JSON], RECORDS.as_bytes());
    let (first, rest) = whole.split_at(whole.len() - 6);
    let mut dripping = vec![Send(first.to_vec())];
    for byte in rest {
        dripping.extend([Wait(60), Send(vec![*byte])]);
    }
    let long = 10_000;
    for (name, steps, [first_byte, idle, total], expect) in [
        ("head", vec![Hang], [100, long, long], Some("no answer in time")),
        ("idle", vec![Send(first.to_vec()), Hang], [long, 100, long], Some("the answer stopped half way")),
        ("total before the head", vec![Hang], [long, long, 100], Some("no answer in time")),
        ("total in the body", dripping.clone(), [long, long, 150], Some("no answer in time")),
        ("slow, but never idle", dripping, [200, 200, long], None),
        (
            "a slow head may take longer than idle",
            [vec![Wait(120)], records()].concat(),
            [long, 40, long],
            None,
        ),
    ] {
        let server = Server::answers(vec![steps]).await;
        let mut config = server.config();
        config.retry.attempts = 1;
        config.timeouts.first_byte = Duration::from_millis(first_byte);
        config.timeouts.idle = Duration::from_millis(idle);
        config.timeouts.total = Duration::from_millis(total);
        let started = Instant::now();
        match (read(&Client::new(config).unwrap()).await, expect) {
            (Ok(text), None) => assert_eq!(text, RECORDS, "{name}"),
            (Err(error), Some(reason)) => {
                let text = format!("connection crm: GET /k/v1/records.json (app 7) broke off ({reason})");
                assert_eq!(error.to_string(), text, "{name}");
                assert!(started.elapsed() < Duration::from_secs(2), "{name}");
            }
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn tries_end_with_their_time() {
    let server = Server::answers(vec![reply(503, &[HTML], "")]).await;
    let mut config = server.config();
    let wait = Duration::from_millis(60);
    config.retry = RetryConfig { attempts: 100, base: wait, cap: wait, total: Duration::from_millis(200) };
    let domains = Domains::new(governor::Leaping::new());
    let error = read(&Client::in_domains(config, &domains).unwrap()).await.unwrap_err();
    let Error::Exhausted { attempts: 4..=20, elapsed, .. } = &error else { panic!("{error}") };
    assert!(*elapsed <= Duration::from_millis(200) && error.is_unreachable());
}

#[tokio::test]
async fn a_dead_domain_is_not_asked_more_and_more() {
    let server = Server::answers(vec![reply(503, &[HTML], "")]).await;
    let client = Client::new(ClientConfig { max_in_flight: 50, ..server.config() }).unwrap();
    for _ in 0..4 {
        join_all((0..50).map(|_| read(&client))).await;
    }
    // 100 retry tokens at 5 each.
    assert_eq!(server.seen().len(), 220);
}

// How many at once.

#[tokio::test]
async fn no_more_than_the_window_run_at_once() {
    // The place is held until the body is read, not until the head is there.
    let whole = http(200, &[JSON], RECORDS.as_bytes());
    let (head, tail) = whole.split_at(whole.len() - 10);
    let steps = vec![Send(head.to_vec()), Wait(20), Send(tail.to_vec())];
    let server = Server::answers(vec![steps]).await;
    let client = Client::new(ClientConfig { max_in_flight: 3, ..server.config() }).unwrap();
    let outcomes = join_all((0..12).map(|_| read(&client))).await;
    assert!(outcomes.into_iter().all(|o| o.unwrap() == RECORDS));
    assert_eq!(server.record.most_running.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn the_window_follows_the_domain() {
    let slow = |steps: Vec<Step>| [vec![Wait(10)], steps].concat();
    let near =
        reply(200, &[JSON, "X-ConcurrencyLimit-Limit: 100", "X-ConcurrencyLimit-Running: 95"], RECORDS);
    for busy in [near, refused(429, "GAIA_TO04")] {
        let server =
            Server::start(move |n, _| slow(if (1..9).contains(&n) { busy.clone() } else { records() })).await;
        let client = Client::new(ClientConfig { max_in_flight: 8, ..server.config() }).unwrap();
        // Until a login has been accepted, only one call is sent.
        read(&client).await.unwrap();
        let most = async |reads: usize| {
            server.record.most_running.store(0, Ordering::SeqCst);
            join_all((0..reads).map(|_| read(&client))).await.into_iter().for_each(|o| drop(o.unwrap()));
            server.record.most_running.load(Ordering::SeqCst)
        };
        assert_eq!(most(8).await, 8);
        // Halved once; then it grows by one after as many good answers.
        let next = most(8).await;
        assert!((4..=6).contains(&next), "{next}");
        most(60).await;
        assert_eq!(most(20).await, 8);
    }
}

#[tokio::test]
async fn who_gives_up_ends_the_request_and_frees_its_place() {
    let whole = http(200, &[JSON], RECORDS.as_bytes());
    for first in [vec![Hang], vec![Send(whole[..whole.len() - 9].to_vec()), Hang]] {
        let server = Server::answers(vec![first, records()]).await;
        let client = Client::new(ClientConfig { max_in_flight: 1, ..server.config() }).unwrap();
        // The second one waits for the first one's place only.
        let both = async { tokio::join!(read(&client), read(&client)) };
        tokio::select! {
            outcome = both => panic!("{outcome:?}"),
            () = server.has_seen(1) => {}
        }
        let gone = async {
            while server.record.left.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the connection ends");
        assert_eq!(read(&client).await.unwrap(), RECORDS);
        assert_eq!(server.seen().len(), 2);
        // A call that nobody waits for is in the log all the same: Kintone counts it too.
        assert_eq!(client.requests().iter().map(|r| r.status).collect::<Vec<_>>(), [0, 200]);
    }
}

// The calls.

#[tokio::test]
async fn apps_are_read_to_the_end() {
    for total in [0, 99, 100, 250] {
        let server = Server::start(move |_, seen| {
            let offset: u64 = seen.parameter("offset").unwrap().parse().unwrap();
            assert_eq!(seen.parameter("limit").as_deref(), Some("100"));
            let guest = seen.target.starts_with("/k/guest/9/");
            let last = if guest { 1 } else { total };
            let apps: Vec<_> = (offset..last.min(offset + 100)).map(|i| app(i + 1)).collect();
            ok(&json!({ "apps": apps }))
        })
        .await;
        let client = Client::new(ClientConfig { guest_spaces: vec![9], ..server.config() }).unwrap();
        let apps = client.apps().await.unwrap();
        let expect: Vec<_> = (1..=total).chain([1]).collect();
        assert_eq!(ids(&apps), expect);
        assert_eq!(apps.last().unwrap().key.guest_space, Some(9));
        assert_eq!(apps.last().unwrap().creator.name, "佐藤");
        let calls = usize::try_from(total / 100 + 2).unwrap();
        assert_eq!(server.seen().len(), calls);
    }
}

#[tokio::test]
async fn a_list_that_never_ends_is_ended() {
    let apps: Vec<_> = (1..=100).map(app).collect();
    let server = Server::answers(vec![ok(&json!({ "apps": apps }))]).await;
    assert_eq!(server.client().apps().await.unwrap().len(), 100);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn with_tokens_the_configured_apps_are_asked_for() {
    let server = Server::start(|_, seen| {
        let id: u64 = seen.parameter("id").unwrap().parse().unwrap();
        match (id, seen.target.split('?').next().unwrap()) {
            (1, "/k/v1/app.json") | (2, "/k/guest/5/v1/app.json") => ok(&app(id)),
            (2, "/k/v1/app.json") => refused(400, "GAIA_IL23"),
            (3, "/k/v1/app.json") => refused(404, "GAIA_AP01"),
            (4, "/k/v1/app.json") => refused(403, "GAIA_NO01"),
            _ => refused(403, "CB_NO02"),
        }
    })
    .await;
    let client = |apps: &[u64]| {
        let mut config = server.config();
        config.credentials = Credentials::ApiTokens(vec![Secret::new("t1")]);
        config.guest_spaces = vec![4, 5];
        config.apps = apps.to_vec();
        Client::new(config).unwrap()
    };
    let found = client(&[1, 2]).apps().await.unwrap();
    assert_eq!(
        found.iter().map(|a| (a.key.id, a.key.guest_space)).collect::<Vec<_>>(),
        [(1, None), (2, Some(5))]
    );
    // What the default space says is told; other refusals end the search.
    for (id, code, calls) in [(3, "GAIA_AP01", 3), (4, "GAIA_NO01", 1)] {
        let before = server.seen().len();
        let error = client(&[id]).apps().await.unwrap_err();
        assert_eq!((error.code(), server.seen().len() - before), (Some(code), calls));
        assert!(error.to_string().contains(&format!("GET /k/v1/app.json (app {id})")), "{error}");
    }
}

#[tokio::test]
async fn forms_views_settings_and_counts_are_read() {
    let server = Server::start(|_, seen| {
        assert_eq!(seen.parameter("app").as_deref(), Some("7"));
        let path = seen.target.split('?').next().unwrap();
        ok(&match path {
            "/k/v1/app/form/fields.json" => json!({"revision": "3", "properties": {
                "a": {"type": "NUMBER", "code": "a", "label": null, "unique": null, "lookup": {"relatedApp": null}},
                "b": {"type": "DATE", "code": "b", "label": "B"},
                "r": {"type": "REFERENCE_TABLE", "code": "r", "referenceTable": {"relatedApp": {"app": "8"},
                      "condition": {"field": "a", "relatedField": "x"}}}}}),
            "/k/v1/app/form/layout.json" => json!({"layout": [{"type": "ROW", "fields": [
                {"type": "DATE", "code": "b"}, {"type": "HR"}, {"type": "NUMBER", "code": "a"}]}]}),
            "/k/v1/app/views.json" => json!({"views": {
                "z": {"type": "LIST", "id": "2", "index": "1", "name": "z", "filterCond": "a > 1", "sort": "b asc", "fields": ["a"]},
                "y": {"type": "CUSTOM", "id": "1", "index": "0", "name": "y", "html": "<b>"}}}),
            "/k/v1/app/settings.json" => json!({"numberPrecision": {"digits": "30", "decimalPlaces": "10", "roundingMode": "UP"}}),
            "/k/v1/records.json" => {
                assert_eq!(seen.parameter("query").as_deref(), Some("(a > 1) limit 1"));
                assert_eq!(seen.parameter("totalCount").as_deref(), Some("true"));
                json!({"records": [{}], "totalCount": "618525"})
            }
            other => panic!("{other}"),
        })
    })
    .await;
    let client = server.client();
    let form = client.form(APP).await.unwrap();
    assert_eq!(form.fields.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["b", "a", "r"]);
    assert_eq!((form.fields[1].lookup.as_ref(), form.fields[2].reference.as_ref().unwrap().app), (None, 8));
    let views = client.views(APP).await.unwrap();
    assert_eq!(
        views.iter().map(|v| (v.name.as_str(), v.filter.as_str())).collect::<Vec<_>>(),
        [("y", ""), ("z", "a > 1")]
    );
    let settings = client.settings(APP).await.unwrap();
    assert_eq!((settings.digits, settings.decimal_places, settings.rounding.as_str()), (30, 10, "UP"));
    assert_eq!(client.count(APP, Some(&Condition::Native("a > 1".into()))).await.unwrap(), 618_525);
}

#[tokio::test]
async fn comments_come_in_pages_of_ten() {
    let server = Server::start(|_, seen| {
        let offset: u64 = seen.parameter("offset").unwrap().parse().unwrap();
        assert_eq!(seen.parameter("limit").as_deref(), Some("10"));
        let expect = if offset == 0 { "desc" } else { "asc" };
        assert_eq!(seen.parameter("order").as_deref(), Some(expect));
        let comment = json!({"id": "3", "text": "了解 ", "createdAt": "2026-04-24T12:00:00Z",
            "creator": {"code": "sato", "name": "佐藤"}, "mentions": [{"code": "a", "type": "USER"}]});
        let bare = json!({"id": 2, "text": null, "createdAt": "x", "creator": {"code": "s"}});
        ok(&json!({"comments": [comment, bare], "older": offset == 0, "newer": false}))
    })
    .await;
    let client = server.client();
    let page = client.comments(APP, 12, 0, false).await.unwrap();
    assert!(page.older && !page.newer);
    assert_eq!((page.comments[0].id, page.comments[0].text.as_str()), (3, "了解 "));
    assert_eq!(page.comments[0].mentions, r#"[{"code":"a","type":"USER"}]"#);
    assert_eq!((page.comments[1].text.as_str(), page.comments[1].mentions.as_str()), ("", "[]"));
    assert!(!client.comments(APP, 12, 20, true).await.unwrap().older);
}

#[tokio::test]
async fn the_log_has_every_call() {
    let server = Server::answers(vec![reply(503, &[HTML], "x"), vec![Reset], records()]).await;
    let client = server.client();
    let page = client.records(APP, &request("a > 1", 1)).await.unwrap();
    page.set_rows(1);
    let log = client.clone().requests();
    let seen: Vec<_> = log.iter().map(|r| (r.status, r.rows, r.bytes)).collect();
    assert_eq!(seen, [(503, 0, 0), (0, 0, 0), (200, 1, u64::try_from(RECORDS.len()).unwrap())]);
    let last = &log[2];
    assert_eq!((last.connection.as_str(), last.app, last.method), ("crm", Some(7), "GET"));
    assert_eq!(last.path, "/k/v1/records.json");
    assert_eq!(last.query, "(a > 1) order by $id asc limit 500");
    assert!(log.is_sorted_by_key(|r| r.time));
}

// What is never told.

#[tokio::test]
async fn secrets_are_never_told() {
    let server = Server::answers(vec![refused(401, "CB_WA01")]).await;
    let basic = Basic { user: "gate".into(), password: Secret::new(GATE) };
    let mut config = server.config();
    config.basic = Some(basic.clone());
    config.proxy_login = Some(basic);
    let tokens = Credentials::ApiTokens(vec![Secret::new("canary-token")]);
    let mut told = vec![];
    for proxy in [None, Some(server.config().url)] {
        let config = ClientConfig { proxy, ..config.clone() };
        for credentials in [config.credentials.clone(), tokens.clone()] {
            let client = Client::new(ClientConfig { credentials, apps: vec![1], ..config.clone() }).unwrap();
            told.push(format!("{:?} {client:?} {client:#?}", client.config()));
            for _ in 0..2 {
                let error = client.apps().await.unwrap_err();
                told.push(format!("{error} {error:?} {:?}", client.requests()));
            }
        }
    }
    let with_newline = Credentials::ApiTokens(vec![Secret::new("canary-token\n")]);
    let error = Client::new(ClientConfig { credentials: with_newline, ..config.clone() }).unwrap_err();
    assert_eq!(error.to_string(), "connection crm: a credential has a character that HTTP cannot carry");
    told.push(format!("{error:?}"));
    config.url = "http://127.0.0.1:1/canary".parse().unwrap();
    config.url.set_password(Some("canary-url")).unwrap();
    let error = Client::new(config).unwrap_err();
    told.push(format!("{error} {error:?}"));
    let encoded = [PASSWORD, GATE].map(|p| BASE64_STANDARD.encode(p)[..8].to_owned());
    for text in told {
        assert!(!text.contains("canary"), "{text}");
        assert!(!encoded.iter().any(|e| text.contains(e)), "{text}");
    }
}

#[tokio::test]
async fn who_cannot_be_reached_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    // Plain HTTP where TLS is wanted.
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = plain.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let server = Server::answers(vec![]).await;
    for (url, host, reason) in [
        (format!("http://127.0.0.1:{closed}"), format!("127.0.0.1:{closed}"), "Connection refused"),
        ("https://nowhere.invalid".into(), "nowhere.invalid:443".into(), "failed to lookup address"),
        (format!("https://127.0.0.1:{port}"), format!("127.0.0.1:{port}"), "corrupt message"),
    ] {
        let config = ClientConfig { url: url.parse().unwrap(), ..server.config() };
        let error = read(&Client::new(config).unwrap()).await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("connection crm: cannot reach {host} (")), "{text}");
        assert!(
            text.contains(reason) && text.contains("; check its Url, the network and the proxy"),
            "{text}"
        );
        assert!(error.is_unreachable());
    }
}

#[test]
fn plain_http_is_for_this_machine_only() {
    for (url, expect) in [
        ("http://example.cybozu.com", "connection crm: Url must begin with https://"),
        ("http://localhost.example.com", "connection crm: Url must begin with https://"),
        ("ftp://localhost", "connection crm: Url must begin with https://"),
        (
            "https://me@example.cybozu.com",
            "connection crm: Url must not hold a user or password; give User and Password",
        ),
        ("http://localhost:8080", ""),
        ("http://[::1]:8080", ""),
        ("https://example.cybozu.com", ""),
    ] {
        let credentials = Credentials::Password { user: "a".into(), password: Secret::new("b") };
        let made = Client::new(ClientConfig::new("crm", url.parse().unwrap(), credentials));
        assert_eq!(made.err().map(|e| e.to_string()).unwrap_or_default(), expect, "{url}");
    }
}
