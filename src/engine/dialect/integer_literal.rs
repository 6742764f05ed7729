//! Whole numbers that a statement writes are of type `integer` where they fit it, as in PostgreSQL: DataFusion has
//! them as `bigint`, which some clients hand over as another type (node-postgres gives a text for one).
//!
//! Takes: a plan as DataFusion makes it from SQL, before anything else has changed it. Gives: the same with narrower
//! literals, and schemas that say so everywhere above them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchemaRef, ExprSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Exists, InSubquery, Placeholder, SetComparison};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::RecursiveQuery;
use datafusion::logical_expr::utils::{COUNT_STAR_EXPANSION, merge_schema};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, LogicalPlanBuilder, Subquery, Union};

use super::work_table::with_work_table;

/// Narrows the literals of a plan; where nobody has `declared` the parameters, those that stand beside them, too.
///
/// # Errors
/// Those of building a plan.
pub(crate) fn integer_literals(plan: LogicalPlan, declared: bool) -> Result<LogicalPlan> {
    let plan = of_plan(plan, &[])?.data;
    if declared { Ok(plan) } else { parameters(plan) }
}

/// Parameters have the type of what they are compared with, as it is now.
fn parameters(plan: LogicalPlan) -> Result<LogicalPlan> {
    let is_wide = |placeholder: &Placeholder| {
        placeholder.field.as_ref().is_some_and(|field| *field.data_type() == DataType::Int64)
    };
    let plan = plan.transform_up_with_subqueries(|plan| {
        let schema = merge_schema(&plan.inputs());
        plan.map_expressions(|expr| {
            let open = expr.transform_up(|expr| match expr {
                Expr::Placeholder(placeholder) if is_wide(&placeholder) => {
                    Ok(Transformed::yes(Expr::Placeholder(Placeholder::new_with_field(placeholder.id, None))))
                }
                other => Ok(Transformed::no(other)),
            })?;
            open.transform_data(|expr| Ok(Transformed::yes(expr.infer_placeholder_types(&schema)?.0)))
        })
    })?;
    Ok(plan.data)
}

/// `outer` are the schemas that a subquery may refer to, the nearest one last.
fn of_plan(plan: LogicalPlan, outer: &[DFSchemaRef]) -> Result<Transformed<LogicalPlan>> {
    let plan = match plan {
        LogicalPlan::RecursiveQuery(query) => return of_recursion(query, outer),
        LogicalPlan::Values(values) => return of_values(LogicalPlan::Values(values)),
        LogicalPlan::Subquery(subquery) => {
            return Ok(of_subquery(subquery, outer)?.update_data(LogicalPlan::Subquery));
        }
        LogicalPlan::Join(join) => of_join_sides(join, outer)?,
        other => other.map_children(|input| of_plan(input, outer))?,
    };
    if matches!(plan.data, LogicalPlan::Limit(_)) {
        return Ok(plan);
    }
    let merged = merge_schema(&plan.data.inputs());
    let mut inner = outer.to_vec();
    inner.push(Arc::new(merged));
    let names = NamePreserver::new(&plan.data);
    let plan = plan.transform_data(|plan| {
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let done = expr.transform_down(|expr| of_expr(expr, &inner))?;
            Ok(done.update_data(|expr| name.restore(expr)))
        })
    })?;
    if !plan.transformed {
        return Ok(plan);
    }
    plan.map_data(|plan| match plan {
        LogicalPlan::Union(union) => Union::try_new_with_loose_types(union.inputs).map(LogicalPlan::Union),
        other => other.recompute_schema(),
    })
}

/// The right side of a join may refer to the left one.
fn of_join_sides(join: Join, outer: &[DFSchemaRef]) -> Result<Transformed<LogicalPlan>> {
    let left = of_plan(Arc::unwrap_or_clone(join.left), outer)?;
    let mut inner = outer.to_vec();
    inner.push(Arc::clone(left.data.schema()));
    let right = of_plan(Arc::unwrap_or_clone(join.right), &inner)?;
    let changed = left.transformed || right.transformed;
    let join = Join { left: Arc::new(left.data), right: Arc::new(right.data), ..join };
    Ok(Transformed::new_transformed(LogicalPlan::Join(join), changed))
}

/// The rows of a recursion have the types of its first term.
fn of_recursion(query: RecursiveQuery, outer: &[DFSchemaRef]) -> Result<Transformed<LogicalPlan>> {
    let first = of_plan(Arc::unwrap_or_clone(query.static_term), outer)?.data;
    let narrower = |own: SchemaRef| {
        let fields = own.fields().iter().zip(first.schema().fields());
        let fields = fields.map(|(own, first)| Field::clone(own).with_data_type(first.data_type().clone()));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    };
    let next = with_work_table(Arc::unwrap_or_clone(query.recursive_term), &query.name, &narrower)?;
    let next = of_plan(next, outer)?.data;
    let first = LogicalPlanBuilder::from(first);
    Ok(Transformed::yes(first.to_recursive_query(query.name, next, query.is_distinct)?.build()?))
}

fn of_values(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let plan = plan.map_expressions(|expr| expr.transform_down(|expr| of_expr(expr, &[])))?;
    plan.transform_data(|plan| match plan {
        LogicalPlan::Values(values) => {
            LogicalPlanBuilder::values(values.values)?.build().map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    })
}

fn of_subquery(subquery: Subquery, outer: &[DFSchemaRef]) -> Result<Transformed<Subquery>> {
    let plan = of_plan(Arc::unwrap_or_clone(subquery.subquery), outer)?;
    let mut changed = plan.transformed;
    let mut columns = Vec::with_capacity(subquery.outer_ref_columns.len());
    for column in subquery.outer_ref_columns {
        let column = column.transform_down(|expr| of_expr(expr, outer))?;
        changed |= column.transformed;
        columns.push(column.data);
    }
    let subquery =
        Subquery { subquery: Arc::new(plan.data), outer_ref_columns: columns, spans: subquery.spans };
    Ok(Transformed::new_transformed(subquery, changed))
}

fn of_expr(expr: Expr, schemas: &[DFSchemaRef]) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::AggregateFunction(ref call) if stays(call.func.name(), &call.params.args) => {
            Transformed::new(expr, false, TreeNodeRecursion::Jump)
        }
        Expr::WindowFunction(ref call) if stays(call.fun.name(), &call.params.args) => {
            Transformed::new(expr, false, TreeNodeRecursion::Jump)
        }
        Expr::Literal(ScalarValue::Int64(Some(number)), None) => match i32::try_from(number) {
            Ok(number) => Transformed::yes(Expr::Literal(ScalarValue::Int32(Some(number)), None)),
            Err(_) => Transformed::no(Expr::Literal(ScalarValue::Int64(Some(number)), None)),
        },
        Expr::OuterReferenceColumn(field, column) => {
            let own = schemas.iter().rev().find_map(|schema| schema.field_from_column(&column).ok());
            match own.map(|own| own.data_type()).filter(|own| *own != field.data_type()) {
                Some(own) => {
                    let field = Field::clone(&field).with_data_type(own.clone());
                    Transformed::yes(Expr::OuterReferenceColumn(Arc::new(field), column))
                }
                None => Transformed::no(Expr::OuterReferenceColumn(field, column)),
            }
        }
        Expr::ScalarSubquery(subquery) => of_subquery(subquery, schemas)?.update_data(Expr::ScalarSubquery),
        Expr::Exists(Exists { subquery, negated }) => {
            of_subquery(subquery, schemas)?.update_data(|subquery| Expr::Exists(Exists { subquery, negated }))
        }
        Expr::InSubquery(InSubquery { expr, subquery, negated }) => of_subquery(subquery, schemas)?
            .update_data(|subquery| Expr::InSubquery(InSubquery { expr, subquery, negated })),
        Expr::SetComparison(SetComparison { expr, subquery, op, quantifier }) => {
            of_subquery(subquery, schemas)?
                .update_data(|subquery| Expr::SetComparison(SetComparison { expr, subquery, op, quantifier }))
        }
        other => Transformed::no(other),
    })
}

/// What DataFusion knows by its literal: `count(*)`, and the place of `nth_value`.
fn stays(name: &str, args: &[Expr]) -> bool {
    match name {
        "count" => matches!(args, [Expr::Literal(value, None)] if *value == COUNT_STAR_EXPANSION),
        "nth_value" => true,
        _ => false,
    }
}
