//! RICH_TEXT: HTML.

use super::decode::TextDecoder;
use super::rule::{Formula, Place, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native, native};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// Kintone answers only word search on it (K§3.2), which is `kintone_match` and no other SQL predicate.
pub(crate) struct RichText;

impl FieldType for RichText {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["RICH_TEXT"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Text)
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TextDecoder::default())
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::word(field, native)
    }

    fn rules(&self, _: &FieldProperties, _: Place) -> &'static [Rule] {
        const { &[Rule::no(P::TEXT, "only word search is answered, which is no SQL predicate (K§3.2)")] }
    }
}
