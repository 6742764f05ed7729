//! A connection string, `Key=Value;Key=Value`, to its pairs.

use super::{Properties, property};

/// The pairs of `Key=Value;Key=Value`. A value in single or double quotes or in braces may hold semicolons; the
/// closing quote itself is written twice in it.
pub(super) fn split(text: &str) -> Result<Properties, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
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
}
