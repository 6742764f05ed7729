//! Aggregates and window functions whose results have other types in DataFusion than in PostgreSQL.

use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawWindowExpr};
use datafusion::logical_expr::{Expr, cast};

/// The hook.
#[derive(Debug)]
pub(super) struct ResultTypes;

impl ExprPlanner for ResultTypes {
    /// What counts has a number without a sign in DataFusion, which no type of PostgreSQL stands for.
    fn plan_window(&self, expr: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        let counted = match expr.func_def.name() {
            "row_number" | "rank" | "dense_rank" => DataType::Int64,
            "ntile" => DataType::Int32,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let RawWindowExpr {
            func_def: fun,
            args,
            partition_by,
            order_by,
            window_frame,
            filter,
            null_treatment,
            distinct,
        } = expr;
        let params = WindowFunctionParams {
            args,
            partition_by,
            order_by,
            window_frame,
            filter,
            null_treatment,
            distinct,
        };
        let call = Expr::WindowFunction(Box::new(WindowFunction { fun, params }));
        Ok(PlannerResult::Planned(cast(call, counted)))
    }
}
