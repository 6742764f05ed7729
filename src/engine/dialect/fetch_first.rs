//! `FETCH FIRST n ROWS ONLY` is `LIMIT n`.

use datafusion::sql::sqlparser::ast::{Fetch, LimitClause, Query};

use super::number;
use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Query(limit);

fn limit(query: &mut Query) {
    // WITH TIES and PERCENT are more than a limit: the planner refuses them.
    let Some(Fetch { with_ties: false, percent: false, quantity }) = &query.fetch else { return };
    let quantity = quantity.clone().unwrap_or_else(|| number(1));
    let offset = match query.limit_clause.take() {
        None => None,
        Some(LimitClause::LimitOffset { limit: None, offset, .. }) => offset,
        other => {
            query.limit_clause = other;
            return;
        }
    };
    query.fetch = None;
    query.limit_clause = Some(LimitClause::LimitOffset { limit: Some(quantity), offset, limit_by: vec![] });
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn fetch_is_a_limit() {
        check(RULE, "SELECT a FROM t FETCH FIRST 2 ROWS ONLY", "SELECT a FROM t LIMIT 2");
        check(
            RULE,
            "SELECT a FROM t OFFSET 5 ROWS FETCH NEXT ROW ONLY",
            "SELECT a FROM t LIMIT 1 OFFSET 5 ROWS",
        );
        check(RULE, "SELECT a FROM t LIMIT 3", "SELECT a FROM t LIMIT 3");
    }
}
