//! An answer on its way out: its headers, its compression, and what a fault does to its delivery.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::response::Builder;
use axum::http::{HeaderMap, Response, StatusCode, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;
use tokio::sync::Notify;

use super::reply::{Answer, Failure};

/// Shorter bodies are not worth compressing.
const SHORTEST_GZIP: usize = 1024;
const JSON: &str = "application/json;charset=utf-8";
const HTML: &str = "text/html;charset=utf-8";
/// Time for the last bytes to leave before the connection is cut.
const FLUSH: Duration = Duration::from_millis(3);

/// A response before its headers.
#[derive(Debug)]
pub(super) struct Outcome {
    /// 0 where nobody is answered.
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// The code, for `X-Cybozu-Error`.
    pub(super) error: Option<&'static str>,
    /// For `X-Cybozu-Warning`.
    pub(super) warning: Option<&'static str>,
    pub(super) content_type: String,
}

impl Outcome {
    pub(super) fn answer(answer: Answer) -> Self {
        let content_type = answer.content_type.unwrap_or_else(|| JSON.to_owned());
        Self { status: 200, body: answer.body, error: None, warning: answer.warning, content_type }
    }

    pub(super) fn page(status: u16, text: &str) -> Self {
        let body = format!("<!DOCTYPE html><html><body>{text}</body></html>").into_bytes();
        Self { status, body, error: None, warning: None, content_type: HTML.to_owned() }
    }

    /// No answer at all.
    pub(super) fn none() -> Self {
        Self { status: 0, body: vec![], error: None, warning: None, content_type: String::new() }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        let (status, error) = (failure.status(), Some(failure.name()));
        Self { status, body: failure.body(), error, warning: None, content_type: JSON.to_owned() }
    }
}

/// How an answer is sent.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// Whether the client takes gzip.
    pub(super) accepts_gzip: bool,
    /// Instead of an answer.
    pub(super) reset: bool,
    /// After how many bytes the connection ends, and whether the body goes in chunks.
    pub(super) cut: Option<(usize, bool)>,
    /// Bytes in a piece, and the time between pieces.
    pub(super) pieces: Option<(usize, Duration)>,
    /// Before the first byte.
    pub(super) start: Duration,
    /// Compressed always, or never.
    pub(super) gzip: Option<bool>,
    /// Decoded bytes of a bomb.
    pub(super) bomb: Option<u64>,
}

/// The connection that a request came on, to end it early.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Ends it by TCP reset.
    pub(super) reset: Notify,
    /// Ends it as a program does that closes its socket.
    pub(super) close: Notify,
}

/// Requests at a time, for the headers of each answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) limit: u32,
    pub(super) running: u32,
}

/// The answer as the client gets it. Never ready where the connection is reset.
pub(super) async fn send(
    outcome: Outcome,
    delivery: Delivery,
    load: Load,
    line: &Arc<Line>,
) -> Response<Body> {
    if !delivery.start.is_zero() {
        tokio::time::sleep(delivery.start).await;
    }
    if delivery.reset {
        line.reset.notify_one();
        return std::future::pending().await;
    }
    let head = head(&outcome, load);
    let (head, body) = match encoded(outcome.body, &delivery).await {
        (body, true) => (head.header(header::CONTENT_ENCODING, "gzip"), body),
        (body, false) => (head, body),
    };
    if let Some((at, in_chunks)) = delivery.cut {
        let head = if in_chunks { head } else { head.header(header::CONTENT_LENGTH, body.len()) };
        return build(head, cut(&body, at, Arc::clone(line)));
    }
    match delivery.pieces {
        Some((bytes, every)) => {
            let head = head.header(header::CONTENT_LENGTH, body.len());
            build(head, pieces(body, bytes, every))
        }
        None => build(head, Body::from(body)),
    }
}

fn head(outcome: &Outcome, load: Load) -> Builder {
    let mut head = Response::builder()
        .status(outcome.status)
        .header(header::CONTENT_TYPE, &outcome.content_type)
        .header("x-concurrencylimit-limit", load.limit)
        .header("x-concurrencylimit-running", load.running);
    if let Some(code) = outcome.error {
        head = head.header("x-cybozu-error", code);
    }
    if let Some(warning) = outcome.warning {
        head = head.header("x-cybozu-warning", warning);
    }
    if outcome.status == 401 && outcome.content_type == HTML {
        head = head.header(header::WWW_AUTHENTICATE, "Basic realm=\"kintone\"");
    }
    head
}

/// The body's bytes, and whether they are gzip.
async fn encoded(body: Vec<u8>, delivery: &Delivery) -> (Bytes, bool) {
    if let Some(bytes) = delivery.bomb {
        let made = tokio::task::spawn_blocking(move || bomb(bytes)).await;
        return (made.ok().and_then(Result::ok).unwrap_or_default().into(), true);
    }
    let wanted = delivery.gzip.unwrap_or(body.len() > SHORTEST_GZIP);
    match (delivery.accepts_gzip && wanted).then(|| compress(&body)) {
        Some(Ok(compressed)) => (compressed.into(), true),
        _ => (body.into(), false),
    }
}

fn compress(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// JSON that never ends, for the first `bytes` of it.
fn bomb(bytes: u64) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(b"{\"records\":[")?;
    io::copy(&mut io::Read::take(io::repeat(b' '), bytes), &mut encoder)?;
    encoder.finish()
}

/// The first bytes of a body, never all of it; then the connection ends.
fn cut(body: &Bytes, at: usize, line: Arc<Line>) -> Body {
    let kept = body.slice(..at.min(body.len().saturating_sub(1)));
    let parts = stream::unfold(Some(kept), move |kept| {
        let line = Arc::clone(&line);
        async move {
            match kept.filter(|kept| !kept.is_empty()) {
                Some(kept) => Some((Ok::<_, Infallible>(kept), None)),
                None => {
                    tokio::time::sleep(FLUSH).await;
                    line.close.notify_one();
                    std::future::pending().await
                }
            }
        }
    });
    Body::from_stream(parts)
}

fn pieces(body: Bytes, bytes: usize, every: Duration) -> Body {
    Body::from_stream(stream::unfold((body, false), move |(mut body, waits)| async move {
        if body.is_empty() {
            return None;
        }
        if waits {
            tokio::time::sleep(every).await;
        }
        let piece = body.split_to(bytes.min(body.len()));
        Some((Ok::<_, Infallible>(piece), (body, true)))
    }))
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    build(Response::builder().status(status), Body::empty())
}

fn build(head: Builder, body: Body) -> Response<Body> {
    head.body(body).unwrap_or_else(|_| {
        let mut plain = Response::new(Body::empty());
        *plain.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        plain
    })
}

/// Whether the client takes gzip.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && quality.trim() != "q=0"
    })
}
