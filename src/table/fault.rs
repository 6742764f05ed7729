//! Faults planted on purpose: mistakes that somebody could make in the pushdown, each of which the tests must find.
//! They measure the tests and nothing else: no setting reaches them, only who builds an engine in code
//! (`EngineConfig::fault`), and without one each place does what it does.
//!
//! Mistakes about a filter are made here, on its expression or on the condition that came of it; those of scans
//! and other nodes are a line at their place.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{BinaryExpr, Expr, Like, Operator};
use datafusion::scalar::ScalarValue;

use super::field::Formula;
use super::pushdown::{Pushdown, pushdown};
use super::schema::Columns;
use crate::kintone::{Condition, Operator as KintoneOperator};

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A planted fault.
        #[doc(hidden)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fault {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Fault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];
        }
    };
}

faults! {
    /// What Kintone finds too much of is not filtered again.
    SupersetAsExact,
    /// `<` is sent for `<=`.
    StrictForInclusive,
    /// Empty values are not left out of a range.
    EmptyGuardDropped,
    /// `!=` on text is sent, and believed.
    TextDiffers,
    /// An option that the form does not have is sent.
    UndefinedSent,
    /// An option that the form does not have is left out, and the condition with it.
    UndefinedIsAll,
    /// LIKE is Kintone's search for words.
    LikeAsSearch,
    /// Of OR the left side is sent alone.
    HalfOr,
    /// OR of negations becomes AND.
    DeMorgan,
    /// NULL in NOT IN is passed over.
    NullInNotIn,
    /// An instant within a minute becomes the minute, whatever the comparison.
    SecondsDown,
    /// A decimal becomes a whole number.
    DecimalRounded,
    /// A range of ids ends one too early.
    RangeEnd,
    /// The next page begins one too late.
    NextPage,
    /// A page is asked for with one record less than it is taken for.
    ShortPage,
    /// What the last page has in common with those before it comes twice.
    LastPageTwice,
    /// LIMIT goes down past a filter that stays here.
    LimitPastFilter,
    /// The last key of an order is left out: what is equal comes in any order.
    LastSortKey,
    /// Where NULL stands in an order is taken to be where Kintone has it.
    NullsAnywhere,
    /// ORDER BY ... LIMIT goes down past a filter that stays here.
    TopKPastFilter,
    /// Records are counted past a filter that stays here.
    CountPastFilter,
    /// The least value may be an empty one.
    ExtremeOfEmpty,
    /// Groups lack the one of the records without a choice.
    GroupWithoutEmpty,
}

impl Fault {
    /// What becomes of a filter under the fault.
    pub(super) fn pushdown(self, filter: &Expr, columns: &Columns) -> Pushdown {
        if let Some(wrong) = self.instead(filter, columns) {
            return wrong;
        }
        let changed = filter.clone().transform_up(|expr| Ok(self.changed(expr)));
        let changed = changed.map_or_else(|_| filter.clone(), |changed| changed.data);
        match (self, pushdown(&changed, columns)) {
            (Self::SupersetAsExact, Pushdown::Superset(formula)) => Pushdown::Exact(formula),
            (Self::EmptyGuardDropped, Pushdown::Exact(formula)) => Pushdown::Exact(without_guards(formula)),
            (_, right) => right,
        }
    }

    /// A condition that the filter should not have.
    fn instead(self, filter: &Expr, columns: &Columns) -> Option<Pushdown> {
        let of = |expr: &Expr| {
            let Expr::Column(name) = expr else { return None };
            columns.columns.iter().find(|c| c.name == name.name)
        };
        match (self, filter) {
            (Self::LikeAsSearch, Expr::Like(Like { negated: false, expr, pattern, .. })) => {
                let (column, Expr::Literal(pattern, _)) = (of(expr)?, pattern.as_ref()) else { return None };
                let word = pattern.try_as_str()??.trim_matches(['%', '_']).replace('\\', "");
                if column.kintone_type != "SINGLE_LINE_TEXT" || word.is_empty() {
                    return None;
                }
                let condition = Condition::Native(format!("{} like \"{word}\"", column.name));
                Some(Pushdown::Exact(Formula::Of(condition)))
            }
            (_, Expr::BinaryExpr(BinaryExpr { left, op, right })) => {
                let (column, Expr::Literal(value, _)) = (of(left)?, right.as_ref()) else { return None };
                let (field, value) = (column.name.clone(), value.try_as_str()??.to_owned());
                let formula = match (self, op) {
                    (Self::TextDiffers, Operator::NotEq) if column.kintone_type == "SINGLE_LINE_TEXT" => {
                        let operator = KintoneOperator::NotEq;
                        Formula::Of(Condition::Compare { field, operator, value })
                    }
                    _ if column.options.is_empty() || column.options.contains(&value) => return None,
                    (Self::UndefinedSent, Operator::Eq) => {
                        Formula::Of(Condition::In { field, negated: false, values: vec![value] })
                    }
                    (Self::UndefinedIsAll, Operator::Eq) => Formula::All,
                    _ => return None,
                };
                Some(Pushdown::Exact(formula))
            }
            _ => None,
        }
    }

    /// A part of a filter, misread.
    fn changed(self, expr: Expr) -> Transformed<Expr> {
        match (self, expr) {
            (Self::StrictForInclusive, Expr::BinaryExpr(b)) if b.op == Operator::LtEq => {
                Transformed::yes(Expr::BinaryExpr(BinaryExpr { op: Operator::Lt, ..b }))
            }
            (Self::HalfOr, Expr::BinaryExpr(b)) if b.op == Operator::Or => Transformed::yes(*b.left),
            (Self::DeMorgan, Expr::BinaryExpr(b))
                if b.op == Operator::Or && is_negation(&b.left) && is_negation(&b.right) =>
            {
                Transformed::yes(Expr::BinaryExpr(BinaryExpr { op: Operator::And, ..b }))
            }
            (Self::NullInNotIn, Expr::Literal(ScalarValue::Boolean(None), _)) => {
                Transformed::yes(Expr::Literal(ScalarValue::Boolean(Some(true)), None))
            }
            (Self::NullInNotIn, Expr::InList(mut list)) if list.negated => {
                list.list.retain(|item| !matches!(item, Expr::Literal(value, _) if value.is_null()));
                Transformed::yes(Expr::InList(list))
            }
            (Self::SecondsDown, Expr::Literal(ScalarValue::TimestampMicrosecond(Some(n), zone), m)) => {
                let minute = n.div_euclid(60_000_000) * 60_000_000;
                Transformed::yes(Expr::Literal(ScalarValue::TimestampMicrosecond(Some(minute), zone), m))
            }
            (Self::SecondsDown, Expr::Literal(ScalarValue::TimestampNanosecond(Some(n), zone), m)) => {
                let minute = n.div_euclid(60_000_000_000) * 60_000_000_000;
                Transformed::yes(Expr::Literal(ScalarValue::TimestampNanosecond(Some(minute), zone), m))
            }
            (Self::DecimalRounded, Expr::Literal(ScalarValue::Decimal128(Some(n), precision, scale), m)) => {
                let one = 10_i128.pow(u32::from(scale.unsigned_abs()));
                let whole = ScalarValue::Decimal128(Some(n / one * one), precision, scale);
                Transformed::yes(Expr::Literal(whole, m))
            }
            (_, expr) => Transformed::no(expr),
        }
    }
}

fn is_negation(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryExpr(b) => b.op == Operator::NotEq,
        Expr::InList(list) => list.negated,
        Expr::Not(_) | Expr::IsNotNull(_) => true,
        _ => false,
    }
}

/// Without the conditions that leave out empty values.
fn without_guards(formula: Formula) -> Formula {
    let is_guard = |condition: &Condition| match condition {
        Condition::Compare { operator: KintoneOperator::NotEq, value, .. } => value.is_empty(),
        Condition::Compare { operator: KintoneOperator::GtEq, value, .. } => {
            value.starts_with("-99999999999999999999999")
        }
        _ => false,
    };
    match formula {
        Formula::Of(Condition::And(mut parts)) => {
            parts.retain(|part| !is_guard(part));
            Formula::and(parts.into_iter().map(Formula::Of).collect())
        }
        other => other,
    }
}
