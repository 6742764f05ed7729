//! `[postgres]`: the PostgreSQL door.

use super::reader::{Faults, Section, parsed_list};
use super::secret::Surroundings;
use super::{POSTGRES_LISTEN, address};
use crate::postgres::{PostgresConfig, TlsConfig, TlsFault};
use crate::trust::AddressRange;

/// The PostgreSQL door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// `HOST:PORT`
    pub listen: String,
    /// Clients that may connect; empty: this machine only.
    pub trusted_ips: Vec<AddressRange>,
    /// Clients that are logged in at a time.
    pub max_connections: usize,
    /// The certificate, which was readable when the settings were read; `None`: nothing is encrypted.
    pub tls: Option<TlsConfig>,
}

/// What `tls` says of clients.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    Allow,
    Require,
}

/// Reads the section.
pub(super) fn read(
    root: &mut Section<'_>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> PostgresSettings {
    let mut postgres = PostgresSettings {
        listen: POSTGRES_LISTEN.to_owned(),
        trusted_ips: vec![],
        max_connections: PostgresConfig::default().max_connections,
        tls: None,
    };
    if let Some(mut section) = root.section("postgres", faults) {
        postgres.listen = address(&mut section, POSTGRES_LISTEN, faults);
        postgres.trusted_ips = parsed_list(&mut section, "trusted_ips", "addresses", faults);
        if let Some(item) = section.take("max_connections")
            && let Some(count) = item.count(faults)
        {
            postgres.max_connections = count;
        }
        postgres.tls = tls(&mut section, around, faults);
        section.finish(faults);
    }
    postgres
}

/// A certificate alone means that clients may encrypt.
fn tls(section: &mut Section<'_>, around: &Surroundings<'_>, faults: &mut Faults<'_>) -> Option<TlsConfig> {
    let mode = section.take("tls");
    let certificate = section.take("tls_certificate");
    let key = section.take("tls_key");
    let mode = match &mode {
        None if certificate.is_none() && key.is_none() => Mode::Off,
        None => Mode::Allow,
        Some(item) => match item.text(faults)? {
            "off" => Mode::Off,
            "allow" => Mode::Allow,
            "require" => Mode::Require,
            other => {
                let message = format!("expected \"off\", \"allow\" or \"require\", found \"{other}\"");
                faults.add(item.at, &item.path, message);
                return None;
            }
        },
    };
    if mode == Mode::Off {
        return None;
    }
    if certificate.is_none() || key.is_none() {
        let missing = if certificate.is_none() { "tls_certificate" } else { "tls_key" };
        let message = format!("this key is missing; write for example {missing} = \"{}.pem\"", &missing[4..]);
        faults.add(section.at(), section.path(missing), message);
    }
    let (certificate, key) = (certificate?, key?);
    let path = |name: &str| around.folder.join(name);
    let config = TlsConfig {
        certificate: path(certificate.text(faults)?),
        key: path(key.text(faults)?),
        required: mode == Mode::Require,
    };
    match config.check() {
        Ok(()) => Some(config),
        Err(fault) => {
            let item = if matches!(fault, TlsFault::Key(_)) { key } else { certificate };
            faults.add(item.at, &item.path, fault.to_string());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    fn parse(folder: &Path, text: &str) -> Result<Config, String> {
        let file = folder.join("k.toml");
        let config = Config::parse(text, file.to_str().unwrap(), &|_| None);
        config.map_err(|error| error.message.replace(&format!("{}/", folder.display()), ""))
    }

    #[test]
    fn certificates_lie_beside_the_file_and_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("c.pem"), own.cert.pem()).unwrap();
        std::fs::write(folder.path().join("k.pem"), own.signing_key.serialize_pem()).unwrap();
        std::fs::write(folder.path().join("other.pem"), other.signing_key.serialize_pem()).unwrap();
        let files = "tls_certificate = \"c.pem\"\ntls_key = \"k.pem\"";
        for (text, expected) in [
            (String::new(), None),
            (files.to_owned(), Some(false)),
            (format!("{files}\ntls = \"allow\""), Some(false)),
            (format!("{files}\ntls = \"require\""), Some(true)),
            (format!("{files}\ntls = \"off\""), None),
        ] {
            let config = parse(folder.path(), &format!("[postgres]\n{text}")).unwrap();
            assert_eq!(config.postgres.tls.map(|tls| tls.required), expected, "{text}");
        }
        for (text, expected) in [
            (
                "tls = \"require\"\ntls_key = \"k.pem\"",
                "k.toml:1: postgres.tls_certificate: this key is missing; write for example \
                 tls_certificate = \"certificate.pem\"",
            ),
            (
                "tls_certificate = \"c.pem\"",
                "k.toml:1: postgres.tls_key: this key is missing; write for example tls_key = \"key.pem\"",
            ),
            (
                "tls = \"on\"",
                "k.toml:2: postgres.tls: expected \"off\", \"allow\" or \"require\", found \"on\"",
            ),
            (
                "tls_certificate = \"no.pem\"\ntls_key = \"k.pem\"",
                "k.toml:2: postgres.tls_certificate: cannot read the file no.pem: \
                 No such file or directory (os error 2)",
            ),
            (
                "tls_certificate = \"c.pem\"\ntls_key = \"other.pem\"",
                "k.toml:3: postgres.tls_key: the key in other.pem does not belong to the certificate in c.pem",
            ),
        ] {
            let told = parse(folder.path(), &format!("[postgres]\n{text}")).unwrap_err();
            assert_eq!(told, expected, "{text}");
        }
    }
}
