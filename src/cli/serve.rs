//! `serve`: the connections of a settings file at both doors.

use clap::Args;

use super::failure::{Failure, Result};

/// The arguments of `serve`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The settings file
    #[arg(long, value_name = "FILE")]
    config: String,
}

pub(super) async fn run(args: ServeArgs) -> Result<()> {
    let _ = args;
    Err(Failure::own("not there yet"))
}
