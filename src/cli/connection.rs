//! Which Kintone `query`, `check` and `doctor` ask: the embedded one, a settings file's, a connection string's, or the
//! environment's.

use std::path::PathBuf;

use clap::Args;

use super::company::{CompanyArgs, Running};
use super::failure::{Failure, Result};
use super::progress::Traffic;
use super::query::tell;
use crate::config::{self, Config, DEFAULT_CONNECTION, Surroundings};
use crate::emulator::Unknowns;
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
    fn new(config: EngineConfig, connections: Vec<ClientConfig>, company: Option<Running>) -> Result<Self> {
        let default = connections.first().map_or(DEFAULT_CONNECTION, |first| first.name.as_str()).to_owned();
        let (engine, clients) = engine(config, connections)?;
        Ok(Self { engine, default, clients, _company: company })
    }

    /// A session for whoever started the program: nothing is hidden from them.
    pub(super) fn session(&self) -> Result<Session> {
        let session = self.engine.session(User { name: "cli".into(), administrator: true });
        session.search_in(&self.default);
        Ok(session)
    }

    /// Tells what was asked of Kintone so far.
    pub(super) fn traffic(&self) -> Box<dyn Fn() -> Traffic + Send> {
        let clients = self.clients.clone();
        Box::new(move || {
            let requests = clients.iter().flat_map(Client::requests);
            requests.fold(Traffic::default(), |sum, request| Traffic {
                requests: sum.requests + 1,
                rows: sum.rows + request.rows,
            })
        })
    }
}

/// An environment variable, where it is set to text.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What the arguments and the environment name, before anything is asked of it.
pub(super) struct Source {
    engine: EngineConfig,
    /// The default one first.
    pub(super) connections: Vec<ClientConfig>,
    /// The embedded Kintone, where that is asked.
    company: Option<Running>,
}

impl Source {
    /// Whether it is the embedded Kintone, where nobody's data is.
    pub(super) fn is_demo(&self) -> bool {
        self.company.is_some()
    }

    pub(super) async fn find(args: &ConnectionArgs) -> Result<Self> {
        if args.demo {
            let company = Running::start(&args.company, None, None, Unknowns::strict()).await?;
            let connections = vec![company.connection()?];
            return Ok(Self { engine: EngineConfig::default(), connections, company: Some(company) });
        }
        if args.company.given() {
            return Err(Failure::own("--seed, --today and --latency-ms go with --demo"));
        }
        let (engine, connections) = connections(args, &surroundings())?;
        Ok(Self { engine, connections, company: None })
    }
}

/// Opens the connection that the arguments and the environment name.
pub(super) async fn open(args: &ConnectionArgs) -> Result<Opened> {
    let Source { engine, connections, company } = Source::find(args).await?;
    Opened::new(engine, connections, company)
}

/// The environment, and the folder we are in.
pub(super) fn surroundings() -> Surroundings<'static> {
    Surroundings { variable: &variable, folder: PathBuf::new() }
}

/// The connections to open, the default one first. Flags go before the environment, that before the file.
fn connections(
    args: &ConnectionArgs,
    around: &Surroundings<'_>,
) -> Result<(EngineConfig, Vec<ClientConfig>)> {
    if let Some(file) = &args.config {
        let mut config = Config::load(file, around.variable)?;
        if let Some(name) = &args.connection_name {
            choose(name, &mut config.connections)?;
        }
        if config.connections.is_empty() {
            return Err(Failure::own(format!(
                "{file} has no [[connections]], and the environment names none"
            )));
        }
        // What runs for a moment leaves nothing behind.
        return Ok((EngineConfig { cache_dir: None, ..config.engine }, config.connections));
    }
    let text = args.connection.as_deref();
    for name in text.map(config::literal_secrets).unwrap_or_default() {
        tell(&format!(
            "warning: {name} stands in the command line, where every user of this machine can read it; \
             write {name}=env:NAME or {name}=file:PATH"
        ));
    }
    match config::connection(text, around)? {
        Some(connection) => Ok((EngineConfig::default(), vec![connection])),
        None => Err(Failure::own(NO_CONNECTION)),
    }
}

const NO_CONNECTION: &str = "\
which Kintone? Give one of
  --demo                                 the embedded Kintone with its demo company
  --connection \"Url=https://example.cybozu.com;User=me;Password=env:NAME\"
  --config FILE                          a settings file; kintone-sql config example prints one
  KINTONE_URL, KINTONE_USER, KINTONE_PASSWORD or KINTONE_API_TOKEN in the environment";

/// Puts the connection of that name first.
fn choose(name: &str, connections: &mut [ClientConfig]) -> Result<()> {
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

/// An engine over these connections, and the clients that it asks.
pub(super) fn engine(config: EngineConfig, connections: Vec<ClientConfig>) -> Result<(Engine, Vec<Client>)> {
    let client = |config: ClientConfig| {
        let name = config.name.clone();
        Client::new(config).map_err(|error| Failure::own(format!("connection {name}: {error}")))
    };
    let clients = connections.into_iter().map(client).collect::<Result<Vec<_>>>()?;
    Ok((Engine::new(config, clients.clone())?, clients))
}
