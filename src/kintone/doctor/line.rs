//! One request, once, with everything that its answer says: no retries, no governor. Who diagnoses must see the first
//! failure, and send little.

use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;

use super::super::config::{ClientConfig, Credentials};
use super::super::http;
use super::super::request::bare;
use super::super::secret::Secret;
use super::super::tls::{self, Shown};

/// Longer answers are cut off: nothing that is asked here has one.
const LONGEST: usize = 8 * 1024 * 1024;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(in crate::kintone) enum Who<'a> {
    /// The gate's login alone.
    Nobody,
    /// The connection's login.
    Login,
    /// One API token.
    Token(&'a Secret),
}

/// What is asked.
#[derive(Debug, Clone)]
pub(in crate::kintone) struct Ask<'a> {
    pub method: Method,
    /// From the domain's root, such as `/k/v1/apps.json`.
    pub path: String,
    pub query: Vec<(&'a str, String)>,
    pub body: Option<Value>,
    /// `Content-Type` although there is no body (K§1.4).
    pub typed: bool,
    /// A GET whose parameters are in a body (K§1.4).
    pub overridden: bool,
}

impl<'a> Ask<'a> {
    pub(in crate::kintone) fn get(path: impl Into<String>) -> Self {
        Self::of(Method::GET, path)
    }

    pub(in crate::kintone) fn of(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: vec![], body: None, typed: false, overridden: false }
    }

    pub(in crate::kintone) fn with(mut self, name: &'a str, value: impl Display + Copy) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    pub(in crate::kintone) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub(in crate::kintone) struct Reply {
    pub status: u16,
    pub content_type: String,
    /// The body, where it is JSON.
    pub json: Option<Value>,
    /// The server's clock.
    pub date: Option<DateTime<Utc>>,
}

impl Reply {
    /// Kintone's code of a refusal.
    pub(in crate::kintone) fn code(&self) -> Option<&str> {
        self.json.as_ref()?.get("code")?.as_str().filter(|code| self.status != 200 && !code.is_empty())
    }

    /// `200`, `400 GAIA_IQ03`, or `503` of who is not Kintone.
    pub(in crate::kintone) fn outcome(&self) -> String {
        match self.code() {
            Some(code) => format!("{} {}", self.status, plain(code, 40)),
            None => self.status.to_string(),
        }
    }

    /// A list in the body.
    pub(in crate::kintone) fn list(&self, name: &str) -> &[Value] {
        let list = self.json.as_ref().and_then(|body| body.get(name)).and_then(Value::as_array);
        list.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kintone) enum Broken {
    /// No secure connection, in words that say what to do.
    Handshake(String),
    /// No connection at all.
    Connect(String),
    /// The time is over.
    Late,
    /// The answer broke off.
    Cut(String),
}

impl Broken {
    pub(in crate::kintone) fn words(&self) -> String {
        match self {
            Self::Handshake(reason) => format!("no secure connection: {reason}"),
            Self::Connect(reason) => format!("no connection: {reason}"),
            Self::Late => "no answer in time".into(),
            Self::Cut(reason) => format!("the answer broke off: {reason}"),
        }
    }
}

/// What was seen on the way.
#[derive(Debug, Clone, Default)]
pub(in crate::kintone) struct Traffic {
    pub requests: usize,
    /// From the request to the end of the answer, of those that were answered, without the first: it made the
    /// connection.
    pub times: Vec<Duration>,
    /// Of the domain: limit and running (K§5.1).
    pub concurrency: Option<(u32, u32)>,
}

/// The way to a domain.
#[derive(Debug)]
pub(in crate::kintone) struct Line {
    config: ClientConfig,
    nobody: reqwest::Client,
    login: reqwest::Client,
    shown: Shown,
    traffic: Mutex<Traffic>,
    until: Option<Instant>,
}

impl Line {
    /// A line that is silent after `until`, if there is an end.
    pub(in crate::kintone) fn new(config: &ClientConfig, until: Option<Instant>) -> Result<Self, String> {
        let shown = Shown::default();
        let client = |more: HeaderMap| {
            let mut headers = http::gate(config)?;
            headers.extend(more);
            http::transport(config, headers, tls::client_config(config, Some(&shown))?)
        };
        let nobody = client(HeaderMap::new())?;
        let login = client(http::login(&config.credentials)?)?;
        Ok(Self { config: config.clone(), nobody, login, shown, traffic: Mutex::default(), until })
    }

    fn lock(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::kintone) fn traffic(&self) -> Traffic {
        self.lock().clone()
    }

    /// The certificate that the server showed last.
    pub(in crate::kintone) fn certificate(&self) -> Option<tls::Facts> {
        self.shown.facts()
    }

    /// What is left of the time, at most `most`.
    pub(in crate::kintone) fn left(&self, most: Duration) -> Duration {
        self.until.map_or(most, |until| until.saturating_duration_since(Instant::now()).min(most))
    }

    /// Asks once.
    pub(in crate::kintone) async fn send(&self, who: Who<'_>, ask: &Ask<'_>) -> Result<Reply, Broken> {
        let request = self.request(who, ask).map_err(Broken::Cut)?;
        let began = Instant::now();
        let first = {
            let mut traffic = self.lock();
            traffic.requests += 1;
            traffic.requests == 1
        };
        let time = self.left(self.config.timeouts.total);
        let reply = tokio::time::timeout(time, self.answer(request)).await.unwrap_or(Err(Broken::Late))?;
        if !first {
            self.lock().times.push(began.elapsed());
        }
        Ok(reply)
    }

    fn request(&self, who: Who<'_>, ask: &Ask<'_>) -> Result<reqwest::RequestBuilder, String> {
        let base = &self.config.url;
        let mut url = bare(base, &format!("{}{}", base.path().trim_end_matches('/'), ask.path));
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&ask.query);
        }
        let method = if ask.overridden { Method::POST } else { ask.method.clone() };
        let mut request = match who {
            Who::Nobody => self.nobody.request(method, url),
            Who::Login => self.login.request(method, url),
            Who::Token(token) => {
                let header = http::login(&Credentials::ApiTokens(vec![token.clone()]))?;
                self.nobody.request(method, url).headers(header)
            }
        };
        if ask.overridden {
            request = request.header("X-HTTP-Method-Override", ask.method.as_str());
        }
        if ask.typed || ask.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        Ok(match &ask.body {
            Some(body) => request.body(body.to_string()),
            None => request,
        })
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Reply, Broken> {
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(text);
        let content_type = header("content-type").unwrap_or_default();
        let number = |name: &str| header(name).and_then(|value| value.parse::<u32>().ok());
        let date = header("date").and_then(|value| DateTime::parse_from_rfc2822(&value).ok());
        let date = date.map(|date| date.to_utc());
        if let Some(pair) = number("x-concurrencylimit-limit").zip(number("x-concurrencylimit-running")) {
            self.lock().concurrency = Some(pair);
        }
        let mut parts = response.bytes_stream();
        let mut body = BytesMut::new();
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part.map_err(|error| self.broken(&error))?);
            if body.len() > LONGEST {
                return Err(Broken::Cut("it is very long".into()));
            }
        }
        let is_json = content_type.to_ascii_lowercase().starts_with("application/json");
        let json = if is_json { serde_json::from_slice(&body).ok() } else { None };
        Ok(Reply { status, content_type: plain(&content_type, 40), json, date })
    }

    /// Only the innermost cause is told: the others hold the URL.
    fn broken(&self, error: &reqwest::Error) -> Broken {
        if let Some(reason) = tls::reason(error, &self.config) {
            return Broken::Handshake(reason);
        }
        if error.is_timeout() {
            return Broken::Late;
        }
        let reason = tls::of_proxy(error, &self.config).unwrap_or_else(|| tls::innermost(error));
        if error.is_connect() { Broken::Connect(reason) } else { Broken::Cut(reason) }
    }
}

fn text(value: &HeaderValue) -> Option<String> {
    value.to_str().ok().map(str::to_owned)
}

/// A foreign text: one line, not long.
pub(in crate::kintone) fn plain(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}
