//! Why no secure connection came about, in plain words and with the property to look at. Names no secret.

use std::error::Error;
use std::io;

use chrono::Utc;
use rustls::{AlertDescription, CertificateError};

use super::super::config::ClientConfig;

/// The reason, where it is one that trying again does not cure.
pub(in crate::kintone) fn reason(error: &(dyn Error + 'static), config: &ClientConfig) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(tls) = tls_error(error) {
            return of_tls(tls, config);
        }
        if error.to_string() == "tunnel error: proxy authorization required" {
            let what = match config.proxy_login {
                Some(_) => "the proxy does not take ProxyUser and ProxyPassword",
                None => "the proxy demands a login: give ProxyUser and ProxyPassword",
            };
            return Some(what.into());
        }
        cause = error.source();
    }
    None
}

/// An error of the proxy on the way, which may be over soon.
pub(in crate::kintone) fn of_proxy(error: &(dyn Error + 'static), config: &ClientConfig) -> Option<String> {
    let proxy = config.proxy.as_ref()?;
    let at = format!("{}:{}", proxy.host_str()?, proxy.port_or_known_default()?);
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.to_string().as_str() {
            "tunnel error: unsuccessful" => return Some(format!("ProxyServer {at} refused to connect")),
            "tunnel error: failed to create underlying connection" => {
                return Some(format!("ProxyServer {at}: {}", innermost(error)));
            }
            text => {
                if let Some(what) = text.strip_prefix("tunnel error: ") {
                    return Some(format!("ProxyServer {at}: {what}"));
                }
            }
        }
        cause = error.source();
    }
    None
}

/// The last cause.
pub(in crate::kintone) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// rustls's error travels inside errors of input and output, whose `source` leaves it out.
fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    error.downcast_ref().or_else(|| {
        let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
        let inner: &(dyn Error + 'static) = inner;
        tls_error(inner)
    })
}

fn of_tls(error: &rustls::Error, config: &ClientConfig) -> Option<String> {
    match error {
        rustls::Error::InvalidCertificate(invalid) => Some(of_server(invalid, config)),
        rustls::Error::AlertReceived(alert) => of_alert(*alert, config),
        _ => None,
    }
}

/// The server's certificate was refused by us.
fn of_server(invalid: &CertificateError, config: &ClientConfig) -> String {
    match invalid {
        CertificateError::UnknownIssuer => {
            "the server's certificate is signed by nobody trusted here; if the server \
             is yours, give its certificate or its authority's as SSLServerCert"
                .into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired, or the clock here is wrong".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet, or the clock here is wrong".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!(
                "the server's certificate is not for the name {}; check Url",
                config.url.host_str().unwrap_or_default()
            )
        }
        other => format!("the server's certificate is refused: {other}"),
    }
}

/// Our certificate was refused by the server, or is missing.
fn of_alert(alert: AlertDescription, config: &ClientConfig) -> Option<String> {
    use AlertDescription as Alert;
    let own = config.client_certificate.as_ref();
    let is_about_ours = matches!(
        alert,
        Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
    );
    match own {
        Some(own) if is_about_ours => {
            let until = own.not_after().format("%Y-%m-%d");
            let dates = if own.not_after() < Utc::now() { "expired on" } else { "valid until" };
            Some(format!(
                "the server does not take the certificate of SSLClientCert ({}, {dates} {until}): {alert:?}",
                own.subject()
            ))
        }
        None if is_about_ours => Some(format!("the server demands a client certificate: give SSLClientCert ({alert:?})")),
        // Before TLS 1.3 a missing certificate can end so.
        None if alert == Alert::HandshakeFailure => Some(
            "the server ended the handshake (HandshakeFailure); it may demand a client certificate: SSLClientCert".into(),
        ),
        _ => None,
    }
}
