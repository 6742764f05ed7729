//! Casts as PostgreSQL does them, where Arrow's kernels do something else.
//!
//! Takes: a typed plan. Gives: the same with those casts spelled out, so that the kernels have nothing to decide.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ExprSchema, Result};
use datafusion::functions::datetime::expr_fn::to_local_time;
use datafusion::functions::math::expr_fn::round;
use datafusion::functions::string::expr_fn::rtrim;
use datafusion::logical_expr::expr::{Between, BinaryExpr, Cast, InList};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF, cast, lit};
use datafusion::optimizer::{Analyzer, AnalyzerRule};
use datafusion::scalar::ScalarValue;

use super::NumericForm;
use super::function::data_function;
use super::quoted_array::QuotedArrays;
use super::quoted_number::QuotedNumbers;
use crate::table::FLOAT;

/// DataFusion's rules, with ours around them.
pub(super) fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> =
        vec![Arc::new(QuotedNumbers), Arc::new(QuotedArrays), Arc::new(DaysAsInstants)];
    rules.extend(Analyzer::new().rules);
    rules.push(Arc::new(PostgresCasts));
    rules
}

/// A day that is compared with an instant is the instant at which it begins in the session's zone. DataFusion
/// would take the zone off the instant instead. Runs before its coercion.
///
/// A day that differs from row to row is compared with what the zone's clocks show at the instant, which is the same
/// and has no cast from a time without a zone to one with: DataFusion moves such a cast to a literal without minding
/// the zone.
#[derive(Debug)]
struct DaysAsInstants;

impl AnalyzerRule for DaysAsInstants {
    fn name(&self) -> &'static str {
        "days_as_instants"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| Ok(day_to_instant(expr, schema)))
    }
}

/// Runs after types are known, so that it sees the casts that the planner adds too.
#[derive(Debug)]
struct PostgresCasts;

impl AnalyzerRule for PostgresCasts {
    fn name(&self) -> &'static str {
        "postgres_casts"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| spell_out(expr, schema, config))
    }
}

/// Rewrites every expression of a plan; columns keep their names.
pub(super) fn rewrite(
    plan: LogicalPlan,
    rule: &dyn Fn(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        let node = node.map_expressions(|expr| {
            let name = names.save(&expr);
            let rewritten = expr.transform_up(|expr| rule(expr, &schema))?;
            Ok(rewritten.update_data(|expr| name.restore(expr)))
        })?;
        if node.transformed { node.map_data(LogicalPlan::recompute_schema) } else { Ok(node) }
    })?;
    Ok(plan.data)
}

fn day_to_instant(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let mut expr = expr;
    let mut operands: Vec<&mut Expr> = match &mut expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => vec![left, right],
        Expr::Between(Between { expr, low, high, .. }) => vec![expr, low, high],
        Expr::InList(InList { expr, list, .. }) => std::iter::once(&mut **expr).chain(list).collect(),
        _ => return Transformed::no(expr),
    };
    let types: Option<Vec<DataType>> = operands.iter().map(|operand| operand.get_type(schema).ok()).collect();
    let Some(types) = types else { return Transformed::no(expr) };
    let Some(instant) = types.iter().find(|t| matches!(t, DataType::Timestamp(_, Some(_)))).cloned() else {
        return Transformed::no(expr);
    };
    let is_day = |expr: &Expr| expr.get_type(schema).is_ok_and(|t| t == DataType::Date32);
    let varies = |expr: &Expr| is_day(expr) && !expr.column_refs().is_empty();
    if operands.iter().any(|operand| varies(under_instant(operand))) {
        let local = without_zone(&instant);
        for (operand, data_type) in operands.iter_mut().zip(types) {
            let written = std::mem::take(*operand);
            **operand = if is_day(under_instant(&written)) {
                cast(under_instant(&written).clone(), local.clone())
            } else if matches!(data_type, DataType::Timestamp(_, Some(_))) {
                to_local_time(vec![written])
            } else {
                to_local_time(vec![cast(written, instant.clone())])
            };
        }
    } else if operands.iter().any(|operand| is_day(operand)) {
        for operand in operands.iter_mut().filter(|operand| is_day(operand)) {
            **operand = cast(std::mem::take(*operand), instant.clone());
        }
    } else {
        return Transformed::no(expr);
    }
    Transformed::yes(expr)
}

/// The type of a time as the clocks of an instant's zone show it.
fn without_zone(instant: &DataType) -> DataType {
    match instant {
        DataType::Timestamp(unit, _) => DataType::Timestamp(*unit, None),
        other => other.clone(),
    }
}

/// What is cast to an instant.
fn under_instant(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast(cast) if matches!(cast.field.data_type(), DataType::Timestamp(_, Some(_))) => &cast.expr,
        other => other,
    }
}

fn spell_out(expr: Expr, schema: &DFSchema, config: &ConfigOptions) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Cast(cast) => spell_out_cast(cast, schema, config),
        other => checked(other, schema),
    }
}

/// Whole numbers that do not fit their type are an error, and a floating point number is rounded to the even one of
/// two neighbours.
fn checked(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let whole = |expr: &Expr| expr.get_type(schema).ok().filter(DataType::is_integer);
    Ok(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let name = match op {
                Operator::Plus => "pg_integer_add",
                Operator::Minus => "pg_integer_subtract",
                Operator::Multiply => "pg_integer_multiply",
                _ => return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right }))),
            };
            match (whole(&left), whole(&right)) {
                (Some(l), Some(r)) if l == r => {
                    Transformed::yes(data_function(name)?.call(vec![*left, *right]))
                }
                _ => Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })),
            }
        }
        Expr::Negative(inner) if !matches!(*inner, Expr::Literal(..)) => match whole(&inner) {
            Some(data_type) => {
                let zero = Expr::Literal(ScalarValue::new_zero(&data_type)?, None);
                Transformed::yes(data_function("pg_integer_subtract")?.call(vec![zero, *inner]))
            }
            None => Transformed::no(Expr::Negative(inner)),
        },
        Expr::ScalarFunction(call) if call.name() == "round" && call.args.len() == 1 => {
            let is_float = call.args.iter().all(|arg| arg.get_type(schema).is_ok_and(|of| of.is_floating()));
            if is_float {
                let args = call.args.into_iter().map(|arg| cast(arg, DataType::Float64)).collect();
                Transformed::yes(data_function("pg_round_even")?.call(args))
            } else {
                Transformed::no(Expr::ScalarFunction(call))
            }
        }
        other => Transformed::no(other),
    })
}

fn spell_out_cast(expr: Cast, schema: &DFSchema, config: &ConfigOptions) -> Result<Transformed<Expr>> {
    let Cast { expr: inner, field } = &expr;
    let Ok(from) = inner.get_type(schema) else { return Ok(Transformed::no(Expr::Cast(expr))) };
    let inner = || inner.as_ref().clone();
    Ok(match (from, field.data_type()) {
        // Arrow cuts the fraction off.
        (DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale), to)
            if scale > 0 && to.is_integer() =>
        {
            Transformed::yes(cast(round(vec![inner()]), to.clone()))
        }
        (from, to) if from.is_floating() && to.is_integer() => {
            let rounded = data_function("pg_round_even")?.call(vec![cast(inner(), DataType::Float64)]);
            Transformed::yes(cast(rounded, to.clone()))
        }
        // What the clocks of the zone show, not those of UTC.
        (DataType::Timestamp(_, Some(_)), to @ DataType::Timestamp(_, None)) => {
            Transformed::yes(cast(to_local_time(vec![inner()]), to.clone()))
        }
        // Zeros that end a fraction are shown nowhere else.
        (DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale), to)
            if scale > 0 && *to == DataType::Utf8 && !shows_zeros(&inner(), schema) =>
        {
            let digits = rtrim(vec![cast(inner(), to.clone()), lit("0")]);
            Transformed::yes(rtrim(vec![digits, lit(".")]))
        }
        // Arrow divides by a power of ten, which makes a neighbour of some floats.
        (DataType::Decimal128(..) | DataType::Decimal256(..), to) if to.is_floating() => {
            let nearest = match &*expr.expr {
                Expr::Literal(value, _) => lit(nearest(value)?),
                _ => data_function(FLOAT)?.call(vec![inner()]),
            };
            Transformed::yes(if *to == DataType::Float64 { nearest } else { cast(nearest, to.clone()) })
        }
        // Arrow writes other texts.
        (from, DataType::Utf8) if from.is_floating() || is_of_time(&from) || is_list(&from) => {
            let text = in_session("pg_text", config)?;
            // The digits of a `real` are its own, not those of the nearest double.
            let value = match from {
                DataType::Float32 => cast(cast(inner(), DataType::Utf8), DataType::Float64),
                _ => inner(),
            };
            Transformed::yes(text.call(vec![value]))
        }
        (DataType::List(item), DataType::List(text))
            if *text.data_type() == DataType::Utf8
                && (*item.data_type() == DataType::Float64
                    || is_of_time(item.data_type())
                    || item.data_type().is_decimal()) =>
        {
            Transformed::yes(in_session("pg_texts", config)?.call(vec![inner()]))
        }
        // A day begins in the session's zone, not in UTC.
        (DataType::Date32, to @ DataType::Timestamp(_, Some(_))) => {
            let local = cast(inner(), DataType::Timestamp(TimeUnit::Microsecond, None));
            Transformed::yes(cast(local, to.clone()))
        }
        _ => Transformed::no(Expr::Cast(expr)),
    })
}

/// The float that is nearest to a decimal; NULL for NULL.
fn nearest(decimal: &ScalarValue) -> Result<ScalarValue> {
    let digits = decimal.cast_to(&DataType::Utf8)?;
    let value = digits.try_as_str().flatten().and_then(|digits| digits.parse::<f64>().ok());
    Ok(ScalarValue::Float64(value))
}

/// A function that knows the session's zone.
fn in_session(name: &str, config: &ConfigOptions) -> Result<Arc<ScalarUDF>> {
    let function = data_function(name)?;
    Ok(function.inner().with_updated_config(config).map_or(function, Arc::new))
}

fn is_list(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_))
}

fn is_of_time(data_type: &DataType) -> bool {
    use DataType as D;
    matches!(data_type, D::Timestamp(..) | D::Time64(_) | D::Interval(_) | D::Duration(_))
}

/// Whether a decimal's scale is one that PostgreSQL shows: that of constants, of declared columns, and of what adds and
/// multiplies such (`numeric/scale.rs` has the whole rule).
fn shows_zeros(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Alias(alias) => shows_zeros(&alias.expr, schema),
        Expr::Negative(inner) => shows_zeros(inner, schema),
        Expr::Literal(..) => true,
        Expr::Column(column) => schema.field_from_column(column).is_ok_and(|field| match field.data_type() {
            DataType::Decimal128(_, scale) => NumericForm::of(field).scale == scale.unsigned_abs(),
            other => other.is_integer(),
        }),
        Expr::Cast(Cast { expr, field }) => match field.data_type() {
            DataType::Decimal128(38, 10) => false,
            DataType::Decimal128(..) => true,
            _ => shows_zeros(expr, schema),
        },
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply)
                && shows_zeros(left, schema)
                && shows_zeros(right, schema)
        }
        _ => false,
    }
}

pub(super) fn is_comparison(op: Operator) -> bool {
    use Operator as O;
    matches!(
        op,
        O::Eq | O::NotEq | O::Lt | O::LtEq | O::Gt | O::GtEq | O::IsDistinctFrom | O::IsNotDistinctFrom
    )
}
