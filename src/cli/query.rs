//! `query`: statements in, results out, as psql does it for scripts.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::connection::{self, ConnectionArgs, Opened};
use super::failure::{Failure, Result};
use super::output::{self, Column, Encoding, Format};
use super::progress::Progress;
use super::report;
use super::script::{Script, scripts};
use crate::engine::{QueryResult, Session, Statement};
use crate::error::Error;

/// The arguments of `query`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct QueryArgs {
    /// SQL to run; may be given several times, and hold several statements
    #[arg(short = 'c', long = "command", value_name = "SQL")]
    commands: Vec<String>,
    /// Files of SQL to run, in this order; - is standard input
    #[arg(short = 'f', long = "file", value_name = "FILE", num_args = 1.., conflicts_with = "commands")]
    files: Vec<PathBuf>,
    /// How rows are written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// How CSV is encoded
    #[arg(long, value_enum, default_value_t = Encoding::Utf8)]
    encoding: Encoding,
    /// Write the results to this file instead of standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    output: Option<PathBuf>,
    /// SET this before the first statement, such as timezone=Asia/Tokyo
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// Tell on standard error how long each statement took
    #[arg(long)]
    timing: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  kintone-sql query --demo -c \"SELECT 会社名, 電話番号 FROM CUSTOMERS LIMIT 5\"
  kintone-sql query --demo --format csv --encoding cp932 -o deals.csv -c \"SELECT * FROM DEALS\"
  kintone-sql query --config kintone-sql.toml --format json -f report.sql | jq .
  kintone-sql query --connection \"Url=https://example.cybozu.com;User=me;Password=env:PW\" -c \"SELECT * FROM Apps\"

Exit codes: 0 done, 1 wrong arguments or files, 2 Kintone cannot be reached or refuses, 3 an error in the SQL.";

/// `NAME=VALUE`.
pub(super) fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".into()),
    }
}

/// Runs every statement, stopping at the first error.
pub(super) async fn run(args: QueryArgs) -> Result<()> {
    if args.encoding != Encoding::Utf8 && args.format != Format::Csv {
        return Err(Failure::own("--encoding goes with --format csv; the other formats are UTF-8"));
    }
    let scripts = scripts(&args.commands, &args.files)?;
    let opened = connection::open(&args.connection).await?;
    let session = opened.session()?;
    for (name, value) in &args.settings {
        session.set(name, value)?;
    }
    let mut run = Run { args: &args, opened: &opened, session, out: output::open(args.output.as_deref())? };
    let done = run.scripts(&scripts).await;
    // What came before an error is still shown.
    let written = run.out.flush();
    done?;
    Ok(written?)
}

/// What every statement of the run needs.
struct Run<'a> {
    args: &'a QueryArgs,
    opened: &'a Opened,
    session: Session,
    out: Box<dyn Write + Send>,
}

impl Run<'_> {
    async fn scripts(&mut self, scripts: &[Script]) -> Result<()> {
        for script in scripts {
            let failure = |error| report::failure(&error, script);
            for statement in script.statements(&self.session).map_err(failure)? {
                let started = Instant::now();
                self.statement(statement, script).await?;
                if self.args.timing {
                    tell(&format!("Time: {:.3} ms", started.elapsed().as_secs_f64() * 1000.0));
                }
            }
        }
        Ok(())
    }

    async fn statement(&mut self, statement: Statement, script: &Script) -> Result<()> {
        let failure = |error| report::failure(&error, script);
        let mut progress = Progress::on_terminal(self.opened.traffic());
        let mut result = progress.wait(execute(&self.session, statement)).await.map_err(failure)?;
        for notice in &result.notices {
            tell(&format!("{}:  {}", notice.severity, notice.message));
        }
        let Some(schema) = &result.schema else {
            if self.args.format == Format::Table {
                writeln!(self.out, "{}", result.command)?;
            }
            return Ok(());
        };
        let mut writer = self.args.format.writer(self.args.encoding, self.session.time_zone());
        writer.begin(&Column::all(schema), &mut self.out)?;
        while let Some(batch) = progress.wait(result.rows.next()).await {
            let batch = batch.map_err(failure)?;
            writer.batch(&batch, &mut self.out)?;
        }
        writer.end(&mut self.out)
    }
}

/// Plans and starts a statement.
pub(super) fn execute(session: &Session, statement: Statement) -> BoxFuture<'_, Result<QueryResult, Error>> {
    async move {
        let prepared = Box::pin(session.prepare(statement, &[])).await?;
        session.execute(&prepared, vec![]).await
    }
    .boxed()
}

/// A line on standard error.
#[expect(clippy::print_stderr, reason = "what is no result goes to standard error")]
pub(super) fn tell(line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_name_and_value() {
        assert_eq!(setting("timezone=Asia/Tokyo"), Ok(("timezone".into(), "Asia/Tokyo".into())));
        assert_eq!(setting("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(setting("a="), Ok(("a".into(), String::new())));
        assert!(setting("timezone").is_err() && setting("=x").is_err());
    }
}
