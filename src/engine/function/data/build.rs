//! Cells as an Arrow array of a type.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float64Array, Int16Array,
    Int32Array, Int64Array, IntervalMonthDayNanoArray, ListArray, NullArray, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalUnit, TimeUnit, i256};
use num_bigint::BigInt;

use super::cell::{Cell, Span};
use super::kind::sql_name;
use super::numeric::{Number, power};
use crate::error::{Error, Kind, Result};

/// The cells as an array. A cell of another kind than the type's is a bug, and an error.
#[expect(clippy::too_many_lines, reason = "an arm for each type")]
pub(super) fn array(cells: &[Cell], data_type: &DataType) -> Result<ArrayRef> {
    let wrong = |cell: &Cell| Error::internal(format!("{cell:?} is no {}", sql_name(data_type)));
    /// Maps each cell that is not NULL.
    fn all<T>(cells: &[Cell], map: impl Fn(&Cell) -> Result<T>) -> Result<Vec<Option<T>>> {
        cells.iter().map(|cell| if *cell == Cell::Null { Ok(None) } else { map(cell).map(Some) }).collect()
    }
    let micros = |cell: &Cell| match cell {
        Cell::Time(micros) | Cell::Timestamp(micros) | Cell::Instant(micros) => Ok(*micros),
        other => Err(wrong(other)),
    };
    let whole = |cell: &Cell| match cell {
        Cell::Int(value) => Ok(*value),
        other => Err(wrong(other)),
    };
    let out_of_range =
        || Error::new(Kind::NumericOutOfRange, format!("{} out of range", sql_name(data_type)));
    Ok(match data_type {
        DataType::Null => Arc::new(NullArray::new(cells.len())),
        DataType::Boolean => Arc::new(BooleanArray::from(all(cells, |cell| match cell {
            Cell::Bool(value) => Ok(*value),
            other => Err(wrong(other)),
        })?)),
        DataType::Int16 => {
            let values = all(cells, |cell| i16::try_from(whole(cell)?).map_err(|_| out_of_range()))?;
            Arc::new(Int16Array::from(values))
        }
        DataType::Int32 => {
            let values = all(cells, |cell| i32::try_from(whole(cell)?).map_err(|_| out_of_range()))?;
            Arc::new(Int32Array::from(values))
        }
        DataType::Int64 => Arc::new(Int64Array::from(all(cells, whole)?)),
        DataType::Float64 => Arc::new(Float64Array::from(all(cells, |cell| match cell {
            Cell::Float(value) => Ok(*value),
            other => Err(wrong(other)),
        })?)),
        DataType::Utf8 => Arc::new(StringArray::from(all(cells, |cell| match cell {
            Cell::Text(text) | Cell::Json(text) => Ok(text.clone()),
            other => Err(wrong(other)),
        })?)),
        DataType::Date32 => Arc::new(Date32Array::from(all(cells, |cell| match cell {
            Cell::Date(days) => Ok(*days),
            other => Err(wrong(other)),
        })?)),
        DataType::Time64(TimeUnit::Microsecond) => {
            Arc::new(Time64MicrosecondArray::from(all(cells, micros)?))
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            Arc::new(TimestampMicrosecondArray::from(all(cells, micros)?).with_timezone_opt(zone.clone()))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let values = all(cells, |cell| match cell {
                Cell::Interval(span) => interval(*span),
                other => Err(wrong(other)),
            })?;
            Arc::new(IntervalMonthDayNanoArray::from(values))
        }
        DataType::Decimal128(precision, scale) => {
            let values = all(cells, |cell| {
                let digits = fitted(cell, *precision, *scale)?;
                i128::try_from(&digits).map_err(|_| overflow())
            })?;
            let array = Decimal128Array::from(values).with_precision_and_scale(*precision, *scale);
            Arc::new(array.map_err(|e| Error::internal(e.to_string()))?)
        }
        DataType::Decimal256(precision, scale) => {
            let values = all(cells, |cell| wide(&fitted(cell, *precision, *scale)?))?;
            let array = Decimal256Array::from(values).with_precision_and_scale(*precision, *scale);
            Arc::new(array.map_err(|e| Error::internal(e.to_string()))?)
        }
        DataType::List(item) => {
            let (mut items, mut lengths, mut valid) = (vec![], vec![], vec![]);
            for cell in cells {
                let of_row: &[Cell] = match cell {
                    Cell::List(of_row) => of_row,
                    Cell::Null => &[],
                    other => return Err(wrong(other)),
                };
                items.extend_from_slice(of_row);
                lengths.push(of_row.len());
                valid.push(*cell != Cell::Null);
            }
            let values = array(&items, item.data_type())?;
            let offsets = OffsetBuffer::from_lengths(lengths);
            let list = ListArray::try_new(Arc::clone(item), offsets, values, Some(NullBuffer::from(valid)));
            Arc::new(list.map_err(|e| Error::internal(e.to_string()))?)
        }
        other => return Err(Error::internal(format!("no function gives a {other}"))),
    })
}

fn interval(span: Span) -> Result<IntervalMonthDayNano> {
    let nanos = span.micros.checked_mul(1_000).ok_or_else(interval_out_of_range)?;
    Ok(IntervalMonthDayNano::new(span.months, span.days, nanos))
}

/// The error of an interval that is too long.
pub(super) fn interval_out_of_range() -> Error {
    Error::new(Kind::InvalidDatetime, "interval out of range")
}

/// The digits of a number in a column's scale. What is beyond is rounded off.
fn fitted(cell: &Cell, precision: u8, scale: i8) -> Result<BigInt> {
    let number: Number = match cell {
        Cell::Number(_) | Cell::Int(_) => cell.number(),
        other => return Err(Error::internal(format!("{other:?} is no number"))),
    };
    let digits = number.rounded(u32::try_from(scale).unwrap_or(0)).digits;
    let most = power(u32::from(precision));
    if digits.magnitude() >= most.magnitude() { Err(overflow()) } else { Ok(digits) }
}

fn overflow() -> Error {
    Error::new(Kind::NumericOutOfRange, "value overflows numeric format")
}

fn wide(digits: &BigInt) -> Result<i256> {
    i256::from_string(&digits.to_string()).ok_or_else(overflow)
}
