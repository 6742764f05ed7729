//! LINK: a URL, a telephone number or a mail address.

use super::decode::TextDecoder;
use super::rule::{Formula, Place, Predicate, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native, Order, native, text};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// Answers like single-line text (K§3.2).
pub(crate) struct Link;

impl FieldType for Link {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["LINK"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Text)
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TextDecoder::default())
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        text::rules(place)
    }

    fn order(&self, _: &FieldProperties) -> Option<Order> {
        Some(text::ORDER)
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::word(field, native)
    }

    fn formula(&self, field: &FieldProperties, place: Place, predicate: &Predicate) -> Option<Formula> {
        text::formula(field, place, predicate)
    }
}
