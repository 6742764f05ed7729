//! USER_SELECT, ORGANIZATION_SELECT, GROUP_SELECT and the assignees: codes, with the names beside them.

use super::decode::EntitiesDecoder;
use super::rule::{Formula, Place, PredicateKind as P, Rule};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native};
use crate::kintone::{Condition, FieldProperties};
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

    /// `in (LOGINUSER())`, for users and assignees (K§3.4). An empty array does not have the user, and whether
    /// `not in` finds it is not measured (K§3.5), so that it is asked for by itself.
    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        let (negated, call) = match native {
            Native::Contains(call) => (false, call),
            Native::NotContains(call) => (true, call),
            _ => return None,
        };
        if !call.is_person() || !matches!(field.kind.as_str(), "USER_SELECT" | "STATUS_ASSIGNEE") {
            return None;
        }
        let code = field.code.clone();
        let with = Formula::Of(Condition::InCall { field: code.clone(), negated, call: call.text.clone() });
        let nobody = Condition::In { field: code, negated: false, values: vec![String::new()] };
        Some(if negated { Formula::or(vec![with, Formula::Of(nobody)]) } else { with })
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
