//! Bounds a text before the parser sees it.
//!
//! A short flat expression can end a process: cloning, printing and dropping a chain of a few thousand operators
//! uses the thread's stack once for each. So a statement's tokens are counted first, and what is over a bound is
//! refused. Nothing here looks at meaning.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Kind, Result};

/// Bytes of a text of any number of statements.
const MAX_BYTES: usize = 1024 * 1024;

/// Operators, casts, set operations and joins in one statement.
const MAX_CHAIN: usize = 1_000;

/// Brackets, CASEs and subqueries inside each other, and signs or NOTs in a row.
const MAX_DEPTH: usize = 50;

/// Literals in one statement.
const MAX_LITERALS: usize = 20_000;

/// Refuses a text that is too long to be read.
pub(super) fn check_size(sql: &str) -> Result<()> {
    if sql.len() > MAX_BYTES {
        let message = format!("the statement has {} bytes; at most {MAX_BYTES} are read", sql.len());
        return Err(Error::new(Kind::TooLarge, message));
    }
    if sql.contains('\0') {
        return Err(Error::new(Kind::Syntax, "the statement holds a NUL character"));
    }
    Ok(())
}

/// Refuses a statement whose tokens say that it is too long a chain, or too deep.
pub(super) fn check_tokens(tokens: &[TokenWithSpan]) -> Result<()> {
    let (mut chain, mut literals, mut depth, mut prefix) = (0_usize, 0_usize, 0_usize, 0_usize);
    for token in tokens {
        match class(&token.token) {
            Class::Blank => continue,
            Class::Open => depth += 1,
            Class::Close => depth = depth.saturating_sub(1),
            Class::Operator => chain += 1,
            Class::Literal => literals += 1,
            Class::Prefix => {
                chain += 1;
                prefix += 1;
            }
            Class::Other => {}
        }
        if !matches!(class(&token.token), Class::Prefix | Class::Open) {
            prefix = 0;
        }
        if depth + prefix > MAX_DEPTH {
            return Err(too_complex(&format!(
                "more than {MAX_DEPTH} brackets, CASEs or NOTs inside each other"
            )));
        }
        if chain > MAX_CHAIN {
            let hint = "Write a long list of OR as IN (...).";
            return Err(
                too_complex(&format!("more than {MAX_CHAIN} operators in one statement")).with_hint(hint)
            );
        }
        if literals > MAX_LITERALS {
            return Err(too_complex(&format!("more than {MAX_LITERALS} literals in one statement")));
        }
    }
    Ok(())
}

fn too_complex(what: &str) -> Error {
    Error::new(Kind::TooComplex, format!("statement too complex: {what}"))
}

enum Class {
    Blank,
    Open,
    Close,
    Operator,
    Prefix,
    Literal,
    Other,
}

fn class(token: &Token) -> Class {
    match token {
        Token::Whitespace(_) => Class::Blank,
        Token::LParen | Token::LBracket | Token::LBrace => Class::Open,
        Token::RParen | Token::RBracket | Token::RBrace => Class::Close,
        Token::Number(..) | Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) => Class::Literal,
        Token::Minus | Token::Plus | Token::Tilde | Token::ExclamationMark | Token::AtSign => Class::Prefix,
        Token::Word(word) => match word.keyword {
            Keyword::CASE => Class::Open,
            Keyword::END => Class::Close,
            Keyword::NOT => Class::Prefix,
            Keyword::AND
            | Keyword::OR
            | Keyword::UNION
            | Keyword::EXCEPT
            | Keyword::INTERSECT
            | Keyword::JOIN
            | Keyword::IS
            | Keyword::BETWEEN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::COLLATE => Class::Operator,
            _ => Class::Other,
        },
        Token::Comma
        | Token::Period
        | Token::SemiColon
        | Token::EOF
        | Token::Placeholder(_)
        | Token::Char(_)
        | Token::NationalStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::DollarQuotedString(_)
        | Token::UnicodeStringLiteral(_) => Class::Other,
        // Every other token is an operator of some dialect.
        _ => Class::Operator,
    }
}
