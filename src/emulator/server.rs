//! HTTP: from a request to a call, and from its answer to a response (K§1, K§5).

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode, header};
use tokio::sync::watch;

use super::auth::{self, Caller};
use super::backdoor::Backdoor;
use super::call::{Call, Change};
use super::cursor::Cursors;
use super::fault::{Fault, Faults};
use super::file;
use super::log::{LoggedRequest, RequestLog};
use super::outcome::{self, Delivery, Line, Load, Outcome};
use super::params::{Params, integer};
use super::reply::{Answer, BAD_REQUEST, Failure, TOO_MANY_REQUESTS};
use super::routes::{self, Handler, Target};
use super::settings;
use super::socket::stopped;
use super::store::Store;
use super::unknown::{self, Unknowns};

/// What all requests share.
pub(super) struct Server {
    /// Locked for writing where apps come, go or change, and where several apps are written at once.
    pub(super) store: RwLock<Store>,
    pub(super) cursors: Cursors,
    pub(super) log: RequestLog,
    pub(super) pace: Mutex<Pace>,
    pub(super) faults: Faults,
    /// Turns true when no password and no token is good any more.
    pub(super) revoked: AtomicBool,
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
    pub(super) fn settle(&self) {
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

/// Added to each request, besides what its call takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    pub(super) latency: Duration,
    /// For each other request that runs.
    pub(super) per_running: Duration,
}

/// Answers every request. Never ready where a fault cuts the connection.
pub(super) async fn handle(server: Arc<Server>, request: Request, line: Arc<Line>) -> Response<Body> {
    let mut stop = server.stop.clone();
    let load = |running| Load { limit: server.concurrency_limit, running };
    // Of its own: what has begun is done and logged, also where the client has gone.
    let answered = tokio::spawn(respond(Arc::clone(&server), request));
    let answer = tokio::select! {
        answered = answered => answered.ok(),
        () = stopped(&mut stop) => return outcome::empty(StatusCode::SERVICE_UNAVAILABLE),
    };
    match answer {
        Some((outcome, delivery, running)) => outcome::send(outcome, delivery, load(running), &line).await,
        None => outcome::empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The answer, how to send it, and how many requests ran.
async fn respond(server: Arc<Server>, request: Request) -> (Outcome, Delivery, u32) {
    let slot = Slot::enter(&server.running);
    let running = slot.running;
    let (parts, body) = request.into_parts();
    let accepts_gzip = outcome::accepts_gzip(&parts.headers);
    let method = effective_method(&parts);
    let (method_name, path) =
        (method.as_ref().unwrap_or(&parts.method).to_string(), parts.uri.path().to_owned());
    let mut logged = LoggedRequest { method: method_name, path, running, ..LoggedRequest::default() };
    let mut delivery = Delivery { accepts_gzip, ..Delivery::default() };
    let outcome = match early_refusal(&server, &parts, running) {
        Some(outcome) => outcome,
        None => match to_bytes(body, unknown::LONGEST_BODY).await {
            Err(_) => Outcome::page(413, "Request Entity Too Large"),
            Ok(body) => {
                let shared = Arc::clone(&server);
                let mut tried = logged.clone();
                let work = move || {
                    let outcome = match &method {
                        Ok(method) => meet(&shared, &parts, method, &body, &mut tried, &mut delivery),
                        Err(failure) => failure.clone().into(),
                    };
                    (outcome, tried, delivery)
                };
                // Loading and scanning an app takes a while: not on a thread that other sockets wait for.
                match tokio::task::spawn_blocking(work).await {
                    Ok((outcome, done, sent)) => {
                        (logged, delivery) = (done, sent);
                        outcome
                    }
                    Err(_) => {
                        delivery = Delivery::default();
                        Outcome::page(500, "Internal Server Error")
                    }
                }
            }
        },
    };
    let pace = *server.pace.lock().unwrap_or_else(PoisonError::into_inner);
    let others = server.running.load(Ordering::SeqCst).saturating_sub(1);
    let wait = pace.latency + pace.per_running.saturating_mul(others);
    if !wait.is_zero() {
        let mut stop = server.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stopped(&mut stop) => {}
        }
    }
    logged.status = outcome.status;
    logged.bytes = u64::try_from(outcome.body.len()).unwrap_or(u64::MAX);
    server.log.push(logged);
    (outcome, delivery, running)
}

/// A call, and what goes wrong with it.
fn meet(
    server: &Arc<Server>,
    parts: &Parts,
    method: &Method,
    body: &Bytes,
    logged: &mut LoggedRequest,
    delivery: &mut Delivery,
) -> Outcome {
    let unknowns = server.store().unknowns;
    let sent = params(parts, method, body, unknowns);
    if let Ok(sent) = &sent {
        note(sent, logged);
    }
    let faults = server.faults.of(logged);
    let door = Backdoor { server: Arc::clone(server) };
    for fault in &faults {
        fault.prepare(&door, logged);
        fault.slow_down(delivery);
        logged.faults.push(fault.name());
    }
    let refused = faults.iter().find_map(Fault::refusal);
    let outcome = refused.unwrap_or_else(|| serve(server, parts, method, sent, logged));
    faults.iter().fold(outcome, |outcome, fault| fault.spoil(outcome))
}

/// What the gateway refuses before it looks at a call.
fn early_refusal(server: &Server, parts: &Parts, running: u32) -> Option<Outcome> {
    if parts.uri.path_and_query().is_some_and(|target| target.as_str().len() > unknown::LONGEST_URL) {
        return Some(Outcome::page(414, "Request URL Too Large"));
    }
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| usize::try_from(bytes).is_ok_and(|bytes| bytes > unknown::LONGEST_BODY))
    {
        return Some(Outcome::page(413, "Request Entity Too Large"));
    }
    if running > server.concurrency_limit {
        return Some(Failure::from(TOO_MANY_REQUESTS).into());
    }
    if !auth::passes_basic(&parts.headers, server.basic.as_ref()) {
        return Some(Outcome::page(401, "Authorization Required"));
    }
    None
}

/// `X-HTTP-Method-Override` on a POST (K§1.4). One that is not understood must not run the POST instead.
fn effective_method(parts: &Parts) -> Result<Method, Failure> {
    let sent = parts.headers.get("x-http-method-override").filter(|_| parts.method == Method::POST);
    match sent.map(|verb| verb.as_bytes()) {
        None => Ok(parts.method.clone()),
        Some(b"GET") => Ok(Method::GET),
        Some(b"POST") => Ok(Method::POST),
        Some(b"PUT") => Ok(Method::PUT),
        Some(b"DELETE") => Ok(Method::DELETE),
        Some(_) => Err(BAD_REQUEST.into()),
    }
}

fn serve(
    server: &Server,
    parts: &Parts,
    method: &Method,
    sent: Result<Params, Failure>,
    logged: &mut LoggedRequest,
) -> Outcome {
    let Some(Target { guest_space, endpoint }) = routes::target(parts.uri.path()) else {
        return Outcome::page(404, "Not Found");
    };
    let Some(handler) = routes::handler(method, endpoint) else {
        return Outcome::page(405, "Method Not Allowed");
    };
    if let Handler::Open(handler) = handler {
        return Outcome::answer(handler());
    }
    server.settle();
    let answered =
        caller(server, parts).and_then(|caller| dispatch(server, &caller, (guest_space, handler), &sent?));
    match answered {
        Ok(answer) => {
            logged.rows = answer.rows;
            Outcome::answer(answer)
        }
        Err(failure) => failure.into(),
    }
}

fn caller(server: &Server, parts: &Parts) -> Result<Caller, Failure> {
    let caller = auth::caller(&parts.headers, &server.store())?;
    if server.revoked.load(Ordering::SeqCst) {
        return Err(caller.revoked().into());
    }
    Ok(caller)
}

/// Answers a call of somebody who is known.
pub(super) fn dispatch(
    server: &Server,
    caller: &Caller,
    (guest_space, handler): (Option<u64>, Handler),
    params: &Params,
) -> Result<Answer, Failure> {
    let now = chrono::Utc::now();
    match handler {
        Handler::Open(handler) => Ok(handler()),
        Handler::Shared(handler) => {
            let store = &*server.store();
            handler(&Call { store, cursors: &server.cursors, caller, guest_space, params, now })
        }
        Handler::Alone(handler) => {
            let store = &mut *server.store.write().unwrap_or_else(PoisonError::into_inner);
            handler(&mut Change { store, cursors: &server.cursors, caller, guest_space, params, now })
        }
    }
}

/// The parameters: a JSON body where there is one, else the query string, which only GET and DELETE have (K§1.4).
fn params(parts: &Parts, method: &Method, body: &Bytes, unknowns: Unknowns) -> Result<Params, Failure> {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    if body.is_empty() {
        let is_get = *method == Method::GET && parts.method == Method::GET;
        if is_get && content_type.is_some() && !unknowns.content_type_on_bodyless_get {
            return Err(BAD_REQUEST.into());
        }
        if !matches!(*method, Method::GET | Method::DELETE) {
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
