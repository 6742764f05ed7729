//! Bounds what a statement becomes once its CTEs are put in where they are named.
//!
//! The planner copies a CTE for each place that names it, so that 24 CTEs that each name the one before twice are
//! sixteen million tables: more memory than any pool accounts for, before a row is read.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};

use crate::error::{Error, Kind, Result};

/// Tables in one statement, counted as often as they are read.
const MOST: u64 = 1_000;

/// Refuses a query that reads more tables than that.
pub(super) fn check(query: &Query) -> Result<()> {
    if tables(query) > MOST {
        let message = format!("statement too complex: with its CTEs put in it reads more than {MOST} tables");
        return Err(Error::new(Kind::TooComplex, message));
    }
    Ok(())
}

/// The tables that a query reads, counted so.
pub(super) fn tables(query: &Query) -> u64 {
    let mut sizes = Sizes { frames: vec![Frame::default()] };
    let _ = query.visit(&mut sizes);
    sizes.frames.first().map_or(0, |whole| whole.tables)
}

/// A query on the way through the tree.
#[derive(Default)]
struct Frame {
    tables: u64,
    /// Its CTEs that are still to come, the last first: the tree has them before the body, in order.
    coming: Vec<String>,
    ctes: HashMap<String, u64>,
}

struct Sizes {
    frames: Vec<Frame>,
}

impl Visitor for Sizes {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        let mut coming: Vec<String> = ctes.map(|cte| cte.alias.name.value.to_lowercase()).collect();
        coming.reverse();
        self.frames.push(Frame { coming, ..Frame::default() });
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let name = name.to_string().replace('"', "").to_lowercase();
        let size = self.frames.iter().rev().find_map(|frame| frame.ctes.get(&name)).copied().unwrap_or(1);
        if let Some(frame) = self.frames.last_mut() {
            frame.tables = frame.tables.saturating_add(size);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        // A query without a table is one of constants.
        let size = self.frames.pop().map_or(0, |frame| frame.tables.max(1));
        if let Some(around) = self.frames.last_mut() {
            match around.coming.pop() {
                Some(cte) => {
                    around.ctes.insert(cte, size);
                }
                None => around.tables = around.tables.saturating_add(size),
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    fn passes(sql: &str) -> bool {
        let dialect = PostgreSqlDialect {};
        check(&Parser::new(&dialect).try_with_sql(sql).unwrap().parse_query().unwrap()).is_ok()
    }

    fn doubled(times: usize) -> String {
        let ctes = (1..=times).map(|i| format!(", t{i} AS (SELECT 1 FROM T{} a, t{} b)", i - 1, i - 1));
        format!("WITH t0 AS (SELECT 1 FROM x){} SELECT 1 FROM t{times}", ctes.collect::<String>())
    }

    #[test]
    fn ctes_count_as_often_as_they_are_named() {
        assert!(passes(&doubled(9)));
        assert!(!passes(&doubled(10)));
        assert!(!passes(&doubled(60)));
        assert!(passes("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"));
        let constants = doubled(20).replace("FROM x", "");
        assert!(!passes(&constants));
        // An inner CTE hides an outer one of its name, and only where it stands.
        let inner = doubled(9);
        assert!(passes(&format!("SELECT 1 FROM ({inner}) a WHERE EXISTS (SELECT 1 FROM t9)")));
        assert!(!passes(&format!("SELECT 1 FROM ({inner}) a, ({inner}) b")));
    }
}
