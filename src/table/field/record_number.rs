//! RECORD_NUMBER: `"12"`, or `"APPCODE-12"` where the app has a code.

use super::decode::TextDecoder;
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// Stays local: setting an app code changes all values, and how Kintone compares them then is recalled only
/// (K§3.5). `$id` is the same number and goes down exactly.
pub(crate) struct RecordNumber;

impl FieldType for RecordNumber {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["RECORD_NUMBER"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        FieldColumn::value(SqlType::Text)
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(TextDecoder::default())
    }
}
