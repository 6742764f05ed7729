//! One argument or result of a function.

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, DurationMicrosecondType, DurationNanosecondType,
    Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType,
    IntervalUnit, Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow::util::display::array_value_to_string;
use datafusion::error::Result;
use num_bigint::BigInt;

use super::numeric::Number;
use crate::table::SQL_TYPE;

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;

/// Months, days and microseconds, each with its own sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub(super) months: i32,
    pub(super) days: i32,
    pub(super) micros: i64,
}

/// A value, free of Arrow's widths.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Number(Number),
    Text(String),
    /// `json` or `jsonb`: its text.
    Json(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01 00:00 of a clock without a zone.
    Timestamp(i64),
    /// Microseconds since 1970-01-01 00:00 UTC.
    Instant(i64),
    Interval(Span),
    List(Vec<Cell>),
    /// A row: names and values.
    Row(Vec<(String, Cell)>),
}

impl Cell {
    /// A text; nothing else is one.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Json(text) => text,
            _ => "",
        }
    }

    /// A whole number, or 0.
    pub(super) fn int(&self) -> i64 {
        match self {
            Self::Int(value) => *value,
            _ => 0,
        }
    }

    /// A number, however it was written.
    pub(super) fn number(&self) -> Number {
        match self {
            Self::Number(number) => number.clone(),
            Self::Int(value) => Number::whole(*value),
            _ => Number::whole(0),
        }
    }

    /// A floating point number.
    pub(super) fn float(&self) -> f64 {
        match self {
            Self::Float(value) => *value,
            Self::Number(number) => number.to_string().parse().unwrap_or(f64::NAN),
            Self::Int(value) => value.to_string().parse().unwrap_or(f64::NAN),
            _ => f64::NAN,
        }
    }

    /// An interval, or an empty one.
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Interval(span) => *span,
            _ => Span::default(),
        }
    }

    /// The microseconds of a time, a timestamp or an instant.
    pub(super) fn micros(&self) -> i64 {
        match self {
            Self::Time(micros) | Self::Timestamp(micros) | Self::Instant(micros) => *micros,
            Self::Date(days) => i64::from(*days) * DAY,
            _ => 0,
        }
    }
}

/// A column's value in a row.
///
/// # Errors
/// When Arrow cannot show a value of a type that is not known here.
pub(super) fn read(array: &ArrayRef, row: usize, field: &Field) -> Result<Cell> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Ok(Cell::Null);
    }
    let is_json = matches!(field.metadata().get(SQL_TYPE).map(String::as_str), Some("json" | "jsonb"));
    Ok(match array.data_type() {
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Utf8 if is_json => Cell::Json(array.as_string::<i32>().value(row).to_owned()),
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row).to_owned()),
        DataType::Float32 => Cell::Float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(precision, scale) => {
            let value = BigInt::from(array.as_primitive::<Decimal128Type>().value(row));
            Cell::Number(Number::of_column(value, *precision, *scale))
        }
        DataType::Decimal256(precision, scale) => {
            let value = array.as_primitive::<Decimal256Type>().value(row);
            let value = BigInt::from_signed_bytes_le(&value.to_le_bytes());
            Cell::Number(Number::of_column(value, *precision, *scale))
        }
        DataType::List(item) => {
            let items = array.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|i| read(&items, i, item));
            Cell::List(items.collect::<Result<_>>()?)
        }
        DataType::Struct(_) => read_row(array.as_struct(), row)?,
        DataType::Dictionary(_, value) => {
            let plain = arrow::compute::cast(&array.slice(row, 1), value)?;
            read(&plain, 0, field)?
        }
        other if other.is_integer() => read_whole(array, row),
        other if other.is_temporal() || matches!(other, DataType::Interval(_)) => read_time(array, row)?,
        _ => Cell::Text(array_value_to_string(array, row)?),
    })
}

fn read_row(row_array: &StructArray, row: usize) -> Result<Cell> {
    let columns = row_array.fields().iter().zip(row_array.columns());
    let cells = columns.map(|(field, column)| Ok((field.name().clone(), read(column, row, field)?)));
    Ok(Cell::Row(cells.collect::<Result<_>>()?))
}

fn read_whole(array: &ArrayRef, row: usize) -> Cell {
    Cell::Int(match array.data_type() {
        DataType::Int8 => i64::from(array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => i64::from(array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => i64::from(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row),
        DataType::UInt8 => i64::from(array.as_primitive::<UInt8Type>().value(row)),
        DataType::UInt16 => i64::from(array.as_primitive::<UInt16Type>().value(row)),
        DataType::UInt32 => i64::from(array.as_primitive::<UInt32Type>().value(row)),
        _ => {
            let value = array.as_primitive::<UInt64Type>().value(row);
            return i64::try_from(value)
                .map_or_else(|_| Cell::Number(Number::new(value.into(), 0)), Cell::Int);
        }
    })
}

fn read_time(array: &ArrayRef, row: usize) -> Result<Cell> {
    let of_timestamp =
        |micros: i64, zone: bool| if zone { Cell::Instant(micros) } else { Cell::Timestamp(micros) };
    Ok(match array.data_type() {
        DataType::Date32 => Cell::Date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Time64(TimeUnit::Microsecond) => {
            Cell::Time(array.as_primitive::<Time64MicrosecondType>().value(row))
        }
        DataType::Time64(_) => Cell::Time(array.as_primitive::<Time64NanosecondType>().value(row) / 1_000),
        DataType::Timestamp(unit, zone) => {
            let micros = match unit {
                TimeUnit::Second => {
                    array.as_primitive::<TimestampSecondType>().value(row).saturating_mul(1_000_000)
                }
                TimeUnit::Millisecond => {
                    array.as_primitive::<TimestampMillisecondType>().value(row).saturating_mul(1_000)
                }
                TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
                TimeUnit::Nanosecond => {
                    array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000)
                }
            };
            of_timestamp(micros, zone.is_some())
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            let micros = array.as_primitive::<DurationMicrosecondType>().value(row);
            Cell::Interval(Span { micros, ..Span::default() })
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            let micros = array.as_primitive::<DurationNanosecondType>().value(row) / 1_000;
            Cell::Interval(Span { micros, ..Span::default() })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            let micros = value.nanoseconds / 1_000;
            Cell::Interval(Span { months: value.months, days: value.days, micros })
        }
        _ => Cell::Text(array_value_to_string(array, row)?),
    })
}
