//! The address that a request was sent to: checked, because links are made of it and because a page of another site
//! can make its own name point to this machine (DNS rebinding).

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode, Uri, header};
use url::{Host, Url};

use super::OdataConfig;
use super::error::Failure;
use super::request::{ROOT, UrlToken, encode};

/// Where the service begins, as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) scheme: String,
    /// With the port.
    pub(super) host: String,
    /// `/api.rsc`, or what a proxy puts before it, and the token where the path had it.
    pub(super) path: String,
    pub(super) has_token: bool,
}

impl Base {
    /// By the settings, else by the request's own host.
    ///
    /// # Errors
    /// 400 without a `Host`, 421 for a host that is not ours.
    pub(super) fn of(
        config: &OdataConfig,
        uri: &Uri,
        headers: &HeaderMap,
        local: Option<IpAddr>,
    ) -> Result<Self, Failure> {
        let host = requested_host(uri, headers)?;
        if !is_ours(config, &host, local) {
            return Err(Failure::of_status(
                StatusCode::MISDIRECTED_REQUEST,
                "this server does not answer to that host name; add it to host_names or base_url of [http]",
            ));
        }
        let mut base = Self { scheme: "http".into(), host, path: format!("/{ROOT}"), has_token: false };
        if let Some(outside) = &config.base_url {
            base.scheme = outside.scheme().to_owned();
            base.host = authority(outside);
            let prefix = outside.path().trim_end_matches('/');
            base.path = if prefix.ends_with(&base.path) {
                prefix.to_owned()
            } else {
                format!("{prefix}{}", base.path)
            };
        }
        Ok(base)
    }

    /// With the token of the path, which the links of the answer keep.
    pub(super) fn with_token(mut self, token: Option<&UrlToken>) -> Self {
        if let Some(token) = token.filter(|token| token.in_path) {
            self.path.push_str(&format!("/@{}", encode(&token.text)));
            self.has_token = true;
        }
        self
    }

    /// The root's address, without a slash at the end.
    pub(super) fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.host, self.path)
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or("localhost");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn requested_host(uri: &Uri, headers: &HeaderMap) -> Result<String, Failure> {
    if let Some(authority) = uri.authority() {
        return Ok(authority.as_str().to_owned());
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) {
        (Some(host), None) => Ok(host.to_owned()),
        _ => Err(Failure::of_status(StatusCode::BAD_REQUEST, "the request names no host, or more than one")),
    }
}

/// This machine's names with any port, the socket's own address, and the names of the settings.
fn is_ours(config: &OdataConfig, host: &str, local: Option<IpAddr>) -> bool {
    // Only a host and a port: nothing that would change the meaning of a link.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let Some(url) = Url::parse(&format!("http://{host}/")).ok().filter(|_| host.chars().all(plain)) else {
        return false;
    };
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || local == Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => address.is_loopback() || local == Some(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            let outside = config.base_url.as_ref().and_then(Url::host_str);
            let named = config.host_names.iter().map(String::as_str).chain(outside);
            name == "localhost" || named.into_iter().any(|own| own.eq_ignore_ascii_case(name))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(config: &OdataConfig, host: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        Base::of(config, &Uri::from_static("/"), &headers, None).ok().map(|base| base.url())
    }

    #[test]
    fn only_known_hosts_are_answered() {
        let mut config = OdataConfig::new("127.0.0.1:0".parse().unwrap());
        config.host_names.push("kintone.local".into());
        for host in ["localhost:8153", "127.0.0.1", "[::1]:8153", "KINTONE.local:1"] {
            assert_eq!(base(&config, host), Some(format!("http://{host}/api.rsc")));
        }
        for host in ["evil.example", "localhost.evil.example", "a@localhost", "localhost/x", "10.0.0.1", ""] {
            assert_eq!(base(&config, host), None, "{host}");
        }
    }

    #[test]
    fn the_outside_address_makes_links() {
        let mut config = OdataConfig::new("127.0.0.1:0".parse().unwrap());
        config.base_url = Some("https://gw.example/kintone/".parse().unwrap());
        assert_eq!(base(&config, "gw.example").as_deref(), Some("https://gw.example/kintone/api.rsc"));
        assert_eq!(base(&config, "localhost").as_deref(), Some("https://gw.example/kintone/api.rsc"));
    }
}
