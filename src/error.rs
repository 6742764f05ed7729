//! The one error that doors see, and the one table from its kind to a SQLSTATE, an HTTP status and an exit code.
//!
//! Takes: what went wrong anywhere below. Gives: a kind that a client can act on, a message that says what and
//! where, a hint that says what to do. Never in it: a secret, a stack trace, a body of another server.

use std::fmt;

/// What a caller can act on. One row of [`Kind::codes`] each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The text is not SQL (or not an OData URL).
    Syntax,
    /// No table of that name.
    UndefinedTable,
    /// No column of that name.
    UndefinedColumn,
    /// No function of that name or with those arguments.
    UndefinedFunction,
    /// No object of another sort: a setting, a prepared statement, a cursor.
    UndefinedObject,
    /// No schema of that name.
    UndefinedSchema,
    /// A name that is not one.
    InvalidName,
    /// A setting that a client may not change, or not now.
    CannotChange,
    /// A write in a transaction that only reads.
    ReadOnly,
    /// A statement that is not for a transaction block.
    InTransaction,
    /// A name that could be two columns.
    AmbiguousColumn,
    /// An aggregate or a column outside GROUP BY.
    Grouping,
    /// Two types that do not go together.
    DatatypeMismatch,
    /// Known SQL that this server does not do.
    Unsupported,
    /// A value that does not fit its type.
    InvalidValue,
    /// More than one row where there may be one.
    Cardinality,
    /// A root or a power that is no number.
    InvalidPower,
    /// A logarithm that is no number.
    InvalidLogarithm,
    /// Bounds or a count of `width_bucket`.
    InvalidBucket,
    /// A LIMIT below 0.
    InvalidLimit,
    /// An OFFSET below 0.
    InvalidOffset,
    /// A position in ORDER BY or GROUP BY that no column has.
    InvalidColumnReference,
    /// Text that is not a value of the type: `'abc'::int`.
    InvalidText,
    /// Text that is no date, time or interval.
    DatetimeSyntax,
    /// A date or a time outside its field.
    InvalidDatetime,
    /// A number that does not fit.
    NumericOutOfRange,
    /// x / 0.
    DivisionByZero,
    /// A wrong number or type of bound parameters.
    InvalidParameter,
    /// A name that exists already.
    Duplicate,
    /// A statement after an error inside a transaction block.
    FailedTransaction,
    /// COMMIT or ROLLBACK outside a block, and the like.
    NoTransaction,
    /// No savepoint of this name.
    NoSavepoint,
    /// No or wrong credentials.
    Unauthenticated,
    /// Known user, no right.
    Forbidden,
    /// Someone else changed it first.
    Conflict,
    /// A limit of Kintone or one of ours, over time.
    RateLimited,
    /// A statement bigger than a fixed limit.
    TooLarge,
    /// A statement deeper or longer than a fixed limit.
    TooComplex,
    /// Out of the memory budget.
    OutOfMemory,
    /// Kintone does not answer.
    Unavailable,
    /// Kintone answered something that is not an answer.
    BadUpstream,
    /// The statement's time is up.
    Timeout,
    /// The client asked to stop.
    Canceled,
    /// A wrong or missing setting in the settings file or on the command line.
    Config,
    /// A bug of ours.
    Internal,
}

impl Kind {
    /// (SQLSTATE, HTTP status, exit code of the command line). SQLSTATEs: PostgreSQL 15, appendix A.
    /// Exit codes follow psql: 1 own failure, 2 connection, 3 script error.
    #[must_use]
    pub fn codes(self) -> (&'static str, u16, u8) {
        match self {
            Self::Syntax => ("42601", 400, 3),
            Self::UndefinedTable => ("42P01", 404, 3),
            Self::UndefinedColumn => ("42703", 400, 3),
            Self::UndefinedFunction => ("42883", 400, 3),
            Self::UndefinedObject => ("42704", 400, 3),
            Self::UndefinedSchema => ("3F000", 400, 3),
            Self::InvalidName => ("42602", 400, 3),
            Self::CannotChange => ("55P02", 400, 3),
            Self::ReadOnly => ("25006", 400, 3),
            Self::InTransaction => ("25001", 400, 3),
            Self::AmbiguousColumn => ("42702", 400, 3),
            Self::Grouping => ("42803", 400, 3),
            Self::DatatypeMismatch => ("42804", 400, 3),
            Self::Unsupported => ("0A000", 501, 3),
            Self::InvalidValue => ("22023", 400, 3),
            Self::Cardinality => ("21000", 400, 3),
            Self::InvalidPower => ("2201F", 400, 3),
            Self::InvalidLogarithm => ("2201E", 400, 3),
            Self::InvalidBucket => ("2201G", 400, 3),
            Self::InvalidLimit => ("2201W", 400, 3),
            Self::InvalidOffset => ("2201X", 400, 3),
            Self::InvalidColumnReference => ("42P10", 400, 3),
            Self::InvalidText => ("22P02", 400, 3),
            Self::DatetimeSyntax => ("22007", 400, 3),
            Self::InvalidDatetime => ("22008", 400, 3),
            Self::NumericOutOfRange => ("22003", 400, 3),
            Self::DivisionByZero => ("22012", 400, 3),
            Self::InvalidParameter => ("08P01", 400, 3),
            Self::Duplicate => ("42P05", 400, 3),
            Self::FailedTransaction => ("25P02", 400, 3),
            Self::NoTransaction => ("25P01", 400, 3),
            Self::NoSavepoint => ("3B001", 400, 3),
            Self::Unauthenticated => ("28P01", 401, 2),
            Self::Forbidden => ("42501", 403, 3),
            Self::Conflict => ("40001", 409, 3),
            Self::RateLimited => ("53400", 429, 2),
            Self::TooLarge => ("54000", 413, 3),
            Self::TooComplex => ("54001", 400, 3),
            Self::OutOfMemory => ("53200", 503, 3),
            Self::Unavailable => ("08006", 503, 2),
            Self::BadUpstream => ("HV000", 502, 2),
            Self::Timeout => ("57014", 504, 2),
            Self::Canceled => ("57014", 503, 3),
            Self::Config => ("F0000", 500, 1),
            Self::Internal => ("XX000", 500, 1),
        }
    }

    /// PostgreSQL's five-character error code.
    #[must_use]
    pub fn sqlstate(self) -> &'static str {
        self.codes().0
    }

    /// The status an HTTP door answers with.
    #[must_use]
    pub fn http_status(self) -> u16 {
        self.codes().1
    }

    /// The exit code of the command line, as psql's.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        self.codes().2
    }
}

/// What a door tells its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What the caller can act on.
    pub kind: Kind,
    /// What failed, on which table or column, in one sentence.
    pub message: String,
    /// More about this case, where there is more.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the statement's text, in characters from 1, as PostgreSQL counts.
    pub position: Option<usize>,
}

/// Our result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind with this message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), detail: None, hint: None, position: None }
    }

    /// Says more about the case.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says where in the text, in characters from 1.
    #[must_use]
    pub fn with_position(mut self, position: usize) -> Self {
        self.position = Some(position);
        self
    }

    /// The construct is known but not done here.
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::new(Kind::Unsupported, format!("{what} is not supported"))
    }

    /// A bug of ours; the text is for the log, and must hold no data of a user.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::new(Kind::Internal, what)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
