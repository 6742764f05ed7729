//! `$id` and `$revision`: the record's own numbers, always there.

use super::decode::IntegerDecoder;
use super::rule::{Comparison as C, Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Order};
use crate::kintone::{Condition, FieldProperties, Operator};
use crate::table::types::SqlType;
use datafusion::scalar::ScalarValue;

/// The record id: never empty, so that every comparison means in Kintone what it means in SQL.
pub(crate) struct Id;

/// `$revision` cannot be relied on in conditions (K§3.1: unknown).
pub(crate) struct Revision;

const WHY: &str = "never empty, compared as a number (K§9)";

impl FieldType for Id {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["__ID__"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        vec![FieldColumn { suffix: "", sql_type: SqlType::Int8, nullable: false }]
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(IntegerDecoder::default())
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        const COMPARED: &[P] = &[P::EQ, P::NOT_EQ, P::LT, P::LT_EQ, P::GT, P::GT_EQ, P::In, P::NotIn];
        match place {
            Place::Record => {
                const { &[Rule::exact(COMPARED, WHY), Rule::exact(P::NULLS, "never NULL: nothing is asked")] }
            }
            Place::Row => &[],
        }
    }

    fn order(&self, _: &FieldProperties) -> Option<Order> {
        Some(Order::never_empty())
    }

    fn formula(&self, field: &FieldProperties, _: Place, predicate: &Predicate) -> Option<Formula> {
        let above = |values: &[ScalarValue]| -> Vec<ScalarValue> {
            values.iter().filter(|v| !is_below_all(v)).cloned().collect()
        };
        let predicate = match predicate {
            Predicate::Compare(op, value) if is_below_all(value) => {
                let holds = op.holds(std::cmp::Ordering::Greater);
                return Some(if holds { Formula::All } else { Formula::Nothing });
            }
            Predicate::In(values) => match above(values) {
                some if some.is_empty() => return Some(Formula::Nothing),
                values => Predicate::In(values),
            },
            Predicate::NotIn(values) => match above(values) {
                some if some.is_empty() => return Some(Formula::All),
                values => Predicate::NotIn(values),
            },
            other => other.clone(),
        };
        formula(&field.code, &predicate, &integer)
    }
}

/// Ids are counted from 1.
fn is_below_all(value: &ScalarValue) -> bool {
    matches!(value, ScalarValue::Int64(Some(n)) if *n < 1)
}

fn integer(value: &ScalarValue) -> Option<String> {
    match value {
        ScalarValue::Int64(Some(n)) => Some(n.to_string()),
        _ => None,
    }
}

impl FieldType for Revision {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["__REVISION__"]
    }

    fn columns(&self, field: &FieldProperties) -> Vec<FieldColumn> {
        Id.columns(field)
    }

    fn decoder(&self, field: &FieldProperties, context: &FormContext) -> Box<dyn Decoder> {
        Id.decoder(field, context)
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        const UNKNOWN: Rule = Rule::no(
            &[P::EQ, P::NOT_EQ, P::LT, P::LT_EQ, P::GT, P::GT_EQ, P::In, P::NotIn],
            "whether it may stand in a condition is unknown (K§3.1)",
        );
        match place {
            Place::Record => const { &[UNKNOWN, Rule::exact(P::NULLS, "never NULL: nothing is asked")] },
            Place::Row => &[],
        }
    }
}

/// The plain wording of a predicate: `field op "literal"`, `field in ("a", "b")`.
/// `None` where a literal has no wording.
pub(super) fn formula(
    field: &str,
    predicate: &Predicate,
    literal: &dyn Fn(&ScalarValue) -> Option<String>,
) -> Option<Formula> {
    let list = |values: &[ScalarValue], negated| {
        let values = values.iter().map(literal).collect::<Option<Vec<_>>>()?;
        Some(Formula::Of(Condition::In { field: field.to_owned(), negated, values }))
    };
    match predicate {
        Predicate::Compare(op, value) => {
            let value = literal(value)?;
            Some(Formula::Of(Condition::Compare { field: field.to_owned(), operator: operator(*op), value }))
        }
        Predicate::In(values) => list(values, false),
        Predicate::NotIn(values) => list(values, true),
        _ => None,
    }
}

/// Kintone's operator of a comparison.
pub(super) fn operator(op: C) -> Operator {
    match op {
        C::Eq => Operator::Eq,
        C::NotEq => Operator::NotEq,
        C::Lt => Operator::Lt,
        C::LtEq => Operator::LtEq,
        C::Gt => Operator::Gt,
        C::GtEq => Operator::GtEq,
    }
}

/// `field = ""` or `field != ""`: empty or not (K§3.5).
pub(super) fn emptiness(field: &str, empty: bool) -> Formula {
    let operator = if empty { Operator::Eq } else { Operator::NotEq };
    Formula::Of(Condition::Compare { field: field.to_owned(), operator, value: String::new() })
}
