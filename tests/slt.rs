//! The SQL tests: each file of `tests/slt/query` gives the same answers in every mode, and each of
//! `tests/slt/explain` shows what is sent to Kintone.
//!
//! `cargo test --test slt -- NAME` runs the files whose path holds NAME. In a file, columns are parted by `|`,
//! NULL is `NULL`, empty text is `(empty)`, a blank at either end is `␠`, a line break `\n`. The letters after
//! `query` are types: see [`ColumnKind`]. `SELECT ... \gdesc` gives the columns' names and types instead of rows.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    clippy::allow_attributes,
    reason = "a test may fail"
)]

mod corpus;
#[allow(dead_code, reason = "each test program uses a part of it")]
mod support;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use kintone_sql::engine::Session;
use sqllogictest::{AsyncDB, ColumnType, DBOutput, Runner};
use support::door::{self, Door};
use support::text;
use support::world::{self, Answer, World};

/// Ways to the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A session of the engine.
    Engine,
    /// The same, with everything evaluated here.
    PushdownOff,
    /// PostgreSQL's simple protocol: values as text.
    Simple,
    /// PostgreSQL's extended protocol: prepared, values in binary.
    Prepared,
    /// A session of the engine, of whose plans only the lines about Kintone are looked at.
    Explain,
}

const QUERY_MODES: [Mode; 4] = [Mode::Engine, Mode::PushdownOff, Mode::Simple, Mode::Prepared];

fn main() -> ExitCode {
    let filters: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (passed, failed) = runtime.block_on(async {
        let (passed, failed) = run_all(&filters).await;
        let (others_passed, others_failed) = corpus::run_all(&filters).await;
        (passed + others_passed, failed + others_failed)
    });
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many runs of a file in a mode went well, and how many did not.
async fn run_all(filters: &[String]) -> (usize, usize) {
    let fixture = std::fs::read_to_string(folder().join("fixture.json")).unwrap();
    let world = World::start(&serde_json::from_str(&fixture).unwrap()).await;
    let door = Door::open(world.engine.clone()).await;
    let (mut passed, mut failed) = (0, 0);
    for (part, modes) in [("query", &QUERY_MODES[..]), ("explain", &[Mode::Explain])] {
        for file in files(part, filters) {
            for mode in modes {
                let failures = run_file(&world, &door, *mode, &file).await;
                let name = file.strip_prefix(folder()).unwrap().display();
                println!("{} {name} ({mode:?})", if failures.is_empty() { "ok    " } else { "FAILED" });
                failures.iter().for_each(|failure| println!("{failure}"));
                if failures.is_empty() { passed += 1 } else { failed += 1 }
            }
        }
    }
    (passed, failed)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt")
}

fn files(part: &str, filters: &[String]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder().join(part)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let wanted = |path: &PathBuf| {
        let text = path.to_string_lossy();
        text.ends_with(".slt") && (filters.is_empty() || filters.iter().any(|f| text.contains(f)))
    };
    files.retain(wanted);
    files.sort();
    files
}

/// Runs every record of a file; what failed.
async fn run_file(world: &World, door: &Door, mode: Mode, file: &Path) -> Vec<String> {
    let mut runner = Runner::new(|| async { Ok(Database::open(world, door, mode).await) });
    // Values are shown by one rule already: nothing of them may be taken away.
    runner.with_normalizer(String::clone);
    runner.with_validator(|_, actual, expected| {
        actual.iter().map(|row| row.join("|")).eq(expected.iter().cloned())
    });
    runner.with_column_validator(|actual, expected| {
        actual.len() == expected.len() && actual.iter().zip(expected).all(|(a, b)| a.agrees_with(*b))
    });
    let records = match sqllogictest::parse_file::<ColumnKind>(file) {
        Ok(records) => records,
        Err(error) => return vec![error.to_string()],
    };
    let mut failures = vec![];
    for record in records {
        if let Err(error) = runner.run_async(record).await {
            failures.push(error.to_string());
        }
    }
    runner.shutdown_async().await;
    failures
}

/// What answers a file's statements.
enum Database {
    Engine { session: Arc<Session>, explain: bool },
    Simple(tokio_postgres::Client),
    Prepared(tokio_postgres::Client),
}

impl Database {
    async fn open(world: &World, door: &Door, mode: Mode) -> Self {
        // What a plan shows depends on what was read before.
        let session = Arc::new(if mode == Mode::Explain { world.fresh_session() } else { world.session() });
        if mode == Mode::PushdownOff {
            session.set("kintone.pushdown", "off").unwrap();
        }
        match mode {
            Mode::Engine | Mode::PushdownOff => Self::Engine { session, explain: false },
            Mode::Explain => Self::Engine { session, explain: true },
            Mode::Simple => Self::Simple(door.connect().await),
            Mode::Prepared => Self::Prepared(door.connect().await),
        }
    }

    async fn answer(&self, sql: &str) -> Result<Answer, Failure> {
        match self {
            Self::Engine { session, .. } => {
                let (session, sql) = (Arc::clone(session), sql.to_owned());
                // In a task of its own: a panic fails this statement alone.
                let task = tokio::spawn(async move { world::run(&session, &sql).await });
                Ok(task.await??)
            }
            Self::Simple(client) => Ok(door::run_simple(client, sql).await?),
            Self::Prepared(client) => Ok(door::run_prepared(client, sql).await?),
        }
    }

    /// One row a column: its name and its type.
    async fn describe(&self, sql: &str) -> Result<Answer, Failure> {
        let columns = match self {
            Self::Simple(client) | Self::Prepared(client) => {
                let statement = client.prepare(sql).await?;
                statement
                    .columns()
                    .iter()
                    .map(|c| (c.name().to_owned(), c.type_().name().to_owned()))
                    .collect()
            }
            Self::Engine { .. } => self.answer(sql).await?.columns,
        };
        let rows = columns.into_iter().map(|(name, kind)| vec![Some(name), Some(kind)]).collect();
        let head = ["Column", "Type"].map(|name| (name.to_owned(), "text".to_owned()));
        Ok(Answer { columns: head.to_vec(), rows })
    }
}

#[async_trait]
impl AsyncDB for Database {
    type Error = Failure;
    type ColumnType = ColumnKind;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<ColumnKind>, Failure> {
        let mut answer = match sql.trim_end().strip_suffix("\\gdesc") {
            Some(sql) => self.describe(sql).await?,
            None => self.answer(sql).await?,
        };
        if answer.columns.is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        if matches!(self, Self::Engine { explain: true, .. }) {
            let of_plan = if sql.starts_with("EXPLAIN ANALYZE") { without_times } else { about_kintone };
            answer.rows = answer.rows.into_iter().filter_map(of_plan).collect();
        }
        let types = answer.columns.iter().map(|(_, name)| ColumnKind::of(name)).collect();
        let line =
            |row: &Vec<Option<String>>| row.iter().map(|value| text::shown(value.as_deref())).collect();
        Ok(DBOutput::Rows { types, rows: answer.rows.iter().map(line).collect() })
    }

    async fn shutdown(&mut self) {}

    fn error_sql_state(error: &Failure) -> Option<String> {
        Some(error.sqlstate.clone())
    }
}

/// A line of a plan, where it tells of requests to Kintone.
fn about_kintone(row: Vec<Option<String>>) -> Option<Vec<Option<String>>> {
    let line = row.into_iter().next()??;
    let line = line.trim();
    let words = ["Kintone", "path:", "query:", "fields:", "requests:", "exact:", "rechecked:", "local:"];
    words.iter().any(|word| line.starts_with(word)).then(|| vec![Some(line.to_owned())])
}

/// A line of a plan that has run, with each time as `N ms`.
fn without_times(row: Vec<Option<String>>) -> Option<Vec<Option<String>>> {
    let line = row.into_iter().next()??;
    let mut parts = line.trim().split(" ms").collect::<Vec<_>>();
    let last = parts.pop()?;
    let masked = parts.into_iter().map(|part| {
        let number = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == ',' || c == '.');
        format!("{number}N ms")
    });
    Some(vec![Some(masked.collect::<String>() + last)])
}

/// A statement's error.
#[derive(Debug)]
struct Failure {
    sqlstate: String,
    message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.sqlstate, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<kintone_sql::error::Error> for Failure {
    fn from(error: kintone_sql::error::Error) -> Self {
        Self { sqlstate: error.kind.sqlstate().into(), message: error.message }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(db) => Self { sqlstate: db.code().code().into(), message: db.message().into() },
            None => Self { sqlstate: "08000".into(), message: error.to_string() },
        }
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        Self { sqlstate: "XX000".into(), message: error.to_string() }
    }
}

/// A column's type, as one letter after `query`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnKind {
    /// `T`: text
    Text,
    /// `I`: whole numbers
    Integer,
    /// `R`: numeric
    Numeric,
    /// `F`: double precision
    Float,
    /// `B`: boolean
    Boolean,
    /// `D`: date
    Date,
    /// `H`: time
    Time,
    /// `S`: timestamp without a zone
    Timestamp,
    /// `Z`: timestamp with a zone
    Instant,
    /// `V`: interval
    Interval,
    /// `J`: jsonb
    Json,
    /// `A`: an array
    Array,
    /// `?`: not said
    Unknown,
}

const KINDS: [(char, ColumnKind); 13] = [
    ('T', ColumnKind::Text),
    ('I', ColumnKind::Integer),
    ('R', ColumnKind::Numeric),
    ('F', ColumnKind::Float),
    ('B', ColumnKind::Boolean),
    ('D', ColumnKind::Date),
    ('H', ColumnKind::Time),
    ('S', ColumnKind::Timestamp),
    ('Z', ColumnKind::Instant),
    ('V', ColumnKind::Interval),
    ('J', ColumnKind::Json),
    ('A', ColumnKind::Array),
    ('?', ColumnKind::Unknown),
];

impl ColumnKind {
    /// By PostgreSQL's inner name of the type; the simple protocol tells none.
    fn of(name: &str) -> Self {
        match name {
            "" => Self::Unknown,
            "int2" | "int4" | "int8" | "oid" => Self::Integer,
            "numeric" => Self::Numeric,
            "float4" | "float8" => Self::Float,
            "bool" => Self::Boolean,
            "date" => Self::Date,
            "time" => Self::Time,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::Instant,
            "interval" => Self::Interval,
            "jsonb" => Self::Json,
            array if array.starts_with('_') => Self::Array,
            _ => Self::Text,
        }
    }

    fn agrees_with(self, other: Self) -> bool {
        self == other || self == Self::Unknown || other == Self::Unknown
    }
}

impl ColumnType for ColumnKind {
    fn from_char(letter: char) -> Option<Self> {
        KINDS.iter().find(|(known, _)| *known == letter).map(|(_, kind)| *kind)
    }

    fn to_char(&self) -> char {
        KINDS.iter().find(|(_, kind)| kind == self).map_or('?', |(letter, _)| *letter)
    }
}
