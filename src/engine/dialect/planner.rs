//! What needs types: hooks that DataFusion calls while it plans, and a last step over a finished plan.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::functions_nested::expr_fn::array_has_any;
use datafusion::logical_expr::expr::{Alias, Placeholder, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::array_items;
use super::decorrelate::decorrelate;
use crate::engine::function::display_function;
use crate::engine::pg_catalog::Value;
use crate::table::SQL_TYPE;

/// The hooks, for a session to register before DataFusion's own.
pub(crate) fn expr_planners() -> Vec<Arc<dyn ExprPlanner>> {
    vec![Arc::new(UnknownLiteral), Arc::new(super::arithmetic::Arithmetic)]
}

/// A text literal has the type of what it is compared with: an array (`conkey = '{1}'`), a truth value (`x = 't'`).
#[derive(Debug)]
struct UnknownLiteral;

impl ExprPlanner for UnknownLiteral {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let mut expr = expr;
        let types = (expr.left.get_type(schema), expr.right.get_type(schema));
        if let (Ok(left), Ok(right)) = types {
            read_literal(&mut expr.right, &left)?;
            read_literal(&mut expr.left, &right)?;
        }
        expr.left = plain_number(expr.left)?;
        expr.right = plain_number(expr.right)?;
        if is_of_arrays(&expr.op) {
            read_parameter(&mut expr.right, &expr.left, schema);
            read_parameter(&mut expr.left, &expr.right, schema);
        }
        let is_list = |expr: &Expr| matches!(expr.get_type(schema), Ok(DataType::List(_)));
        if expr.op == BinaryOperator::PGOverlap && is_list(&expr.left) && is_list(&expr.right) {
            return Ok(PlannerResult::Planned(array_has_any(expr.left, expr.right)));
        }
        Ok(PlannerResult::Original(expr))
    }
}

fn is_of_arrays(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::PGOverlap | BinaryOperator::AtArrow | BinaryOperator::ArrowAt)
}

/// `tags && $1`: an array of the other side's type, where nobody said another.
fn read_parameter(parameter: &mut Expr, other: &Expr, schema: &DFSchema) {
    if let Expr::Placeholder(placeholder) = parameter
        && placeholder.field.is_none()
        && let Ok(list @ DataType::List(_)) = other.get_type(schema)
    {
        placeholder.field = Some(Arc::new(Field::new("", list, true)));
    }
}

/// The number that `'customers'::regclass` is, where it is compared. As a folded literal it would keep the mark of its
/// type, and DataFusion takes two literals with different marks for two values.
fn plain_number(expr: Expr) -> Result<Expr> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = &expr else { return Ok(expr) };
    if !matches!(func.name(), "pg_oid" | "pg_regclass" | "pg_regtype" | "pg_regproc" | "pg_regnamespace") {
        return Ok(expr);
    }
    let args = args.iter().map(|arg| plain_number(arg.clone())).collect::<Result<Vec<_>>>()?;
    let constants = args.iter().map(|arg| match arg {
        Expr::Literal(value, _) => Some(ColumnarValue::Scalar(value.clone())),
        _ => None,
    });
    let Some(constants) = constants.collect::<Option<Vec<_>>>() else { return Ok(expr) };
    let field = Arc::new(Field::new("", DataType::Int64, true));
    let result = func.invoke_with_args(ScalarFunctionArgs {
        arg_fields: constants.iter().map(|c| Arc::new(Field::new("", c.data_type(), true))).collect(),
        args: constants,
        number_rows: 1,
        return_field: field,
        config_options: Arc::default(),
    })?;
    Ok(match result {
        ColumnarValue::Scalar(value) => Expr::Literal(value, None),
        ColumnarValue::Array(_) => expr,
    })
}

fn read_literal(expr: &mut Expr, wanted: &DataType) -> Result<()> {
    let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = expr else { return Ok(()) };
    let value = match wanted {
        DataType::Boolean => match text.trim().to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => Value::Bool(true),
            "f" | "false" | "n" | "no" | "off" | "0" => Value::Bool(false),
            _ => return Ok(()),
        },
        DataType::List(_) => match array_items(text) {
            Some(items) => items.into(),
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    *expr = Expr::Literal(value.to_scalar(wanted)?, None);
    Ok(())
}

/// The last step over a plan: what DataFusion cannot join is joined, and values of `regclass` and its kin, which
/// are numbers inside a plan, are shown as names in its result.
///
/// # Errors
/// Those of building a plan.
pub(crate) fn complete(plan: LogicalPlan, functions: &dyn FunctionRegistry) -> Result<LogicalPlan> {
    display(array_texts(decorrelate(typed(plan)?)?, functions)?, functions)
}

/// `array::text` has PostgreSQL's form: `{a,"b c"}`.
fn array_texts(plan: LogicalPlan, functions: &dyn FunctionRegistry) -> Result<LogicalPlan> {
    let function = functions.udf("pg_array_text")?;
    let plan = plan.transform_up_with_subqueries(|plan| {
        let mut schema = DFSchema::empty();
        for input in plan.inputs() {
            schema.merge(input.schema());
        }
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let done = expr.transform_up(|expr| match expr {
                Expr::Cast(cast)
                    if *cast.field.data_type() == DataType::Utf8
                        && matches!(cast.expr.get_type(&schema), Ok(DataType::List(_))) =>
                {
                    Ok(Transformed::yes(function.call(vec![*cast.expr])))
                }
                other => Ok(Transformed::no(other)),
            })?;
            Ok(done.update_data(|expr| name.restore(expr)))
        })
    })?;
    Ok(plan.data)
}

/// Gives types to what has none because of where it stands: in `x = ANY ($1)` and `x = ANY ('{a,b}')` the right side
/// is an array of the left one's type, in `LIMIT $1` a number. To be applied before parameters are asked for.
///
/// # Errors
/// Those of building a plan.
pub(crate) fn typed(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|plan| {
        let mut schema = DFSchema::empty();
        for input in plan.inputs() {
            schema.merge(input.schema());
        }
        let limit = matches!(plan, LogicalPlan::Limit(_));
        plan.map_expressions(|expr| {
            expr.transform_up(|expr| match expr {
                Expr::ScalarFunction(mut function) if function.func.name() == "array_has" => {
                    let changed = type_array(&mut function, &schema)?;
                    let expr = Expr::ScalarFunction(function);
                    Ok(if changed { Transformed::yes(expr) } else { Transformed::no(expr) })
                }
                Expr::Placeholder(placeholder) if limit && placeholder.field.is_none() => {
                    let field = Arc::new(Field::new("", DataType::Int64, true));
                    Ok(Transformed::yes(Expr::Placeholder(Placeholder::new_with_field(
                        placeholder.id,
                        Some(field),
                    ))))
                }
                other => Ok(Transformed::no(other)),
            })
        })
    })?;
    Ok(plan.data)
}

fn type_array(function: &mut ScalarFunction, schema: &DFSchema) -> Result<bool> {
    let [array, item] = function.args.as_mut_slice() else { return Ok(false) };
    let Ok(item) = item.get_type(schema) else { return Ok(false) };
    let wanted = DataType::new_list(item, true);
    match array {
        Expr::Placeholder(placeholder)
            if !placeholder
                .field
                .as_ref()
                .is_some_and(|field| matches!(field.data_type(), DataType::List(_))) =>
        {
            placeholder.field = Some(Arc::new(Field::new("", wanted, true)));
            Ok(true)
        }
        Expr::Literal(ScalarValue::Utf8(Some(_)), _) => read_literal(array, &wanted).map(|()| true),
        _ => Ok(false),
    }
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
