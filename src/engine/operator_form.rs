//! `OPERATOR(pg_catalog.=) ANY (...)`, which the parser reads for no quantified comparison: the operator alone.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// The tokens with such operators as plain ones. A plain one stands where the word OPERATOR did.
pub(super) fn plain(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match operator(tokens.get(at..).unwrap_or_default()) {
            Some((operator, length)) => {
                out.push(TokenWithSpan { token: operator, span: token.span });
                at += length;
            }
            None => {
                out.push(token.clone());
                at += 1;
            }
        }
    }
    out
}

/// The operator with which the tokens begin, and how many tokens its long form has.
fn operator(tokens: &[TokenWithSpan]) -> Option<(Token, usize)> {
    let is_word = |token: &Token, keyword| matches!(token, Token::Word(word) if word.keyword == keyword && word.quote_style.is_none());
    let first = tokens.first().filter(|first| is_word(&first.token, Keyword::OPERATOR));
    first?;
    let visible = tokens.iter().enumerate().filter(|(_, t)| !matches!(t.token, Token::Whitespace(_)));
    let mut visible = visible.map(|(at, token)| (at, &token.token)).skip(1);
    let mut next = || visible.next();
    let (_, Token::LParen) = next()? else { return None };
    let (_, Token::Word(schema)) = next()? else { return None };
    let (_, Token::Period) = next()? else { return None };
    let (_, operator) = next()?;
    let (end, Token::RParen) = next()? else { return None };
    let (_, quantifier) = next()?;
    let is_quantifier = [Keyword::ANY, Keyword::ALL, Keyword::SOME].iter().any(|k| is_word(quantifier, *k));
    (is_quantifier && schema.value.eq_ignore_ascii_case("pg_catalog")).then(|| (operator.clone(), end + 1))
}

#[cfg(test)]
mod tests {
    use super::super::statement::parse;

    #[test]
    fn an_operator_before_a_quantifier_is_read() {
        for (sql, plain) in [
            ("SELECT a OPERATOR(pg_catalog.=) ANY (ARRAY['r'])", "SELECT a = ANY(ARRAY['r'])"),
            ("SELECT a OPERATOR ( pg_catalog . <> ) ALL (b)", "SELECT a <> ALL(b)"),
            ("SELECT a OPERATOR(pg_catalog.=) b", "SELECT a OPERATOR(pg_catalog.=) b"),
        ] {
            assert_eq!(parse(sql).unwrap()[0].ast.to_string(), plain, "{sql}");
        }
    }
}
