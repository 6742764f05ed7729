//! Text to tokens (K§3.1).

use unicode_general_category::{GeneralCategory, get_general_category};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A field code, a keyword or a function's name.
    Word(String),
    /// A literal, unescaped.
    Text(String),
    /// A bare number, as written.
    Number(String),
    /// `= != < > <= >= ( ) , .`
    Sign(&'static str),
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: &[&str] = &["!=", "<=", ">=", "=", "<", ">", "(", ")", ",", "."];

/// All tokens, each with the place of its first character; `Err` is the place of the fault.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, usize> {
    let mut out = vec![];
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{3000}']);
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(out) };
        let (token, length) = if first == '"' {
            literal(rest).ok_or(at)?
        } else if first.is_ascii_digit() || first == '-' {
            number(rest).ok_or(at)?
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else if in_word(first) {
            let length = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
            (Token::Word(rest.get(..length).unwrap_or_default().to_owned()), length)
        } else {
            return Err(at);
        };
        out.push((token, at));
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// Letters of any script with their marks, digits, underscores, middle dots and signs of currencies.
fn in_word(c: char) -> bool {
    use GeneralCategory as G;
    c.is_alphanumeric()
        || matches!(c, '_' | '＿' | '・' | '･')
        || matches!(get_general_category(c), G::CurrencySymbol | G::NonspacingMark | G::SpacingMark)
}

/// A literal in double quotes: `\"`, `\\`, `\t`, `\n`, `\r` are escapes, raw control characters are not allowed.
fn literal(rest: &str) -> Option<(Token, usize)> {
    let mut out = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Token::Text(out), at + 1)),
            '\\' => out.push(match chars.next()?.1 {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                c @ ('"' | '\\') => c,
                _ => return None,
            }),
            c if c.is_control() => return None,
            c => out.push(c),
        }
    }
    None
}

/// Digits with a sign and a point; no exponent, and nothing of a word right behind.
fn number(rest: &str) -> Option<(Token, usize)> {
    let unsigned = rest.strip_prefix('-').unwrap_or(rest);
    let length = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let digits = unsigned.get(..length)?;
    let behind = unsigned.get(length..)?.chars().next();
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.matches('.').count() <= 1
        && !behind.is_some_and(in_word);
    let length = rest.len() - unsigned.len() + length;
    plain.then(|| rest.get(..length)).flatten().map(|text| (Token::Number(text.to_owned()), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_apart() {
        let read = |text| tokens(text).map(|t| t.into_iter().map(|(token, _)| token).collect::<Vec<_>>());
        assert_eq!(
            read("氏名　!=\"a\\\"\\n\" -1.5"),
            Ok(vec![
                Token::Word("氏名".into()),
                Token::Sign("!="),
                Token::Text("a\"\n".into()),
                Token::Number("-1.5".into())
            ])
        );
        for code in ["金額・税込", "ﾀﾝｶ･A", "￥_＿", "$id", "Ｆ１", "がぎ", "々〆ー"] {
            assert_eq!(read(code), Ok(vec![Token::Word(code.into())]));
        }
        for (text, at) in [
            ("a = 'x'", 4),
            ("金額（税込） = 1", 6),
            ("a-b = 1", 1),
            ("a = \"\u{1}\"", 4),
            ("a = 1e5", 4),
            ("a = \"b", 4),
            ("a = \"\t\"", 4),
            ("a = \"\\q\"", 4),
            ("a;", 1),
        ] {
            assert_eq!(read(text), Err(at), "{text}");
        }
    }
}
