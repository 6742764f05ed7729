//! Connections to Kintone domains: the file, the environment and the command line in, the client's settings out.
//!
//! The command line goes before the environment, that before the file. Absent on purpose: what a property means, which
//! the client knows.

mod file;
mod string;

pub(super) use file::read;

use self::string::split;
use super::secret::Surroundings;
use crate::error::{Error, Kind, Result};
use crate::kintone::ClientConfig;

/// The connection whose tables need no schema in SQL.
pub const DEFAULT_CONNECTION: &str = "public";

/// Properties under CData's names, in any case, and their values.
type Properties = Vec<(String, String)>;

/// The environment variables and the properties that they set.
const VARIABLES: [(&str, &str); 9] = [
    ("KINTONE_URL", "Url"),
    ("KINTONE_USER", "User"),
    ("KINTONE_PASSWORD", "Password"),
    ("KINTONE_API_TOKEN", "ApiToken"),
    ("KINTONE_OAUTH_TOKEN", "OAuthAccessToken"),
    ("KINTONE_APP_ID", "AppId"),
    ("KINTONE_GUEST_SPACE_ID", "GuestSpaceId"),
    ("KINTONE_BASIC_USER", "BasicAuthUser"),
    ("KINTONE_BASIC_PASSWORD", "BasicAuthPassword"),
];

/// The environment variable that holds a whole connection string.
const WHOLE: &str = "KINTONE_CONNECTION";

/// The connection that a connection string and the environment make, the string before the environment; `None` where
/// neither says anything.
///
/// # Errors
/// Of kind `Config`, and names the property.
pub fn connection(text: Option<&str>, around: &Surroundings<'_>) -> Result<Option<ClientConfig>> {
    let fault = |message: String| Error::new(Kind::Config, message);
    let given = text.map_or(Ok(vec![]), |text| parse(text, around));
    let given = given.map_err(|reason| fault(format!("--connection: {reason}")))?;
    let properties = layered(from_environment(around)?, given);
    if properties.is_empty() {
        return Ok(None);
    }
    let config = ClientConfig::from_properties_in(&around.folder, DEFAULT_CONNECTION, &properties, &as_it_is);
    config.map(Some).map_err(|error| fault(error.to_string()))
}

/// Properties whose values nobody else may see.
const SECRETS: [&str; 6] = [
    "Password",
    "ApiToken",
    "OAuthAccessToken",
    "BasicAuthPassword",
    "SSLClientCertPassword",
    "ProxyPassword",
];

/// The secrets of a connection string that stand in it as they are, where everybody who lists processes sees them.
#[must_use]
pub fn literal_secrets(text: &str) -> Vec<String> {
    let pairs = split(text).unwrap_or_default();
    // A path is no secret; a certificate with its key is one.
    let kind = property(&pairs, "SSLClientCertType").unwrap_or_default().to_uppercase();
    let secret = |name: &str| {
        SECRETS.iter().any(|known| same(name, known))
            || (same(name, "SSLClientCert") && kind.ends_with("BLOB"))
    };
    let plain = |value: &str| !value.is_empty() && !value.starts_with("env:") && !value.starts_with("file:");
    pairs.into_iter().filter(|(name, value)| secret(name) && plain(value)).map(|(name, _)| name).collect()
}

/// A secret that was looked up already: it may look like a reference.
fn as_it_is(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// Whether two names mean one property: the client ignores case and underscores.
fn same(one: &str, other: &str) -> bool {
    one.replace('_', "").eq_ignore_ascii_case(&other.replace('_', ""))
}

fn property<'p>(properties: &'p Properties, name: &str) -> Option<&'p str> {
    properties.iter().find(|(given, _)| same(given, name)).map(|(_, value)| value.as_str())
}

fn set(properties: &mut Properties, name: &str, value: String) {
    properties.retain(|(given, _)| !same(given, name));
    properties.push((name.to_owned(), value));
}

/// What the environment says about the default connection.
fn from_environment(around: &Surroundings<'_>) -> Result<Properties> {
    let given = |name: &str| (around.variable)(name).filter(|value| !value.is_empty());
    let mut properties = match given(WHOLE) {
        Some(text) => parse(&text, around).map_err(|f| Error::new(Kind::Config, format!("{WHOLE}: {f}")))?,
        None => vec![],
    };
    for (name, property) in VARIABLES {
        if let Some(value) = given(name) {
            set(&mut properties, property, value);
        }
    }
    Ok(properties)
}

/// The upper properties over the lower ones, key by key. Where both name a URL and the URLs differ, the lower ones are
/// dropped: credentials never travel to another address than the one they were written with.
fn layered(lower: Properties, upper: Properties) -> Properties {
    let url = |properties| property(properties, "Url").map(|url| url.trim_end_matches('/').to_owned());
    if let (Some(low), Some(high)) = (url(&lower), url(&upper))
        && low != high
    {
        return upper;
    }
    let (mut out, mut upper) = (lower, upper);
    let without = |properties: &mut Properties, names: &[&str]| {
        properties.retain(|(given, _)| !names.iter().any(|name| same(given, name)));
    };
    let has = |properties: &Properties, name| property(properties, name).is_some();
    if has(&upper, "ApiToken") {
        without(&mut out, &["User", "Password", "OAuthAccessToken", "AuthScheme"]);
    } else if has(&upper, "OAuthAccessToken") {
        without(&mut out, &["User", "Password", "ApiToken", "AppId", "AuthScheme"]);
    } else if has(&upper, "User") && has(&upper, "Password") {
        without(&mut out, &["ApiToken", "AppId", "OAuthAccessToken", "AuthScheme"]);
    } else if has(&out, "ApiToken") || has(&out, "OAuthAccessToken") {
        // Half a login does not replace a whole one of the other sort.
        without(&mut upper, &["User", "Password"]);
    }
    for (name, value) in upper {
        set(&mut out, &name, value);
    }
    out
}

/// The properties of a connection string, with `env:NAME` and `file:PATH` looked up. Faults show no value.
fn parse(text: &str, around: &Surroundings<'_>) -> Result<Properties, String> {
    let resolve = |(name, value): (String, String)| match around.from_reference(&value) {
        Some(Ok(found)) => Ok((name, found)),
        Some(Err(fault)) => Err(format!("{name}: {fault}")),
        None => Ok((name, value)),
    };
    split(text)?.into_iter().map(resolve).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn around(variable: &dyn Fn(&str) -> Option<String>) -> Surroundings<'_> {
        Surroundings { variable, folder: "/nowhere".into() }
    }

    #[test]
    fn references_are_looked_up() {
        let variable = |name: &str| (name == "PW").then(|| "s3cret".to_owned());
        assert_eq!(
            parse("Url=u;Password=env:PW", &around(&variable)),
            Ok(pairs(&[("Url", "u"), ("Password", "s3cret")]))
        );
        assert_eq!(
            parse("Url=u;Password=env:OTHER", &around(&variable)),
            Err("Password: the environment variable OTHER is not set".into())
        );
        assert_eq!(literal_secrets("Url=u;PASSWORD=s3cret;ApiToken=env:T"), ["PASSWORD"]);
        let text = "OAuthAccessToken=a;SSLClientCert=b;SSLClientCertPassword=c;ProxyPassword=d";
        let secrets = ["OAuthAccessToken", "SSLClientCertPassword", "ProxyPassword"];
        assert_eq!(literal_secrets(text), secrets);
        assert_eq!(literal_secrets("SSLClientCert=a;SSLClientCertType=PEMKEY_BLOB"), ["SSLClientCert"]);
    }

    #[test]
    fn the_environment_names_a_connection() {
        let variable = |name: &str| match name {
            "KINTONE_CONNECTION" => Some("Url=u;User=a;Password=env:PW".to_owned()),
            "PW" => Some("s3cret".into()),
            "KINTONE_USER" => Some("b".into()),
            "KINTONE_API_TOKEN" => Some(String::new()),
            _ => None,
        };
        assert_eq!(
            from_environment(&around(&variable)),
            Ok(pairs(&[("Url", "u"), ("Password", "s3cret"), ("User", "b")]))
        );
    }

    #[test]
    fn credentials_stay_with_their_address() {
        let file = pairs(&[("url", "https://a"), ("user", "u"), ("password", "p")]);
        for (upper, expected) in [
            (vec![], file.clone()),
            (pairs(&[("Password", "q")]), pairs(&[("url", "https://a"), ("user", "u"), ("Password", "q")])),
            (
                pairs(&[("Url", "https://a/")]),
                pairs(&[("user", "u"), ("password", "p"), ("Url", "https://a/")]),
            ),
            (pairs(&[("Url", "https://b")]), pairs(&[("Url", "https://b")])),
        ] {
            assert_eq!(layered(file.clone(), upper), expected);
        }
    }

    #[test]
    fn a_whole_login_replaces_one_of_the_other_sort() {
        let password = pairs(&[("Url", "u"), ("User", "a"), ("Password", "p")]);
        let token = pairs(&[("Url", "u"), ("ApiToken", "t"), ("AppId", "5")]);
        let bearer = pairs(&[("Url", "u"), ("AuthScheme", "OAuth"), ("OAuthAccessToken", "o")]);
        for (lower, upper, expected) in [
            (&bearer, pairs(&[("User", "a"), ("Password", "p")]), password.clone()),
            (&bearer, pairs(&[("ApiToken", "t"), ("AppId", "5")]), token.clone()),
            (&bearer, pairs(&[("Password", "p")]), bearer.clone()),
            (&token, pairs(&[("OAuthAccessToken", "o")]), pairs(&[("Url", "u"), ("OAuthAccessToken", "o")])),
            (&password, pairs(&[("ApiToken", "t"), ("AppId", "5")]), token.clone()),
            (&token, pairs(&[("User", "a"), ("Password", "p")]), password.clone()),
            (&token, pairs(&[("Password", "p")]), token.clone()),
        ] {
            assert_eq!(layered(lower.clone(), upper), expected);
        }
    }
}
