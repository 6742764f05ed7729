//! CALC: a computed field whose format decides its type.

use super::decode::{DateDecoder, DurationDecoder, InstantDecoder, NumberDecoder, TimeDecoder};
use super::rule::{Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use super::{id, number, row};
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

    fn rules(&self, field: &FieldProperties, place: Place) -> &'static [Rule] {
        const NEGATED: Rule =
            Rule::no(&[P::NOT_EQ, P::NotIn], "how exactly results are compared is unknown (K§3.5)");
        const NUMERIC: &[Rule] = &[
            Rule::superset(&[P::EQ, P::LT, P::LT_EQ, P::GT, P::GT_EQ, P::In], WHY),
            NEGATED,
            Rule::no(P::NULLS, WHY),
        ];
        const NUMERIC_IN_ROWS: &[Rule] = &[
            Rule::superset(&[P::EQ, P::In], row::IN),
            Rule::superset(P::RANGES, row::RANGE),
            NEGATED,
            Rule::no(P::NULLS, row::NULLS),
        ];
        const OTHERS: &[Rule] =
            &[Rule::no(P::SCALAR, "how a literal of this format is written is unknown (K§4.1)")];
        match (sql_type(field), place) {
            (SqlType::Numeric, Place::Record) => NUMERIC,
            (SqlType::Numeric, Place::Row) => NUMERIC_IN_ROWS,
            _ => OTHERS,
        }
    }

    fn formats(&self) -> &'static [&'static str] {
        &["NUMBER", "DATE", "TIME", "DATETIME", "HOUR_MINUTE"]
    }

    fn formula(&self, field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
        match place {
            Place::Record => id::formula(&field.code, predicate, &number::literal),
            Place::Row => row::formula(&field.code, predicate, &number::literal),
        }
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
