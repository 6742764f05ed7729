//! CATEGORY: names of categories.

use super::decode::TextListDecoder;
use super::rule::{Place, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::FieldProperties;

/// Its operators are not certain (K§3.2), so it stays local.
pub(crate) struct Category;

impl FieldType for Category {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["CATEGORY"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::list()
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TextListDecoder::default())
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        match place {
            Place::Record => const { &[Rule::no(P::LIST, "whether it takes `in` is recalled only (K§3.2)")] },
            Place::Row => &[],
        }
    }
}
