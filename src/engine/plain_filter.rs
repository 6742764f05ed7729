//! Takes a filter's own projection out of it, before DataFusion pushes projections down.
//!
//! `FilterExec::try_swapping_with_projection` of DataFusion 55 reads the upper projection's columns as those of
//! the filter's input, which they are not where the filter projects too: the plan fails with an internal error.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

use crate::table::{AnyOrder, OuterSides};

/// DataFusion's rules, with [`OuterSides`] before all, [`PlainFilter`] before each that needs it, and [`AnyOrder`] while the query's own order
/// is still in the plan: `OutputRequirements` comes twice, first to write it down.
pub(super) fn optimizer_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = vec![];
    for rule in PhysicalOptimizer::new().rules {
        match rule.name() {
            "ProjectionPushdown" => rules.push(Arc::new(PlainFilter)),
            "OutputRequirements" if !rules.is_empty() => rules.push(Arc::new(AnyOrder)),
            _ => {}
        }
        rules.push(rule);
    }
    rules.insert(0, Arc::new(OuterSides));
    rules
}

#[derive(Debug)]
struct PlainFilter;

impl PhysicalOptimizerRule for PlainFilter {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan
            .transform_up(|node| Ok(separate(&node)?.map_or(Transformed::no(node), Transformed::yes)))?
            .data)
    }

    fn name(&self) -> &'static str {
        "plain_filter"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A projection over a filter that projects, as one over a filter that does not.
fn separate(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(projection) = node.downcast_ref::<ProjectionExec>() else { return Ok(None) };
    let Some(filter) = projection.input().downcast_ref::<FilterExec>() else { return Ok(None) };
    let Some(kept) = filter.projection().as_ref() else { return Ok(None) };
    let input = filter.input().schema();
    let of_input = |expr: Arc<dyn PhysicalExpr>| match expr.downcast_ref::<Column>() {
        Some(column) => Ok(match kept.get(column.index()) {
            Some(index) => Transformed::yes(
                Arc::new(Column::new(input.field(*index).name(), *index)) as Arc<dyn PhysicalExpr>
            ),
            None => Transformed::no(expr),
        }),
        None => Ok(Transformed::no(expr)),
    };
    let columns = projection.expr().iter().map(|item| {
        let expr = Arc::clone(&item.expr).transform_up(of_input)?.data;
        Ok(ProjectionExpr { expr, alias: item.alias.clone() })
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let plain = FilterExecBuilder::from(filter).apply_projection(None)?.build()?;
    Ok(Some(Arc::new(ProjectionExec::try_new(columns, Arc::new(plain))?)))
}
