//! Who may log in, and SCRAM-SHA-256 (RFC 5802, RFC 7677) over pgwire's state machine.
//!
//! Takes the logins of the settings, gives a yes or a no. An unknown name is answered like a known one: with a
//! salt that is always the same for that name, and with the same work, so that names cannot be tried out.
//! Deliberately absent: clear text and MD5 passwords, and SCRAM-SHA-256-PLUS, which needs TLS.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use pgwire::api::auth::sasl::scram::{
    SCRAM_ITERATIONS, ScramSecret, ScramServerAuth, ScramServerAuthWaitingForClientFinal, gen_salted_password,
};
use sha2::Sha256;

use crate::error::{Error, Kind};

/// The one mechanism that is offered.
pub(super) const MECHANISM: &str = "SCRAM-SHA-256";

/// A user of the PostgreSQL door.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name to log in with.
    pub name: String,
    /// The password, or what proves it.
    pub password: Password,
    /// Sees everything, everyone's rows of `Requests` too.
    pub administrator: bool,
}

/// A password as the settings hold it. Read it with `parse()`; it never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// The password itself.
    Plain(String),
    /// What PostgreSQL stores: `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`.
    Verifier(Verifier),
}

/// A proof of a password that does not tell it (RFC 5803).
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    iterations: usize,
    salt: Vec<u8>,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

impl FromStr for Password {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::new(Kind::Config, "a password must not be empty"));
        }
        match text.strip_prefix("SCRAM-SHA-256$") {
            None => Ok(Self::Plain(text.to_owned())),
            Some(rest) => Verifier::parse(rest).map(Self::Verifier).ok_or_else(|| {
                Error::new(Kind::Config, "a SCRAM-SHA-256 verifier is malformed")
                    .with_hint("it reads SCRAM-SHA-256$iterations:salt$stored key:server key, in base64")
            }),
        }
    }
}

impl Verifier {
    fn parse(text: &str) -> Option<Self> {
        let (first, keys) = text.split_once('$')?;
        let (iterations, salt) = first.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        let key = |text: &str| STANDARD.decode(text).ok().filter(|key| key.len() == 32);
        let iterations = iterations.parse().ok().filter(|count| *count > 0)?;
        let salt = STANDARD.decode(salt).ok().filter(|salt| !salt.is_empty())?;
        Some(Self { iterations, salt, stored_key: key(stored_key)?, server_key: key(server_key)? })
    }

    fn secret(&self) -> ScramSecret {
        ScramSecret::Verifier {
            salt: self.salt.clone(),
            iterations: self.iterations,
            stored_key: self.stored_key.clone(),
            server_key: self.server_key.clone(),
        }
    }

    fn derive(password: &str, salt: Vec<u8>) -> Self {
        let salted = gen_salted_password(password, &salt, SCRAM_ITERATIONS);
        let secret = ScramSecret::verifier_from_salted_password(salt, salted, SCRAM_ITERATIONS);
        match secret {
            ScramSecret::Verifier { salt, iterations, stored_key, server_key } => {
                Self { iterations, salt, stored_key, server_key }
            }
            // What the function above never gives; keys of no length let nobody in.
            ScramSecret::SaltedPassword { salt, .. } => {
                Self { iterations: SCRAM_ITERATIONS, salt, stored_key: vec![], server_key: vec![] }
            }
        }
    }
}

/// The logins, each with its verifier; plain passwords are forgotten here.
pub(super) struct Logins {
    known: HashMap<String, (Verifier, bool)>,
    /// Random for this process: what unknown names' verifiers are made from.
    key: [u8; 32],
}

impl Logins {
    /// `key` must be random.
    pub(super) fn new(logins: Vec<Login>, key: [u8; 32]) -> Self {
        let known = logins.into_iter().map(|login| {
            let verifier = match login.password {
                Password::Verifier(verifier) => verifier,
                Password::Plain(password) => Verifier::derive(
                    &password,
                    derived(&key, "salt", &login.name).into_iter().take(16).collect(),
                ),
            };
            (login.name, (verifier, login.administrator))
        });
        Self { known: known.collect(), key }
    }

    /// Whether a user who has proven the password is an administrator; `None` for one who is not known, and
    /// can have proven nothing.
    pub(super) fn is_administrator(&self, name: &str) -> Option<bool> {
        self.known.get(name).map(|(_, administrator)| *administrator)
    }

    /// The answer to a client's first SCRAM message, and what waits for its second.
    pub(super) fn challenge(
        &self,
        name: &str,
        client_first: &[u8],
    ) -> Option<(String, ScramServerAuthWaitingForClientFinal)> {
        // Made in both cases: both cost the same.
        let mock = Verifier {
            iterations: SCRAM_ITERATIONS,
            salt: derived(&self.key, "salt", name).into_iter().take(16).collect(),
            stored_key: derived(&self.key, "stored key", name),
            server_key: derived(&self.key, "server key", name),
        };
        let verifier = self.known.get(name).map_or(&mock, |(verifier, _)| verifier);
        ScramServerAuth::new().on_client_first_message_with_secret(client_first, verifier.secret()).ok()
    }
}

fn derived(key: &[u8; 32], purpose: &str, name: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return vec![] };
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(name.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of RFC 7677's example, password `pencil`, in the form that PostgreSQL stores.
    const VERIFIER: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    fn logins() -> Logins {
        let login = |name: &str, password: &str, administrator| Login {
            name: name.into(),
            password: password.parse().unwrap(),
            administrator,
        };
        Logins::new(vec![login("stored", VERIFIER, true), login("plain", "pencil", false)], [7; 32])
    }

    /// A client's side of RFC 5802, by its own means.
    fn log_in(logins: &Logins, name: &str, password: &str) -> Result<String, String> {
        use sha2::Digest as _;
        let mac = |key: &[u8], text: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        };
        let (server_first, waiting) = logins.challenge(name, b"n,,n=,r=abc").ok_or("no challenge")?;
        let parts: Vec<_> = server_first.split(',').map(|part| &part[2..]).collect();
        let salt = STANDARD.decode(parts[1]).unwrap();
        let mut block = mac(password.as_bytes(), &[salt.as_slice(), &[0, 0, 0, 1]].concat());
        let mut salted = block.clone();
        for _ in 1..parts[2].parse().unwrap() {
            block = mac(password.as_bytes(), &block);
            salted.iter_mut().zip(&block).for_each(|(a, b)| *a ^= b);
        }
        let client_key = mac(&salted, b"Client Key");
        let stored_key = Sha256::digest(&client_key);
        let without_proof = format!("c=biws,r={}", parts[0]);
        let message = format!("n=,r=abc,{server_first},{without_proof}");
        let signature = mac(&stored_key, message.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let client_final = format!("{without_proof},p={}", STANDARD.encode(proof));
        let answer =
            waiting.on_client_final_message(client_final.as_bytes()).map_err(|error| error.to_string())?;
        let expected = mac(&mac(&salted, b"Server Key"), message.as_bytes());
        assert_eq!(answer, format!("v={}", STANDARD.encode(expected)));
        Ok(answer)
    }

    #[test]
    fn the_right_password_logs_in_by_either_form() {
        let logins = logins();
        assert!(log_in(&logins, "stored", "pencil").is_ok());
        assert!(log_in(&logins, "plain", "pencil").is_ok());
        assert_eq!(logins.is_administrator("stored"), Some(true));
        assert_eq!(logins.is_administrator("plain"), Some(false));
    }

    #[test]
    fn an_unknown_name_looks_like_a_wrong_password() {
        let logins = logins();
        let wrong = log_in(&logins, "plain", "pen").unwrap_err();
        assert_eq!(log_in(&logins, "nobody", "pen").unwrap_err(), wrong);
        let salt = |name: &str| {
            let (first, _) = logins.challenge(name, b"n,,n=,r=abc").unwrap();
            first.split(",s=").nth(1).unwrap().to_owned()
        };
        assert_eq!(salt("nobody"), salt("nobody"));
        assert_ne!(salt("nobody"), salt("somebody"));
        assert_eq!(salt("nobody").len(), salt("plain").len());
    }

    #[test]
    fn a_password_does_not_print_itself_and_must_be_well_formed() {
        let password: Password = "secret".parse().unwrap();
        assert_eq!(format!("{password:?}"), "Password(..)");
        for text in ["", "SCRAM-SHA-256$", "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA", "SCRAM-SHA-256$x:AAAA$A:A"] {
            assert_eq!(text.parse::<Password>().unwrap_err().kind, Kind::Config, "{text}");
        }
    }
}
