//! `LIKE p ESCAPE 'c'` is `LIKE like_escape(p, 'c')`: DataFusion knows the backslash alone.

use datafusion::sql::sqlparser::ast::{Expr, Value};

use super::visit::Rule;
use super::{call, take};

pub(super) const RULE: Rule = Rule::Expr(backslash);

fn backslash(expr: &mut Expr) {
    let (Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. }) = expr else {
        return;
    };
    let Some(escape) = escape_char.take() else { return };
    if !matches!(&escape.value, Value::SingleQuotedString(text) if text == "\\") {
        let written = take(pattern);
        **pattern = call("like_escape", vec![written, Expr::Value(escape)]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn an_escape_is_a_function() {
        check(RULE, "SELECT a LIKE 'x/_' ESCAPE '/'", "SELECT a LIKE like_escape('x/_', '/')");
        check(RULE, "SELECT a NOT ILIKE b ESCAPE '#'", "SELECT a NOT ILIKE like_escape(b, '#')");
        check(RULE, "SELECT a LIKE 'x' ESCAPE '\\'", "SELECT a LIKE 'x'");
    }
}
