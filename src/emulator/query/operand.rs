//! A predicate's operands, read in its field's domain, as a test.

use super::super::field::{Domain, Field, Kind};
use super::super::reply::{
    Failure, NO_GROUP, NO_OPTION, NO_ORGANIZATION, NO_USER, WRONG_ARITY, WRONG_OPERATOR,
};
use super::super::value::{self, Decimal};
use super::check::Scope;
use super::function::{self, Span};
use super::like::Keyword;
use super::parser::{Argument, Operand, Operator, Predicate};
use super::plan::{Comparison, Test, text_key};

/// Whether the operator is the negation of a test.
pub(super) fn is_negative(operator: Operator) -> bool {
    matches!(operator, Operator::NotEqual | Operator::NotIn | Operator::NotLike | Operator::IsNotEmpty)
}

/// Refuses values that are not options of the field: Kintone looks at this before the operator (K§3.2).
pub(super) fn check_options(field: &Field, operands: &[Operand]) -> Result<(), Failure> {
    if !field.kind.is_choice() && field.kind != Kind::Status {
        return Ok(());
    }
    for operand in operands {
        if let Operand::Text(text) | Operand::Number(text) = operand
            && !text.is_empty()
            && !field.options.contains_key(text.as_str())
        {
            return Err(Failure::about(NO_OPTION, &format!("{}: {text}", field.code)));
        }
    }
    Ok(())
}

/// The test of a predicate, without its negation. `None` where the predicate falls away.
pub(super) fn test(scope: &Scope<'_>, field: &Field, predicate: &Predicate) -> Result<Option<Test>, Failure> {
    let first = predicate.operands.first();
    match predicate.operator {
        Operator::IsEmpty | Operator::IsNotEmpty => {
            return Ok(Some(if field.kind == Kind::MultiLineText { Test::Blank } else { Test::Unset }));
        }
        Operator::Like | Operator::NotLike => {
            let Some(Operand::Text(text)) = first else { return Err(unreadable(field)) };
            return Ok(Some(Test::Words(Keyword::new(text))));
        }
        _ => {}
    }
    match field.domain {
        Domain::Number => numbers(field, predicate).map(Some),
        Domain::Date | Domain::Time | Domain::DateTime | Domain::Duration | Domain::Serial => {
            integers(scope, field, predicate).map(Some)
        }
        Domain::Text | Domain::Texts | Domain::Codes => texts(scope, field, predicate),
        Domain::Files | Domain::Other => Err(Failure::about(WRONG_OPERATOR, &field.code)),
    }
}

fn comparison(operator: Operator) -> Option<Comparison> {
    Some(match operator {
        Operator::Equal | Operator::NotEqual => Comparison::Equal,
        Operator::Less => Comparison::Less,
        Operator::LessEqual => Comparison::LessEqual,
        Operator::Greater => Comparison::Greater,
        Operator::GreaterEqual => Comparison::GreaterEqual,
        _ => return None,
    })
}

fn unreadable(field: &Field) -> Failure {
    Failure::invalid("query", format!("The value for {} is not valid.", field.code))
}

/// Whether `= ""` and `!= ""` ask for unset values here.
fn asks_unset(field: &Field, predicate: &Predicate) -> bool {
    field.domain != Domain::Serial
        && matches!(predicate.operator, Operator::Equal | Operator::NotEqual)
        && predicate.operands.iter().all(is_empty_text)
}

fn is_empty_text(operand: &Operand) -> bool {
    matches!(operand, Operand::Text(text) if text.is_empty())
}

fn numbers(field: &Field, predicate: &Predicate) -> Result<Test, Failure> {
    if asks_unset(field, predicate) {
        return Ok(Test::Unset);
    }
    let read = |operand: &Operand| match operand {
        Operand::Text(text) | Operand::Number(text) => {
            Decimal::literal(text).ok_or_else(|| unreadable(field))
        }
        Operand::Function(..) => Err(Failure::about(WRONG_OPERATOR, &field.code)),
    };
    if let (Some(comparison), Some(operand)) = (comparison(predicate.operator), predicate.operands.first()) {
        return Ok(Test::Number(comparison, read(operand)?));
    }
    let unset = predicate.operands.iter().any(is_empty_text);
    let points =
        predicate.operands.iter().filter(|o| !is_empty_text(o)).map(read).collect::<Result<_, _>>()?;
    Ok(Test::Numbers { points, unset })
}

fn integers(scope: &Scope<'_>, field: &Field, predicate: &Predicate) -> Result<Test, Failure> {
    if asks_unset(field, predicate) {
        return Ok(Test::Unset);
    }
    if let (Some(comparison), Some(operand)) = (comparison(predicate.operator), predicate.operands.first()) {
        let (first, last) = span(scope, field, operand)?;
        let unset_is_least = scope.store.unknowns.empty_times_are_minus_infinity;
        return Ok(Test::Integer(comparison, first, last, unset_is_least));
    }
    let unset = field.domain != Domain::Serial && predicate.operands.iter().any(is_empty_text);
    let (mut points, mut spans) = (std::collections::HashSet::new(), vec![]);
    for operand in predicate.operands.iter().filter(|operand| !unset || !is_empty_text(operand)) {
        match span(scope, field, operand)? {
            (first, last) if first == last => drop(points.insert(first)),
            span => spans.push(span),
        }
    }
    Ok(Test::Integers { points, spans, unset })
}

/// The first and last day, minute or id that an operand stands for.
fn span(scope: &Scope<'_>, field: &Field, operand: &Operand) -> Result<(i64, i64), Failure> {
    let text = match operand {
        Operand::Text(text) | Operand::Number(text) => text,
        Operand::Function(name, arguments) => return function_span(scope, field, name, arguments),
    };
    let point = match field.domain {
        Domain::Date => value::parse_date(text).map(i64::from),
        Domain::Time => value::parse_time(text).map(i64::from),
        Domain::DateTime => value::parse_datetime(text),
        Domain::Duration => value::parse_duration(text),
        _ => {
            let prefix = &scope.app.schema.number_prefix;
            let digits = if field.kind == Kind::RecordNumber && !prefix.is_empty() {
                text.strip_prefix(prefix.as_str()).unwrap_or(text)
            } else {
                text
            };
            digits.parse().ok()
        }
    };
    let point = point.ok_or_else(|| unreadable(field))?;
    Ok((point, point))
}

fn function_span(
    scope: &Scope<'_>,
    field: &Field,
    name: &str,
    arguments: &[Argument],
) -> Result<(i64, i64), Failure> {
    let zone = scope.caller.zone;
    let Some(span) = function::span(name, arguments, scope.now, zone)? else {
        return Err(not_here(field, name));
    };
    let takes_dates =
        matches!(field.kind, Kind::Date | Kind::DateTime | Kind::CreatedTime | Kind::UpdatedTime);
    match span {
        _ if !takes_dates => Err(Failure::about(WRONG_OPERATOR, &field.code)),
        Span::Now(_) if field.kind == Kind::Date => Err(Failure::about(WRONG_OPERATOR, &field.code)),
        Span::Now(minute) => Ok((minute, minute)),
        Span::Days(first, last) if field.kind == Kind::Date => {
            Ok((i64::from(first.to_epoch_days()), i64::from(last.to_epoch_days())))
        }
        Span::Days(first, last) => {
            let end = last.succ_opt().unwrap_or(last);
            Ok((function::start_of_day(first, zone), function::start_of_day(end, zone) - 1))
        }
    }
}

/// A function of another kind of field, or of none.
fn not_here(field: &Field, name: &str) -> Failure {
    if matches!(name, "LOGINUSER" | "PRIMARY_ORGANIZATION") {
        Failure::about(WRONG_OPERATOR, &field.code)
    } else {
        Failure::invalid("query", format!("There is no function {name}."))
    }
}

fn texts(scope: &Scope<'_>, field: &Field, predicate: &Predicate) -> Result<Option<Test>, Failure> {
    let ignores_case = scope.store.unknowns.text_equality_ignores_case;
    let mut texts = std::collections::HashSet::new();
    let mut unset = false;
    for operand in &predicate.operands {
        match operand {
            Operand::Text(text) | Operand::Number(text) if text.is_empty() => unset = true,
            Operand::Text(text) | Operand::Number(text) => {
                check_code(scope, field, text)?;
                texts.insert(text_key(text, ignores_case).into_owned());
            }
            Operand::Function(name, arguments) => {
                texts.extend(person(scope, field, name, arguments)?);
            }
        }
    }
    // Without a primary organization the predicate falls away, and more is returned (K§3.4).
    Ok((unset || !texts.is_empty()).then_some(Test::Texts { texts, unset, ignores_case }))
}

/// Refuses a code that the directory does not have.
fn check_code(scope: &Scope<'_>, field: &Field, code: &str) -> Result<(), Failure> {
    let directory = &scope.store.directory;
    let (known, refusal) = match field.kind {
        Kind::UserSelect | Kind::Creator | Kind::Modifier | Kind::Assignee => {
            let known = directory.user(code).is_some() || code == super::super::unknown::TOKEN_USER;
            (known, NO_USER)
        }
        Kind::GroupSelect => (directory.group(code).is_some(), NO_GROUP),
        Kind::OrganizationSelect => (directory.organization(code).is_some(), NO_ORGANIZATION),
        _ => return Ok(()),
    };
    if known { Ok(()) } else { Err(Failure::about(refusal, code)) }
}

/// The code that `LOGINUSER()` or `PRIMARY_ORGANIZATION()` stands for; nobody has a primary organization.
fn person(
    scope: &Scope<'_>,
    field: &Field,
    name: &str,
    arguments: &[Argument],
) -> Result<Option<String>, Failure> {
    let code = match (name, field.kind) {
        ("LOGINUSER", Kind::Creator | Kind::Modifier | Kind::UserSelect | Kind::Assignee) => {
            Some(scope.caller.code.clone())
        }
        ("PRIMARY_ORGANIZATION", Kind::OrganizationSelect) => None,
        _ => {
            return match function::span(name, arguments, scope.now, scope.caller.zone)? {
                Some(_) => Err(Failure::about(WRONG_OPERATOR, &field.code)),
                None => Err(not_here(field, name)),
            };
        }
    };
    if arguments.is_empty() { Ok(code) } else { Err(Failure::about(WRONG_ARITY, name)) }
}
