//! Names of the catalog match a folded pattern in any case.
//!
//! psql folds a name that was typed without quotes and sends `relname ~ '^(customers)$'`. Names here keep the case
//! of Kintone, so a pattern without upper case matches names in any case, as an identifier without quotes does.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Value};

use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(any_case);

/// The columns of the catalog that hold names.
const NAMES: &[&str] = &["relname", "nspname", "attname"];

fn any_case(expr: &mut Expr) {
    let Expr::BinaryOp { left, op, right } = expr else { return };
    let Expr::Value(value) = right.as_ref() else { return };
    let Value::SingleQuotedString(pattern) = &value.value else { return };
    let anchored = pattern.starts_with("^(") && pattern.ends_with(")$");
    if anchored && is_name(left) && !pattern.chars().any(char::is_uppercase) {
        match op {
            BinaryOperator::PGRegexMatch => *op = BinaryOperator::PGRegexIMatch,
            BinaryOperator::PGRegexNotMatch => *op = BinaryOperator::PGRegexNotIMatch,
            _ => {}
        }
    }
}

fn is_name(expr: &Expr) -> bool {
    let column = match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(path) => path.last(),
        _ => None,
    };
    column.is_some_and(|column| NAMES.contains(&column.value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_folded_pattern_matches_any_case() {
        check(RULE, "SELECT c.relname ~ '^(customers)$'", "SELECT c.relname ~* '^(customers)$'");
        check(RULE, "SELECT c.relname ~ '^(Customers)$'", "SELECT c.relname ~ '^(Customers)$'");
        check(RULE, "SELECT n.nspname !~ '^pg_toast'", "SELECT n.nspname !~ '^pg_toast'");
        check(RULE, "SELECT company ~ '^(a)$'", "SELECT company ~ '^(a)$'");
    }
}
