//! Conditions that someone else wrote in Kintone's query language: looked at before they stand in brackets beside
//! ours.
//!
//! Not a parser: Kintone says what is wrong with a condition. Here only what it could do to the query around it is
//! found: a bracket that closes ours, a quote that opens, a clause that is none of a condition's (K§3.1).

use super::query::Condition;

/// Why a text may not stand as a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NativeError {
    /// Nothing but blanks.
    #[error("it is empty")]
    Empty,
    /// A `"` without its second one.
    #[error("a string is not closed")]
    OpenString,
    /// Brackets that do not match.
    #[error("its brackets do not match")]
    Brackets,
    /// What is no sign of the language: `'a'`, a backquote.
    #[error("Kintone's query language has no sign {0}; its strings stand in double quotes")]
    Sign(char),
    /// `order by`, `limit`, `offset`.
    #[error("{0} is not part of a condition")]
    Clause(&'static str),
    /// `PRIMARY_ORGANIZATION()`, which Kintone leaves out where the user has none: then every record matches (K§3.4).
    #[error(
        "PRIMARY_ORGANIZATION() is not sent: for a user without one Kintone leaves it out and returns every record"
    )]
    FailsOpen,
}

impl Condition {
    /// A condition in Kintone's own words.
    ///
    /// # Errors
    /// The text could reach beyond the brackets that it is put in, or is more than a condition.
    pub fn native(text: &str) -> Result<Self, NativeError> {
        check(text)?;
        Ok(Self::Native(text.trim_matches(is_blank).to_owned()))
    }

    /// The words of a native condition that may be field codes.
    pub(crate) fn native_words(text: &str) -> Vec<String> {
        let words = tokens(text).filter_map(|token| match token {
            Ok(Token::Word(word)) => Some(word),
            _ => None,
        });
        words.collect()
    }
}

/// K§3.1: the full-width space counts as a separator.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{3000}')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '＿' | '・' | '･')
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text,
    Open,
    Close,
    Other,
}

/// The tokens, as far as they matter here.
fn tokens(text: &str) -> impl Iterator<Item = Result<Token, NativeError>> {
    let mut letters = text.chars().peekable();
    std::iter::from_fn(move || {
        while letters.next_if(|c| is_blank(*c)).is_some() {}
        let first = letters.next()?;
        Some(Ok(match first {
            '"' => loop {
                match letters.next() {
                    Some('\\') => drop(letters.next()),
                    Some('"') => break Token::Text,
                    Some(_) => {}
                    None => return Some(Err(NativeError::OpenString)),
                }
            },
            '(' => Token::Open,
            ')' => Token::Close,
            '\'' | '`' | '´' | '“' | '”' | ';' | '\\' => return Some(Err(NativeError::Sign(first))),
            c if c.is_control() => return Some(Err(NativeError::Sign(first))),
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = letters.next_if(|c| is_word(*c)) {
                    word.push(c);
                }
                Token::Word(word)
            }
            _ => Token::Other,
        }))
    })
}

fn check(text: &str) -> Result<(), NativeError> {
    let tokens = tokens(text).collect::<Result<Vec<_>, _>>()?;
    let mut depth = 0_usize;
    for token in &tokens {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.checked_sub(1).ok_or(NativeError::Brackets)?,
            _ => {}
        }
    }
    if depth != 0 {
        return Err(NativeError::Brackets);
    }
    if tokens.is_empty() {
        return Err(NativeError::Empty);
    }
    let starts_clause = clause(tokens.first(), tokens.get(1));
    let clauses = tokens.windows(2).find_map(|pair| clause(pair.first(), pair.get(1)));
    match starts_clause.or(clauses) {
        Some(clause) => return Err(NativeError::Clause(clause)),
        None if is(tokens.last(), "limit") || is(tokens.last(), "offset") => {
            return Err(NativeError::Clause("LIMIT or OFFSET"));
        }
        None => {}
    }
    let fails_open = |pair: &[Token]| {
        is(pair.first(), "PRIMARY_ORGANIZATION") && pair.get(1).is_some_and(|next| *next == Token::Open)
    };
    if tokens.windows(2).any(fails_open) { Err(NativeError::FailsOpen) } else { Ok(()) }
}

fn is(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
}

/// The clause that two words begin.
fn clause(first: Option<&Token>, second: Option<&Token>) -> Option<&'static str> {
    let number = matches!(second, Some(Token::Word(word)) if word.chars().all(char::is_numeric));
    if is(first, "order") && is(second, "by") {
        Some("ORDER BY")
    } else if is(first, "limit") && number {
        Some("LIMIT")
    } else if is(first, "offset") && number {
        Some("OFFSET")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_whole_conditions_pass() {
        for text in [
            "a = 1",
            "会社名 like \"a ) or ( b\" and (x in (\"1\", \"2\"))",
            "　担当 in (LOGINUSER())　",
            "a = \"\\\"\" or b = \"\\\\\"",
            "a = \"order by x limit 5\"",
            "limit_ = 1",
            "明細.数量 in (\"1\")",
        ] {
            assert!(Condition::native(text).is_ok(), "{text}");
        }
        for (text, error) in [
            ("", NativeError::Empty),
            (" \u{3000}", NativeError::Empty),
            ("a = 1) or (b = 2", NativeError::Brackets),
            ("(a = 1", NativeError::Brackets),
            ("a = \"1", NativeError::OpenString),
            ("a = \"1\\\"", NativeError::OpenString),
            ("a = '1'", NativeError::Sign('\'')),
            ("a = 1 order by b desc", NativeError::Clause("ORDER BY")),
            ("a = 1 LIMIT 5", NativeError::Clause("LIMIT")),
            ("limit 5", NativeError::Clause("LIMIT")),
            ("a = 1 offset 5", NativeError::Clause("OFFSET")),
            ("order\u{3000}by a", NativeError::Clause("ORDER BY")),
            ("a = 1 limit", NativeError::Clause("LIMIT or OFFSET")),
            ("o in ( PRIMARY_ORGANIZATION ( ) )", NativeError::FailsOpen),
        ] {
            assert_eq!(Condition::native(text), Err(error), "{text}");
        }
    }

    /// A reader of quotes and brackets alone: where a bracket that was open before the text is closed.
    fn escapes(text: &str) -> bool {
        let (mut depth, mut quoted, mut letters) = (1, false, text.chars());
        while let Some(c) = letters.next() {
            match c {
                '\\' if quoted => drop(letters.next()),
                '"' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return true;
            }
        }
        quoted || depth != 1
    }

    proptest! {
        #[test]
        fn nothing_that_passes_leaves_its_brackets(text in "([a1 ()=,\u{3000}']|\"|\\\\|\"[a()]\"|\\([a\"\\\\]?\\)){0,12}") {
            prop_assert!(Condition::native(&text).is_err() || !escapes(&text), "{}", text);
        }
    }
}
