//! `COLLATE` is dropped: text sorts by code point everywhere here, which is `"C"` and our `default`.

use datafusion::sql::sqlparser::ast::Expr;

use super::take;
use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(without_collation);

fn without_collation(expr: &mut Expr) {
    if let Expr::Collate { expr: inner, .. } = expr {
        *expr = take(inner);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_collation_says_nothing() {
        check(RULE, "SELECT a ~ 'x' COLLATE pg_catalog.default", "SELECT a ~ 'x'");
        check(RULE, "SELECT a FROM t ORDER BY a COLLATE \"C\"", "SELECT a FROM t ORDER BY a");
    }
}
