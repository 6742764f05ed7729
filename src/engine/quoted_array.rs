//! A text beside arrays in the branches of a CASE is an array, as in PostgreSQL: `CASE WHEN a THEN tags ELSE '{}' END`.

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;
use datafusion::scalar::ScalarValue;

use super::SqlType;
use super::input::read;
use super::postgres_cast::rewrite;

/// Runs before types are made equal.
#[derive(Debug)]
pub(super) struct QuotedArrays;

impl AnalyzerRule for QuotedArrays {
    fn name(&self) -> &'static str {
        "quoted_arrays"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| Ok(read_branches(expr, schema)))
    }
}

fn read_branches(mut expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let Expr::Case(case) = &mut expr else { return Transformed::no(expr) };
    let branches = case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref());
    let array = branches
        .filter_map(|branch| branch.to_field(schema).ok())
        .find_map(|(_, field)| matches!(field.data_type(), DataType::List(_)).then(|| SqlType::of(&field)));
    let Some(array) = array else { return Transformed::no(expr) };
    let mut changed = false;
    let branches = case.when_then_expr.iter_mut().map(|(_, then)| then.as_mut());
    for branch in branches.chain(case.else_expr.as_deref_mut()) {
        // What is none of an array is told when it is cast.
        if let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = &*branch
            && let Ok(value) = read(text, &array, chrono_tz::UTC)
        {
            *branch = Expr::Literal(value, None);
            changed = true;
        }
    }
    if changed { Transformed::yes(expr) } else { Transformed::no(expr) }
}
