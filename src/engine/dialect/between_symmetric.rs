//! `x BETWEEN SYMMETRIC a AND b`, of which the tokens made `x BETWEEN pg_symmetric(a) AND b`, and `x LIKE ANY (...)`.

use datafusion::sql::sqlparser::ast::{
    Array, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};

use super::visit::Rule;
use super::{array_items, take};
use crate::engine::spelling::SYMMETRIC;

pub(super) const RULE: Rule = Rule::Expr(spelled_out);

fn spelled_out(expr: &mut Expr) {
    match expr {
        Expr::Between { expr: value, negated, low, high } => {
            let Some(bound) = symmetric(low) else { return };
            let (value, high) = (take(value), take(high));
            let between = |low: &Expr, high: &Expr| Expr::Between {
                expr: Box::new(value.clone()),
                negated: *negated,
                low: Box::new(low.clone()),
                high: Box::new(high.clone()),
            };
            let op = if *negated { BinaryOperator::And } else { BinaryOperator::Or };
            let left = Box::new(between(&bound, &high));
            let either = Expr::BinaryOp { left, op, right: Box::new(between(&high, &bound)) };
            *expr = Expr::Nested(Box::new(either));
        }
        Expr::Like { any: true, pattern, .. } | Expr::ILike { any: true, pattern, .. } => {
            let Some(patterns) = patterns(pattern) else { return };
            let one = |text: Expr| {
                let mut like = expr.clone();
                if let Expr::Like { any, pattern, .. } | Expr::ILike { any, pattern, .. } = &mut like {
                    *any = false;
                    **pattern = text;
                }
                like
            };
            let any = patterns.into_iter().map(one).reduce(|left, right| Expr::BinaryOp {
                left: Box::new(left),
                op: BinaryOperator::Or,
                right: Box::new(right),
            });
            *expr = Expr::Nested(Box::new(any.unwrap_or_else(|| Expr::value(Value::Boolean(false)))));
        }
        _ => {}
    }
}

fn symmetric(low: &Expr) -> Option<Expr> {
    let Expr::Function(function) = low else { return None };
    if function.name.to_string() != SYMMETRIC {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(bound))] => Some(bound.clone()),
        _ => None,
    }
}

/// The patterns of an array that is written out.
fn patterns(array: &Expr) -> Option<Vec<Expr>> {
    match array {
        Expr::Nested(inner) => patterns(inner),
        Expr::Array(Array { elem, .. }) => Some(elem.clone()),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => {
                let items = array_items(text)?;
                Some(items.into_iter().map(|item| Expr::value(Value::SingleQuotedString(item))).collect())
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn both_ways_are_tried() {
        check(
            RULE,
            "SELECT a BETWEEN pg_symmetric(1) AND b",
            "SELECT (a BETWEEN 1 AND b OR a BETWEEN b AND 1)",
        );
        check(
            RULE,
            "SELECT a NOT BETWEEN pg_symmetric(1) AND b",
            "SELECT (a NOT BETWEEN 1 AND b AND a NOT BETWEEN b AND 1)",
        );
        check(RULE, "SELECT a LIKE ANY (ARRAY['x', 'y'])", "SELECT (a LIKE 'x' OR a LIKE 'y')");
    }
}
