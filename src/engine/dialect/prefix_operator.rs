//! `~a + b` is `~(a + b)`: PostgreSQL's prefix operators other than signs bind less tightly than arithmetic, the parser's
//! tighter.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::take;
use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Outer(around);

fn around(expr: &mut Expr) {
    let Some(first) = first_operand(expr) else { return };
    let Expr::UnaryOp { op, expr: operand } = first else { return };
    let op = *op;
    if is_loose(op) {
        *first = take(operand);
        let whole = Box::new(Expr::Nested(Box::new(take(expr))));
        *expr = Expr::UnaryOp { op, expr: whole };
    }
}

/// The leftmost operand of arithmetic.
fn first_operand(expr: &mut Expr) -> Option<&mut Expr> {
    use BinaryOperator as B;
    let Expr::BinaryOp {
        left, op: B::Plus | B::Minus | B::Multiply | B::Divide | B::Modulo | B::PGExp, ..
    } = expr
    else {
        return None;
    };
    let mut first = left.as_mut();
    while let Expr::BinaryOp { .. } = first {
        let Expr::BinaryOp {
            left,
            op: B::Plus | B::Minus | B::Multiply | B::Divide | B::Modulo | B::PGExp,
            ..
        } = first
        else {
            return None;
        };
        first = left.as_mut();
    }
    Some(first)
}

fn is_loose(op: UnaryOperator) -> bool {
    use UnaryOperator as U;
    matches!(op, U::BitwiseNot | U::PGSquareRoot | U::PGCubeRoot | U::PGAbs)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn arithmetic_comes_first() {
        check(RULE, "SELECT ~a + b * 2, |/ 9 + 16", "SELECT ~(a + b * 2), |/(9 + 16)");
        check(RULE, "SELECT -a + b, (~a) + b, ~a < b + 1", "SELECT -a + b, (~a) + b, ~a < b + 1");
    }
}
