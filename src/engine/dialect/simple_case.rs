//! `CASE b WHEN 't' THEN x ... END` of a truth value is `CASE WHEN b = 't' THEN x ... END`: DataFusion compares the
//! operand with text as text, while what is compared by `=` finds the literal's type.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Value};

use super::take;
use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(searched);

fn searched(expr: &mut Expr) {
    let Expr::Case { operand, conditions, .. } = expr else { return };
    let is_column = |expr: &Expr| matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    if !operand.as_deref().is_some_and(is_column) || !conditions.iter().all(|when| is_truth(&when.condition))
    {
        return;
    }
    let Some(operand) = operand.take() else { return };
    for when in conditions {
        let right = Box::new(take(&mut when.condition));
        when.condition = Expr::BinaryOp { left: operand.clone(), op: BinaryOperator::Eq, right };
    }
}

/// A text that PostgreSQL reads as a truth value.
fn is_truth(expr: &Expr) -> bool {
    let Expr::Value(value) = expr else { return false };
    let Value::SingleQuotedString(text) = &value.value else { return false };
    matches!(text.to_ascii_lowercase().as_str(), "t" | "f" | "true" | "false")
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_truth_value_is_compared_as_one() {
        check(
            RULE,
            "SELECT CASE i.b WHEN 't' THEN 1 ELSE 2 END FROM i",
            "SELECT CASE WHEN i.b = 't' THEN 1 ELSE 2 END FROM i",
        );
        let other = "SELECT CASE i.k WHEN 'r' THEN 1 WHEN 't' THEN 2 END FROM i";
        check(RULE, other, other);
    }
}
