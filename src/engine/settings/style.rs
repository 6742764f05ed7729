//! Settings whose values are words of their own: `DateStyle`, `client_encoding`, `search_path`.
//!
//! What PostgreSQL knows and this server does not produce is refused by name, so that nobody reads a date in a form
//! that was not asked for.

use super::value::invalid;
use crate::error::{Error, Result};

/// `DateStyle` in its full form; `current` is what it was.
///
/// # Errors
/// A word that is none, two of one kind, or a style that is not produced.
pub(super) fn date_style(text: &str, current: &str) -> Result<String> {
    let wrong = |detail: String| invalid("DateStyle", text).with_detail(detail);
    let (mut style, mut order): (Option<&str>, Option<&str>) = (None, None);
    for word in text.split(',').map(str::trim) {
        let lower = word.to_lowercase();
        let (new_style, new_order) = match lower.as_str() {
            "iso" => (Some("ISO"), None),
            "sql" => (Some("SQL"), None),
            "german" => (Some("German"), None),
            lower if lower.starts_with("postgres") => (Some("Postgres"), None),
            "ymd" => (None, Some("YMD")),
            "dmy" => (None, Some("DMY")),
            "mdy" | "us" => (None, Some("MDY")),
            lower if lower.starts_with("euro") => (None, Some("DMY")),
            lower if lower.starts_with("noneuro") => (None, Some("MDY")),
            "default" => (Some("ISO"), Some("MDY")),
            _ => return Err(wrong(format!("Unrecognized key word: \"{word}\"."))),
        };
        for (known, new) in [(&mut style, new_style), (&mut order, new_order)] {
            if new.is_some() && known.is_some() && *known != new {
                return Err(wrong("Conflicting \"datestyle\" specifications.".into()));
            }
            *known = new.or(*known);
        }
    }
    let style = style.unwrap_or("ISO");
    if style != "ISO" {
        return Err(
            Error::unsupported(format!("DateStyle {style}")).with_hint("Dates are given in the style ISO.")
        );
    }
    let kept = current.rsplit(", ").next().unwrap_or("MDY");
    Ok(format!("ISO, {}", order.unwrap_or(kept)))
}

/// Encodings of PostgreSQL that are not spoken here.
const ENCODINGS: &[&str] = &[
    "abc",
    "alt",
    "big5",
    "eucjis2004",
    "eucjp",
    "euccn",
    "euckr",
    "euctw",
    "gb18030",
    "gbk",
    "johab",
    "koi8",
    "koi8r",
    "koi8u",
    "mskanji",
    "muleinternal",
    "shiftjis",
    "shiftjis2004",
    "sjis",
    "sqlascii",
    "tcvn",
    "uhc",
    "vscii",
    "iso88595",
    "iso88596",
    "iso88597",
    "iso88598",
];

/// `client_encoding`: UTF-8 under each of its names.
///
/// # Errors
/// An encoding that is not spoken, or that does not exist.
pub(super) fn encoding(text: &str) -> Result<String> {
    let name: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let known = |name: &str| {
        ENCODINGS.contains(&name)
            || ["latin", "win", "windows", "iso8859"].iter().any(|prefix| name.starts_with(prefix))
    };
    match name.as_str() {
        "utf8" | "unicode" => Ok("UTF8".into()),
        name if known(name) => Err(Error::unsupported(format!("client_encoding {text}"))
            .with_hint("This server speaks UTF8 to every client.")),
        _ => Err(invalid("client_encoding", text)),
    }
}

/// The schemas of a `search_path`, as PostgreSQL reads a list of names: in quotes exact, else in lower case.
///
/// # Errors
/// Of kind `InvalidValue`: no such list.
pub(super) fn schemas(text: &str) -> Result<Vec<String>> {
    let wrong = || invalid("search_path", text).with_detail("List syntax is invalid.");
    let mut names = vec![];
    let mut rest = text.trim_start();
    if rest.is_empty() {
        return Ok(names);
    }
    loop {
        let name;
        (name, rest) = name_at(rest).ok_or_else(wrong)?;
        names.push(name);
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => return Ok(names),
            None => return Err(wrong()),
        }
    }
}

/// A name at the start of a text, and what follows it.
fn name_at(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c == ',' || c.is_whitespace()).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        return (!name.is_empty()).then(|| (name.to_lowercase(), rest));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((name, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn date_styles() {
        for (text, expected) in [
            ("ISO", Ok("ISO, MDY")),
            ("iso, dmy", Ok("ISO, DMY")),
            ("ymd", Ok("ISO, YMD")),
            ("ISO,European", Ok("ISO, DMY")),
            ("German", Err(Kind::Unsupported)),
            ("foo", Err(Kind::InvalidValue)),
            ("german, iso", Err(Kind::InvalidValue)),
            ("", Err(Kind::InvalidValue)),
        ] {
            let found = date_style(text, "ISO, MDY");
            assert_eq!(found.as_deref().map_err(|error| error.kind), expected, "{text}");
        }
        assert_eq!(date_style("iso", "ISO, DMY").unwrap(), "ISO, DMY");
    }

    #[test]
    fn encodings() {
        for (text, expected) in [
            ("utf-8", Ok("UTF8")),
            ("UNICODE", Ok("UTF8")),
            ("SJIS", Err(Kind::Unsupported)),
            ("WIN1252", Err(Kind::Unsupported)),
            ("foo", Err(Kind::InvalidValue)),
        ] {
            assert_eq!(encoding(text).as_deref().map_err(|error| error.kind), expected, "{text}");
        }
    }

    #[test]
    fn lists_of_schemas() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("\"$user\", public", Some(vec!["$user", "public"])),
            ("A, \"B c\"", Some(vec!["a", "B c"])),
            ("\"a\"\"b\"", Some(vec!["a\"b"])),
            ("\"\"", Some(vec![""])),
            ("a b", None),
            ("a,", None),
            ("\"a", None),
        ] {
            assert_eq!(
                schemas(text).ok(),
                expected.map(|names| names.iter().map(|n| (*n).to_owned()).collect()),
                "{text}"
            );
        }
    }
}
