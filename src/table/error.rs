//! What can go wrong between a table and Kintone. Travels inside DataFusion as an external error.

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
    /// A plan names a connection that the session does not have.
    #[error("no connection {0}")]
    NoConnection(String),
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}
