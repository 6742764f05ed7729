//! DATETIME, CREATED_TIME and UPDATED_TIME: instants, to the minute.

use chrono::DateTime;
use datafusion::scalar::ScalarValue;

use super::date::{self, RANGE};
use super::decode::InstantDecoder;
use super::rule::{Comparison as C, Formula, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native, Order, id, native};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// Kintone stores whole minutes in UTC (K§3.5), so that a literal with seconds is moved to the minute that gives
/// the same answer. Pushed as a literal in UTC, never as `TODAY()`, which follows the API user's zone (K§3.4).
pub(crate) struct Datetime;

/// The times that Kintone sets itself: never empty.
pub(crate) struct SystemTime;

const MINUTES: &str = "whole minutes on both sides (K§3.5)";

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

    fn rules(&self, _: &FieldProperties) -> &'static [Rule] {
        const {
            &[
                Rule::exact(P::Compare(C::Eq), MINUTES),
                Rule::exact(P::Compare(C::NotEq), RANGE),
                Rule::exact(P::Compare(C::Lt), RANGE),
                Rule::exact(P::Compare(C::LtEq), RANGE),
                Rule::exact(P::Compare(C::Gt), RANGE),
                Rule::exact(P::Compare(C::GtEq), RANGE),
                Rule::exact(P::IsNull, "= \"\" finds the empty ones (K§3.5)"),
                Rule::exact(P::IsNotNull, "!= \"\" finds the others (K§3.5)"),
            ]
        }
    }

    fn order(&self, field: &FieldProperties) -> Option<Order> {
        Some(date::order(field))
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::day(field, native, true)
    }

    fn formula(&self, field: &FieldProperties, predicate: &Predicate) -> Option<Formula> {
        match predicate {
            Predicate::IsNull => Some(id::emptiness(&field.code, true)),
            Predicate::IsNotNull => Some(id::emptiness(&field.code, false)),
            Predicate::Compare(op, value) => match to_the_minute(*op, instant(value)?)? {
                Minute::Never => Some(Formula::Nothing),
                Minute::NotEmpty => Some(id::emptiness(&field.code, false)),
                Minute::At(op, text) => date::compare(field, op, text),
            },
            _ => None,
        }
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

    fn rules(&self, _: &FieldProperties) -> &'static [Rule] {
        const {
            &[
                Rule::exact(P::Compare(C::Eq), MINUTES),
                Rule::exact(P::Compare(C::NotEq), MINUTES),
                Rule::exact(P::Compare(C::Lt), MINUTES),
                Rule::exact(P::Compare(C::LtEq), MINUTES),
                Rule::exact(P::Compare(C::Gt), MINUTES),
                Rule::exact(P::Compare(C::GtEq), MINUTES),
            ]
        }
    }

    fn order(&self, _: &FieldProperties) -> Option<Order> {
        Some(Order::never_empty())
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::day(field, native, false)
    }

    fn formula(&self, field: &FieldProperties, predicate: &Predicate) -> Option<Formula> {
        let Predicate::Compare(op, value) = predicate else { return None };
        Some(match to_the_minute(*op, instant(value)?)? {
            Minute::Never => Formula::Nothing,
            Minute::NotEmpty => Formula::All,
            Minute::At(op, value) => Formula::Of(Condition::Compare {
                field: field.code.clone(),
                operator: id::operator(op),
                value,
            }),
        })
    }
}

/// A comparison with an instant, said in whole minutes.
#[derive(Debug, PartialEq)]
enum Minute {
    /// No whole minute satisfies it.
    Never,
    /// Every whole minute does.
    NotEmpty,
    At(C, String),
}

/// `t >= 12:00:30` is `t > 12:00` where `t` is a whole minute; `t = 12:00:30` is never true.
fn to_the_minute(op: C, micros: i64) -> Option<Minute> {
    const MINUTE: i64 = 60_000_000;
    let floor = micros.div_euclid(MINUTE) * MINUTE;
    let op = match (op, floor == micros) {
        (op, true) => op,
        (C::Eq, false) => return Some(Minute::Never),
        (C::NotEq, false) => return Some(Minute::NotEmpty),
        (C::Gt | C::GtEq, false) => C::Gt,
        (C::Lt | C::LtEq, false) => C::LtEq,
    };
    let time = DateTime::from_timestamp_micros(floor)?;
    date::four_digits(&time).then(|| Minute::At(op, time.format("%Y-%m-%dT%H:%M:%SZ").to_string()))
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
        let noon = 12 * 3600 * 1_000_000_i64;
        let at = |op, text: &str| Some(Minute::At(op, text.into()));
        for (op, micros, expect) in [
            (C::GtEq, noon, at(C::GtEq, "1970-01-01T12:00:00Z")),
            (C::GtEq, noon + 30_000_000, at(C::Gt, "1970-01-01T12:00:00Z")),
            (C::Gt, noon + 1, at(C::Gt, "1970-01-01T12:00:00Z")),
            (C::Lt, noon + 1, at(C::LtEq, "1970-01-01T12:00:00Z")),
            (C::LtEq, noon - 1, at(C::LtEq, "1970-01-01T11:59:00Z")),
            (C::Eq, noon + 1, Some(Minute::Never)),
            (C::NotEq, noon + 1, Some(Minute::NotEmpty)),
            (C::Gt, -1, at(C::Gt, "1969-12-31T23:59:00Z")),
        ] {
            assert_eq!(to_the_minute(op, micros), expect, "{op:?} {micros}");
        }
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
