//! DATETIME, CREATED_TIME and UPDATED_TIME: instants, to the minute.

use chrono::DateTime;
use datafusion::scalar::ScalarValue;

use super::date::{self, RANGE};
use super::decode::InstantDecoder;
use super::rule::{Comparison as C, Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native, Order, id, native, row};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// Kintone stores whole minutes in UTC (K§3.5), so that a literal with seconds is moved to the minute that gives
/// the same answer. Pushed as a literal in UTC, never as `TODAY()`, which follows the API user's zone (K§3.4).
pub(crate) struct Datetime;

/// The times that Kintone sets itself: never empty.
pub(crate) struct SystemTime;

const MINUTES: &str = "whole minutes on both sides (K§3.5)";
const IN: Rule = Rule::exact(&[P::In], "as `=` with or: instants take no `in` (K§3.2)");
const NOT_IN: Rule = Rule::exact(&[P::NotIn], "as `!=` with and: instants take no `not in` (K§3.2)");

impl FieldType for Datetime {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["DATETIME"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::TimestampTz)
    }

    fn decoder(&self, _: &FieldProperties, context: &FormContext) -> Box<dyn Decoder> {
        Box::new(InstantDecoder::new(context.time_zone))
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        match place {
            Place::Record => {
                const {
                    &[
                        Rule::exact(&[P::EQ], MINUTES),
                        Rule::exact(&[P::NOT_EQ, P::LT, P::LT_EQ, P::GT, P::GT_EQ], RANGE),
                        IN,
                        NOT_IN,
                        date::IS_NULL,
                        date::IS_NOT_NULL,
                    ]
                }
            }
            Place::Row => date::IN_ROWS,
        }
    }

    fn order(&self, field: &FieldProperties) -> Option<Order> {
        Some(date::order(field))
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::day(field, native, true)
    }

    fn formula(&self, field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
        match (place, predicate) {
            (Place::Record, Predicate::IsNull) => Some(id::emptiness(&field.code, true)),
            (Place::Record, Predicate::IsNotNull) => Some(id::emptiness(&field.code, false)),
            _ => each_instant(predicate, &|op, value| match (place, minute(op, value)?) {
                (_, Minute::Never) => Some(Formula::Nothing),
                (Place::Record, Minute::NotEmpty) => Some(id::emptiness(&field.code, false)),
                (Place::Record, Minute::At(op, at)) => date::compare(field, op, text(at)?),
                (Place::Row, Minute::NotEmpty) => None,
                (Place::Row, Minute::At(op, at)) => Some(row::compare(&field.code, op, text(at)?)),
            }),
        }
    }
}

/// A comparison with each of a predicate's instants.
fn each_instant(
    predicate: &Predicate,
    compare: &dyn Fn(C, &ScalarValue) -> Option<Formula>,
) -> Option<Formula> {
    match predicate {
        Predicate::Compare(op, value) => compare(*op, value),
        Predicate::In(values) => date::any(values, &|value| compare(C::Eq, value)),
        Predicate::NotIn(values) => date::none(values, &|value| compare(C::NotEq, value)),
        _ => None,
    }
}

impl FieldType for SystemTime {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["CREATED_TIME", "UPDATED_TIME"]
    }

    fn columns(&self, field: &FieldProperties) -> Vec<FieldColumn> {
        Datetime.columns(field)
    }

    fn decoder(&self, field: &FieldProperties, context: &FormContext) -> Box<dyn Decoder> {
        Datetime.decoder(field, context)
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        match place {
            Place::Record => {
                const {
                    &[
                        Rule::exact(&[P::EQ, P::NOT_EQ, P::LT, P::LT_EQ, P::GT, P::GT_EQ], MINUTES),
                        IN,
                        NOT_IN,
                        Rule::no(P::NULLS, "never empty; NULL where the login may not view it (K§6)"),
                    ]
                }
            }
            Place::Row => &[],
        }
    }

    fn order(&self, _: &FieldProperties) -> Option<Order> {
        Some(Order::never_empty())
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::day(field, native, false)
    }

    fn formula(&self, field: &FieldProperties, _: Place, predicate: &Predicate) -> Option<Formula> {
        each_instant(predicate, &|op, value| {
            Some(match minute(op, value)? {
                Minute::Never => Formula::Nothing,
                Minute::NotEmpty => Formula::All,
                Minute::At(op, at) => Formula::Of(Condition::Compare {
                    field: field.code.clone(),
                    operator: id::operator(op),
                    value: text(at)?,
                }),
            })
        })
    }
}

/// A comparison with a point of time, said in whole minutes.
#[derive(Debug, PartialEq)]
pub(super) enum Minute {
    /// No whole minute satisfies it.
    Never,
    /// Every whole minute does.
    NotEmpty,
    /// With a whole minute, in microseconds.
    At(C, i64),
}

/// `t >= 12:00:30` is `t > 12:00` where `t` is a whole minute; `t = 12:00:30` is never true.
pub(super) fn to_the_minute(op: C, micros: i64) -> Minute {
    const MINUTE: i64 = 60_000_000;
    let floor = micros.div_euclid(MINUTE) * MINUTE;
    match (op, floor == micros) {
        (op, true) => Minute::At(op, floor),
        (C::Eq, false) => Minute::Never,
        (C::NotEq, false) => Minute::NotEmpty,
        (C::Gt | C::GtEq, false) => Minute::At(C::Gt, floor),
        (C::Lt | C::LtEq, false) => Minute::At(C::LtEq, floor),
    }
}

fn minute(op: C, value: &ScalarValue) -> Option<Minute> {
    Some(to_the_minute(op, instant(value)?))
}

/// An instant as Kintone writes it.
fn text(micros: i64) -> Option<String> {
    let time = DateTime::from_timestamp_micros(micros)?;
    date::four_digits(&time).then(|| time.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Microseconds since 1970 in UTC; finer parts of a literal round to the side that keeps the comparison.
fn instant(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::TimestampSecond(Some(n), Some(_)) => n.checked_mul(1_000_000),
        ScalarValue::TimestampMillisecond(Some(n), Some(_)) => n.checked_mul(1000),
        ScalarValue::TimestampMicrosecond(Some(n), Some(_)) => Some(*n),
        // One nanosecond past a minute is as good as one microsecond past it: both are no whole minute.
        ScalarValue::TimestampNanosecond(Some(n), Some(_)) => Some(
            n.div_euclid(1000) + i64::from(n.rem_euclid(1000) != 0 && n.div_euclid(1000) % 60_000_000 == 0),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_move_to_the_minute_that_answers_alike() {
        const NOON: i64 = 12 * 3600 * 1_000_000;
        for (op, micros, expect) in [
            (C::GtEq, NOON, Minute::At(C::GtEq, NOON)),
            (C::GtEq, NOON + 30_000_000, Minute::At(C::Gt, NOON)),
            (C::Gt, NOON + 1, Minute::At(C::Gt, NOON)),
            (C::Lt, NOON + 1, Minute::At(C::LtEq, NOON)),
            (C::LtEq, NOON - 1, Minute::At(C::LtEq, NOON - 60_000_000)),
            (C::Eq, NOON + 1, Minute::Never),
            (C::NotEq, NOON + 1, Minute::NotEmpty),
            (C::Gt, -1, Minute::At(C::Gt, -60_000_000)),
        ] {
            assert_eq!(to_the_minute(op, micros), expect, "{op:?} {micros}");
        }
        assert_eq!(text(-60_000_000).as_deref(), Some("1969-12-31T23:59:00Z"));
        assert_eq!(text(i64::MIN / 2), None);
    }

    #[test]
    fn nanoseconds_past_a_minute_stay_past_it() {
        let nanos = |n| instant(&ScalarValue::TimestampNanosecond(Some(n), Some("UTC".into())));
        assert_eq!(nanos(1), Some(1));
        assert_eq!(nanos(60_000_000_000), Some(60_000_000));
        assert_eq!(nanos(-1), Some(-1));
        assert_eq!(nanos(1_500), Some(1));
    }
}
