//! The scale with which a numeric is shown, where PostgreSQL and this engine know the same.
//!
//! The rule: a constant and a parameter have the scale that they are written with, `numeric(12, 2)` has two digits
//! whether it is a cast or a column's type, and arithmetic goes on from there as in PostgreSQL. A column of Kintone has
//! none, and so has what is computed from one, and every quotient and average: their zeros are not shown.

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, BinaryExpr, Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};

use crate::engine::SqlType;
use crate::engine::type_planner::is_unconstrained;
use crate::table::NumericForm;

/// The scale of a plan's column; `None` where it has none.
pub(super) fn shown_scale(plan: &LogicalPlan, at: usize) -> Option<u8> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let place = scan.projection.as_ref().map_or(Some(at), |p| p.get(at).copied())?;
            of_field(scan.source.schema().fields().get(place)?)
        }
        LogicalPlan::Projection(node) => of_expr(node.expr.get(at)?, &node.input),
        LogicalPlan::Aggregate(node) => {
            let expr = node.group_expr.iter().chain(&node.aggr_expr).nth(at)?;
            of_expr(expr, &node.input)
        }
        LogicalPlan::Window(node) => match at.checked_sub(node.input.schema().fields().len()) {
            None => shown_scale(&node.input, at),
            Some(_) => None,
        },
        LogicalPlan::SubqueryAlias(node) => shown_scale(&node.input, at),
        LogicalPlan::Filter(node) => shown_scale(&node.input, at),
        LogicalPlan::Sort(node) => shown_scale(&node.input, at),
        LogicalPlan::Limit(node) => shown_scale(&node.input, at),
        LogicalPlan::Distinct(datafusion::logical_expr::Distinct::All(input)) => shown_scale(input, at),
        LogicalPlan::Union(node) => same(node.inputs.iter().map(|input| shown_scale(input, at))),
        LogicalPlan::Values(node) => {
            same(node.values.iter().map(|row| row.get(at).and_then(|value| of_expr(value, plan))))
        }
        LogicalPlan::Join(join) => {
            let left = join.left.schema().fields().len();
            match at.checked_sub(left) {
                None => shown_scale(&join.left, at),
                Some(at) => shown_scale(&join.right, at),
            }
        }
        _ => None,
    }
}

/// The scale that a column was declared with; none of a whole number.
fn of_field(field: &Field) -> Option<u8> {
    match field.data_type() {
        DataType::Decimal128(..) => Some(NumericForm::of(field).scale).filter(|scale| *scale > 0),
        other => other.is_integer().then_some(0),
    }
}

fn of_expr(expr: &Expr, input: &LogicalPlan) -> Option<u8> {
    match expr {
        Expr::Alias(alias) => of_expr(&alias.expr, input),
        Expr::Column(column) => shown_scale(input, place(input.schema(), column)?),
        Expr::Literal(ScalarValue::Decimal128(_, _, scale), _) => u8::try_from(*scale).ok(),
        Expr::Literal(value, _) => value.data_type().is_integer().then_some(0),
        Expr::Negative(inner) => of_expr(inner, input),
        Expr::Cast(Cast { expr, field }) => match field.data_type() {
            of if is_unconstrained(field) || *of == SqlType::Numeric.data_type() => of_expr(expr, input),
            DataType::Decimal128(_, scale) => u8::try_from(*scale).ok(),
            other => other.is_integer().then_some(0),
        },
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (left, right) = (of_expr(left, input)?, of_expr(right, input)?);
            match op {
                Operator::Plus | Operator::Minus | Operator::Modulo => Some(left.max(right)),
                Operator::Multiply => left.checked_add(right).filter(|scale| *scale <= 38),
                _ => None,
            }
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) => of_function(func.name(), args, input),
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            match (func.name(), params.args.as_slice()) {
                ("sum" | "min" | "max", [of]) => of_expr(of, input),
                _ => None,
            }
        }
        Expr::ScalarSubquery(query) => shown_scale(&query.subquery, 0),
        Expr::Case(case) => {
            let results = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr);
            same(results.map(|result| of_expr(result, input)))
        }
        _ => None,
    }
}

fn of_function(name: &str, args: &[Expr], input: &LogicalPlan) -> Option<u8> {
    let digits = |expr: &Expr| match expr {
        Expr::Literal(value, _) => match value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(digits))) => {
                u8::try_from(digits.max(0)).ok().filter(|digits| *digits <= 38)
            }
            _ => None,
        },
        _ => None,
    };
    match (name, args) {
        ("abs" | "pg_summand", [of]) => of_expr(of, input),
        ("round" | "trunc", [_, to]) => digits(to),
        ("round" | "trunc" | "ceil" | "floor", [_]) => Some(0),
        ("coalesce" | "greatest" | "least" | "make_array", of) => {
            same(of.iter().map(|of| of_expr(of, input)))
        }
        ("nullif", [of, _]) => of_expr(of, input),
        _ => None,
    }
}

/// The one scale that all have.
fn same(scales: impl Iterator<Item = Option<u8>>) -> Option<u8> {
    let mut scales = scales;
    let first = scales.next()??;
    scales.all(|scale| scale == Some(first)).then_some(first)
}

fn place(schema: &DFSchema, column: &Column) -> Option<usize> {
    schema.maybe_index_of_column(column)
}
