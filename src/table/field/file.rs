//! FILE: attachments, a jsonb array of name, size, contentType and fileKey.

use super::decode::JsonDecoder;
use super::rule::{Formula, Place, PredicateKind as P, Rule};
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

    fn rules(&self, _: &FieldProperties, _: Place) -> &'static [Rule] {
        const {
            &[
                Rule::no(
                    &[P::EQ, P::NOT_EQ, P::LT, P::LT_EQ, P::GT, P::GT_EQ, P::In, P::NotIn],
                    "only word search and emptiness are answered (K§3.2)",
                ),
                Rule::no(P::NULLS, "no file is `[]`; NULL where the login may not view it (K§6)"),
            ]
        }
    }
}
