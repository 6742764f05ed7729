//! The certificate that a server shows, kept whether it is trusted or not: to tell people of it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rustls::Error;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::signature::signatures_by;
use super::subject::Subject;

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kintone) struct Facts {
    pub(in crate::kintone) subject: String,
    pub(in crate::kintone) issuer: String,
    pub(in crate::kintone) not_after: DateTime<Utc>,
}

/// The last certificate that was shown.
#[derive(Clone, Default)]
pub(in crate::kintone) struct Shown(Arc<Mutex<Option<CertificateDer<'static>>>>);

impl Shown {
    /// What it says, if one was shown and can be read.
    pub(in crate::kintone) fn facts(&self) -> Option<Facts> {
        let der = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let (_, parsed) = X509Certificate::from_der(&der).ok()?;
        let not_after = DateTime::from_timestamp(parsed.validity().not_after.timestamp(), 0);
        Some(Facts {
            subject: Subject::of(parsed.subject()).text(),
            issuer: Subject::of(parsed.issuer()).text(),
            not_after: not_after.unwrap_or(DateTime::<Utc>::MAX_UTC),
        })
    }

    /// A verifier that judges as `inner` does.
    pub(super) fn watch(&self, inner: Arc<dyn ServerCertVerifier>) -> Arc<dyn ServerCertVerifier> {
        Arc::new(Watch { inner, shown: self.clone() })
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({:?})", self.facts())
    }
}

#[derive(Debug)]
struct Watch {
    inner: Arc<dyn ServerCertVerifier>,
    shown: Shown,
}

impl ServerCertVerifier for Watch {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let kept = end_entity.clone().into_owned();
        *self.shown.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    signatures_by!(inner);
}
