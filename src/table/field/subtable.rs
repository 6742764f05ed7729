//! SUBTABLE as one column of its record: its rows as jsonb. As a table of its own: `table/schema.rs`.

use super::decode::JsonDecoder;
use super::rule::{Place, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// No operator applies to a table itself (K§3.2).
pub(crate) struct Subtable;

impl FieldType for Subtable {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["SUBTABLE"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        vec![FieldColumn { suffix: "", sql_type: SqlType::Jsonb, nullable: true }]
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(JsonDecoder::default())
    }

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        match place {
            Place::Record => {
                const { &[Rule::no(P::SCALAR, "no operator applies to a table itself (K§3.2)")] }
            }
            Place::Row => &[],
        }
    }
}

/// A type of field that is newer than this program: shown as it comes, never pushed down.
pub(super) struct UnknownType;

impl FieldType for UnknownType {
    fn kintone_types(&self) -> &'static [&'static str] {
        &[]
    }

    fn columns(&self, field: &FieldProperties) -> Vec<FieldColumn> {
        Subtable.columns(field)
    }

    fn decoder(&self, field: &FieldProperties, context: &FormContext) -> Box<dyn Decoder> {
        Subtable.decoder(field, context)
    }

    fn rules(&self, _: &FieldProperties, _: Place) -> &'static [Rule] {
        const { &[Rule::no(P::SCALAR, "a type that is newer than this program")] }
    }
}
