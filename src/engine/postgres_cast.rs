//! Casts as PostgreSQL does them, where Arrow's kernels do something else.
//!
//! Takes: a typed plan. Gives: the same with those casts spelled out, so that the kernels have nothing to decide.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::functions::math::expr_fn::round;
use datafusion::functions::string::expr_fn::rtrim;
use datafusion::logical_expr::expr::{Between, BinaryExpr, Cast, InList};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, cast, lit};
use datafusion::optimizer::{Analyzer, AnalyzerRule};

/// DataFusion's rules, with ours around them.
pub(super) fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![Arc::new(DaysAsInstants)];
    rules.extend(Analyzer::new().rules);
    rules.push(Arc::new(PostgresCasts));
    rules
}

/// A day that is compared with an instant is the instant at which it begins in the session's zone. DataFusion
/// would take the zone off the instant instead. Runs before its coercion.
#[derive(Debug)]
struct DaysAsInstants;

impl AnalyzerRule for DaysAsInstants {
    fn name(&self) -> &'static str {
        "days_as_instants"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &day_to_instant)
    }
}

/// Runs after types are known, so that it sees the casts that the planner adds too.
#[derive(Debug)]
struct PostgresCasts;

impl AnalyzerRule for PostgresCasts {
    fn name(&self) -> &'static str {
        "postgres_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &spell_out)
    }
}

/// Rewrites every expression of a plan; columns keep their names.
fn rewrite(plan: LogicalPlan, rule: &dyn Fn(Expr, &DFSchema) -> Transformed<Expr>) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        let node = node.map_expressions(|expr| {
            let name = names.save(&expr);
            let rewritten = expr.transform_up(|expr| Ok(rule(expr, &schema)))?;
            Ok(rewritten.update_data(|expr| name.restore(expr)))
        })?;
        if node.transformed { node.map_data(LogicalPlan::recompute_schema) } else { Ok(node) }
    })?;
    Ok(plan.data)
}

fn day_to_instant(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let instant = |expr: &Expr| match expr.get_type(schema) {
        Ok(instant @ DataType::Timestamp(_, Some(_))) => Some(instant),
        _ => None,
    };
    let is_day = |expr: &Expr| expr.get_type(schema).is_ok_and(|t| t == DataType::Date32);
    let of_instant = |expr: &mut Expr, wanted: &DataType| {
        if is_day(expr) {
            *expr = cast(std::mem::take(expr), wanted.clone());
        }
    };
    let mut expr = expr;
    match &mut expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
            match (instant(left), instant(right)) {
                (Some(wanted), None) => of_instant(right, &wanted),
                (None, Some(wanted)) => of_instant(left, &wanted),
                _ => return Transformed::no(expr),
            }
        }
        Expr::Between(Between { expr: value, low, high, .. }) => {
            let Some(wanted) = instant(value) else { return Transformed::no(expr) };
            of_instant(low, &wanted);
            of_instant(high, &wanted);
        }
        Expr::InList(InList { expr: value, list, .. }) => {
            let Some(wanted) = instant(value) else { return Transformed::no(expr) };
            list.iter_mut().for_each(|item| of_instant(item, &wanted));
        }
        _ => return Transformed::no(expr),
    }
    Transformed::yes(expr)
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

fn is_comparison(op: Operator) -> bool {
    use Operator as O;
    matches!(
        op,
        O::Eq | O::NotEq | O::Lt | O::LtEq | O::Gt | O::GtEq | O::IsDistinctFrom | O::IsNotDistinctFrom
    )
}
