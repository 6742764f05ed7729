//! CHECK_BOX and MULTI_SELECT: any of the form's options.

use super::choice;
use super::decode::TextListDecoder;
use super::rule::{Formula, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::{Condition, FieldProperties};

/// An array, empty where nothing is chosen. `in ("a")` means contains (K§3.5).
pub(crate) struct MultiChoice;

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

    fn rules(&self, _: &FieldProperties) -> &'static [Rule] {
        const {
            &[
                Rule::exact(P::Contains, "`in` means contains (K§3.5)"),
                Rule::exact(
                    P::NotContains,
                    "`not in` finds empty ones too, as SQL does on an empty array (K§3.5)",
                ),
            ]
        }
    }

    fn formula(&self, field: &FieldProperties, predicate: &Predicate) -> Option<Formula> {
        let (value, negated) = match predicate {
            Predicate::Contains(value) => (value, false),
            Predicate::NotContains(value) => (value, true),
            _ => return None,
        };
        let values = choice::defined(field, std::slice::from_ref(value))?;
        Some(match (values.is_empty(), negated) {
            (true, false) => Formula::Nothing,
            (true, true) => Formula::All,
            _ => Formula::Of(Condition::In { field: field.code.clone(), negated, values }),
        })
    }
}
