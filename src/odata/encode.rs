//! Record batches to JSON, row by row (OData JSON 4.01). Numbers go from digits to digits, never through a float.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array,
    IntervalMonthDayNanoArray, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, IntervalMonthDayNano, IntervalUnit, TimeUnit};
use arrow::record_batch::RecordBatch;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound, Timelike};

use super::edm::Edm;
use super::format::{JsonFormat, Metadata};
use super::name::EntitySet;
use super::request::encode;
use crate::error::{Error, Result};

/// How the entities of one answer are written.
pub(super) struct Encoder {
    properties: Vec<Property>,
    format: JsonFormat,
    revision_column: Option<usize>,
    full: Option<FullMetadata>,
}

struct Property {
    /// `"Name":`, with `"Name@odata.type":"#Int64",` before it where asked for.
    prefix: String,
    edm: Edm,
}

struct FullMetadata {
    /// `"@odata.type":"#Kintone.Set",`
    entity_type: String,
    /// The address of the set.
    set_url: String,
    /// Name, column and type of the key's parts; empty where not all of them are read.
    key: Vec<(String, usize, Edm)>,
}

impl FullMetadata {
    fn new(set: &EntitySet, properties: &[usize], base: &str) -> Self {
        let part = |i: &usize| {
            let property = set.properties.get(*i)?;
            let column = properties.iter().position(|chosen| chosen == i)?;
            Some((property.name.clone(), column, property.edm.clone()))
        };
        let key = set.key.iter().map(part).collect::<Option<Vec<_>>>().filter(|_| set.is_keyed);
        Self {
            entity_type: format!("\"@odata.type\":\"#{}.{}\",", super::metadata::NAMESPACE, set.name),
            set_url: format!("{base}/{}", encode(&set.name)),
            key: key.unwrap_or_default(),
        }
    }

    /// The address of a row.
    fn id(&self, columns: &Columns, row: usize) -> String {
        let part = |(name, column, edm): &(String, usize, Edm)| {
            let value = columns.0.get(*column).map(|array| key_literal(array, row, edm)).unwrap_or_default();
            if self.key.len() > 1 { format!("{}={value}", encode(name)) } else { value }
        };
        format!("{}({})", self.set_url, self.key.iter().map(part).collect::<Vec<_>>().join(","))
    }
}

/// The columns of a batch, of the few Arrow types that are written.
pub(super) struct Columns(Vec<ArrayRef>);

impl Encoder {
    /// For these properties of a set, which are the first columns of each batch.
    pub(super) fn new(
        set: &EntitySet,
        properties: &[usize],
        revision_column: Option<usize>,
        format: JsonFormat,
        base: &str,
    ) -> Self {
        let chosen: Vec<_> = properties.iter().filter_map(|i| set.properties.get(*i)).collect();
        let is_full = format.metadata == Metadata::Full;
        let full = is_full.then(|| FullMetadata::new(set, properties, base));
        let properties = chosen
            .iter()
            .map(|property| {
                let name = serde_json::Value::from(property.name.as_str());
                let typed = if is_full && !property.edm.is_plain_json() {
                    let annotation = format!("{}@odata.type", property.name);
                    format!("{}:\"#{}\",", serde_json::Value::from(annotation), property.edm.annotation())
                } else {
                    String::new()
                };
                Property { prefix: format!("{typed}{name}:"), edm: property.edm.clone() }
            })
            .collect();
        Self { properties, format, revision_column, full }
    }

    /// The columns of a batch as this encoder writes them.
    ///
    /// # Errors
    /// `Internal` for a column whose type is none of its property's.
    pub(super) fn columns(&self, batch: &RecordBatch) -> Result<Columns> {
        let written = self.properties.iter().zip(batch.columns()).map(|(property, column)| {
            cast(column, &written_type(&property.edm)).map_err(|error| Error::internal(error.to_string()))
        });
        let mut columns = written.collect::<Result<Vec<_>>>()?;
        columns.extend(batch.columns().iter().skip(columns.len()).cloned());
        Ok(Columns(columns))
    }

    /// Writes the members of one entity, without the braces around them.
    ///
    /// # Errors
    /// `Unsupported` for a value that OData cannot say, such as an interval of months.
    pub(super) fn members(&self, columns: &Columns, row: usize, out: &mut String) -> Result<()> {
        if let Some(full) = &self.full {
            out.push_str(&full.entity_type);
            if !full.key.is_empty() {
                let id = serde_json::Value::from(full.id(columns, row));
                out.push_str(&format!("\"@odata.id\":{id},\"@odata.editLink\":{id},"));
            }
        }
        if let Some(etag) = self.etag(columns, row).filter(|_| self.format.metadata != Metadata::None) {
            out.push_str(&format!("\"@odata.etag\":{},", serde_json::Value::from(etag)));
        }
        for (i, (property, array)) in self.properties.iter().zip(&columns.0).enumerate() {
            out.push_str(if i > 0 { "," } else { "" });
            out.push_str(&property.prefix);
            self.value(array, row, &property.edm, out)?;
        }
        Ok(())
    }

    /// The entity tag of a row: its revision. `None` for a table without one.
    pub(super) fn etag(&self, columns: &Columns, row: usize) -> Option<String> {
        let array = columns.0.get(self.revision_column?)?;
        let revisions: &Int64Array = array.as_any().downcast_ref()?;
        revisions.is_valid(row).then(|| format!("W/\"{}\"", revisions.value(row)))
    }

    fn value(&self, array: &ArrayRef, row: usize, edm: &Edm, out: &mut String) -> Result<()> {
        if array.is_null(row) {
            // A collection is never null.
            out.push_str(if matches!(edm, Edm::Collection(_)) { "[]" } else { "null" });
            return Ok(());
        }
        let Edm::Collection(item) = edm else { return self.scalar(array, row, edm, out) };
        let items =
            array.as_list_opt::<i32>().ok_or_else(|| Error::internal("a list column is none"))?.value(row);
        out.push('[');
        for i in 0..items.len() {
            out.push_str(if i > 0 { "," } else { "" });
            self.value(&items, i, item, out)?;
        }
        out.push(']');
        Ok(())
    }

    fn scalar(&self, array: &ArrayRef, row: usize, edm: &Edm, out: &mut String) -> Result<()> {
        let text = text_of(array, row, edm)?;
        let is_bare = match edm {
            Edm::Boolean | Edm::Int16 | Edm::Int32 => true,
            Edm::Int64 | Edm::Decimal => !self.format.ieee754_compatible,
            Edm::Double | Edm::Single => !text.ends_with(['F', 'N']),
            _ => false,
        };
        if is_bare {
            out.push_str(&text);
        } else {
            out.push_str(&serde_json::Value::from(text).to_string());
        }
        Ok(())
    }
}

/// The Arrow type that a type is written from.
fn written_type(edm: &Edm) -> DataType {
    match edm {
        Edm::Boolean => DataType::Boolean,
        Edm::Int16 | Edm::Int32 | Edm::Int64 => DataType::Int64,
        // A decimal's text is exact.
        Edm::Decimal | Edm::String => DataType::Utf8,
        Edm::Double | Edm::Single => DataType::Float64,
        Edm::Date => DataType::Date32,
        Edm::TimeOfDay => DataType::Time64(TimeUnit::Microsecond),
        Edm::DateTimeOffset => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Edm::Duration => DataType::Interval(IntervalUnit::MonthDayNano),
        Edm::Binary => DataType::Binary,
        Edm::Collection(item) => DataType::List(Field::new("item", written_type(item), true).into()),
    }
}

/// A key's value as a literal of a URL, percent-encoded.
fn key_literal(array: &ArrayRef, row: usize, edm: &Edm) -> String {
    let text = text_of(array, row, edm).unwrap_or_default();
    if *edm == Edm::String { format!("%27{}%27", encode(&text.replace('\'', "''"))) } else { encode(&text) }
}

/// The value's text, without quotes.
fn text_of(array: &ArrayRef, row: usize, edm: &Edm) -> Result<String> {
    let any = array.as_any();
    let text = match edm {
        Edm::Boolean => any.downcast_ref::<BooleanArray>().map(|a| a.value(row).to_string()),
        Edm::Int16 | Edm::Int32 | Edm::Int64 => {
            any.downcast_ref::<Int64Array>().map(|a| a.value(row).to_string())
        }
        Edm::Decimal => any.downcast_ref::<StringArray>().map(|a| trimmed(a.value(row)).to_owned()),
        Edm::String => any.downcast_ref::<StringArray>().map(|a| a.value(row).to_owned()),
        Edm::Double | Edm::Single => any.downcast_ref::<Float64Array>().map(|a| float(a.value(row))),
        Edm::Date => any.downcast_ref::<Date32Array>().and_then(|a| date(a.value(row))),
        Edm::TimeOfDay => any.downcast_ref::<Time64MicrosecondArray>().and_then(|a| time(a.value(row))),
        Edm::DateTimeOffset => {
            any.downcast_ref::<TimestampMicrosecondArray>().and_then(|a| instant(a.value(row)))
        }
        Edm::Duration => match any.downcast_ref::<IntervalMonthDayNanoArray>() {
            Some(a) => Some(duration(a.value(row))?),
            None => None,
        },
        Edm::Binary => any.downcast_ref::<BinaryArray>().map(|a| URL_SAFE.encode(a.value(row))),
        Edm::Collection(_) => None,
    };
    text.ok_or_else(|| Error::internal(format!("a column of {} holds something else", edm.name())))
}

/// `12.5000000000` is 12.5, as Kintone shows it.
fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// JSON has no word for the infinities (OData JSON 4.01, section 7.1: `"INF"`).
fn float(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "INF".into() } else { "-INF".into() }
    } else {
        format!("{value:?}")
    }
}

fn date(days: i32) -> Option<String> {
    let date = NaiveDate::default().checked_add_signed(chrono::Duration::days(days.into()))?;
    Some(date.format("%Y-%m-%d").to_string())
}

fn time(micros: i64) -> Option<String> {
    let seconds = u32::try_from(micros.div_euclid(1_000_000)).ok()?;
    let nanos = u32::try_from(micros.rem_euclid(1_000_000)).ok()? * 1_000;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)?;
    Some(format!("{}{}", time.trunc_subsecs(0).format("%H:%M:%S"), fraction(time.nanosecond())))
}

fn instant(micros: i64) -> Option<String> {
    let at = DateTime::from_timestamp_micros(micros)?;
    Some(format!("{}{}Z", at.format("%Y-%m-%dT%H:%M:%S"), fraction(at.timestamp_subsec_nanos())))
}

fn fraction(nanos: u32) -> String {
    if nanos == 0 { String::new() } else { format!(".{nanos:09}").trim_end_matches('0').to_owned() }
}

fn duration(value: IntervalMonthDayNano) -> Result<String> {
    if value.months != 0 {
        return Err(Error::unsupported("an interval of months as Edm.Duration"));
    }
    let total = i128::from(value.days) * 86_400_000_000_000 + i128::from(value.nanoseconds);
    let (sign, total) = (if total < 0 { "-" } else { "" }, total.unsigned_abs());
    let seconds = total / 1_000_000_000;
    let nanos = u32::try_from(total % 1_000_000_000).unwrap_or(0);
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut out = format!("{sign}PT");
    if hours > 0 {
        out.push_str(&format!("{hours}H"));
    }
    if minutes > 0 {
        out.push_str(&format!("{minutes}M"));
    }
    if rest > 0 || nanos > 0 || seconds == 0 {
        out.push_str(&format!("{rest}{}S", fraction(nanos)));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_exactly() {
        for (digits, expected) in
            [("12.5000000000", "12.5"), ("100", "100"), ("0.0000000000", "0"), ("-7.0", "-7")]
        {
            assert_eq!(trimmed(digits), expected);
        }
        assert_eq!(float(0.1), "0.1");
        assert_eq!(float(1e300), "1e300");
        assert_eq!(float(f64::NEG_INFINITY), "-INF");
        assert_eq!(date(-1).unwrap(), "1969-12-31");
        assert_eq!(time(86_399_000_000).unwrap(), "23:59:59");
        assert_eq!(instant(1_711_929_600_000_000).unwrap(), "2024-04-01T00:00:00Z");
        assert_eq!(instant(1_500_000).unwrap(), "1970-01-01T00:00:01.5Z");
    }

    #[test]
    fn durations_count_hours_past_a_day() {
        let of = |days, nanoseconds| duration(IntervalMonthDayNano { months: 0, days, nanoseconds }).unwrap();
        assert_eq!(of(0, 90_060_000_000_000), "PT25H1M");
        assert_eq!(of(1, 0), "PT24H");
        assert_eq!(of(0, 0), "PT0S");
        assert_eq!(of(0, -1_500_000_000), "-PT1.5S");
        assert!(duration(IntervalMonthDayNano { months: 1, days: 0, nanoseconds: 0 }).is_err());
    }
}
