//! `doctor`: why a connection does not work; and, on a scratch app, what of Kintone is not written down.
//!
//! Takes: connections. Gives: a report on standard output, as text or JSON, without any secret, and an exit code.
//! Absent on purpose: any knowledge of Kintone; `kintone::doctor` has it.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::connection::{ConnectionArgs, Source, surroundings};
use super::failure::{Failure, Result};
use super::output;
use super::query::tell;
use crate::kintone::doctor::probe::{self, App, Fault, Options};
use crate::kintone::doctor::{Bounds, Report, Step, diagnose};
use crate::kintone::{ClientConfig, Secret};

/// How long the embedded Kintone may take.
const DEMO: Duration = Duration::from_secs(60);

/// The arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DoctorArgs {
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Ask Kintone what its documents leave open: on a new scratch app, or on the one of an earlier probe
    #[arg(long, value_name = "APP|new", value_parser = app, help_heading = "Probe")]
    probe: Option<App>,
    /// The probe may write: it makes an app, adds fields, and writes and deletes some thirty records
    #[arg(long, requires = "probe", help_heading = "Probe")]
    yes: bool,
    /// API tokens, with commas between them: env:NAME or file:PATH of the scratch app's and of any other app's
    #[arg(long, requires = "probe", value_name = "TOKENS", help_heading = "Probe")]
    tokens: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Each connection is looked at from its settings to its apps: name, TCP or proxy, TLS, the site's
gate, the clock, login, rights, guest spaces, quota, load. It takes at most 10 seconds and about
three requests for each of five apps, changes nothing, and prints no secret. A rejected login is
sent once.

Examples:
  kintone-sql doctor --config kintone-sql.toml
  kintone-sql doctor --connection \"Url=https://example.cybozu.com;User=me;Password=env:PASSWORD\"
  kintone-sql doctor --demo --probe new --yes

The probe needs User and Password, Readonly=false, and the right to make apps. It writes to no app
but its own, which is named \"kintone-sql probe\". Give that app a code, categories and an API token
by hand, and probe it again with --tokens: then every question has an answer.

Exit codes: 0 it works, 1 the settings are wrong, 2 Kintone is not reached or refuses.";

/// `new`, or an app's id.
fn app(text: &str) -> Result<App, String> {
    match text.parse::<u64>() {
        _ if text == "new" => Ok(App::New),
        Ok(id) if id > 0 => Ok(App::Id(id)),
        _ => Err("takes the id of an app, or new".into()),
    }
}

/// Looks, and reports.
pub(super) async fn run(args: DoctorArgs) -> Result<()> {
    let source = Source::find(&args.connection).await?;
    match args.probe {
        None => examine(&source, args.json).await,
        Some(app) => {
            let first = source.connections.first().ok_or_else(|| Failure::own("there is no connection"))?;
            // What the embedded Kintone has is made up, and gone at the end.
            let config = ClientConfig { read_only: first.read_only && !source.is_demo(), ..first.clone() };
            probed(&config, app, &args, source.is_demo()).await
        }
    }
}

/// Each connection in turn.
async fn examine(source: &Source, json: bool) -> Result<()> {
    let mut out = output::open(None)?;
    let mut reports: Vec<Report> = vec![];
    for config in &source.connections {
        let mut written: io::Result<()> = Ok(());
        if !json {
            let gap = if reports.is_empty() { "" } else { "\n" };
            write!(out, "{gap}{}", Report::heading(&config.name, config.url.as_ref()))?;
        }
        let mut show = |step: &Step| {
            if !json && written.is_ok() {
                written = out.write_all(step.text().as_bytes()).and_then(|()| out.flush());
            }
        };
        let mut bounds = Bounds::default();
        if source.is_demo() {
            // The embedded Kintone makes its records when they are asked for.
            bounds.total = DEMO;
        }
        let report = Box::pin(diagnose(config, bounds, &mut show)).await;
        written?;
        if !json {
            write!(out, "\n{}", report.summary())?;
        }
        reports.push(report);
    }
    if json {
        let all = Value::Array(reports.iter().map(Report::json).collect());
        writeln!(out, "{all:#}")?;
    }
    out.flush()?;
    match reports.iter().map(Report::exit_code).max().unwrap_or(0) {
        0 => Ok(()),
        code => Err(Failure::reported(code, "")),
    }
}

async fn probed(config: &ClientConfig, app: App, args: &DoctorArgs, is_demo: bool) -> Result<()> {
    if !args.yes {
        let what = match app {
            App::New => "makes an app".to_owned(),
            App::Id(id) => format!("writes to app {id}"),
        };
        return Err(Failure::own(format!(
            "--probe {what} on {}, adds fields to it, and writes and deletes records; add --yes to do so",
            config.url.host_str().unwrap_or_default()
        )));
    }
    let tokens = args.tokens.as_deref().map(tokens).transpose()?.unwrap_or_default();
    let mut options = Options { tokens, ..Options::new(app) };
    if is_demo {
        // The embedded Kintone deploys at once.
        options.pause = Duration::from_millis(100);
    }
    let report = Box::pin(probe::run(config, &options)).await;
    let report = report.map_err(|fault| match fault {
        Fault::Refused(why) => Failure::own(why),
        Fault::Failed(why) => Failure::reported(2, format!("connection {}: {why}", config.name)),
    })?;
    let mut out = output::open(None)?;
    if args.json {
        writeln!(out, "{:#}", report.json())?;
    } else {
        out.write_all(report.text().as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

/// The tokens of `--tokens`, from where it says that they are.
fn tokens(text: &str) -> Result<Vec<Secret>> {
    let found = match surroundings().from_reference(text) {
        Some(found) => found.map_err(|why| Failure::own(format!("--tokens: {why}")))?,
        None => {
            tell(
                "warning: --tokens stands in the command line, where every user of this machine can read it; \
                  write --tokens env:NAME or file:PATH",
            );
            text.to_owned()
        }
    };
    Ok(found.split(',').map(str::trim).filter(|token| !token.is_empty()).map(Secret::new).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_an_id_or_new() {
        assert_eq!(app("new"), Ok(App::New));
        assert_eq!(app("12"), Ok(App::Id(12)));
        for wrong in ["0", "-1", "NEW", "deals"] {
            assert!(app(wrong).is_err(), "{wrong}");
        }
    }
}
