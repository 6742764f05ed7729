//! What goes wrong at this door, as an ErrorResponse.

use pgwire::error::ErrorInfo;
use pgwire::messages::response::{ErrorResponse, NoticeResponse};

use crate::engine::Notice;
use crate::error::{Error, Kind};

/// An error of the engine or of the protocol, and whether it ends the connection.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    fatal: bool,
    /// The SQLSTATE: the protocol has codes that no other door needs.
    code: &'static str,
    error: Error,
}

impl Failure {
    /// Ends the statement.
    pub(super) fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { fatal: false, code, error: Error::new(Kind::InvalidParameter, message) }
    }

    /// Ends the connection.
    pub(super) fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self { fatal: true, ..Self::error(code, message) }
    }

    /// A message that is not what the protocol allows here; what follows it cannot be trusted.
    pub(super) fn protocol(message: impl Into<String>) -> Self {
        Self::fatal("08P01", message)
    }

    /// The statement panicked: a defect here, told to this client alone.
    pub(super) fn panic() -> Self {
        Error::internal("the statement ended by a defect of the server; the connection goes on").into()
    }

    /// The same, but it ends the connection.
    pub(super) fn into_fatal(self) -> Self {
        Self { fatal: true, ..self }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.error = self.error.with_hint(hint);
        self
    }

    /// Names the parameter whose value it was.
    pub(super) fn of_parameter(mut self, number: usize) -> Self {
        self.error.message = format!("{} (parameter ${number})", self.error.message);
        self
    }

    pub(super) fn is_fatal(&self) -> bool {
        self.fatal
    }

    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    /// The message for the client.
    pub(super) fn response(&self) -> ErrorResponse {
        let severity = if self.fatal { "FATAL" } else { "ERROR" };
        let mut info = info(severity, self.code, &self.error.message);
        info.detail = self.error.detail.as_deref().map(c_string);
        info.hint = self.error.hint.as_deref().map(c_string);
        info.position = self.error.position.map(|position| position.to_string());
        info.into()
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { fatal: false, code: error.kind.sqlstate(), error }
    }
}

/// The message for the client.
pub(super) fn notice(notice: &Notice) -> NoticeResponse {
    info(notice.severity, notice.code, &notice.message).into()
}

fn info(severity: &str, code: &str, message: &str) -> ErrorInfo {
    let mut info = ErrorInfo::new(severity.to_owned(), code.to_owned(), c_string(message));
    info.severity_nonlocalized = Some(severity.to_owned());
    info
}

/// A text that can travel as a C string: a NUL would end it early and shift all that follows.
pub(super) fn c_string(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_an_error_is_sent() {
        let error = Error::new(Kind::UndefinedColumn, "column \"a\0b\" does not exist")
            .with_detail("detail")
            .with_hint("hint")
            .with_position(8);
        let fields = Failure::from(error).response().fields;
        let expected = [
            (b'S', "ERROR"),
            (b'V', "ERROR"),
            (b'C', "42703"),
            (b'M', "column \"a\u{fffd}b\" does not exist"),
            (b'D', "detail"),
            (b'H', "hint"),
            (b'P', "8"),
        ];
        assert_eq!(fields, expected.map(|(code, text)| (code, text.to_owned())));
    }

    #[test]
    fn a_fatal_error_says_so() {
        let fields = Failure::fatal("57P01", "stop").response().fields;
        assert_eq!(fields.first(), Some(&(b'S', "FATAL".to_owned())));
    }
}
