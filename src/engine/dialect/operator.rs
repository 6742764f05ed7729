//! `a OPERATOR(pg_catalog.~) b` is `a ~ b`.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(plain_operator);

fn plain_operator(expr: &mut Expr) {
    let operator = match expr {
        Expr::BinaryOp { op, .. } => op,
        Expr::AnyOp { compare_op, .. } | Expr::AllOp { compare_op, .. } => compare_op,
        _ => return,
    };
    if let BinaryOperator::PGCustomBinaryOperator(path) = operator
        && let Some(plain) = path.last().and_then(|name| named(name))
    {
        *operator = plain;
    }
}

fn named(name: &str) -> Option<BinaryOperator> {
    Some(match name {
        "=" => BinaryOperator::Eq,
        "<>" | "!=" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        "<=" => BinaryOperator::LtEq,
        ">" => BinaryOperator::Gt,
        ">=" => BinaryOperator::GtEq,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "||" => BinaryOperator::StringConcat,
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "~~*" => BinaryOperator::PGILikeMatch,
        "!~~" => BinaryOperator::PGNotLikeMatch,
        "!~~*" => BinaryOperator::PGNotILikeMatch,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_qualified_operator_is_the_plain_one() {
        check(RULE, "SELECT a OPERATOR(pg_catalog.~) 'x'", "SELECT a ~ 'x'");
        check(RULE, "SELECT 1 OPERATOR(pg_catalog.+) 2 = 3", "SELECT 1 + 2 = 3");
    }
}
