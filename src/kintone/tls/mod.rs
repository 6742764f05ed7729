//! TLS: whom we trust, and the certificate that we show.
//!
//! Takes: certificates as files or texts have them. Gives: what the HTTP client needs, and plain words for what went
//! wrong in a handshake. Trusted are the system's roots (Mozilla's where a system has none) and the connection's own
//! certificates besides. Absent on purpose: a way to accept any certificate.

mod certificate;
mod pem;
mod reason;
mod signature;
mod subject;
mod trust;
mod watch;

use std::sync::Arc;

pub use certificate::ClientCertificate;
pub(super) use certificate::Form;
pub(super) use reason::{innermost, of_proxy, reason};
pub use trust::ServerCertificates;
pub(super) use watch::{Facts, Shown};

use super::config::ClientConfig;

/// The TLS side of a connection. `shown` gets the certificate that the server shows.
///
/// # Errors
/// In words: the platform's verifier or the client certificate cannot be used.
pub(super) fn client_config(
    config: &ClientConfig,
    shown: Option<&Shown>,
) -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = trust::verifier(&config.server_certificates, &provider).map_err(|error| {
        format!("the certificates that servers are checked with cannot be used ({error})")
    })?;
    let verifier = match shown {
        Some(shown) => shown.watch(verifier),
        None => verifier,
    };
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be used ({error})"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut tls = match &config.client_certificate {
        Some(certificate) => builder
            .with_client_auth_cert(certificate.chain(), certificate.key())
            .map_err(|error| format!("SSLClientCert cannot be used ({error})"))?,
        None => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}
