//! RADIO_BUTTON and DROP_DOWN: one of the form's options.

use datafusion::scalar::ScalarValue;

use super::decode::TextDecoder;
use super::rule::{Comparison as C, Formula, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// Kintone takes only `in` on choices, and refuses an option that is not defined (K§3.2, K§3.5).
pub(crate) struct DropDown;

/// As [`DropDown`]; that `not in ("", ...)` leaves out the empty ones was measured on drop-downs only.
pub(crate) struct RadioButton;

const DEFINED: &str = "undefined options match nothing and are not sent (K§3.5)";
const EMPTY: &str = "the empty option stands for no choice (K§3.5)";

impl FieldType for DropDown {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["DROP_DOWN"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Text)
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TextDecoder::default())
    }

    fn rules(&self, _: &FieldProperties) -> &'static [Rule] {
        const {
            &[
                Rule::exact(P::Compare(C::Eq), DEFINED),
                Rule::exact(P::In, DEFINED),
                Rule::exact(P::Compare(C::NotEq), EMPTY),
                Rule::exact(P::NotIn, EMPTY),
                Rule::exact(P::IsNull, EMPTY),
                Rule::exact(P::IsNotNull, EMPTY),
            ]
        }
    }

    fn is_one_choice(&self) -> bool {
        true
    }

    fn formula(&self, field: &FieldProperties, predicate: &Predicate) -> Option<Formula> {
        formula(field, predicate)
    }
}

impl FieldType for RadioButton {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["RADIO_BUTTON"]
    }

    fn columns(&self, field: &FieldProperties) -> Vec<FieldColumn> {
        DropDown.columns(field)
    }

    fn decoder(&self, field: &FieldProperties, context: &FormContext) -> Box<dyn Decoder> {
        DropDown.decoder(field, context)
    }

    fn rules(&self, _: &FieldProperties) -> &'static [Rule] {
        const UNMEASURED: &str = "not in (\"\", ...) was measured on drop-downs only (K§3.5)";
        const {
            &[
                Rule::exact(P::Compare(C::Eq), DEFINED),
                Rule::exact(P::In, DEFINED),
                Rule::superset(P::Compare(C::NotEq), UNMEASURED),
                Rule::superset(P::NotIn, UNMEASURED),
                Rule::exact(P::IsNull, EMPTY),
                Rule::exact(P::IsNotNull, EMPTY),
            ]
        }
    }

    fn is_one_choice(&self) -> bool {
        true
    }

    fn formula(&self, field: &FieldProperties, predicate: &Predicate) -> Option<Formula> {
        formula(field, predicate)
    }
}

fn formula(field: &FieldProperties, predicate: &Predicate) -> Option<Formula> {
    let (negated, values) = match predicate {
        Predicate::Compare(C::Eq, value) => (false, defined(field, std::slice::from_ref(value))?),
        Predicate::In(values) => (false, defined(field, values)?),
        Predicate::Compare(C::NotEq, value) => (true, defined(field, std::slice::from_ref(value))?),
        Predicate::NotIn(values) => (true, defined(field, values)?),
        Predicate::IsNull => (false, vec![String::new()]),
        Predicate::IsNotNull => (true, vec![]),
        _ => return None,
    };
    Some(among(field, negated, values))
}

/// `in (...)`, or `not in ("", ...)`: SQL's negation leaves out what is empty, Kintone's does not.
fn among(field: &FieldProperties, negated: bool, mut values: Vec<String>) -> Formula {
    if negated {
        values.insert(0, String::new());
    } else if values.is_empty() {
        return Formula::Nothing;
    }
    Formula::Of(Condition::In { field: field.code.clone(), negated, values })
}

/// Those of the literals that the form has as options. `None` where one of them cannot be written.
pub(super) fn defined(field: &FieldProperties, values: &[ScalarValue]) -> Option<Vec<String>> {
    let mut out: Vec<String> = vec![];
    for value in values {
        let text = value.try_as_str().flatten()?;
        if field.options.iter().any(|o| o == text) && !out.iter().any(|o| o == text) {
            if !Condition::is_expressible(text) {
                return None;
            }
            out.push(text.to_owned());
        }
    }
    Some(out)
}
