//! Kintone's functions (K§3.4): their names, what they take, and how Kintone writes them.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};

use crate::error::{Error, Kind};

/// What a function takes.
enum Takes {
    Nothing,
    /// A number of days, weeks, months or years.
    Distance,
    /// A day of the week, or nothing.
    Weekday,
    /// A day of the month, `LAST`, or nothing.
    MonthDay,
}

const FUNCTIONS: &[(&str, Takes)] = &[
    ("LOGINUSER", Takes::Nothing),
    ("TODAY", Takes::Nothing),
    ("YESTERDAY", Takes::Nothing),
    ("TOMORROW", Takes::Nothing),
    ("FROM_TODAY", Takes::Distance),
    ("THIS_WEEK", Takes::Weekday),
    ("LAST_WEEK", Takes::Weekday),
    ("NEXT_WEEK", Takes::Weekday),
    ("THIS_MONTH", Takes::MonthDay),
    ("LAST_MONTH", Takes::MonthDay),
    ("NEXT_MONTH", Takes::MonthDay),
    ("THIS_YEAR", Takes::Nothing),
    ("LAST_YEAR", Takes::Nothing),
    ("NEXT_YEAR", Takes::Nothing),
];

const UNITS: &[&str] = &["DAYS", "WEEKS", "MONTHS", "YEARS"];

const WEEKDAYS: &[&str] = &["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];

/// Left out by Kintone where the user has none, so that every record matches (K§3.4).
pub(super) const FAILS_OPEN: &str = "PRIMARY_ORGANIZATION";

/// The last part of a function's name, in capitals.
pub(super) fn name_of(function: &Function) -> String {
    let last = function.name.0.last().and_then(|part| part.as_ident());
    last.map(|ident| ident.value.to_uppercase()).unwrap_or_default()
}

/// Whether it is a function of Kintone's that a field is compared with. `NOW` is SQL's.
pub(super) fn is_call(function: &Function) -> bool {
    let name = name_of(function);
    name == FAILS_OPEN || FUNCTIONS.iter().any(|(known, _)| *known == name)
}

/// The function as Kintone's query language has it, such as `FROM_TODAY(-7, DAYS)`.
pub(super) fn text_of(function: &Function) -> Result<String, Error> {
    let name = name_of(function);
    if name == FAILS_OPEN {
        let message = "PRIMARY_ORGANIZATION() is not sent: for a user without one Kintone leaves the condition out and \
                       returns every record";
        return Err(Error::new(Kind::Unsupported, message).with_hint("Write the organization's code."));
    }
    let Some((_, takes)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
        return Err(Error::internal("a function without a name"));
    };
    let arguments = arguments(function).unwrap_or_else(|| vec![String::new()]);
    let is_one_of = |words: &[&str], word: &str| words.contains(&word);
    let (fits, wanted) = match (takes, arguments.as_slice()) {
        (Takes::Nothing, given) => (given.is_empty(), "takes no argument"),
        (Takes::Distance, given) => (
            matches!(given, [count, unit] if count.parse::<i32>().is_ok() && is_one_of(UNITS, unit)),
            "takes a whole number and one of DAYS, WEEKS, MONTHS, YEARS",
        ),
        (Takes::Weekday, given) => (
            given.is_empty() || matches!(given, [day] if is_one_of(WEEKDAYS, day)),
            "takes nothing or a day from SUNDAY to SATURDAY",
        ),
        (Takes::MonthDay, given) => {
            let is_day = |day: &str| {
                day == "LAST"
                    || (day.parse::<u8>().is_ok_and(|n| (1..=31).contains(&n))
                        && day.chars().all(|c| c.is_ascii_digit()))
            };
            (
                given.is_empty() || matches!(given, [day] if is_day(day)),
                "takes nothing, LAST or a day from 1 to 31",
            )
        }
    };
    if fits {
        Ok(format!("{name}({})", arguments.join(", ")))
    } else {
        Err(Error::new(Kind::InvalidValue, format!("{name} {wanted}")))
    }
}

/// The arguments as words and numbers; `None` where one is neither.
fn arguments(function: &Function) -> Option<Vec<String>> {
    expressions(function)?.into_iter().map(word).collect()
}

/// A function's plain arguments; `None` where it has others.
pub(super) fn expressions(function: &Function) -> Option<Vec<&Expr>> {
    match &function.args {
        FunctionArguments::List(list) if list.clauses.is_empty() && list.duplicate_treatment.is_none() => {
            list.args
                .iter()
                .map(|arg| match arg {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                    _ => None,
                })
                .collect()
        }
        FunctionArguments::None => Some(vec![]),
        _ => None,
    }
}

fn word(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(ident.value.to_uppercase()),
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(number.clone()),
            Value::SingleQuotedString(text) => Some(text.to_uppercase()),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(value) if matches!(value.value, Value::Number(..)) => {
                Some(format!("-{}", word(expr)?))
            }
            _ => None,
        },
        Expr::Nested(inner) => word(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    fn read(sql: &str) -> Result<String, Error> {
        let expr = Parser::new(&PostgreSqlDialect {}).try_with_sql(sql).unwrap().parse_expr().unwrap();
        let Expr::Function(function) = expr else { panic!("{sql}") };
        assert!(is_call(&function), "{sql}");
        text_of(&function)
    }

    #[test]
    fn functions_are_written_as_kintone_has_them() {
        for (sql, text) in [
            ("today()", "TODAY()"),
            ("LoginUser()", "LOGINUSER()"),
            ("from_today(-7, days)", "FROM_TODAY(-7, DAYS)"),
            ("FROM_TODAY(3, 'weeks')", "FROM_TODAY(3, WEEKS)"),
            ("THIS_WEEK(SUNDAY)", "THIS_WEEK(SUNDAY)"),
            ("LAST_MONTH(LAST)", "LAST_MONTH(LAST)"),
            ("NEXT_MONTH(31)", "NEXT_MONTH(31)"),
            ("THIS_YEAR()", "THIS_YEAR()"),
        ] {
            assert_eq!(read(sql).as_deref(), Ok(text), "{sql}");
        }
        for sql in [
            "TODAY(1)",
            "FROM_TODAY(1)",
            "FROM_TODAY(1.5, DAYS)",
            "FROM_TODAY(1, HOURS)",
            "FROM_TODAY($1, DAYS)",
            "THIS_WEEK(FRI)",
            "THIS_MONTH(32)",
            "THIS_MONTH(-1)",
            "THIS_YEAR(1)",
            "LAST_MONTH(DISTINCT 1)",
        ] {
            assert_eq!(read(sql).unwrap_err().kind, Kind::InvalidValue, "{sql}");
        }
        assert_eq!(read("PRIMARY_ORGANIZATION()").unwrap_err().kind, Kind::Unsupported);
    }
}
