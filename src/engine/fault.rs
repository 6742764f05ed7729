//! Errors from below as what a client can act on: DataFusion's, Arrow's, the tables' and Kintone's.

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};

use super::statement::{Statement, position};
use crate::error::{Error, Kind};
use crate::{kintone, table};

/// An error of planning or running, with a place in the statement where one is known.
pub(super) fn translate(error: &DataFusionError, statement: Option<&Statement>) -> Error {
    let fault = of(error);
    match (statement, &fault.position) {
        (Some(statement), None) => locate(fault, error, statement),
        _ => fault,
    }
}

fn of(error: &DataFusionError) -> Error {
    match error {
        DataFusionError::Context(_, inner) => of(inner),
        DataFusionError::Diagnostic(_, inner) => of(inner),
        DataFusionError::Shared(inner) => of(inner),
        DataFusionError::Collection(errors) => {
            errors.first().map_or_else(|| Error::internal("an error without a cause"), of)
        }
        DataFusionError::External(inner) => external(inner.as_ref()),
        DataFusionError::SchemaError(inner, _) => schema(inner),
        DataFusionError::ArrowError(inner, _) => arrow(inner),
        DataFusionError::NotImplemented(text) => {
            unknown_type(text).unwrap_or_else(|| Error::new(Kind::Unsupported, first_line(text)))
        }
        DataFusionError::ResourcesExhausted(_) => {
            Error::new(Kind::OutOfMemory, "the statement needs more memory than it may have")
                .with_hint("Narrow the statement, or let the administrator raise the memory limit.")
        }
        DataFusionError::SQL(inner, _) => Error::new(Kind::Syntax, first_line(&inner.to_string())),
        DataFusionError::Plan(text) => plan(text),
        DataFusionError::Execution(text) => execution(text),
        DataFusionError::Configuration(text) => Error::new(Kind::InvalidValue, first_line(text)),
        DataFusionError::Internal(text) => Error::internal(first_line(text)),
        other => plan(&other.strip_backtrace()),
    }
}

/// A type that PostgreSQL has not either.
fn unknown_type(text: &str) -> Option<Error> {
    let name = first_line(text.split_once("Unsupported SQL type ")?.1);
    let is_name = name.chars().all(|letter| letter.is_alphanumeric() || "_.$[]\"".contains(letter));
    if !is_name || super::function::is_type(&name) {
        return None;
    }
    Some(Error::new(Kind::UndefinedObject, format!("type \"{}\" does not exist", name.replace('"', ""))))
}

/// A collation that there is not.
pub(super) fn no_collation(name: &ObjectName) -> Error {
    let name = name.to_string().replace('"', "");
    let message = format!("collation \"{name}\" for encoding \"UTF8\" does not exist");
    Error::new(Kind::UndefinedObject, message)
}

/// An error that names something, at its place.
pub(super) fn named(error: Error, statement: &Statement) -> Error {
    let name = error.message.split('"').nth(1).filter(|_| error.position.is_none());
    match name.and_then(|name| find_identifier(statement, name.rsplit('.').next()?)) {
        Some(at) => error.with_position(at),
        None => error,
    }
}

/// Errors that come from elsewhere, by what they are.
fn external(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    if let Some(error) = error.downcast_ref::<Error>() {
        return error.clone();
    }
    if let Some(error) = error.downcast_ref::<table::Error>() {
        return of_table(error);
    }
    if let Some(error) = error.downcast_ref::<DataFusionError>() {
        return of(error);
    }
    if let Some(error) = error.downcast_ref::<ArrowError>() {
        return arrow(error);
    }
    Error::internal("an error of an unknown kind")
}

/// Whether an error says that a form is not what it was when it was read.
pub(super) fn is_stale(error: &DataFusionError) -> bool {
    let DataFusionError::External(inner) = error.find_root() else { return false };
    match inner.downcast_ref::<table::Error>() {
        Some(table::Error::FormChanged { .. }) => true,
        Some(table::Error::Kintone(error)) => {
            matches!(error.code(), Some("GAIA_IQ11" | "GAIA_IQ03" | "GAIA_AP01"))
        }
        // A view's condition is read with the form; a statement's own does not change by reading anew.
        Some(table::Error::Condition { origin: table::Origin::View(_), .. }) => true,
        _ => false,
    }
}

/// An error between a table and Kintone.
pub(super) fn of_table(error: &table::Error) -> Error {
    use table::Error as E;
    let text = error.to_string();
    match error {
        E::Kintone(inner) => of_kintone(inner),
        E::Decode { .. } | E::Page { .. } => Error::new(Kind::BadUpstream, text),
        E::FormChanged { .. } => Error::new(Kind::Unsupported, text).with_hint("Run the statement again."),
        E::TooManyRequests { .. } => Error::new(Kind::RateLimited, text)
            .with_hint("Narrow the statement, or raise kintone.max_requests."),
        E::NeedsFilter { needs, table } => {
            Error::new(Kind::Unsupported, format!("{table} cannot be read as a whole"))
                .with_hint(format!("Add {needs}."))
        }
        E::NotSent { hint, place, .. } => {
            let error = placed(Error::new(Kind::Unsupported, text), *place);
            if hint.is_empty() { error } else { error.with_hint(*hint) }
        }
        E::BadCondition { origin: table::Origin::View(_), .. } => Error::new(Kind::Unsupported, text),
        E::BadCondition { origin: table::Origin::Statement(place), .. } => {
            placed(Error::new(Kind::Syntax, text), *place)
                .with_hint("ORDER BY, LIMIT and OFFSET are SQL's own; strings stand in double quotes.")
        }
        E::Condition { origin, error } => {
            let place = if let table::Origin::Statement(place) = origin { *place } else { None };
            placed(Error::new(kind_of_condition(error), text), place)
        }
        E::NoConnection(_) => Error::internal(text),
    }
}

fn placed(error: Error, place: Option<usize>) -> Error {
    match place {
        Some(place) => error.with_position(place),
        None => error,
    }
}

/// What is wrong with a condition in Kintone's words, by what Kintone says of it (K§5.3).
fn kind_of_condition(error: &kintone::Error) -> Kind {
    match error.code() {
        Some("CB_VA01") => Kind::Syntax,
        Some("GAIA_IQ11") => Kind::UndefinedColumn,
        Some("GAIA_IQ03" | "GAIA_IQ07" | "GAIA_IR02") => Kind::DatatypeMismatch,
        _ => Kind::InvalidValue,
    }
}

/// An answer of Kintone, or none (the codes: K§5.3).
pub(super) fn of_kintone(error: &kintone::Error) -> Error {
    let (kind, hint) = match error.code() {
        Some("CB_WA01" | "CB_AU01" | "CB_TW02" | "GAIA_IA02") => {
            (Kind::Forbidden, "Check the connection's user and password, API token or access token.")
        }
        Some("CB_NO01" | "CB_NO02" | "GAIA_NO01" | "GAIA_AP15" | "GAIA_FU01") => {
            (Kind::Forbidden, "Check the rights of the connection's user or API token, and its GuestSpaceId.")
        }
        Some("GAIA_AP01") => {
            (Kind::UndefinedTable, "The app was deleted, or the connection's user may not see it.")
        }
        Some("GAIA_IQ11") => (Kind::UndefinedColumn, "The app's form changed: run the statement again."),
        Some("GAIA_TO04" | "GAIA_TM12") => (Kind::RateLimited, "Kintone is busy: try again."),
        Some("GAIA_CO02" | "GAIA_DA02") => (Kind::Conflict, "Someone else changed the record: try again."),
        Some(_) if error.is_unreachable() => (Kind::Unavailable, ""),
        Some(_) => (Kind::BadUpstream, ""),
        None if matches!(error, kintone::Error::Partial { .. }) => (
            Kind::BadUpstream,
            "A word search ends at 100,000 hits, whatever else the condition says: search for a rarer word.",
        ),
        None => (kind_of_transport(error), ""),
    };
    let fault = Error::new(kind, error.to_string());
    if hint.is_empty() { fault } else { fault.with_hint(hint) }
}

fn kind_of_transport(error: &kintone::Error) -> Kind {
    if error.is_unreachable() { Kind::Unavailable } else { Kind::BadUpstream }
}

fn schema(error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let message = match &field.relation {
                Some(relation)
                    if !valid_fields.is_empty()
                        && valid_fields.iter().all(|known| known.relation.as_ref() != Some(relation)) =>
                {
                    let message = format!("missing FROM-clause entry for table \"{}\"", relation.table());
                    return Error::new(Kind::UndefinedTable, message);
                }
                Some(relation) => format!("column {}.{} does not exist", relation.table(), field.name),
                None => format!("column \"{}\" does not exist", field.name),
            };
            let names: Vec<String> = valid_fields.iter().map(|f| f.name.clone()).collect();
            with_near(Error::new(Kind::UndefinedColumn, message), &field.name, &names, "column")
        }
        SchemaError::AmbiguousReference { field } => {
            Error::new(Kind::AmbiguousColumn, format!("column reference \"{}\" is ambiguous", field.name))
        }
        other => Error::new(Kind::AmbiguousColumn, first_line(&other.to_string())),
    }
}

/// Adds the nearest names as a hint.
pub(super) fn with_near(error: Error, name: &str, names: &[String], what: &str) -> Error {
    let lower = name.to_lowercase();
    let mut near: Vec<(f64, &String)> = names
        .iter()
        .map(|n| (strsim::jaro_winkler(&n.to_lowercase(), &lower), n))
        .filter(|(score, n)| *score > 0.75 || n.to_lowercase().contains(&lower))
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.dedup_by(|a, b| a.1 == b.1);
    let near: Vec<_> = near.iter().take(3).map(|(_, n)| format!("\"{n}\"")).collect();
    match near.is_empty() {
        true => error,
        false => error.with_hint(format!("Perhaps you meant the {what} {}.", near.join(" or "))),
    }
}

fn arrow(error: &ArrowError) -> Error {
    match error {
        ArrowError::DivideByZero => Error::new(Kind::DivisionByZero, "division by zero"),
        ArrowError::ArithmeticOverflow(text) => Error::new(Kind::NumericOutOfRange, first_line(text)),
        ArrowError::CastError(text) | ArrowError::ParseError(text) => cast(text),
        ArrowError::ExternalError(inner) => external(inner.as_ref()),
        ArrowError::ComputeError(text) | ArrowError::InvalidArgumentError(text) => execution(text),
        ArrowError::MemoryError(_) => Error::new(Kind::OutOfMemory, "out of memory"),
        other => execution(&other.to_string()),
    }
}

/// A value that is none of its type, in PostgreSQL's words where the kernel names both.
fn cast(text: &str) -> Error {
    if let Some((value, sql_type)) = value_and_type(text) {
        let number = value.trim().parse::<f64>().is_ok_and(f64::is_finite);
        return match sql_type {
            "smallint" | "integer" | "bigint" if text.starts_with("Can't") => {
                Error::new(Kind::NumericOutOfRange, format!("{sql_type} out of range"))
            }
            "smallint" | "integer" | "bigint" if number && !value.contains(['.', 'e', 'E']) => {
                let message = format!("value \"{value}\" is out of range for type {sql_type}");
                Error::new(Kind::NumericOutOfRange, message)
            }
            _ => Error::new(
                Kind::InvalidText,
                format!("invalid input syntax for type {sql_type}: \"{value}\""),
            ),
        };
    }
    let lower = text.to_lowercase();
    let kind = if lower.contains("timestamp") || lower.contains("date") || lower.contains("time") {
        Kind::InvalidDatetime
    } else if lower.contains("overflow") || lower.contains("out of range") || lower.contains("too large") {
        Kind::NumericOutOfRange
    } else {
        Kind::InvalidText
    };
    Error::new(kind, first_line(text))
}

/// `Can't cast value 5 to type Int32` and `Cannot cast string 'x' to value of Int32 type`.
fn value_and_type(text: &str) -> Option<(&str, &'static str)> {
    let text = text.lines().next()?.trim();
    let (value, arrow) = match text.split_once("Can't cast value ") {
        Some((_, rest)) => rest.rsplit_once(" to type ")?,
        None => {
            let (_, rest) = text.split_once("Cannot cast string '")?;
            let (value, rest) = rest.rsplit_once("' to value of ")?;
            (value, rest.strip_suffix(" type").unwrap_or(rest))
        }
    };
    let sql_type = match arrow.split('(').next()? {
        "Int16" => "smallint",
        "Int32" => "integer",
        "Int64" => "bigint",
        "Float32" => "real",
        "Float64" => "double precision",
        "Boolean" => "boolean",
        "Decimal128" => "numeric",
        _ => return None,
    };
    Some((value, sql_type))
}

fn execution(text: &str) -> Error {
    let lower = text.to_lowercase();
    if let Some(error) = known_plan(text) {
        return error;
    }
    let kind = if lower.contains("divide by zero") || lower.contains("division by zero") {
        return Error::new(Kind::DivisionByZero, "division by zero");
    } else if lower.contains("overflow") {
        Kind::NumericOutOfRange
    } else if lower.contains("cast") || lower.contains("parse") {
        return cast(text);
    } else {
        Kind::InvalidValue
    };
    Error::new(kind, first_line(text))
}

/// The planner says most things as text.
fn plan(text: &str) -> Error {
    let lower = text.to_lowercase();
    let text = first_line(text.trim_start_matches("Error during planning: "));
    if let Some(error) = known_plan(&text) {
        return error;
    }
    let kind = if lower.contains("table") && lower.contains("not found") {
        Kind::UndefinedTable
    } else if lower.contains("invalid function")
        || lower.contains("no function matches")
        || lower.contains("signature")
    {
        Kind::UndefinedFunction
    } else if lower.contains("group by") || lower.contains("aggregate") {
        Kind::Grouping
    } else if lower.contains("no field named") {
        Kind::UndefinedColumn
    } else if lower.contains("not supported") || lower.contains("unsupported") {
        Kind::Unsupported
    } else if lower.contains("placeholder") || lower.contains("parameter") {
        Kind::InvalidParameter
    } else if lower.contains("cannot be converted")
        || lower.contains("cannot coerce")
        || lower.contains("cannot infer common")
    {
        Kind::DatatypeMismatch
    } else {
        Kind::Syntax
    };
    Error::new(kind, text)
}

const NO_FUNCTION: &str =
    "No function matches the given name and argument types. You might need to add explicit type casts.";

/// Texts of the planner that PostgreSQL has other words and codes for.
fn known_plan(text: &str) -> Option<Error> {
    if let Some(at) = text.find("function ").filter(|_| text.contains(" does not exist")) {
        let rest = text.get(at..)?;
        let end = rest.find(" does not exist")?;
        let message = format!("{} does not exist", rest.get(..end)?);
        return Some(Error::new(Kind::UndefinedFunction, message).with_hint(NO_FUNCTION));
    }
    if let Some((_, rest)) = text.split_once("No function matches the given name and argument types '") {
        let (name, types) = rest.split_once('\'')?.0.split_once('(')?;
        let types: Vec<_> = in_list(types.strip_suffix(')')?).into_iter().map(sql_type).collect();
        let message = format!("function {name}({}) does not exist", types.join(", "));
        return Some(Error::new(Kind::UndefinedFunction, message).with_hint(NO_FUNCTION));
    }
    if let Some((_, rest)) = text.split_once("Cannot coerce arithmetic expression ") {
        let (operands, _) = rest.split_once(" to valid types")?;
        let mut words = operands.split(' ');
        let (left, op, right) = (words.next()?, words.next()?, words.next()?);
        let message = format!("operator does not exist: {} {op} {}", sql_type(left), sql_type(right));
        let hint = "No operator matches the given name and argument types. You might need to add explicit type casts.";
        return Some(Error::new(Kind::UndefinedFunction, message).with_hint(hint));
    }
    if let Some((_, rest)) = text.split_once("column out of bounds, specified: ") {
        let position = rest.split(',').next()?;
        let message = format!("ORDER BY position {position} is not in select list");
        return Some(Error::new(Kind::InvalidColumnReference, message));
    }
    if text.starts_with("LIMIT must be >= 0") {
        return Some(Error::new(Kind::InvalidLimit, "LIMIT must not be negative"));
    }
    text.starts_with("OFFSET must be >=")
        .then(|| Error::new(Kind::InvalidOffset, "OFFSET must not be negative"))
}

/// The parts of a list, at the commas that stand in no brackets.
fn in_list(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let part = text.split(|letter| {
        depth += match letter {
            '(' | '<' | '[' => 1,
            ')' | '>' | ']' => -1,
            _ => 0,
        };
        letter == ',' && depth == 0
    });
    part.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Arrow's name of a type as PostgreSQL's.
fn sql_type(arrow: &str) -> &str {
    match arrow.split('(').next().unwrap_or(arrow) {
        "Boolean" => "boolean",
        "Int16" => "smallint",
        "Int32" => "integer",
        "Int64" => "bigint",
        "Float32" => "real",
        "Float64" => "double precision",
        "Decimal128" | "Decimal256" => "numeric",
        "Utf8" => "text",
        "Date32" => "date",
        "Time64" => "time without time zone",
        "Timestamp" => "timestamp",
        "Interval" => "interval",
        "List" => "array",
        _ => arrow,
    }
}

/// No stack of causes, no backtrace.
fn first_line(text: &str) -> String {
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    line.replace(super::dialect::MARK, "").trim().to_owned()
}

/// The place of a name that does not exist, found in the statement's text.
fn locate(fault: Error, error: &DataFusionError, statement: &Statement) -> Error {
    if fault.kind == Kind::UndefinedObject {
        return named(fault, statement);
    }
    let name = match missing_name(error) {
        Some(name) => name,
        None => return fault,
    };
    match find_identifier(statement, &name) {
        Some(at) => fault.with_position(at),
        None => fault,
    }
}

fn missing_name(error: &DataFusionError) -> Option<String> {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => missing_name(inner),
        DataFusionError::Shared(inner) => missing_name(inner),
        DataFusionError::Collection(errors) => errors.first().and_then(missing_name),
        DataFusionError::SchemaError(inner, _) => match inner.as_ref() {
            SchemaError::FieldNotFound { field, .. } | SchemaError::AmbiguousReference { field } => {
                Some(field.name.clone())
            }
            _ => None,
        },
        DataFusionError::Plan(text) => {
            let rest = text.split_once("function ")?.1;
            let name = rest.split_once('(').filter(|_| rest.contains(") does not exist"))?.0;
            name.rsplit('.').next().map(str::to_owned)
        }
        _ => None,
    }
}

/// The first word or quoted name of the statement that is this name.
fn find_identifier(statement: &Statement, name: &str) -> Option<usize> {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, &statement.sql).tokenize_with_location().ok()?;
    let is_it = |token: &Token| match token {
        Token::Word(word) if word.quote_style.is_some() => word.value == name,
        Token::Word(word) => word.value.to_lowercase() == name.to_lowercase(),
        _ => false,
    };
    let found = tokens.iter().find(|t| is_it(&t.token))?;
    Some(position(&statement.sql, found.span.start) + statement.offset)
}

/// No table of this name, at the place where the statement names it.
pub(super) fn no_table(
    statement: &Statement,
    ident: Option<&Ident>,
    written: &str,
    names: &[String],
) -> Error {
    let name = written.replace('"', "");
    let fault = Error::new(Kind::UndefinedTable, format!("relation \"{name}\" does not exist"));
    let last = name.rsplit('.').next().unwrap_or(&name).to_owned();
    let fault = with_near(fault, &last, names, "table");
    match ident.and_then(|i| find_identifier(statement, &i.value)) {
        Some(at) => fault.with_position(at),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_find_their_kind() {
        for (error, kind) in [
            (DataFusionError::ArrowError(Box::new(ArrowError::DivideByZero), None), Kind::DivisionByZero),
            (DataFusionError::NotImplemented("LATERAL".into()), Kind::Unsupported),
            (DataFusionError::NotImplemented("Unsupported SQL type no_such".into()), Kind::UndefinedObject),
            (DataFusionError::NotImplemented("Unsupported SQL type xml".into()), Kind::Unsupported),
            (DataFusionError::Execution("Arrow error: Divide by zero error".into()), Kind::DivisionByZero),
            (DataFusionError::ResourcesExhausted("x".into()), Kind::OutOfMemory),
            (DataFusionError::Plan("function foo(integer) does not exist".into()), Kind::UndefinedFunction),
            (
                DataFusionError::ArrowError(
                    Box::new(ArrowError::CastError("Cannot cast string 'abc' to value of Int64 type".into())),
                    None,
                ),
                Kind::InvalidText,
            ),
        ] {
            assert_eq!(translate(&error, None).kind, kind, "{error}");
        }
    }

    #[test]
    fn a_function_is_told_with_its_types() {
        let text =
            "No function matches the given name and argument types 'f(Decimal128(1, 1), Utf8)'. You might";
        let error = known_plan(text).unwrap();
        assert_eq!(error.message, "function f(numeric, text) does not exist");
        assert_eq!(in_list(""), [""; 0]);
    }

    #[test]
    fn near_names_are_offered() {
        let names = ["Company".to_owned(), "会社名".to_owned(), "Rank".to_owned()];
        let fault = with_near(Error::new(Kind::UndefinedColumn, "x"), "compny", &names, "column");
        assert_eq!(fault.hint.as_deref(), Some("Perhaps you meant the column \"Company\"."));
        assert_eq!(with_near(Error::new(Kind::UndefinedColumn, "x"), "zzz", &names, "column").hint, None);
    }
}
