//! Correlated subqueries that DataFusion joins wrongly are refused: no answer is better than a wrong one.

use datafusion::common::JoinType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::logical_plan::{SkipType, Subquery};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};

use crate::error::Error;

/// Looks at the subqueries that are left in a plan.
///
/// # Errors
/// `Unsupported`, with the form.
pub(super) fn refuse(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                match expr {
                    Expr::ScalarSubquery(subquery) => of_rows(subquery)?,
                    Expr::Exists(exists) => {
                        of_rows(&exists.subquery)?;
                        of_existence(&exists.subquery)?;
                    }
                    Expr::InSubquery(within) => {
                        of_rows(&within.subquery)?;
                        of_existence(&within.subquery)?;
                        if within.negated {
                            of_absence(&within.subquery)?;
                        }
                    }
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        if let LogicalPlan::Subquery(lateral) = node {
            of_rows(lateral)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn refused(what: &str) -> DataFusionError {
    let error = Error::unsupported(format!("{what} in a subquery that depends on outer rows"))
        .with_hint("Join the tables instead, or compute it in a subquery of its own first.");
    DataFusionError::External(Box::new(error))
}

/// The condition on the outer row would be applied after what has to come after it.
fn of_rows(subquery: &Subquery) -> Result<()> {
    if subquery.outer_ref_columns.is_empty() {
        return Ok(());
    }
    subquery.subquery.apply(|node| {
        match node {
            LogicalPlan::Window(window) if refers_out(&window.input)? => {
                return Err(refused("a window function"));
            }
            LogicalPlan::Join(join) => {
                let on = join.filter.iter().chain(join.on.iter().flat_map(|(left, right)| [left, right]));
                let in_condition = on.into_iter().any(Expr::contains_outer);
                let (left, right) = (refers_out(&join.left)?, refers_out(&join.right)?);
                let is_wrong = match join.join_type {
                    JoinType::Left => in_condition || right,
                    JoinType::Right => in_condition || left,
                    JoinType::Full => in_condition || left || right,
                    _ => false,
                };
                if is_wrong {
                    return Err(refused("a condition of an outer join"));
                }
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// Whether there are rows would be asked of other rows.
fn of_existence(subquery: &Subquery) -> Result<()> {
    if subquery.outer_ref_columns.is_empty() {
        return Ok(());
    }
    subquery.subquery.apply(|node| {
        match node {
            LogicalPlan::Aggregate(aggregate)
                if aggregate.group_expr.is_empty() && refers_out(&aggregate.input)? =>
            {
                return Err(refused("EXISTS or IN of an aggregate of all rows"));
            }
            LogicalPlan::Limit(limit)
                if refers_out(&limit.input)? && !matches!(limit.get_skip_type()?, SkipType::Literal(0)) =>
            {
                return Err(refused("OFFSET"));
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// NOT IN with a condition on the outer row that is no equality.
fn of_absence(subquery: &Subquery) -> Result<()> {
    subquery.subquery.apply(|node| {
        if let LogicalPlan::Filter(filter) = node {
            let is_equal = |expr: &Expr| {
                matches!(expr, Expr::BinaryExpr(BinaryExpr { op: Operator::Eq, .. }))
                    || !expr.contains_outer()
            };
            if !split_conjunction(&filter.predicate).into_iter().all(is_equal) {
                return Err(refused("NOT IN with a condition that is no equality"));
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn refers_out(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| {
        let mut found = false;
        node.apply_expressions(|expr| {
            found |= expr.contains_outer();
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        Ok(found)
    })
}
