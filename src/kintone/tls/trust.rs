//! Which servers are trusted.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};
use rustls_platform_verifier::Verifier;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::pem;
use super::signature::signatures_by;

/// Certificates that are trusted besides the system's: of own authorities, or of one server.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ServerCertificates(Vec<CertificateDer<'static>>);

impl ServerCertificates {
    /// Reads PEM with one certificate or more, or one certificate as DER.
    ///
    /// # Errors
    /// In words.
    pub fn read(content: &[u8]) -> Result<Self, String> {
        let certificates = if pem::is_pem(content) {
            pem::read(content)?.certificates
        } else {
            vec![CertificateDer::from(content.to_vec())]
        };
        if certificates.is_empty() {
            return Err("holds no certificate".into());
        }
        // The store refuses what cannot be a root; better now than at the first call.
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store
                .add(certificate.clone())
                .map_err(|_| "is neither PEM nor a certificate that can be read")?;
        }
        Ok(Self(certificates))
    }
}

impl fmt::Debug for ServerCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerCertificates({})", self.0.len())
    }
}

/// Checks servers with the system's roots and these certificates.
pub(super) fn verifier(
    own: &ServerCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let roots: Arc<dyn ServerCertVerifier> = match Verifier::new(Arc::clone(provider)) {
        Ok(system) if own.0.is_empty() => return Ok(Arc::new(system)),
        Ok(_) => Arc::new(
            Verifier::new_with_extra_roots(own.0.clone(), Arc::clone(provider)).map_err(|e| e.to_string())?,
        ),
        // A container may have no roots at all.
        Err(_) => bundled(own, provider)?,
    };
    Ok(Arc::new(Trust { roots, own: own.0.clone() }))
}

/// Mozilla's roots, and ours.
pub(super) fn bundled(
    own: &ServerCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut store: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    store.add_parsable_certificates(own.0.iter().cloned());
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
    let verifier = builder.build().map_err(|error| error.to_string())?;
    Ok(verifier)
}

/// The roots, and besides them servers that show exactly a certificate of ours. A server that signs for itself often
/// shows a certificate that is an authority's by its form, which the roots alone would refuse.
#[derive(Debug)]
struct Trust {
    roots: Arc<dyn ServerCertVerifier>,
    own: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(_) if self.own.iter().any(|own| own == end_entity) => exact(end_entity, server_name, now),
            other => other,
        }
    }

    signatures_by!(roots);
}

/// A certificate that needs no issuer: its name and its dates must still be right.
fn exact(
    certificate: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    verify_server_name(&ParsedCertificate::try_from(certificate)?, server_name)?;
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = parsed.validity();
    if now < validity.not_before.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    if now > validity.not_after.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::Expired));
    }
    Ok(ServerCertVerified::assertion())
}
