//! MULTI_LINE_TEXT.

use super::decode::TextDecoder;
use super::rule::{Exactness, Formula, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native, native};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// Kintone answers word search and emptiness on it only (K§3.2).
pub(crate) struct MultiLineText;

impl FieldType for MultiLineText {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["MULTI_LINE_TEXT"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Text)
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TextDecoder::default())
    }

    fn rules(&self, _: &FieldProperties) -> &'static [Rule] {
        const {
            &[Rule {
                predicate: P::IsNull,
                exactness: Exactness::Superset,
                why: "`is empty` finds text of blanks and line breaks too (K§3.5)",
            }]
        }
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::word(field, native)
    }

    fn formula(&self, field: &FieldProperties, predicate: &Predicate) -> Option<Formula> {
        match predicate {
            Predicate::IsNull => {
                Some(Formula::Of(Condition::IsEmpty { field: field.code.clone(), negated: false }))
            }
            _ => None,
        }
    }
}
