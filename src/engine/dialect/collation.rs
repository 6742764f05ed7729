//! `COLLATE` is dropped: text sorts by code point everywhere here, which is `"C"` and our `default`. One that there is
//! not stays, to be refused.

use datafusion::sql::sqlparser::ast::{Expr, ObjectName};

use super::take;
use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(without_collation);

fn without_collation(expr: &mut Expr) {
    if let Expr::Collate { expr: inner, collation } = expr
        && is_known(collation)
    {
        *expr = take(inner);
    }
}

/// The names of sorting by code point.
fn is_known(collation: &ObjectName) -> bool {
    let name = collation.0.last().and_then(|part| part.as_ident()).map(super::folded).unwrap_or_default();
    matches!(name.as_str(), "default" | "C" | "POSIX" | "C.UTF-8" | "ucs_basic")
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_collation_says_nothing() {
        check(RULE, "SELECT a ~ 'x' COLLATE pg_catalog.default", "SELECT a ~ 'x'");
        check(RULE, "SELECT a FROM t ORDER BY a COLLATE \"C\"", "SELECT a FROM t ORDER BY a");
        check(RULE, "SELECT a COLLATE nosuch", "SELECT a COLLATE nosuch");
    }
}
