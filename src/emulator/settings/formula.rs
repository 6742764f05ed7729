//! Formulas, as far as a form refuses them (K§4.3, `GAIA_IL01`): grammar, functions, fields, circles. Computing
//! them is not done here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::super::app::AppDefinition;
use super::super::field::Kind;
use super::super::reply::{BAD_FORMULA, Failure};
use super::{preview, reference};

/// The functions, with the fewest and the most arguments.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("SUM", 1, usize::MAX),
    ("IF", 3, 3),
    ("AND", 1, usize::MAX),
    ("OR", 1, usize::MAX),
    ("NOT", 1, 1),
    ("ROUND", 1, 2),
    ("ROUNDUP", 1, 2),
    ("ROUNDDOWN", 1, 2),
    ("YEN", 1, 2),
    ("DATE_FORMAT", 3, 3),
    ("CONTAINS", 2, 2),
];
/// How deep parentheses may nest, so that no formula exhausts the stack.
const DEEPEST: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Number,
    Text,
    Word(String),
    Operator,
    Open,
    Close,
    Comma,
}

/// Tokens with where they begin and end, in bytes.
fn tokens(text: &str) -> Option<Vec<(Token, usize, usize)>> {
    let mut out = vec![];
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{3000}']);
        let start = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Some(out) };
        let is_word = |c: char| c.is_alphanumeric() || "_＿･・$＄¥￥€£".contains(c);
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '"' => (Token::Text, text_length(rest)?),
            _ if first.is_ascii_digit() => (Token::Number, number_length(rest)?),
            _ if is_word(first) => {
                let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                (Token::Word(rest.get(..length)?.to_owned()), length)
            }
            _ => {
                let known = ["!=", "<>", "<=", ">=", "+", "-", "*", "/", "^", "&", "=", "<", ">"];
                (Token::Operator, known.iter().find(|operator| rest.starts_with(**operator))?.len())
            }
        };
        out.push((token, start, start + length));
        rest = rest.get(length..)?;
    }
}

/// A text in quotes; a backslash keeps the next character.
fn text_length(rest: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Digits with at most one point. An exponent is no part of a formula.
fn number_length(rest: &str) -> Option<usize> {
    let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let number = rest.get(..length)?;
    let next = rest.get(length..)?.chars().next();
    let whole = number.matches('.').count() <= 1 && !number.ends_with('.');
    (whole && !next.is_some_and(char::is_alphabetic)).then_some(length)
}

/// Reads the grammar and gathers the fields.
struct Parser<'a> {
    tokens: &'a [(Token, usize, usize)],
    at: usize,
    depth: usize,
    fields: BTreeSet<String>,
}

type Step = Result<(), String>;

fn wrong<T>() -> Result<T, String> {
    Err("The syntax of the formula is wrong.".to_owned())
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, ..)| token)
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    /// Operands between operators. Which binds stronger does not matter here.
    fn expression(&mut self) -> Step {
        self.operand()?;
        while self.take(&Token::Operator) {
            self.operand()?;
        }
        Ok(())
    }

    fn is_sign(&self, text: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|(token, start, end)| {
            *token == Token::Operator && matches!(text.get(*start..*end), Some("+" | "-"))
        })
    }

    fn operand(&mut self) -> Step {
        let token = self.peek().cloned();
        self.at += 1;
        match token {
            Some(Token::Number | Token::Text) => Ok(()),
            Some(Token::Open) => self.nested(|parser| match parser.expression() {
                Ok(()) if parser.take(&Token::Close) => Ok(()),
                Ok(()) => wrong(),
                error => error,
            }),
            Some(Token::Word(name)) if self.take(&Token::Open) => self.function(&name),
            Some(Token::Word(code)) => {
                self.fields.insert(code);
                Ok(())
            }
            _ => wrong(),
        }
    }

    fn nested(&mut self, work: impl FnOnce(&mut Self) -> Step) -> Step {
        self.depth += 1;
        if self.depth > DEEPEST {
            return wrong();
        }
        work(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn function(&mut self, name: &str) -> Step {
        let Some((_, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            return Err(format!("The function {name} cannot be used."));
        };
        self.nested(|parser| {
            let mut count = 0;
            if !parser.take(&Token::Close) {
                loop {
                    parser.expression()?;
                    count += 1;
                    if parser.take(&Token::Close) {
                        break;
                    }
                    if !parser.take(&Token::Comma) {
                        return wrong();
                    }
                }
            }
            if count < *least || count > *most {
                return Err(format!("The function {name} has a wrong number of arguments."));
            }
            Ok(())
        })
    }
}

/// The fields that a formula names.
fn fields(expression: &str) -> Result<BTreeSet<String>, String> {
    let Some(tokens) = tokens(expression) else { return wrong() };
    // A sign in front of an operand is no operator.
    let operand_next = |at: usize| {
        at == 0 || matches!(tokens.get(at - 1), Some((Token::Operator | Token::Open | Token::Comma, ..)))
    };
    let mut probe = Parser { tokens: &tokens, at: 0, depth: 0, fields: BTreeSet::new() };
    let mut kept = vec![];
    for (at, token) in tokens.iter().enumerate() {
        probe.at = at;
        if !(operand_next(at) && probe.is_sign(expression)) {
            kept.push(token.clone());
        }
    }
    let mut parser = Parser { tokens: &kept, at: 0, depth: 0, fields: BTreeSet::new() };
    parser.expression()?;
    if parser.at < kept.len() { wrong() } else { Ok(parser.fields) }
}

/// Whether a formula may use a field.
fn is_usable(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::SingleLineText
            | Kind::Number
            | Kind::Calc
            | Kind::CheckBox
            | Kind::RadioButton
            | Kind::DropDown
            | Kind::MultiSelect
            | Kind::Date
            | Kind::Time
            | Kind::DateTime
            | Kind::CreatedTime
            | Kind::UpdatedTime
            | Kind::Creator
            | Kind::Modifier
            | Kind::RecordNumber
            | Kind::Status
    )
}

/// Checks every formula of a form.
pub(super) fn check(app: &AppDefinition) -> Result<(), Failure> {
    let mut uses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let fail = |code: &str, why: String| Failure::about(BAD_FORMULA, &format!("{code}: {why}"));
    for code in preview::codes(app) {
        let Some(field) = reference::find(app, code) else { continue };
        let expression = field.get("expression").and_then(Json::as_str).filter(|text| !text.is_empty());
        let Some(expression) = expression else { continue };
        let named = fields(expression).map_err(|why| fail(code, why))?;
        for name in &named {
            let kind = reference::find(app, name).and_then(reference::kind);
            let kind = kind.ok_or_else(|| fail(code, format!("There is no field {name}.")))?;
            if !is_usable(kind) {
                return Err(fail(code, format!("The field {name} cannot be used in a formula.")));
            }
        }
        uses.insert(code, named);
    }
    // Fields whose formulas need no other formula, over and over; what is left is a circle.
    loop {
        let settled = uses.iter().find(|(_, named)| !named.iter().any(|n| uses.contains_key(n.as_str())));
        match settled.map(|(code, _)| *code) {
            Some(code) => drop(uses.remove(code)),
            None => break,
        }
    }
    match uses.keys().next() {
        Some(code) => Err(fail(code, "The fields refer to each other in a circle.".to_owned())),
        None => Ok(()),
    }
}

/// A formula that names a field by its new code.
pub(super) fn rename(expression: &str, old: &str, new: &str) -> String {
    let mut out = expression.to_owned();
    for (token, start, end) in tokens(expression).unwrap_or_default().into_iter().rev() {
        if token == Token::Word(old.to_owned()) {
            out.replace_range(start..end, new);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_name_their_fields_or_are_refused() {
        let named = |text: &str| fields(text).map(|f| f.into_iter().collect::<Vec<_>>().join(" "));
        assert_eq!(named("単価 * 数量 - -1"), Ok("単価 数量".into()));
        assert_eq!(named("IF(AND(a >= 1, b != \"x,\\\"\"), SUM(c), -(d))"), Ok("a b c d".into()));
        assert_eq!(named("a & \"円\""), Ok("a".into()));
        for text in ["", "a +", "a b", "(a", "a)", "IF(a)", "TODAY()", "a ＋ 1", "1e3", "1.", "\"a", "SUM()"]
        {
            assert!(named(text).is_err(), "{text}");
        }
        assert!(named(&"(".repeat(100_000)).is_err());
        assert_eq!(rename("単価 * SUM(単価2, 単価)", "単価", "価格"), "価格 * SUM(単価2, 価格)");
    }
}
