//! A predicate on one column, how exactly Kintone answers it, and the condition that says it.

use std::cmp::Ordering;
use std::fmt;

use datafusion::scalar::ScalarValue;

use crate::kintone::Condition;
use crate::table::types::SqlType;

/// A comparison of a column with a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

impl Comparison {
    /// `NOT (a op b)`; in SQL both are TRUE only where neither side is NULL.
    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Eq => Self::NotEq,
            Self::NotEq => Self::Eq,
            Self::Lt => Self::GtEq,
            Self::LtEq => Self::Gt,
            Self::Gt => Self::LtEq,
            Self::GtEq => Self::Lt,
        }
    }

    /// Whether `a op b`, where `a` compares to `b` like this.
    pub(crate) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::NotEq => ordering.is_ne(),
            Self::Lt => ordering.is_lt(),
            Self::LtEq => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::GtEq => ordering.is_ge(),
        }
    }

    /// `b op a` read as `a op' b`.
    pub(crate) fn flipped(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::LtEq => Self::GtEq,
            Self::Gt => Self::Lt,
            Self::GtEq => Self::LtEq,
            other => other,
        }
    }
}

/// A predicate on one column. No literal in it is NULL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Predicate {
    /// `column op literal`; on an array, `column = literal` with at least one item.
    Compare(Comparison, ScalarValue),
    /// `column IN (...)`, at least one literal.
    In(Vec<ScalarValue>),
    /// `column NOT IN (...)`.
    NotIn(Vec<ScalarValue>),
    /// `column IS NULL`
    IsNull,
    /// `column IS NOT NULL`
    IsNotNull,
    /// `column LIKE pattern`, `ILIKE` where `ignore_case`.
    Like { pattern: String, negated: bool, ignore_case: bool },
    /// `literal = ANY(column)`
    Contains(ScalarValue),
    /// `NOT literal = ANY(column)`
    NotContains(ScalarValue),
    /// `column @> array`, at least one item.
    ContainsAll(Vec<ScalarValue>),
    /// `NOT column @> array`
    NotContainsAll(Vec<ScalarValue>),
    /// `column && array`, at least one item.
    Overlaps(Vec<ScalarValue>),
    /// `NOT column && array`
    NotOverlaps(Vec<ScalarValue>),
    /// `column = '{}'`
    IsEmpty,
    /// `column <> '{}'`
    IsNotEmpty,
}

impl Predicate {
    pub(crate) fn kind(&self) -> PredicateKind {
        match self {
            Self::Compare(op, _) => PredicateKind::Compare(*op),
            Self::In(_) => PredicateKind::In,
            Self::NotIn(_) => PredicateKind::NotIn,
            Self::IsNull => PredicateKind::IsNull,
            Self::IsNotNull => PredicateKind::IsNotNull,
            Self::Like { negated: false, .. } => PredicateKind::Like,
            Self::Like { negated: true, .. } => PredicateKind::NotLike,
            Self::Contains(_) => PredicateKind::Contains,
            Self::NotContains(_) => PredicateKind::NotContains,
            Self::ContainsAll(_) => PredicateKind::ContainsAll,
            Self::NotContainsAll(_) => PredicateKind::NotContainsAll,
            Self::Overlaps(_) => PredicateKind::Overlaps,
            Self::NotOverlaps(_) => PredicateKind::NotOverlaps,
            Self::IsEmpty => PredicateKind::IsEmpty,
            Self::IsNotEmpty => PredicateKind::IsNotEmpty,
        }
    }
}

/// A predicate without its literals: the key of the capability table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PredicateKind {
    Compare(Comparison),
    In,
    NotIn,
    IsNull,
    IsNotNull,
    Like,
    NotLike,
    Contains,
    NotContains,
    ContainsAll,
    NotContainsAll,
    Overlaps,
    NotOverlaps,
    IsEmpty,
    IsNotEmpty,
}

impl PredicateKind {
    pub(crate) const EQ: Self = Self::Compare(Comparison::Eq);
    pub(crate) const NOT_EQ: Self = Self::Compare(Comparison::NotEq);
    pub(crate) const LT: Self = Self::Compare(Comparison::Lt);
    pub(crate) const LT_EQ: Self = Self::Compare(Comparison::LtEq);
    pub(crate) const GT: Self = Self::Compare(Comparison::Gt);
    pub(crate) const GT_EQ: Self = Self::Compare(Comparison::GtEq);

    pub(crate) const RANGES: &'static [Self] = &[Self::LT, Self::LT_EQ, Self::GT, Self::GT_EQ];
    pub(crate) const LIKES: &'static [Self] = &[Self::Like, Self::NotLike];
    pub(crate) const NULLS: &'static [Self] = &[Self::IsNull, Self::IsNotNull];

    /// Those that a column with one value takes.
    pub(crate) const SCALAR: &'static [Self] = &[
        Self::EQ,
        Self::NOT_EQ,
        Self::LT,
        Self::LT_EQ,
        Self::GT,
        Self::GT_EQ,
        Self::In,
        Self::NotIn,
        Self::IsNull,
        Self::IsNotNull,
    ];

    /// Those that a column of text takes.
    pub(crate) const TEXT: &'static [Self] = &[
        Self::EQ,
        Self::NOT_EQ,
        Self::LT,
        Self::LT_EQ,
        Self::GT,
        Self::GT_EQ,
        Self::In,
        Self::NotIn,
        Self::IsNull,
        Self::IsNotNull,
        Self::Like,
        Self::NotLike,
    ];

    /// Those that an array takes.
    pub(crate) const LIST: &'static [Self] = &[
        Self::Contains,
        Self::NotContains,
        Self::ContainsAll,
        Self::NotContainsAll,
        Self::Overlaps,
        Self::NotOverlaps,
        Self::EQ,
        Self::NOT_EQ,
        Self::IsEmpty,
        Self::IsNotEmpty,
    ];

    /// Those that a column of this type takes, in the order in which they are shown.
    pub(crate) fn of(sql_type: &SqlType) -> &'static [Self] {
        match sql_type {
            SqlType::Text => Self::TEXT,
            SqlType::Array(_) => Self::LIST,
            _ => Self::SCALAR,
        }
    }
}

impl fmt::Display for PredicateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compare(Comparison::Eq) => "=",
            Self::Compare(Comparison::NotEq) => "<>",
            Self::Compare(Comparison::Lt) => "<",
            Self::Compare(Comparison::LtEq) => "<=",
            Self::Compare(Comparison::Gt) => ">",
            Self::Compare(Comparison::GtEq) => ">=",
            Self::In => "IN",
            Self::NotIn => "NOT IN",
            Self::IsNull => "IS NULL",
            Self::IsNotNull => "IS NOT NULL",
            Self::Like => "LIKE",
            Self::NotLike => "NOT LIKE",
            Self::Contains => "= ANY",
            Self::NotContains => "NOT = ANY",
            Self::ContainsAll => "@>",
            Self::NotContainsAll => "NOT @>",
            Self::Overlaps => "&&",
            Self::NotOverlaps => "NOT &&",
            Self::IsEmpty => "= '{}'",
            Self::IsNotEmpty => "<> '{}'",
        })
    }
}

/// How Kintone's records relate to those for which the SQL predicate is TRUE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// Precisely those.
    Exact,
    /// At least those: filter again.
    Superset,
    /// Kintone is not asked: filter here.
    No,
}

/// Where a field stands: each place has operators of its own (K§3.2, K§3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// In the record.
    Record,
    /// In the rows of a table of the record: a condition finds records, never rows.
    Row,
}

/// Rows of the capability table that share an answer and its reason.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub predicates: &'static [PredicateKind],
    pub answer: Answer,
    /// The reason, with the section of the fact sheet.
    pub why: &'static str,
}

impl Rule {
    pub(crate) const fn exact(predicates: &'static [PredicateKind], why: &'static str) -> Self {
        Self { predicates, answer: Answer::Exact, why }
    }

    pub(crate) const fn superset(predicates: &'static [PredicateKind], why: &'static str) -> Self {
        Self { predicates, answer: Answer::Superset, why }
    }

    pub(crate) const fn no(predicates: &'static [PredicateKind], why: &'static str) -> Self {
        Self { predicates, answer: Answer::No, why }
    }
}

/// A condition, or what is left of it once the literals are known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Formula {
    /// Matches every record: nothing to send.
    All,
    /// Matches no record: no request at all.
    Nothing,
    /// To be sent.
    Of(Condition),
}

impl Formula {
    pub(crate) fn and(parts: Vec<Formula>) -> Self {
        let mut conditions = vec![];
        for part in parts {
            match part {
                Self::All => {}
                Self::Nothing => return Self::Nothing,
                Self::Of(Condition::And(inner)) => {
                    inner.into_iter().for_each(|c| push_new(&mut conditions, c))
                }
                Self::Of(condition) => push_new(&mut conditions, condition),
            }
        }
        one_or(conditions, Condition::And, Self::All)
    }

    pub(crate) fn or(parts: Vec<Formula>) -> Self {
        let mut conditions: Vec<Condition> = vec![];
        for part in parts {
            match part {
                Self::Nothing => {}
                Self::All => return Self::All,
                Self::Of(Condition::Or(inner)) => inner.into_iter().for_each(|c| push_or(&mut conditions, c)),
                Self::Of(condition) => push_or(&mut conditions, condition),
            }
        }
        one_or(conditions, Condition::Or, Self::Nothing)
    }
}

fn one_or(mut conditions: Vec<Condition>, join: fn(Vec<Condition>) -> Condition, none: Formula) -> Formula {
    match conditions.len() {
        0 => none,
        1 => conditions.pop().map_or(none, Formula::Of),
        _ => Formula::Of(join(conditions)),
    }
}

/// `a and a` is `a`: two ends of a range both leave out the empty ones.
fn push_new(conditions: &mut Vec<Condition>, next: Condition) {
    if !conditions.contains(&next) {
        conditions.push(next);
    }
}

/// `a in (x) or a in (y)` is `a in (x, y)`: Kintone is slow at OR.
fn push_or(conditions: &mut Vec<Condition>, next: Condition) {
    if let Condition::In { field, negated: false, values } = &next {
        for condition in conditions.iter_mut() {
            if let Condition::In { field: same, negated: false, values: all } = condition
                && same == field
            {
                for value in values {
                    if !all.contains(value) {
                        all.push(value.clone());
                    }
                }
                return;
            }
        }
    }
    push_new(conditions, next);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(field: &str, value: &str) -> Formula {
        Formula::Of(Condition::In { field: field.into(), negated: false, values: vec![value.into()] })
    }

    #[test]
    fn constants_disappear() {
        assert_eq!(Formula::and(vec![Formula::All, is_in("a", "1")]), is_in("a", "1"));
        assert_eq!(Formula::and(vec![Formula::Nothing, is_in("a", "1")]), Formula::Nothing);
        assert_eq!(Formula::or(vec![Formula::All, is_in("a", "1")]), Formula::All);
        assert_eq!(Formula::or(vec![Formula::Nothing]), Formula::Nothing);
        assert_eq!(Formula::and(vec![]), Formula::All);
        assert_eq!(Formula::and(vec![is_in("a", "1"), is_in("a", "1")]), is_in("a", "1"));
    }

    #[test]
    fn lists_on_one_field_become_one() {
        let Formula::Of(c) = Formula::or(vec![is_in("a", "1"), is_in("b", "1"), is_in("a", "2")]) else {
            panic!("a condition")
        };
        assert_eq!(c.to_string(), r#"a in ("1", "2") or b in ("1")"#);
    }

    #[test]
    fn negation_and_flipping_are_involutions() {
        for op in [Comparison::Eq, Comparison::Lt, Comparison::LtEq, Comparison::Gt, Comparison::NotEq] {
            assert_eq!(op.negated().negated(), op);
            assert_eq!(op.flipped().flipped(), op);
        }
    }
}
