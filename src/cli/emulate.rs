//! `emulate`: the embedded Kintone alone, for programs that talk to Kintone.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::company::{CompanyArgs, PASSWORD, Running, USER};
use super::doors::Ends;
use super::failure::{Failure, Result};
use super::output;
use crate::emulator::{Backdoor, Unknowns};

/// The arguments of `emulate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct EmulateArgs {
    /// Where it answers, on this machine only; 0 takes any free port
    #[arg(long, value_name = "PORT", default_value_t = 8090)]
    port: u16,
    /// Serve the apps and records of a JSON file instead of the demo company
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "today"])]
    data: Option<PathBuf>,
    /// Write everything there at the end, in the shape that --data reads
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Take an open fact of Kintone otherwise than in the strictest way; may be given several times
    #[arg(long, value_name = "NAME=POSITION")]
    unknown: Vec<String>,
    #[command(flatten)]
    company: CompanyArgs,
}

const EXAMPLES: &str = "\
It answers Kintone's REST API over plain HTTP, with Kintone's limits, checks and error codes. It prints the line
  ready kintone=HOST:PORT
when it answers, and ends with Ctrl-C or SIGTERM. Nothing leaves this machine.

The data file is one JSON object. Each part has the shape that Kintone's own API gives it, and may be left out:
  {\"users\": [{\"code\": \"sato\", \"name\": \"佐藤\", \"password\": \"secret\", \"timezone\": \"Asia/Tokyo\"}],
   \"organizations\": [{\"code\": \"sales\"}], \"groups\": [{\"code\": \"everyone\"}],
   \"apps\": [{\"app\": {\"code\": \"DEALS\", \"name\": \"Deals\"}, \"apiTokens\": [\"a-token\"],
             \"form\": {\"properties\": {\"Amount\": {\"type\": \"NUMBER\"}}}, \"layout\": {\"layout\": [...]},
             \"settings\": {...}, \"views\": {\"views\": {...}}, \"status\": {\"enable\": true, ...},
             \"records\": [{\"Amount\": {\"value\": \"100\"}}],
             \"comments\": {\"1\": [{\"text\": \"Well done\"}]}}]}
Ids that are missing are numbered from 1. What is wrong is told with its line, its column and its path.

Examples:
  kintone-sql emulate
  kintone-sql emulate --port 0 --data company.json --latency-ms 80
  kintone-sql emulate --data company.json --save company.json
  curl -H 'X-Cybozu-API-Token: a-token' 'http://127.0.0.1:8090/k/v1/records.json?app=1'";

/// Runs it until a signal.
pub(super) async fn run(args: EmulateArgs) -> Result<()> {
    if let Some(path) = &args.save {
        can_save(path)?;
    }
    let unknowns = unknowns(&args.unknown)?;
    let address = (format!("127.0.0.1:{}", args.port), "--port PORT");
    let running =
        Running::start(&args.company, args.data.as_deref(), Some((&address.0, address.1)), unknowns).await?;
    let mut ends = Ends::watch()?;
    let mut out = output::open(None)?;
    out.write_all(greeting(&running, args.data.is_some()).as_bytes())?;
    out.flush()?;
    running.warm_up();
    ends.next().await;
    let store = running.store();
    running.stop().await;
    match args.save {
        // A second signal ends it at once, with the old file in its place.
        Some(path) => tokio::select! {
            saved = tokio::task::spawn_blocking(move || save(&store, &path)) => {
                saved.map_err(|error| Failure::own(error.to_string()))?
            }
            () = ends.next() => Err(Failure::own("ended before everything was saved")),
        },
        None => Ok(()),
    }
}

/// The open facts in the positions that are asked for.
fn unknowns(settings: &[String]) -> Result<Unknowns> {
    settings.iter().try_fold(Unknowns::strict(), |unknowns, setting| {
        let (name, position) = setting
            .split_once('=')
            .ok_or_else(|| Failure::own(format!("--unknown {setting}: expected NAME=POSITION")))?;
        unknowns.with(name, position).map_err(|error| Failure::own(format!("--unknown {setting}: {error}")))
    })
}

/// The ready line that scripts wait for, then a line to paste.
fn greeting(running: &Running, from_file: bool) -> String {
    let address = running.address();
    let credentials = if from_file { "USER:PASSWORD".to_owned() } else { format!("{USER}:{PASSWORD}") };
    format!(
        "ready kintone={address}

An embedded Kintone answers there. In another terminal:

  curl -H \"X-Cybozu-Authorization: $(printf %s '{credentials}' | base64)\" 'http://{address}/k/v1/apps.json'

Ctrl-C ends it.
"
    )
}

/// A mistake in the path is told at the start, not after the work.
fn can_save(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if path.is_dir() || !folder.unwrap_or(Path::new(".")).is_dir() {
        return Err(Failure::own(format!("--save {}: cannot be written there", path.display())));
    }
    Ok(())
}

/// Writes beside the file and puts it in its place when it is whole.
fn save(store: &Backdoor, path: &Path) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = File::create(&beside).and_then(|file| {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        store.save(&mut out)?;
        out.into_inner()?.sync_all()?;
        fs::rename(&beside, path)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        Failure::own(format!("cannot save {}: {error}", path.display()))
    })
}
