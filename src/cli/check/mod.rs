//! `check`: each query of a file is a data check, which passes when it returns no row.
//!
//! Takes: files of SQL. Gives: a report on standard output, JUnit XML and GitHub annotations where they are wanted,
//! and an exit code for CI. Absent on purpose: any rule of what good data is.

mod junit;
mod name;
mod report;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use futures::StreamExt;

use super::connection::{self, ConnectionArgs};
use super::failure::{Failure, Result};
use super::output::{self, Column, Table, Writer};
use super::query::{execute, setting};
use super::script::Script;
use crate::engine::{QueryResult, Session, Statement, grouped};
use crate::error::{Error, Kind};

/// So many rows of a failed check are shown.
const ROWS_SHOWN: usize = 10;
/// So many are counted: a check that fails for every record need not read them all.
const ROWS_COUNTED: usize = 1_000;

/// The arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CheckArgs {
    /// Files of SQL; each query in them is a check, named by the comment line right before it
    #[arg(value_name = "FILES", required = true)]
    files: Vec<PathBuf>,
    /// Write the results as JUnit XML to this file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// A check may send so many requests to Kintone
    #[arg(long, value_name = "N")]
    max_requests: Option<u32>,
    /// A check may take so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
    /// SET this before the first check, such as timezone=Asia/Tokyo
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
A file of checks:
  -- Every won deal has an amount
  SELECT \"$id\", 案件名 FROM DEALS WHERE ステータス = '受注' AND 金額 IS NULL;

Examples:
  kintone-sql check --demo sql/checks/*.sql
  kintone-sql check --config kintone-sql.toml --junit report.xml --max-requests 200 --timeout 60 checks/*.sql

In GitHub Actions, failures are annotations of the file and line too.
Exit codes: 0 all passed, 1 a check failed (or wrong arguments), 2 Kintone cannot be reached, 3 an error in the SQL.";

/// What became of one check.
#[derive(Debug)]
pub(super) enum Verdict {
    /// No row.
    Passed,
    /// Rows: how many in words, and the first ones as a table.
    Failed { rows: String, table: String },
    /// It could not be asked.
    Error { report: String, exit_code: u8 },
}

/// One check.
#[derive(Debug)]
pub(super) struct CheckResult {
    pub(super) name: String,
    /// Of its first word, from 1.
    pub(super) line: usize,
    pub(super) took: Duration,
    pub(super) verdict: Verdict,
}

/// The checks of one file.
#[derive(Debug)]
pub(super) struct FileResult {
    pub(super) name: String,
    pub(super) checks: Vec<CheckResult>,
}

/// Runs the checks of every file, and reports.
pub(super) async fn run(args: CheckArgs) -> Result<()> {
    let scripts: Vec<_> = args.files.iter().map(|file| Script::read(file)).collect::<Result<_>>()?;
    let opened = connection::open(&args.connection).await?;
    let session = opened.session()?;
    if let Some(most) = args.max_requests {
        session.set("kintone.max_requests", &most.to_string())?;
    }
    for (name, value) in &args.settings {
        session.set(name, value)?;
    }
    let limit = args.timeout.map(|seconds| Duration::from_secs(seconds.into()));
    let mut out = output::open(None)?;
    let started = Instant::now();
    let mut files = vec![];
    for script in &scripts {
        let mut file = FileResult { name: script.name.clone().unwrap_or_default(), checks: vec![] };
        writeln!(out, "{}", file.name)?;
        let end = run_file(&session, script, limit, &mut file, &mut out).await;
        files.push(file);
        out.flush()?;
        if end? == Next::Stop {
            break;
        }
    }
    writeln!(out, "\n{} in {}", report::totals(&files), report::seconds(started.elapsed()))?;
    if std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true") {
        out.write_all(report::annotations(&files).as_bytes())?;
    }
    out.flush()?;
    if let Some(path) = &args.junit {
        std::fs::write(path, junit::document(&files))
            .map_err(|error| Failure::own(format!("cannot write {}: {error}", path.display())))?;
    }
    match report::exit_code(&files) {
        0 => Ok(()),
        code => Err(Failure::reported(code, "")),
    }
}

/// Whether the other checks have a chance.
#[derive(PartialEq)]
enum Next {
    Go,
    Stop,
}

async fn run_file(
    session: &Session,
    script: &Script,
    limit: Option<Duration>,
    file: &mut FileResult,
    out: &mut (dyn Write + Send),
) -> Result<Next> {
    let statements = match script.statements(session) {
        Ok(statements) => statements,
        Err(error) => {
            let verdict = error_verdict(&error, script);
            let check = CheckResult { name: "the file's SQL".into(), line: 1, took: Duration::ZERO, verdict };
            out.write_all(report::line(&check).as_bytes())?;
            file.checks.push(check);
            return Ok(Next::Go);
        }
    };
    for statement in statements {
        let place = name::place(&script.text, &statement);
        let started = Instant::now();
        let asked = async {
            match limit {
                Some(limit) => {
                    tokio::time::timeout(limit, ask(session, statement)).await.unwrap_or_else(|_| {
                        Err(Error::new(
                            Kind::Timeout,
                            format!("the check took longer than {} s", limit.as_secs()),
                        ))
                    })
                }
                None => ask(session, statement).await,
            }
        };
        let verdict = match asked.await {
            Ok(None) => continue,
            Ok(Some(verdict)) => verdict,
            Err(error) => error_verdict(&error, script),
        };
        let check = CheckResult { name: place.name, line: place.line, took: started.elapsed(), verdict };
        out.write_all(report::line(&check).as_bytes())?;
        out.flush()?;
        let unreachable = matches!(check.verdict, Verdict::Error { exit_code: 2, .. });
        file.checks.push(check);
        if unreachable {
            return Ok(Next::Stop);
        }
    }
    Ok(Next::Go)
}

fn error_verdict(error: &Error, script: &Script) -> Verdict {
    let failure = super::report::failure(error, script);
    // A check that ran out of its time or its requests says nothing about the connection.
    let own_limit = matches!(error.kind, Kind::Timeout | Kind::RateLimited);
    let exit_code = if own_limit { 3 } else { failure.exit_code() };
    Verdict::Error { report: failure.message().to_owned(), exit_code }
}

/// The verdict of a query; `None` for a statement without rows, such as SET.
async fn ask(session: &Session, statement: Statement) -> Result<Option<Verdict>, Error> {
    let QueryResult { schema, mut rows, .. } = execute(session, statement).await?;
    let Some(schema) = schema else { return Ok(None) };
    let mut table = Table::new(session.time_zone());
    let mut text = vec![];
    let shown = |done: Result<()>| done.map_err(|failure| Error::internal(failure.message()));
    shown(table.begin(&Column::all(&schema), &mut text))?;
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        if count < ROWS_SHOWN {
            let part = batch.slice(0, batch.num_rows().min(ROWS_SHOWN - count));
            shown(table.batch(&part, &mut text))?;
        }
        count += batch.num_rows();
        if count > ROWS_COUNTED {
            break;
        }
    }
    if count == 0 {
        return Ok(Some(Verdict::Passed));
    }
    shown(table.end_without_count(&mut text))?;
    let table = String::from_utf8_lossy(&text).trim_end_matches('\n').to_owned();
    Ok(Some(Verdict::Failed { rows: rows_in_words(count), table }))
}

fn rows_in_words(count: usize) -> String {
    let number = |count| grouped(u64::try_from(count).unwrap_or(u64::MAX));
    match count {
        1 => "1 row".into(),
        count if count > ROWS_COUNTED => format!("more than {} rows", number(ROWS_COUNTED)),
        count => format!("{} rows", number(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_to_a_limit() {
        for (count, words) in [(1, "1 row"), (1_000, "1,000 rows"), (1_500, "more than 1,000 rows")] {
            assert_eq!(rows_in_words(count), words);
        }
    }
}
