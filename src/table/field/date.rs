//! DATE.

use datafusion::scalar::ScalarValue;

use super::decode::DateDecoder;
use super::rule::{Comparison as C, Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native, Order, id, native, row};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// A calendar day, of no zone. Where an empty date stands in Kintone's order is unknown (K§3.5), so that a range
/// always goes with `!= ""`.
pub(crate) struct Date;

pub(super) const RANGE: &str = "with `!= \"\"`, wherever empty ones stand (K§3.5)";
pub(super) const IS_NULL: Rule = Rule::exact(&[P::IsNull], "`= \"\"` finds the empty ones (K§3.5)");
pub(super) const IS_NOT_NULL: Rule = Rule::exact(&[P::IsNotNull], "`!= \"\"` finds the others (K§3.5)");

/// Of dates, times and instants in tables.
pub(super) const IN_ROWS: &[Rule] = &[
    Rule::superset(&[P::EQ, P::In], row::IN),
    Rule::superset(P::RANGES, row::RANGE),
    Rule::superset(&[P::NOT_EQ, P::NotIn], row::DIFFERS),
    Rule::no(P::NULLS, row::NULLS),
];

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

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        match place {
            Place::Record => {
                const {
                    &[
                        Rule::exact(&[P::EQ], "days are compared as they are stored (K§3.4)"),
                        Rule::exact(&[P::NOT_EQ, P::LT, P::LT_EQ, P::GT, P::GT_EQ], RANGE),
                        Rule::exact(&[P::In], "as `=` with or: dates take no `in` (K§3.2)"),
                        Rule::exact(&[P::NotIn], "as `!=` with and: dates take no `not in` (K§3.2)"),
                        IS_NULL,
                        IS_NOT_NULL,
                    ]
                }
            }
            Place::Row => IN_ROWS,
        }
    }

    fn order(&self, field: &FieldProperties) -> Option<Order> {
        Some(order(field))
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::day(field, native, true)
    }

    fn formula(&self, field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
        match (place, predicate) {
            (Place::Row, _) => row::formula(&field.code, predicate, &literal),
            (_, Predicate::IsNull) => Some(id::emptiness(&field.code, true)),
            (_, Predicate::IsNotNull) => Some(id::emptiness(&field.code, false)),
            (_, Predicate::Compare(op, value)) => compare(field, *op, literal(value)?),
            (_, Predicate::In(values)) => any(values, &|value| compare(field, C::Eq, literal(value)?)),
            (_, Predicate::NotIn(values)) => none(values, &|value| compare(field, C::NotEq, literal(value)?)),
            _ => None,
        }
    }
}

/// The longest list that is written with `or` or `and`: how many a query may have is unknown (K§3.1).
const LONGEST: usize = 100;

/// `in (...)` for a type without: any of these.
pub(super) fn any(
    values: &[ScalarValue],
    equal: &dyn Fn(&ScalarValue) -> Option<Formula>,
) -> Option<Formula> {
    let each = values.iter().map(equal).collect::<Option<_>>();
    each.filter(|_| values.len() <= LONGEST).map(Formula::or)
}

/// `not in (...)` for a type without: different from each.
pub(super) fn none(
    values: &[ScalarValue],
    differs: &dyn Fn(&ScalarValue) -> Option<Formula>,
) -> Option<Formula> {
    let each = values.iter().map(differs).collect::<Option<_>>();
    each.filter(|_| values.len() <= LONGEST).map(Formula::and)
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
