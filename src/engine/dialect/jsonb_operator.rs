//! The operators of `jsonb` that other types have too: `@>`, `<@`, `||`, `-`, `=` and `<>`.

use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use crate::engine::function::data_function;
use crate::table::SQL_TYPE;

/// Plans them where a side is of type `jsonb`.
#[derive(Debug)]
pub(super) struct JsonbOperator;

impl ExprPlanner for JsonbOperator {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let (left, right) = (is_jsonb(&expr.left, schema), is_jsonb(&expr.right, schema));
        if !left && !right {
            return Ok(PlannerResult::Original(expr));
        }
        // A text literal beside a jsonb is one.
        let both = (left || is_literal(&expr.left)) && (right || is_literal(&expr.right));
        let call = |name: &str, args: Vec<Expr>| data_function(name).map(|function| function.call(args));
        let RawBinaryExpr { left: one, right: other, .. } = &expr;
        let (one, other) = (one.clone(), other.clone());
        Ok(PlannerResult::Planned(match expr.op {
            BinaryOperator::AtArrow if both => call("pg_jsonb_contains", vec![one, other])?,
            BinaryOperator::ArrowAt if both => call("pg_jsonb_contains", vec![other, one])?,
            BinaryOperator::StringConcat if both => call("pg_jsonb_concat", vec![one, other])?,
            BinaryOperator::Eq if both => call("pg_jsonb_equal", vec![one, other])?,
            BinaryOperator::NotEq if both => Expr::Not(Box::new(call("pg_jsonb_equal", vec![one, other])?)),
            BinaryOperator::Minus if left => call("pg_jsonb_delete", vec![one, other])?,
            _ => return Ok(PlannerResult::Original(expr)),
        }))
    }
}

fn is_jsonb(expr: &Expr, schema: &DFSchema) -> bool {
    expr.to_field(schema)
        .is_ok_and(|(_, field)| field.metadata().get(SQL_TYPE).is_some_and(|word| word == "jsonb"))
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(..) | Expr::Placeholder(_) => true,
        Expr::Alias(alias) => is_literal(&alias.expr),
        _ => false,
    }
}
