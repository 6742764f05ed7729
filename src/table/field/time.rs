//! TIME: a time of day, to the minute.

use datafusion::scalar::ScalarValue;

use super::datetime::{Minute, to_the_minute};
use super::decode::TimeDecoder;
use super::rule::{Comparison as C, Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use super::{date, id, row};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// Where an empty time stands is unknown, and so is `!= ""` on it (K§3.5): everything is filtered again.
pub(crate) struct Time;

const WHY: &str = "where an empty time stands is unknown (K§3.5)";

impl FieldType for Time {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["TIME"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Time)
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TimeDecoder::default())
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        match place {
            Place::Record => {
                const {
                    &[
                        Rule::superset(&[P::EQ, P::NOT_EQ, P::LT, P::LT_EQ, P::GT, P::GT_EQ], WHY),
                        Rule::superset(&[P::In], "as `=` with or: times take no `in` (K§3.2)"),
                        Rule::superset(&[P::NotIn], "as `!=` with and: times take no `not in` (K§3.2)"),
                        Rule::no(&[P::IsNull], "whether `= \"\"` is taken is unknown (K§3.5)"),
                        Rule::superset(
                            &[P::IsNotNull],
                            "no time is before 00:00; empty ones unknown (K§3.5)",
                        ),
                    ]
                }
            }
            Place::Row => date::IN_ROWS,
        }
    }

    fn formula(&self, field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
        let compare = |op, value: &ScalarValue| {
            Some(match (place, to_the_minute(op, micros(value)?)) {
                (_, Minute::Never) => Formula::Nothing,
                (Place::Record, Minute::NotEmpty) => since_midnight(field),
                (Place::Record, Minute::At(op, at)) => plain(field, op, text(at)),
                (Place::Row, Minute::NotEmpty) => return None,
                (Place::Row, Minute::At(op, at)) => row::compare(&field.code, op, text(at)),
            })
        };
        match predicate {
            Predicate::IsNotNull => Some(since_midnight(field)),
            Predicate::Compare(op, value) => compare(*op, value),
            Predicate::In(values) => date::any(values, &|value| compare(C::Eq, value)),
            Predicate::NotIn(values) => date::none(values, &|value| compare(C::NotEq, value)),
            _ => None,
        }
    }
}

fn plain(field: &FieldProperties, op: C, value: String) -> Formula {
    Formula::Of(Condition::Compare { field: field.code.clone(), operator: id::operator(op), value })
}

/// Every time of day; perhaps empty ones too.
fn since_midnight(field: &FieldProperties) -> Formula {
    plain(field, C::GtEq, text(0))
}

/// Microseconds since midnight; a part of one is no whole minute either.
fn micros(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Time64Nanosecond(Some(n)) => {
            Some(n / 1000 + i64::from(n % 1000 != 0 && n / 1000 % 60_000_000 == 0))
        }
        ScalarValue::Time64Microsecond(Some(n)) => Some(*n),
        _ => None,
    }
}

/// `HH:MM`
fn text(micros: i64) -> String {
    let minutes = micros / 60_000_000;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
