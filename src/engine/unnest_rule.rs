//! DataFusion's rules that trust in unique columns, kept from rows of arrays.
//!
//! `Unnest` of DataFusion 55 says of its output that the input's unique columns still determine all others. They do not:
//! `SELECT id, unnest(tags) ... ORDER BY 1, 2` would lose its second key, `SELECT DISTINCT id` its DISTINCT.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// The rules that ask which columns are unique.
const TRUSTING: &[&str] = &["eliminate_duplicated_expr", "eliminate_join", "replace_distinct_aggregate"];

/// These rules, with those that trust kept from rows of arrays.
pub(super) fn guarded(
    rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>,
) -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let guarded = |rule: Arc<dyn OptimizerRule + Send + Sync>| -> Arc<dyn OptimizerRule + Send + Sync> {
        if TRUSTING.contains(&rule.name()) { Arc::new(Guarded(rule)) } else { rule }
    };
    rules.into_iter().map(guarded).collect()
}

/// A rule that is not applied above an `Unnest`.
#[derive(Debug)]
struct Guarded(Arc<dyn OptimizerRule + Send + Sync>);

impl OptimizerRule for Guarded {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if !plan.exists(|node| Ok(matches!(node, LogicalPlan::Unnest(_))))? {
            return self.0.rewrite(plan, config);
        }
        match plan {
            // There is no other way to run it than as groups.
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let groups: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
                let none: Vec<Expr> = vec![];
                let grouped =
                    LogicalPlanBuilder::from(input.as_ref().clone()).aggregate(groups, none)?.build()?;
                Ok(Transformed::yes(grouped))
            }
            distinct @ LogicalPlan::Distinct(_) => self.0.rewrite(distinct, config),
            other => Ok(Transformed::no(other)),
        }
    }
}
