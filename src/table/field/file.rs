//! FILE: attachments, a jsonb array of name, size, contentType and fileKey.

use super::decode::JsonDecoder;
use super::rule::Formula;
use super::{Decoder, FieldColumn, FieldType, FormContext, Native, native};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// Kintone answers only word search on it (K§3.2), which is `kintone_match` and no other SQL predicate.
pub(crate) struct File;

impl FieldType for File {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["FILE"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        vec![FieldColumn { suffix: "", sql_type: SqlType::Jsonb, nullable: true }]
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(JsonDecoder::default())
    }

    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        native::word(field, native)
    }
}
