//! Connections to Kintone domains: from the file, the environment and the command line to the client's own settings.

use std::collections::HashSet;

use super::reader::{Faults, Item, Section};
use super::secret::{Surroundings, secret};
use super::unique_name;
use crate::error::{Error, Kind, Result};
use crate::kintone::ClientConfig;

/// The connection whose tables need no schema in SQL.
pub const DEFAULT_CONNECTION: &str = "public";

/// Properties under CData's names, in any case, and their values.
type Properties = Vec<(String, String)>;

/// The environment variables and the properties that they set.
const VARIABLES: [(&str, &str); 8] = [
    ("KINTONE_URL", "Url"),
    ("KINTONE_USER", "User"),
    ("KINTONE_PASSWORD", "Password"),
    ("KINTONE_API_TOKEN", "ApiToken"),
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
    let config = ClientConfig::from_properties(DEFAULT_CONNECTION, &properties, &as_it_is);
    config.map(Some).map_err(|error| fault(error.to_string()))
}

/// The secrets of a connection string that stand in it as they are, where everybody who lists processes sees them.
#[must_use]
pub fn literal_secrets(text: &str) -> Vec<String> {
    let secret =
        |name: &str| ["Password", "ApiToken", "BasicAuthPassword"].iter().any(|known| same(name, known));
    let plain = |value: &str| !value.is_empty() && !value.starts_with("env:") && !value.starts_with("file:");
    let pairs = split(text).unwrap_or_default();
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
    let without = |properties: &mut Properties, names: [&str; 2]| {
        properties.retain(|(given, _)| !names.iter().any(|name| same(given, name)));
    };
    if property(&upper, "ApiToken").is_some() {
        without(&mut out, ["User", "Password"]);
    } else if property(&upper, "User").is_some() && property(&upper, "Password").is_some() {
        without(&mut out, ["ApiToken", "AppId"]);
    } else if property(&out, "ApiToken").is_some() {
        // Half a login does not replace a whole one of the other sort.
        without(&mut upper, ["User", "Password"]);
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

/// The pairs of `Key=Value;Key=Value`. A value in single or double quotes or in braces may hold semicolons; the
/// closing quote itself is written twice in it.
fn split(text: &str) -> Result<Properties, String> {
    let mut pairs: Properties = vec![];
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
        if property(&pairs, name).is_some() {
            return Err(format!("{name} is given twice"));
        }
        pairs.push((name.to_owned(), value));
        rest = after.trim_start_matches([';', ' ', '\n', '\r', '\t']);
    }
    Ok(pairs)
}

/// Where a fault is, without telling a value.
fn place(pairs: &Properties) -> String {
    pairs.last().map_or("the beginning".into(), |(name, _)| format!("the value of {name}"))
}

/// A value and what comes after it.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    let quote = match text.chars().next() {
        Some('{') => '}',
        Some(quote @ ('\'' | '"')) => quote,
        _ => {
            let (value, rest) = text.split_once(';').unwrap_or((text, ""));
            return Ok((value.trim_end().to_owned(), rest));
        }
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

/// A `[[connections]]` of the file, before the environment had its say.
struct Draft<'t> {
    name: String,
    properties: Properties,
    /// Where the section begins.
    at: usize,
    path: String,
    /// Where each key stands.
    items: Vec<Item<'t>>,
}

/// Every `[[connections]]` of the settings file, the default one first, with the environment over that one.
pub(super) fn read(
    root: &mut Section<'_>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Vec<ClientConfig> {
    let mut names = HashSet::new();
    let sections = root.sections("connections", faults);
    let drafts = sections.into_iter().map(|section| draft(section, &mut names, around, faults));
    let mut drafts: Vec<_> = drafts.collect::<Vec<_>>().into_iter().flatten().collect();
    drafts.sort_by_key(|draft| draft.name != DEFAULT_CONNECTION);
    match from_environment(around) {
        Err(error) => faults.add(0, "", error.message),
        Ok(upper) if upper.is_empty() => {}
        Ok(upper) => match drafts.first_mut() {
            Some(first) => first.properties = layered(std::mem::take(&mut first.properties), upper),
            // A password alone is there for a reference of the file.
            None if property(&upper, "Url").is_none() => {}
            None => drafts.push(Draft {
                name: DEFAULT_CONNECTION.into(),
                properties: upper,
                at: 0,
                path: "KINTONE_".into(),
                items: vec![],
            }),
        },
    }
    drafts.into_iter().filter_map(|draft| finished(&draft, faults)).collect()
}

fn draft<'t>(
    mut section: Section<'t>,
    names: &mut HashSet<String>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Option<Draft<'t>> {
    let name = unique_name(&mut section, "\"public\"", names, faults);
    let mut properties = vec![];
    let mut items = vec![];
    if let Some(item) = section.take("connection") {
        properties = connection_string(&item, around, faults)?;
        items.push(item);
    }
    let mut sound = true;
    for (key, item) in section.rest() {
        match value_of(&item, around, faults) {
            _ if property(&properties, key).is_some() => {
                faults.add(item.at, &item.path, "this property is given twice");
                sound = false;
            }
            Some(value) => properties.push((key.to_owned(), value)),
            None => sound = false,
        }
        items.push(item);
    }
    let (at, path) = (section.at(), section.path(""));
    // A value that could not be read is told already; what follows from its absence is not.
    sound.then_some(Draft { name: name?, properties, at, path, items })
}

/// The client's settings. Its verdict is told at the key that it is about.
fn finished(draft: &Draft<'_>, faults: &mut Faults<'_>) -> Option<ClientConfig> {
    let error = match ClientConfig::from_properties(&draft.name, &draft.properties, &as_it_is) {
        Ok(config) => return Some(config),
        Err(error) => error,
    };
    let key = error.property.unwrap_or_default();
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let item = draft.items.iter().find(|item| !key.is_empty() && same(&last(&item.path), &key));
    // A property of a connection string stands where the string does.
    let inside = draft.items.iter().find(|item| item.path.ends_with(".connection"));
    let inside = inside.filter(|_| property(&draft.properties, &key).is_some());
    match item.or(inside) {
        Some(item) => faults.add(item.at, &item.path, error.reason),
        None => {
            let path = format!("{}{}", draft.path, key.to_lowercase());
            faults.add(draft.at, path.trim_end_matches('.'), error.reason);
        }
    }
    None
}

/// A property's value. References to secrets may stand for it, and in a list of it.
fn value_of(item: &Item<'_>, around: &Surroundings<'_>, faults: &mut Faults<'_>) -> Option<String> {
    if item.value.as_table().is_some() {
        return secret(item, around, faults);
    }
    if item.value.as_array().is_none() {
        return item.scalar(faults);
    }
    let elements = item.elements("strings or numbers", faults);
    let texts: Option<Vec<_>> = elements.iter().map(|element| value_of(element, around, faults)).collect();
    Some(texts?.join(","))
}

/// The pairs of a connection string in the file.
fn connection_string(
    item: &Item<'_>,
    around: &Surroundings<'_>,
    faults: &mut Faults<'_>,
) -> Option<Properties> {
    let pairs = parse(item.text(faults)?, around);
    pairs.map_err(|fault| faults.add(item.at, &item.path, fault)).ok()
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
            ("Password={a;b}}c};Url=u", vec![("Password", "a;b}c"), ("Url", "u")]),
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
            parse("Url=u;Password=env:PW", &around(&variable)),
            Ok(pairs(&[("Url", "u"), ("Password", "s3cret")]))
        );
        assert_eq!(
            parse("Url=u;Password=env:OTHER", &around(&variable)),
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
    fn a_whole_login_replaces_one_of_the_other_sort() {
        let password = pairs(&[("Url", "u"), ("User", "a"), ("Password", "p")]);
        let token = pairs(&[("Url", "u"), ("ApiToken", "t"), ("AppId", "5")]);
        for (lower, upper, expected) in [
            (&password, pairs(&[("ApiToken", "t"), ("AppId", "5")]), token.clone()),
            (&token, pairs(&[("User", "a"), ("Password", "p")]), password.clone()),
            (&token, pairs(&[("Password", "p")]), token.clone()),
        ] {
            assert_eq!(layered(lower.clone(), upper), expected);
        }
    }
}
