//! Why a query is not asked, or its refusal is no failure. A reason is one line of the final table.

use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use kintone_sql::error::{Error, Kind};

use super::unit::Class;

/// A text without what a parser skips before the first word.
pub(super) fn after_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let next = if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, next)| next)
        } else if rest.starts_with("/*") {
            rest.split_once("*/").map_or("", |(_, next)| next)
        } else {
            return rest;
        };
        rest = next.trim_start();
    }
}

/// In lower case; empty before a bracket.
pub(super) fn first_word(sql: &str) -> String {
    let word = after_comments(sql).split(|c: char| !c.is_alphanumeric() && c != '_').next();
    word.unwrap_or_default().to_lowercase()
}

/// Whether rows come in an order that the statement itself asks for.
pub(super) fn is_ordered(sql: &str) -> bool {
    match Parser::parse_sql(&PostgreSqlDialect {}, sql).as_deref() {
        Ok([Statement::Query(query), ..]) => query.order_by.is_some(),
        _ => sql.to_lowercase().contains("order by"),
    }
}

/// Whether a time in a text has more digits than microseconds have.
pub(super) fn has_nanoseconds(text: &str) -> bool {
    text.split(':').skip(1).any(|part| {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        part.get(2..3) == Some(".") && digits(part) == 2 && part.get(3..).is_some_and(|part| digits(part) > 6)
    })
}

/// Why a query is left out before it is asked.
pub(super) fn before(sql: &str, expected: &[String], class: Class) -> Option<&'static str> {
    if expected.iter().any(|line| line.contains("<slt:ignore>")) {
        return Some("an answer that the file leaves open");
    }
    let lower = sql.to_lowercase();
    if ["arrow_typeof", "arrow_field", "arrow_metadata"].iter().any(|function| lower.contains(function)) {
        return Some("a question for Arrow's types, which are others here");
    }
    if lower.contains("information_schema.") {
        return Some("a question for the catalog, which is another here");
    }
    // Columns are numeric there.
    if class == Class::Filters && lower.contains('/') {
        return Some("a division of integers");
    }
    match first_word(sql).as_str() {
        "" | "select" | "values" | "with" | "table" | "from" => None,
        "explain" => Some("EXPLAIN: a plan is no answer"),
        _ => Some("not a SELECT"),
    }
}

/// Why an error is a refusal; `None` where it is a failure.
pub(super) fn refusal(error: &Error, class: Class) -> Option<String> {
    let what = match error.kind {
        Kind::DivisionByZero if class == Class::DataFusion => {
            "x / 0 is an error, of floats in DataFusion infinity"
        }
        Kind::DivisionByZero => "x / 0 is an error, in SQLite NULL",
        Kind::Syntax => "refused: not PostgreSQL's syntax",
        Kind::UndefinedFunction => "refused: no such function",
        Kind::Unsupported => "refused: not supported",
        Kind::UndefinedTable => "a table that could not be loaded",
        Kind::DatatypeMismatch => "refused: types that do not go together",
        Kind::UndefinedColumn | Kind::AmbiguousColumn => "refused: no such column",
        Kind::Grouping => "refused: a column outside GROUP BY",
        Kind::InvalidValue | Kind::InvalidText | Kind::DatetimeSyntax | Kind::InvalidDatetime => {
            "refused: not a value of the type"
        }
        Kind::NumericOutOfRange => "refused: a number out of range",
        Kind::TooComplex | Kind::TooLarge => "refused: too complex",
        Kind::UndefinedObject => "refused: no such type or object",
        _ => return None,
    };
    Some(what.to_owned())
}
