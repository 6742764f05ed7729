//! Readers of Kintone's JSON values into Arrow builders: straight from the page's bytes, no tree in between.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Builder, Decimal128Builder, Int64Builder, IntervalMonthDayNanoBuilder, ListBuilder,
    StringBuilder, Time64NanosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, IntervalMonthDayNano};
use chrono::{DateTime, NaiveDate, NaiveTime, Timelike};
use chrono_tz::Tz;
use serde::Deserialize;

/// Why a value cannot be read: what was expected. The page's reader adds app, record and field.
pub(crate) type BadValue = String;

/// Reads one field's values, record after record.
pub(crate) trait Decoder: Send {
    /// Appends a record's value, as JSON text; `None` where the record lacks the field (no right to view it,
    /// K§6), which is NULL.
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue>;

    /// The arrays, one for each column of the field; the decoder is empty again.
    fn finish(&mut self) -> Vec<ArrayRef>;
}

/// The text of a JSON string; `None` for null and for `""`, which Kintone does not tell apart.
pub(crate) fn string(value: Option<&str>) -> Result<Option<Cow<'_, str>>, BadValue> {
    let Some(json) = value else { return Ok(None) };
    // Nearly every string has no escape: then it is a slice of the page.
    let plain = json.strip_prefix('"').and_then(|s| s.strip_suffix('"'));
    let text = match plain {
        Some(text) if !text.contains('\\') => Cow::Borrowed(text),
        _ => match serde_json::from_str::<Option<String>>(json) {
            Ok(Some(text)) => Cow::Owned(text),
            Ok(None) => return Ok(None),
            Err(_) => return Err("a string".into()),
        },
    };
    Ok(if text.is_empty() { None } else { Some(text) })
}

/// Plain text.
#[derive(Default)]
pub(crate) struct TextDecoder(StringBuilder);

impl Decoder for TextDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        self.0.append_option(string(value)?);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.0.finish())]
    }
}

/// `$id`, `$revision`: JSON strings of digits.
#[derive(Default)]
pub(crate) struct IntegerDecoder(Int64Builder);

impl Decoder for IntegerDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        let number = value.and_then(|json| json.trim_matches('"').parse().ok()).ok_or("an integer")?;
        self.0.append_value(number);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.0.finish())]
    }
}

/// Exact decimals, never through a float.
pub(crate) struct NumberDecoder {
    builder: Decimal128Builder,
    scale: i8,
}

impl NumberDecoder {
    pub(crate) fn new(scale: i8) -> Self {
        let builder = Decimal128Builder::new().with_data_type(DataType::Decimal128(38, scale));
        Self { builder, scale }
    }
}

impl Decoder for NumberDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        match string(value)? {
            None => self.builder.append_null(),
            Some(text) => {
                let number = decimal(&text, self.scale).ok_or_else(|| {
                    format!("a number of at most 38 digits, {} after the point", self.scale)
                })?;
                self.builder.append_value(number);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.builder.finish())]
    }
}

/// `-12.50` at scale 4 is -125000. `None` where it is not a plain decimal or does not fit exactly.
pub(crate) fn decimal(text: &str, scale: i8) -> Option<i128> {
    let scale = usize::try_from(scale).ok()?;
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > scale || (integer.is_empty() && digits.len() < 2) {
        return None;
    }
    let mut number: i128 = 0;
    let zeros = std::iter::repeat_n(b'0', scale - fraction.len());
    for byte in integer.bytes().chain(fraction.bytes()).chain(zeros) {
        let digit = byte.checked_sub(b'0').filter(|d| *d <= 9)?;
        number = number.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    if number >= 10_i128.pow(38) {
        return None;
    }
    Some(if negative { -number } else { number })
}

/// `2026-04-24`
#[derive(Default)]
pub(crate) struct DateDecoder(Date32Builder);

impl Decoder for DateDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        let days = string(value)?
            .map(|text| {
                let date = match plain_date(&text) {
                    Some(date) => date,
                    None => NaiveDate::parse_from_str(&text, "%Y-%m-%d").map_err(|_| "a date")?,
                };
                i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days())
                    .map_err(|_| "a date")
            })
            .transpose()?;
        self.0.append_option(days);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.0.finish())]
    }
}

/// The number that decimal digits write; `None` where one is none.
fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |n, byte| Some(n * 10 + char::from(*byte).to_digit(10)?))
}

/// `2026-04-24` just so: the form in which Kintone gives every date, read without a pattern.
fn plain_date(text: &str) -> Option<NaiveDate> {
    let [y @ .., b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return None };
    let year = i32::try_from(digits(y).filter(|_| y.len() == 4)?).ok()?;
    NaiveDate::from_ymd_opt(year, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?)
}

/// `2026-04-24T12:00:00Z` just so, in microseconds since 1970.
fn plain_instant(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let [h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = time.as_bytes() else { return None };
    let clock = [digits(&[*h1, *h2])?, digits(&[*m1, *m2])?, digits(&[*s1, *s2])?];
    let instant = plain_date(date)?.and_hms_opt(clock[0], clock[1], clock[2])?;
    Some(instant.and_utc().timestamp_micros())
}

/// `15:31`
#[derive(Default)]
pub(crate) struct TimeDecoder(Time64NanosecondBuilder);

impl Decoder for TimeDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        let nanos = string(value)?
            .map(|text| {
                NaiveTime::parse_from_str(&text, "%H:%M")
                    .or_else(|_| NaiveTime::parse_from_str(&text, "%H:%M:%S"))
                    .map(|t| i64::from(t.num_seconds_from_midnight()) * 1_000_000_000)
                    .map_err(|_| "a time of day")
            })
            .transpose()?;
        self.0.append_option(nanos);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.0.finish())]
    }
}

/// `2026-04-24T12:00:00Z`, shown in the session's zone.
pub(crate) struct InstantDecoder(TimestampMicrosecondBuilder);

impl InstantDecoder {
    pub(crate) fn new(zone: Tz) -> Self {
        Self(TimestampMicrosecondBuilder::new().with_timezone(zone.name()))
    }
}

impl Decoder for InstantDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        let micros = string(value)?
            .map(|text| match plain_instant(&text) {
                Some(micros) => Ok(micros),
                None => DateTime::parse_from_rfc3339(&text)
                    .map(|t| t.timestamp_micros())
                    .map_err(|_| "a date and time"),
            })
            .transpose()?;
        self.0.append_option(micros);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.0.finish())]
    }
}

/// `25:01`: hours and minutes of a duration, hours without an end.
#[derive(Default)]
pub(crate) struct DurationDecoder(IntervalMonthDayNanoBuilder);

impl Decoder for DurationDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        let interval = string(value)?.map(|text| duration(&text).ok_or("hours:minutes")).transpose()?;
        self.0.append_option(interval);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.0.finish())]
    }
}

fn duration(text: &str) -> Option<IntervalMonthDayNano> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (hours, minutes) = rest.split_once(':')?;
    let hours: i64 = hours.parse().ok()?;
    let minutes: i64 = minutes.parse().ok()?;
    let nanos =
        hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(60_000_000_000)?.checked_mul(sign)?;
    Some(IntervalMonthDayNano::new(0, 0, nanos))
}

/// `["a", "b"]`; empty where the field is empty or absent.
pub(crate) struct TextListDecoder(ListBuilder<StringBuilder>);

impl Default for TextListDecoder {
    fn default() -> Self {
        Self(text_list())
    }
}

fn text_list() -> ListBuilder<StringBuilder> {
    ListBuilder::new(StringBuilder::new()).with_field(Field::new_list_field(DataType::Utf8, true))
}

impl Decoder for TextListDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        let items: Option<Vec<Cow<'_, str>>> =
            value.map_or(Ok(None), serde_json::from_str).map_err(|_| "a list of strings")?;
        for item in items.unwrap_or_default() {
            self.0.values().append_value(item);
        }
        self.0.append(true);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.0.finish())]
    }
}

/// A user, an organization or a group as Kintone writes it.
#[derive(Deserialize)]
struct Entity<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
}

/// `{"code": ..., "name": ...}`: two columns.
#[derive(Default)]
pub(crate) struct EntityDecoder {
    code: StringBuilder,
    name: StringBuilder,
}

impl Decoder for EntityDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        let entity: Option<Entity<'_>> =
            value.map_or(Ok(None), serde_json::from_str).map_err(|_| "a code and a name")?;
        self.code.append_option(entity.as_ref().map(|e| e.code.as_ref()));
        self.name.append_option(entity.as_ref().map(|e| e.name.as_ref()));
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.code.finish()), Arc::new(self.name.finish())]
    }
}

/// `[{"code": ..., "name": ...}]`: two list columns of one order.
pub(crate) struct EntitiesDecoder {
    codes: ListBuilder<StringBuilder>,
    names: ListBuilder<StringBuilder>,
}

impl Default for EntitiesDecoder {
    fn default() -> Self {
        Self { codes: text_list(), names: text_list() }
    }
}

impl Decoder for EntitiesDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        let entities: Option<Vec<Entity<'_>>> =
            value.map_or(Ok(None), serde_json::from_str).map_err(|_| "a list of codes and names")?;
        for entity in entities.unwrap_or_default() {
            self.codes.values().append_value(entity.code);
            self.names.values().append_value(entity.name);
        }
        self.codes.append(true);
        self.names.append(true);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.codes.finish()), Arc::new(self.names.finish())]
    }
}

/// The value as it came: jsonb.
#[derive(Default)]
pub(crate) struct JsonDecoder(StringBuilder);

impl Decoder for JsonDecoder {
    fn append(&mut self, value: Option<&str>) -> Result<(), BadValue> {
        match value {
            None | Some("null") => self.0.append_null(),
            Some(json) => {
                let mut text = String::with_capacity(json.len());
                append_json(&mut text, json)?;
                self.0.append_value(text);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![Arc::new(self.0.finish())]
    }
}

/// Appends JSON in PostgreSQL's spelling of jsonb: one space after each colon and comma, none elsewhere.
pub(crate) fn append_json(out: &mut String, json: &str) -> Result<(), BadValue> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(|_| "JSON")?;
    append_value(out, &value);
    Ok(())
}

fn append_value(out: &mut String, value: &serde_json::Value) {
    match value {
        serde_json::Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                append_value(out, item);
            }
            out.push(']');
        }
        serde_json::Value::Object(members) => {
            out.push('{');
            for (i, (key, item)) in members.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                out.push_str(&serde_json::Value::from(key.as_str()).to_string());
                out.push_str(": ");
                append_value(out, item);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;

    #[test]
    fn decimals_are_exact_or_refused() {
        for (text, scale, number) in [
            ("0", 10, Some(0)),
            ("-12.50", 4, Some(-125_000)),
            ("1.5", 0, None),
            ("1.0", 0, Some(1)),
            (".5", 1, Some(5)),
            ("5.", 1, Some(50)),
            ("", 1, None),
            (".", 1, None),
            ("-", 1, None),
            ("1e3", 0, None),
            ("１", 0, None),
            (
                "123456789012345678901234567890",
                8,
                Some(123_456_789_012_345_678_901_234_567_890 * 10_i128.pow(8)),
            ),
            ("1234567890123456789012345678901234567890", 0, None),
        ] {
            assert_eq!(decimal(text, scale), number, "{text} at {scale}");
        }
    }

    #[test]
    fn empty_and_absent_text_are_null() {
        let mut decoder = TextDecoder::default();
        for value in [Some(r#""""#), Some("null"), None, Some(r#""a\n\"b\"""#), Some(r#""𠮷野家""#)] {
            decoder.append(value).unwrap();
        }
        let arrays = decoder.finish();
        let texts: Vec<_> = arrays[0].as_string::<i32>().iter().collect();
        assert_eq!(texts, [None, None, None, Some("a\n\"b\""), Some("𠮷野家")]);
    }

    #[test]
    fn a_wrong_shape_is_an_error() {
        assert!(TextDecoder::default().append(Some("5")).is_err());
        assert!(NumberDecoder::new(4).append(Some(r#""x""#)).is_err());
        assert!(DateDecoder::default().append(Some(r#""2026-02-30""#)).is_err());
        assert!(InstantDecoder::new(Tz::UTC).append(Some(r#""2026-02-01""#)).is_err());
        assert!(TextListDecoder::default().append(Some(r#"{"a":1}"#)).is_err());
        assert!(EntityDecoder::default().append(Some(r#"{"name":"a"}"#)).is_err());
        assert!(IntegerDecoder::default().append(None).is_err());
    }

    #[test]
    fn dates_in_kintones_form_are_read_as_others_are() {
        assert_eq!(plain_date("2024-02-29"), NaiveDate::from_ymd_opt(2024, 2, 29));
        for text in ["2026-02-30", "2026-1-01", "20260-01-01", "２026-01-01", "-026-01-01", ""] {
            assert_eq!(plain_date(text), None, "{text}");
        }
        assert_eq!(plain_instant("2026-04-24T12:00:00Z"), Some(1_777_032_000_000_000));
        for text in ["2026-04-24T12:00:00+09:00", "2026-04-24T25:00:00Z", "2026-04-24T12:00Z", "2026-04-24"] {
            assert_eq!(plain_instant(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_no_upper_end() {
        assert_eq!(duration("25:01").unwrap().nanoseconds, (25 * 60 + 1) * 60_000_000_000);
        assert_eq!(duration("-1:30").unwrap().nanoseconds, -90 * 60_000_000_000);
        assert!(duration("1").is_none());
    }

    #[test]
    fn json_is_spelled_as_postgres_does() {
        let mut out = String::new();
        append_json(&mut out, r#"{"b":[1,{"x":"é\n"}],"a":null}"#).unwrap();
        assert_eq!(out, r#"{"b": [1, {"x": "é\n"}], "a": null}"#);
    }
}
