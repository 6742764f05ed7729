//! The command line: arguments in, exit code out. The one place that knows every layer and puts them together.
//!
//! Results go to standard output, everything else to standard error. Exit codes are psql's: 0 done, 1 our own
//! failure, 2 Kintone cannot be reached or refuses, 3 an error in the SQL. Absent on purpose: any rule about SQL,
//! Kintone or a protocol.

mod check;
mod company;
mod connection;
mod demo;
mod doctor;
mod doors;
mod emulate;
mod failure;
mod output;
mod progress;
mod pushdown;
mod query;
mod report;
mod script;
mod serve;
mod settings;
mod token;

use std::ffi::OsString;
use std::io::stderr;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use self::failure::Result;

/// SQL over Kintone: every app is a table.
#[derive(Debug, Parser)]
#[command(name = "kintone-sql", version, after_help = EXAMPLES, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Try it, with no account and no set-up:
  kintone-sql demo
  kintone-sql query --demo -c \"SELECT * FROM CUSTOMERS LIMIT 5\"

With your own Kintone:
  kintone-sql config example > kintone-sql.toml
  kintone-sql serve --config kintone-sql.toml

RUST_LOG=info (or debug) logs to standard error. kintone-sql COMMAND --help tells more.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an embedded Kintone with a company's data, for psql, Power BI and curl
    Demo(demo::DemoArgs),
    /// Run the embedded Kintone alone, to test Kintone programs with
    Emulate(emulate::EmulateArgs),
    /// Serve the connections of a settings file over PostgreSQL and OData
    Serve(serve::ServeArgs),
    /// Run SQL and print the rows, as a table, CSV, JSON or Markdown
    Query(query::QueryArgs),
    /// Run data checks: queries that must return no row
    Check(check::CheckArgs),
    /// Find out why a connection does not work, step by step
    Doctor(doctor::DoctorArgs),
    /// Tell which predicates Kintone answers, for each field type, how exactly and why
    Pushdown(pushdown::PushdownArgs),
    /// Make tokens for clients of the OData door
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Print or check a settings file
    #[command(subcommand)]
    Config(settings::SettingsCommand),
}

/// Does what the arguments say. The first one is the program's name. Gives the process's exit code.
pub async fn run(arguments: Vec<OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own code would be 2, which here means that Kintone cannot be reached.
            let _ = error.print();
            return u8::from(error.use_stderr());
        }
    };
    log_to_stderr();
    match Box::pin(dispatch(cli.command)).await {
        Ok(()) => 0,
        Err(failure) => {
            say(failure.message());
            failure.exit_code()
        }
    }
}

async fn dispatch(command: Command) -> Result<()> {
    match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Emulate(args) => emulate::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Query(args) => Box::pin(query::run(args)).await,
        Command::Check(args) => Box::pin(check::run(args)).await,
        Command::Doctor(args) => Box::pin(doctor::run(args)).await,
        Command::Pushdown(args) => pushdown::run(&args),
        Command::Token(command) => token::run(&command),
        Command::Config(command) => settings::run(&command),
    }
}

/// A failure on standard error. SQL errors and lists of faults speak for themselves.
#[expect(clippy::print_stderr, reason = "a failure goes to standard error")]
fn say(message: &str) {
    if !message.is_empty() {
        eprintln!("{message}");
    }
}

/// Warnings, or what `RUST_LOG` asks for.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(false);
    // A second call in one process, in a test, changes nothing.
    let _ = log.try_init();
}
