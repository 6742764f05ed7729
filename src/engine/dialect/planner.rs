//! What needs types: hooks that DataFusion calls while it plans, and a last step over a finished plan.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder};

use super::decorrelate::decorrelate;
use crate::engine::function::display_function;
use crate::engine::pg_catalog::Value;
use crate::table::SQL_TYPE;

/// The hooks, for a session to register before DataFusion's own.
pub(crate) fn expr_planners() -> Vec<Arc<dyn ExprPlanner>> {
    vec![Arc::new(ArrayLiteral)]
}

/// A text that meets an array is an array literal: `conkey = '{1}'`.
#[derive(Debug)]
struct ArrayLiteral;

impl ExprPlanner for ArrayLiteral {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let mut expr = expr;
        let types = (expr.left.get_type(schema), expr.right.get_type(schema));
        match types {
            (Ok(DataType::List(item)), _) => read_literal(&mut expr.right, item.data_type())?,
            (_, Ok(DataType::List(item))) => read_literal(&mut expr.left, item.data_type())?,
            _ => {}
        }
        Ok(PlannerResult::Original(expr))
    }
}

fn read_literal(expr: &mut Expr, item: &DataType) -> Result<()> {
    if let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = expr
        && let Some(inner) = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'))
    {
        let items = inner.split(',').filter(|item| !item.is_empty());
        let items: Vec<Value> = items.map(|item| item.trim_matches('"').into()).collect();
        let list = Value::List(items).to_scalar(&DataType::new_list(item.clone(), true))?;
        *expr = Expr::Literal(list, None);
    }
    Ok(())
}

/// The last step over a plan: what DataFusion cannot join is joined, and values of `regclass` and its kin, which
/// are numbers inside a plan, are shown as names in its result.
///
/// # Errors
/// Those of building a plan.
pub(crate) fn complete(plan: LogicalPlan, functions: &dyn FunctionRegistry) -> Result<LogicalPlan> {
    display(decorrelate(plan)?, functions)
}

fn display(plan: LogicalPlan, functions: &dyn FunctionRegistry) -> Result<LogicalPlan> {
    let shown = |field: &Field| field.metadata().get(SQL_TYPE).and_then(|name| display_function(name));
    let schema = Arc::clone(plan.schema());
    if !schema.fields().iter().any(|field| shown(field).is_some()) {
        return Ok(plan);
    }
    let column = |(qualifier, field): (Option<&_>, &Arc<Field>)| {
        let column = Expr::Column(Column::from((qualifier, field)));
        match shown(field) {
            None => Ok(column),
            Some(name) => {
                let call = functions.udf(name)?.call(vec![column]);
                Ok(Expr::Alias(Alias::new(call, qualifier.cloned(), field.name())))
            }
        }
    };
    let columns = schema.iter().map(column).collect::<Result<Vec<_>>>()?;
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
