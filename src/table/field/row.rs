//! Conditions on the columns of a table field. They find records, some row of which fits (K§3.3): never fewer than
//! SQL wants, and the rows are looked through here.
//!
//! Several of them may have to hold on one row, as K§3.3 has it, or on any rows: either way no record is lost that
//! has a row for which SQL is TRUE. What Kintone negates it asks of every row, which would lose records: so a
//! negation is never sent, except `<>` as `<` or `>`.

use datafusion::scalar::ScalarValue;

use super::id;
use super::rule::{Comparison as C, Formula, Predicate};
use crate::kintone::Condition;

pub(super) const IN: &str = "`in` finds records with such a row; `=` is refused in tables (K§3.3)";
pub(super) const RANGE: &str = "finds records with such a row (K§3.3)";
pub(super) const DIFFERS: &str = "as `<` or `>`: Kintone's negations ask of every row (K§3.3)";
pub(super) const NEGATED: &str = "Kintone's negations ask of every row (K§3.3)";
pub(super) const NULLS: &str = "no operator asks for an empty cell of a row (K§9)";

/// The wording of a predicate on a column; `None` where a literal has no wording.
pub(super) fn formula(
    field: &str,
    predicate: &Predicate,
    literal: &dyn Fn(&ScalarValue) -> Option<String>,
) -> Option<Formula> {
    match predicate {
        Predicate::Compare(op, value) => Some(compare(field, *op, literal(value)?)),
        Predicate::In(values) => Some(among(field, values.iter().map(literal).collect::<Option<Vec<_>>>()?)),
        Predicate::NotIn(values) => {
            let each = values.iter().map(|value| Some(compare(field, C::NotEq, literal(value)?)));
            Some(Formula::and(each.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

/// A comparison with what Kintone has in tables.
pub(super) fn compare(field: &str, op: C, value: String) -> Formula {
    let ordered = |op, value| {
        Formula::Of(Condition::Compare { field: field.to_owned(), operator: id::operator(op), value })
    };
    match op {
        C::Eq => among(field, vec![value]),
        C::NotEq => Formula::or(vec![ordered(C::Lt, value.clone()), ordered(C::Gt, value)]),
        op => ordered(op, value),
    }
}

/// `field in (...)`
pub(super) fn among(field: &str, values: Vec<String>) -> Formula {
    if values.is_empty() {
        return Formula::Nothing;
    }
    Formula::Of(Condition::In { field: field.to_owned(), negated: false, values })
}
