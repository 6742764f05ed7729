//! Quoting and encodings.

use super::scalar::Function;
use crate::engine::pg_catalog::{Snapshot, Value};
use crate::error::{Error, Kind};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("quote_ident", "text", |_, args| {
        Ok(args.first().map(|value| quote_ident(&value.text())).into())
    }),
    Function::strict("quote_literal", "text", |_, args| {
        Ok(args.first().map(|value| quote_literal(&value.text())).into())
    }),
    Function::lenient("quote_nullable", "text", |_, args| match args.first() {
        None | Some(Value::Null) => Ok("NULL".into()),
        Some(value) => Ok(quote_literal(&value.text()).into()),
    }),
    Function::strict("like_escape", "text", like_escape),
    Function::strict("pg_encoding_to_char", "name", |_, args| {
        Ok(if args.first().and_then(Value::int) == Some(6) { "UTF8" } else { "" }.into())
    }),
    Function::strict("pg_char_to_encoding", "int4", |_, args| {
        let name = args.first().map(Value::text).unwrap_or_default().to_ascii_lowercase();
        Ok(if matches!(name.as_str(), "utf8" | "utf-8" | "unicode") { 6_i64 } else { -1 }.into())
    }),
];

/// Words that a name must be quoted for: PostgreSQL's reserved words.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

/// A name as SQL can read it back: in quotes where it needs them.
pub(crate) fn quote_ident(name: &str) -> String {
    let mut letters = name.chars();
    let starts = letters.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    let plain = starts && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && !RESERVED.contains(&name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A text as a literal of SQL.
pub(super) fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// A pattern with another escape, as one with the backslash. An empty escape means none.
fn like_escape(_: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let [Value::Text(pattern), Value::Text(escape)] = args else { return Ok(Value::Null) };
    if escape.chars().count() > 1 {
        return Err(Error::new(Kind::InvalidValue, "invalid escape string")
            .with_hint("Escape string must be empty or one character."));
    }
    let escape = escape.chars().next();
    let mut out = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let (escaped, letter) = match Some(letter) == escape {
            true => (true, letters.next().unwrap_or(letter)),
            false => (letter == '\\', letter),
        };
        if escaped {
            out.push('\\');
        }
        out.push(letter);
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_where_it_must_be() {
        for (name, quoted) in [
            ("customers", "customers"),
            ("Customers", "\"Customers\""),
            ("order", "\"order\""),
            ("$id", "\"$id\""),
            ("会社名", "\"会社名\""),
            ("a\"b", "\"a\"\"b\""),
            ("1a", "\"1a\""),
        ] {
            assert_eq!(quote_ident(name), quoted);
        }
        assert_eq!(quote_literal("it's a \\"), "E'it''s a \\\\'");
    }

    #[test]
    fn a_pattern_keeps_its_meaning() {
        for (pattern, escape, with_backslash) in
            [("pg/_%", "/", "pg\\_%"), ("a\\_", "/", "a\\\\_"), ("a#", "#", "a\\#"), ("a_", "", "a_")]
        {
            let args = [pattern.into(), escape.into()];
            assert_eq!(like_escape(&Snapshot::default(), &args), Ok(with_backslash.into()), "{pattern}");
        }
        assert!(like_escape(&Snapshot::default(), &["a".into(), "//".into()]).is_err());
    }
}
