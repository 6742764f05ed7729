//! CASE, and what DataFusion makes one of: `coalesce`, `nullif`.

use datafusion::logical_expr::{BinaryExpr, Case, Expr, Operator};
use datafusion::scalar::ScalarValue;

use super::{Columns, Pushdown, logic, truth};

/// The most branches that are written as conditions: each repeats those before it.
const MOST: usize = 8;

/// The records that come to a branch whose value satisfies `test`.
pub(super) fn take(case: &Case, columns: &Columns, test: &dyn Fn(&Expr) -> Pushdown) -> Pushdown {
    if case.when_then_expr.len() > MOST {
        return Pushdown::No;
    }
    let mut found = Pushdown::NOTHING;
    let mut not_before = Pushdown::ALL;
    for (when, then) in &case.when_then_expr {
        let when = condition(case, when);
        let here = truth(&when, columns, false).and(test(then));
        found = found.or(not_before.clone().and(here));
        not_before = not_before.and(logic::not_true(&when, columns, false));
    }
    match &case.else_expr {
        Some(value) => found.or(not_before.and(test(value))),
        // Without ELSE it is NULL, for which no test is TRUE.
        None => found,
    }
}

/// `CASE x WHEN a` is `CASE WHEN x = a`.
fn condition(case: &Case, when: &Expr) -> Expr {
    match (&case.expr, when) {
        (None, when) => when.clone(),
        (Some(expr), Expr::Literal(ScalarValue::Boolean(Some(true)), _)) => expr.as_ref().clone(),
        (Some(expr), when) => {
            Expr::BinaryExpr(BinaryExpr::new(expr.clone(), Operator::Eq, Box::new(when.clone())))
        }
    }
}
