//! Which Kintone `query` and `check` ask: the embedded one, a settings file's, a connection string's, or the
//! environment's.

use std::path::PathBuf;

use clap::Args;

use super::company::{CompanyArgs, Running};
use super::failure::{Failure, Result};
use super::query::tell;
use crate::config::{self, Config, Connection, DEFAULT_CONNECTION, Surroundings};
use crate::engine::{Engine, EngineConfig, Session, User};
use crate::kintone::{Client, ClientConfig};

/// Where the data is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArgs {
    /// Ask the embedded Kintone with its demo company; needs no server
    #[arg(long, conflicts_with_all = ["config", "connection"])]
    demo: bool,
    /// Settings file with the connections
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
    /// The connection of the settings file whose tables need no schema
    #[arg(long, value_name = "NAME", requires = "config")]
    connection_name: Option<String>,
    /// "Url=...;User=...;Password=env:NAME", or file:PATH for a secret
    #[arg(long, value_name = "PROPERTIES", conflicts_with = "config")]
    connection: Option<String>,
    #[command(flatten)]
    company: CompanyArgs,
}

/// An engine, and the embedded Kintone where that is what it asks.
pub(super) struct Opened {
    engine: Engine,
    /// The connection whose tables need no schema.
    default: String,
    clients: Vec<Client>,
    _company: Option<Running>,
}

impl Opened {
    fn new(config: EngineConfig, connections: &[Connection], company: Option<Running>) -> Result<Self> {
        let clients = connections.iter().map(client).collect::<Result<Vec<_>>>()?;
        let default = connections.first().map_or(DEFAULT_CONNECTION, |first| first.name.as_str()).to_owned();
        Ok(Self { engine: Engine::new(config, clients.clone())?, default, clients, _company: company })
    }

    /// A session for whoever started the program: nothing is hidden from them.
    pub(super) fn session(&self) -> Result<Session> {
        let session = self.engine.session(User { name: "cli".into(), administrator: true });
        session.set("search_path", &self.default)?;
        Ok(session)
    }

    /// Counts the requests to Kintone so far.
    pub(super) fn request_counter(&self) -> Box<dyn Fn() -> Option<u64> + Send> {
        let clients = self.clients.clone();
        Box::new(move || {
            u64::try_from(clients.iter().map(|client| client.requests().len()).sum::<usize>()).ok()
        })
    }
}

/// An environment variable, where it is set to text.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Opens the connection that the arguments and the environment name.
pub(super) async fn open(args: &ConnectionArgs) -> Result<Opened> {
    if args.demo {
        let company = Running::start(&args.company, None).await?;
        let connection = company.connection();
        return Opened::new(EngineConfig::default(), &[connection], Some(company));
    }
    if args.company.given() {
        return Err(Failure::own("--seed, --today and --latency-ms go with --demo"));
    }
    let (config, connections) = connections(args, &surroundings())?;
    Opened::new(config, &connections, None)
}

/// The environment, and the folder we are in.
pub(super) fn surroundings() -> Surroundings<'static> {
    Surroundings { variable: &variable, folder: PathBuf::new() }
}

/// The connections to open, the default one first. Flags go before the environment, that before the file.
fn connections(args: &ConnectionArgs, around: &Surroundings<'_>) -> Result<(EngineConfig, Vec<Connection>)> {
    let environment = config::from_environment(around)?;
    let (engine, mut connections) = match &args.config {
        Some(file) => {
            let config = Config::load(file, around.variable)?;
            (config.engine, config.connections)
        }
        None => (EngineConfig::default(), vec![]),
    };
    if let Some(name) = &args.connection_name {
        choose(name, &mut connections)?;
    }
    overlay(&mut connections, environment);
    if let Some(text) = &args.connection {
        for name in config::literal_secrets(text) {
            tell(&format!(
                "warning: {name} stands in the command line, where every user of this machine can read it; \
                 write {name}=env:NAME or {name}=file:PATH"
            ));
        }
        let flag = config::parse_connection(text, around)
            .map_err(|fault| Failure::own(format!("--connection: {fault}")))?;
        overlay(&mut connections, flag);
    }
    if connections.first().is_none_or(|first| first.property("Url").is_none()) {
        return Err(Failure::own(NO_CONNECTION));
    }
    Ok((engine, connections))
}

const NO_CONNECTION: &str = "\
which Kintone? Give one of
  --demo                                 the embedded Kintone with its demo company
  --connection \"Url=https://example.cybozu.com;User=me;Password=env:NAME\"
  --config FILE                          a settings file; kintone-sql config example prints one
  KINTONE_URL, KINTONE_USER, KINTONE_PASSWORD or KINTONE_API_TOKEN in the environment";

/// Lays properties over the default connection, which they make where there is none.
pub(super) fn overlay(connections: &mut Vec<Connection>, upper: Vec<(String, String)>) {
    if upper.is_empty() {
        return;
    }
    match connections.first_mut() {
        Some(first) => first.properties = config::layered(std::mem::take(&mut first.properties), upper),
        None => connections.push(Connection { name: DEFAULT_CONNECTION.into(), properties: upper }),
    }
}

/// Puts the connection of that name first.
fn choose(name: &str, connections: &mut [Connection]) -> Result<()> {
    let Some(at) = connections.iter().position(|connection| connection.name == name) else {
        let names: Vec<_> = connections.iter().map(|connection| connection.name.as_str()).collect();
        return Err(Failure::own(format!(
            "--connection-name: the settings file has no connection \"{name}\"; it has {}",
            names.join(", ")
        )));
    };
    connections.swap(0, at);
    Ok(())
}

/// The client of a connection.
///
/// # Errors
/// A property that is unknown, missing or wrong, in the client's words.
pub(super) fn client(connection: &Connection) -> Result<Client> {
    let plain = |text: &str| Ok(text.to_owned());
    let config = ClientConfig::from_properties(&connection.name, &connection.properties, &plain)?;
    Ok(Client::new(config)?)
}

/// An engine over these connections.
pub(super) fn engine(config: EngineConfig, connections: &[Connection]) -> Result<Engine> {
    let clients = connections.iter().map(client).collect::<Result<_>>()?;
    Ok(Engine::new(config, clients)?)
}
