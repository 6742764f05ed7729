//! NUMBER: exact decimals.

use datafusion::scalar::ScalarValue;

use super::decode::NumberDecoder;
use super::rule::{Comparison as C, Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Order};
use super::{id, row};
use crate::kintone::{Condition, FieldProperties, Operator};
use crate::table::types::SqlType;

/// An empty number counts as minus infinity in Kintone (K§3.5, measured), and `!=` finds the empty ones too.
pub(crate) struct Number;

const ABOVE: &str = "an empty number is below every number (K§3.5)";
const BELOW: &str = "with >= the least number, since an empty one is below it (K§3.5)";

/// No number of Kintone is below: it keeps 30 digits at most (K§3.5).
const LEAST: &str = "-999999999999999999999999999999";

impl FieldType for Number {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["NUMBER"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Numeric)
    }

    fn decoder(&self, _: &FieldProperties, context: &FormContext) -> Box<dyn Decoder> {
        Box::new(NumberDecoder::new(context.scale))
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        match place {
            Place::Record => {
                const {
                    &[
                        Rule::exact(&[P::EQ, P::In], "compared as decimals (K§3.5)"),
                        Rule::exact(&[P::GT, P::GT_EQ], ABOVE),
                        Rule::exact(&[P::LT, P::LT_EQ, P::NOT_EQ, P::NotIn], BELOW),
                        Rule::exact(
                            &[P::IsNull],
                            "below the least number stand the empty ones alone (K§3.5)",
                        ),
                        Rule::exact(&[P::IsNotNull], "not below the least number (K§3.5)"),
                    ]
                }
            }
            Place::Row => {
                const {
                    &[
                        Rule::superset(&[P::EQ, P::In], row::IN),
                        Rule::superset(P::RANGES, row::RANGE),
                        Rule::superset(&[P::NOT_EQ, P::NotIn], row::DIFFERS),
                        Rule::no(&[P::IsNull], row::NULLS),
                        Rule::superset(&[P::IsNotNull], "not below the least number (K§3.3)"),
                    ]
                }
            }
        }
    }

    fn formula(&self, field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
        let plain = || id::formula(&field.code, predicate, &literal);
        match (place, predicate) {
            (_, Predicate::IsNotNull) => Some(against_least(field, Operator::GtEq)),
            (Place::Row, _) => row::formula(&field.code, predicate, &literal),
            (_, Predicate::IsNull) => Some(against_least(field, Operator::Lt)),
            (_, Predicate::Compare(C::Lt | C::LtEq | C::NotEq, _) | Predicate::NotIn(_)) => {
                Some(Formula::and(vec![plain()?, against_least(field, Operator::GtEq)]))
            }
            _ => plain(),
        }
    }

    fn order(&self, field: &FieldProperties) -> Option<Order> {
        // That empty numbers sort where they compare is not measured (K§3.7).
        Some(Order {
            empties_first: false,
            filled: Some(against_least(field, Operator::GtEq)),
            empty: Some(against_least(field, Operator::Lt)),
        })
    }
}

/// Empty numbers are below the least number, all others are not. `= ""` on numbers is not certain (K§10.3).
fn against_least(field: &FieldProperties, operator: Operator) -> Formula {
    Formula::Of(Condition::Compare { field: field.code.clone(), operator, value: LEAST.into() })
}

/// A number of at most 10 digits after the point and 30 in all: what a field of Kintone can hold (K§3.5).
/// What Kintone makes of longer literals is not known, so they stay here.
pub(super) fn literal(value: &ScalarValue) -> Option<String> {
    let text = match value {
        ScalarValue::Int64(Some(n)) => n.to_string(),
        ScalarValue::Decimal128(Some(n), _, scale) => plain(*n, *scale)?,
        _ => return None,
    };
    let (_, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (fraction.len() <= 10 && digits <= 30).then_some(text)
}

/// -125000 at scale 4 is `-12.5`.
fn plain(number: i128, scale: i8) -> Option<String> {
    let scale = usize::try_from(scale).ok()?;
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (integer, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let sign = if number < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{integer}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_plain_decimals() {
        for (number, scale, text) in [
            (0, 10, Some("0")),
            (-125_000, 4, Some("-12.5")),
            (5, 1, Some("0.5")),
            (100, 0, Some("100")),
            (10_i128.pow(30), 0, None),
            (1, 11, None),
        ] {
            let value = ScalarValue::Decimal128(Some(number), 38, scale);
            assert_eq!(literal(&value).as_deref(), text, "{number} at {scale}");
        }
    }
}
