//! `a OPERATOR(pg_catalog.~) b` is `a ~ b`; the operators of JSON are functions.

use datafusion::sql::sqlparser::ast::{Array, BinaryOperator, Expr, Value};

use super::visit::Rule;
use super::{array_items, call, take};
use crate::engine::function::regex_pattern;

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
    if let Expr::BinaryOp { left, op, right } = expr {
        if matches!(
            op,
            BinaryOperator::PGRegexMatch
                | BinaryOperator::PGRegexIMatch
                | BinaryOperator::PGRegexNotMatch
                | BinaryOperator::PGRegexNotIMatch
        ) {
            pattern(right);
        }
        let function = match op {
            BinaryOperator::Arrow | BinaryOperator::HashArrow => "pg_json_get",
            BinaryOperator::LongArrow | BinaryOperator::HashLongArrow => "pg_json_get_text",
            BinaryOperator::HashMinus => "pg_jsonb_delete_path",
            BinaryOperator::Question => "jsonb_exists",
            BinaryOperator::QuestionPipe => "jsonb_exists_any",
            BinaryOperator::QuestionAnd => "jsonb_exists_all",
            _ => return,
        };
        if !matches!(op, BinaryOperator::Arrow | BinaryOperator::LongArrow | BinaryOperator::Question) {
            path(right);
        }
        *expr = call(function, vec![take(left), take(right)]);
    }
}

/// A pattern that is written out.
fn pattern(expr: &mut Expr) {
    if let Expr::Value(value) = expr
        && let Value::SingleQuotedString(text) = &mut value.value
        && text.contains('\\')
    {
        *text = regex_pattern(text);
    }
}

/// `'{a,0}'` beside an operator of paths is an array.
fn path(expr: &mut Expr) {
    if let Expr::Value(value) = expr
        && let Value::SingleQuotedString(text) = &value.value
        && let Some(items) = array_items(text)
    {
        let item = |text| Expr::value(Value::SingleQuotedString(text));
        *expr = Expr::Array(Array { elem: items.into_iter().map(item).collect(), named: true });
    }
}

fn named(name: &str) -> Option<BinaryOperator> {
    Some(match name {
        "=" => BinaryOperator::Eq,
        "<>" | "!=" => BinaryOperator::NotEq,
        "->" => BinaryOperator::Arrow,
        "->>" => BinaryOperator::LongArrow,
        "#>" => BinaryOperator::HashArrow,
        "#>>" => BinaryOperator::HashLongArrow,
        "#-" => BinaryOperator::HashMinus,
        "@>" => BinaryOperator::AtArrow,
        "<@" => BinaryOperator::ArrowAt,
        "?" => BinaryOperator::Question,
        "?|" => BinaryOperator::QuestionPipe,
        "?&" => BinaryOperator::QuestionAnd,
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
    fn operators_of_json_are_functions() {
        check(RULE, "SELECT a -> 'b' ->> 0", "SELECT pg_json_get_text(pg_json_get(a, 'b'), 0)");
        check(RULE, "SELECT a #>> '{b,0}'", "SELECT pg_json_get_text(a, ARRAY['b', '0'])");
        check(RULE, "SELECT a ? 'b'", "SELECT jsonb_exists(a, 'b')");
    }

    #[test]
    fn a_qualified_operator_is_the_plain_one() {
        check(RULE, "SELECT a OPERATOR(pg_catalog.~) 'x'", "SELECT a ~ 'x'");
        check(RULE, "SELECT 1 OPERATOR(pg_catalog.+) 2 = 3", "SELECT 1 + 2 = 3");
    }
}
