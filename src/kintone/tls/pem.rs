//! PEM text to certificates and keys. Faults are in words and quote nothing of the text, which may hold a key.

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};

/// What a PEM text holds, in its order.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) keys: Vec<Key>,
}

/// A private key.
pub(super) enum Key {
    Plain(PrivateKeyDer<'static>),
    /// PKCS#8 under a password.
    Encrypted(Vec<u8>),
    /// OpenSSL's old form, which needs no more than MD5 to guess at.
    OldEncrypted,
}

/// Whether a content is meant as PEM.
pub(super) fn is_pem(content: &[u8]) -> bool {
    content.windows(11).any(|part| part == b"-----BEGIN ")
}

/// Reads every block; kinds that are neither certificates nor keys are passed over.
pub(super) fn read(content: &[u8]) -> Result<Contents, String> {
    let mut contents = Contents::default();
    for block in pem::parse_many(content).map_err(|_| "is damaged: a PEM block of it cannot be read")? {
        let old =
            block.headers().iter().any(|(name, value)| name == "Proc-Type" && value.contains("ENCRYPTED"));
        let kind = block.tag().to_owned();
        let der = block.into_contents();
        match kind.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => contents.certificates.push(der.into()),
            "ENCRYPTED PRIVATE KEY" => contents.keys.push(Key::Encrypted(der)),
            kind if kind.ends_with("PRIVATE KEY") && old => contents.keys.push(Key::OldEncrypted),
            "PRIVATE KEY" => contents.keys.push(Key::Plain(PrivatePkcs8KeyDer::from(der).into())),
            "RSA PRIVATE KEY" => contents.keys.push(Key::Plain(PrivatePkcs1KeyDer::from(der).into())),
            "EC PRIVATE KEY" => contents.keys.push(Key::Plain(PrivateSec1KeyDer::from(der).into())),
            _ => {}
        }
    }
    Ok(contents)
}
