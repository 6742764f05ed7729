//! PEM files as a certificate that TLS can show, with every reason why not.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

use super::{Identity, PROTOCOL, TlsConfig};
use crate::postgres::password::Scram;

/// Why the files cannot be used, and which of them is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFault {
    /// The certificate's file.
    Certificate(String),
    /// The key's file.
    Key(String),
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(reason) | Self::Key(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for TlsFault {}

/// Reads both files. What a certificate says of its time is a warning: clients judge that.
pub(super) fn load(config: &TlsConfig) -> Result<Identity, TlsFault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = chain(&config.certificate).map_err(TlsFault::Certificate)?;
    let (leaf, warning) = look_at(&chain, &config.certificate).map_err(TlsFault::Certificate)?;
    let key = signing_key(&config.key, &provider).map_err(TlsFault::Key)?;
    if key.public_key().is_some_and(|public| public.as_ref() != leaf.public_key().raw) {
        let (certificate, key) = (config.certificate.display(), config.key.display());
        let message = format!("the key in {key} does not belong to the certificate in {certificate}");
        return Err(TlsFault::Key(message));
    }
    let scram = Scram::bound_to(chain.first().map(AsRef::as_ref).unwrap_or_default());
    let certified = CertifiedKey::new(chain.clone(), key);
    let unusable = |error| TlsFault::Certificate(format!("TLS cannot be used: {error}"));
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    tls.alpn_protocols = vec![PROTOCOL.to_vec()];
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.send_tls13_tickets = 0;
    Ok(Identity { config: Arc::new(tls), scram, warning })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read the file {}: {error}", path.display()))
}

/// What the PEM reader says of a fault quotes the file, which may be a key's: none of it is told.
fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(format!(
            "the file {} has no certificate in PEM (-----BEGIN CERTIFICATE-----)",
            path.display()
        )),
        Err(_) => Err(format!("the file {} is not well-formed PEM", path.display())),
    }
}

fn look_at<'a>(
    chain: &'a [CertificateDer<'static>],
    path: &Path,
) -> Result<(X509Certificate<'a>, Option<String>), String> {
    let der = chain.first().map(AsRef::as_ref).unwrap_or_default();
    let malformed = |_| format!("the certificate in {} is malformed", path.display());
    let (_, leaf) = X509Certificate::from_der(der).map_err(malformed)?;
    let now = ASN1Time::now();
    let validity = leaf.validity();
    let warning = if validity.not_after < now {
        Some(format!("the certificate in {} has expired, on {}", path.display(), validity.not_after))
    } else if validity.not_before > now {
        Some(format!("the certificate in {} is valid only from {}", path.display(), validity.not_before))
    } else {
        None
    };
    Ok((leaf, warning))
}

fn signing_key(path: &Path, provider: &CryptoProvider) -> Result<Arc<dyn SigningKey>, String> {
    let pem = read(path)?;
    // PKCS#8 names it in its first line, the older form in a header.
    if String::from_utf8_lossy(&pem).contains("ENCRYPTED") {
        return Err(format!(
            "the key in {} stands under a password; openssl pkey -in OLD -out NEW writes it without",
            path.display()
        ));
    }
    let key = match PrivateKeyDer::pem_slice_iter(&pem).next() {
        Some(Ok(key)) => key,
        Some(Err(_)) => return Err(format!("the file {} is not well-formed PEM", path.display())),
        None => {
            return Err(format!(
                "the file {} has no private key in PEM (-----BEGIN PRIVATE KEY-----)",
                path.display()
            ));
        }
    };
    provider.key_provider.load_private_key(key).map_err(|_| {
        format!(
            "the key in {} cannot be used: RSA of 2048 bits and more, ECDSA on P-256 and P-384, and Ed25519 can",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// Loads two files of this content; absent where there is none.
    fn load_texts(certificate: Option<&str>, key: Option<&str>) -> Result<Identity, String> {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, text: Option<&str>| {
            let path = folder.path().join(name);
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            path
        };
        let config =
            TlsConfig { certificate: at("c.pem", certificate), key: at("k.pem", key), required: true };
        load(&config).map_err(|fault| {
            let which = if matches!(fault, TlsFault::Key(_)) { "key" } else { "certificate" };
            format!("{which}: {fault}").replace(&format!("{}/", folder.path().display()), "")
        })
    }

    #[test]
    fn every_fault_says_which_file_and_why() {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        let other = KeyPair::generate().unwrap().serialize_pem();
        let cut = &certificate[..certificate.len() / 2];
        let malformed = pem::encode(&pem::Pem::new("CERTIFICATE", vec![1, 2, 3]));
        let locked = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
        let no_key = pem::encode(&pem::Pem::new("PRIVATE KEY", vec![1, 2, 3]));
        let absent = "No such file or directory (os error 2)";
        for (certificate, key, expected) in [
            (None, Some(&*key), format!("certificate: cannot read the file c.pem: {absent}")),
            (Some(&*certificate), None, format!("key: cannot read the file k.pem: {absent}")),
            (Some("text"), Some(&key), "certificate: the file c.pem has no certificate in PEM (-----BEGIN CERTIFICATE-----)".into()),
            (Some(cut), Some(&key), "certificate: the file c.pem is not well-formed PEM".into()),
            (Some(&malformed), Some(&key), "certificate: the certificate in c.pem is malformed".into()),
            (Some(&certificate), Some(&certificate), "key: the file k.pem has no private key in PEM (-----BEGIN PRIVATE KEY-----)".into()),
            (Some(&certificate), Some(&locked), "key: the key in k.pem stands under a password; openssl pkey -in OLD -out NEW writes it without".into()),
            (Some(&certificate), Some(&no_key), "key: the key in k.pem cannot be used: RSA of 2048 bits and more, ECDSA on P-256 and P-384, and Ed25519 can".into()),
            (Some(&certificate), Some(&other), "key: the key in k.pem does not belong to the certificate in c.pem".into()),
        ] {
            assert_eq!(load_texts(certificate, key).map(|_| ()), Err(expected));
        }
    }

    #[test]
    fn one_file_may_hold_both_and_time_is_a_warning() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let both = |params: &CertificateParams| {
            format!("{}{}", key.serialize_pem(), params.self_signed(&key).unwrap().pem())
        };
        let text = both(&params);
        let identity = load_texts(Some(&text), Some(&text)).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(identity.warning, None);
        assert_eq!(identity.scram.mechanisms(), ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
        params.not_after = date_time_ymd(2020, 1, 1);
        let text = both(&params);
        let identity = load_texts(Some(&text), Some(&text)).unwrap_or_else(|fault| panic!("{fault}"));
        assert!(identity.warning.unwrap().contains("has expired, on "));
    }

    /// RFC 5929 has no channel binding for it.
    #[test]
    fn a_certificate_without_a_hash_is_not_bound_to() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let text = format!("{}{}", key.serialize_pem(), params.self_signed(&key).unwrap().pem());
        let identity = load_texts(Some(&text), Some(&text)).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(identity.scram.mechanisms(), ["SCRAM-SHA-256"]);
    }
}
