//! USER_SELECT, ORGANIZATION_SELECT, GROUP_SELECT and the assignees: codes, with the names beside them.

use super::decode::EntitiesDecoder;
use super::rule::{Place, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext};
use crate::kintone::FieldProperties;
use crate::table::types::SqlType;

/// An unknown code in a condition is an error in Kintone (K§3.5), so codes are compared here.
pub(crate) struct UserSelect;

pub(super) const UNKNOWN_CODES: &str = "a code that the directory lacks is an error in Kintone (K§3.5)";

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

    fn rules(&self, _: &FieldProperties, _: Place) -> &'static [Rule] {
        const {
            &[
                Rule::no(
                    &[
                        P::Contains,
                        P::NotContains,
                        P::ContainsAll,
                        P::NotContainsAll,
                        P::Overlaps,
                        P::NotOverlaps,
                        P::EQ,
                        P::NOT_EQ,
                    ],
                    UNKNOWN_CODES,
                ),
                Rule::no(&[P::IsEmpty, P::IsNotEmpty], "`in (\"\")` is measured on choices only (K§3.5)"),
            ]
        }
    }
}

fn entities(suffix: &'static str) -> FieldColumn {
    FieldColumn { suffix, sql_type: SqlType::Array(Box::new(SqlType::Text)), nullable: false }
}
