//! What can go wrong between a table and Kintone. Travels inside DataFusion as an external error.

use std::fmt;

use datafusion::error::DataFusionError;

use crate::kintone;

/// An error of a scan.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kintone, or the way to it.
    #[error(transparent)]
    Kintone(#[from] kintone::Error),
    /// A value that does not have the form that its field's type has.
    #[error("app {app}, record {record}, field {field}: expected {expected}")]
    Decode {
        /// The table's name.
        app: String,
        /// `$id`, or `?` where the record did not tell.
        record: String,
        /// The field's code.
        field: String,
        /// What the field's type asks for.
        expected: String,
    },
    /// The answer is JSON, but not a page of records.
    #[error("app {app}: the answer is not a page of records ({reason})")]
    Page {
        /// The table's name.
        app: String,
        /// What the reader of JSON says; a place, no data.
        reason: String,
    },
    /// A form is not the one that the statement was planned with.
    #[error("app {app}: the form changed while it was read: {change}")]
    FormChanged {
        /// The table's name.
        app: String,
        /// Such as `field a is NUMBER, it was DATE`.
        change: String,
    },
    /// The statement asked for more requests than it may send.
    #[error("the statement needs {needs} Kintone requests, kintone.max_requests is {limit}")]
    TooManyRequests {
        /// `kintone.max_requests`
        limit: u64,
        /// Such as `about 40`.
        needs: String,
    },
    /// A table that cannot be read as a whole.
    #[error("{table} needs a filter: {needs}")]
    NeedsFilter {
        /// The table's name.
        table: String,
        /// Such as `WHERE AppId = 1`.
        needs: String,
    },
    /// A predicate of Kintone's own stands where it cannot be sent.
    #[error("{what} {why}")]
    NotSent {
        /// What the statement calls it.
        what: String,
        /// Ends the sentence.
        why: String,
        /// What to do; may be empty.
        hint: &'static str,
        /// In the statement's text, in characters from 1.
        place: Option<usize>,
    },
    /// A text that is no condition of Kintone's query language.
    #[error("the condition of {origin} is not sent: {reason}")]
    BadCondition {
        /// Where it comes from.
        origin: Origin,
        /// Why not.
        reason: String,
    },
    /// Kintone refused a condition that is not ours.
    #[error("the condition of {origin} is refused: {error}")]
    Condition {
        /// Where the condition comes from.
        origin: Origin,
        /// What Kintone says.
        error: kintone::Error,
    },
    /// A plan names a connection that the session does not have.
    #[error("no connection {0}")]
    NoConnection(String),
}

/// Where a condition in Kintone's own words comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A call of `kintone_query`, with its place in the statement's text, in characters from 1.
    Statement(Option<usize>),
    /// The saved view behind the table of this name.
    View(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement(_) => f.write_str("kintone_query"),
            Self::View(name) => write!(f, "view {name}"),
        }
    }
}

impl Origin {
    /// An error of a request that this condition was part of: it is the condition's where Kintone refused the query
    /// itself (K§5.3).
    pub(crate) fn error(origin: Option<&Self>, error: kintone::Error) -> Error {
        let of_query = match error.code() {
            Some(
                "CB_VA01" | "GAIA_IL08" | "GAIA_IL26" | "GAIA_IL27" | "GAIA_IL28" | "GAIA_IL42" | "GAIA_IR02"
                | "GAIA_ST02",
            ) => true,
            Some(code) => code.starts_with("GAIA_IQ"),
            None => false,
        };
        match origin.filter(|_| of_query) {
            Some(origin) => Error::Condition { origin: origin.clone(), error },
            None => error.into(),
        }
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}
