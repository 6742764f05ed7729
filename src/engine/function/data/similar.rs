//! `SIMILAR TO`: its pattern as a regular expression.

use super::cell::Cell;
use super::kind::{Kind, Returns};
use super::{Def, on};
use crate::error::{Error, Kind as Fault, Result};

pub(super) const FUNCTIONS: &[Def] = &[Def::strict(
    "similar_to_escape",
    &[
        on(&[Kind::Text], Returns::Text, |_, args| {
            expression(args.first().map_or("", Cell::text), Some('\\'))
        }),
        on(&[Kind::Text, Kind::Text], Returns::Text, |_, args| {
            let [pattern, escape] = args else { return Ok(Cell::Null) };
            if escape.text().chars().count() > 1 {
                let hint = "Escape string must be empty or one character.";
                return Err(Error::new(Fault::InvalidValue, "invalid escape string").with_hint(hint));
            }
            expression(pattern.text(), escape.text().chars().next())
        }),
    ],
)];

/// `%` and `_` are wild; `| * + ? {} () []` mean what they mean in a regular expression, all else itself.
fn expression(pattern: &str, escape: Option<char>) -> Result<Cell> {
    let mut out = String::from("^(?s:");
    let mut letters = pattern.chars();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        if Some(letter) == escape {
            let Some(literal) = letters.next() else {
                return Err(Error::new(
                    Fault::InvalidValue,
                    "SIMILAR TO pattern must not end with escape character",
                ));
            };
            push_literal(&mut out, literal);
            continue;
        }
        match letter {
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            _ if in_class => {
                if matches!(letter, '\\' | '[' | '&' | '~') {
                    out.push('\\');
                }
                out.push(letter);
            }
            '[' => {
                in_class = true;
                out.push('[');
            }
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '(' => out.push_str("(?:"),
            '|' | '*' | '+' | '?' | '{' | '}' | ')' => out.push(letter),
            other => push_literal(&mut out, other),
        }
    }
    out.push_str(")$");
    Ok(Cell::Text(out))
}

fn push_literal(out: &mut String, letter: char) {
    if letter.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(letter);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_regular_expression() {
        for (pattern, wanted) in [
            ("a%", "^(?s:a.*)$"),
            ("(a|b)_", "^(?s:(?:a|b).)$"),
            ("a.b\\%", "^(?s:a\\.b\\%)$"),
            ("[a-c]+", "^(?s:[a-c]+)$"),
        ] {
            assert_eq!(expression(pattern, Some('\\')), Ok(Cell::Text(wanted.into())), "{pattern}");
        }
        assert!(expression("a\\", Some('\\')).is_err());
    }
}
