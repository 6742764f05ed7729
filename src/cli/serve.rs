//! `serve`: the connections of a settings file at both doors.

use std::io::Write;
use std::time::Duration;

use clap::Args;

use super::connection::{self, variable};
use super::doors::{Doors, Rules};
use super::failure::Result;
use super::output;
use super::query::tell;
use crate::config::{Config, UserSettings};
use crate::odata::{ApiUser, OdataConfig};
use crate::postgres::{Login, PostgresConfig};

/// Running answers have so long to end; a second signal does not wait.
const GRACE: Duration = Duration::from_secs(30);

/// The arguments of `serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ServeArgs {
    /// The settings file; kintone-sql config example prints one
    #[arg(long, value_name = "FILE")]
    config: String,
    /// Where PostgreSQL clients connect, instead of what the file says
    #[arg(long, value_name = "HOST:PORT")]
    pg: Option<String>,
    /// Where OData clients connect, instead of what the file says
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  kintone-sql config example > kintone-sql.toml
  kintone-sql serve --config kintone-sql.toml
  psql postgresql://reader@127.0.0.1:5433/kintone

KINTONE_URL, KINTONE_USER, KINTONE_PASSWORD, KINTONE_API_TOKEN, KINTONE_OAUTH_TOKEN, KINTONE_GUEST_SPACE_ID,
KINTONE_BASIC_USER, KINTONE_BASIC_PASSWORD and KINTONE_CONNECTION in the environment go before the file's default connection.";

/// Serves until a signal.
pub(super) async fn run(args: ServeArgs) -> Result<()> {
    let config = Config::load(&args.config, &variable)?;
    let (engine, _) = connection::engine(config.engine.clone(), config.connections.clone())?;
    let pg = args.pg.as_ref().unwrap_or(&config.postgres.listen);
    let http = args.http.as_ref().unwrap_or(&config.http.listen);
    let remedy = |flag: &str, section: &str| {
        format!("{flag} HOST:PORT, or listen under [{section}] of {}", args.config)
    };
    let doors = Doors::listen((pg, &remedy("--pg", "postgres")), (http, &remedy("--http", "http"))).await?;
    if config.users.is_empty() {
        tell(&format!("warning: nobody can log in: {} has no [[users]]", args.config));
    }
    let mut out = output::open(None)?;
    writeln!(out, "ready pg={} http={} database=kintone", doors.postgres_address, doors.http_address)?;
    out.flush()?;
    let rules = rules(config, &doors);
    doors.serve(&engine, rules, GRACE).await
}

fn rules(config: Config, doors: &Doors) -> Rules {
    let odata = OdataConfig {
        trusted_ips: config.http.trusted_ips,
        base_url: config.http.base_url,
        cors: config.http.cors,
        allow_authtoken_in_url: config.http.allow_authtoken_in_url,
        ..OdataConfig::new(doors.http_address)
    };
    let postgres = PostgresConfig {
        listen: doors.postgres_address,
        trusted_ips: config.postgres.trusted_ips,
        max_connections: config.postgres.max_connections,
        tls: config.postgres.tls,
        ..PostgresConfig::default()
    };
    let logins = config.users.iter().filter_map(login).collect();
    let api_users = config.users.into_iter().map(api_user).collect();
    Rules { logins, postgres, api_users, odata }
}

fn login(user: &UserSettings) -> Option<Login> {
    let password = user.password.clone().filter(|_| user.privileges.get)?;
    Some(Login { name: user.name.clone(), password, administrator: user.administrator })
}

fn api_user(user: UserSettings) -> ApiUser {
    ApiUser {
        name: user.name,
        tokens: user.tokens,
        privileges: user.privileges,
        administrator: user.administrator,
    }
}
