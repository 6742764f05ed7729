//! A value in PostgreSQL's binary format: what each type's `send` function writes.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, Decimal128Array, ListArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use bytes::{BufMut, BytesMut};

use super::types::{uuid_bytes, wire_type};
use crate::engine::{
    CatalogForm, NumericForm, SqlType, TextColumn, TextOptions, canonical, downcast, item_range,
};

/// 2000-01-01 in days since 1970-01-01: where PostgreSQL counts dates from.
pub(super) const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
pub(super) const EPOCH_MICROS: i64 = 946_684_800_000_000;

type Writer = Box<dyn Fn(&mut BytesMut, usize) + Send + Sync>;

/// One column of a batch, ready to be written.
pub(super) struct BinaryColumn {
    array: ArrayRef,
    write: Writer,
    special: Option<&'static str>,
}

impl BinaryColumn {
    /// Prepares a column to be sent as values of `sql_type`.
    pub(super) fn new(
        array: &ArrayRef,
        sql_type: &SqlType,
        options: TextOptions,
        form: NumericForm,
    ) -> Result<Self, ArrowError> {
        let array = match (sql_type, array.data_type()) {
            // Of an oid with its name, the oid.
            (SqlType::Catalog(_), DataType::Struct(_)) => {
                let pair: StructArray = downcast(array)?;
                pair.columns().first().cloned().unwrap_or_else(|| Arc::clone(array))
            }
            _ => canonical(array, sql_type)?,
        };
        let write = writer(&array, sql_type, options, form)?;
        Ok(Self { array, write, special: form.special })
    }

    /// Adds a value with its length before it; NULL is a length of -1.
    pub(super) fn append(&self, out: &mut BytesMut, row: usize) {
        if let Some(special) = self.special {
            out.put_i32(8);
            return put_special(out, special);
        }
        if row >= self.array.len() || self.array.is_null(row) {
            return out.put_i32(-1);
        }
        let start = out.len();
        out.put_i32(0);
        (self.write)(out, row);
        let length = i32::try_from(out.len() - start - 4).unwrap_or(i32::MAX);
        if let Some(prefix) = out.get_mut(start..start + 4) {
            prefix.copy_from_slice(&length.to_be_bytes());
        }
    }
}

fn primitive<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    write: impl Fn(&mut BytesMut, T::Native) + Send + Sync + 'static,
) -> Result<Writer, ArrowError> {
    let array: PrimitiveArray<T> = downcast(array)?;
    Ok(Box::new(move |out, row| write(out, array.value(row))))
}

#[expect(clippy::too_many_lines, reason = "an arm for each type")]
fn writer(
    array: &ArrayRef,
    sql_type: &SqlType,
    options: TextOptions,
    form: NumericForm,
) -> Result<Writer, ArrowError> {
    match sql_type {
        SqlType::Bool => {
            let array: BooleanArray = downcast(array)?;
            Ok(Box::new(move |out, row| out.put_u8(u8::from(array.value(row)))))
        }
        SqlType::Int2 => primitive::<Int16Type>(array, BytesMut::put_i16),
        SqlType::Int4 => primitive::<Int32Type>(array, BytesMut::put_i32),
        SqlType::Int8 => primitive::<Int64Type>(array, BytesMut::put_i64),
        // No oid is beyond four bytes; one that were would be none.
        SqlType::Oid => {
            primitive::<Int64Type>(array, |out, value| out.put_u32(u32::try_from(value).unwrap_or(0)))
        }
        SqlType::Float4 => primitive::<Float32Type>(array, BytesMut::put_f32),
        SqlType::Float8 => primitive::<Float64Type>(array, BytesMut::put_f64),
        SqlType::Numeric => {
            let array: Decimal128Array = downcast(array)?;
            let scale = array.scale();
            let least = usize::from(form.scale);
            Ok(Box::new(move |out, row| put_numeric(out, array.value(row), scale, least)))
        }
        SqlType::Uuid => {
            let array: StringArray = downcast(array)?;
            if let Some(bad) = array.iter().flatten().find(|text| uuid_bytes(text).is_none()) {
                return Err(ArrowError::CastError(format!("a uuid is {bad}")));
            }
            Ok(Box::new(move |out, row| out.put_slice(&uuid_bytes(array.value(row)).unwrap_or_default())))
        }
        SqlType::Text
        | SqlType::Varchar
        | SqlType::Bpchar
        | SqlType::Name
        | SqlType::Json
        | SqlType::Unknown => {
            let array: StringArray = downcast(array)?;
            Ok(Box::new(move |out, row| out.put_slice(array.value(row).as_bytes())))
        }
        SqlType::Char => {
            let array: StringArray = downcast(array)?;
            Ok(Box::new(move |out, row| out.put_u8(array.value(row).bytes().next().unwrap_or(0))))
        }
        SqlType::Catalog(catalog) => match catalog.form {
            CatalogForm::Named | CatalogForm::Number => {
                primitive::<Int64Type>(array, |out, value| out.put_u32(u32::try_from(value).unwrap_or(0)))
            }
            CatalogForm::Text => {
                let array: StringArray = downcast(array)?;
                Ok(Box::new(move |out, row| out.put_slice(array.value(row).as_bytes())))
            }
        },
        SqlType::Jsonb => {
            let text = TextColumn::new(array, sql_type, options)?;
            Ok(Box::new(move |out, row| {
                let mut json = String::new();
                text.append(&mut json, row);
                out.put_u8(1);
                out.put_slice(json.as_bytes());
            }))
        }
        SqlType::Bytea => {
            let array: BinaryArray = downcast(array)?;
            Ok(Box::new(move |out, row| out.put_slice(array.value(row))))
        }
        SqlType::Date => primitive::<Date32Type>(array, |out, days| {
            let infinite = matches!(days, i32::MAX | i32::MIN);
            out.put_i32(if infinite { days } else { days.saturating_sub(EPOCH_DAYS) });
        }),
        SqlType::Time => primitive::<Time64MicrosecondType>(array, BytesMut::put_i64),
        SqlType::Timestamp | SqlType::TimestampTz => {
            primitive::<TimestampMicrosecondType>(array, |out, us| {
                let infinite = matches!(us, i64::MAX | i64::MIN);
                out.put_i64(if infinite { us } else { us.saturating_sub(EPOCH_MICROS) });
            })
        }
        SqlType::Interval => primitive::<IntervalMonthDayNanoType>(array, |out, value| {
            out.put_i64(value.nanoseconds / 1000);
            out.put_i32(value.days);
            out.put_i32(value.months);
        }),
        SqlType::Int2Vector => vector_writer(array, &SqlType::Int2, options),
        SqlType::OidVector => vector_writer(array, &SqlType::Oid, options),
        SqlType::Array(_) => list_writer(array, sql_type, options, form),
    }
}

/// A numeric that is no number: no digits, and a sign that says which.
fn put_special(out: &mut BytesMut, special: &str) {
    // The scale is what PostgreSQL's own header of such a value happens to say.
    let (sign, scale) = match special {
        "Infinity" => (0xd000, 32),
        "-Infinity" => (0xf000, 32),
        _ => (0xc000, 0),
    };
    for part in [0, 0, sign, scale] {
        out.put_u16(part);
    }
}

/// Groups of four decimal digits, aligned at the point, without zero groups at either end; `least` digits after the
/// point are shown at least.
fn put_numeric(out: &mut BytesMut, value: i128, scale: i8, least: usize) {
    let mut fraction = usize::try_from(scale).unwrap_or(0);
    let mut digits = value.unsigned_abs().to_string();
    digits.extend((scale..0).map(|_| '0'));
    while fraction > 0 && digits.ends_with('0') {
        digits.pop();
        fraction -= 1;
    }
    let display_scale = if value == 0 { least } else { fraction.max(least) };
    // Zeros so that the point, and both ends, fall between groups.
    let missing = fraction.next_multiple_of(4) - fraction;
    digits.extend((0..missing).map(|_| '0'));
    let fraction_groups = (fraction + missing) / 4;
    let padded = format!("{digits:0>width$}", width = digits.len().next_multiple_of(4));
    let groups: Vec<i16> = padded
        .as_bytes()
        .chunks(4)
        .map(|group| group.iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0')))
        .collect();
    let integer_groups = signed(groups.len()) - signed(fraction_groups);
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let significant = groups.get(leading..).unwrap_or_default();
    let trailing = significant.iter().rev().take_while(|group| **group == 0).count();
    let significant = significant.get(..significant.len() - trailing).unwrap_or_default();
    let weight = if significant.is_empty() { 0 } else { integer_groups - 1 - signed(leading) };
    out.put_i16(signed(significant.len()));
    out.put_i16(weight);
    out.put_u16(if value < 0 { 0x4000 } else { 0 });
    out.put_i16(signed(display_scale));
    significant.iter().for_each(|group| out.put_i16(*group));
}

/// Counts of digits: 38 and a scale of one byte at most.
fn signed(count: usize) -> i16 {
    i16::try_from(count).unwrap_or(i16::MAX)
}

/// `int2vector` and `oidvector`: an array of one dimension, even without items, whose first item is number 0.
fn vector_writer(array: &ArrayRef, item: &SqlType, options: TextOptions) -> Result<Writer, ArrowError> {
    let list: ListArray = downcast(array)?;
    let items = BinaryColumn::new(list.values(), item, options, NumericForm::default())?;
    let item_oid = wire_type(item).oid();
    Ok(Box::new(move |out, row| {
        let range = item_range(&list, row);
        out.put_i32(1);
        out.put_i32(0);
        out.put_u32(item_oid);
        out.put_i32(count(range.len()));
        out.put_i32(0);
        range.for_each(|item| items.append(out, item));
    }))
}

/// An array of any number of dimensions.
fn list_writer(
    array: &ArrayRef,
    sql_type: &SqlType,
    options: TextOptions,
    form: NumericForm,
) -> Result<Writer, ArrowError> {
    let (mut values, mut item, mut lists) = (Arc::clone(array), sql_type, vec![]);
    while let SqlType::Array(inner) = item {
        let list: ListArray = downcast(&canonical(&values, item)?)?;
        values = Arc::clone(list.values());
        lists.push(list);
        item = inner;
    }
    for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
        if dimensions(&lists, row..row + 1).is_none() {
            let message = "an array whose arrays differ in length; ask for the column as text";
            return Err(ArrowError::NotYetImplemented(message.into()));
        }
    }
    let form = NumericForm { special: None, ..form };
    let items = BinaryColumn::new(&values, item, options, form)?;
    let item_oid = wire_type(item).oid();
    Ok(Box::new(move |out, row| {
        let (lengths, range) = dimensions(&lists, row..row + 1).unwrap_or_default();
        let has_null = range.clone().any(|item| items.array.is_null(item));
        out.put_i32(count(lengths.len()));
        out.put_i32(i32::from(has_null));
        out.put_u32(item_oid);
        for length in lengths {
            out.put_i32(count(length));
            out.put_i32(1);
        }
        range.for_each(|item| items.append(out, item));
    }))
}

fn count(items: usize) -> i32 {
    i32::try_from(items).unwrap_or(i32::MAX)
}

/// The lengths of the dimensions, and where the innermost items are; no dimension where there is no item. `None` where
/// the arrays of a dimension differ in length.
fn dimensions(lists: &[ListArray], rows: Range<usize>) -> Option<(Vec<usize>, Range<usize>)> {
    let (mut lengths, mut range) = (vec![], rows);
    for list in lists {
        if range.clone().any(|row| list.is_null(row)) {
            return None;
        }
        let length = item_range(list, range.start).len();
        if range.clone().any(|row| item_range(list, row).len() != length) {
            return None;
        }
        range = item_range(list, range.start).start..item_range(list, range.end - 1).end;
        if range.is_empty() {
            return Some((vec![], 0..0));
        }
        lengths.push(length);
    }
    Some((lengths, range))
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Date32Array, Float64Array, Int64Array, IntervalMonthDayNanoArray, ListBuilder, StringBuilder,
        TimestampMicrosecondArray, UInt64Array,
    };
    use arrow::datatypes::IntervalMonthDayNano;
    use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
    use tokio_postgres::types::{FromSql, Type};

    use super::*;

    fn bytes(array: impl Array + 'static, sql_type: &SqlType, row: usize) -> Vec<u8> {
        let array: ArrayRef = Arc::new(array);
        let options = TextOptions { time_zone: chrono_tz::UTC };
        let mut out = BytesMut::new();
        BinaryColumn::new(&array, sql_type, options, NumericForm::default()).unwrap().append(&mut out, row);
        let length = i32::from_be_bytes(out[..4].try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap(), out.len() - 4);
        out[4..].to_vec()
    }

    fn read<T: for<'a> FromSql<'a>>(array: impl Array + 'static, sql_type: &SqlType) -> T {
        T::from_sql(&client_type(sql_type), &bytes(array, sql_type, 0)).unwrap()
    }

    fn client_type(sql_type: &SqlType) -> Type {
        Type::from_oid(wire_type(sql_type).oid()).unwrap()
    }

    fn numeric(value: i128, scale: i8) -> Vec<i16> {
        let array = Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap();
        bytes(array, &SqlType::Numeric, 0)
            .chunks(2)
            .map(|pair| i16::from_be_bytes(pair.try_into().unwrap()))
            .collect()
    }

    #[test]
    fn numerics_are_groups_of_four_digits() {
        // digits, weight, sign, scale, then the groups: as `numeric_send` of PostgreSQL 15 gives them.
        for (value, scale, expected) in [
            (0, 10, &[0, 0, 0, 0][..]),
            (15_000_000_000, 10, &[2, 0, 0, 1, 1, 5000]),
            (1_000_000_000_000, 10, &[1, 0, 0, 0, 100]),
            (10_000, 0, &[1, 1, 0, 0, 1]),
            (-1_234_567, 2, &[3, 1, 0x4000, 2, 1, 2345, 6700]),
            (1, 10, &[1, -3, 0, 10, 100]),
            (100_000_001, 4, &[3, 1, 0, 4, 1, 0, 1]),
            (-1, 4, &[1, -1, 0x4000, 4, 1]),
            (12, -3, &[2, 1, 0, 0, 1, 2000]),
        ] {
            assert_eq!(numeric(value, scale), expected, "{value} scale {scale}");
        }
    }

    #[test]
    fn numerics_keep_all_38_digits() {
        let groups = numeric(12_345_678_901_234_567_890_123_456_789_012_345_678, 10);
        assert_eq!(groups, [10, 6, 0, 10, 1234, 5678, 9012, 3456, 7890, 1234, 5678, 9012, 3456, 7800]);
        let array = UInt64Array::from(vec![u64::MAX]);
        assert_eq!(bytes(array, &SqlType::Numeric, 0).len(), 8 + 5 * 2);
    }

    #[test]
    fn values_come_back_through_a_client() {
        assert_eq!(read::<i64>(Int64Array::from(vec![-7]), &SqlType::Int8), -7);
        assert_eq!(read::<u32>(Int64Array::from(vec![2_249]), &SqlType::Oid), 2_249);
        let bits = read::<f64>(Float64Array::from(vec![0.1]), &SqlType::Float8).to_bits();
        assert_eq!(bits, 0.1_f64.to_bits());
        assert_eq!(read::<String>(StringArray::from(vec!["𠮷野家"]), &SqlType::Text), "𠮷野家");
        assert_eq!(read::<i8>(StringArray::from(vec!["r"]), &SqlType::Char), 114);
        assert!(read::<bool>(BooleanArray::from(vec![true]), &SqlType::Bool));
        let date: NaiveDate = read(Date32Array::from(vec![20_567]), &SqlType::Date);
        assert_eq!(date.to_string(), "2026-04-24");
        let micros = || TimestampMicrosecondArray::from(vec![1_777_032_000_500_000]);
        let stamp: NaiveDateTime = read(micros(), &SqlType::Timestamp);
        assert_eq!(stamp.to_string(), "2026-04-24 12:00:00.500");
        let stamp: DateTime<Utc> = read(micros().with_timezone("Asia/Tokyo"), &SqlType::TimestampTz);
        assert_eq!(stamp.to_string(), "2026-04-24 12:00:00.500 UTC");
        let json: serde_json::Value = read(StringArray::from(vec![r#"{"a":[1]}"#]), &SqlType::Jsonb);
        assert_eq!(json, serde_json::json!({"a": [1]}));
    }

    #[test]
    fn arrays_carry_their_nulls_and_an_empty_one_has_no_dimension() {
        let mut builder = ListBuilder::new(StringBuilder::new());
        builder.values().append_value("a");
        builder.values().append_null();
        builder.append(true);
        builder.append(true);
        let list: ArrayRef = Arc::new(builder.finish());
        let sql_type = SqlType::Array(Box::new(SqlType::Text));
        let values: Vec<Option<String>> = read(Arc::clone(&list), &sql_type);
        assert_eq!(values, [Some("a".to_owned()), None]);
        assert_eq!(bytes(list, &sql_type, 1), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25]);
    }

    #[test]
    fn arrays_of_arrays_are_arrays_of_more_dimensions() {
        let nested = |rows: &[&[&[i32]]]| -> ArrayRef {
            let mut builder = ListBuilder::new(ListBuilder::new(arrow::array::Int32Builder::new()));
            for row in rows {
                for inner in *row {
                    builder.values().append_value(inner.iter().map(|n| Some(*n)));
                }
                builder.append(true);
            }
            Arc::new(builder.finish())
        };
        let sql_type = SqlType::Array(Box::new(SqlType::Array(Box::new(SqlType::Int4))));
        let words = |values: ArrayRef, row| -> Vec<i32> {
            let bytes = bytes(values, &sql_type, row);
            bytes.chunks(4).map(|word| i32::from_be_bytes(word.try_into().unwrap())).collect()
        };
        let values = || nested(&[&[&[9]], &[&[1, 2], &[3, 4]], &[&[], &[]], &[]]);
        assert_eq!(words(values(), 1), [2, 0, 23, 2, 1, 2, 1, 4, 1, 4, 2, 4, 3, 4, 4]);
        assert_eq!(words(values(), 2), [0, 0, 23]);
        assert_eq!(words(values(), 3), [0, 0, 23]);
        let ragged = nested(&[&[&[1, 2], &[3]]]);
        let options = TextOptions { time_zone: chrono_tz::UTC };
        assert!(BinaryColumn::new(&ragged, &sql_type, options, NumericForm::default()).is_err());
    }

    #[test]
    fn vectors_begin_at_zero_and_uuids_have_sixteen_bytes() {
        let mut builder = ListBuilder::new(arrow::array::Int16Builder::new());
        builder.append_value([Some(7)]);
        let vector: ArrayRef = Arc::new(builder.finish());
        let expected = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 7];
        assert_eq!(bytes(vector, &SqlType::Int2Vector, 0), expected);
        let uuid = StringArray::from(vec!["00010203-0405-0607-0809-0a0b0c0d0e0f"]);
        assert_eq!(bytes(uuid, &SqlType::Uuid, 0), (0..16).collect::<Vec<u8>>());
    }

    #[test]
    fn infinite_days_and_instants_are_the_ends_of_their_range() {
        assert_eq!(bytes(Date32Array::from(vec![i32::MAX]), &SqlType::Date, 0), i32::MAX.to_be_bytes());
        let instants = TimestampMicrosecondArray::from(vec![i64::MIN]);
        assert_eq!(bytes(instants, &SqlType::Timestamp, 0), i64::MIN.to_be_bytes());
    }

    #[test]
    fn a_numerics_form_is_its_display_scale_or_its_sign() {
        let array: ArrayRef =
            Arc::new(Decimal128Array::from(vec![150]).with_precision_and_scale(38, 2).unwrap());
        let words = |form| -> Vec<u16> {
            let options = TextOptions { time_zone: chrono_tz::UTC };
            let mut out = BytesMut::new();
            BinaryColumn::new(&array, &SqlType::Numeric, options, form).unwrap().append(&mut out, 0);
            out[4..].chunks(2).map(|pair| u16::from_be_bytes(pair.try_into().unwrap())).collect()
        };
        assert_eq!(words(NumericForm { scale: 2, special: None }), [2, 0, 0, 2, 1, 5000]);
        assert_eq!(words(NumericForm { scale: 0, special: Some("NaN") }), [0, 0, 0xc000, 0]);
    }

    #[test]
    fn an_interval_is_micros_days_months() {
        let value = IntervalMonthDayNano::new(14, -3, 90_060_000_000_000);
        let array = IntervalMonthDayNanoArray::from(vec![value]);
        let mut expected = 90_060_000_000_i64.to_be_bytes().to_vec();
        expected.extend((-3_i32).to_be_bytes());
        expected.extend(14_i32.to_be_bytes());
        assert_eq!(bytes(array, &SqlType::Interval, 0), expected);
    }

    #[test]
    fn null_is_a_length_of_minus_one() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![None]));
        let options = TextOptions { time_zone: chrono_tz::UTC };
        let mut out = BytesMut::new();
        BinaryColumn::new(&array, &SqlType::Int8, options, NumericForm::default())
            .unwrap()
            .append(&mut out, 0);
        assert_eq!(out[..], [255; 4]);
    }
}
