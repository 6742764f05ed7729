//! `token create`: a secret for a client, and the line of the settings file that lets it in.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use sha2::{Digest, Sha256};

use super::failure::{Failure, Result};
use super::output;

/// The commands about tokens.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token: 256 random bits, shown once
    Create(CreateArgs),
}

/// The arguments of `token create`.
#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// The user that the token is for
    #[arg(long, value_name = "NAME", default_value = "reader")]
    user: String,
}

/// Makes a token and prints it with its line for the settings file.
pub(super) fn run(command: &TokenCommand) -> Result<()> {
    let TokenCommand::Create(args) = command;
    let mut bits = [0; 32];
    getrandom::fill(&mut bits)
        .map_err(|error| Failure::own(format!("the system gives no random numbers: {error}")))?;
    let mut out = output::open(None)?;
    out.write_all(text(&URL_SAFE_NO_PAD.encode(bits), &args.user).as_bytes())?;
    Ok(out.flush()?)
}

/// What is printed about a token.
fn text(token: &str, user: &str) -> String {
    // A JSON string is a TOML string too.
    let user = serde_json::Value::from(user);
    format!(
        "{token}\n\nThis is shown once: give it to the client. In the settings file stands its hash only:\n\n\
         [[users]]\nname = {user}\ntokens = [\"{}\"]\nprivileges = [\"GET\"]\n",
        hashed(token)
    )
}

/// A token as the settings file has it.
fn hashed(token: &str) -> String {
    let hash = Sha256::digest(token.as_bytes());
    hash.iter().fold("sha256:".to_owned(), |out, byte| out + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha256_in_hexadecimal() {
        // FIPS 180-2, example B.1.
        assert_eq!(hashed("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn the_lines_work_as_settings() {
        let text = text("abc", "say \"hi\"");
        let (_, settings) = text.split_once("\n\n[").unwrap();
        let config = crate::config::Config::parse(&format!("[{settings}"), "k.toml", &|_| None).unwrap();
        assert_eq!(config.users[0].name, "say \"hi\"");
        assert_eq!(config.users[0].tokens, [crate::odata::Token::of_text("abc")]);
    }
}
