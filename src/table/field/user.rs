//! USER_SELECT, ORGANIZATION_SELECT, GROUP_SELECT and the assignees: codes, with the names beside them.

use super::decode::EntitiesDecoder;
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// An unknown code in a condition is an error in Kintone (K§3.5), so codes are compared here.
pub(crate) struct UserSelect;

impl FieldType for UserSelect {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["USER_SELECT", "ORGANIZATION_SELECT", "GROUP_SELECT", "STATUS_ASSIGNEE"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        vec![entities(""), entities("_names")]
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(EntitiesDecoder::default())
    }
}

fn entities(suffix: &'static str) -> FieldColumn {
    FieldColumn { suffix, sql_type: SqlType::Array(Box::new(SqlType::Text)), nullable: false }
}
