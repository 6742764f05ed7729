//! One call over HTTP: headers, time-outs, the bounds on an answer, retries, the log.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use chrono::Utc;
use futures::StreamExt;
use reqwest::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::config::{ClientConfig, Credentials};
use super::error::Error;
use super::limit::Governor;
use super::log::{Log, Request};
use super::retry::{Verdict, verdict};

/// Bytes of an answer, unpacked.
const MAX_BODY: usize = 50 * 1024 * 1024;

/// Longer URLs go as POST with the method in a header, as the official client does (K§1.4).
const MAX_URL: usize = 4096;

/// How long a rejected login stops all calls: more tries could lock the account.
const REJECTED: Duration = Duration::from_secs(300);

/// A read to be sent.
pub(super) struct Call<'a> {
    /// Without the leading path of the space: `records.json`.
    pub resource: &'static str,
    pub guest_space: Option<u64>,
    pub app: Option<u64>,
    /// Parameters as the JSON body has them; arrays of texts for lists.
    pub parameters: Vec<(&'static str, Value)>,
    /// For the log.
    pub query: &'a str,
}

/// A whole answer.
pub(super) struct Answer {
    pub body: Bytes,
    /// In the log.
    pub number: u64,
    pub call: String,
}

/// Sends calls for one connection.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    config: ClientConfig,
    governor: Governor,
    pub log: Log,
    /// Seconds since 1970 until which the login counts as rejected.
    rejected_until: AtomicI64,
}

impl Http {
    pub(super) fn new(config: ClientConfig) -> Result<Self, Error> {
        // A process has one provider of cryptography; the first to choose wins, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let fault = |reason: String| Error::Config { connection: config.name.clone(), reason };
        let mut builder = reqwest::Client::builder()
            .default_headers(headers(&config).map_err(fault)?)
            .redirect(Policy::none())
            .connect_timeout(config.timeouts.connect)
            .read_timeout(config.timeouts.idle.max(config.timeouts.first_byte))
            .timeout(config.timeouts.total)
            .no_proxy()
            .user_agent(concat!("kintone-sql/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &config.proxy {
            let proxy =
                reqwest::Proxy::all(proxy.clone()).map_err(|_| fault("the proxy's URL is not one".into()))?;
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|_| fault("the HTTP client cannot be made".into()))?;
        let governor = Governor::new(config.max_in_flight);
        Ok(Self { client, governor, log: Log::default(), rejected_until: AtomicI64::new(0), config })
    }

    pub(super) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Sends a read until it is answered, as often as the configuration allows.
    pub(super) async fn read(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            let error = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let retry = &self.config.retry;
            let Verdict::Retry(price) = verdict(&error, false) else { return Err(error) };
            let wait = retry.wait(attempt, fastrand::f64());
            if attempt >= retry.attempts
                || started.elapsed() + wait > retry.total
                || !self.governor.pay(price)
            {
                return Err(match attempt {
                    1 => error,
                    attempts => {
                        Error::Exhausted { attempts, elapsed: started.elapsed(), last: Box::new(error) }
                    }
                });
            }
            tracing::debug!(connection = %self.config.name, %error, ?wait, "trying again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn once(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let connection = || self.config.name.clone();
        if Utc::now().timestamp() < self.rejected_until.load(Ordering::Relaxed) {
            return Err(Error::CredentialsRejected { connection: connection() });
        }
        let _permit = self.governor.enter().await;
        let path = self.path(call);
        let name = format!("GET {path}");
        let (time, started) = (Utc::now(), Instant::now());
        let sent =
            tokio::time::timeout(self.config.timeouts.first_byte, self.request(call, &path).send()).await;
        let mut status = 0;
        let outcome = match sent {
            Err(_) => Err(self.broke_off(&name, "no answer in time")),
            Ok(Err(error)) => Err(self.transport(&name, &error)),
            Ok(Ok(response)) => {
                status = response.status().as_u16();
                self.receive(response, &name).await
            }
        };
        let number = self.log.add(Request {
            time,
            connection: connection(),
            app: call.app,
            method: "GET",
            path,
            query: call.query.to_owned(),
            rows: 0,
            bytes: outcome.as_ref().map_or(0, |b| u64::try_from(b.len()).unwrap_or(u64::MAX)),
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            status,
        });
        self.remember(&outcome);
        outcome.map(|body| Answer { body, number, call: name })
    }

    /// What an outcome means for the calls that follow.
    fn remember(&self, outcome: &Result<Bytes, Error>) {
        match outcome {
            Err(Error::Rejected { status: 429, .. } | Error::Status { status: 429, .. }) => {
                self.governor.refused()
            }
            Err(Error::Rejected { status: 401, .. }) => {
                let until = Utc::now() + REJECTED;
                self.rejected_until.store(until.timestamp(), Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// `/k/v1/records.json`, or the guest space's, after a path that the URL itself may have.
    fn path(&self, call: &Call<'_>) -> String {
        let base = self.config.url.path().trim_end_matches('/');
        match call.guest_space {
            Some(space) => format!("{base}/k/guest/{space}/v1/{}", call.resource),
            None => format!("{base}/k/v1/{}", call.resource),
        }
    }

    fn request(&self, call: &Call<'_>, path: &str) -> RequestBuilder {
        let mut url = self.config.url.clone();
        url.set_path(path);
        {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in &call.parameters {
                match value {
                    Value::Array(items) => {
                        for (i, item) in items.iter().enumerate() {
                            pairs.append_pair(&format!("{name}[{i}]"), &plain(item));
                        }
                    }
                    value => {
                        pairs.append_pair(name, &plain(value));
                    }
                }
            }
        }
        // A list in a URL has at most 100 places (K§2.1).
        let long_list = call.parameters.iter().any(|(_, v)| v.as_array().is_some_and(|a| a.len() > 100));
        if url.as_str().len() <= MAX_URL && !long_list {
            return self.client.get(url);
        }
        url.set_query(None);
        let body: Map<String, Value> =
            call.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.client
            .post(url)
            .header("X-HTTP-Method-Override", "GET")
            .header(CONTENT_TYPE, "application/json")
            .body(Value::Object(body).to_string())
    }

    /// The body, whole and of the right kind.
    async fn receive(&self, response: Response, name: &str) -> Result<Bytes, Error> {
        let (connection, call) = (self.config.name.clone(), name.to_owned());
        let status = response.status();
        if status.is_redirection() {
            return Err(Error::Redirected { connection, call });
        }
        let header =
            |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let content_type = header("content-type").unwrap_or_default();
        let warning = header("x-cybozu-warning");
        let number = |name| header(name).and_then(|v| v.parse::<u32>().ok());
        let concurrency = number("x-concurrencylimit-limit").zip(number("x-concurrencylimit-running"));
        let is_json = content_type.starts_with("application/json");
        if !is_json && status.is_success() {
            let content_type = content_type.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(Error::NotKintone { connection, call, status: status.as_u16(), content_type });
        }
        if !is_json {
            return Err(Error::Status { connection, call, status: status.as_u16() });
        }
        let body = self.body(response, name).await?;
        if !status.is_success() {
            return Err(rejection(connection, call, status.as_u16(), &body));
        }
        if let Some(warning) = warning {
            let warning = warning.chars().take(120).collect();
            return Err(Error::Partial { connection, call, warning });
        }
        if !body.trim_ascii_end().ends_with(b"}") {
            return Err(self.broke_off(name, "the answer is cut"));
        }
        self.governor.succeeded(concurrency);
        Ok(body)
    }

    async fn body(&self, response: Response, name: &str) -> Result<Bytes, Error> {
        let mut parts = response.bytes_stream();
        let mut body = BytesMut::new();
        loop {
            match tokio::time::timeout(self.config.timeouts.idle, parts.next()).await {
                Err(_) => return Err(self.broke_off(name, "the answer stopped half way")),
                Ok(None) => return Ok(body.freeze()),
                Ok(Some(Err(error))) => return Err(self.transport(name, &error)),
                Ok(Some(Ok(part))) if body.len() + part.len() > MAX_BODY => {
                    let connection = self.config.name.clone();
                    return Err(Error::TooLarge { connection, call: name.to_owned(), limit: MAX_BODY });
                }
                Ok(Some(Ok(part))) => body.extend_from_slice(&part),
            }
        }
    }

    fn broke_off(&self, call: &str, reason: &str) -> Error {
        Error::Transport {
            connection: self.config.name.clone(),
            call: call.to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// A failure below HTTP. Only its innermost cause is told: the others hold the URL.
    fn transport(&self, call: &str, error: &reqwest::Error) -> Error {
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let reason = if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() };
        if error.is_connect() {
            let url = &self.config.url;
            let port = url.port_or_known_default().unwrap_or(443);
            let host = format!("{}:{port}", url.host_str().unwrap_or_default());
            return Error::Connect { connection: self.config.name.clone(), host, reason };
        }
        self.broke_off(call, &reason)
    }
}

/// A parameter as a URL has it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The headers that every call carries; those with a secret are marked so that nothing prints them.
fn headers(config: &ClientConfig) -> Result<HeaderMap, String> {
    let secret = |text: String| {
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| "a credential has a character that HTTP cannot carry")?;
        value.set_sensitive(true);
        Ok::<_, String>(value)
    };
    let pair = |user: &str, password: &str| BASE64_STANDARD.encode(format!("{user}:{password}"));
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
    match &config.credentials {
        Credentials::Password { user, password } => {
            headers.insert("X-Cybozu-Authorization", secret(pair(user, password.reveal()))?);
        }
        Credentials::ApiTokens(tokens) => {
            let tokens: Vec<_> = tokens.iter().map(super::secret::Secret::reveal).collect();
            headers.insert("X-Cybozu-API-Token", secret(tokens.join(","))?);
        }
    }
    if let Some(basic) = &config.basic {
        headers
            .insert(AUTHORIZATION, secret(format!("Basic {}", pair(&basic.user, basic.password.reveal())))?);
    }
    Ok(headers)
}

/// Kintone's error body (K§5.2).
fn rejection(connection: String, call: String, status: u16, body: &[u8]) -> Error {
    #[derive(Deserialize)]
    struct Wire {
        code: String,
        message: String,
        #[serde(default)]
        errors: indexmap::IndexMap<String, WireMessages>,
    }
    #[derive(Deserialize)]
    struct WireMessages {
        #[serde(default)]
        messages: Vec<String>,
    }
    match serde_json::from_slice::<Wire>(body) {
        Ok(wire) => {
            let errors = wire.errors.into_iter().map(|(key, m)| (key, m.messages)).collect();
            Error::Rejected { connection, call, status, code: wire.code, message: wire.message, errors }
        }
        Err(_) => Error::Status { connection, call, status },
    }
}
