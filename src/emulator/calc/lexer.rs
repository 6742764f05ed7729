//! A formula's text as tokens.

use super::super::value::Decimal;
use super::Fault;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(Decimal),
    Text(String),
    /// A field code or a function.
    Word(String),
    /// `+`, `<=`, `(` and the like.
    Sign(&'static str),
}

/// Longer signs first.
const SIGNS: &[&str] = &["<=", ">=", "<>", "!=", "+", "-", "*", "/", "^", "&", "=", "<", ">", "(", ")", ","];

/// Full-width twins of signs, which Kintone refuses by name.
const WIDE: &str = "＋－＊／＾＆＝＜＞（），！＂”“";

/// What a field code may have beside letters and digits.
const IN_CODES: &str = "_＿・･$＄￥¥€£";

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut out = vec![];
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first == '"' {
            string(rest)?
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else if WIDE.contains(first) {
            return Err(Fault::new(format!("The full-width symbol {first} cannot be used.")));
        } else {
            word(rest)?
        };
        out.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(out)
}

/// A formula that names a field by its new code.
pub(in super::super) fn renamed(text: &str, old: &str, new: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let token = if first == '"' {
            string(rest)
        } else if first.is_alphanumeric() || IN_CODES.contains(first) {
            word(rest)
        } else {
            Ok((Token::Sign(""), first.len_utf8()))
        };
        let Ok((token, length)) = token else { return text.to_owned() };
        let named = token == Token::Word(old.to_owned());
        out.push_str(if named { new } else { rest.get(..length).unwrap_or_default() });
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// `"..."`, where a backslash keeps the next character.
fn string(text: &str) -> Result<(Token, usize), Fault> {
    let mut out = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Ok((Token::Text(out), at + 1)),
            '\\' => out.push(characters.next().ok_or_else(Fault::grammar)?.1),
            c => out.push(c),
        }
    }
    Err(Fault::grammar())
}

/// A number or a name.
fn word(text: &str) -> Result<(Token, usize), Fault> {
    let in_word = |c: char| c.is_alphanumeric() || IN_CODES.contains(c) || c == '.';
    let length = text.find(|c| !in_word(c)).unwrap_or(text.len());
    let word = text.get(..length).unwrap_or_default();
    if word.is_empty() {
        return Err(Fault::grammar());
    }
    let token = match Decimal::parse(word) {
        Some(number) => Token::Number(number),
        None if word.starts_with(|c: char| c.is_ascii_digit() || c == '.') => return Err(Fault::grammar()),
        None => Token::Word(word.to_owned()),
    };
    Ok((token, length))
}
