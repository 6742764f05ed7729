//! The embedded Kintone with its demo company, and the connection to it.

use chrono::NaiveDate;
use clap::Args;

use super::failure::{Failure, Result};
use crate::config::{Connection, DEFAULT_CONNECTION};

/// The demo company's data.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Demo data")]
pub(super) struct CompanyArgs {
    /// Another seed makes another company
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The last day of the data; today in Japan when not given
    #[arg(long, value_name = "YYYY-MM-DD")]
    today: Option<NaiveDate>,
    /// So long takes each request to the embedded Kintone, as over the internet
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
    url: String,
}

impl Running {
    /// Starts it at a port of this machine; 0 is any free one.
    pub(super) async fn start(args: &CompanyArgs, port: u16) -> Result<Self> {
        let _ = (args, port);
        Err(Failure::own("not there yet"))
    }

    /// How the engine reaches it.
    pub(super) fn connection(&self) -> Connection {
        let properties = [("Url", self.url.as_str()), ("User", USER), ("Password", PASSWORD)];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Connection { name: DEFAULT_CONNECTION.into(), properties }
    }
}
