//! `EXISTS (SELECT ... LIMIT 1)` is without its LIMIT: one row is as good as many. DataFusion joins none with a LIMIT.

use datafusion::sql::sqlparser::ast::{Expr, LimitClause, Value};

use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(without_limit);

fn without_limit(expr: &mut Expr) {
    let Expr::Exists { subquery, .. } = expr else { return };
    let Some(LimitClause::LimitOffset { limit: Some(Expr::Value(limit)), offset: None, limit_by }) =
        &subquery.limit_clause
    else {
        return;
    };
    let Value::Number(number, _) = &limit.value else { return };
    if limit_by.is_empty() && number.parse::<u64>().is_ok_and(|number| number > 0) {
        subquery.limit_clause = None;
        subquery.order_by = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn one_row_is_as_good_as_many() {
        check(
            RULE,
            "SELECT EXISTS (SELECT 1 FROM t ORDER BY a LIMIT 1), NOT EXISTS (SELECT 1 FROM t LIMIT 5)",
            "SELECT EXISTS (SELECT 1 FROM t), NOT EXISTS (SELECT 1 FROM t)",
        );
        for sql in
            ["SELECT EXISTS (SELECT 1 FROM t LIMIT 0)", "SELECT EXISTS (SELECT 1 FROM t LIMIT 1 OFFSET 3)"]
        {
            check(RULE, sql, sql);
        }
    }
}
