//! Failures as OData's error JSON (OData JSON 4.01, section 21.1).

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::error::{Error, Kind};

/// An error on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    error: Error,
    /// What of the request is wrong, such as `$filter`.
    target: Option<String>,
    /// Where the kind's own status does not say it.
    status: Option<StatusCode>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Failure {
    /// A fault of the protocol, which has a status of its own.
    pub(super) fn of_status(status: StatusCode, message: impl Into<String>) -> Self {
        let mut failure = Self::from(Error::new(Kind::Syntax, message));
        failure.0.status = Some(status);
        failure
    }

    /// Names the part of the request that is wrong.
    pub(super) fn at(error: Error, target: &str) -> Self {
        let mut failure = Self::from(error);
        failure.0.target = Some(target.to_owned());
        failure
    }

    /// A header that belongs to the status.
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.header = Some((name, value));
        self
    }

    fn status(&self) -> StatusCode {
        self.0.status.unwrap_or_else(|| {
            StatusCode::from_u16(self.0.error.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        })
    }

    /// The answer. A bug's words go to the log, and the client reads only that there was one.
    pub(super) fn response(&self) -> Response<Body> {
        let status = self.status();
        let code = match self.0.status {
            Some(status) => status.canonical_reason().unwrap_or("Error").replace([' ', '-'], ""),
            None => format!("{:?}", self.0.error.kind),
        };
        let mut error = json!({ "code": code, "message": self.message() });
        if let (Some(target), Some(object)) = (&self.0.target, error.as_object_mut()) {
            object.insert("target".into(), json!(target));
        }
        if let (Some(detail), Some(object)) = (&self.0.error.detail, error.as_object_mut()) {
            object.insert("details".into(), json!([{ "code": code, "message": detail }]));
        }
        let body = json!({ "error": error }).to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/json;odata.metadata=minimal;charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        if status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static("Basic realm=\"kintone-sql\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
        }
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        if let Some((name, value)) = &self.0.header {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }

    /// One sentence or two: what is wrong and where, and what to do.
    fn message(&self) -> String {
        if self.0.error.kind == Kind::Internal {
            tracing::error!(error = %self.0.error, "an OData request failed by a fault of the server");
            return "the server failed; its log says more".into();
        }
        let place = match (self.0.error.position, &self.0.target) {
            (Some(position), Some(target)) => format!(" (at character {position} of {target})"),
            _ => String::new(),
        };
        match &self.0.error.hint {
            Some(hint) => {
                let stop = if hint.ends_with(['.', '?', ')']) { "" } else { "." };
                format!("{}{place}. {hint}{stop}", self.0.error.message)
            }
            None => format!("{}{place}", self.0.error.message),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status().as_u16(), self.message())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(Box::new(Parts { error, target: None, status: None, header: None }))
    }
}
