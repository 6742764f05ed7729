//! CALC: a computed field whose format decides its type.

use super::decode::{DateDecoder, DurationDecoder, InstantDecoder, NumberDecoder, TimeDecoder};
use super::rule::{Comparison as C, Formula, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, id, number};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// How Kintone compares an empty result is not known (K§3.5), so that every answer is filtered again.
pub(crate) struct Calc;

const WHY: &str = "how an empty result compares is unknown (K§3.5)";

impl FieldType for Calc {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["CALC"]
    }

    fn columns(&self, field: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(sql_type(field))
    }

    fn decoder(&self, field: &FieldProperties, context: &FormContext) -> Box<dyn Decoder> {
        match sql_type(field) {
            SqlType::Date => Box::new(DateDecoder::default()),
            SqlType::Time => Box::new(TimeDecoder::default()),
            SqlType::TimestampTz => Box::new(InstantDecoder::new(context.time_zone)),
            SqlType::Interval => Box::new(DurationDecoder::default()),
            _ => Box::new(NumberDecoder::new(context.scale)),
        }
    }

    fn rules(&self, field: &FieldProperties) -> &'static [Rule] {
        const NUMERIC: &[Rule] = &[
            Rule::superset(P::Compare(C::Eq), WHY),
            Rule::superset(P::Compare(C::Gt), WHY),
            Rule::superset(P::Compare(C::GtEq), WHY),
            Rule::superset(P::Compare(C::Lt), WHY),
            Rule::superset(P::Compare(C::LtEq), WHY),
            Rule::superset(P::In, WHY),
        ];
        // Times and durations: the form of a literal is not certain.
        if sql_type(field) == SqlType::Numeric { NUMERIC } else { &[] }
    }

    fn formula(&self, field: &FieldProperties, predicate: &Predicate) -> Option<Formula> {
        id::formula(&field.code, predicate, &number::literal)
    }
}

/// K§4.1: seven formats, of five types.
fn sql_type(field: &FieldProperties) -> SqlType {
    match field.format.as_deref() {
        Some("DATE") => SqlType::Date,
        Some("TIME") => SqlType::Time,
        Some("DATETIME") => SqlType::TimestampTz,
        Some("HOUR_MINUTE" | "DAY_HOUR_MINUTE") => SqlType::Interval,
        _ => SqlType::Numeric,
    }
}
