//! A URL to what it asks for. Paths are cut at `/` before anything is decoded, so that `%2F` stays inside a key.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::{Error, Kind, Result};

/// Where the service begins, as in CData's API Server.
pub(super) const ROOT: &str = "api.rsc";

/// `?@authtoken=TOKEN`
const TOKEN_OPTION: &str = "@authtoken";

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Options of the standard that are not done: answered with 501, never ignored.
const NOT_DONE: &[&str] =
    &["apply", "compute", "deltatoken", "expand", "id", "index", "levels", "schemaversion", "search"];

/// Text for a path segment or a query value.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// A request's URL, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// What is asked for.
    pub(super) resource: Resource,
    /// How.
    pub(super) options: Options,
}

/// A token in a URL. Its `Debug` tells nothing.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct UrlToken {
    pub(super) text: String,
    /// `/api.rsc/@TOKEN/...`: links of the answer keep it. Else it was `?@authtoken=TOKEN`.
    pub(super) in_path: bool,
}

impl std::fmt::Debug for UrlToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UrlToken(...)")
    }
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    /// `/api.rsc/`
    Service,
    /// `/api.rsc/$metadata`
    Metadata,
    /// `/api.rsc/$oas`
    OpenApi,
    /// `/api.rsc/Set`
    Set { name: String },
    /// `/api.rsc/Set/$count`
    Count { name: String },
    /// `/api.rsc/Set(5)`: the inside of the brackets
    Entity { name: String, key: String },
}

/// The query options, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Options {
    pub(super) filter: Option<String>,
    pub(super) select: Option<String>,
    pub(super) orderby: Option<String>,
    pub(super) top: Option<u64>,
    pub(super) skip: Option<u64>,
    pub(super) count: bool,
    pub(super) format: Option<String>,
    pub(super) skiptoken: Option<String>,
    /// `?tables=A,B` of `$oas`
    pub(super) tables: Option<String>,
    /// `@p=5`
    pub(super) aliases: Vec<(String, String)>,
}

/// The token that stands in a URL, whatever else is wrong with it.
///
/// # Errors
/// `Syntax` for encoding that is broken.
pub(super) fn token(path: &str, query: &str) -> Result<Option<UrlToken>> {
    let second = path.trim_start_matches('/').split('/').nth(1).unwrap_or("");
    if let Some(text) = decode(second, false)?.strip_prefix('@') {
        return Ok(Some(UrlToken { text: text.to_owned(), in_path: true }));
    }
    for (name, value) in pairs(query) {
        if decode(name, true)?.eq_ignore_ascii_case(TOKEN_OPTION) {
            return Ok(Some(UrlToken { text: decode(value, true)?, in_path: false }));
        }
    }
    Ok(None)
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Reads path and query of a request. `strict_names` is for OData 4.0 clients: `top` without `$` is not `$top`.
///
/// # Errors
/// `UndefinedTable` (404) for a path that is none of ours, `Unsupported` (501) for a known one that is not done,
/// `Syntax` (400).
pub(super) fn parse(path: &str, query: &str, strict_names: bool) -> Result<Address> {
    let mut segments: Vec<String> = path
        .trim_start_matches('/')
        .split('/')
        .map(|segment| decode(segment, false))
        .collect::<Result<_>>()?;
    if segments.len() > 1 && segments.last().is_some_and(String::is_empty) {
        segments.pop();
    }
    let rest = match segments.split_first() {
        Some((root, [token, rest @ ..])) if root.eq_ignore_ascii_case(ROOT) && token.starts_with('@') => rest,
        Some((root, rest)) if root.eq_ignore_ascii_case(ROOT) => rest,
        _ => return Err(not_found("nothing").with_hint(format!("The service begins at /{ROOT}/"))),
    };
    Ok(Address { resource: resource(rest)?, options: parse_query(query, strict_names)? })
}

fn resource(segments: &[String]) -> Result<Resource> {
    let Some((first, rest)) = segments.split_first() else { return Ok(Resource::Service) };
    let system = match first.as_str() {
        "$metadata" => Some(Resource::Metadata),
        "$oas" => Some(Resource::OpenApi),
        name if name.starts_with('$') => return Err(unsupported(name)),
        _ => None,
    };
    if let Some(resource) = system {
        return if rest.is_empty() { Ok(resource) } else { Err(not_found(&segments.join("/"))) };
    }
    let entity = first.split_once('(').map(|(name, key)| (name, key.strip_suffix(')')));
    match (entity, rest) {
        (None, []) => Ok(Resource::Set { name: first.clone() }),
        (None, [count]) if count == "$count" => Ok(Resource::Count { name: first.clone() }),
        (Some((name, Some(key))), []) if !key.trim().is_empty() => {
            Ok(Resource::Entity { name: name.to_owned(), key: key.to_owned() })
        }
        (Some((_, None)), _) => Err(Error::new(Kind::Syntax, "the key has no closing bracket")),
        (Some((_, Some(_))), []) => Err(Error::new(Kind::Syntax, "the key is empty")),
        (_, [next, ..]) => Err(unsupported(next)),
    }
}

fn unsupported(segment: &str) -> Error {
    Error::unsupported(format!("the path segment {segment}"))
}

/// The answer to a path that names nothing.
pub(super) fn not_found(name: &str) -> Error {
    Error::new(Kind::UndefinedTable, format!("there is {name} at this address"))
}

fn parse_query(query: &str, strict_names: bool) -> Result<Options> {
    let mut options = Options::default();
    let mut seen: Vec<String> = vec![];
    for (name, value) in pairs(query) {
        let (name, value) = (decode(name, true)?, decode(value, true)?);
        if name.eq_ignore_ascii_case(TOKEN_OPTION) {
            continue;
        }
        if name.starts_with('@') {
            options.aliases.push((name, value));
        } else if let Some(option) = system_option(&name, strict_names) {
            if seen.contains(&option) {
                return Err(Error::new(Kind::Syntax, format!("the option ${option} is given twice")));
            }
            options.set(&option, value)?;
            seen.push(option);
        } else if name.eq_ignore_ascii_case("tables") {
            options.tables = Some(value);
        }
    }
    Ok(options)
}

/// The name of a system query option without `$`, in lower case; `None` for a custom option, which is ignored.
fn system_option(name: &str, strict_names: bool) -> Option<String> {
    const DONE: &[&str] = &["filter", "select", "orderby", "top", "skip", "count", "format", "skiptoken"];
    match name.strip_prefix('$') {
        Some(option) if strict_names => Some(option.to_owned()),
        Some(option) => Some(option.to_ascii_lowercase()),
        None if strict_names => None,
        None => {
            let lower = name.to_ascii_lowercase();
            (DONE.contains(&lower.as_str()) || NOT_DONE.contains(&lower.as_str())).then_some(lower)
        }
    }
}

impl Options {
    fn set(&mut self, option: &str, value: String) -> Result<()> {
        match option {
            "filter" => self.filter = Some(value),
            "select" => self.select = Some(value),
            "orderby" => self.orderby = Some(value),
            "top" => self.top = Some(whole_number(option, &value)?),
            "skip" => self.skip = Some(whole_number(option, &value)?),
            "count" => self.count = truth(&value)?,
            "format" => self.format = Some(value),
            "skiptoken" => self.skiptoken = Some(value),
            other if NOT_DONE.contains(&other) => {
                return Err(Error::unsupported(format!("the option ${other}")));
            }
            other => return Err(Error::new(Kind::Syntax, format!("there is no option ${other}"))),
        }
        Ok(())
    }

    /// The options that a further page repeats, encoded: all but what its token holds.
    pub(super) fn repeated(&self) -> String {
        let texts = [
            ("$filter", &self.filter),
            ("$select", &self.select),
            ("$orderby", &self.orderby),
            ("$format", &self.format),
        ];
        let mut pairs: Vec<String> = texts
            .iter()
            .filter_map(|(name, text)| Some(format!("{name}={}", encode(text.as_deref()?))))
            .collect();
        pairs.extend(self.aliases.iter().map(|(name, text)| format!("{}={}", encode(name), encode(text))));
        pairs.join("&")
    }
}

fn whole_number(option: &str, value: &str) -> Result<u64> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    value
        .parse()
        .ok()
        .filter(|n| digits && i64::try_from(*n).is_ok())
        .ok_or_else(|| Error::new(Kind::InvalidValue, format!("${option} is a whole number from 0 on")))
}

fn truth(value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::new(Kind::InvalidValue, "$count is true or false")),
    }
}

/// Undoes percent encoding; in a query `+` is a space too, as forms write it.
fn decode(text: &str, is_query: bool) -> Result<String> {
    let spaced = if is_query { text.replace('+', " ") } else { text.to_owned() };
    let wrong = |what: &str| Error::new(Kind::Syntax, format!("the URL {what}"));
    let broken = spaced.match_indices('%').any(|(at, _)| {
        !spaced.get(at + 1..at + 3).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    if broken {
        return Err(wrong("has a % that no two hex digits follow"));
    }
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| wrong("is not UTF-8"))?;
    if decoded.contains('\0') { Err(wrong("has a NUL character")) } else { Ok(decoded.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource_of(path: &str) -> Result<Resource, Kind> {
        parse(path, "", false).map(|address| address.resource).map_err(|error| error.kind)
    }

    #[test]
    fn paths_name_resources() {
        let set = |name: &str| Resource::Set { name: name.into() };
        let entity = |key: &str| Resource::Entity { name: "Deals".into(), key: key.into() };
        for (path, expected) in [
            ("/api.rsc", Ok(Resource::Service)),
            ("/API.rsc/", Ok(Resource::Service)),
            ("/api.rsc/@secret", Ok(Resource::Service)),
            ("/api.rsc/$metadata", Ok(Resource::Metadata)),
            ("/api.rsc/@secret/$oas", Ok(Resource::OpenApi)),
            ("/api.rsc/%E5%8F%97%E6%B3%A8", Ok(set("受注"))),
            ("/api.rsc/Deals/$count", Ok(Resource::Count { name: "Deals".into() })),
            ("/api.rsc/Deals(5)", Ok(entity("5"))),
            ("/api.rsc/Deals('a%2Fb')", Ok(entity("'a/b'"))),
            ("/api.rsc/Deals()", Err(Kind::Syntax)),
            ("/api.rsc/Deals(5", Err(Kind::Syntax)),
            ("/api.rsc/Deals(5)/Name", Err(Kind::Unsupported)),
            ("/api.rsc/$batch", Err(Kind::Unsupported)),
            ("/", Err(Kind::UndefinedTable)),
            ("/api.rsc/%FF", Err(Kind::Syntax)),
            ("/api.rsc/a%00", Err(Kind::Syntax)),
            ("/api.rsc/a%2", Err(Kind::Syntax)),
        ] {
            assert_eq!(resource_of(path), expected, "{path}");
        }
    }

    #[test]
    fn options_go_by_any_name() {
        let options = |query: &str, strict| parse("/api.rsc/A", query, strict).map(|address| address.options);
        let expected = Options { top: Some(5), filter: Some("a eq 'x&y'".into()), ..Options::default() };
        for query in
            ["$top=5&$filter=a+eq%20'x%26y'", "TOP=5&$Filter=a%20eq+'x%26y'", "top=5&filter=a eq 'x%26y'&x=1"]
        {
            assert_eq!(options(query, false).unwrap(), expected, "{query}");
        }
        assert_eq!(options("top=5", true).unwrap(), Options::default());
        for (query, kind) in [
            ("$top=-1", Kind::InvalidValue),
            ("$top=x", Kind::InvalidValue),
            ("$top=1&$top=2", Kind::Syntax),
            ("$nothing=1", Kind::Syntax),
            ("$expand=a", Kind::Unsupported),
            ("search=a", Kind::Unsupported),
            ("$count=1", Kind::InvalidValue),
        ] {
            assert_eq!(options(query, false).unwrap_err().kind, kind, "{query}");
        }
    }

    #[test]
    fn a_token_of_the_url_is_found() {
        let token = |path, query| token(path, query).unwrap().unwrap();
        assert_eq!(token("/api.rsc/@a%20b/A", ""), UrlToken { text: "a b".into(), in_path: true });
        assert_eq!(token("/api.rsc/A", "@authtoken=t"), UrlToken { text: "t".into(), in_path: false });
        assert!(!format!("{:?}", token("/api.rsc/@secret/", "")).contains("secret"));
    }
}
