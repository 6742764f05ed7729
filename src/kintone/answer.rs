//! What an answer is: records, a refusal with Kintone's code, or nothing that Kintone says.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use reqwest::Response;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::domain::Pass;
use super::error::Error;

/// Codes of a login that will not be accepted, whatever their status: another try could lock the account (K§5.3).
const NO_LOGIN: [&str; 3] = ["CB_WA01", "CB_AU01", "CB_TW02"];

/// An answer that begins to come in, and what its errors say of where it is from.
pub(super) struct Incoming<'a> {
    pub connection: &'a str,
    pub host: String,
    /// The call's name.
    pub call: &'a str,
    /// The longest pause between two parts.
    pub idle: Duration,
    /// Bytes, unpacked.
    pub limit: usize,
}

impl Incoming<'_> {
    /// The body of a JSON answer, whole and of the right kind.
    pub(super) async fn json(&self, response: Response, pass: &Pass) -> Result<Bytes, Error> {
        let head = Head::of(&response);
        let response = self.good(response, pass).await?;
        if !head.is_json() {
            return Err(self.not_kintone(&head));
        }
        pass.accepted();
        let body = self.body(response).await?;
        let (connection, call) = self.names();
        if let Some(warning) = head.warning {
            return Err(Error::Partial { connection, call, warning: clean(&warning, 120) });
        }
        // A body can be cut although its framing is right.
        match serde_json::from_slice::<IgnoredAny>(&body) {
            Err(error) if error.is_eof() => Err(self.broke_off("the answer is cut")),
            Err(error) => Err(Error::Decode { connection, call, reason: place(&error) }),
            Ok(_) => {
                pass.succeeded(head.concurrency);
                Ok(body)
            }
        }
    }

    /// The answer of a file, whose body is still to come.
    pub(super) async fn file(&self, response: Response, pass: &Pass) -> Result<Response, Error> {
        let head = Head::of(&response);
        let response = self.good(response, pass).await?;
        pass.accepted();
        pass.succeeded(head.concurrency);
        Ok(response)
    }

    /// The answer where its status says that Kintone did what it was asked to.
    async fn good(&self, response: Response, pass: &Pass) -> Result<Response, Error> {
        let status = response.status();
        let (connection, call) = self.names();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            return Err(Error::Redirected { connection, call });
        }
        // The status counts even where the body is lost: a rejected login must not be tried again.
        if status == 401 {
            pass.rejected();
        }
        let is_json = Head::of(&response).is_json();
        let body = if is_json { self.body(response).await.unwrap_or_default() } else { Bytes::new() };
        let error = rejection(connection, call, status.as_u16(), &body);
        match &error {
            Error::Rejected { code, .. } if NO_LOGIN.contains(&code.as_str()) => pass.rejected(),
            // Ten cursors in use are not a hundred requests at once.
            Error::Rejected { code, .. } if code == super::retry::NO_CURSOR => pass.accepted(),
            _ if status == 429 => pass.throttled(),
            Error::Rejected { .. } if status.is_client_error() && status != 401 => pass.accepted(),
            _ => {}
        }
        Err(error)
    }

    /// All of the body: what is packed is unpacked part by part, so that the bound holds for what comes out.
    async fn body(&self, response: Response) -> Result<Bytes, Error> {
        let mut parts = response.bytes_stream();
        let mut body = BytesMut::new();
        loop {
            match tokio::time::timeout(self.idle, parts.next()).await {
                Err(_) => return Err(self.broke_off("the answer stopped half way")),
                Ok(None) => return Ok(body.freeze()),
                Ok(Some(Err(error))) => return Err(self.cut(&error)),
                Ok(Some(Ok(part))) if body.len() + part.len() > self.limit => {
                    let (connection, call) = self.names();
                    return Err(Error::TooLarge { connection, call, limit: self.limit });
                }
                Ok(Some(Ok(part))) => body.extend_from_slice(&part),
            }
        }
    }

    fn names(&self) -> (String, String) {
        (self.connection.to_owned(), self.call.to_owned())
    }

    fn not_kintone(&self, head: &Head) -> Error {
        let (connection, call) = self.names();
        let content_type = clean(&head.content_type, 40);
        Error::NotKintone { connection, call, status: head.status, content_type }
    }

    pub(super) fn broke_off(&self, reason: &str) -> Error {
        let (connection, call) = self.names();
        Error::Transport { connection, call, reason: reason.to_owned() }
    }

    /// A failure below HTTP, of a body.
    pub(super) fn cut(&self, error: &reqwest::Error) -> Error {
        let reason =
            if error.is_timeout() { "no answer in time".to_owned() } else { super::tls::innermost(error) };
        self.broke_off(&reason)
    }
}

/// What an answer's head says.
struct Head {
    status: u16,
    content_type: String,
    /// The result was cut short (K§3.6).
    warning: Option<String>,
    /// Of the domain: limit and running (K§5.1).
    concurrency: Option<(u32, u32)>,
}

impl Head {
    fn of(response: &Response) -> Self {
        // Lossy: a warning in another encoding is still a warning.
        let header =
            |name| response.headers().get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let number = |name| header(name).and_then(|v| v.parse::<u32>().ok());
        Self {
            status: response.status().as_u16(),
            content_type: header("content-type").unwrap_or_else(|| "no content type".into()),
            warning: header("x-cybozu-warning"),
            concurrency: number("x-concurrencylimit-limit").zip(number("x-concurrencylimit-running")),
        }
    }

    fn is_json(&self) -> bool {
        let media_type = self.content_type.split(';').next().unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case("application/json")
    }
}

/// A foreign text for an error: one line, not long.
fn clean(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}

/// The place of a JSON error, without the text around it.
pub(super) fn place(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}

#[derive(Deserialize)]
struct WireError {
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

/// A bulk request's: a place for each request, empty for those that did not fail.
#[derive(Deserialize)]
struct WireResults {
    results: Vec<serde_json::Value>,
}

/// Kintone's error body (K§5.2).
fn rejection(connection: String, call: String, status: u16, body: &[u8]) -> Error {
    let Some((wire, request)) = wire_error(body) else { return Error::Status { connection, call, status } };
    let each = |m: WireMessages| m.messages.iter().map(|text| clean(text, 500)).collect();
    let errors = wire.errors.into_iter().take(20).map(|(key, m)| (clean(&key, 200), each(m)));
    Error::Rejected {
        connection,
        call,
        status,
        code: clean(&wire.code, 40),
        message: clean(&wire.message, 500),
        errors: errors.collect(),
        request,
    }
}

fn wire_error(body: &[u8]) -> Option<(WireError, Option<usize>)> {
    if let Ok(error) = serde_json::from_slice(body) {
        return Some((error, None));
    }
    let WireResults { results } = serde_json::from_slice(body).ok()?;
    let mut errors = results.into_iter().enumerate();
    errors.find_map(|(n, result)| Some((serde_json::from_value(result).ok()?, Some(n))))
}
