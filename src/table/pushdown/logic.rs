//! Three-valued logic: what is TRUE, what is not TRUE, and what is NULL.

use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

use super::{Columns, Comparison, Predicate, Pushdown, against, ask, column, comparison, literal, truth};

/// `expr IS NULL`, or `IS NOT NULL`.
pub(super) fn null_test(expr: &Expr, columns: &Columns, null: bool) -> Pushdown {
    match column(under_casts(expr), columns) {
        Some(column) if !column.nullable => Pushdown::constant(!null),
        Some(column) => ask(column, if null { &Predicate::IsNull } else { &Predicate::IsNotNull }),
        None => unknown(expr, columns, null),
    }
}

/// `expr IS TRUE` (`negated`: `IS FALSE`), or `IS NOT TRUE` where it is not `wanted`.
pub(super) fn test(expr: &Expr, columns: &Columns, negated: bool, wanted: bool) -> Pushdown {
    if wanted { truth(expr, columns, negated) } else { not_true(expr, columns, negated) }
}

/// Where `expr`, or `NOT expr`, is FALSE or NULL. A part that is superset makes the whole one.
pub(super) fn not_true(expr: &Expr, columns: &Columns, negated: bool) -> Pushdown {
    match expr {
        Expr::Alias(alias) => not_true(&alias.expr, columns, negated),
        Expr::Not(inner) => not_true(inner, columns, !negated),
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::And | Operator::Or) => {
            let left = not_true(&binary.left, columns, negated);
            let right = not_true(&binary.right, columns, negated);
            if (binary.op == Operator::And) == negated { left.and(right) } else { left.or(right) }
        }
        Expr::Literal(value, _) if value.is_null() => Pushdown::ALL,
        Expr::Literal(..) => truth(expr, columns, !negated),
        other if is_never_null(other) => truth(other, columns, !negated),
        leaf => truth(leaf, columns, !negated).or(unknown(leaf, columns, true)),
    }
}

/// `expr IS UNKNOWN`, or `IS NOT UNKNOWN`, of a truth value.
pub(super) fn unknown(expr: &Expr, columns: &Columns, wanted: bool) -> Pushdown {
    match expr {
        Expr::Alias(alias) => unknown(&alias.expr, columns, wanted),
        Expr::Not(inner) => unknown(inner, columns, wanted),
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::And | Operator::Or) => {
            if wanted {
                not_true(expr, columns, false).and(not_true(expr, columns, true))
            } else {
                truth(expr, columns, false).or(truth(expr, columns, true))
            }
        }
        other if is_never_null(other) => Pushdown::constant(!wanted),
        leaf => match strict_over(leaf).map(under_casts) {
            Some(inner @ Expr::Column(_)) => null_test(inner, columns, wanted),
            _ => Pushdown::No,
        },
    }
}

/// `left IS DISTINCT FROM right` where `different`, else `IS NOT DISTINCT FROM`, with a literal. Of a truth value it is
/// `IS TRUE` or `IS FALSE`.
pub(super) fn distinct(binary: &BinaryExpr, columns: &Columns, different: bool) -> Pushdown {
    let (expr, value) = match (literal(&binary.left), literal(&binary.right)) {
        (None, Some(value)) => (&binary.left, value),
        (Some(value), None) => (&binary.right, value),
        _ => return Pushdown::No,
    };
    if let ScalarValue::Boolean(Some(value)) = value {
        return test(expr, columns, !value, !different);
    }
    match (value.is_null(), different) {
        (true, _) => null_test(expr, columns, !different),
        (false, false) => against(expr, Comparison::Eq, value, columns),
        (false, true) => against(expr, Comparison::NotEq, value, columns).or(null_test(expr, columns, true)),
    }
}

/// Tests that are TRUE or FALSE whatever they look at.
fn is_never_null(expr: &Expr) -> bool {
    match expr {
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_) => true,
        Expr::BinaryExpr(binary) => {
            matches!(binary.op, Operator::IsDistinctFrom | Operator::IsNotDistinctFrom)
        }
        _ => false,
    }
}

/// What a predicate is over, where it is NULL just where that is.
fn strict_over(expr: &Expr) -> Option<&Expr> {
    let given = |expr: &Expr| literal(expr).is_some_and(|value| !value.is_null());
    match expr {
        Expr::BinaryExpr(binary) => {
            comparison(binary.op)?;
            match (given(&binary.left), given(&binary.right)) {
                (false, true) => Some(&binary.left),
                (true, false) => Some(&binary.right),
                _ => None,
            }
        }
        Expr::Between(between) => {
            (given(&between.low) && given(&between.high)).then_some(between.expr.as_ref())
        }
        Expr::InList(list) => {
            (!list.list.is_empty() && list.list.iter().all(given)).then_some(list.expr.as_ref())
        }
        Expr::Like(like) => given(&like.pattern).then_some(like.expr.as_ref()),
        _ => None,
    }
}

/// A cast is NULL just where its operand is.
fn under_casts(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast(cast) => under_casts(&cast.expr),
        Expr::Alias(alias) => under_casts(&alias.expr),
        other => other,
    }
}
