//! `config`: an example of the settings file, and a check of one.

use std::io::Write;

use clap::Subcommand;

use super::connection::variable;
use super::failure::Result;
use super::output;
use crate::config::{Config, EXAMPLE};

/// The commands about the settings file.
#[derive(Debug, Subcommand)]
pub(super) enum SettingsCommand {
    /// Print a commented settings file to start from
    Example,
    /// Tell everything that is wrong in a settings file
    Check {
        /// The settings file
        #[arg(value_name = "FILE")]
        file: String,
    },
}

/// Prints the example, or what a file says.
pub(super) fn run(command: &SettingsCommand) -> Result<()> {
    let mut out = output::open(None)?;
    match command {
        SettingsCommand::Example => out.write_all(EXAMPLE.as_bytes())?,
        SettingsCommand::Check { file } => {
            let config = Config::load(file, &variable)?;
            writeln!(out, "{file}: correct. {}", summary(&config))?;
        }
    }
    Ok(out.flush()?)
}

fn summary(config: &Config) -> String {
    let names = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!(
        "PostgreSQL at {}, HTTP at {}, connections: {}, users: {}",
        config.postgres.listen,
        config.http.listen,
        names(config.connections.iter().map(|connection| connection.name.as_str()).collect()),
        names(config.users.iter().map(|user| user.name.as_str()).collect()),
    )
}
