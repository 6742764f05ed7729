//! A server between an engine and its Kintone that a test lets change answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, header};

/// What a test makes of a call: its number from 1, its path, its query text, and Kintone's answer.
type Change = dyn Fn(usize, &str, &str, u16, String) -> (u16, String) + Send + Sync;

struct Inner {
    to: String,
    client: reqwest::Client,
    change: Box<Change>,
    records: AtomicUsize,
    seen: Mutex<Vec<String>>,
}

/// A running proxy; it ends with its runtime.
#[derive(Clone)]
pub(crate) struct Proxy {
    inner: Arc<Inner>,
    port: u16,
}

impl Proxy {
    /// Passes everything on to `to`, answers through `change`. Only calls for records are numbered.
    pub(crate) async fn start(
        to: String,
        change: impl Fn(usize, &str, &str, u16, String) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inner = Arc::new(Inner {
            to,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            change: Box::new(change),
            records: AtomicUsize::new(0),
            seen: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(pass).with_state(Arc::clone(&inner));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { inner, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Paths that were asked for.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.inner.seen.lock().unwrap().clone()
    }
}

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let path = parts.uri.path().to_owned();
    inner.seen.lock().unwrap().push(path.clone());
    let is_records = path.ends_with("/records.json");
    let number = if is_records { inner.records.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "query")
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    headers.remove(header::ACCEPT_ENCODING);
    let sent =
        inner.client.request(parts.method, format!("{}{target}", inner.to)).headers(headers).body(body);
    let answer = sent.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let (status, text) = (inner.change)(number, &path, &query, status, text);
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json;charset=utf-8")
        .body(Body::from(text))
        .unwrap()
}
