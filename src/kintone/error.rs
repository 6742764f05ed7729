//! What a call can end in, by what its caller can do about it. No host query text, no body, no secret.

use std::time::Duration;

use super::fault::Fault;

/// An error of a call. `connection` is the connection's name in the settings, `call` the method and path.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The configuration cannot make a client.
    #[error("connection {connection}: {reason}")]
    Config {
        /// The connection's name.
        connection: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No connection: name, port, TLS. Nothing was sent.
    #[error(
        "connection {connection}: cannot reach {host} ({reason}); check its Url, the network and the proxy"
    )]
    Connect {
        /// The connection's name.
        connection: String,
        /// Host and port.
        host: String,
        /// Of the operating system or TLS.
        reason: String,
    },
    /// No connection, for a reason that stays: a certificate, or the proxy's login.
    #[error("connection {connection}: no secure connection to {host}: {reason}")]
    Handshake {
        /// The connection's name.
        connection: String,
        /// Host and port.
        host: String,
        /// With the property to look at.
        reason: String,
        /// Bytes of a request were on their way: since TLS 1.3 a server says so late what it thinks of a client's
        /// certificate.
        sent: bool,
    },
    /// The answer did not come, or broke off.
    #[error("connection {connection}: {call} broke off ({reason})")]
    Transport {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
        /// What happened.
        reason: String,
    },
    /// Kintone refused.
    #[error(
        "connection {connection}: Kintone refused {call}{}: {message} ({code}{})",
        which(*.request), details(.errors)
    )]
    Rejected {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
        /// The HTTP status.
        status: u16,
        /// Such as `GAIA_IQ11`.
        code: String,
        /// In the language of the connection's user.
        message: String,
        /// By field or parameter; see [`Error::faults`].
        errors: Vec<(String, Vec<String>)>,
        /// Of a bulk request the one that failed, from 0. None of them was done.
        request: Option<usize>,
    },
    /// A status without Kintone's error body.
    #[error("connection {connection}: {call} was answered with HTTP status {status}")]
    Status {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is not Kintone's: a login page, another server.
    #[error(
        "connection {connection}: {call} was not answered by Kintone (status {status}, {content_type}); check its Url"
    )]
    NotKintone {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
        /// The HTTP status.
        status: u16,
        /// What it says it is.
        content_type: String,
    },
    /// A redirect, which is never followed: it would carry the credentials elsewhere.
    #[error("connection {connection}: {call} was redirected, and redirects are not followed; check its Url")]
    Redirected {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
    },
    /// Kintone cut the result short (K§3.6).
    #[error("connection {connection}: Kintone cut the answer of {call} short ({warning})")]
    Partial {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
        /// The header's text.
        warning: String,
    },
    /// More than a page can have.
    #[error("connection {connection}: the answer of {call} is larger than {limit} bytes")]
    TooLarge {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
        /// Bytes.
        limit: usize,
    },
    /// JSON of another shape.
    #[error("connection {connection}: the answer of {call} has an unexpected form ({reason})")]
    Decode {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
        /// A place in the JSON.
        reason: String,
    },
    /// The login was refused a while ago; no more tries, which could lock the account.
    #[error("connection {connection}: Kintone rejected its credentials; check its user, password or token")]
    CredentialsRejected {
        /// The connection's name.
        connection: String,
    },
    /// The domain has not answered for a while. Nothing was sent.
    #[error(
        "connection {connection}: {host} does not answer; the next call in {} s finds out whether it is back",
        .wait.as_secs_f32().ceil()
    )]
    Unavailable {
        /// The connection's name.
        connection: String,
        /// Host name.
        host: String,
        /// Until calls are sent again.
        wait: Duration,
    },
    /// A call that this client does not send.
    #[error("connection {connection}: {call} was not sent: {reason}")]
    NotSent {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
        /// Why.
        reason: String,
    },
    /// A cursor that cannot go on: it ended by time, or nobody knows which page its lost answer had.
    #[error("connection {connection}: {call}: the read lost its cursor ({cause}); run it again")]
    CursorLost {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
        /// What happened.
        cause: Box<Error>,
    },
    /// A write was sent, and nobody knows whether Kintone did it: all of it or nothing.
    #[error(
        "connection {connection}: whether {call} was done is unknown; it was sent with {rows} row(s) ({cause})"
    )]
    OutcomeUnknown {
        /// The connection's name.
        connection: String,
        /// Method and path.
        call: String,
        /// The app, where it is one.
        app: Option<u64>,
        /// Records that were sent.
        rows: usize,
        /// Why no answer can be trusted.
        cause: Box<Error>,
    },
    /// Every try failed.
    #[error("{last} (after {attempts} tries in {:.1} s)", .elapsed.as_secs_f32())]
    Exhausted {
        /// How often.
        attempts: u32,
        /// How long.
        elapsed: Duration,
        /// The last one's error.
        last: Box<Error>,
    },
}

fn which(request: Option<usize>) -> String {
    request.map(|n| format!(", request {}", n + 1)).unwrap_or_default()
}

/// What Kintone says of each field or parameter.
fn details(errors: &[(String, Vec<String>)]) -> String {
    let each = errors.iter().map(|(key, messages)| format!("; {key}: {}", messages.join(", ")));
    each.collect()
}

impl Error {
    /// Kintone's code, such as `GAIA_RE01`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Rejected { code, .. } => Some(code),
            Self::CredentialsRejected { .. } => Some("CB_WA01"),
            Self::Exhausted { last, .. } => last.code(),
            Self::CursorLost { cause, .. } => cause.code(),
            _ => None,
        }
    }

    /// What Kintone says of each field, row or parameter.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        match self {
            Self::Rejected { errors, .. } => {
                errors.iter().map(|(key, texts)| Fault::new(key, texts)).collect()
            }
            Self::Exhausted { last, .. } => last.faults(),
            _ => vec![],
        }
    }

    /// Of a bulk request the one that failed, from 0.
    #[must_use]
    pub fn failed_request(&self) -> Option<usize> {
        match self {
            Self::Rejected { request, .. } => *request,
            Self::Exhausted { last, .. } => last.failed_request(),
            _ => None,
        }
    }

    /// A write that may have been done.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. })
    }

    /// Nobody answers, or only gateways do.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Handshake { .. }
            | Self::Transport { .. }
            | Self::Unavailable { .. } => true,
            Self::Status { status, .. } => *status >= 500,
            Self::Exhausted { last, .. } => last.is_unreachable(),
            _ => false,
        }
    }
}
