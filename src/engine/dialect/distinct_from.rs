//! `a IS DISTINCT FROM b AND c` is `(a IS DISTINCT FROM b) AND c`: the parser takes all that follows for the right side.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::take;
use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Outer(bound);

fn bound(expr: &mut Expr) {
    if !is_misread(expr) {
        return;
    }
    let (mut operands, mut operators) = (vec![], vec![]);
    flatten(take(expr), &mut operands, &mut operators);
    *expr = joined(operands, &operators);
}

fn is_chain(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. })
}

/// Whether one of the operands of a chain of AND and OR has swallowed what follows it.
fn is_misread(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
            is_misread(left) || is_misread(right)
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => is_misread(expr),
        Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) => {
            is_chain(right) || is_misread(right)
        }
        _ => false,
    }
}

/// The operands of a chain in the order in which they are written, and the operators between them.
fn flatten(expr: Expr, operands: &mut Vec<Expr>, operators: &mut Vec<BinaryOperator>) {
    let first = operands.len();
    match expr {
        Expr::BinaryOp { left, op: op @ (BinaryOperator::And | BinaryOperator::Or), right } => {
            flatten(*left, operands, operators);
            operators.push(op);
            flatten(*right, operands, operators);
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
            flatten(*expr, operands, operators);
            if let Some(operand) = operands.get_mut(first) {
                *operand = Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(take(operand)) };
            }
        }
        Expr::IsDistinctFrom(left, right) => {
            flatten(*right, operands, operators);
            if let Some(operand) = operands.get_mut(first) {
                *operand = Expr::IsDistinctFrom(left, Box::new(take(operand)));
            }
        }
        Expr::IsNotDistinctFrom(left, right) => {
            flatten(*right, operands, operators);
            if let Some(operand) = operands.get_mut(first) {
                *operand = Expr::IsNotDistinctFrom(left, Box::new(take(operand)));
            }
        }
        other => operands.push(other),
    }
}

/// The chain again: AND binds its operands before OR does.
fn joined(operands: Vec<Expr>, operators: &[BinaryOperator]) -> Expr {
    let binary = |left: Expr, op: BinaryOperator, right: Expr| Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    };
    let mut alternatives: Vec<Expr> = vec![];
    let mut operators = operators.iter();
    for operand in operands {
        let op = if alternatives.is_empty() { None } else { operators.next() };
        match (op, alternatives.pop()) {
            (Some(BinaryOperator::And), Some(last)) => {
                alternatives.push(binary(last, BinaryOperator::And, operand));
            }
            (_, last) => {
                alternatives.extend(last);
                alternatives.push(operand);
            }
        }
    }
    let or = |left, right| binary(left, BinaryOperator::Or, right);
    alternatives
        .into_iter()
        .reduce(or)
        .unwrap_or_else(|| Expr::value(datafusion::sql::sqlparser::ast::Value::Null))
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::super::visit::apply;
    use super::*;

    #[test]
    fn it_binds_before_and() {
        for (before, after) in [
            ("a IS DISTINCT FROM b AND c", "(a IS DISTINCT FROM b) AND c"),
            ("x AND a IS DISTINCT FROM b OR c AND d", "(x AND (a IS DISTINCT FROM b)) OR (c AND d)"),
            (
                "a IS NOT DISTINCT FROM 1 OR b IS DISTINCT FROM 2 AND c",
                "(a IS NOT DISTINCT FROM 1) OR ((b IS DISTINCT FROM 2) AND c)",
            ),
            ("NOT a IS DISTINCT FROM b AND c", "(NOT (a IS DISTINCT FROM b)) AND c"),
        ] {
            let mut statement = parse(&format!("SELECT 1 WHERE {before}"));
            apply(&[RULE], &mut statement);
            let mut wanted = parse(&format!("SELECT 1 WHERE {after}"));
            apply(&[Rule::Expr(unbracketed)], &mut wanted);
            assert_eq!(statement, wanted, "{before}");
        }
    }

    fn unbracketed(expr: &mut Expr) {
        if let Expr::Nested(inner) = expr {
            *expr = take(inner);
        }
    }
}
