//! Keeps conditions of inner joins that DataFusion would lose or change when it puts the joins in another order.
//!
//! `EliminateCrossJoin` of DataFusion 55 takes inner joins apart and joins their inputs anew, in its own order. A key
//! whose one side needs two inputs (`c.x = a.y + b.z`) then fits no join of two inputs, and is gone; and all joins
//! get the NULL rule of the last one, so that NULLs match where only one of them said `IS NOT DISTINCT FROM`.
//! `ExtractEquijoinPredicate` adds keys of `=` to a join whose keys match NULLs. What could go wrong so is made a
//! filter first: filters are kept as they are.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{NullEquality, Result};
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan, Operator, binary_expr};
use datafusion::optimizer::optimizer::{ApplyOrder, Optimizer};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// DataFusion's rules, with [`JoinConditions`] before those that it guards against.
pub(super) fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![];
    for rule in Optimizer::new().rules {
        if ["extract_equijoin_predicate", "eliminate_cross_join"].contains(&rule.name()) {
            rules.push(Arc::new(JoinConditions));
        }
        rules.push(rule);
    }
    rules
}

#[derive(Debug)]
struct JoinConditions;

impl OptimizerRule for JoinConditions {
    fn name(&self) -> &'static str {
        "join_conditions"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Join(join) if is_taken_apart(&join) => Ok(loosen(LogicalPlan::Join(join))),
            LogicalPlan::Filter(mut filter) if is_inner_join(&filter.input) => {
                let input = loosen(Arc::unwrap_or_clone(filter.input));
                filter.input = Arc::new(input.data);
                let plan = LogicalPlan::Filter(filter);
                Ok(if input.transformed { Transformed::yes(plan) } else { Transformed::no(plan) })
            }
            plan => Ok(Transformed::no(plan)),
        }
    }
}

fn is_inner_join(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(join) if join.join_type == JoinType::Inner)
}

/// A join of joins; or one whose keys match NULLs beside a filter, from which keys may be taken that do not.
fn is_taken_apart(join: &Join) -> bool {
    join.join_type == JoinType::Inner
        && (is_inner_join(&join.left)
            || is_inner_join(&join.right)
            || join.null_equality == NullEquality::NullEqualsNull && join.filter.is_some())
}

/// Makes filters of the keys of inner joins below that are not safe; the rows stay the same.
fn loosen(plan: LogicalPlan) -> Transformed<LogicalPlan> {
    let mut join = match plan {
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => join,
        plan => return Transformed::no(plan),
    };
    let left = loosen(Arc::unwrap_or_clone(join.left));
    let right = loosen(Arc::unwrap_or_clone(join.right));
    let matches_nulls = join.null_equality == NullEquality::NullEqualsNull;
    let (moved, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut join.on).into_iter().partition(|(a, b)| {
        let of_one = |side: &Expr| is_of_one_input(side, &left.data) || is_of_one_input(side, &right.data);
        matches_nulls || !of_one(a) || !of_one(b)
    });
    let changed = left.transformed || right.transformed || !moved.is_empty();
    let operator = if matches_nulls { Operator::IsNotDistinctFrom } else { Operator::Eq };
    for (a, b) in moved {
        let condition = binary_expr(a, operator, b);
        join.filter = Some(match join.filter.take() {
            Some(filter) => filter.and(condition),
            None => condition,
        });
    }
    if kept.is_empty() {
        join.null_equality = NullEquality::NullEqualsNothing;
    }
    let plan =
        LogicalPlan::Join(Join { left: Arc::new(left.data), right: Arc::new(right.data), on: kept, ..join });
    if changed { Transformed::yes(plan) } else { Transformed::no(plan) }
}

/// Whether one of the inputs that are joined below has all columns of an expression, and it has any.
fn is_of_one_input(side: &Expr, plan: &LogicalPlan) -> bool {
    if let LogicalPlan::Join(join) = plan
        && join.join_type == JoinType::Inner
    {
        return is_of_one_input(side, &join.left) || is_of_one_input(side, &join.right);
    }
    let columns = side.column_refs();
    !columns.is_empty() && columns.iter().all(|column| plan.schema().has_column(column))
}
