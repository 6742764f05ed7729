//! Why the command line ends early: an exit code and what to say.

use std::io;

use crate::error::{Error, Kind};
use crate::kintone::{self, PropertyError};

/// The command line's own result.
pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Our own failure: wrong arguments, files, addresses.
const OWN: u8 = 1;

/// An exit code, as psql's, and a text that is ready for standard error.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    exit_code: u8,
    message: String,
}

impl Failure {
    /// Wrong arguments, files, addresses: exit code 1.
    pub(super) fn own(message: impl Into<String>) -> Self {
        Self { exit_code: OWN, message: message.into() }
    }

    /// A text that says it all already, such as an SQL error with its place.
    pub(super) fn reported(exit_code: u8, message: impl Into<String>) -> Self {
        Self { exit_code, message: message.into() }
    }

    /// The process's exit code.
    pub(super) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// What to say; empty where there is nothing to say.
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl From<Error> for Failure {
    /// An error outside of any SQL text: what happened and what to do.
    fn from(error: Error) -> Self {
        let mut message = error.message;
        for more in [error.detail, error.hint].into_iter().flatten() {
            let gap = if error.kind == Kind::Config { "\n" } else { "; " };
            message = message + gap + &more;
        }
        Self { exit_code: error.kind.exit_code(), message }
    }
}

impl From<PropertyError> for Failure {
    /// A wrong connection property.
    fn from(error: PropertyError) -> Self {
        Self::own(error.to_string())
    }
}

impl From<kintone::Error> for Failure {
    /// A client that cannot be made: nothing was sent yet.
    fn from(error: kintone::Error) -> Self {
        Self::own(error.to_string())
    }
}

impl From<io::Error> for Failure {
    /// Of writing results. A reader that has seen enough (`| head`) is no failure.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { exit_code: 0, message: String::new() };
        }
        Self::own(format!("cannot write the output: {error}"))
    }
}
