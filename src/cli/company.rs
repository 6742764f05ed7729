//! The embedded Kintone with its demo company or a data file, and the connection to it.

use std::fs::File;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, Utc};
use chrono_tz::Asia::Tokyo;
use clap::Args;

use super::doors::refused;
use super::failure::{Failure, Result};
use crate::config::DEFAULT_CONNECTION;
use crate::emulator::app::World;
use crate::emulator::demo::Company;
use crate::emulator::{Backdoor, Emulator, Fixture, Options, Unknowns};
use crate::kintone::ClientConfig;

/// The company that everybody sees who asks for no other.
const SEED: u64 = 1;

/// The demo company's data.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Demo data")]
pub(super) struct CompanyArgs {
    /// Another seed makes another company; 1 when not given
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The last day of the data; today in Japan when not given
    #[arg(long, value_name = "YYYY-MM-DD")]
    today: Option<NaiveDate>,
    /// So many milliseconds takes each request to the embedded Kintone, as over the internet
    #[arg(long, value_name = "N")]
    latency_ms: Option<u64>,
}

impl CompanyArgs {
    /// Whether any of them is given.
    pub(super) fn given(&self) -> bool {
        self.seed.is_some() || self.today.is_some() || self.latency_ms.is_some()
    }
}

/// The login of the demo, at every door.
pub(super) const USER: &str = "demo";
/// Its password.
pub(super) const PASSWORD: &str = "demo";

/// A running embedded Kintone.
pub(super) struct Running {
    emulator: Emulator,
    /// Who logs in; `None` where nobody of a data file can.
    login: Option<(String, String)>,
    guest_spaces: Vec<u64>,
}

impl Running {
    /// Starts it, on this machine only, with the demo company or with a data file: at any free port, or at
    /// `HOST:PORT`, which comes with the flag that changes it.
    pub(super) async fn start(
        args: &CompanyArgs,
        data: Option<&Path>,
        address: Option<(&str, &str)>,
        unknowns: Unknowns,
    ) -> Result<Self> {
        let world: Arc<dyn World> = match data {
            Some(path) => Arc::new(read(path).await?),
            None => {
                let today = args.today.unwrap_or_else(|| Utc::now().with_timezone(&Tokyo).date_naive());
                Arc::new(Company::new(args.seed.unwrap_or(SEED), today))
            }
        };
        let login = login(world.as_ref());
        let guest_spaces = world.apps().iter().filter_map(|app| app.guest_space).collect();
        let latency = Duration::from_millis(args.latency_ms.unwrap_or(0));
        let port = address.map_or(Ok(0), |(address, _)| port(address))?;
        let options = Options { port, latency, unknowns, ..Options::default() };
        let (address, remedy) = address.unwrap_or(("127.0.0.1:0", ""));
        let emulator =
            Emulator::start(world, options).await.map_err(|error| refused(address, remedy, &error))?;
        Ok(Self { emulator, login, guest_spaces })
    }

    /// `HOST:PORT`.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.emulator.port())
    }

    /// Makes all of its data while nobody asks yet.
    pub(super) fn warm_up(&self) {
        self.emulator.warm_up();
    }

    /// What it serves, beside HTTP.
    pub(super) fn store(&self) -> Backdoor {
        self.emulator.backdoor()
    }

    /// How the engine reaches it.
    pub(super) fn connection(&self) -> Result<ClientConfig> {
        let (user, password) = self.login.as_ref().ok_or_else(|| {
            Failure::own("the data file needs a user with a password, who reads the apps".to_owned())
        })?;
        let url = self.emulator.url();
        let spaces: Vec<String> = self.guest_spaces.iter().map(u64::to_string).collect();
        let mut properties = vec![("Url", url), ("User", user.clone()), ("Password", password.clone())];
        if !spaces.is_empty() {
            properties.push(("GuestSpaceId", spaces.join(",")));
        }
        let properties: Vec<_> =
            properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        ClientConfig::from_properties(DEFAULT_CONNECTION, &properties, &|text| Ok(text.to_owned()))
            .map_err(|error| Failure::own(error.to_string()))
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        self.emulator.stop().await;
    }
}

async fn read(path: &Path) -> Result<Fixture> {
    let shown = path.display().to_string();
    let path = path.to_owned();
    // A large file takes a while.
    let read = tokio::task::spawn_blocking(move || Fixture::from_reader(|| File::open(&path))).await;
    let read = read.map_err(|error| Failure::own(error.to_string()))?;
    read.map_err(|message| Failure::own(format!("{shown}: {message}")))
}

/// The first who can log in; the demo user where there is one.
fn login(world: &dyn World) -> Option<(String, String)> {
    let mut users: Vec<_> = world.directory().into_iter().filter(|user| user.valid).collect();
    users.sort_by_key(|user| user.code != USER);
    users.into_iter().find_map(|user| Some((user.code, user.password?)))
}

/// The port of an address of this machine: the embedded Kintone listens nowhere else.
fn port(address: &str) -> Result<u16> {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let local =
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    match port.parse() {
        Ok(port) if local => Ok(port),
        Ok(_) => Err(Failure::own(format!(
            "--kintone {address}: the embedded Kintone answers on this machine only; write 127.0.0.1:{port}"
        ))),
        Err(_) => {
            Err(Failure::own(format!("--kintone {address}: expected HOST:PORT, such as 127.0.0.1:8090")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_kintone_stays_on_this_machine() {
        for (address, expected) in
            [("127.0.0.1:8090", Some(8090)), ("localhost:0", Some(0)), ("[::1]:80", Some(80))]
        {
            assert_eq!(port(address).ok(), expected);
        }
        for (address, message) in [
            ("0.0.0.0:80", "answers on this machine only; write 127.0.0.1:80"),
            ("8090", "expected HOST:PORT"),
            ("127.0.0.1:x", "expected HOST:PORT"),
        ] {
            assert!(port(address).unwrap_err().message().contains(message), "{address}");
        }
    }
}
