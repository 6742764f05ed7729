//! A connection to a Kintone domain as somebody wrote it: in the file, in the environment or on the command line.

use std::collections::HashSet;
use std::fmt;

use super::reader::{Faults, Item, Section};
use super::secret::{Surroundings, secret};
use super::unique_name;
use crate::error::{Error, Kind, Result};

/// The connection whose tables need no schema in SQL.
pub const DEFAULT_CONNECTION: &str = "public";

/// The environment variables and the properties that they set.
const VARIABLES: [(&str, &str); 7] = [
    ("KINTONE_URL", "Url"),
    ("KINTONE_USER", "User"),
    ("KINTONE_PASSWORD", "Password"),
    ("KINTONE_API_TOKEN", "ApiToken"),
    ("KINTONE_GUEST_SPACE_ID", "GuestSpaceId"),
    ("KINTONE_BASIC_USER", "BasicAuthUser"),
    ("KINTONE_BASIC_PASSWORD", "BasicAuthPassword"),
];

/// The environment variable that holds a whole connection string.
const WHOLE: &str = "KINTONE_CONNECTION";

/// A connection's name and its properties under CData's names. Debug shows no value.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// The schema in SQL.
    pub name: String,
    /// `Url`, `User` ... and their values; names in any case, each at most once.
    pub properties: Vec<(String, String)>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.properties.iter().map(|(name, _)| name).collect();
        f.debug_struct("Connection").field("name", &self.name).field("properties", &names).finish()
    }
}

impl Connection {
    /// The value of a property.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        let found = self.properties.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What the environment says about the default connection.
///
/// # Errors
/// Of kind `Config`, when the connection string in it cannot be read.
pub fn from_environment(around: &Surroundings<'_>) -> Result<Vec<(String, String)>> {
    let given = |name: &str| (around.variable)(name).filter(|value| !value.is_empty());
    let mut properties = match given(WHOLE) {
        Some(text) => {
            parse_connection(&text, around).map_err(|f| Error::new(Kind::Config, format!("{WHOLE}: {f}")))?
        }
        None => vec![],
    };
    for (name, property) in VARIABLES {
        if let Some(value) = given(name) {
            set(&mut properties, property, value);
        }
    }
    Ok(properties)
}

/// The upper properties over the lower ones, key by key. Where both name a URL and the URLs differ, the lower ones
/// are dropped: credentials never travel to another address than the one they were written with.
#[must_use]
pub fn layered(lower: Vec<(String, String)>, upper: Vec<(String, String)>) -> Vec<(String, String)> {
    let url = |properties: &[(String, String)]| {
        let found = properties.iter().find(|(name, _)| name.eq_ignore_ascii_case("Url"));
        found.map(|(_, value)| value.trim_end_matches('/').to_owned())
    };
    if let (Some(low), Some(high)) = (url(&lower), url(&upper))
        && low != high
    {
        return upper;
    }
    let mut out = lower;
    for (name, value) in upper {
        set(&mut out, &name, value);
    }
    out
}

fn set(properties: &mut Vec<(String, String)>, name: &str, value: String) {
    properties.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
    properties.push((name.to_owned(), value));
}

/// The pairs of `Key=Value;Key=Value`. A value in single or double quotes may hold semicolons; the quote itself is
/// written twice in it.
///
/// # Errors
/// In words that show no value.
fn split(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs: Vec<(String, String)> = vec![];
    let mut rest = text.trim_start_matches([';', ' ', '\n', '\r', '\t']);
    while !rest.is_empty() {
        let Some((name, after)) = rest.split_once('=') else {
            return Err(format!("expected Key=Value; after {}", place(&pairs)));
        };
        let name = name.trim();
        if name.is_empty() || name.contains(';') {
            return Err(format!("expected Key=Value; after {}", place(&pairs)));
        }
        let (value, after) = value(after.trim_start()).map_err(|fault| format!("{name}: {fault}"))?;
        if pairs.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)) {
            return Err(format!("{name} is given twice"));
        }
        pairs.push((name.to_owned(), value));
        rest = after.trim_start_matches([';', ' ', '\n', '\r', '\t']);
    }
    Ok(pairs)
}

/// Where a fault is, without telling a value.
fn place(pairs: &[(String, String)]) -> String {
    pairs.last().map_or("the beginning".into(), |(name, _)| format!("the value of {name}"))
}

/// A value and what comes after it.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return Ok((value.trim_end().to_owned(), rest));
    };
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            out.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            out.push(quote);
        } else {
            let rest = text.get(at + 1..).unwrap_or_default().trim_start();
            if rest.is_empty() || rest.starts_with(';') {
                return Ok((out, rest));
            }
            return Err("a semicolon must follow the closing quote");
        }
    }
    Err("the closing quote is missing")
}

/// One `[[connections]]` of the settings file.
pub(super) fn read(
    mut section: Section<'_>,
    names: &mut HashSet<String>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Option<Connection> {
    let name = unique_name(&mut section, "\"public\"", names, faults);
    let mut properties = vec![];
    if let Some(item) = section.take("connection") {
        properties = connection_string(&item, around, faults)?;
    }
    for (key, item) in section.rest() {
        let value = property(&item, around, faults);
        if properties.iter().any(|(given, _): &(String, _)| given.eq_ignore_ascii_case(key)) {
            faults.add(item.at, item.path, "this property is given twice");
        } else if let Some(value) = value {
            properties.push((key.to_owned(), value));
        }
    }
    let connection = Connection { name: name?, properties };
    if connection.property("Url").is_none_or(str::is_empty) && !section.has("Url") {
        let example = "url = \"https://example.cybozu.com\"";
        faults.add(
            section.at(),
            section.path("url"),
            format!("this key is missing; write for example {example}"),
        );
    }
    Some(connection)
}

/// A property's value. References to secrets may stand for it, and in a list of it.
fn property(item: &Item<'_>, around: &Surroundings<'_>, faults: &mut Faults<'_>) -> Option<String> {
    if item.value.as_table().is_some() {
        return secret(item, around, faults);
    }
    if item.value.as_array().is_none() {
        return item.scalar(faults);
    }
    let elements = item.elements("strings or numbers", faults);
    let texts: Vec<_> = elements.iter().filter_map(|element| property(element, around, faults)).collect();
    Some(texts.join(","))
}

/// The pairs of a connection string in the file.
fn connection_string(
    item: &Item<'_>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Option<Vec<(String, String)>> {
    let pairs = parse_connection(item.text(faults)?, around);
    pairs.map_err(|fault| faults.add(item.at, &item.path, fault)).ok()
}

/// The properties of a connection string, with `env:NAME` and `file:PATH` looked up.
///
/// # Errors
/// In words that name the property and show no value.
pub fn parse_connection(text: &str, around: &Surroundings<'_>) -> Result<Vec<(String, String)>, String> {
    let resolve = |(name, value): (String, String)| match around.from_reference(&value) {
        Some(Ok(found)) => Ok((name, found)),
        Some(Err(fault)) => Err(format!("{name}: {fault}")),
        None => Ok((name, value)),
    };
    split(text)?.into_iter().map(resolve).collect()
}

/// The secrets of a connection string that stand in it as they are, where everybody who lists processes sees them.
#[must_use]
pub fn literal_secrets(text: &str) -> Vec<String> {
    let secret =
        |name: &str| ["password", "apitoken", "basicauthpassword"].contains(&name.to_lowercase().as_str());
    let plain = |value: &str| !value.is_empty() && !value.starts_with("env:") && !value.starts_with("file:");
    let pairs = split(text).unwrap_or_default();
    pairs.into_iter().filter(|(name, value)| secret(name) && plain(value)).map(|(name, _)| name).collect()
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
    fn connection_strings_are_split() {
        for (text, expected) in [
            ("", vec![]),
            ("Url=https://a;User=b", vec![("Url", "https://a"), ("User", "b")]),
            (" Url = https://a ; Password = 'x;''y' ;", vec![("Url", "https://a"), ("Password", "x;'y")]),
            ("Password=a=b", vec![("Password", "a=b")]),
            ("User=\"山田 太郎\";GuestSpaceId=5,8", vec![("User", "山田 太郎"), ("GuestSpaceId", "5,8")]),
            ("User=;Url=u", vec![("User", ""), ("Url", "u")]),
        ] {
            assert_eq!(split(text), Ok(pairs(&expected)), "{text}");
        }
    }

    #[test]
    fn faults_of_connection_strings_show_no_value() {
        for (text, expected) in [
            ("Url", "expected Key=Value; after the beginning"),
            ("User=a;s3cret;Url=u", "expected Key=Value; after the value of User"),
            ("Password='s3cret", "Password: the closing quote is missing"),
            ("Password='s3'cret", "Password: a semicolon must follow the closing quote"),
            ("Url=a;URL=b", "URL is given twice"),
        ] {
            assert_eq!(split(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn references_are_looked_up() {
        let variable = |name: &str| (name == "PW").then(|| "s3cret".to_owned());
        assert_eq!(
            parse_connection("Url=u;Password=env:PW", &around(&variable)),
            Ok(pairs(&[("Url", "u"), ("Password", "s3cret")]))
        );
        assert_eq!(
            parse_connection("Url=u;Password=env:OTHER", &around(&variable)),
            Err("Password: the environment variable OTHER is not set".into())
        );
        assert_eq!(literal_secrets("Url=u;PASSWORD=s3cret;ApiToken=env:T"), ["PASSWORD"]);
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
    fn debug_shows_names_only() {
        let connection = Connection { name: "public".into(), properties: pairs(&[("Password", "s3cret")]) };
        assert_eq!(format!("{connection:?}"), "Connection { name: \"public\", properties: [\"Password\"] }");
    }
}
