//! MULTI_LINE_TEXT.

use super::decode::TextDecoder;
use super::rule::{Formula, Place, Predicate, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native, native};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// Kintone answers word search and emptiness on it only (K§3.2).
pub(crate) struct MultiLineText;

const ONLY: &str = "only word search and emptiness are answered (K§3.2)";

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

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        const COMPARED: Rule =
            Rule::no(&[P::EQ, P::NOT_EQ, P::LT, P::LT_EQ, P::GT, P::GT_EQ, P::In, P::NotIn], ONLY);
        const LIKES: Rule = Rule::no(P::LIKES, "word search is no substring search (K§3.6)");
        match place {
            Place::Record => {
                const {
                    &[
                        COMPARED,
                        LIKES,
                        Rule::superset(
                            &[P::IsNull],
                            "`is empty` finds text of blanks and line breaks too (K§3.5)",
                        ),
                        Rule::no(
                            &[P::IsNotNull],
                            "`is not empty` loses text of blanks and line breaks (K§3.5)",
                        ),
                    ]
                }
            }
            Place::Row => const { &[COMPARED, LIKES, Rule::no(P::NULLS, super::row::NULLS)] },
        }
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::word(field, native)
    }

    fn formula(&self, field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
        match (place, predicate) {
            (Place::Record, Predicate::IsNull) => {
                Some(Formula::Of(Condition::IsEmpty { field: field.code.clone(), negated: false }))
            }
            _ => None,
        }
    }
}
