//! What stands between EXPLAIN and the statement: `ANALYZE`, `VERBOSE`, or a list such as `(ANALYZE, COSTS off)`.
//!
//! The options are PostgreSQL 15's (its page "EXPLAIN"). Those that add to its text what is not here (buffers, WAL,
//! settings) change nothing.

use datafusion::sql::sqlparser::ast::{self, Expr, UtilityOption};

use crate::error::{Error, Kind, Result};

/// What is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ExplainOptions {
    /// The statement runs, and what each node took is shown.
    pub(super) analyze: bool,
    /// The first line ends in an estimate; `None` where the statement does not say.
    pub(super) costs: Option<bool>,
}

impl ExplainOptions {
    /// Of the word before the statement and the list in brackets.
    ///
    /// # Errors
    /// Of kind `Syntax` for an option that PostgreSQL 15 does not know or a value that is no boolean, `Unsupported`
    /// for another format than text.
    pub(super) fn of(analyze: bool, list: Option<&[UtilityOption]>) -> Result<Self> {
        let mut out = Self { analyze, ..Self::default() };
        for option in list.unwrap_or_default() {
            match option.name.value.to_lowercase().as_str() {
                "analyze" => out.analyze = boolean(option)?,
                "costs" => out.costs = Some(boolean(option)?),
                "verbose" | "settings" | "buffers" | "wal" | "timing" | "summary" => drop(boolean(option)?),
                "format" => match word(option).as_deref() {
                    Some("text") => {}
                    Some(format @ ("json" | "xml" | "yaml")) => {
                        return Err(Error::unsupported(format!(
                            "EXPLAIN (FORMAT {})",
                            format.to_uppercase()
                        )));
                    }
                    _ => return Err(unrecognized(option)),
                },
                name => {
                    return Err(Error::new(Kind::Syntax, format!("unrecognized EXPLAIN option \"{name}\"")));
                }
            }
        }
        Ok(out)
    }
}

/// `true` where an option stands without a value.
fn boolean(option: &UtilityOption) -> Result<bool> {
    match (option.arg.is_some(), word(option).as_deref()) {
        (false, _) | (_, Some("true" | "on" | "1")) => Ok(true),
        (_, Some("false" | "off" | "0")) => Ok(false),
        _ => {
            let message = format!("{} requires a Boolean value", option.name.value.to_lowercase());
            Err(Error::new(Kind::Syntax, message))
        }
    }
}

/// An option's value in lower case.
fn word(option: &UtilityOption) -> Option<String> {
    match option.arg.as_ref()? {
        Expr::Identifier(name) => Some(name.value.to_lowercase()),
        Expr::Value(value) => match &value.value {
            ast::Value::Boolean(value) => Some(value.to_string()),
            ast::Value::Number(value, _) => Some(value.to_string()),
            ast::Value::SingleQuotedString(value) => Some(value.to_lowercase()),
            _ => None,
        },
        _ => None,
    }
}

fn unrecognized(option: &UtilityOption) -> Error {
    let value = word(option).unwrap_or_default();
    Error::new(
        Kind::InvalidParameter,
        format!("unrecognized value for EXPLAIN option \"format\": \"{value}\""),
    )
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    fn check(sql: &str, expect: std::result::Result<(bool, Option<bool>), &str>) {
        let statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        let ast::Statement::Explain { analyze, options, .. } = statement else { panic!("{sql}") };
        let got = ExplainOptions::of(analyze, options.as_deref()).map(|o| (o.analyze, o.costs));
        assert_eq!(got.map_err(|e| e.message), expect.map_err(str::to_owned), "{sql}");
    }

    #[test]
    fn options_are_those_of_postgresql() {
        check("EXPLAIN SELECT 1", Ok((false, None)));
        check("EXPLAIN ANALYZE SELECT 1", Ok((true, None)));
        check("EXPLAIN (ANALYZE, COSTS off) SELECT 1", Ok((true, Some(false))));
        check("EXPLAIN (ANALYZE false, costs true, BUFFERS, FORMAT text) SELECT 1", Ok((false, Some(true))));
        check("EXPLAIN (COSTS 0) SELECT 1", Ok((false, Some(false))));
        check("EXPLAIN (COSTS maybe) SELECT 1", Err("costs requires a Boolean value"));
        check("EXPLAIN (NO_SUCH) SELECT 1", Err("unrecognized EXPLAIN option \"no_such\""));
        check("EXPLAIN (FORMAT json) SELECT 1", Err("EXPLAIN (FORMAT JSON) is not supported"));
    }
}
