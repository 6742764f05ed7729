//! `check`: each query of a file is a data check, which passes when it returns no row.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use futures::StreamExt;

use super::connection::{self, ConnectionArgs};
use super::failure::{Failure, Result};
use super::output::{self, Column, Table, Writer};
use super::progress::grouped;
use super::query::{execute, setting};
use super::script::Script;
use super::{check_name, junit, report};
use crate::engine::{QueryResult, Session, Statement};
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
  SELECT \"$id\", 案件名 FROM DEALS WHERE 確度 = '受注' AND 金額 IS NULL;

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
    writeln!(out, "\n{} in {}", totals(&files), seconds(started.elapsed()))?;
    if std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true") {
        out.write_all(annotations(&files).as_bytes())?;
    }
    out.flush()?;
    if let Some(path) = &args.junit {
        std::fs::write(path, junit::document(&files))
            .map_err(|error| Failure::own(format!("cannot write {}: {error}", path.display())))?;
    }
    match exit_code(&files) {
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
            out.write_all(line(&check).as_bytes())?;
            file.checks.push(check);
            return Ok(Next::Go);
        }
    };
    for statement in statements {
        let place = check_name::place(&script.text, &statement);
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
        out.write_all(line(&check).as_bytes())?;
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
    let failure = report::failure(error, script);
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

/// What is printed about a check.
fn line(check: &CheckResult) -> String {
    let took = seconds(check.took);
    let (head, details) = match &check.verdict {
        Verdict::Passed => (format!("  ✓ {} ({took})\n", check.name), ""),
        Verdict::Failed { rows, table } => {
            (format!("  ✗ {} (line {}, {took}): {rows}\n", check.name, check.line), table.as_str())
        }
        Verdict::Error { report, .. } => (format!("  ! {} ({took})\n", check.name), report.as_str()),
    };
    let mut out = head;
    for detail in details.lines() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "      {detail}");
    }
    out
}

fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}

fn totals(files: &[FileResult]) -> String {
    let count = |wanted: fn(&Verdict) -> bool| {
        files.iter().flat_map(|file| &file.checks).filter(|check| wanted(&check.verdict)).count()
    };
    let passed = count(|verdict| matches!(verdict, Verdict::Passed));
    let failed = count(|verdict| matches!(verdict, Verdict::Failed { .. }));
    let errors = count(|verdict| matches!(verdict, Verdict::Error { .. }));
    let mut out = format!("{passed} passed");
    if failed > 0 {
        let _ = write!(out, ", {failed} failed");
    }
    if errors > 0 {
        let _ = write!(out, ", {errors} could not be asked");
    }
    out
}

/// Errors weigh more than failures: a check that was not asked says nothing.
fn exit_code(files: &[FileResult]) -> u8 {
    let codes = files.iter().flat_map(|file| &file.checks).map(|check| match &check.verdict {
        Verdict::Passed => 0,
        Verdict::Failed { .. } => 1,
        Verdict::Error { exit_code, .. } => *exit_code,
    });
    codes.max_by_key(|code| [0, 1, 3, 2].iter().position(|known| known == code)).unwrap_or(0)
}

/// Failures and errors as GitHub's workflow commands.
fn annotations(files: &[FileResult]) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut out = String::new();
    for file in files {
        for check in &file.checks {
            let message = match &check.verdict {
                Verdict::Passed => continue,
                Verdict::Failed { rows, table } => format!("{rows}\n{table}"),
                Verdict::Error { report, .. } => report.clone(),
            };
            let (name, title) = (property(&file.name), property(&check.name));
            let _ =
                writeln!(out, "::error file={name},line={},title={title}::{}", check.line, data(&message));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(verdicts: Vec<Verdict>) -> Vec<FileResult> {
        let check = |verdict| CheckResult {
            name: "金額, ある".into(),
            line: 7,
            took: Duration::from_millis(123),
            verdict,
        };
        vec![FileResult { name: "a.sql".into(), checks: verdicts.into_iter().map(check).collect() }]
    }

    fn failed() -> Verdict {
        Verdict::Failed { rows: "1 row".into(), table: " id\n----\n  5".into() }
    }

    fn error(exit_code: u8) -> Verdict {
        Verdict::Error { report: "ERROR:  100%".into(), exit_code }
    }

    #[test]
    fn errors_weigh_more_than_failures() {
        for (verdicts, code, words) in [
            (vec![], 0, "0 passed"),
            (vec![Verdict::Passed], 0, "1 passed"),
            (vec![failed(), Verdict::Passed], 1, "1 passed, 1 failed"),
            (vec![error(3), failed()], 3, "0 passed, 1 failed, 1 could not be asked"),
            (vec![error(3), error(2)], 2, "0 passed, 2 could not be asked"),
        ] {
            let files = file(verdicts);
            assert_eq!((exit_code(&files), totals(&files).as_str()), (code, words));
        }
    }

    #[test]
    fn lines_show_rows_and_errors() {
        let lines: Vec<_> = file(vec![Verdict::Passed, failed(), error(3)])
            .iter()
            .flat_map(|file| &file.checks)
            .map(line)
            .collect();
        assert_eq!(
            lines,
            [
                "  ✓ 金額, ある (0.12 s)\n",
                "  ✗ 金額, ある (line 7, 0.12 s): 1 row\n       id\n      ----\n        5\n",
                "  ! 金額, ある (0.12 s)\n      ERROR:  100%\n",
            ]
        );
    }

    #[test]
    fn annotations_are_escaped() {
        assert_eq!(
            annotations(&file(vec![Verdict::Passed, failed(), error(3)])),
            "::error file=a.sql,line=7,title=金額%2C ある::1 row%0A id%0A----%0A  5\n\
             ::error file=a.sql,line=7,title=金額%2C ある::ERROR:  100%25\n"
        );
    }

    #[test]
    fn rows_are_counted_to_a_limit() {
        for (count, words) in [(1, "1 row"), (1_000, "1,000 rows"), (1_500, "more than 1,000 rows")] {
            assert_eq!(rows_in_words(count), words);
        }
    }
}
