//! `FETCH` and `MOVE`: how far a cursor goes.
//!
//! The parser knows a part of PostgreSQL's grammar (`FETCH c`, `FETCH BACKWARD FROM c` and `MOVE` are missing), so
//! that both are read here, from its tokens.

use datafusion::sql::sqlparser::tokenizer::Token;

/// A move of a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// The cursor's name.
    pub cursor: String,
    /// How far, and which way.
    pub direction: Direction,
    /// `MOVE`: no rows are given.
    pub moves: bool,
}

/// How far, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// So many rows; negative: backward; 0: the row where the cursor stands.
    By(i64),
    /// To the end.
    ForwardAll,
    /// To the start.
    BackwardAll,
    /// The row of this number, from 1; negative: from the end.
    Absolute(i64),
    /// The row so far from here.
    Relative(i64),
}

/// Reads `FETCH [direction] [FROM | IN] name`; `None` where the statement is none.
pub(super) fn parse(tokens: &[&Token]) -> Option<Fetch> {
    let (first, rest) = tokens.split_first()?;
    let moves = match word(first)?.as_str() {
        "fetch" => false,
        "move" => true,
        _ => return None,
    };
    let (name, rest) = rest.split_last()?;
    let Token::Word(name) = name else { return None };
    let cursor = if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() };
    let direction = match rest.split_last() {
        Some((last, before)) if matches!(word(last).as_deref(), Some("from" | "in")) => before,
        _ => rest,
    };
    Some(Fetch { cursor, direction: self::direction(direction)?, moves })
}

fn direction(tokens: &[&Token]) -> Option<Direction> {
    let (first, rest) = match tokens.split_first() {
        None => return Some(Direction::By(1)),
        Some((first, rest)) => (word(first), rest),
    };
    let all = matches!(rest, [one] if word(one).as_deref() == Some("all"));
    Some(match (first.as_deref(), rest) {
        (Some("next"), []) => Direction::By(1),
        (Some("prior"), []) => Direction::By(-1),
        (Some("first"), []) => Direction::Absolute(1),
        (Some("last"), []) => Direction::Absolute(-1),
        (Some("all"), []) => Direction::ForwardAll,
        (Some("forward"), []) => Direction::By(1),
        (Some("backward"), []) => Direction::By(-1),
        (Some("forward"), _) if all => Direction::ForwardAll,
        (Some("backward"), _) if all => Direction::BackwardAll,
        (Some("forward"), count) => Direction::By(number(count)?),
        (Some("backward"), count) => Direction::By(number(count)?.checked_neg()?),
        (Some("absolute"), count) => Direction::Absolute(number(count)?),
        (Some("relative"), count) => Direction::Relative(number(count)?),
        _ => Direction::By(number(tokens)?),
    })
}

fn word(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_lowercase()),
        _ => None,
    }
}

fn number(tokens: &[&Token]) -> Option<i64> {
    match tokens {
        [Token::Number(digits, _)] | [Token::Plus, Token::Number(digits, _)] => digits.parse().ok(),
        [Token::Minus, Token::Number(digits, _)] => format!("-{digits}").parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;

    fn read(sql: &str) -> Option<Fetch> {
        let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().unwrap();
        let tokens: Vec<_> = tokens.iter().filter(|t| !matches!(t, Token::Whitespace(_))).collect();
        parse(&tokens)
    }

    #[test]
    fn every_form_of_the_grammar_is_read() {
        for (sql, direction) in [
            ("FETCH c", Direction::By(1)),
            ("FETCH FROM c", Direction::By(1)),
            ("FETCH NEXT FROM c", Direction::By(1)),
            ("FETCH PRIOR IN c", Direction::By(-1)),
            ("FETCH 100 c", Direction::By(100)),
            ("FETCH -5 FROM c", Direction::By(-5)),
            ("FETCH ALL FROM c", Direction::ForwardAll),
            ("FETCH FORWARD 0 FROM c", Direction::By(0)),
            ("FETCH FORWARD ALL IN c", Direction::ForwardAll),
            ("FETCH BACKWARD 2 FROM c", Direction::By(-2)),
            ("FETCH BACKWARD FROM c", Direction::By(-1)),
            ("FETCH BACKWARD ALL FROM c", Direction::BackwardAll),
            ("FETCH FIRST FROM c", Direction::Absolute(1)),
            ("FETCH LAST FROM c", Direction::Absolute(-1)),
            ("MOVE ABSOLUTE 500 FROM c", Direction::Absolute(500)),
            ("move relative -3 in C", Direction::Relative(-3)),
        ] {
            let fetch = read(sql).unwrap_or_else(|| panic!("{sql}"));
            assert_eq!((fetch.cursor.as_str(), fetch.direction), ("c", direction), "{sql}");
            assert_eq!(fetch.moves, sql.to_lowercase().starts_with("move"));
        }
        assert_eq!(read("FETCH 1 FROM \"C x\"").unwrap().cursor, "C x");
        for sql in ["SELECT 1", "FETCH", "FETCH x FROM c", "FETCH 1.5 FROM c", "FETCH 1 2 FROM c"] {
            assert_eq!(read(sql), None, "{sql}");
        }
    }
}
