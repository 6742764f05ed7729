//! CHECK_BOX and MULTI_SELECT: any of the form's options.

use datafusion::scalar::ScalarValue;

use super::choice::defined;
use super::decode::TextListDecoder;
use super::row;
use super::rule::{Comparison as C, Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::{Condition, FieldProperties};

/// An array, empty where nothing is chosen. `in ("a")` means contains (K§3.5).
pub(crate) struct MultiChoice;

const WHOLE: &str = "has its items; others and their order are looked at here (K§3.5)";

impl FieldType for MultiChoice {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["CHECK_BOX", "MULTI_SELECT"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::list()
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TextListDecoder::default())
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        const OTHER: Rule = Rule::no(&[P::NOT_EQ], "no operator compares whole choices (K§3.2)");
        match place {
            Place::Record => {
                const {
                    &[
                        Rule::exact(&[P::Contains, P::Overlaps], "`in` means contains any (K§3.5)"),
                        Rule::exact(&[P::ContainsAll], "an `in` for each item (K§3.5)"),
                        Rule::exact(
                            &[P::NotContains, P::NotContainsAll, P::NotOverlaps],
                            "`not in` finds empty ones too, as SQL does (K§3.5)",
                        ),
                        Rule::superset(&[P::EQ], WHOLE),
                        OTHER,
                        Rule::exact(
                            &[P::IsEmpty, P::IsNotEmpty],
                            "the empty option stands for no choice (K§3.5)",
                        ),
                    ]
                }
            }
            Place::Row => {
                const {
                    &[
                        Rule::superset(&[P::Contains, P::ContainsAll, P::Overlaps], row::IN),
                        Rule::no(&[P::NotContains, P::NotContainsAll, P::NotOverlaps], row::NEGATED),
                        Rule::superset(&[P::EQ], WHOLE),
                        OTHER,
                        Rule::no(&[P::IsEmpty, P::IsNotEmpty], row::NULLS),
                    ]
                }
            }
        }
    }

    fn formula(&self, field: &FieldProperties, _: Place, predicate: &Predicate) -> Option<Formula> {
        let among = |negated, values: Vec<String>| {
            Formula::Of(Condition::In { field: field.code.clone(), negated, values })
        };
        // That `not in ("a", "b")` means neither of both is not measured: one of each is.
        let each = |negated, values: Vec<String>| {
            values.into_iter().map(|value| among(negated, vec![value])).collect::<Vec<_>>()
        };
        Some(match predicate {
            Predicate::Contains(value) => {
                row::among(&field.code, defined(field, std::slice::from_ref(value))?)
            }
            Predicate::Overlaps(values) => row::among(&field.code, defined(field, values)?),
            Predicate::NotContains(value) => {
                Formula::and(each(true, defined(field, std::slice::from_ref(value))?))
            }
            Predicate::NotOverlaps(values) => Formula::and(each(true, defined(field, values)?)),
            Predicate::ContainsAll(values) => match all_defined(field, values)? {
                Some(values) => Formula::and(each(false, values)),
                None => Formula::Nothing,
            },
            Predicate::NotContainsAll(values) => match all_defined(field, values)? {
                Some(values) => Formula::or(each(true, values)),
                None => Formula::All,
            },
            Predicate::Compare(C::Eq, value) => match all_defined(field, &items(value)?)? {
                Some(values) => Formula::and(each(false, values)),
                None => Formula::Nothing,
            },
            Predicate::IsEmpty => among(false, vec![String::new()]),
            Predicate::IsNotEmpty => among(true, vec![String::new()]),
            _ => return None,
        })
    }
}

/// The literals, where the form has each of them; `Some(None)` where it lacks one.
fn all_defined(field: &FieldProperties, values: &[ScalarValue]) -> Option<Option<Vec<String>>> {
    let known = |value: &ScalarValue| {
        let text = value.try_as_str().flatten();
        text.is_some_and(|text| field.options.iter().any(|option| option == text))
    };
    if values.iter().all(known) { defined(field, values).map(Some) } else { Some(None) }
}

/// The items of an array literal.
fn items(value: &ScalarValue) -> Option<Vec<ScalarValue>> {
    let ScalarValue::List(array) = value else { return None };
    let rows = ScalarValue::convert_array_to_scalar_vec(array.as_ref()).ok()?;
    rows.into_iter().next().flatten()
}
