//! CREATOR and MODIFIER: the login code, with the display name beside it.

use super::decode::EntityDecoder;
use super::rule::{Comparison, Formula};
use super::{Decoder, FieldColumn, FieldType, FormContext, Native};
use crate::kintone::{Condition, FieldProperties};
use crate::table::types::SqlType;

/// An unknown code in a condition is an error in Kintone (K§3.5), and its order is by a hidden number (K§3.7), so
/// both stay local.
pub(crate) struct Creator;

impl FieldType for Creator {
    fn kintone_types(&self) -> &'static [&'static str] {
        &["CREATOR", "MODIFIER"]
    }

    fn columns(&self, _: &FieldProperties) -> Vec<FieldColumn> {
        vec![entity(""), entity("_name")]
    }

    fn decoder(&self, _: &FieldProperties, _: &FormContext) -> Box<dyn Decoder> {
        Box::new(EntityDecoder::default())
    }

    /// `in (LOGINUSER())` (K§3.4). Never empty, so that `not in` is SQL's `<>`.
    fn native(&self, field: &FieldProperties, native: &Native) -> Option<Formula> {
        let Native::Compare(op @ (Comparison::Eq | Comparison::NotEq), call) = native else { return None };
        let negated = *op == Comparison::NotEq;
        let condition = Condition::InCall { field: field.code.clone(), negated, call: call.text.clone() };
        call.is_person().then_some(Formula::Of(condition))
    }
}

fn entity(suffix: &'static str) -> FieldColumn {
    FieldColumn { suffix, sql_type: SqlType::Text, nullable: true }
}
