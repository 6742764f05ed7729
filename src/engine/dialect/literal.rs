//! Literals that DataFusion's planner does not know: `U&'\\3042'`, which the parser has decoded already.

use datafusion::sql::sqlparser::ast::{Expr, Value};

use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(plain);

fn plain(expr: &mut Expr) {
    if let Expr::Value(value) = expr
        && let Value::UnicodeStringLiteral(text) = &mut value.value
    {
        value.value = Value::SingleQuotedString(std::mem::take(text));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn escapes_of_unicode_are_plain_text() {
        check(RULE, "SELECT U&'\\3042b'", "SELECT 'あb'");
    }
}
