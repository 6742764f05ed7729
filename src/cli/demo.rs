//! `demo`: an embedded Kintone, the engine over it, and both doors.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::company::{CompanyArgs, PASSWORD, Running, USER};
use super::connection;
use super::doors::{Doors, Rules};
use super::failure::Result;
use super::output;
use crate::config::{HTTP_LISTEN, POSTGRES_LISTEN};
use crate::emulator::Unknowns;
use crate::engine::EngineConfig;
use crate::odata::{ApiUser, Cors, OdataConfig, Privileges, Token};
use crate::postgres::{Login, PostgresConfig};

/// The demo user's token at the OData door.
const TOKEN: &str = "demo-token";
/// The demo ends within two seconds, whatever its clients do.
const GRACE: Duration = Duration::from_secs(1);

/// The arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DemoArgs {
    /// Where PostgreSQL clients connect; port 0 takes any free one
    #[arg(long, value_name = "HOST:PORT", default_value = POSTGRES_LISTEN)]
    pg: String,
    /// Where OData clients connect
    #[arg(long, value_name = "HOST:PORT", default_value = HTTP_LISTEN)]
    http: String,
    /// Where the embedded Kintone answers, on this machine only
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8090")]
    kintone: String,
    /// Serve the apps and records of a JSON file instead of the company; `emulate --help` shows its shape
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "today"])]
    data: Option<PathBuf>,
    #[command(flatten)]
    company: CompanyArgs,
}

const EXAMPLES: &str = "\
The company has customers, deals, orders with their lines, products, daily reports and 200,000 activities, in
Japanese. Nothing leaves this machine.

Examples:
  kintone-sql demo
  kintone-sql demo --pg 127.0.0.1:0 --http 127.0.0.1:0 --kintone 127.0.0.1:0
  kintone-sql demo --latency-ms 80 --seed 7 --today 2026-03-31";

/// Runs the demo until a signal.
pub(super) async fn run(args: DemoArgs) -> Result<()> {
    let doors = Doors::listen((&args.pg, "--pg HOST:PORT"), (&args.http, "--http HOST:PORT")).await?;
    let company = Running::start(
        &args.company,
        args.data.as_deref(),
        Some((&args.kintone, "--kintone HOST:PORT")),
        Unknowns::strict(),
    )
    .await?;
    let (engine, _) = connection::engine(EngineConfig::default(), vec![company.connection()?])?;
    let mut out = output::open(None)?;
    out.write_all(greeting(&doors, &company, args.data.is_some()).as_bytes())?;
    out.flush()?;
    company.warm_up();
    let odata = OdataConfig {
        cors: Cors { enabled: true, ..Cors::default() },
        allow_authtoken_in_url: true,
        ..OdataConfig::new(doors.http_address)
    };
    let rules =
        Rules { logins: vec![login()?], postgres: PostgresConfig::default(), api_users: vec![user()], odata };
    let ended = doors.serve(&engine, rules, GRACE).await;
    company.stop().await;
    ended
}

fn login() -> Result<Login> {
    Ok(Login { name: USER.into(), password: PASSWORD.parse()?, administrator: true })
}

fn user() -> ApiUser {
    ApiUser {
        name: USER.into(),
        tokens: vec![Token::of_text(TOKEN)],
        privileges: Privileges { get: true, post: true, put: true, delete: true },
        administrator: true,
    }
}

/// The ready line that scripts wait for, then lines to paste.
fn greeting(doors: &Doors, company: &Running, from_file: bool) -> String {
    let (pg, http, kintone) = (doors.postgres_address, doors.http_address, company.address());
    let ready = format!(
        "ready pg={pg} http={http} kintone={kintone} user={USER} password={PASSWORD} token={TOKEN} database=kintone"
    );
    if from_file {
        return format!(
            "{ready}

A Kintone with the apps of the data file is running on this machine, with SQL on top of it. In another terminal:

  psql \"postgresql://{USER}:{PASSWORD}@{pg}/kintone\"
      \\dt                                             the apps are tables

  curl -u {USER}:{TOKEN} 'http://{http}/api.rsc/'

Ctrl-C ends it.
"
        );
    }
    format!(
        "{ready}

A Japanese company's Kintone is running on this machine, with SQL on top of it. In another terminal:

  psql \"postgresql://{USER}:{PASSWORD}@{pg}/kintone\"
      \\dt                                             the apps are tables
      SELECT * FROM CUSTOMERS LIMIT 5;
      SELECT * FROM Comments WHERE AppId = '1354841';
      EXPLAIN SELECT * FROM DEALS WHERE 金額 > 1000000;

  curl -u {USER}:{TOKEN} 'http://{http}/api.rsc/CUSTOMERS?$top=3'
  curl 'http://{http}/api.rsc/@{TOKEN}/$oas'          the Swagger document for Power Automate

  KINTONE_PASSWORD={PASSWORD} kintone-sql query --connection 'Url=http://{kintone};User={USER}' -c 'SELECT * FROM Apps'

Ctrl-C ends it.
"
    )
}
