//! The values of a Bind message as the engine's values.
//!
//! Takes bytes, their format and the parameter's type; gives a `ScalarValue` of the type that the plan wants.
//! A value that would lose something on the way is an error, never another value.

use arrow::array::ArrayRef;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, IntervalMonthDayNano};
use bytes::Buf;
use chrono_tz::Tz;
use datafusion::scalar::ScalarValue;

use super::binary::{EPOCH_DAYS, EPOCH_MICROS};
use super::failure::Failure;
use super::parse_text;
use super::types::ParameterType;
use crate::engine::SqlType;

/// One value; `None` is NULL. `wanted` is its type in the plan, `zone` that of a time without one.
pub(super) fn decode(
    bytes: Option<&[u8]>,
    binary: bool,
    parameter: &ParameterType,
    wanted: &DataType,
    zone: Tz,
) -> Result<ScalarValue, Failure> {
    let Some(bytes) = bytes else {
        return ScalarValue::try_from(wanted).map_err(|error| unfit(&parameter.sql_type, &error));
    };
    let value = if !binary {
        parse_text::parse(utf8(bytes)?, &parameter.sql_type, zone)?
    } else if parameter.uuid {
        ScalarValue::Utf8(Some(uuid_text(bytes)?))
    } else {
        from_binary(bytes, &parameter.sql_type)?
    };
    convert(value, wanted, &parameter.sql_type)
}

/// The value in the plan's type. Fails where the cast alone would round or wrap.
fn convert(value: ScalarValue, wanted: &DataType, sql_type: &SqlType) -> Result<ScalarValue, Failure> {
    if value.data_type() == *wanted {
        return Ok(value);
    }
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    let cast = |from: &ArrayRef, to: &DataType| {
        cast_with_options(from, to, &exact).map_err(|error| unfit(sql_type, &error))
    };
    let from = value.to_array().map_err(|error| unfit(sql_type, &error))?;
    let to = cast(&from, wanted)?;
    // Back again: a digit that the plan's type has no room for must not vanish.
    if matches!(sql_type, SqlType::Numeric) && cast(&to, from.data_type())?.as_ref() != from.as_ref() {
        return Err(out_of_range(sql_type));
    }
    ScalarValue::try_from_array(&to, 0).map_err(|error| unfit(sql_type, &error))
}

fn unfit(sql_type: &SqlType, error: &impl std::fmt::Display) -> Failure {
    Failure::error(
        "22023",
        format!("a parameter of type {} does not fit its place: {error}", sql_type.name()),
    )
}

pub(super) fn out_of_range(sql_type: &SqlType) -> Failure {
    Failure::error("22003", format!("a parameter is out of the range of type {}", sql_type.name()))
}

fn malformed(sql_type: &SqlType) -> Failure {
    Failure::error(
        "22P03",
        format!("incorrect binary data format in a parameter of type {}", sql_type.name()),
    )
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Failure> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(Failure::error("22021", "a parameter is not valid UTF-8 text")),
    }
}

fn uuid_text(bytes: &[u8]) -> Result<String, Failure> {
    let uuid: [u8; 16] =
        bytes.try_into().map_err(|_| Failure::error("22P03", "a uuid in binary format has 16 bytes"))?;
    let digits = format!("{:032x}", u128::from_be_bytes(uuid));
    let parts: Vec<_> =
        [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().filter_map(|part| digits.get(part)).collect();
    Ok(parts.join("-"))
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
        SqlType::Text | SqlType::Name | SqlType::Char | SqlType::Unknown => {
            ScalarValue::Utf8(Some(utf8(bytes)?.to_owned()))
        }
        SqlType::Jsonb => match bytes {
            [1, json @ ..] => ScalarValue::Utf8(Some(utf8(json)?.to_owned())),
            _ => return Err(bad()),
        },
        SqlType::Bytea => ScalarValue::Binary(Some(bytes.to_owned())),
        SqlType::Date => {
            let days = i32::from_be_bytes(fixed(bytes).ok_or_else(bad)?);
            ScalarValue::Date32(Some(days.checked_add(EPOCH_DAYS).ok_or_else(|| out_of_range(sql_type))?))
        }
        SqlType::Time => {
            ScalarValue::Time64Microsecond(Some(i64::from_be_bytes(fixed(bytes).ok_or_else(bad)?)))
        }
        SqlType::Timestamp | SqlType::TimestampTz => {
            let micros = i64::from_be_bytes(fixed(bytes).ok_or_else(bad)?);
            let micros = micros.checked_add(EPOCH_MICROS).ok_or_else(|| out_of_range(sql_type))?;
            let zone = (*sql_type == SqlType::TimestampTz).then(|| "UTC".into());
            ScalarValue::TimestampMicrosecond(Some(micros), zone)
        }
        SqlType::Interval => interval(bytes).ok_or_else(bad)?,
        SqlType::Array(item) => array(bytes, item)?,
    })
}

fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn interval(mut bytes: &[u8]) -> Option<ScalarValue> {
    if bytes.len() != 16 {
        return None;
    }
    let (micros, days, months) = (bytes.get_i64(), bytes.get_i32(), bytes.get_i32());
    let value = IntervalMonthDayNano::new(months, days, micros.checked_mul(1000)?);
    Some(ScalarValue::IntervalMonthDayNano(Some(value)))
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
    if !matches!(sign, 0 | 0x4000) {
        return Err(Failure::error("22003", "NaN and infinity are not numbers that a parameter can hold"));
    }
    let scale = i8::try_from(scale).ok().filter(|scale| *scale <= 38).ok_or_else(too_big)?;
    let mut value: i128 = 0;
    for at in 0..i32::from(count) {
        let group = i128::from(bytes.get_u16());
        let exponent = (weight - at) * 4 + i32::from(scale);
        let part = match u32::try_from(exponent) {
            Ok(exponent) => 10_i128.checked_pow(exponent).and_then(|power| group.checked_mul(power)),
            // Digits past the scale, which a sender has made zero.
            Err(_) => 10_i128.checked_pow(exponent.unsigned_abs()).map(|power| group / power),
        };
        value = part.and_then(|part| value.checked_add(part)).ok_or_else(too_big)?;
    }
    if value.unsigned_abs() >= 10_u128.pow(38) {
        return Err(too_big());
    }
    Ok(ScalarValue::Decimal128(Some(if sign == 0 { value } else { -value }), 38, scale))
}

fn array(mut bytes: &[u8], item: &SqlType) -> Result<ScalarValue, Failure> {
    let bad = || malformed(&SqlType::Array(Box::new(item.clone())));
    if bytes.len() < 12 {
        return Err(bad());
    }
    let dimensions = bytes.get_i32();
    bytes.advance(8);
    let mut items = vec![];
    match dimensions {
        0 => {}
        1 if bytes.len() >= 8 => {
            let count = bytes.get_i32();
            bytes.advance(4);
            for _ in 0..count {
                let length = bytes.split_off(..4).ok_or_else(bad)?;
                let length = i32::from_be_bytes(fixed(length).ok_or_else(bad)?);
                items.push(match usize::try_from(length) {
                    Ok(length) => Some(from_binary(bytes.split_off(..length).ok_or_else(bad)?, item)?),
                    Err(_) => None,
                });
            }
        }
        _ => return Err(Failure::error("0A000", "parameters with arrays of arrays are not supported")),
    }
    list(items, item)
}

/// An array's value. Numerics get one scale, the largest among them.
pub(super) fn list(items: Vec<Option<ScalarValue>>, item: &SqlType) -> Result<ScalarValue, Failure> {
    let scale = items.iter().flatten().filter_map(|value| match value {
        ScalarValue::Decimal128(_, _, scale) => Some(*scale),
        _ => None,
    });
    let item_type = scale.max().map_or_else(|| item.data_type(), |scale| DataType::Decimal128(38, scale));
    let values = items
        .into_iter()
        .map(|value| match value {
            Some(value) => convert(value, &item_type, item),
            None => ScalarValue::try_from(&item_type).map_err(|error| unfit(item, &error)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(ScalarValue::List(ScalarValue::new_list(&values, &item_type, true)))
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
        let wanted = parameter.sql_type.data_type();
        decode(Some(&bytes), true, &parameter, &wanted, chrono_tz::UTC).unwrap()
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
            decode(
                Some(&numeric_bytes(parts)),
                true,
                &parameter,
                &DataType::Decimal128(38, 10),
                chrono_tz::UTC,
            )
        };
        for (parts, expected) in [
            (&[2, 0, 0, 1, 1, 5000][..], 15_000_000_000),
            (&[0, 0, 0, 0], 0),
            (&[3, 1, 0x4000, 2, 1, 2345, 6700], -123_456_700_000_000),
            (&[1, 1, 0, 0, 1], 100_000_000_000_000),
        ] {
            assert_eq!(decode(parts).unwrap(), ScalarValue::Decimal128(Some(expected), 38, 10));
        }
        // 1e-11 has no room in ten digits after the point; then NaN; then a wrong length; then 10^40.
        for (parts, code) in [
            (&[1, -3, 0, 11, 10][..], "22003"),
            (&[0, 0, -16384, 0], "22003"),
            (&[2, 0, 0, 0, 1], "22P03"),
            (&[1, 10, 0, 0, 1], "22003"),
        ] {
            assert_eq!(decode(parts).unwrap_err().code(), code, "{parts:?}");
        }
    }

    #[test]
    fn malformed_binary_values_are_errors() {
        for oid in [16, 20, 21, 23, 700, 701, 1082, 1114, 1184, 1186, 1700, 1016, 2950, 3802] {
            let parameter = ParameterType::declared(oid).unwrap();
            let wanted = parameter.sql_type.data_type();
            for bytes in [&[][..], &[0, 0, 0], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 9, 0, 0, 0, 1]]
            {
                let result = decode(Some(bytes), true, &parameter, &wanted, chrono_tz::UTC);
                assert_eq!(result.unwrap_err().code(), "22P03", "oid {oid}, {} bytes", bytes.len());
            }
        }
    }

    #[test]
    fn a_uuid_is_text() {
        let parameter = ParameterType::declared(Type::UUID.oid()).unwrap();
        let bytes: Vec<u8> = (0..16).collect();
        let value = decode(Some(&bytes), true, &parameter, &DataType::Utf8, chrono_tz::UTC).unwrap();
        assert_eq!(value, ScalarValue::from("00010203-0405-0607-0809-0a0b0c0d0e0f"));
    }
}
