//! Casts of text literals, read as PostgreSQL reads the literals of each type; and casts that only say a type.
//!
//! Takes: typed expressions. Gives: the same with the literals' values in place of the casts, so that no kernel of
//! Arrow has to read a text that a client wrote.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use chrono_tz::Tz;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{Between, Cast, InList, Placeholder, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::arithmetic::{as_float, is_decimal};
use crate::engine::input::{read, special_of};
use crate::engine::type_planner::is_unconstrained;
use crate::engine::{Clock, DateOrder, SqlType};
use crate::error::{Error, Kind};
use crate::table::SQL_TYPE;

/// One step over an expression whose operands are done.
pub(super) fn read_casts(expr: Expr, schema: &DFSchema, clock: Clock) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Cast(Cast { expr: inner, field }) => {
            // The parameter keeps what the cast is about to lose: a type that Arrow does not tell.
            if let Expr::Placeholder(Placeholder { id, field: None }) = inner.as_ref()
                && field.metadata().contains_key(SQL_TYPE)
                && !is_unconstrained(&field)
            {
                let typed = Placeholder::new_with_field(id.clone(), Some(Arc::clone(&field)));
                return Ok(Transformed::yes(Expr::Cast(Cast {
                    expr: Box::new(Expr::Placeholder(typed)),
                    field,
                })));
            }
            if is_unconstrained(&field)
                && let Some(done) = keeps_digits(&inner, &field, schema)
            {
                return Ok(Transformed::yes(done));
            }
            if let Expr::Literal(list @ ScalarValue::List(_), _) = inner.as_ref()
                && let DataType::List(_) = field.data_type()
            {
                return Ok(Transformed::yes(Expr::Literal(fitted(list.clone(), field.data_type())?, None)));
            }
            match literal(&inner) {
                Some(text) if is_read_here(&field) => {
                    Ok(Transformed::yes(literal_of(value(text, &field, clock)?)))
                }
                _ => Ok(Transformed::no(Expr::Cast(Cast { expr: inner, field }))),
            }
        }
        Expr::Between(mut between) => {
            let Between { expr, low, high, .. } = &mut between;
            let changed = read_beside(expr, [&mut **low, &mut **high], schema, clock.order)?;
            let changed =
                floats(std::iter::once(&mut **expr).chain([&mut **low, &mut **high]), schema)? || changed;
            Ok(Transformed::new_transformed(Expr::Between(between), changed))
        }
        Expr::InList(mut list) => {
            let InList { expr, list: items, .. } = &mut list;
            let changed = read_beside(expr, items.iter_mut(), schema, clock.order)?;
            let changed = floats(std::iter::once(&mut **expr).chain(items), schema)? || changed;
            if list.negated && has_null(&list) {
                return Ok(Transformed::yes(without_null(list)));
            }
            Ok(Transformed::new_transformed(Expr::InList(list), changed))
        }
        Expr::Not(inner) => match *inner {
            Expr::InList(list) if !list.negated && has_null(&list) => {
                Ok(Transformed::yes(without_null(InList { negated: true, ..list })))
            }
            inner => Ok(Transformed::no(Expr::Not(Box::new(inner)))),
        },
        other => Ok(Transformed::no(other)),
    }
}

/// What a cast to `numeric` without a precision leaves as it is: a decimal, and a parameter without a type.
fn keeps_digits(inner: &Expr, field: &Arc<Field>, schema: &DFSchema) -> Option<Expr> {
    if let Expr::Placeholder(Placeholder { id, field: None }) = inner {
        return Some(Expr::Placeholder(Placeholder::new_with_field(id.clone(), Some(Arc::clone(field)))));
    }
    matches!(inner.get_type(schema), Ok(DataType::Decimal128(..))).then(|| inner.clone())
}

/// A value that was cast. A `bigint` that would fit `integer` stays a cast: as a literal it would count as one that the
/// statement writes without a type, where its plan is part of another.
fn literal_of(value: ScalarValue) -> Expr {
    if let ScalarValue::Int64(Some(number)) = value
        && let Ok(number) = i32::try_from(number)
    {
        return Expr::Cast(Cast::new(
            Box::new(Expr::Literal(ScalarValue::Int32(Some(number)), None)),
            DataType::Int64,
        ));
    }
    Expr::Literal(value, None)
}

fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text),
        _ => None,
    }
}

/// Whether a type's literals are more than their text.
fn is_read_here(field: &Field) -> bool {
    !matches!(field.data_type(), DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8)
}

/// The value of a literal of a field's type.
fn value(text: &str, field: &Field, clock: Clock) -> Result<ScalarValue> {
    let zone = match field.data_type() {
        DataType::Timestamp(_, Some(own)) => own.parse().unwrap_or(clock.zone),
        _ => clock.zone,
    };
    let value = read(text, &SqlType::of(field), Clock { zone, ..clock }).map_err(external)?;
    if is_unconstrained(field) || special_of(&value).is_some() {
        return Ok(value);
    }
    fitted(value, field.data_type())
}

/// The value in another Arrow type of the same SQL type.
fn fitted(value: ScalarValue, wanted: &DataType) -> Result<ScalarValue> {
    if value.data_type() == *wanted {
        return Ok(value);
    }
    let shown = value.to_string();
    let wanted = &nested(&value.data_type(), wanted);
    value.cast_to(wanted).map_err(|error| match wanted {
        DataType::Decimal128(precision, scale) => {
            external(Error::new(Kind::NumericOutOfRange, "numeric field overflow").with_detail(format!(
                "{shown} does not fit a field with precision {precision}, scale {scale}"
            )))
        }
        DataType::Timestamp(..) => {
            external(Error::new(Kind::InvalidDatetime, format!("timestamp out of range: {shown}")))
        }
        _ => error,
    })
}

/// An array's type with the dimensions that the value has: PostgreSQL has one type for any number of them.
pub(crate) fn nested(own: &DataType, wanted: &DataType) -> DataType {
    match (own, wanted) {
        (DataType::List(own), DataType::List(wanted)) => {
            DataType::new_list(nested(own.data_type(), wanted.data_type()), true)
        }
        (DataType::List(own), wanted) => DataType::new_list(nested(own.data_type(), wanted), true),
        (_, wanted) => wanted.clone(),
    }
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn is_null(item: &Expr) -> bool {
    matches!(item, Expr::Literal(value, _) if value.is_null())
}

fn has_null(list: &InList) -> bool {
    list.list.iter().any(is_null)
}

/// `x NOT IN (1, NULL)` as `x NOT IN (1) AND NULL`: where DataFusion brings two lists together, it takes a NULL in one
/// for an item like any other.
fn without_null(list: InList) -> Expr {
    let InList { expr, list, negated } = list;
    let items: Vec<Expr> = list.into_iter().filter(|item| !is_null(item)).collect();
    let unknown = Expr::Literal(ScalarValue::Boolean(None), None);
    if items.is_empty() { unknown } else { expr.in_list(items, negated).and(unknown) }
}

/// Days, times, numbers and the like that are written as text beside one are such a value.
fn read_beside<'e>(
    one: &Expr,
    others: impl IntoIterator<Item = &'e mut Expr>,
    schema: &DFSchema,
    order: DateOrder,
) -> Result<bool> {
    let Ok((_, wanted)) = one.to_field(schema) else { return Ok(false) };
    let mut changed = false;
    for other in others {
        changed |= if wanted.data_type().is_numeric() {
            read_number(other, wanted.data_type())?
        } else {
            read_literal(other, &wanted, order)?
        };
    }
    Ok(changed)
}

/// Exact numbers beside `double precision` ones are compared as such, too.
fn floats<'e>(exprs: impl Iterator<Item = &'e mut Expr>, schema: &DFSchema) -> Result<bool> {
    let exprs: Vec<_> = exprs.collect();
    let types: Vec<_> = exprs.iter().filter_map(|expr| expr.get_type(schema).ok()).collect();
    if types.len() < exprs.len() || !types.iter().any(DataType::is_floating) || !types.iter().any(is_decimal)
    {
        return Ok(false);
    }
    for (expr, data_type) in exprs.into_iter().zip(types) {
        if is_decimal(&data_type) {
            *expr = as_float(expr.clone());
        }
    }
    Ok(true)
}

/// A number has its own digits, whatever the other side has.
fn read_number(expr: &mut Expr, wanted: &DataType) -> Result<bool> {
    let Some(text) = literal(expr) else { return Ok(false) };
    let value = read(text, &SqlType::of_data_type(wanted), Tz::UTC).map_err(external)?;
    *expr = Expr::Literal(value, None);
    Ok(true)
}

/// A text literal beside a value of this type is of the type, where Arrow would read it otherwise than PostgreSQL.
pub(super) fn read_literal(expr: &mut Expr, wanted: &Field, order: DateOrder) -> Result<bool> {
    let Some(text) = literal(expr) else { return Ok(false) };
    let sql_type = SqlType::of(wanted);
    let wanted = wanted.data_type();
    let zone = match wanted {
        _ if sql_type == SqlType::Uuid => Tz::UTC,
        DataType::Timestamp(_, Some(zone)) => zone.parse().unwrap_or(Tz::UTC),
        DataType::Boolean
        | DataType::List(_)
        | DataType::Date32
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Interval(_)
        | DataType::Binary => Tz::UTC,
        _ => return Ok(false),
    };
    let value = read(text, &sql_type, Clock { zone, order }).map_err(external)?;
    *expr = Expr::Literal(fitted(value, wanted)?, None);
    Ok(true)
}

/// Takes off the marks of `numeric` without a precision: the last step, when every literal is read.
pub(super) fn unmark_numerics(expr: Expr) -> Result<Transformed<Expr>> {
    expr.transform_up(|expr| match expr {
        Expr::Cast(Cast { expr, field }) if is_unconstrained(&field) => {
            Ok(Transformed::yes(Expr::Cast(Cast::new(expr, field.data_type().clone()))))
        }
        other => Ok(Transformed::no(other)),
    })
}

/// Takes off the marks of types below the top of an expression: DataFusion takes two literals of different marks for
/// two values.
pub(super) fn unmark(expr: Expr, clock: Clock) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Alias(mut alias) => {
            let inner = unmark(*alias.expr, clock)?;
            alias.expr = Box::new(inner.data);
            Ok(Transformed::new_transformed(Expr::Alias(alias), inner.transformed))
        }
        Expr::Cast(mut cast) => {
            let inner = unmark_all(*cast.expr, clock)?;
            cast.expr = Box::new(inner.data);
            Ok(Transformed::new_transformed(Expr::Cast(cast), inner.transformed))
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) => {
            let mut changed = false;
            let mut unmarked = Vec::with_capacity(args.len());
            for arg in args {
                let arg = unmark_all(arg, clock)?;
                changed |= arg.transformed;
                unmarked.push(arg.data);
            }
            let call = Expr::ScalarFunction(ScalarFunction { func, args: unmarked });
            Ok(Transformed::new_transformed(call, changed))
        }
        other => unmark_all(other, clock),
    }
}

/// Takes off the marks wherever they are.
pub(super) fn unmark_all(expr: Expr, clock: Clock) -> Result<Transformed<Expr>> {
    expr.transform_up(|expr| match expr {
        Expr::Cast(Cast { expr, field })
            if field.metadata().contains_key(SQL_TYPE) && !is_unconstrained(&field) =>
        {
            let bare = Field::new("", field.data_type().clone(), true);
            Ok(Transformed::yes(Expr::Cast(Cast::new_from_field(expr, Arc::new(bare)))))
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) => {
            let sql_type = match func.name() {
                "pg_uuid" => Some(SqlType::Uuid),
                _ => None,
            };
            match (sql_type, args.as_slice()) {
                (Some(sql_type), [arg]) if literal(arg).is_some() => {
                    let text = literal(arg).unwrap_or_default();
                    let value = read(text, &sql_type, clock).map_err(external)?;
                    Ok(Transformed::yes(Expr::Literal(value, None)))
                }
                _ => Ok(Transformed::no(Expr::ScalarFunction(ScalarFunction { func, args }))),
            }
        }
        other => Ok(Transformed::no(other)),
    })
}
