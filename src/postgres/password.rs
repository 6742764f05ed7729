//! Who may log in, and SCRAM-SHA-256 (RFC 5802, RFC 7677) over pgwire's state machine.
//!
//! Takes the logins of the settings, gives a yes or a no. An unknown name is answered like a known one: with a
//! salt that is always the same for that name, and with the same work, so that names cannot be tried out. In TLS the
//! proof can be tied to the server's certificate (SCRAM-SHA-256-PLUS, `tls-server-end-point` of RFC 5929), so that
//! nobody in the middle can pass it on. Deliberately absent: clear text and MD5 passwords.

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

use super::failure::Failure;
use crate::error::{Error, Kind};

const MECHANISM: &str = "SCRAM-SHA-256";
const BOUND_MECHANISM: &str = "SCRAM-SHA-256-PLUS";

/// What a connection offers: in TLS, the certificate that a proof can be tied to.
pub(super) struct Scram {
    auth: ScramServerAuth,
    bound: bool,
}

impl Scram {
    /// For a connection without TLS.
    pub(super) fn unbound() -> Self {
        Self { auth: ScramServerAuth::new(), bound: false }
    }

    /// For a connection that showed this certificate (DER). One whose signature has no hash, as Ed25519, cannot be
    /// tied to: clients do not find a hash either.
    pub(super) fn bound_to(certificate: &[u8]) -> Self {
        let mut auth = ScramServerAuth::new();
        let pem = pem::encode(&pem::Pem::new("CERTIFICATE", certificate));
        let bound = auth.configure_certificate(pem.as_bytes()).is_ok();
        Self { auth, bound }
    }

    /// What is offered, the better one first.
    pub(super) fn mechanisms(&self) -> Vec<String> {
        let all = [BOUND_MECHANISM, MECHANISM];
        all.iter().skip(usize::from(!self.bound)).map(|&name| name.to_owned()).collect()
    }

    /// The first message of a client that chose this mechanism.
    ///
    /// # Errors
    /// It chose what was not offered, or its channel binding is not what the mechanism says. One that could bind and
    /// thinks that this server cannot was deceived by somebody in the middle (RFC 5802, section 6).
    pub(super) fn check(&self, mechanism: &[u8], client_first: &[u8]) -> Result<(), Failure> {
        let bound = match mechanism {
            name if name == MECHANISM.as_bytes() => false,
            name if name == BOUND_MECHANISM.as_bytes() && self.bound => true,
            _ => return Err(Failure::protocol("client selected an invalid SASL authentication mechanism")),
        };
        match client_first.first() {
            Some(b'p') if bound => Ok(()),
            Some(b'n') if !bound => Ok(()),
            Some(b'y') if !bound && !self.bound => Ok(()),
            Some(b'y') if !bound => {
                Err(Failure::fatal("28000", "SCRAM channel binding negotiation error").with_hint(
                    "The client supports channel binding but thinks the server does not. However, this server does.",
                ))
            }
            _ => Err(malformed()),
        }
    }
}

pub(super) fn malformed() -> Failure {
    Failure::protocol("malformed SCRAM message")
}

/// Bytes of a salt that is made here.
const SALT: usize = 16;

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
    /// Iterations and salt lengths of the known ones.
    shapes: Vec<(usize, usize)>,
    /// Random for this process: what unknown names' verifiers are made from.
    key: [u8; 32],
}

impl Logins {
    /// `key` must be random.
    pub(super) fn new(logins: Vec<Login>, key: [u8; 32]) -> Self {
        let known: HashMap<_, _> = logins
            .into_iter()
            .map(|login| {
                let verifier = match login.password {
                    Password::Verifier(verifier) => verifier,
                    Password::Plain(password) => Verifier::derive(
                        &password,
                        derived(&key, "salt", &login.name).into_iter().take(SALT).collect(),
                    ),
                };
                (login.name, (verifier, login.administrator))
            })
            .collect();
        let mut shapes: Vec<_> = known.values().map(|(it, _)| (it.iterations, it.salt.len())).collect();
        shapes.sort_unstable();
        Self { known, shapes, key }
    }

    /// Whether a user who has proven the password is an administrator; `None` for one who is not known, and
    /// can have proven nothing.
    pub(super) fn is_administrator(&self, name: &str) -> Option<bool> {
        self.known.get(name).map(|(_, administrator)| *administrator)
    }

    /// The answer to a client's first SCRAM message, and what waits for its second.
    pub(super) fn challenge(
        &self,
        scram: &Scram,
        name: &str,
        client_first: &[u8],
    ) -> Option<(String, ScramServerAuthWaitingForClientFinal)> {
        // Made in both cases: both cost the same.
        let mock = self.mock(name);
        let verifier = self.known.get(name).map_or(&mock, |(verifier, _)| verifier);
        scram.auth.on_client_first_message_with_secret(client_first, verifier.secret()).ok()
    }

    /// A verifier that nobody has the password of. Its iterations and the length of its salt, which the client is
    /// told, are those of one of the logins, always the same one for a name.
    fn mock(&self, name: &str) -> Verifier {
        let salt = derived(&self.key, "salt", name);
        let choice = salt.last().map_or(0, |byte| usize::from(*byte)) % self.shapes.len().max(1);
        let (iterations, length) = self.shapes.get(choice).copied().unwrap_or((SCRAM_ITERATIONS, SALT));
        Verifier {
            iterations,
            salt: salt.into_iter().cycle().take(length).collect(),
            stored_key: derived(&self.key, "stored key", name),
            server_key: derived(&self.key, "server key", name),
        }
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
        let (server_first, waiting) =
            logins.challenge(&Scram::unbound(), name, b"n,,n=,r=abc").ok_or("no challenge")?;
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
            let (first, _) = logins.challenge(&Scram::unbound(), name, b"n,,n=,r=abc").unwrap();
            first.split(",s=").nth(1).unwrap().to_owned()
        };
        assert_eq!(salt("nobody"), salt("nobody"));
        assert_ne!(salt("nobody"), salt("somebody"));
        assert_eq!(salt("nobody").len(), salt("plain").len());
    }

    #[test]
    fn an_unknown_name_has_the_iterations_of_a_known_one() {
        let verifier = VERIFIER.replace("$4096:", "$10000:");
        let login =
            Login { name: "stored".into(), password: verifier.parse().unwrap(), administrator: false };
        let logins = Logins::new(vec![login], [7; 32]);
        let (first, _) = logins.challenge(&Scram::unbound(), "nobody", b"n,,n=,r=abc").unwrap();
        assert!(first.ends_with(",i=10000"), "{first}");
    }

    #[test]
    fn the_channel_binding_must_be_what_the_mechanism_says() {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let bound = Scram::bound_to(own.cert.der());
        for (scram, mechanism, first, expected) in [
            (&bound, BOUND_MECHANISM, "p=tls-server-end-point,,n=,r=a", None),
            (&bound, MECHANISM, "n,,n=,r=a", None),
            (&bound, MECHANISM, "y,,n=,r=a", Some("28000")),
            (&bound, BOUND_MECHANISM, "n,,n=,r=a", Some("08P01")),
            (&bound, BOUND_MECHANISM, "y,,n=,r=a", Some("08P01")),
            (&bound, MECHANISM, "p=tls-server-end-point,,n=,r=a", Some("08P01")),
            (&bound, "SCRAM-SHA-1", "n,,n=,r=a", Some("08P01")),
            (&Scram::unbound(), MECHANISM, "y,,n=,r=a", None),
            (&Scram::unbound(), BOUND_MECHANISM, "p=tls-server-end-point,,n=,r=a", Some("08P01")),
            (&Scram::unbound(), MECHANISM, "", Some("08P01")),
        ] {
            let refused = scram.check(mechanism.as_bytes(), first.as_bytes()).err();
            assert_eq!(refused.map(|failure| failure.code()), expected, "{mechanism} {first}");
        }
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
