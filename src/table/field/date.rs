//! DATE.

use datafusion::scalar::ScalarValue;

use super::decode::DateDecoder;
use super::rule::{Comparison as C, Formula, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native, Order, id, native};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// A calendar day, of no zone. Where an empty date stands in Kintone's order is unknown (K§3.5), so that a range
/// always goes with `!= ""`.
pub(crate) struct Date;

pub(super) const RANGE: &str = "with != \"\", wherever empty ones stand (K§3.5)";

impl FieldType for Date {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["DATE"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Date)
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(DateDecoder::default())
    }

    fn rules(&self, _: &FieldProperties) -> &'static [Rule] {
        const {
            &[
                Rule::exact(P::Compare(C::Eq), "days are compared as they are stored (K§3.4)"),
                Rule::exact(P::Compare(C::NotEq), RANGE),
                Rule::exact(P::Compare(C::Lt), RANGE),
                Rule::exact(P::Compare(C::LtEq), RANGE),
                Rule::exact(P::Compare(C::Gt), RANGE),
                Rule::exact(P::Compare(C::GtEq), RANGE),
                Rule::exact(P::In, "as `=` with or: dates take no `in` (K§3.2)"),
                Rule::exact(P::IsNull, "= \"\" finds the empty ones (K§3.5)"),
                Rule::exact(P::IsNotNull, "!= \"\" finds the others (K§3.5)"),
            ]
        }
    }

    fn order(&self, field: &FieldProperties) -> Option<Order> {
        Some(order(field))
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::day(field, native, true)
    }

    fn formula(&self, field: &FieldProperties, predicate: &Predicate) -> Option<Formula> {
        match predicate {
            Predicate::IsNull => Some(id::emptiness(&field.code, true)),
            Predicate::IsNotNull => Some(id::emptiness(&field.code, false)),
            Predicate::Compare(op, value) => compare(field, *op, literal(value)?),
            Predicate::In(values) => {
                let each = values.iter().map(|v| compare(field, C::Eq, literal(v)?));
                Some(Formula::or(each.collect::<Option<_>>()?))
            }
            _ => None,
        }
    }
}

/// `= ""` finds the empty ones, `!= ""` the others (K§3.5); where they sort is not measured (K§3.7).
pub(super) fn order(field: &FieldProperties) -> Order {
    let of = |empty| Some(id::emptiness(&field.code, empty));
    Order { empties_first: false, filled: of(false), empty: of(true) }
}

/// A comparison that leaves out the empty ones.
pub(super) fn compare(field: &FieldProperties, op: C, value: String) -> Option<Formula> {
    let condition = Condition::Compare { field: field.code.clone(), operator: id::operator(op), value };
    Some(match op {
        C::Eq => Formula::Of(condition),
        _ => filled(field, condition),
    })
}

/// A condition that leaves out the empty ones.
pub(super) fn filled(field: &FieldProperties, condition: Condition) -> Formula {
    Formula::and(vec![Formula::Of(condition), id::emptiness(&field.code, false)])
}

/// A day of four-digit years, as Kintone has them.
fn literal(value: &ScalarValue) -> Option<String> {
    let ScalarValue::Date32(Some(days)) = value else { return None };
    let date = chrono::NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(i64::from(*days)))?;
    four_digits(&date).then(|| date.format("%Y-%m-%d").to_string())
}

/// Kintone's dates have years of four digits; beyond, its answer is not known.
pub(super) fn four_digits(date: &impl chrono::Datelike) -> bool {
    (1000..=9999).contains(&date.year())
}
