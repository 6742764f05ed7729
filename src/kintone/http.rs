//! One call over HTTP: headers, time-outs, the bounds on an answer, retries, the log.

use std::sync::{Mutex, MutexGuard, PoisonError};
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
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::config::{ClientConfig, Credentials, is_local, login_fault, url_fault};
use super::error::Error;
use super::limit::{Governor, Permit};
use super::log::{Log, Request};
use super::retry::{Verdict, verdict};
use super::secret::Secret;
use super::tls;

/// Longer URLs go as POST with the method in a header, as the official client does (K§1.4).
const MAX_URL: usize = 4096;

/// A list in a URL has so many places (K§2.1).
const MAX_LIST: usize = 100;

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
    /// Its name in errors.
    pub call: String,
}

/// Sends calls for one connection.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    config: ClientConfig,
    governor: Governor,
    pub log: Log,
    /// Until when the login counts as rejected.
    rejected_until: Mutex<Option<Instant>>,
}

impl Http {
    pub(super) fn new(config: ClientConfig) -> Result<Self, Error> {
        let fault = |reason: String| Error::Config { connection: config.name.clone(), reason };
        if let Some(why) = url_fault(&config.url) {
            return Err(fault(format!("Url {why}")));
        }
        if let Some((_, why)) = login_fault(&config) {
            return Err(fault(why));
        }
        // Redirects would carry the login elsewhere: reqwest keeps Kintone's headers on them.
        let mut builder = reqwest::Client::builder()
            .default_headers(headers(&config).map_err(fault)?)
            .redirect(Policy::none())
            .connect_timeout(config.timeouts.connect)
            .timeout(config.timeouts.total)
            .no_proxy()
            .tls_backend_preconfigured(tls::client_config(&config).map_err(fault)?)
            .user_agent(concat!("kintone-sql/", env!("CARGO_PKG_VERSION")));
        // This machine's servers speak plain HTTP, which a proxy would see with the login in it.
        if let Some(url) = config.proxy.as_ref().filter(|_| !is_local(&config.url)) {
            let proxy =
                reqwest::Proxy::all(url.clone()).map_err(|_| fault("the proxy's URL is not one".into()))?;
            builder = builder.proxy(match &config.proxy_login {
                Some(login) => proxy.basic_auth(&login.user, login.password.reveal()),
                None => proxy,
            });
        }
        let client = builder.build().map_err(|_| fault("the HTTP client cannot be made".into()))?;
        let governor = Governor::new(config.max_in_flight);
        Ok(Self { client, governor, log: Log::default(), rejected_until: Mutex::new(None), config })
    }

    pub(super) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Sends a read until it is answered, as often as the configuration allows. The time for that begins with the
    /// first try, not with the wait for a place.
    pub(super) async fn read(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let mut permit = self.governor.enter().await;
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            let error = match self.once(call, &permit).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            drop(permit);
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
            permit = self.governor.enter().await;
        }
    }

    /// One try. The place in the window is held until the answer is whole.
    async fn once(&self, call: &Call<'_>, permit: &Permit<'_>) -> Result<Answer, Error> {
        let connection = self.config.name.clone();
        // Only now: the login may have been rejected while this call waited for its place.
        if self.is_rejected() {
            return Err(Error::CredentialsRejected { connection });
        }
        let path = self.path(call);
        let name = match call.app {
            Some(app) => format!("GET {path} (app {app})"),
            None => format!("GET {path}"),
        };
        let request = self.request(call, &path);
        let started = Instant::now();
        let number = self.log.add(Request {
            time: Utc::now(),
            connection,
            app: call.app,
            method: "GET",
            path,
            query: call.query.to_owned(),
            rows: 0,
            bytes: 0,
            ms: 0,
            status: 0,
        });
        let mut status = 0;
        let outcome = match tokio::time::timeout(self.config.timeouts.first_byte, request.send()).await {
            Err(_) => Err(self.broke_off(&name, "no answer in time")),
            Ok(Err(error)) => Err(self.transport(&name, &error)),
            Ok(Ok(response)) => {
                status = response.status().as_u16();
                self.receive(response, &name, permit).await
            }
        };
        self.log.update(number, |request| {
            request.status = status;
            request.bytes = outcome.as_ref().map_or(0, |b| u64::try_from(b.len()).unwrap_or(u64::MAX));
            request.ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        });
        match status {
            429 => permit.refused(),
            401 => *self.rejected() = Some(Instant::now() + REJECTED),
            _ => {}
        }
        outcome.map(|body| Answer { body, number, call: name })
    }

    fn rejected(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rejected_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_rejected(&self) -> bool {
        self.rejected().is_some_and(|until| Instant::now() < until)
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
        url.set_fragment(None);
        url.set_query(Some(&query_string(&call.parameters)));
        let long_list = call.parameters.iter().any(|(_, v)| v.as_array().is_some_and(|a| a.len() > MAX_LIST));
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
    async fn receive(&self, response: Response, name: &str, permit: &Permit<'_>) -> Result<Bytes, Error> {
        let (connection, call) = (self.config.name.clone(), name.to_owned());
        let (is_success, status) = (response.status().is_success(), response.status().as_u16());
        if response.status().is_redirection() {
            return Err(Error::Redirected { connection, call });
        }
        // Lossy: a warning in another encoding is still a warning.
        let header =
            |name| response.headers().get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let content_type = header("content-type").unwrap_or_else(|| "no content type".into());
        let warning = header("x-cybozu-warning");
        let number = |name| header(name).and_then(|v| v.parse::<u32>().ok());
        let concurrency = number("x-concurrencylimit-limit").zip(number("x-concurrencylimit-running"));
        let media_type = content_type.split(';').next().unwrap_or_default();
        let is_json = media_type.trim().eq_ignore_ascii_case("application/json");
        if !is_success {
            // The status counts even where its body is lost: a rejected login must not be tried again.
            let body =
                if is_json { self.body(response, name).await.unwrap_or_default() } else { Bytes::new() };
            return Err(rejection(connection, call, status, &body));
        }
        if !is_json {
            return Err(Error::NotKintone {
                connection,
                call,
                status,
                content_type: clean(&content_type, 40),
            });
        }
        let body = self.body(response, name).await?;
        if let Some(warning) = warning {
            return Err(Error::Partial { connection, call, warning: clean(&warning, 120) });
        }
        // A body can be cut although its framing is right.
        match serde_json::from_slice::<IgnoredAny>(&body) {
            Err(error) if error.is_eof() => Err(self.broke_off(name, "the answer is cut")),
            Err(error) => Err(Error::Decode { connection, call, reason: place(&error) }),
            Ok(_) => {
                permit.succeeded(concurrency);
                Ok(body)
            }
        }
    }

    /// All of the body: what is packed is unpacked part by part, so that the bound holds for what comes out.
    async fn body(&self, response: Response, name: &str) -> Result<Bytes, Error> {
        let limit = self.config.max_answer_bytes;
        let mut parts = response.bytes_stream();
        let mut body = BytesMut::new();
        loop {
            match tokio::time::timeout(self.config.timeouts.idle, parts.next()).await {
                Err(_) => return Err(self.broke_off(name, "the answer stopped half way")),
                Ok(None) => return Ok(body.freeze()),
                Ok(Some(Err(error))) => return Err(self.broke_off(name, &tls::innermost(&error))),
                Ok(Some(Ok(part))) if body.len() + part.len() > limit => {
                    let connection = self.config.name.clone();
                    return Err(Error::TooLarge { connection, call: name.to_owned(), limit });
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

    /// A failure below HTTP, before the answer. Only its innermost cause is told: the others hold the URL.
    fn transport(&self, call: &str, error: &reqwest::Error) -> Error {
        let (connection, url) = (self.config.name.clone(), &self.config.url);
        let host =
            format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
        if let Some(reason) = tls::reason(error, &self.config) {
            return Error::Handshake { connection, host, reason, sent: !error.is_connect() };
        }
        let reason = if error.is_timeout() {
            "no answer in time".to_owned()
        } else {
            tls::of_proxy(error, &self.config).unwrap_or_else(|| tls::innermost(error))
        };
        if error.is_connect() {
            return Error::Connect { connection, host, reason };
        }
        self.broke_off(call, &reason)
    }
}

/// Parameters as a URL has them, lists with an index for each item (K§1.4).
fn query_string(parameters: &[(&str, Value)]) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
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
    // A plus sign means a space in forms only; a real one is already `%2B`.
    pairs.finish().replace('+', "%20")
}

/// A foreign text for an error: one line, not long.
fn clean(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}

/// The place of a JSON error, without the text around it.
pub(super) fn place(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
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
            let tokens: Vec<_> = tokens.iter().map(Secret::reveal).collect();
            headers.insert("X-Cybozu-API-Token", secret(tokens.join(","))?);
        }
        Credentials::OAuth(token) => {
            headers.insert(AUTHORIZATION, secret(format!("Bearer {}", token.reveal()))?);
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
            let each = |m: WireMessages| m.messages.iter().map(|text| clean(text, 500)).collect();
            let errors = wire.errors.into_iter().take(20).map(|(key, m)| (clean(&key, 200), each(m)));
            Error::Rejected {
                connection,
                call,
                status,
                code: clean(&wire.code, 40),
                message: clean(&wire.message, 500),
                errors: errors.collect(),
            }
        }
        Err(_) => Error::Status { connection, call, status },
    }
}
