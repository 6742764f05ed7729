//! A connection's configuration, with the reason for each default.

use std::time::Duration;

use url::Url;

use super::retry::RetryConfig;
use super::secret::Secret;
use super::tls::{ClientCertificate, ServerCertificates};

/// How the client logs in (K§1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// `X-Cybozu-Authorization`
    Password {
        /// The login name.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// `X-Cybozu-API-Token`: one for each app, at most 9 in a request.
    ApiTokens(Vec<Secret>),
    /// `Authorization: Bearer`: an access token of OAuth, which is valid for an hour.
    OAuth(Secret),
}

/// API tokens that one request can carry (K§1.2).
pub(super) const MAX_TOKENS: usize = 9;

/// The login of a gate on the way, sent besides Kintone's: the site's own, or a proxy's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basic {
    /// The gate's user.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// How long each step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Name, TCP and TLS.
    pub connect: Duration,
    /// From the request to the answer's head: Kintone sorts and counts meanwhile.
    pub first_byte: Duration,
    /// Between two parts of the body.
    pub idle: Duration,
    /// The whole call.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(20),
            total: Duration::from_secs(120),
        }
    }
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// Its name: the schema in SQL.
    pub name: String,
    /// `https://example.cybozu.com`; plain http for this machine only.
    pub url: Url,
    /// The login.
    pub credentials: Credentials,
    /// The site's gate, where it has one.
    pub basic: Option<Basic>,
    /// The certificate that the site demands instead of a gate's login, where it does.
    pub client_certificate: Option<ClientCertificate>,
    /// Servers and authorities that are trusted besides the system's.
    pub server_certificates: ServerCertificates,
    /// Guest spaces whose apps join the default space's.
    pub guest_spaces: Vec<u64>,
    /// App ids, which API tokens need: they cannot list apps (K§1.3).
    pub apps: Vec<u64>,
    /// Columns by field code; else by label.
    pub use_code_for_field_name: bool,
    /// Only these apps, by name, code or id; empty: all.
    pub tables: Vec<String>,
    /// Records in a page, at most Kintone's 500.
    pub page_size: u32,
    /// No statement reads more rows of a table.
    pub max_rows: Option<u64>,
    /// Nothing is written.
    pub read_only: bool,
    /// Requests at once. Kintone takes 100 for a whole domain, which others use too (K§5.1).
    pub max_in_flight: usize,
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// When and how often a read is tried again.
    pub retry: RetryConfig,
    /// An answer's bytes, unpacked; larger ones are refused.
    pub max_answer_bytes: usize,
    /// An HTTP proxy. It sees host names and encrypted bytes; what is on this machine is reached without it.
    pub proxy: Option<Url>,
    /// The proxy's login, where it has one.
    pub proxy_login: Option<Basic>,
}

impl ClientConfig {
    /// A connection with every default.
    #[must_use]
    pub fn new(name: impl Into<String>, url: Url, credentials: Credentials) -> Self {
        Self {
            name: name.into(),
            url,
            credentials,
            basic: None,
            client_certificate: None,
            server_certificates: ServerCertificates::default(),
            guest_spaces: vec![],
            apps: vec![],
            use_code_for_field_name: true,
            tables: vec![],
            page_size: 500,
            max_rows: None,
            read_only: true,
            max_in_flight: 10,
            timeouts: Timeouts::default(),
            retry: RetryConfig::default(),
            // 500 records of 500 fields each with a long text.
            max_answer_bytes: 50 * 1024 * 1024,
            proxy: None,
            proxy_login: None,
        }
    }
}

/// Why these logins cannot go together, if so, with the property to blame.
pub(super) fn login_fault(config: &ClientConfig) -> Option<(&'static str, String)> {
    match &config.credentials {
        Credentials::ApiTokens(tokens) if !(1..=MAX_TOKENS).contains(&tokens.len()) => {
            let reason = format!(
                "ApiToken takes 1 to {MAX_TOKENS} tokens and has {}: Kintone refuses a request with more",
                tokens.len()
            );
            Some(("ApiToken", reason))
        }
        Credentials::OAuth(_) if config.basic.is_some() => {
            let reason = "OAuthAccessToken and BasicAuthUser cannot go together: both are sent in the header Authorization";
            Some(("BasicAuthUser", reason.into()))
        }
        _ if config.basic.is_some() && config.client_certificate.is_some() => {
            let reason =
                "SSLClientCert is given instead of BasicAuthUser and BasicAuthPassword, not besides them";
            Some(("BasicAuthUser", reason.into()))
        }
        _ => None,
    }
}

/// Whether a URL is of this machine.
pub(super) fn is_local(url: &Url) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].contains(&url.host_str().unwrap_or_default())
}

/// Why credentials must not be sent to a URL, if so.
pub(super) fn url_fault(url: &Url) -> Option<&'static str> {
    let here = is_local(url);
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must not hold a user or password; give User and Password");
    }
    match url.scheme() {
        "https" => None,
        "http" if here => None,
        _ => Some("must begin with https://"),
    }
}
