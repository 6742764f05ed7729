//! `DISTINCT ON` over values of subqueries: they are computed beneath it, since DataFusion joins a subquery with the
//! nodes that compute, filter or group alone.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::logical_plan::{Distinct, DistinctOn};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col};

/// The same plan, in which no `DISTINCT ON` has a subquery itself.
///
/// # Errors
/// Those of building a plan.
pub(super) fn apart(plan: LogicalPlan) -> Result<LogicalPlan> {
    let moved = |node| match node {
        LogicalPlan::Distinct(Distinct::On(on)) if has_subquery(&on) => Ok(Transformed::yes(moved(on)?)),
        node => Ok(Transformed::no(node)),
    };
    Ok(plan.transform_up_with_subqueries(moved)?.data)
}

fn has_subquery(on: &DistinctOn) -> bool {
    let sorts = on.sort_expr.iter().flatten().map(|sort| &sort.expr);
    let is_subquery = |expr: &Expr| {
        use Expr as E;
        let is = matches!(expr, E::ScalarSubquery(_) | E::Exists(_) | E::InSubquery(_) | E::SetComparison(_));
        Ok(is)
    };
    let mut all = on.on_expr.iter().chain(&on.select_expr).chain(sorts);
    all.any(|expr| expr.exists(is_subquery).unwrap_or(false))
}

fn named(at: usize) -> String {
    format!("distinct_on_{at}")
}

/// Every expression is a column of a projection beneath.
fn moved(on: DistinctOn) -> Result<LogicalPlan> {
    let mut columns: Vec<Expr> = vec![];
    // The same expression is the same column: what is sorted by begins with what is to be distinct.
    let mut beneath = |expr: Expr| {
        let expr = expr.unalias();
        let at = columns.iter().position(|known| *known == expr).unwrap_or_else(|| {
            columns.push(expr);
            columns.len() - 1
        });
        col(named(at))
    };
    let keys: Vec<_> = on.on_expr.into_iter().map(&mut beneath).collect();
    let values: Vec<_> = on.select_expr.into_iter().map(&mut beneath).collect();
    let sorts = on.sort_expr.map(|sorts| {
        let sorted = sorts.into_iter().map(|sort| sort.with_expr(beneath(sort.expr.clone())));
        sorted.collect::<Vec<_>>()
    });
    let names = on.schema.iter().map(|(table, field)| (table.cloned(), field.name().clone()));
    let values =
        values.into_iter().zip(names).map(|(value, (table, name))| value.alias_qualified(table, name));
    let values = values.collect();
    let columns = columns.into_iter().enumerate().map(|(at, expr)| expr.alias(named(at)));
    let input = LogicalPlanBuilder::from(Arc::unwrap_or_clone(on.input)).project(columns)?.build()?;
    let on = DistinctOn::try_new(keys, values, sorts, Arc::new(input))?;
    Ok(LogicalPlan::Distinct(Distinct::On(on)))
}
