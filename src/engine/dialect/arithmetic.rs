//! Operators whose meaning depends on types, where DataFusion's is not PostgreSQL's: it is asked while it plans.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::DFSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, cast, lit};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::BinaryOperator as Op;

use crate::engine::function::data_function;
use crate::error::{Error, Kind};

/// The hook.
#[derive(Debug)]
pub(super) struct Arithmetic;

impl ExprPlanner for Arithmetic {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let mut expr = expr;
        let Some((left, right)) = types(&expr, schema) else { return Ok(PlannerResult::Original(expr)) };
        if is_arithmetic(&expr.op) {
            read_number(&mut expr.right, &left)?;
            read_number(&mut expr.left, &right)?;
        }
        let Some((left, right)) = types(&expr, schema) else { return Ok(PlannerResult::Original(expr)) };
        if comparison(&expr.op).is_some() {
            // As in PostgreSQL: the exact number gives way.
            if is_decimal(&left) && right.is_floating() {
                expr.left = as_float(expr.left);
            } else if left.is_floating() && is_decimal(&right) {
                expr.right = as_float(expr.right);
            }
        }
        if let (Some(op), true) = (comparison(&expr.op), is_interval(&left) && is_interval(&right)) {
            let length = data_function("pg_interval_length")?;
            let left = Box::new(length.call(vec![expr.left]));
            let right = Box::new(length.call(vec![expr.right]));
            return Ok(PlannerResult::Planned(Expr::BinaryExpr(BinaryExpr { left, op, right })));
        }
        // Beside a number of another type, `real` counts as `double precision`.
        if is_arithmetic(&expr.op) && left != right && left.is_numeric() && right.is_numeric() {
            if left == DataType::Float32 {
                expr.left = as_float(expr.left);
            } else if right == DataType::Float32 {
                expr.right = as_float(expr.right);
            }
        }
        // A day beside an instant is the instant at which it begins.
        if expr.op == Op::Minus {
            match (&left, &right) {
                (DataType::Timestamp(_, Some(_)), DataType::Date32) => {
                    expr.right = cast(expr.right, left.clone())
                }
                (DataType::Date32, DataType::Timestamp(_, Some(_))) => {
                    expr.left = cast(expr.left, right.clone())
                }
                _ => {}
            }
        }
        if let Some((name, swapped)) = function_of(&expr.op, &left, &right) {
            let args = if swapped { vec![expr.right, expr.left] } else { vec![expr.left, expr.right] };
            return Ok(PlannerResult::Planned(data_function(name)?.call(args)));
        }
        if expr.op == Op::Minus && left == DataType::Date32 && right == DataType::Date32 {
            let (left, right) = (Box::new(expr.left), Box::new(expr.right));
            let days = Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right });
            return Ok(PlannerResult::Planned(cast(days, DataType::Int32)));
        }
        // A day and an interval make a time.
        if matches!(expr.op, Op::Plus | Op::Minus) {
            if left == DataType::Date32 && is_interval(&right) {
                expr.left = cast(expr.left, timestamp());
            } else if right == DataType::Date32 && is_interval(&left) && expr.op == Op::Plus {
                expr.right = cast(expr.right, timestamp());
            }
        }
        Ok(PlannerResult::Original(expr))
    }
}

fn types(expr: &RawBinaryExpr, schema: &DFSchema) -> Option<(DataType, DataType)> {
    Some((expr.left.get_type(schema).ok()?, expr.right.get_type(schema).ok()?))
}

/// A time without a zone.
fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

fn is_arithmetic(op: &Op) -> bool {
    matches!(op, Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo)
}

fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

pub(super) fn is_decimal(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal128(..) | DataType::Decimal256(..))
}

/// A number as `double precision`.
pub(super) fn as_float(expr: Expr) -> Expr {
    cast(expr, DataType::Float64)
}

/// The function that an operator is between two types, and whether its operands change places.
fn function_of(op: &Op, left: &DataType, right: &DataType) -> Option<(&'static str, bool)> {
    use DataType::{Date32, Decimal256, Time64, Timestamp};
    let is_number = |t: &DataType| t.is_integer() || is_decimal(t);
    let is_time = |t: &DataType| matches!(t, Timestamp(..) | Date32);
    Some(match (op, left, right) {
        (Op::Divide, l, r) if is_number(l) && is_number(r) && (is_decimal(l) || is_decimal(r)) => {
            ("pg_numeric_divide", false)
        }
        (Op::Multiply, Decimal256(..), r) if is_number(r) => ("pg_numeric_multiply", false),
        (Op::Multiply, l, Decimal256(..)) if is_number(l) => ("pg_numeric_multiply", false),
        (Op::Multiply, l, r) if is_interval(l) && r.is_numeric() => ("pg_interval_multiply", false),
        (Op::Multiply, l, r) if l.is_numeric() && is_interval(r) => ("pg_interval_multiply", true),
        (Op::Divide, l, r) if is_interval(l) && r.is_numeric() => ("pg_interval_divide", false),
        (Op::Minus, Timestamp(..), r) if is_time(r) => ("pg_timestamp_subtract", false),
        (Op::Minus, Date32, Timestamp(..)) => ("pg_timestamp_subtract", false),
        (Op::Minus, Time64(_), Time64(_)) => ("pg_time_subtract", false),
        (Op::Plus, Time64(_), r) if is_interval(r) => ("pg_time_add", false),
        (Op::Plus, l, Time64(_)) if is_interval(l) => ("pg_time_add", true),
        _ => return None,
    })
}

fn comparison(op: &Op) -> Option<Operator> {
    Some(match op {
        Op::Eq => Operator::Eq,
        Op::NotEq => Operator::NotEq,
        Op::Lt => Operator::Lt,
        Op::LtEq => Operator::LtEq,
        Op::Gt => Operator::Gt,
        Op::GtEq => Operator::GtEq,
        _ => return None,
    })
}

/// A text literal beside a number is a number of its type: `'5' + 1`.
fn read_number(expr: &mut Expr, other: &DataType) -> Result<()> {
    let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = expr else { return Ok(()) };
    let trimmed = text.trim();
    let name = match other {
        DataType::Int16 => "smallint",
        DataType::Int32 => "integer",
        DataType::Int64 => "bigint",
        DataType::Float32 | DataType::Float64 => "double precision",
        DataType::Decimal128(..) | DataType::Decimal256(..) => "numeric",
        _ => return Ok(()),
    };
    let value = match other {
        DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            trimmed.parse::<i64>().ok().and_then(|value| {
                ScalarValue::Int64(Some(value)).cast_to(other).ok().filter(|value| !value.is_null())
            })
        }
        DataType::Float32 | DataType::Float64 => trimmed.parse().ok().map(|v| ScalarValue::Float64(Some(v))),
        _ => super::super::quoted_number::decimal_or_whole(trimmed),
    };
    match value {
        Some(value) => {
            *expr = lit(value);
            Ok(())
        }
        None => {
            let message = format!("invalid input syntax for type {name}: \"{text}\"");
            Err(DataFusionError::External(Box::new(Error::new(Kind::InvalidText, message))))
        }
    }
}
