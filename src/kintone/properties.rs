//! Connection properties under CData's names, to a configuration.

use std::path::Path;
use std::time::Duration;

use url::Url;

use super::config::{ClientConfig, Credentials, login_fault, url_fault};
use super::secret::Secret;

/// What is wrong with a property.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("connection {connection}: {reason}")]
pub struct PropertyError {
    /// The connection's name.
    pub connection: String,
    /// The property, where it is about one.
    pub property: Option<String>,
    /// What is wrong and what to do.
    pub reason: String,
}

/// How a secret that is a reference (`env:NAME`, `file:PATH`) is read; what is no reference comes back as it is.
pub type Resolve<'r> = &'r dyn Fn(&str) -> Result<String, String>;

/// Every property, by its proper name.
const NAMES: &[&str] = &[
    "Url",
    "AuthScheme",
    "User",
    "Password",
    "ApiToken",
    "OAuthAccessToken",
    "AppId",
    "GuestSpaceId",
    "BasicAuthUser",
    "BasicAuthPassword",
    "SSLClientCert",
    "SSLClientCertType",
    "SSLClientCertSubject",
    "SSLClientCertPassword",
    "SSLServerCert",
    "ProxyServer",
    "ProxyPort",
    "ProxyUser",
    "ProxyPassword",
    "UseCodeForFieldName",
    "Tables",
    "Pagesize",
    "MaxRows",
    "Timeout",
    "Readonly",
];

/// The names of all properties.
#[must_use]
pub fn property_names() -> &'static [&'static str] {
    NAMES
}

impl ClientConfig {
    /// A configuration from properties; names ignore case and underscores. Files are looked for from the folder that
    /// the program runs in.
    ///
    /// # Errors
    /// An unknown property, a value of the wrong form, a login that is missing or half there, or a certificate that
    /// cannot be read.
    pub fn from_properties(
        name: &str,
        properties: &[(String, String)],
        resolve: Resolve<'_>,
    ) -> Result<Self, PropertyError> {
        Self::from_properties_in(Path::new(""), name, properties, resolve)
    }

    /// As [`Self::from_properties`], files being looked for from a folder.
    ///
    /// # Errors
    /// The same.
    pub fn from_properties_in(
        folder: &Path,
        name: &str,
        properties: &[(String, String)],
        resolve: Resolve<'_>,
    ) -> Result<Self, PropertyError> {
        let mut reader = Reader { connection: name, folder, values: vec![] };
        for (key, value) in properties {
            let property = reader.known(key)?;
            if reader.values.iter().any(|(p, _)| *p == property) {
                return Err(reader.fault(Some(property), format!("{property} is given twice")));
            }
            reader.values.push((property, value.trim().to_owned()));
        }
        reader.config(resolve)
    }
}

/// The properties of one connection.
pub(super) struct Reader<'c> {
    connection: &'c str,
    /// Where relative paths start.
    pub(super) folder: &'c Path,
    values: Vec<(&'static str, String)>,
}

impl Reader<'_> {
    pub(super) fn fault(&self, property: Option<&str>, reason: String) -> PropertyError {
        PropertyError {
            connection: self.connection.to_owned(),
            property: property.map(str::to_owned),
            reason,
        }
    }

    /// The property of a name, or an error with the nearest.
    fn known(&self, key: &str) -> Result<&'static str, PropertyError> {
        let plain = |s: &str| s.replace(['_', ' ', '-'], "").to_lowercase();
        let wanted = plain(key);
        if let Some(name) = NAMES.iter().find(|n| plain(n) == wanted) {
            return Ok(name);
        }
        let near = NAMES
            .iter()
            .map(|n| (strsim::jaro_winkler(&plain(n), &wanted), n))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(score, _)| *score > 0.7);
        let hint = near.map(|(_, n)| format!("; did you mean {n}?")).unwrap_or_default();
        Err(self.fault(Some(key), format!("unknown property {key}{hint}")))
    }

    pub(super) fn get(&self, property: &str) -> Option<&str> {
        self.values.iter().find(|(p, _)| *p == property).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    pub(super) fn secret(
        &self,
        property: &'static str,
        resolve: Resolve<'_>,
    ) -> Result<Option<Secret>, PropertyError> {
        let Some(value) = self.get(property) else { return Ok(None) };
        let read = resolve(value).map_err(|e| self.fault(Some(property), format!("{property}: {e}")))?;
        Ok(Some(Secret::new(read.trim_end_matches(['\r', '\n']))))
    }

    fn number<T: std::str::FromStr>(
        &self,
        property: &'static str,
        takes: &str,
    ) -> Result<Option<T>, PropertyError> {
        let parse =
            |v: &str| v.parse().map_err(|_| self.fault(Some(property), format!("{property} takes {takes}")));
        self.get(property).map(parse).transpose()
    }

    fn boolean(&self, property: &'static str) -> Result<Option<bool>, PropertyError> {
        match self.get(property).map(str::to_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "yes" | "on" | "1") => Ok(Some(true)),
            Some("false" | "no" | "off" | "0") => Ok(Some(false)),
            Some(_) => Err(self.fault(Some(property), format!("{property} takes true or false"))),
        }
    }

    fn list(&self, property: &str) -> Vec<String> {
        let parts = self.get(property).unwrap_or_default().split(',').map(|p| p.trim().to_owned());
        parts.filter(|p| !p.is_empty()).collect()
    }

    fn ids(&self, property: &'static str) -> Result<Vec<u64>, PropertyError> {
        let id = |p: &String| {
            p.parse().map_err(|_| {
                self.fault(Some(property), format!("{property} takes a number, or a list of them"))
            })
        };
        self.list(property).iter().map(id).collect()
    }

    fn config(&self, resolve: Resolve<'_>) -> Result<ClientConfig, PropertyError> {
        let mut config = ClientConfig::new(self.connection, self.url()?, self.credentials(resolve)?);
        config.apps = self.ids("AppId")?;
        config.guest_spaces = self.ids("GuestSpaceId")?;
        if matches!(config.credentials, Credentials::ApiTokens(_)) && config.apps.is_empty() {
            let reason = "with ApiToken the apps must be named: AppId=1,2 (tokens cannot list apps)";
            return Err(self.fault(Some("AppId"), reason.into()));
        }
        config.basic = self.login("BasicAuthUser", "BasicAuthPassword", resolve)?;
        config.client_certificate = self.client_certificate(resolve)?;
        config.server_certificates = self.server_certificates()?;
        if let Some((property, why)) = login_fault(&config) {
            return Err(self.fault(Some(property), why));
        }
        config.tables = self.list("Tables");
        config.use_code_for_field_name = self.boolean("UseCodeForFieldName")?.unwrap_or(true);
        config.read_only = self.boolean("Readonly")?.unwrap_or(config.read_only);
        config.max_rows = self.number("MaxRows", "a number of rows")?.filter(|n| *n > 0);
        if let Some(size) = self.number::<u32>("Pagesize", "1 to 500")? {
            if !(1..=500).contains(&size) {
                return Err(self.fault(Some("Pagesize"), "Pagesize takes 1 to 500".into()));
            }
            config.page_size = size;
        }
        if let Some(seconds) = self.number::<u64>("Timeout", "a number of seconds")?.filter(|s| *s > 0) {
            config.timeouts.first_byte = Duration::from_secs(seconds);
            config.timeouts.total = config.timeouts.total.max(Duration::from_secs(seconds));
        }
        config.proxy = self.proxy()?;
        config.proxy_login = self.login("ProxyUser", "ProxyPassword", resolve)?;
        Ok(config)
    }

    fn url(&self) -> Result<Url, PropertyError> {
        let text = self.get("Url").ok_or_else(|| {
            self.fault(Some("Url"), "Url is missing; such as https://example.cybozu.com".into())
        })?;
        let fault = |why: &str| self.fault(Some("Url"), format!("Url {why}"));
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let mut url = Url::parse(&with_scheme)
            .map_err(|_| fault("is not a URL; such as https://example.cybozu.com"))?;
        if let Some(why) = url_fault(&url) {
            return Err(fault(why));
        }
        // The address of a page in the browser: the API's paths start before its `/k`.
        if url.path() == "/k" || url.path().starts_with("/k/") {
            url.set_path("/");
        }
        url.set_query(None);
        url.set_fragment(None);
        Ok(url)
    }

    fn proxy(&self) -> Result<Option<Url>, PropertyError> {
        let Some(server) = self.get("ProxyServer") else { return Ok(None) };
        let with_scheme = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
        let fault = || self.fault(Some("ProxyServer"), "ProxyServer takes a host name or an http URL".into());
        let mut url = Url::parse(&with_scheme).map_err(|_| fault())?;
        if url.scheme() != "http" || !url.has_host() {
            return Err(fault());
        }
        if !url.username().is_empty() || url.password().is_some() {
            let reason = "ProxyServer must not hold a user or password; give ProxyUser and ProxyPassword";
            return Err(self.fault(Some("ProxyServer"), reason.into()));
        }
        if let Some(port) = self.number::<u16>("ProxyPort", "a port number")? {
            url.set_port(Some(port)).map_err(|()| fault())?;
        }
        Ok(Some(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(value: &str) -> Result<String, String> {
        match value.strip_prefix("env:") {
            Some("KEY") => Ok("hidden-canary\n".into()),
            Some(name) => Err(format!("the environment has no {name}")),
            None => Ok(value.to_owned()),
        }
    }

    /// Reads `Name=value` parted by `|`.
    fn read(text: &str) -> Result<ClientConfig, String> {
        let pairs = text.split('|').filter(|p| !p.is_empty()).map(|p| p.split_once('=').unwrap());
        let pairs: Vec<_> = pairs.map(|(name, value)| (name.trim().to_owned(), value.to_owned())).collect();
        ClientConfig::from_properties("crm", &pairs, &resolve).map_err(|e| e.to_string())
    }

    #[test]
    fn properties_are_read() {
        let config = read("url = https://x.cybozu.com/sub | USER=me|Password=a;b|GuestSpaceId=5, 7|page_size=100|BasicAuthUser=g|BasicAuthPassword=p|Timeout=5").unwrap();
        assert_eq!(config.url.as_str(), "https://x.cybozu.com/sub");
        assert_eq!(
            config.credentials,
            Credentials::Password { user: "me".into(), password: Secret::new("a;b") }
        );
        assert_eq!((config.guest_spaces, config.page_size), (vec![5, 7], 100));
        assert_eq!(config.timeouts.first_byte, Duration::from_secs(5));
        let config = read("|Url=https://x.cybozu.com/k/12/?view=3#x|| User=a|Password=b|ProxyServer=p|ProxyPort=81|ProxyUser=u|ProxyPassword=v|").unwrap();
        assert_eq!(config.url.as_str(), "https://x.cybozu.com/");
        assert_eq!(config.proxy.unwrap().as_str(), "http://p:81/");
        assert_eq!(config.proxy_login.unwrap().user, "u");
        let config = read("Url=x.kintone.com|ApiToken=t1,t2|AppId=3").unwrap();
        assert_eq!(config.url.as_str(), "https://x.kintone.com/");
        assert_eq!(config.apps, [3]);
    }

    #[test]
    fn faults_name_the_property() {
        for (text, expect) in [
            ("User=a|Password=b", "connection crm: Url is missing; such as https://example.cybozu.com"),
            ("Url=http://x.cybozu.com|User=a|Password=b", "connection crm: Url must begin with https://"),
            (
                "Url=https://u:p@x.cybozu.com|User=a|Password=b",
                "connection crm: Url must not hold a user or password; give User and Password",
            ),
            ("Url=https://x.cybozu.com|User=a", "connection crm: Password is missing"),
            (
                "Url=https://x.cybozu.com|ApiToken=,|AppId=1",
                "connection crm: ApiToken takes 1 to 9 tokens and has 0: Kintone refuses a request with more",
            ),
            (
                "Url=https://x.cybozu.com|User=a|Password=b|ProxyServer=http://u:p@proxy",
                "connection crm: ProxyServer must not hold a user or password; give ProxyUser and ProxyPassword",
            ),
            (
                "Url=https://x.cybozu.com|User=a|Password=b|BasicAuthUser=g",
                "connection crm: BasicAuthUser and BasicAuthPassword go together",
            ),
            ("Url=https://x.cybozu.com|Usre=a", "connection crm: unknown property Usre; did you mean User?"),
            (
                "Url=https://x.cybozu.com|User=a|Password=env:NOPE",
                "connection crm: Password: the environment has no NOPE",
            ),
            (
                "Url=https://x.cybozu.com|ApiToken=t",
                "connection crm: with ApiToken the apps must be named: AppId=1,2 (tokens cannot list apps)",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), expect);
        }
    }

    #[test]
    fn no_secret_in_debug() {
        let config = read("Url=https://x.cybozu.com|User=me|Password=env:KEY").unwrap();
        assert_eq!(
            config.credentials,
            Credentials::Password { user: "me".into(), password: Secret::new("hidden-canary") }
        );
        assert!(!format!("{config:?}").contains("canary"));
    }
}
