//! What needs types: hooks that DataFusion calls while it plans, and a last step over a finished plan.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::functions_nested::expr_fn::array_has_any;
use datafusion::logical_expr::expr::{Alias, Placeholder, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, cast, lit,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::decorrelate::decorrelate;
use super::literal_cast::{self, read_literal};
use super::mark::marks;
use super::parameter_type;
use crate::engine::function::display_function;
use crate::engine::{Clock, DateOrder, SqlType};

/// The hooks, for a session to register before DataFusion's own.
pub(crate) fn expr_planners(order: DateOrder) -> Vec<Arc<dyn ExprPlanner>> {
    vec![
        Arc::new(UnknownLiteral { order }),
        Arc::new(super::jsonb_operator::JsonbOperator),
        Arc::new(super::arithmetic::Arithmetic),
        Arc::new(super::result_type::ResultTypes),
    ]
}

/// A text literal has the type of what it is compared with: an array (`conkey = '{1}'`), a truth value (`x = 't'`), a
/// day.
#[derive(Debug)]
struct UnknownLiteral {
    order: DateOrder,
}

impl ExprPlanner for UnknownLiteral {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let mut expr = expr;
        if is_comparison(&expr.op)
            && let (Ok((_, left)), Ok((_, right))) = (expr.left.to_field(schema), expr.right.to_field(schema))
        {
            read_literal(&mut expr.right, &left, self.order)?;
            read_literal(&mut expr.left, &right, self.order)?;
        }
        if expr.op == BinaryOperator::StringConcat {
            for side in [&mut expr.left, &mut expr.right] {
                if let Expr::Placeholder(Placeholder { field: field @ None, .. }) = side {
                    *field = Some(Arc::new(Field::new("", DataType::Utf8, true)));
                }
            }
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

/// Whether both sides are of one type: `timestamp + '1 day'` is not.
fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator as B;
    is_of_arrays(op) || matches!(op, B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq | B::And | B::Or)
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
    if !matches!(
        func.name(),
        "pg_oid"
            | "pg_regclass"
            | "pg_regtype"
            | "pg_regproc"
            | "pg_regprocedure"
            | "pg_regnamespace"
            | "pg_regrole"
    ) {
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

/// The last step over a plan: what DataFusion cannot join is joined, and values of `regclass` and its kin, which
/// are numbers inside a plan, have their names beside them in its result. Gives the marks of its columns too.
///
/// # Errors
/// Those of building a plan.
pub(crate) fn complete(
    plan: LogicalPlan,
    functions: &dyn FunctionRegistry,
    clock: Clock,
) -> Result<(LogicalPlan, Vec<String>)> {
    let plan = typed(plan, clock)?;
    let marks = marks(&plan);
    let plan = vector_texts(decorrelate(plan)?, functions)?;
    Ok((display(plan, &marks, functions)?, marks))
}

/// The text of a vector of the catalog: `1 2`.
fn vector_texts(plan: LogicalPlan, functions: &dyn FunctionRegistry) -> Result<LogicalPlan> {
    let vector = functions.udf("pg_vector_text")?;
    let plan = plan.transform_up_with_subqueries(|plan| {
        let schema = merge_schema(&plan.inputs());
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let done = expr.transform_up(|expr| match expr {
                Expr::Cast(cast)
                    if *cast.field.data_type() == DataType::Utf8
                        && matches!(cast.expr.get_type(&schema), Ok(DataType::List(_))) =>
                {
                    let (_, field) = cast.expr.to_field(&schema)?;
                    let is_vector = matches!(SqlType::of(&field), SqlType::Int2Vector | SqlType::OidVector);
                    if !is_vector {
                        return Ok(Transformed::no(Expr::Cast(cast)));
                    }
                    Ok(Transformed::yes(vector.call(vec![*cast.expr])))
                }
                other => Ok(Transformed::no(other)),
            })?;
            Ok(done.update_data(|expr| name.restore(expr)))
        })
    })?;
    Ok(plan.data)
}

/// Gives types to what has none because of where it stands: in `x = ANY ($1)` and `x = ANY ('{a,b}')` the right side
/// is an array of the left one's type, in `LIMIT $1` a number; a text literal that is cast is what it says. `clock` has
/// what a time leaves open. To be applied before parameters are asked for, and when they have values.
///
/// # Errors
/// Those of building a plan, and those of a literal that is none of its type.
pub(crate) fn typed(plan: LogicalPlan, clock: Clock) -> Result<LogicalPlan> {
    let mut changed = false;
    let plan = plan.transform_up_with_subqueries(|plan| {
        let schema = merge_schema(&plan.inputs());
        let limit = matches!(plan, LogicalPlan::Limit(_));
        let listed = matches!(plan, LogicalPlan::Projection(_));
        let names = NamePreserver::new(&plan);
        let plan = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let done = expr.transform_up(|expr| type_one(expr, &schema, limit, clock))?;
            let done = done.transform_data(|expr| {
                if listed { literal_cast::unmark(expr, clock) } else { literal_cast::unmark_all(expr, clock) }
            })?;
            Ok(done.update_data(|expr| name.restore(expr)))
        })?;
        changed |= plan.transformed;
        if changed { plan.map_data(LogicalPlan::recompute_schema) } else { Ok(plan) }
    })?;
    Ok(plan.data)
}

/// A plan without the marks of types that only planning needs.
///
/// # Errors
/// Those of building a plan.
pub(crate) fn bare(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|plan| {
        let names = NamePreserver::new(&plan);
        let plan = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let done = literal_cast::unmark_numerics(expr)?;
            Ok(done.update_data(|expr| name.restore(expr)))
        })?;
        Ok(plan)
    })?;
    Ok(plan.data)
}

fn type_one(expr: Expr, schema: &DFSchema, limit: bool, clock: Clock) -> Result<Transformed<Expr>> {
    let mut expr = expr;
    let inferred = parameter_type::infer(&mut expr, schema);
    let done = type_alone(expr, schema, limit, clock)?;
    Ok(Transformed { transformed: done.transformed || inferred, ..done })
}

fn type_alone(expr: Expr, schema: &DFSchema, limit: bool, clock: Clock) -> Result<Transformed<Expr>> {
    match expr {
        Expr::ScalarFunction(mut function) if function.func.name() == "array_has" => {
            let changed = type_array(&mut function, schema, clock.order)?;
            let changed = one_type(&mut function, schema)? || changed;
            let expr = Expr::ScalarFunction(function);
            if let Some(list) = as_list(&expr)? {
                return Ok(Transformed::yes(list));
            }
            Ok(if changed { Transformed::yes(expr) } else { Transformed::no(expr) })
        }
        Expr::Placeholder(placeholder) if limit && placeholder.field.is_none() => {
            let field = Arc::new(Field::new("", DataType::Int64, true));
            Ok(Transformed::yes(Expr::Placeholder(Placeholder::new_with_field(placeholder.id, Some(field)))))
        }
        other => literal_cast::read_casts(other, schema, clock),
    }
}

/// `x = ANY ('{1,NULL}')` as `x IN (1, NULL)`: DataFusion's function takes no notice of a NULL among the items.
fn as_list(expr: &Expr) -> Result<Option<Expr>> {
    let Expr::ScalarFunction(function) = expr else { return Ok(None) };
    let [Expr::Literal(ScalarValue::List(list), _), item] = function.args.as_slice() else { return Ok(None) };
    if list.is_null(0) || matches!(list.value_type(), DataType::List(_)) {
        return Ok(None);
    }
    let items = list.values();
    let items = (0..items.len()).map(|at| Ok(Expr::Literal(ScalarValue::try_from_array(items, at)?, None)));
    let items: Vec<Expr> = items.collect::<Result<_>>()?;
    if items.is_empty() {
        return Ok(Some(Expr::Literal(ScalarValue::Boolean(Some(false)), None)));
    }
    Ok(Some(item.clone().in_list(items, false)))
}

fn type_array(function: &mut ScalarFunction, schema: &DFSchema, order: DateOrder) -> Result<bool> {
    let [array, item] = function.args.as_mut_slice() else { return Ok(false) };
    let Ok((_, item)) = item.to_field(schema) else { return Ok(false) };
    let mark = SqlType::Array(Box::new(SqlType::of(&item))).field("", true).metadata().clone();
    let wanted = Field::new("", DataType::new_list(item.data_type().clone(), true), true).with_metadata(mark);
    match array {
        Expr::Placeholder(placeholder)
            if !placeholder
                .field
                .as_ref()
                .is_some_and(|field| matches!(field.data_type(), DataType::List(_))) =>
        {
            placeholder.field = Some(Arc::new(wanted));
            Ok(true)
        }
        Expr::Literal(ScalarValue::Utf8(Some(_)), _) => read_literal(array, &wanted, order),
        _ => Ok(false),
    }
}

/// `numeric = ANY (double precision[])`: both sides have the type in which the values are compared.
fn one_type(function: &mut ScalarFunction, schema: &DFSchema) -> Result<bool> {
    let [array, item] = function.args.as_mut_slice() else { return Ok(false) };
    let (Ok(DataType::List(of)), Ok(item_type)) = (array.get_type(schema), item.get_type(schema)) else {
        return Ok(false);
    };
    let of = of.data_type().clone();
    if of == item_type || !of.is_numeric() || !item_type.is_numeric() {
        return Ok(false);
    }
    let common = if of.is_floating() || item_type.is_floating() {
        Some(DataType::Float64)
    } else {
        comparison_coercion(&of, &item_type)
    };
    let Some(common) = common else { return Ok(false) };
    for (side, own, wanted) in
        [(array, of, DataType::new_list(common.clone(), true)), (item, item_type, common.clone())]
    {
        if own != common {
            *side = cast(std::mem::take(side), wanted);
        }
    }
    Ok(true)
}

fn display(plan: LogicalPlan, marks: &[String], functions: &dyn FunctionRegistry) -> Result<LogicalPlan> {
    if !marks.iter().any(|mark| display_function(mark).is_some()) {
        return Ok(plan);
    }
    let schema = Arc::clone(plan.schema());
    let column = |((qualifier, field), mark): ((Option<&_>, &Arc<Field>), &String)| {
        let column = Expr::Column(Column::from((qualifier, field)));
        match display_function(mark).filter(|_| *field.data_type() == DataType::Int64) {
            None => Ok(column),
            Some(name) => {
                // Both are kept: a client may ask for either.
                let shown = functions.udf(name)?.call(vec![column.clone()]);
                let pair = functions.udf("named_struct")?.call(vec![lit("oid"), column, lit("name"), shown]);
                Ok(Expr::Alias(Alias::new(pair, qualifier.cloned(), field.name())))
            }
        }
    };
    let columns = schema.iter().zip(marks).map(column).collect::<Result<Vec<_>>>()?;
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
