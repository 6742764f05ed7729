//! STATUS: the state of process management.

use super::decode::TextDecoder;
use super::rule::{Place, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// A state that is not defined is an error in Kintone (K§3.5), and the form does not list the states, so they are
/// compared here.
pub(crate) struct Status;

impl FieldType for Status {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["STATUS"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Text)
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TextDecoder::default())
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        match place {
            Place::Record => {
                const { &[Rule::no(P::TEXT, "an undefined state is an error, and no form lists them (K§3.5)")] }
            }
            Place::Row => &[],
        }
    }
}
