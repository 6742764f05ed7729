//! The embedded Kintone with its demo company, and the connection to it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, Utc};
use chrono_tz::Asia::Tokyo;
use clap::Args;

use super::doors::refused;
use super::failure::{Failure, Result};
use crate::config::DEFAULT_CONNECTION;
use crate::emulator::demo::Company;
use crate::emulator::{Emulator, Options};
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

/// The guest space that one of its apps is in.
const GUEST_SPACE: &str = "5";

/// A running embedded Kintone.
pub(super) struct Running {
    emulator: Emulator,
}

impl Running {
    /// Starts it, on this machine only: at `HOST:PORT`, or at any free port.
    pub(super) async fn start(args: &CompanyArgs, address: Option<&str>) -> Result<Self> {
        let today = args.today.unwrap_or_else(|| Utc::now().with_timezone(&Tokyo).date_naive());
        let company = Arc::new(Company::new(args.seed.unwrap_or(SEED), today));
        let latency = Duration::from_millis(args.latency_ms.unwrap_or(0));
        let port = address.map_or(Ok(0), port)?;
        let options = Options { port, latency, ..Options::default() };
        let emulator = Emulator::start(company, options)
            .await
            .map_err(|error| refused(address.unwrap_or("127.0.0.1:0"), "--kintone HOST:PORT", &error))?;
        Ok(Self { emulator })
    }

    /// `HOST:PORT`.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.emulator.port())
    }

    /// Makes all of its data while nobody asks yet.
    pub(super) fn warm_up(&self) {
        self.emulator.warm_up();
    }

    /// How the engine reaches it.
    pub(super) fn connection(&self) -> Result<ClientConfig> {
        let url = self.emulator.url();
        let properties =
            [("Url", url.as_str()), ("User", USER), ("Password", PASSWORD), ("GuestSpaceId", GUEST_SPACE)];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        ClientConfig::from_properties(DEFAULT_CONNECTION, &properties, &|text| Ok(text.to_owned()))
            .map_err(|error| Failure::own(error.to_string()))
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        self.emulator.stop().await;
    }
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
