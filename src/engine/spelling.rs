//! PostgreSQL's spellings that the parser does not read, respelled among the tokens; and those that are refused by name.
//!
//! Takes: one statement's tokens with their places. Gives: tokens of the same meaning, in the same places.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

use crate::error::{Error, Result};

/// The call that stands around the first bound of `BETWEEN SYMMETRIC`.
pub(super) const SYMMETRIC: &str = "pg_symmetric";

/// Respells a statement.
///
/// # Errors
/// `Unsupported` for bit strings and for frames and relations that there are not.
pub(super) fn respelled(tokens: &[TokenWithSpan]) -> Result<Vec<TokenWithSpan>> {
    let mut speller = Speller { out: Vec::with_capacity(tokens.len()), bounds: vec![] };
    let visible: Vec<&TokenWithSpan> =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let mut at = 0;
    while let Some(token) = visible.get(at) {
        let before = at.checked_sub(1).and_then(|at| visible.get(at)).map(|token| &token.token);
        let next = |more: usize| visible.get(at + more).map(|token| &token.token);
        at += speller.take(token, before, &next)?;
    }
    Ok(speller.out)
}

struct Speller {
    out: Vec<TokenWithSpan>,
    /// For each bracket or CASE that is open: whether a first bound of BETWEEN SYMMETRIC is in it.
    bounds: Vec<bool>,
}

fn word(text: &str, keyword: Keyword, span: Span) -> TokenWithSpan {
    TokenWithSpan { token: Token::Word(Word { value: text.to_owned(), quote_style: None, keyword }), span }
}

fn is_word(token: Option<&Token>, text: &str) -> bool {
    matches!(token, Some(Token::Word(word)) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

fn is_any(token: Option<&Token>, texts: &[&str]) -> bool {
    texts.iter().any(|text| is_word(token, text))
}

/// Whether a word is a table's, and no keyword of the clauses behind an alias: `SELECT a AS table FROM t`.
fn names_table(token: Option<&Token>) -> bool {
    const CLAUSES: &[&str] = &[
        "FROM",
        "WHERE",
        "GROUP",
        "HAVING",
        "ORDER",
        "LIMIT",
        "OFFSET",
        "FETCH",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "WINDOW",
        "JOIN",
        "INNER",
        "LEFT",
        "RIGHT",
        "FULL",
        "CROSS",
        "NATURAL",
        "ON",
        "USING",
        "FOR",
        "AS",
        "INTO",
    ];
    matches!(token, Some(Token::Word(_))) && !is_any(token, CLAUSES)
}

/// Whether a query may begin behind a token.
fn begins_query(before: Option<&Token>) -> bool {
    const WORDS: &[&str] =
        &["AS", "FOR", "UNION", "EXCEPT", "INTERSECT", "ALL", "DISTINCT", "EXPLAIN", "ANALYZE", "VERBOSE"];
    matches!(before, None | Some(Token::LParen | Token::RParen)) || is_any(before, WORDS)
}

/// Refuses the forms that neither the parser nor the planner knows.
fn refuse<'t>(
    token: &Token,
    before: Option<&Token>,
    next: &impl Fn(usize) -> Option<&'t Token>,
) -> Result<()> {
    let this = Some(token);
    let excludes =
        is_any(before, &["PRECEDING", "FOLLOWING", "ROW"]) && is_any(next(1), &["CURRENT", "GROUP", "TIES"]);
    if matches!(token, Token::SingleQuotedByteStringLiteral(_)) {
        return Err(Error::unsupported("a bit string"));
    }
    if is_word(this, "EXCLUDE") && excludes {
        return Err(Error::unsupported("EXCLUDE in a window frame"));
    }
    // DataFusion counts no rows that are there more than once.
    if is_any(this, &["INTERSECT", "EXCEPT"]) && is_word(next(1), "ALL") {
        return Err(Error::unsupported("ALL behind INTERSECT or EXCEPT"));
    }
    if is_word(this, "ROWS") && is_word(next(1), "FROM") && matches!(next(2), Some(Token::LParen)) {
        return Err(Error::unsupported("ROWS FROM"));
    }
    Ok(())
}

impl Speller {
    /// Takes one token, or several. Gives how many.
    fn take<'t>(
        &mut self,
        token: &TokenWithSpan,
        before: Option<&Token>,
        next: &impl Fn(usize) -> Option<&'t Token>,
    ) -> Result<usize> {
        let span = token.span;
        let this = Some(&token.token);
        match &token.token {
            Token::LParen => self.bounds.push(false),
            Token::RParen => drop(self.bounds.pop()),
            _ => {}
        }
        refuse(&token.token, before, next)?;
        let is_name = matches!(before, Some(Token::Period));
        if is_word(this, "CASE") && !is_name {
            self.bounds.push(false);
        } else if is_word(this, "END") && !is_name {
            self.bounds.pop();
        }
        // `TABLE x` is `SELECT * FROM x`.
        if is_word(this, "TABLE") && begins_query(before) && names_table(next(1)) {
            self.out.push(word("SELECT", Keyword::SELECT, span));
            self.out.push(TokenWithSpan { token: Token::Mul, span });
            self.out.push(word("FROM", Keyword::FROM, span));
            return Ok(if is_word(next(1), "ONLY") { 2 } else { 1 });
        }
        if is_word(before, "BETWEEN") && is_word(this, "ASYMMETRIC") {
            return Ok(1);
        }
        if is_word(before, "BETWEEN") && is_word(this, "SYMMETRIC") {
            self.out.push(word(SYMMETRIC, Keyword::NoKeyword, span));
            self.out.push(TokenWithSpan { token: Token::LParen, span });
            match self.bounds.last_mut() {
                Some(bound) => *bound = true,
                // The statement's own level has no bracket.
                None => self.bounds.push(true),
            }
            return Ok(1);
        }
        if is_word(this, "AND")
            && let Some(bound) = self.bounds.last_mut().filter(|bound| **bound)
        {
            *bound = false;
            self.out.push(TokenWithSpan { token: Token::RParen, span });
        }
        // `trim(leading FROM x)`
        let is_trim =
            is_any(before, &["LEADING", "TRAILING", "BOTH"]) || matches!(before, Some(Token::LParen));
        if is_word(this, "FROM") && is_trim && self.is_in_trim() {
            return Ok(1);
        }
        // `FROM ONLY x`: no table has others under it.
        if is_word(this, "ONLY")
            && is_any(before, &["FROM", "JOIN"])
            && matches!(next(1), Some(Token::Word(_)))
        {
            return Ok(1);
        }
        if is_word(this, "USING") && matches!(next(1), Some(Token::Lt | Token::Gt)) {
            let is_ascending = matches!(next(1), Some(Token::Lt));
            let (text, keyword) = if is_ascending { ("ASC", Keyword::ASC) } else { ("DESC", Keyword::DESC) };
            self.out.push(word(text, keyword, span));
            return Ok(2);
        }
        if is_word(this, "EXCLUDE") && is_word(next(1), "NO") && is_word(next(2), "OTHERS") {
            return Ok(3);
        }
        self.out.push(token.clone());
        Ok(1)
    }

    /// Whether the bracket that is open is that of a call of `trim`.
    fn is_in_trim(&self) -> bool {
        let last = self.out.iter().rposition(|token| token.token == Token::LParen);
        let before = last.and_then(|at| at.checked_sub(1)).and_then(|at| self.out.get(at));
        // Nothing but the word for the side is behind the bracket.
        last.is_some_and(|at| self.out.len() - at <= 2) && is_word(before.map(|token| &token.token), "TRIM")
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;

    fn spelled(sql: &str) -> String {
        let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location().unwrap();
        match respelled(&tokens) {
            Ok(tokens) => tokens.iter().map(|token| token.token.to_string()).collect::<Vec<_>>().join(" "),
            Err(error) => error.message,
        }
    }

    #[test]
    fn spellings_are_those_of_the_parser() {
        for (sql, expected) in [
            ("TABLE x", "SELECT * FROM x"),
            ("WITH a AS (TABLE x) TABLE a", "WITH a AS ( SELECT * FROM x ) SELECT * FROM a"),
            ("SELECT \"table\" FROM x", "SELECT \"table\" FROM x"),
            (
                "SELECT a BETWEEN SYMMETRIC (1) AND 2 AND b",
                "SELECT a BETWEEN pg_symmetric ( ( 1 ) ) AND 2 AND b",
            ),
            ("SELECT (a NOT BETWEEN SYMMETRIC 3 AND 1)", "SELECT ( a NOT BETWEEN pg_symmetric ( 3 ) AND 1 )"),
            (
                "SELECT trim(leading FROM x), trim(from y) FROM z",
                "SELECT trim ( leading x ) , trim ( y ) FROM z",
            ),
            ("SELECT a FROM ONLY x ORDER BY a USING >", "SELECT a FROM x ORDER BY a DESC"),
            ("SELECT B'101'", "a bit string is not supported"),
        ] {
            assert_eq!(spelled(sql), expected);
        }
    }
}
