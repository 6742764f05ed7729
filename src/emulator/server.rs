//! HTTP: from a request to a call, and from its answer to a response (K§1, K§5).

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::watch;

use super::auth;
use super::call::{Call, Change};
use super::cursor::Cursors;
use super::file;
use super::log::{LoggedRequest, RequestLog};
use super::params::{Params, integer};
use super::reply::{Answer, BAD_REQUEST, Failure, TOO_MANY_REQUESTS};
use super::routes::{self, Handler, Target};
use super::settings;
use super::store::Store;
use super::unknown::{self, Unknowns};

/// Shorter bodies are not worth compressing.
const SHORTEST_GZIP: usize = 1024;
const JSON: &str = "application/json;charset=utf-8";
const HTML: &str = "text/html;charset=utf-8";

/// What all requests share.
pub(super) struct Server {
    /// Locked for writing where apps come, go or change, and where several apps are written at once.
    pub(super) store: RwLock<Store>,
    pub(super) cursors: Cursors,
    pub(super) log: RequestLog,
    pub(super) latency: Mutex<Duration>,
    pub(super) basic: Option<(String, String)>,
    pub(super) concurrency_limit: u32,
    pub(super) running: AtomicU32,
    /// Turns true when the server is to stop.
    pub(super) stop: watch::Receiver<bool>,
}

impl Server {
    /// The store, to read it and to write records of one app.
    pub(super) fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings live what has been deployed long enough ago.
    fn settle(&self) {
        let now = Instant::now();
        if self.store().deploys.is_due(now) {
            settings::settle(&mut self.store.write().unwrap_or_else(PoisonError::into_inner), now);
        }
    }
}

/// One running request; leaves the count when it is dropped.
struct Slot<'a> {
    count: &'a AtomicU32,
    running: u32,
}

impl<'a> Slot<'a> {
    fn enter(count: &'a AtomicU32) -> Self {
        Self { count, running: count.fetch_add(1, Ordering::SeqCst) + 1 }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A response before its headers.
struct Outcome {
    status: u16,
    body: Vec<u8>,
    /// The code, for `X-Cybozu-Error`.
    error: Option<&'static str>,
    warning: Option<&'static str>,
    content_type: String,
}

impl Outcome {
    fn page(status: u16, text: &str) -> Self {
        let body = format!("<!DOCTYPE html><html><body>{text}</body></html>").into_bytes();
        Self { status, body, error: None, warning: None, content_type: HTML.to_owned() }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        let (status, body, error) = (failure.status(), failure.body(), Some(failure.name()));
        Self { status, body, error, warning: None, content_type: JSON.to_owned() }
    }
}

/// Answers every request.
pub(super) async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response<Body> {
    let mut stop = server.stop.clone();
    let answered = Box::pin(respond(Arc::clone(&server), request));
    tokio::select! {
        response = answered => response,
        _ = stop.wait_for(|stopped| *stopped) => build(Response::builder().status(503), Body::empty()),
    }
}

async fn respond(server: Arc<Server>, request: Request) -> Response<Body> {
    let slot = Slot::enter(&server.running);
    let running = slot.running;
    let (parts, body) = request.into_parts();
    let gzip = accepts_gzip(&parts.headers);
    let method = effective_method(&parts);
    let mut logged = LoggedRequest {
        method: method.to_string(),
        path: parts.uri.path().to_owned(),
        app: None,
        query: None,
        fields: vec![],
        status: 0,
        rows: 0,
        bytes: 0,
        running,
    };
    let outcome = match early_refusal(&server, &parts, running) {
        Some(outcome) => outcome,
        None => match to_bytes(body, unknown::LONGEST_BODY).await {
            Err(_) => Outcome::page(413, "Request Entity Too Large"),
            Ok(body) => {
                let shared = Arc::clone(&server);
                let work = move || {
                    let outcome = serve(&shared, &parts, &method, &body, &mut logged);
                    (outcome, logged)
                };
                // Loading and scanning an app takes a while: not on a thread that other sockets wait for.
                match tokio::task::spawn_blocking(work).await {
                    Ok((outcome, done)) => {
                        logged = done;
                        outcome
                    }
                    Err(_) => return build(Response::builder().status(500), Body::empty()),
                }
            }
        },
    };
    let latency = *server.latency.lock().unwrap_or_else(PoisonError::into_inner);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    logged.status = outcome.status;
    logged.bytes = u64::try_from(outcome.body.len()).unwrap_or(u64::MAX);
    server.log.push(logged);
    finish(&server, outcome, running, gzip)
}

/// What the gateway refuses before it looks at a call.
fn early_refusal(server: &Server, parts: &Parts, running: u32) -> Option<Outcome> {
    if parts.uri.path_and_query().is_some_and(|target| target.as_str().len() > unknown::LONGEST_URL) {
        return Some(Outcome::page(414, "Request URL Too Large"));
    }
    if running > server.concurrency_limit {
        return Some(Failure::from(TOO_MANY_REQUESTS).into());
    }
    if !auth::passes_basic(&parts.headers, server.basic.as_ref()) {
        return Some(Outcome::page(401, "Authorization Required"));
    }
    None
}

/// `X-HTTP-Method-Override` on a POST (K§1.4).
fn effective_method(parts: &Parts) -> Method {
    let sent = parts.headers.get("x-http-method-override").and_then(|v| v.to_str().ok());
    match sent {
        Some("GET") if parts.method == Method::POST => Method::GET,
        Some("PUT") if parts.method == Method::POST => Method::PUT,
        Some("DELETE") if parts.method == Method::POST => Method::DELETE,
        _ => parts.method.clone(),
    }
}

fn serve(
    server: &Server,
    parts: &Parts,
    method: &Method,
    body: &Bytes,
    logged: &mut LoggedRequest,
) -> Outcome {
    let Some(Target { guest_space, endpoint }) = routes::target(parts.uri.path()) else {
        return Outcome::page(404, "Not Found");
    };
    let Some(handler) = routes::handler(method, endpoint) else {
        return Outcome::page(405, "Method Not Allowed");
    };
    match run(server, parts, (method, body), (guest_space, handler), logged) {
        Ok(answer) => {
            let content_type = answer.content_type.unwrap_or_else(|| JSON.to_owned());
            Outcome { status: 200, body: answer.body, error: None, warning: answer.warning, content_type }
        }
        Err(failure) => failure.into(),
    }
}

fn run(
    server: &Server,
    parts: &Parts,
    (method, body): (&Method, &Bytes),
    (guest_space, handler): (Option<u64>, Handler),
    logged: &mut LoggedRequest,
) -> Result<Answer, Failure> {
    if let Handler::Open(handler) = handler {
        return Ok(handler());
    }
    server.settle();
    let (caller, unknowns) = {
        let store = server.store();
        (auth::caller(&parts.headers, &store)?, store.unknowns)
    };
    let params = params(parts, method, body, unknowns)?;
    note(&params, logged);
    let now = chrono::Utc::now();
    let answer = match handler {
        Handler::Open(handler) => handler(),
        Handler::Shared(handler) => {
            let store = &*server.store();
            let call =
                Call { store, cursors: &server.cursors, caller: &caller, guest_space, params: &params, now };
            handler(&call)?
        }
        Handler::Alone(handler) => {
            let store = &mut *server.store.write().unwrap_or_else(PoisonError::into_inner);
            handler(&mut Change {
                store,
                cursors: &server.cursors,
                caller: &caller,
                guest_space,
                params: &params,
                now,
            })?
        }
    };
    logged.rows = answer.rows;
    Ok(answer)
}

/// The parameters: a JSON body where there is one, else the query string.
fn params(parts: &Parts, method: &Method, body: &Bytes, unknowns: Unknowns) -> Result<Params, Failure> {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    if body.is_empty() {
        let is_get = *method == Method::GET && parts.method == Method::GET;
        if is_get && content_type.is_some() && !unknowns.content_type_on_bodyless_get {
            return Err(BAD_REQUEST.into());
        }
        return Params::from_query(parts.uri.query().unwrap_or_default());
    }
    if parts.uri.path().ends_with("/file.json") && *method == Method::POST {
        return file::read_upload(content_type.unwrap_or_default(), body).map(Params::from_file);
    }
    if !content_type.is_some_and(|t| t.trim_start().to_ascii_lowercase().starts_with("application/json")) {
        return Err(BAD_REQUEST.into());
    }
    Params::from_body(body)
}

/// What the log keeps of the parameters.
fn note(params: &Params, logged: &mut LoggedRequest) {
    logged.app = params.get("app").and_then(integer).and_then(|id| u64::try_from(id).ok());
    if logged.app.is_none() && logged.path.ends_with("/app.json") {
        logged.app = params.get("id").and_then(integer).and_then(|id| u64::try_from(id).ok());
    }
    logged.query = params.text("query").ok().flatten().map(str::to_owned);
    logged.fields = params.texts("fields", usize::MAX).ok().flatten().unwrap_or_default();
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && quality.trim() != "q=0"
    })
}

fn compress(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

fn finish(server: &Server, outcome: Outcome, running: u32, gzip: bool) -> Response<Body> {
    let mut response = Response::builder()
        .status(outcome.status)
        .header(header::CONTENT_TYPE, &outcome.content_type)
        .header("x-concurrencylimit-limit", server.concurrency_limit)
        .header("x-concurrencylimit-running", running);
    if let Some(code) = outcome.error {
        response = response.header("x-cybozu-error", code);
    }
    if let Some(warning) = outcome.warning {
        response = response.header("x-cybozu-warning", warning);
    }
    if outcome.status == 401 && outcome.content_type == HTML {
        response = response.header(header::WWW_AUTHENTICATE, "Basic realm=\"kintone\"");
    }
    let compressed = if gzip && outcome.body.len() > SHORTEST_GZIP { compress(&outcome.body) } else { None };
    match compressed {
        Some(body) => build(response.header(header::CONTENT_ENCODING, "gzip"), Body::from(body)),
        None => build(response, Body::from(outcome.body)),
    }
}

fn build(response: axum::http::response::Builder, body: Body) -> Response<Body> {
    response.body(body).unwrap_or_else(|_| {
        let mut plain = Response::new(Body::empty());
        *plain.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        plain
    })
}
