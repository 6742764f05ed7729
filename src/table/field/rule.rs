//! A predicate on one column, how exactly Kintone answers it, and the condition that says it.

use std::fmt;

use datafusion::scalar::ScalarValue;

use crate::kintone::Condition;

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

/// A predicate on one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Predicate {
    /// `column op literal`; the literal is never NULL.
    Compare(Comparison, ScalarValue),
    /// `column IN (...)`, at least one literal, none of them NULL.
    In(Vec<ScalarValue>),
    /// `column NOT IN (...)`.
    NotIn(Vec<ScalarValue>),
    /// `column IS NULL`
    IsNull,
    /// `column IS NOT NULL`
    IsNotNull,
    /// `literal = ANY(column)`
    Contains(ScalarValue),
    /// `NOT literal = ANY(column)`
    NotContains(ScalarValue),
}

impl Predicate {
    pub(crate) fn kind(&self) -> PredicateKind {
        match self {
            Self::Compare(op, _) => PredicateKind::Compare(*op),
            Self::In(_) => PredicateKind::In,
            Self::NotIn(_) => PredicateKind::NotIn,
            Self::IsNull => PredicateKind::IsNull,
            Self::IsNotNull => PredicateKind::IsNotNull,
            Self::Contains(_) => PredicateKind::Contains,
            Self::NotContains(_) => PredicateKind::NotContains,
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
    Contains,
    NotContains,
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
            Self::Contains => "= ANY",
            Self::NotContains => "NOT = ANY",
        })
    }
}

/// How Kintone's rows relate to those for which the SQL predicate is TRUE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Exactness {
    /// Precisely those.
    Exact,
    /// At least those: filter again.
    Superset,
}

/// One row of the capability table: a kind of predicate that Kintone can answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub predicate: PredicateKind,
    pub exactness: Exactness,
    /// The reason, with the section of the fact sheet.
    #[expect(dead_code, reason = "read by people; printed once the table has a command")]
    pub why: &'static str,
}

impl Rule {
    pub(crate) const fn exact(predicate: PredicateKind, why: &'static str) -> Self {
        Self { predicate, exactness: Exactness::Exact, why }
    }

    pub(crate) const fn superset(predicate: PredicateKind, why: &'static str) -> Self {
        Self { predicate, exactness: Exactness::Superset, why }
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
                Self::Of(Condition::And(inner)) => conditions.extend(inner),
                Self::Of(condition) => conditions.push(condition),
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
    conditions.push(next);
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
