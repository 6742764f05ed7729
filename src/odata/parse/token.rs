//! Text to tokens.

use super::literal::{Literal, parse_duration, scan_number_or_date};
use crate::error::{Error, Kind, Result};
use crate::odata::name::{is_identifier_part, is_identifier_start};

/// The smallest parts of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, with dots and a leading `$` or `@` where it has them.
    Word(String),
    /// A value.
    Literal(Literal),
    /// `(`
    Open,
    /// `)`
    Close,
    Comma,
    Slash,
    Colon,
    Equals,
    /// A minus that begins no number.
    Minus,
    End,
}

/// A token, and where it begins, in characters from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) position: usize,
    /// White space stands before it: operators need it.
    pub(super) spaced: bool,
}

/// Cuts the text. Ends with [`Token::End`].
pub(super) fn tokenize(text: &str) -> Result<Vec<Placed>> {
    let mut out = vec![];
    let mut rest = text;
    let mut spaced = true;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t']);
        spaced |= trimmed.len() < rest.len();
        rest = trimmed;
        let before = text.len() - rest.len();
        let position = text.get(..before).map_or(0, |head| head.chars().count()) + 1;
        let after_operand = matches!(
            out.last(),
            Some(Placed { token: Token::Word(_) | Token::Literal(_) | Token::Close, .. })
        ) && !spaced;
        let (token, length) = next(rest, after_operand)
            .map_err(|message| Error::new(Kind::Syntax, message).with_position(position))?;
        let end = token == Token::End;
        out.push(Placed { token, position, spaced });
        if end {
            return Ok(out);
        }
        rest = rest.get(length..).unwrap_or("");
        spaced = false;
    }
}

fn next(rest: &str, after_operand: bool) -> Result<(Token, usize), String> {
    let Some(first) = rest.chars().next() else { return Ok((Token::End, 0)) };
    let one = match first {
        '(' => Some(Token::Open),
        ')' => Some(Token::Close),
        ',' => Some(Token::Comma),
        '/' => Some(Token::Slash),
        ':' => Some(Token::Colon),
        '=' => Some(Token::Equals),
        _ => None,
    };
    if let Some(token) = one {
        return Ok((token, 1));
    }
    if first == '\'' {
        let (text, length) = scan_string(rest)?;
        return Ok((Token::Literal(Literal::String(text)), length));
    }
    if first.is_ascii_digit() || (matches!(first, '-' | '+') && !after_operand) {
        return match scan_number_or_date(rest) {
            Some((literal, length)) => whole(rest, length).map(|()| (Token::Literal(literal), length)),
            None if first == '-' => Ok((Token::Minus, 1)),
            None => Err(format!("\"{}\" is not a value", head(rest))),
        };
    }
    if first.is_ascii_hexdigit()
        && let Some((literal @ Literal::Other(_), length)) = scan_number_or_date(rest)
    {
        return Ok((Token::Literal(literal), length));
    }
    if is_identifier_start(first) || matches!(first, '$' | '@') {
        return word(rest);
    }
    Err(format!("\"{first}\" is not expected here"))
}

/// A number or a date must not run into a name: `5x` is neither.
fn whole(rest: &str, length: usize) -> Result<(), String> {
    let next = rest.get(length..).and_then(|after| after.chars().next());
    if next.is_some_and(|c| is_identifier_part(c) || matches!(c, '.' | ':' | '-' | '\'')) {
        return Err(format!("\"{}\" is not a value", head(rest)));
    }
    Ok(())
}

fn head(rest: &str) -> String {
    rest.chars().take_while(|c| !matches!(c, ' ' | ',' | ')')).take(40).collect()
}

/// A quoted text from its opening quote on; `''` stands for one quote.
fn scan_string(rest: &str) -> Result<(String, usize), String> {
    let mut out = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != '\'' {
            out.push(c);
        } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
            out.push('\'');
        } else {
            return Ok((out, at + 1));
        }
    }
    Err("the text has no closing quote".into())
}

fn word(rest: &str) -> Result<(Token, usize), String> {
    let lead = rest.chars().next().map_or(0, char::len_utf8);
    let tail = rest.get(lead..).unwrap_or("");
    let length = lead + tail.find(|c: char| !is_identifier_part(c) && c != '.').unwrap_or(tail.len());
    let text = rest.get(..length).unwrap_or("");
    let token = match text.to_ascii_lowercase().as_str() {
        "null" => Token::Literal(Literal::Null),
        "true" => Token::Literal(Literal::Boolean(true)),
        "false" => Token::Literal(Literal::Boolean(false)),
        "nan" if text == "NaN" => Token::Literal(Literal::Float(f64::NAN)),
        "inf" if text == "INF" => Token::Literal(Literal::Float(f64::INFINITY)),
        lower => {
            return match rest.get(length..).filter(|after| after.starts_with('\'')) {
                Some(quoted) => {
                    prefixed(lower, quoted).map(|(literal, n)| (Token::Literal(literal), length + n))
                }
                None => Ok((Token::Word(text.to_owned()), length)),
            };
        }
    };
    Ok((token, length))
}

/// `duration'PT1H'`, `binary'...'`, `geography'...'`, or an enumeration's `Type'Member'`.
fn prefixed(prefix: &str, quoted: &str) -> Result<(Literal, usize), String> {
    let (text, length) = scan_string(quoted)?;
    let literal = match prefix {
        "duration" => {
            parse_duration(&text).ok_or_else(|| format!("'{text}' is not a duration such as 'PT1H30M'"))?
        }
        "binary" => Literal::Other("a binary value"),
        "geography" | "geometry" => Literal::Other("a geographic value"),
        _ => Literal::Other("an enumeration value"),
    };
    Ok((literal, length))
}
