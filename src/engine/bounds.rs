//! Calls that are not let through: those that can fill the memory outside of the memory pool, bounded by their
//! arguments, and forms that the planner takes but answers wrongly.
//!
//! `repeat('x', 2000000000)` is one value of two gigabytes. Such a function is let through where its size is a
//! constant, and small.

use std::ops::RangeInclusive;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Kind};

/// The most that such a call may make: characters of a text, items of an array.
const MOST: i128 = 1_000_000;

/// Functions by name, with the arguments whose constant decides the size.
const BOUNDED: &[(&str, RangeInclusive<usize>)] = &[
    ("repeat", 1..=1),
    ("lpad", 1..=1),
    ("rpad", 1..=1),
    ("space", 0..=0),
    ("array_repeat", 1..=1),
    ("list_repeat", 1..=1),
    ("array_resize", 1..=1),
    ("list_resize", 1..=1),
    ("range", 0..=1),
    ("generate_series", 0..=1),
    ("gen_series", 0..=1),
];

/// Whether a call makes so much that to plan it, when it is computed once and for all, takes long.
pub(super) fn makes_much(call: &ScalarFunction) -> bool {
    BOUNDED.iter().any(|(name, _)| *name == call.name())
}

/// Refuses a plan with a call that may make too much.
pub(super) fn check(plan: &LogicalPlan) -> DfResult<()> {
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                let checked = match expr {
                    Expr::ScalarFunction(call) => check_call(call),
                    // DataFusion takes it for a plain pattern and finds nothing.
                    Expr::SimilarTo(_) => Err(Error::unsupported("SIMILAR TO")),
                    _ => Ok(()),
                };
                checked.map_err(|e| datafusion::error::DataFusionError::External(Box::new(e)))?;
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

fn check_call(call: &ScalarFunction) -> Result<(), Error> {
    let Some((name, sizes)) = BOUNDED.iter().find(|(name, _)| *name == call.name()) else { return Ok(()) };
    for argument in call.args.iter().skip(*sizes.start()).take(sizes.clone().count()) {
        match integer(argument) {
            Some(size) if size.abs() <= MOST => {}
            Some(size) => {
                let message = format!("{name}: {size} is more than the {MOST} that one value may have");
                return Err(Error::new(Kind::TooLarge, message));
            }
            None => {
                return Err(Error::unsupported(format!("{name} with a size that is no constant"))
                    .with_hint("Write the size as a number."));
            }
        }
    }
    Ok(())
}

/// A constant whole number, as written or negated or cast.
fn integer(expr: &Expr) -> Option<i128> {
    match expr {
        Expr::Literal(value, _) => match value.cast_to(&arrow::datatypes::DataType::Int64).ok()? {
            ScalarValue::Int64(Some(n)) => Some(i128::from(n)),
            // NULL makes NULL.
            ScalarValue::Int64(None) => Some(0),
            _ => None,
        },
        Expr::Negative(inner) => integer(inner).map(|n| -n),
        Expr::Cast(cast) => integer(&cast.expr),
        Expr::Alias(alias) => integer(&alias.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::{SessionContext, col, lit};

    #[tokio::test]
    async fn sizes_are_constant_and_small() {
        let context = SessionContext::new();
        let check = |sql: &'static str| {
            let context = context.clone();
            async move { check(&context.state().create_logical_plan(sql).await.unwrap()) }
        };
        for sql in [
            "SELECT repeat('x', 10), lpad('1', 5, '0'), repeat('x', -1), repeat('x', NULL)",
            "SELECT range(1, 1000)",
        ] {
            assert!(check(sql).await.is_ok(), "{sql}");
        }
        for sql in [
            "SELECT repeat('x', 2000000000)",
            "SELECT 1 WHERE length(lpad('x', 1000000000)) > 1",
            "SELECT (SELECT repeat('x', 2000000000))",
            "SELECT range(1, 1000000000)",
            "SELECT repeat('x', a) FROM (VALUES (1)) t(a)",
        ] {
            assert!(check(sql).await.is_err(), "{sql}");
        }
    }

    #[test]
    fn only_whole_constants_are_sizes() {
        assert_eq!(integer(&lit(5_i32)), Some(5));
        assert_eq!(integer(&lit("7")), Some(7));
        assert_eq!(integer(&lit("x")), None);
        assert_eq!(integer(&col("a")), None);
    }
}
