//! One connection over HTTP: headers, time-outs, retries, the log.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use chrono::Utc;
use reqwest::header::{ACCEPT_LANGUAGE, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response};
use url::Url;

use super::answer::Incoming;
use super::config::{ClientConfig, Credentials, is_local, login_fault, url_fault};
use super::domain::{Attempt, Domains, Lane, Pass};
use super::error::Error;
use super::log::{Log, Request};
use super::observer::Observer;
use super::request::Call;
use super::retry::{Effect, Verdict, verdict};
use super::secret::Secret;
use super::tls;

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub body: Bytes,
    /// In the log.
    pub number: u64,
    /// Its name in errors.
    pub call: String,
}

/// A call's place in the log.
pub(super) struct Entry {
    pub number: u64,
    started: Instant,
}

/// Sends calls for one connection.
#[derive(Debug)]
pub(super) struct Http {
    pub client: reqwest::Client,
    config: ClientConfig,
    pub lane: Lane,
    pub log: Log,
}

impl Http {
    pub(super) fn new(config: ClientConfig, domains: &Domains) -> Result<Self, Error> {
        let fault = |reason: String| Error::Config { connection: config.name.clone(), reason };
        if let Some(why) = url_fault(&config.url) {
            return Err(fault(format!("Url {why}")));
        }
        if let Some((_, why)) = login_fault(&config) {
            return Err(fault(why));
        }
        let mut all = gate(&config).map_err(fault)?;
        all.extend(login(&config.credentials).map_err(fault)?);
        let client =
            transport(&config, all, tls::client_config(&config, None).map_err(fault)?).map_err(fault)?;
        Ok(Self { client, lane: domains.lane(&config), log: Log::default(), config })
    }

    pub(super) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Sends a call until it is answered, as often as its effect and the configuration allow. A write waits for
    /// the others to its apps.
    pub(super) async fn send(&self, call: &Call, observer: Option<&dyn Observer>) -> Result<Answer, Error> {
        self.may_send(call)?;
        let _turns = self.lane.writing(&call.writes).await;
        let attempt = Json { http: self, call, observer, was_sent: AtomicBool::new(false) };
        self.lane.run(call.effect, &attempt).await.map_err(|e| self.told(call, e))
    }

    /// A connection that only reads sends no change, whoever asks.
    pub(super) fn may_send(&self, call: &Call) -> Result<(), Error> {
        match self.config.read_only && call.effect == Effect::Change {
            true => Err(self.not_sent(call, "the connection is read-only (Readonly)")),
            false => Ok(()),
        }
    }

    pub(super) fn not_sent(&self, call: &Call, reason: &str) -> Error {
        let name = call.name(&call.path(&self.config.url));
        Error::NotSent { connection: self.config.name.clone(), call: name, reason: reason.to_owned() }
    }

    /// A failure as the caller must see it: of a write that may have been done, with what was sent.
    pub(super) fn told(&self, call: &Call, error: Error) -> Error {
        match verdict(&error, call.effect) {
            Verdict::Unknown => Error::OutcomeUnknown {
                connection: self.config.name.clone(),
                call: call.name(&call.path(&self.config.url)),
                app: call.app,
                rows: call.rows,
                cause: Box::new(error),
            },
            _ => error,
        }
    }

    /// One try.
    async fn once(&self, call: &Call, pass: Pass) -> Result<Answer, Error> {
        let path = call.path(&self.config.url);
        let name = call.name(&path);
        let request = call.request(&self.client, &self.config.url, &path);
        let incoming = self.incoming(&name);
        let entry = self.begin(call, path);
        let mut status = 0;
        let body = match self.head(request, &incoming).await {
            Ok(response) => {
                status = response.status().as_u16();
                incoming.json(response, &pass).await
            }
            Err(error) => Err(error),
        };
        self.end(&entry, status, body.as_ref().map_or(0, Bytes::len));
        Ok(Answer { body: body?, number: entry.number, call: name })
    }

    /// Whether the domain is back: a list that Kintone gives to everybody (K§1.1).
    pub(super) async fn probe(&self, pass: Pass) -> Result<(), Error> {
        self.once(&Call::get("apis.json"), pass).await.map(drop)
    }

    /// A call in the log from when it is sent, since it counts even where nobody waits for its answer.
    pub(super) fn begin(&self, call: &Call, path: String) -> Entry {
        let number = self.log.add(Request {
            time: Utc::now(),
            connection: self.config.name.clone(),
            app: call.app,
            method: method_name(&call.method),
            path,
            query: call.query.clone(),
            rows: 0,
            bytes: 0,
            ms: 0,
            status: 0,
        });
        Entry { number, started: Instant::now() }
    }

    pub(super) fn end(&self, entry: &Entry, status: u16, bytes: usize) {
        self.log.update(entry.number, |request| {
            request.status = status;
            request.bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            request.ms = u64::try_from(entry.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        });
    }

    /// Sends a request and waits for its answer's head.
    pub(super) async fn head(
        &self,
        request: RequestBuilder,
        incoming: &Incoming<'_>,
    ) -> Result<Response, Error> {
        match tokio::time::timeout(self.config.timeouts.first_byte, request.send()).await {
            Err(_) => Err(incoming.broke_off("no answer in time")),
            Ok(Err(error)) => Err(self.not_answered(incoming, &error)),
            Ok(Ok(response)) => Ok(response),
        }
    }

    /// A failure below HTTP, before the answer. Only its innermost cause is told: the others hold the URL.
    pub(super) fn not_answered(&self, incoming: &Incoming<'_>, error: &reqwest::Error) -> Error {
        let (connection, host) = (self.config.name.clone(), incoming.host.clone());
        if let Some(reason) = tls::reason(error, &self.config) {
            return Error::Handshake { connection, host, reason, sent: !error.is_connect() };
        }
        let reason = if error.is_timeout() {
            "no answer in time".to_owned()
        } else {
            tls::of_proxy(error, &self.config).unwrap_or_else(|| tls::innermost(error))
        };
        match error.is_connect() {
            true => Error::Connect { connection, host, reason },
            false => incoming.broke_off(&reason),
        }
    }

    pub(super) fn incoming<'a>(&'a self, call: &'a str) -> Incoming<'a> {
        let url = &self.config.url;
        let port = url.port_or_known_default().unwrap_or(443);
        Incoming {
            connection: &self.config.name,
            host: format!("{}:{port}", url.host_str().unwrap_or_default()),
            call,
            idle: self.config.timeouts.idle,
            limit: self.config.max_answer_bytes,
        }
    }
}

fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "",
    }
}

/// A call with a JSON answer.
struct Json<'a> {
    http: &'a Http,
    call: &'a Call,
    observer: Option<&'a dyn Observer>,
    was_sent: AtomicBool,
}

impl Attempt for Json<'_> {
    type Output = Answer;

    async fn send(&self, pass: Pass) -> Result<Answer, Error> {
        let again = self.was_sent.swap(true, Ordering::Relaxed);
        self.observer.inspect(|observer| observer.sent(again));
        let answer = self.http.once(self.call, pass).await?;
        self.observer.inspect(|observer| observer.answered(answer.body.len()));
        Ok(answer)
    }

    async fn probe(&self, pass: Pass) -> Result<(), Error> {
        self.http.probe(pass).await
    }
}

/// What sends a connection's calls, with these headers on each.
pub(super) fn transport(
    config: &ClientConfig,
    headers: HeaderMap,
    tls: rustls::ClientConfig,
) -> Result<reqwest::Client, String> {
    // Redirects would carry the login elsewhere: reqwest keeps Kintone's headers on them.
    let mut builder = reqwest::Client::builder()
        .default_headers(headers)
        .redirect(Policy::none())
        .connect_timeout(config.timeouts.connect)
        .timeout(config.timeouts.total)
        .no_proxy()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("kintone-sql/", env!("CARGO_PKG_VERSION")));
    if let Some(url) = proxy(config) {
        let proxy = reqwest::Proxy::all(url.clone()).map_err(|_| "the proxy's URL is not one")?;
        builder = builder.proxy(match &config.proxy_login {
            Some(login) => proxy.basic_auth(&login.user, login.password.reveal()),
            None => proxy,
        });
    }
    builder.build().map_err(|_| "the HTTP client cannot be made".into())
}

/// The proxy on the way. This machine's servers speak plain HTTP, which a proxy would see with the login in it.
pub(super) fn proxy(config: &ClientConfig) -> Option<&Url> {
    config.proxy.as_ref().filter(|_| !is_local(&config.url))
}

/// A header that nothing prints.
fn secret(text: &str) -> Result<HeaderValue, String> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| "a credential has a character that HTTP cannot carry")?;
    value.set_sensitive(true);
    Ok(value)
}

fn pair(user: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("{user}:{password}"))
}

/// The headers of every call, whoever asks: the language of messages, and what the site's gate wants.
pub(super) fn gate(config: &ClientConfig) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
    if let Some(basic) = &config.basic {
        let login = format!("Basic {}", pair(&basic.user, basic.password.reveal()));
        headers.insert(AUTHORIZATION, secret(&login)?);
    }
    Ok(headers)
}

/// The headers that say who asks.
pub(super) fn login(credentials: &Credentials) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    match credentials {
        Credentials::Password { user, password } => {
            headers.insert("X-Cybozu-Authorization", secret(&pair(user, password.reveal()))?);
        }
        Credentials::ApiTokens(tokens) => {
            let tokens: Vec<_> = tokens.iter().map(Secret::reveal).collect();
            headers.insert("X-Cybozu-API-Token", secret(&tokens.join(","))?);
        }
        Credentials::OAuth(token) => {
            headers.insert(AUTHORIZATION, secret(&format!("Bearer {}", token.reveal()))?);
        }
    }
    Ok(headers)
}
