//! A predicate's operands, read in its field's domain, as a test.

use super::super::field::{Domain, Field, Kind, Place};
use super::super::reply::{
    Failure, NO_GROUP, NO_OPTION, NO_ORGANIZATION, NO_USER, WRONG_ARITY, WRONG_OPERATOR,
};
use super::super::unknown::{SpanBounds, Unknowns};
use super::super::value::{self, Decimal};
use super::check::Scope;
use super::function::{self, Clock, Span};
use super::like::Keyword;
use super::parser::{Argument, Operand, Operator, Predicate};
use super::plan::{Comparison, Filter, Test};
use super::text::{Alike, Texts};

/// The filter of a predicate. `None` where the predicate falls away.
pub(super) fn filter(
    scope: &Scope<'_>,
    field: &Field,
    predicate: &Predicate,
) -> Result<Option<Filter>, Failure> {
    let unset_passes = finds_unset(scope.store.unknowns, field, predicate.operator);
    let negated = is_negative(predicate.operator).then_some(unset_passes);
    Ok(test(scope, field, predicate)?.map(|test| Filter { test, negated }))
}

/// Whether the negation of a test finds unset values (K§3.5).
fn finds_unset(unknowns: Unknowns, field: &Field, operator: Operator) -> bool {
    match field.kind {
        _ if operator == Operator::NotLike => unknowns.not_like_finds_empties,
        Kind::SingleLineText | Kind::Link => unknowns.text_negation_finds_empties,
        Kind::Number | Kind::Calc => unknowns.number_negation_finds_empties,
        Kind::Date | Kind::Time | Kind::DateTime => unknowns.date_negation_finds_empties,
        Kind::RadioButton | Kind::DropDown => unknowns.choice_negation_finds_empties,
        Kind::UserSelect | Kind::OrganizationSelect | Kind::GroupSelect | Kind::Assignee => {
            unknowns.people_negation_finds_empties
        }
        _ => true,
    }
}

/// Whether the operator is the negation of a test.
fn is_negative(operator: Operator) -> bool {
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
fn test(scope: &Scope<'_>, field: &Field, predicate: &Predicate) -> Result<Option<Test>, Failure> {
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
        Domain::Number => numbers(scope, field, predicate).map(Some),
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

/// Whether `""` stands for an unset value with this field and operator.
fn takes_empty(scope: &Scope<'_>, field: &Field, operator: Operator) -> bool {
    let unknowns = scope.store.unknowns;
    let equality = matches!(operator, Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn);
    equality
        && match field.kind {
            Kind::Number | Kind::Calc if is_negative(operator) => unknowns.numbers_differ_from_empty,
            Kind::Number | Kind::Calc => unknowns.numbers_equal_empty,
            Kind::Time => unknowns.times_take_empty,
            _ => field.domain != Domain::Serial,
        }
}

/// Whether an unset value is less than every other (K§3.5).
fn empty_is_least(scope: &Scope<'_>, field: &Field) -> bool {
    let unknowns = scope.store.unknowns;
    let in_table = matches!(field.place, Place::Column(..));
    (!in_table || unknowns.empties_in_tables_are_least)
        && match field.kind {
            Kind::Calc => unknowns.empty_calcs_are_least,
            Kind::Date => unknowns.empty_dates_are_least,
            Kind::Time => unknowns.empty_times_are_least,
            Kind::DateTime => unknowns.empty_datetimes_are_least,
            _ => true,
        }
}

fn is_empty_text(operand: &Operand) -> bool {
    matches!(operand, Operand::Text(text) if text.is_empty())
}

/// The operands that stand for values, and whether one stands for an unset value.
fn split<'a>(scope: &Scope<'_>, field: &Field, predicate: &'a Predicate) -> (Vec<&'a Operand>, bool) {
    let takes_empty = takes_empty(scope, field, predicate.operator);
    let (empty, values): (Vec<_>, Vec<_>) =
        predicate.operands.iter().partition(|operand| takes_empty && is_empty_text(operand));
    (values, !empty.is_empty())
}

fn numbers(scope: &Scope<'_>, field: &Field, predicate: &Predicate) -> Result<Test, Failure> {
    let read = |operand: &Operand| match operand {
        Operand::Text(text) | Operand::Number(text) => {
            Decimal::literal(text).ok_or_else(|| unreadable(field))
        }
        Operand::Function(..) => Err(Failure::about(WRONG_OPERATOR, &field.code)),
    };
    let (values, unset) = split(scope, field, predicate);
    match (comparison(predicate.operator), values.first()) {
        (Some(_), None) => Ok(Test::Unset),
        (Some(comparison), Some(operand)) => {
            Ok(Test::Number(comparison, read(operand)?, empty_is_least(scope, field)))
        }
        (None, _) => {
            let points = values.into_iter().map(read).collect::<Result<_, _>>()?;
            Ok(Test::Numbers { points, unset })
        }
    }
}

fn integers(scope: &Scope<'_>, field: &Field, predicate: &Predicate) -> Result<Test, Failure> {
    let (values, unset) = split(scope, field, predicate);
    match (comparison(predicate.operator), values.first()) {
        (Some(_), None) => return Ok(Test::Unset),
        (Some(comparison), Some(operand)) => {
            let (first, mut last) = span(scope, field, operand)?;
            let is_span = matches!(operand, Operand::Function(..));
            if is_span
                && comparison != Comparison::Equal
                && scope.store.unknowns.span_bounds == SpanBounds::Start
            {
                last = first;
            }
            return Ok(Test::Integer(comparison, first, last, empty_is_least(scope, field)));
        }
        (None, _) => {}
    }
    let (mut points, mut spans) = (std::collections::HashSet::new(), vec![]);
    for operand in values {
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
            let with_code = scope.store.unknowns.record_number_takes_app_code;
            let digits = if field.kind == Kind::RecordNumber && with_code && !prefix.is_empty() {
                text.strip_prefix(prefix.as_str()).unwrap_or(text)
            } else {
                text
            };
            digits.parse().ok()
        }
    };
    let point = point.ok_or_else(|| unreadable(field))?;
    // Between two minutes: nothing is there, and what is before and after is clear.
    let between = scope.store.unknowns.seconds_in_literals_count && has_seconds(field, text);
    Ok(if between { (point + 1, point) } else { (point, point) })
}

/// Whether a time of day or an instant is written with seconds that are not zero.
fn has_seconds(field: &Field, text: &str) -> bool {
    let time = match field.domain {
        Domain::Time => text,
        Domain::DateTime => text.split_once('T').map_or("", |(_, time)| time),
        _ => return false,
    };
    let time = time.split(['Z', '+', '-']).next().unwrap_or_default();
    time.split(':').nth(2).is_some_and(|seconds| seconds.contains(|c| matches!(c, '1'..='9')))
}

fn function_span(
    scope: &Scope<'_>,
    field: &Field,
    name: &str,
    arguments: &[Argument],
) -> Result<(i64, i64), Failure> {
    let zone = scope.caller.zone;
    let Some(span) = function::span(name, arguments, clock(scope))? else {
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

fn clock(scope: &Scope<'_>) -> Clock {
    Clock { now: scope.now, zone: scope.caller.zone, missing_day: scope.store.unknowns.missing_day }
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
    let unknowns = scope.store.unknowns;
    let is_typed = matches!(field.kind, Kind::SingleLineText | Kind::Link);
    let alike = if is_typed { Alike::typed(unknowns) } else { Alike::EXACT };
    let (mut texts, mut unset, mut nobody) = (vec![], false, false);
    for operand in &predicate.operands {
        match operand {
            Operand::Number(_) if !unknowns.bare_numbers_as_text => return Err(unreadable(field)),
            Operand::Text(text) if text.is_empty() => {
                unset = true;
                if alike.blank_is_empty() {
                    texts.push(String::new());
                }
            }
            Operand::Text(text) | Operand::Number(text) => {
                check_code(scope, field, text)?;
                texts.push(text.clone());
            }
            Operand::Function(name, arguments) => match person(scope, field, name, arguments)? {
                Person::Code(code) => texts.push(code),
                Person::Nobody => nobody = true,
                Person::Dropped => {}
            },
        }
    }
    // Without a primary organization the predicate falls away, and more is returned (K§3.4).
    let asks = unset || nobody || !texts.is_empty();
    Ok(asks.then(|| Test::Texts { texts: Texts::new(texts, alike), unset }))
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

/// Whom a function stands for.
enum Person {
    Code(String),
    Nobody,
    /// As if it were not written.
    Dropped,
}

/// Whom `LOGINUSER()` or `PRIMARY_ORGANIZATION()` stands for.
fn person(scope: &Scope<'_>, field: &Field, name: &str, arguments: &[Argument]) -> Result<Person, Failure> {
    let on_assignee = scope.store.unknowns.login_user_on_assignee;
    let person = match (name, field.kind) {
        ("LOGINUSER", Kind::Assignee) if !on_assignee => return Err(not_here(field, name)),
        ("LOGINUSER", Kind::Creator | Kind::Modifier | Kind::UserSelect | Kind::Assignee) => {
            scope.caller.login_user().map_or(Person::Nobody, |code| Person::Code(code.to_owned()))
        }
        ("PRIMARY_ORGANIZATION", Kind::OrganizationSelect) => {
            let code = scope.store.directory.primary_organization(&scope.caller.code);
            code.map_or(Person::Dropped, |code| Person::Code(code.to_owned()))
        }
        _ => {
            return match function::span(name, arguments, clock(scope))? {
                Some(_) => Err(Failure::about(WRONG_OPERATOR, &field.code)),
                None => Err(not_here(field, name)),
            };
        }
    };
    if arguments.is_empty() { Ok(person) } else { Err(Failure::about(WRONG_ARITY, name)) }
}
