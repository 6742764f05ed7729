//! Casts as PostgreSQL does them, where Arrow's kernels do something else.
//!
//! Takes: a typed plan. Gives: the same with those casts spelled out, so that the kernels have nothing to decide.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::functions::math::expr_fn::round;
use datafusion::functions::string::expr_fn::rtrim;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, cast, lit};
use datafusion::optimizer::AnalyzerRule;

/// Runs after types are known, so that it sees the casts that the planner adds too.
#[derive(Debug)]
pub(super) struct PostgresCasts;

impl AnalyzerRule for PostgresCasts {
    fn name(&self) -> &'static str {
        "postgres_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            let schema = merge_schema(&node.inputs());
            let names = NamePreserver::new(&node);
            let node = node.map_expressions(|expr| {
                let name = names.save(&expr);
                let rewritten = expr.transform_up(|expr| Ok(spell_out(expr, &schema)))?;
                Ok(rewritten.update_data(|expr| name.restore(expr)))
            })?;
            if node.transformed { node.map_data(LogicalPlan::recompute_schema) } else { Ok(node) }
        })?;
        Ok(plan.data)
    }
}

fn spell_out(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let Expr::Cast(Cast { expr: inner, field }) = &expr else { return Transformed::no(expr) };
    let Ok(from) = inner.get_type(schema) else { return Transformed::no(expr) };
    let inner = || inner.as_ref().clone();
    match (from, field.data_type()) {
        // Arrow cuts the fraction off.
        (DataType::Decimal128(_, scale), to) if scale > 0 && to.is_integer() => {
            Transformed::yes(cast(round(vec![inner()]), to.clone()))
        }
        // Zeros that end a fraction are shown nowhere else.
        (DataType::Decimal128(_, scale), to) if scale > 0 && *to == DataType::Utf8 => {
            let digits = rtrim(vec![cast(inner(), to.clone()), lit("0")]);
            Transformed::yes(rtrim(vec![digits, lit(".")]))
        }
        // A day begins in the session's zone, not in UTC.
        (DataType::Date32, to @ DataType::Timestamp(_, Some(_))) => {
            let local = cast(inner(), DataType::Timestamp(TimeUnit::Microsecond, None));
            Transformed::yes(cast(local, to.clone()))
        }
        _ => Transformed::no(expr),
    }
}
