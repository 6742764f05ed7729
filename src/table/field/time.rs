//! TIME: a time of day, to the minute.

use datafusion::scalar::ScalarValue;

use super::decode::TimeDecoder;
use super::rule::{Comparison as C, Formula, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, id};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// Where an empty time stands is unknown, and so is `!= ""` on it (K§3.5): ranges are filtered again.
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

    fn rules(&self, _: &FieldProperties) -> &'static [Rule] {
        const {
            &[
                Rule::superset(P::Compare(C::Eq), WHY),
                Rule::superset(P::Compare(C::Lt), WHY),
                Rule::superset(P::Compare(C::LtEq), WHY),
                Rule::superset(P::Compare(C::Gt), WHY),
                Rule::superset(P::Compare(C::GtEq), WHY),
            ]
        }
    }

    fn formula(&self, field: &FieldProperties, predicate: &Predicate) -> Option<Formula> {
        id::formula(&field.code, predicate, &literal)
    }
}

/// Whole minutes only: those with seconds stay here.
fn literal(value: &ScalarValue) -> Option<String> {
    const MINUTE: i64 = 60_000_000_000;
    let nanos = match value {
        ScalarValue::Time64Nanosecond(Some(n)) => *n,
        ScalarValue::Time64Microsecond(Some(n)) => n.checked_mul(1000)?,
        _ => return None,
    };
    if nanos % MINUTE != 0 {
        return None;
    }
    let minutes = nanos / MINUTE;
    Some(format!("{:02}:{:02}", minutes / 60, minutes % 60))
}
