//! CREATOR and MODIFIER: the login code, with the display name beside it.

use super::decode::EntityDecoder;
use super::rule::{Comparison, Formula, Place, PredicateKind as P, Rule};
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

    fn rules(&self, _: &FieldProperties, place: Place) -> &'static [Rule] {
        match place {
            Place::Record => {
                const {
                    &[
                        Rule::no(&[P::EQ, P::NOT_EQ, P::In, P::NotIn], super::user::UNKNOWN_CODES),
                        Rule::no(P::RANGES, "only `in` is answered (K§3.2)"),
                        Rule::no(P::LIKES, "only `in` is answered (K§3.2)"),
                        Rule::no(P::NULLS, "never empty; NULL where the login may not view it (K§6)"),
                    ]
                }
            }
            Place::Row => &[],
        }
    }
}

fn entity(suffix: &'static str) -> FieldColumn {
    FieldColumn { suffix, sql_type: SqlType::Text, nullable: true }
}
