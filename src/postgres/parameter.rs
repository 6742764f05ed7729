//! The values of a Bind message as the engine's values.
//!
//! Takes bytes, their format and the parameter's type; gives a `ScalarValue` of that type. What cannot be read is an
//! error that names the parameter; a value that would lose something on the way is one too, never another value.

use arrow::datatypes::IntervalMonthDayNano;
use bytes::Buf;
use chrono_tz::Tz;
use datafusion::scalar::ScalarValue;

use super::binary::{EPOCH_DAYS, EPOCH_MICROS};
use super::failure::Failure;
use super::types::{ParameterType, uuid_text, wire_type};
use crate::engine::{Clock, SqlType, array_value, numeric_value, read_text};

/// One value; `None` is NULL. `clock` has what a time leaves open, `number` the parameter's, from 1.
pub(super) fn decode(
    bytes: Option<&[u8]>,
    binary: bool,
    parameter: &ParameterType,
    clock: Clock,
    number: usize,
) -> Result<ScalarValue, Failure> {
    let value = match bytes {
        None => ScalarValue::try_from(&parameter.sql_type.data_type())
            .map_err(|error| Failure::error("22023", error.to_string())),
        Some(bytes) if binary => from_binary(bytes, &parameter.sql_type),
        Some(bytes) => {
            utf8(bytes).and_then(|text| read_text(text, &parameter.sql_type, clock).map_err(Failure::from))
        }
    };
    value.map_err(|failure| failure.of_parameter(number))
}

fn out_of_range(sql_type: &SqlType) -> Failure {
    Failure::error("22003", format!("value out of range for type {}", sql_type.name()))
}

fn malformed(sql_type: &SqlType) -> Failure {
    Failure::error("22P03", format!("incorrect binary data format for type {}", sql_type.name()))
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Failure> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(Failure::error("22021", "invalid byte sequence for encoding \"UTF8\"")),
    }
}

fn from_binary(bytes: &[u8], sql_type: &SqlType) -> Result<ScalarValue, Failure> {
    let bad = || malformed(sql_type);
    Ok(match sql_type {
        SqlType::Bool => ScalarValue::Boolean(Some(u8::from_be_bytes(fixed(bytes).ok_or_else(bad)?) != 0)),
        SqlType::Int2 => ScalarValue::Int16(Some(i16::from_be_bytes(fixed(bytes).ok_or_else(bad)?))),
        SqlType::Int4 => ScalarValue::Int32(Some(i32::from_be_bytes(fixed(bytes).ok_or_else(bad)?))),
        SqlType::Int8 => ScalarValue::Int64(Some(i64::from_be_bytes(fixed(bytes).ok_or_else(bad)?))),
        SqlType::Oid => {
            ScalarValue::Int64(Some(i64::from(u32::from_be_bytes(fixed(bytes).ok_or_else(bad)?))))
        }
        SqlType::Float4 => ScalarValue::Float32(Some(f32::from_be_bytes(fixed(bytes).ok_or_else(bad)?))),
        SqlType::Float8 => ScalarValue::Float64(Some(f64::from_be_bytes(fixed(bytes).ok_or_else(bad)?))),
        SqlType::Numeric => numeric(bytes)?,
        SqlType::Uuid => ScalarValue::Utf8(Some(uuid_text(fixed(bytes).ok_or_else(bad)?))),
        SqlType::Text
        | SqlType::Varchar
        | SqlType::Bpchar
        | SqlType::Name
        | SqlType::Char
        | SqlType::Json
        | SqlType::Catalog(_)
        | SqlType::Unknown => read_text(utf8(bytes)?, sql_type, Tz::UTC)?,
        SqlType::Jsonb => match bytes {
            [1, json @ ..] => read_text(utf8(json)?, sql_type, Tz::UTC)?,
            _ => return Err(bad()),
        },
        SqlType::Bytea => ScalarValue::Binary(Some(bytes.to_owned())),
        SqlType::Date => {
            let days = i32::from_be_bytes(fixed(bytes).ok_or_else(bad)?);
            let infinite = matches!(days, i32::MAX | i32::MIN);
            let days = if infinite { Some(days) } else { days.checked_add(EPOCH_DAYS) };
            ScalarValue::Date32(Some(days.ok_or_else(|| out_of_range(sql_type))?))
        }
        SqlType::Time => {
            let micros = i64::from_be_bytes(fixed(bytes).ok_or_else(bad)?);
            if !(0..=86_400_000_000).contains(&micros) {
                return Err(Failure::error("22008", "time out of range"));
            }
            ScalarValue::Time64Microsecond(Some(micros))
        }
        SqlType::Timestamp | SqlType::TimestampTz => {
            let micros = i64::from_be_bytes(fixed(bytes).ok_or_else(bad)?);
            let infinite = matches!(micros, i64::MAX | i64::MIN);
            let micros = if infinite { Some(micros) } else { micros.checked_add(EPOCH_MICROS) };
            let micros = micros.ok_or_else(|| out_of_range(sql_type))?;
            let zone = (*sql_type == SqlType::TimestampTz).then(|| "UTC".into());
            ScalarValue::TimestampMicrosecond(Some(micros), zone)
        }
        SqlType::Interval => interval(bytes, sql_type)?,
        SqlType::Int2Vector => array(bytes, &SqlType::Int2)?,
        SqlType::OidVector => array(bytes, &SqlType::Oid)?,
        SqlType::Array(item) => array(bytes, item)?,
    })
}

fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn interval(mut bytes: &[u8], sql_type: &SqlType) -> Result<ScalarValue, Failure> {
    if bytes.len() != 16 {
        return Err(malformed(sql_type));
    }
    let (micros, days, months) = (bytes.get_i64(), bytes.get_i32(), bytes.get_i32());
    let nanos = micros.checked_mul(1000).ok_or_else(|| Failure::error("22008", "interval out of range"))?;
    Ok(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(months, days, nanos))))
}

/// Groups of four digits, `weight` of the first in powers of 10,000; `scale` digits after the point count.
fn numeric(mut bytes: &[u8]) -> Result<ScalarValue, Failure> {
    let bad = || malformed(&SqlType::Numeric);
    let too_big = || out_of_range(&SqlType::Numeric);
    if bytes.len() < 8 {
        return Err(bad());
    }
    let count = bytes.get_u16();
    let weight = i32::from(bytes.get_i16());
    let sign = bytes.get_u16();
    let scale = bytes.get_u16();
    if bytes.len() != usize::from(count) * 2 {
        return Err(bad());
    }
    match sign {
        0 | 0x4000 => {}
        0xc000 => return Ok(read_text("NaN", &SqlType::Numeric, Tz::UTC)?),
        0xd000 => return Ok(read_text("Infinity", &SqlType::Numeric, Tz::UTC)?),
        0xf000 => return Ok(read_text("-Infinity", &SqlType::Numeric, Tz::UTC)?),
        _ => return Err(bad()),
    }
    let scale = u8::try_from(scale).map_err(|_| too_big())?;
    let mut value: i128 = 0;
    for at in 0..i32::from(count) {
        let group = bytes.get_u16();
        if group > 9999 {
            return Err(bad());
        }
        let group = i128::from(group);
        let exponent = (weight - at) * 4 + i32::from(scale);
        let part = match u32::try_from(exponent) {
            _ if group == 0 => Some(0),
            Ok(exponent) => 10_i128.checked_pow(exponent).and_then(|power| group.checked_mul(power)),
            // Digits past the scale, which a sender has made zero.
            Err(_) => 10_i128.checked_pow(exponent.unsigned_abs()).map(|power| group / power),
        };
        value = part.and_then(|part| value.checked_add(part)).ok_or_else(too_big)?;
    }
    Ok(numeric_value(if sign == 0 { value } else { -value }, scale)?)
}

/// The most dimensions that an array has (PostgreSQL's `MAXDIM`).
const DIMENSIONS: usize = 6;

/// An array of any number of dimensions; where its items begin to count says nothing. `item` may itself be an array:
/// all dimensions are one type's.
fn array(mut bytes: &[u8], item: &SqlType) -> Result<ScalarValue, Failure> {
    let mut scalar = item;
    while let SqlType::Array(inner) = scalar {
        scalar = inner;
    }
    let bad = || malformed(&SqlType::Array(Box::new(scalar.clone())));
    if bytes.len() < 12 {
        return Err(bad());
    }
    let dimensions = usize::try_from(bytes.get_i32()).ok().filter(|count| *count <= DIMENSIONS);
    let dimensions = dimensions.ok_or_else(bad)?;
    let (flags, item_oid) = (bytes.get_i32(), bytes.get_u32());
    if !matches!(flags, 0 | 1) || bytes.len() < dimensions * 8 {
        return Err(bad());
    }
    if item_oid != 0 && !same_type(item_oid, scalar) {
        let message = format!("binary data has array element type {item_oid}, not that of {}", scalar.name());
        return Err(Failure::error("42804", message));
    }
    let mut lengths = vec![];
    for _ in 0..dimensions {
        lengths.push(usize::try_from(bytes.get_i32()).map_err(|_| bad())?);
        bytes.advance(4);
    }
    if lengths.contains(&0) || lengths.is_empty() {
        return if bytes.is_empty() { Ok(array_value(vec![], item)?) } else { Err(bad()) };
    }
    let value = items(&mut bytes, &lengths, scalar)?;
    if bytes.is_empty() { Ok(value) } else { Err(bad()) }
}

/// Text of one kind for another is as good: clients say `text` of the items of a `varchar[]`.
fn same_type(oid: u32, scalar: &SqlType) -> bool {
    let declared = ParameterType::declared(oid).map_or(SqlType::Text, |of| of.sql_type);
    wire_type(scalar).oid() == oid || declared.data_type() == scalar.data_type()
}

/// The items of the outermost dimension. Memory is taken as items are there, not as a count promises.
fn items(bytes: &mut &[u8], lengths: &[usize], scalar: &SqlType) -> Result<ScalarValue, Failure> {
    let bad = || malformed(&SqlType::Array(Box::new(scalar.clone())));
    let (length, inner) = lengths.split_first().ok_or_else(bad)?;
    let mut values = vec![];
    for _ in 0..*length {
        if !inner.is_empty() {
            values.push(Some(items(bytes, inner, scalar)?));
            continue;
        }
        let length = bytes.split_off(..4).ok_or_else(bad)?;
        values.push(match i32::from_be_bytes(fixed(length).ok_or_else(bad)?) {
            -1 => None,
            length => {
                let length = usize::try_from(length).map_err(|_| bad())?;
                Some(from_binary(bytes.split_off(..length).ok_or_else(bad)?, scalar)?)
            }
        });
    }
    Ok(array_value(values, scalar)?)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use tokio_postgres::types::{ToSql, Type};

    use super::*;

    fn sent(value: &(impl ToSql + Sync), wire: &Type) -> ScalarValue {
        let mut bytes = BytesMut::new();
        value.to_sql(wire, &mut bytes).unwrap();
        let parameter = ParameterType::declared(wire.oid()).unwrap();
        decode(Some(&bytes), true, &parameter, chrono_tz::UTC.into(), 1).unwrap()
    }

    #[test]
    fn binary_values_of_a_client_are_read() {
        let date = chrono::NaiveDate::from_ymd_opt(2026, 4, 24).unwrap();
        let noon = date.and_hms_opt(12, 0, 0).unwrap();
        let utc = Some("UTC".into());
        for (value, expected) in [
            (sent(&true, &Type::BOOL), ScalarValue::from(true)),
            (sent(&-7_i16, &Type::INT2), ScalarValue::from(-7_i16)),
            (sent(&-7_i32, &Type::INT4), ScalarValue::from(-7_i32)),
            (sent(&-7_i64, &Type::INT8), ScalarValue::from(-7_i64)),
            (sent(&0.5_f64, &Type::FLOAT8), ScalarValue::from(0.5)),
            (sent(&"髙﨑", &Type::VARCHAR), ScalarValue::from("髙﨑")),
            (sent(&serde_json::json!([1]), &Type::JSONB), ScalarValue::from("[1]")),
            (sent(&date, &Type::DATE), ScalarValue::Date32(Some(20_567))),
            (
                sent(&noon, &Type::TIMESTAMP),
                ScalarValue::TimestampMicrosecond(Some(1_777_032_000_000_000), None),
            ),
            (
                sent(&noon.and_utc(), &Type::TIMESTAMPTZ),
                ScalarValue::TimestampMicrosecond(Some(1_777_032_000_000_000), utc),
            ),
        ] {
            assert_eq!(value, expected);
        }
        let list = sent(&vec![Some(1_i64), None], &Type::INT8_ARRAY);
        assert_eq!(list.to_string(), "[1, ]");
    }

    fn numeric_bytes(parts: &[i16]) -> Vec<u8> {
        parts.iter().flat_map(|part| part.to_be_bytes()).collect()
    }

    #[test]
    fn numerics_are_exact_or_refused() {
        let decode = |parts: &[i16]| {
            let parameter = ParameterType::inferred(SqlType::Numeric);
            decode(Some(&numeric_bytes(parts)), true, &parameter, chrono_tz::UTC.into(), 1)
        };
        for (parts, expected) in [
            (&[2, 0, 0, 1, 1, 5000][..], (15, 2, 1)),
            (&[2, 0, 0, 2, 1, 5000], (150, 3, 2)),
            (&[0, 0, 0, 0], (0, 1, 0)),
            (&[3, 1, 0x4000, 2, 1, 2345, 6700], (-1_234_567, 7, 2)),
            (&[1, 1, 0, 0, 1], (10_000, 5, 0)),
            (&[1, -3, 0, 11, 10], (1, 11, 11)),
        ] {
            let (value, precision, scale) = expected;
            assert_eq!(decode(parts).unwrap(), ScalarValue::Decimal128(Some(value), precision, scale));
        }
        // A wrong length; 10^40; a sign that is none; a group of five digits.
        for (parts, code) in [
            (&[2, 0, 0, 0, 1][..], "22P03"),
            (&[1, 10, 0, 0, 1], "22003"),
            (&[0, 0, 0x1000, 0], "22P03"),
            (&[1, 0, 0, 0, 10_000], "22P03"),
        ] {
            assert_eq!(decode(parts).unwrap_err().code(), code, "{parts:?}");
        }
    }

    #[test]
    fn malformed_binary_values_are_errors() {
        for oid in [16, 20, 21, 23, 700, 701, 1082, 1114, 1184, 1186, 1700, 1016, 2950, 3802] {
            let parameter = ParameterType::declared(oid).unwrap();
            for bytes in [&[][..], &[0, 0, 0], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 9, 0, 0, 0, 1]]
            {
                let result = decode(Some(bytes), true, &parameter, chrono_tz::UTC.into(), 7);
                let failure = result.unwrap_err();
                assert_eq!(failure.code(), "22P03", "oid {oid}, {} bytes", bytes.len());
                assert!(failure.to_string().contains("$7"), "{failure}");
            }
        }
    }

    #[test]
    fn a_uuid_is_text() {
        let parameter = ParameterType::declared(Type::UUID.oid()).unwrap();
        let bytes: Vec<u8> = (0..16).collect();
        let value = decode(Some(&bytes), true, &parameter, chrono_tz::UTC.into(), 1).unwrap();
        assert_eq!(value, ScalarValue::from("00010203-0405-0607-0809-0a0b0c0d0e0f"));
    }
}
