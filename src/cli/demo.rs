//! `demo`: an embedded Kintone, the engine over it, and both doors.

use clap::Args;

use super::company::CompanyArgs;
use super::failure::{Failure, Result};
use crate::config::{HTTP_LISTEN, POSTGRES_LISTEN};

/// The arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Where PostgreSQL clients connect; port 0 takes any free one
    #[arg(long, value_name = "HOST:PORT", default_value = POSTGRES_LISTEN)]
    pg: String,
    /// Where OData clients connect
    #[arg(long, value_name = "HOST:PORT", default_value = HTTP_LISTEN)]
    http: String,
    /// Where the embedded Kintone answers
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8090")]
    kintone: String,
    #[command(flatten)]
    company: CompanyArgs,
}

pub(super) async fn run(args: DemoArgs) -> Result<()> {
    let _ = args;
    Err(Failure::own("not there yet"))
}
