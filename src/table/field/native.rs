//! Predicates that only Kintone can answer: its functions, and its word search. Unlike SQL's they are never
//! evaluated here: what a field type does not offer is refused.

use super::rule::{Comparison, Formula};
use super::{date, id};
use crate::kintone::{Condition, FieldProperties};

/// A function of Kintone with its arguments, as its query language has it (K§3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// Such as `FROM_TODAY(-7, DAYS)`.
    pub text: String,
}

impl Call {
    /// `LOGINUSER()`; every other one stands for days.
    pub(crate) fn is_person(&self) -> bool {
        self.text.starts_with("LOGINUSER")
    }
}

/// A predicate on a field that only Kintone can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Native {
    /// `field op CALL()`
    Compare(Comparison, Call),
    /// `CALL() = ANY(field)`
    Contains(Call),
    /// `NOT CALL() = ANY(field)`
    NotContains(Call),
    /// `kintone_match(field, 'word')`
    Match(String),
    /// `NOT kintone_match(field, 'word')`
    NotMatch(String),
}

impl Native {
    /// What is TRUE where this is FALSE.
    pub(crate) fn negated(&self) -> Self {
        match self {
            Self::Compare(op, call) => Self::Compare(op.negated(), call.clone()),
            Self::Contains(call) => Self::NotContains(call.clone()),
            Self::NotContains(call) => Self::Contains(call.clone()),
            Self::Match(word) => Self::NotMatch(word.clone()),
            Self::NotMatch(word) => Self::Match(word.clone()),
        }
    }
}

/// A date or an instant compared with a function that stands for days. Where `nullable`, all but `=` go with `!= ""`:
/// wherever Kintone puts what is empty, SQL's comparison with NULL is not TRUE (K§3.5).
pub(super) fn day(field: &FieldProperties, native: &Native, nullable: bool) -> Option<Formula> {
    let Native::Compare(op, call) = native else { return None };
    if call.is_person() {
        return None;
    }
    let condition =
        Condition::Call { field: field.code.clone(), operator: id::operator(*op), call: call.text.clone() };
    Some(match op {
        Comparison::Eq => Formula::Of(condition),
        _ if !nullable => Formula::Of(condition),
        _ => date::filled(field, condition),
    })
}

/// Kintone's `like` and `not like`, as they are: what becomes of records without a value, Kintone decides.
pub(super) fn word(field: &FieldProperties, native: &Native) -> Option<Formula> {
    let (negated, word) = match native {
        Native::Match(word) => (false, word),
        Native::NotMatch(word) => (true, word),
        _ => return None,
    };
    let expressible = Condition::is_expressible(word);
    let like = Condition::Like { field: field.code.clone(), negated, word: word.clone() };
    expressible.then_some(Formula::Of(like))
}
