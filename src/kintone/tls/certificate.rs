//! The certificate that we show, with its private key, from PFX or PEM.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as PfxError;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::pem::{self, Key};
use super::subject::Subject;

/// The properties that a fault can be about.
const CERTIFICATE: &str = "SSLClientCert";
const PASSWORD: &str = "SSLClientCertPassword";
const SUBJECT: &str = "SSLClientCertSubject";

/// What a content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kintone) enum Form {
    Pfx,
    Pem,
}

/// What is wrong, and with which property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kintone) struct Fault {
    pub(in crate::kintone) property: &'static str,
    pub(in crate::kintone) reason: String,
}

fn fault(property: &'static str, reason: impl Into<String>) -> Fault {
    Fault { property, reason: reason.into() }
}

/// A client certificate, the authorities between it and its root, and its private key, which nothing shows.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    subject: String,
    not_after: DateTime<Utc>,
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl ClientCertificate {
    /// Reads a certificate. `subject`: `*` is the first that has its key, else exactly the one of that name.
    pub(in crate::kintone) fn open(
        form: Form,
        content: &[u8],
        password: Option<&str>,
        subject: &str,
    ) -> Result<Self, Fault> {
        let (certificates, keys) = match form {
            Form::Pfx => from_pfx(content, password)?,
            Form::Pem => from_pem(content, password)?,
        };
        if keys.is_empty() {
            return Err(fault(CERTIFICATE, "holds no private key"));
        }
        if certificates.is_empty() {
            return Err(fault(CERTIFICATE, "holds a private key but no certificate"));
        }
        let parse = |der: &CertificateDer<'static>| X509Certificate::from_der(der).map(|_| ()).is_ok();
        if !certificates.iter().all(parse) {
            return Err(fault(CERTIFICATE, "holds a certificate that cannot be read"));
        }
        let (at, key) = choose(&certificates, &keys, subject)?;
        let unreadable = || fault(CERTIFICATE, "holds a certificate that cannot be read");
        let leaf = certificates.get(at).ok_or_else(unreadable)?;
        let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| unreadable())?;
        let not_after = DateTime::from_timestamp(parsed.validity().not_after.timestamp(), 0);
        Ok(Self {
            subject: Subject::of(parsed.subject()).text(),
            not_after: not_after.unwrap_or(DateTime::<Utc>::MAX_UTC),
            chain: chain(leaf, &certificates),
            key: Arc::new(key.clone_key()),
        })
    }

    /// Its subject, such as `CN=sql, O=Example`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Its last moment.
    #[must_use]
    pub fn not_after(&self) -> DateTime<Utc> {
        self.not_after
    }

    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.clone()
    }

    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({})", self.subject)
    }
}

type Found = (Vec<CertificateDer<'static>>, Vec<PrivateKeyDer<'static>>);

fn from_pfx(content: &[u8], password: Option<&str>) -> Result<Found, Fault> {
    if pem::is_pem(content) {
        return Err(fault(
            CERTIFICATE,
            "is PEM and not PFX; give SSLClientCertType=PEMKEY_FILE or PEMKEY_BLOB",
        ));
    }
    let archive =
        Pkcs12Archive::from_pkcs12(content, password.unwrap_or_default()).map_err(|error| {
            match (error, password) {
                (PfxError::MacError(_) | PfxError::Pkcs5Error(_) | PfxError::UnpadError, password) => {
                    locked(password)
                }
                (PfxError::UnsupportedEncryptionScheme | PfxError::UnsupportedMacAlgorithm, _) => fault(
                    CERTIFICATE,
                    "is encrypted in a way that is not known here; export it again with AES-256",
                ),
                _ => fault(CERTIFICATE, "is not a PFX file, or is damaged"),
            }
        })?;
    let key = |der: &[u8]| PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der.to_vec()));
    Ok((
        archive.certs.iter().map(|bag| CertificateDer::from(bag.cert.as_der().to_vec())).collect(),
        archive.keys.iter().map(|bag| key(bag.key.as_der())).collect(),
    ))
}

fn from_pem(content: &[u8], password: Option<&str>) -> Result<Found, Fault> {
    if !pem::is_pem(content) {
        return Err(fault(
            CERTIFICATE,
            "is not PEM: a line with -----BEGIN is missing; for a PFX file give SSLClientCertType=PFXFILE or PFXBLOB",
        ));
    }
    let contents = pem::read(content).map_err(|reason| fault(CERTIFICATE, reason))?;
    let open = |key| match key {
        Key::Plain(key) => Ok(key),
        Key::Encrypted(der) => decrypted(&der, password),
        Key::OldEncrypted => Err(fault(
            CERTIFICATE,
            "holds a key that is encrypted in an old form; write it anew with openssl pkcs8 -topk8",
        )),
    };
    let keys: Result<_, _> = contents.keys.into_iter().map(open).collect();
    Ok((contents.certificates, keys?))
}

/// A PKCS#8 key under a password (RFC 5958, RFC 8018).
fn decrypted(der: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, Fault> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| {
        fault(
            CERTIFICATE,
            "holds a key that is encrypted in an unknown way; write it anew with openssl pkcs8 -topk8",
        )
    })?;
    let Some(given) = password else { return Err(locked(None)) };
    let plain = info.decrypt(given).map_err(|_| locked(password))?;
    Ok(PrivatePkcs8KeyDer::from(plain.as_bytes().to_vec()).into())
}

fn locked(password: Option<&str>) -> Fault {
    match password {
        Some(_) => fault(PASSWORD, "is not the password of SSLClientCert"),
        None => fault(PASSWORD, "is missing: SSLClientCert is encrypted"),
    }
}

/// The certificate to show, by its place, and its key. A certificate counts where its key is there too.
fn choose<'k>(
    certificates: &[CertificateDer<'static>],
    keys: &'k [PrivateKeyDer<'static>],
    subject: &str,
) -> Result<(usize, &'k PrivateKeyDer<'static>), Fault> {
    let usable: Vec<_> =
        keys.iter().filter_map(|key| any_supported_type(key).ok().map(|usable| (key, usable))).collect();
    if usable.is_empty() {
        return Err(fault(
            CERTIFICATE,
            "holds a private key that cannot be used; RSA from 2048 bits, ECDSA on P-256 and P-384, and Ed25519 can",
        ));
    }
    let pairs: Vec<_> = certificates
        .iter()
        .enumerate()
        .filter_map(|(at, certificate)| {
            let fits = |signing: &Arc<dyn rustls::sign::SigningKey>| {
                CertifiedKey::new(vec![certificate.clone()], Arc::clone(signing)).keys_match().is_ok()
            };
            let (key, _) = usable.iter().find(|(_, signing)| fits(signing))?;
            let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
            Some((at, *key, Subject::of(parsed.subject())))
        })
        .collect();
    let Some((first, key, _)) = pairs.first() else {
        return Err(fault(CERTIFICATE, "holds no certificate that belongs to its private key"));
    };
    if subject == "*" {
        return Ok((*first, key));
    }
    let wanted = Subject::parse(subject)
        .ok_or_else(|| fault(SUBJECT, "takes * or a subject such as CN=sql, O=Example"))?;
    let found = pairs.iter().find(|(_, _, subject)| subject.is(&wanted));
    found.map(|(at, key, _)| (*at, *key)).ok_or_else(|| {
        let each: Vec<_> = pairs.iter().map(|(_, _, subject)| subject.text()).collect();
        fault(SUBJECT, format!("is the subject of no certificate there; it has {}", each.join("; ")))
    })
}

/// The certificate and those that signed it, without the root: servers know their roots.
fn chain(leaf: &CertificateDer<'static>, all: &[CertificateDer<'static>]) -> Vec<CertificateDer<'static>> {
    let parsed: Vec<_> =
        all.iter().filter_map(|der| Some((der, X509Certificate::from_der(der).ok()?.1))).collect();
    let mut out = vec![leaf.clone()];
    let mut last = leaf;
    while let Some((_, of_last)) = parsed.iter().find(|(der, _)| *der == last) {
        let issuer = parsed.iter().find(|(der, certificate)| {
            let is_root = certificate.subject().as_raw() == certificate.issuer().as_raw();
            certificate.subject().as_raw() == of_last.issuer().as_raw() && !is_root && !out.contains(der)
        });
        let Some((der, _)) = issuer else { break };
        out.push((*der).clone());
        last = der;
    }
    out
}
