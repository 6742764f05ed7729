//! The properties that say who asks, and who may answer: logins, gates, certificates.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::config::{Basic, Credentials};
use super::properties::{PropertyError, Reader, Resolve};
use super::secret::Secret;
use super::tls::{ClientCertificate, Form, ServerCertificates};

/// The ways to log in: the name of each in `AuthScheme`, and its properties.
const SCHEMES: [(&str, &[&str]); 3] =
    [("Password", &["User", "Password"]), ("APIToken", &["ApiToken"]), ("OAuth", &["OAuthAccessToken"])];

/// The certificate types of `SSLClientCertType` that are read, and whether the property holds the content itself.
const TYPES: [(&str, Form, bool); 4] = [
    ("PFXFILE", Form::Pfx, false),
    ("PFXBLOB", Form::Pfx, true),
    ("PEMKEY_FILE", Form::Pem, false),
    ("PEMKEY_BLOB", Form::Pem, true),
];

/// Types that CData's drivers take besides, and what to do instead.
const OTHER_TYPES: &[(&[&str], &str)] = &[
    (
        &["USER", "MACHINE"],
        "certificate stores of Windows are not read; export the certificate with its key as PFX and give PFXFILE",
    ),
    (
        &["JKSFILE", "JKSBLOB", "BCFKSFILE", "BCFKSBLOB"],
        "key stores of Java are not read; write it as PFX (keytool -importkeystore -deststoretype PKCS12) and give PFXFILE",
    ),
    (
        &["PUBLIC_KEY_FILE", "PUBLIC_KEY_BLOB", "P7BFILE", "SSHPUBLIC_KEY_FILE", "SSHPUBLIC_KEY_BLOB"],
        "it has no private key, without which nobody can log in; give PFXFILE or PEMKEY_FILE",
    ),
    (
        &["PPKFILE", "XMLFILE", "XMLBLOB", "GOOGLEJSON", "GOOGLEJSONBLOB"],
        "it has a key but no certificate for TLS; give PFXFILE or PEMKEY_FILE",
    ),
];

/// No path is so long; a certificate that stands where its path should is longer.
const LONGEST_PATH: usize = 255;

impl Reader<'_> {
    /// The login: of the scheme that is named, or of the only one that is given.
    pub(super) fn credentials(&self, resolve: Resolve<'_>) -> Result<Credentials, PropertyError> {
        let given = |names: &[&'static str]| names.iter().copied().find(|name| self.get(name).is_some());
        let present: Vec<_> =
            SCHEMES.iter().filter_map(|(scheme, names)| Some((*scheme, given(names)?))).collect();
        let scheme = match (self.scheme()?, present.as_slice()) {
            (None, [(scheme, _)]) => *scheme,
            (None, []) => {
                let reason = "no login: give User and Password, ApiToken and AppId, or OAuthAccessToken";
                return Err(self.fault(None, reason.into()));
            }
            (None, [.., (_, property)]) => {
                let reason = "give either User and Password, or ApiToken, or OAuthAccessToken";
                return Err(self.fault(Some(property), reason.into()));
            }
            (Some(wanted), present) => match present.iter().find(|(scheme, _)| *scheme != wanted) {
                Some((_, property)) => {
                    let reason =
                        format!("AuthScheme is {wanted}, and {property} is given, which is of another");
                    return Err(self.fault(Some(property), reason));
                }
                None => wanted,
            },
        };
        let needed = |property| self.fault(Some(property), format!("{property} is missing"));
        match scheme {
            "APIToken" => {
                let tokens = self.secret("ApiToken", resolve)?.ok_or_else(|| needed("ApiToken"))?;
                let each = tokens.reveal().split(',').map(str::trim).filter(|t| !t.is_empty());
                Ok(Credentials::ApiTokens(each.map(Secret::new).collect()))
            }
            "OAuth" => {
                let token = self.secret("OAuthAccessToken", resolve)?;
                Ok(Credentials::OAuth(token.ok_or_else(|| needed("OAuthAccessToken"))?))
            }
            _ => {
                let user = self.get("User").ok_or_else(|| needed("User"))?.to_owned();
                let password = self.secret("Password", resolve)?.ok_or_else(|| needed("Password"))?;
                Ok(Credentials::Password { user, password })
            }
        }
    }

    fn scheme(&self) -> Result<Option<&'static str>, PropertyError> {
        let Some(name) = self.get("AuthScheme") else { return Ok(None) };
        let known = SCHEMES.iter().find(|(scheme, _)| scheme.eq_ignore_ascii_case(name));
        let fault = || self.fault(Some("AuthScheme"), "AuthScheme takes Password, APIToken or OAuth".into());
        known.map(|(scheme, _)| Some(*scheme)).ok_or_else(fault)
    }

    /// A gate's login: both properties or none.
    pub(super) fn login(
        &self,
        user: &'static str,
        password: &'static str,
        resolve: Resolve<'_>,
    ) -> Result<Option<Basic>, PropertyError> {
        match (self.get(user), self.secret(password, resolve)?) {
            (Some(user), Some(password)) => Ok(Some(Basic { user: user.to_owned(), password })),
            (None, None) => Ok(None),
            _ => Err(self.fault(None, format!("{user} and {password} go together"))),
        }
    }

    /// The certificate that we show, where one is given.
    pub(super) fn client_certificate(
        &self,
        resolve: Resolve<'_>,
    ) -> Result<Option<ClientCertificate>, PropertyError> {
        let certificate = "SSLClientCert";
        let Some(value) = self.secret(certificate, resolve)? else {
            let rest = ["SSLClientCertType", "SSLClientCertSubject", "SSLClientCertPassword"];
            return match rest.into_iter().find(|name| self.get(name).is_some()) {
                Some(name) => Err(self.fault(Some(name), format!("{name} is given without SSLClientCert"))),
                None => Ok(None),
            };
        };
        let (form, inline) = self.certificate_type()?;
        let content = if inline {
            self.decoded(certificate, value.reveal())?
        } else {
            self.file(certificate, value.reveal(), "PFXBLOB or PEMKEY_BLOB")?
        };
        let password = self.secret("SSLClientCertPassword", resolve)?;
        let subject = self.get("SSLClientCertSubject").unwrap_or("*");
        let found = ClientCertificate::open(form, &content, password.as_ref().map(Secret::reveal), subject);
        found
            .map(Some)
            .map_err(|fault| self.fault(Some(fault.property), format!("{} {}", fault.property, fault.reason)))
    }

    fn certificate_type(&self) -> Result<(Form, bool), PropertyError> {
        let property = "SSLClientCertType";
        let Some(name) = self.get(property) else { return Ok((Form::Pfx, false)) };
        let plain = |name: &str| name.replace('_', "").to_uppercase();
        let is = |known: &str| plain(known) == plain(name);
        if let Some((_, form, inline)) = TYPES.iter().find(|(known, ..)| is(known)) {
            return Ok((*form, *inline));
        }
        let of_others = |(names, why): &(&[&'static str], &'static str)| {
            let known = names.iter().find(|known| is(known))?;
            Some(format!("{property} {known} is not supported: {why}"))
        };
        let takes = || format!("{property} takes PFXFILE, PFXBLOB, PEMKEY_FILE or PEMKEY_BLOB");
        Err(self.fault(Some(property), OTHER_TYPES.iter().find_map(of_others).unwrap_or_else(takes)))
    }

    /// Servers and authorities to trust besides the system's: PEM, or the path of a file.
    pub(super) fn server_certificates(&self) -> Result<ServerCertificates, PropertyError> {
        let property = "SSLServerCert";
        let Some(value) = self.get(property) else { return Ok(ServerCertificates::default()) };
        let fault = |why: &str| self.fault(Some(property), format!("{property} {why}"));
        if value == "*" {
            return Err(fault(
                "does not take *, with which anybody on the way could read the login; give the server's certificate \
                 or its authority's, as PEM or as the path of a file",
            ));
        }
        let thumbprint = value.replace([':', ' '], "");
        if [32, 40, 64].contains(&thumbprint.len()) && thumbprint.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(fault(
                "does not take a thumbprint; give the certificate as PEM or as the path of a file",
            ));
        }
        let content = if value.starts_with("-----BEGIN ") {
            value.as_bytes().to_vec()
        } else {
            self.file(property, value, "PEM, which begins with -----BEGIN CERTIFICATE-----")?
        };
        ServerCertificates::read(&content).map_err(|why| fault(&why))
    }

    /// The content that a property holds as base64. PEM is text already and is taken as it is.
    fn decoded(&self, property: &'static str, value: &str) -> Result<Vec<u8>, PropertyError> {
        if value.starts_with("-----BEGIN ") {
            return Ok(value.as_bytes().to_vec());
        }
        let packed: String = value.split_ascii_whitespace().collect();
        BASE64_STANDARD.decode(packed).map_err(|_| {
            self.fault(Some(property), format!("{property} is not base64, as the type's BLOB says"))
        })
    }

    /// The content of a file. What cannot be a path is not told: it may be the key itself.
    fn file(&self, property: &'static str, path: &str, inline: &str) -> Result<Vec<u8>, PropertyError> {
        if path.len() > LONGEST_PATH || path.contains(['\n', '\r']) || path.starts_with("-----") {
            let reason =
                format!("{property} is not the path of a file; for the certificate itself give {inline}");
            return Err(self.fault(Some(property), reason));
        }
        let place = self.folder.join(path);
        std::fs::read(&place).map_err(|error| {
            let reason = format!("{property}: cannot read the file {}: {error}", place.display());
            self.fault(Some(property), reason)
        })
    }
}
