//! A value as PostgreSQL 15 prints it: what psql, the command line and every text result show.
//!
//! Takes a column of a batch, gives its values' text. A column is cast and downcast once, not once a value.
//! Deliberately different from PostgreSQL: zeros at the end of a numeric's fraction are not printed unless its field
//! asks for them ([`NumericForm`]), as Kintone does not show them; jsonb keeps the order of its keys.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, Decimal128Array, ListArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike};
use chrono_tz::Tz;

use super::{CatalogForm, NumericForm, SqlType};

/// What a session decides about the text of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// The zone in which timestamptz is shown.
    pub time_zone: Tz,
}

type Writer = Box<dyn Fn(&mut String, usize) + Send + Sync>;

/// One column of a batch, ready to be printed.
pub struct TextColumn {
    array: ArrayRef,
    write: Writer,
    special: Option<&'static str>,
}

impl std::fmt::Debug for TextColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextColumn").field("type", self.array.data_type()).finish_non_exhaustive()
    }
}

impl TextColumn {
    /// Prepares a column to be printed as a value of `sql_type`.
    ///
    /// # Errors
    /// When the array cannot hold values of that type, or one does not fit it.
    pub fn new(array: &ArrayRef, sql_type: &SqlType, options: TextOptions) -> Result<Self, ArrowError> {
        Self::with_form(array, sql_type, options, NumericForm::default())
    }

    /// The same, with numerics in this form.
    ///
    /// # Errors
    /// As of [`TextColumn::new`].
    pub fn with_form(
        array: &ArrayRef,
        sql_type: &SqlType,
        options: TextOptions,
        form: NumericForm,
    ) -> Result<Self, ArrowError> {
        let array = canonical(array, sql_type)?;
        let write = writer(&array, sql_type, options, form)?;
        Ok(Self { array, write, special: form.special })
    }

    /// Adds the text of a row's value to `out`; `false` for NULL, which has none.
    pub fn append(&self, out: &mut String, row: usize) -> bool {
        if let Some(special) = self.special {
            out.push_str(special);
            return true;
        }
        if row >= self.array.len() || self.array.is_null(row) {
            return false;
        }
        (self.write)(out, row);
        true
    }
}

/// The column in the one Arrow type that its SQL type has: `SqlType::data_type`, a numeric with its own scale,
/// an array with its own items, jsonb and text as `Utf8`.
///
/// # Errors
/// When a value does not fit; nothing turns into NULL.
pub fn canonical(array: &ArrayRef, sql_type: &SqlType) -> Result<ArrayRef, ArrowError> {
    let wanted = match (sql_type, array.data_type()) {
        (_, DataType::Dictionary(_, value)) => return canonical(&cast(array, value)?, sql_type),
        (SqlType::Numeric, DataType::Decimal128(..)) | (SqlType::Array(_), DataType::List(_)) => {
            return Ok(Arc::clone(array));
        }
        // Of an oid with its name, the name.
        (SqlType::Catalog(_), DataType::Struct(_)) => {
            let pair: StructArray = downcast(array)?;
            return pair
                .columns()
                .get(1)
                .map_or_else(|| Ok(Arc::clone(array)), |name| cast(name, &DataType::Utf8));
        }
        // The instant alone counts: the zone is the session's.
        (SqlType::TimestampTz, DataType::Timestamp(TimeUnit::Microsecond, _)) => {
            return Ok(Arc::clone(array));
        }
        (
            SqlType::Numeric,
            DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal256(_, scale),
        ) => DataType::Decimal128(38, *scale),
        (SqlType::Numeric, DataType::UInt64) => DataType::Decimal128(20, 0),
        (SqlType::Array(_), DataType::LargeList(item) | DataType::FixedSizeList(item, _)) => {
            DataType::List(Arc::clone(item))
        }
        _ => sql_type.data_type(),
    };
    if wanted == DataType::Utf8 && !can_cast_types(array.data_type(), &wanted) {
        let texts = (0..array.len())
            .map(|row| array.is_valid(row).then(|| array_value_to_string(array, row)).transpose())
            .collect::<Result<StringArray, _>>()?;
        return Ok(Arc::new(texts));
    }
    cast(array, &wanted)
}

fn cast(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    cast_with_options(array, wanted, &CastOptions { safe: false, ..CastOptions::default() })
}

/// The array as what its type says it is.
///
/// # Errors
/// When it is another one.
pub fn downcast<A: Array + Clone + 'static>(array: &ArrayRef) -> Result<A, ArrowError> {
    array
        .as_any()
        .downcast_ref::<A>()
        .cloned()
        .ok_or_else(|| ArrowError::CastError(format!("unexpected array of {}", array.data_type())))
}

fn primitive<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    write: impl Fn(&mut String, T::Native) + Send + Sync + 'static,
) -> Result<Writer, ArrowError> {
    let array: PrimitiveArray<T> = downcast(array)?;
    Ok(Box::new(move |out, row| write(out, array.value(row))))
}

fn writer(
    array: &ArrayRef,
    sql_type: &SqlType,
    options: TextOptions,
    form: NumericForm,
) -> Result<Writer, ArrowError> {
    match sql_type {
        SqlType::Bool => {
            let array: BooleanArray = downcast(array)?;
            Ok(Box::new(move |out, row| out.push(if array.value(row) { 't' } else { 'f' })))
        }
        SqlType::Int2 => primitive::<Int16Type>(array, append_integer),
        SqlType::Int4 => primitive::<Int32Type>(array, append_integer),
        SqlType::Int8 | SqlType::Oid => primitive::<Int64Type>(array, append_integer),
        SqlType::Float4 => primitive::<Float32Type>(array, |out, value| append_float(out, value, 6)),
        SqlType::Float8 => primitive::<Float64Type>(array, |out, value| append_float(out, value, 15)),
        SqlType::Numeric => {
            let array: Decimal128Array = downcast(array)?;
            let scale = array.scale();
            Ok(Box::new(move |out, row| {
                append_decimal(out, array.value(row), scale, usize::from(form.scale))
            }))
        }
        SqlType::Text
        | SqlType::Varchar
        | SqlType::Bpchar
        | SqlType::Name
        | SqlType::Char
        | SqlType::Json
        | SqlType::Uuid
        | SqlType::Unknown => {
            let array: StringArray = downcast(array)?;
            Ok(Box::new(move |out, row| out.push_str(array.value(row))))
        }
        SqlType::Catalog(catalog) if catalog.form == CatalogForm::Number => {
            primitive::<Int64Type>(array, append_integer)
        }
        SqlType::Catalog(_) => {
            let array: StringArray = downcast(array)?;
            Ok(Box::new(move |out, row| out.push_str(array.value(row))))
        }
        SqlType::Jsonb => {
            let array: StringArray = downcast(array)?;
            Ok(Box::new(move |out, row| space_json(out, array.value(row))))
        }
        SqlType::Bytea => {
            let array: BinaryArray = downcast(array)?;
            Ok(Box::new(move |out, row| append_bytes(out, array.value(row))))
        }
        SqlType::Date => primitive::<Date32Type>(array, append_date32),
        SqlType::Time => primitive::<Time64MicrosecondType>(array, append_micros_of_day),
        SqlType::Timestamp => primitive::<TimestampMicrosecondType>(array, append_timestamp),
        SqlType::TimestampTz => primitive::<TimestampMicrosecondType>(array, move |out, value| {
            append_timestamptz(out, value, options.time_zone);
        }),
        SqlType::Interval => primitive::<IntervalMonthDayNanoType>(array, |out, value| {
            append_interval(out, value.months, value.days, value.nanoseconds / 1000);
        }),
        SqlType::Int2Vector => vector_writer(array, &SqlType::Int2, options),
        SqlType::OidVector => vector_writer(array, &SqlType::Oid, options),
        SqlType::Array(item) => list_writer(array, item, options, form),
    }
}

fn append_integer(out: &mut String, value: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// The shortest text that reads back as the same value. PostgreSQL writes it out as long as its exponent is at least
/// -4 and below `limit`.
fn append_float<F: ryu::Float + Into<f64> + std::fmt::LowerExp>(out: &mut String, value: F, limit: i32) {
    let number: f64 = value.into();
    if number.is_nan() {
        return out.push_str("NaN");
    }
    if number.is_infinite() {
        return out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let mut buffer = ryu::Buffer::new();
    let plain = buffer.format_finite(value);
    if (1e-4..10_f64.powi(limit)).contains(&number.abs()) && !plain.contains('e') {
        return out.push_str(plain.strip_suffix(".0").unwrap_or(plain));
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..limit).contains(&exponent) {
        append_plain(out, mantissa, exponent);
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        // Writing to a `String` cannot fail, so its result is not looked at here and below.
        let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
}

fn append_plain(out: &mut String, mantissa: &str, exponent: i32) {
    let digits = match mantissa.strip_prefix('-') {
        Some(rest) => {
            out.push('-');
            rest
        }
        None => mantissa,
    };
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    match usize::try_from(exponent) {
        Err(_) => {
            out.push_str("0.");
            (exponent + 1..0).for_each(|_| out.push('0'));
            out.push_str(&digits);
        }
        Ok(exponent) => {
            let (whole, fraction) = digits.split_at(digits.len().min(exponent + 1));
            out.push_str(whole);
            (whole.len()..=exponent).for_each(|_| out.push('0'));
            if !fraction.is_empty() {
                out.push('.');
                out.push_str(fraction);
            }
        }
    }
}

/// `value` / 10^`scale`, with `least` digits after the point, and without zeros at the end of the fraction beyond
/// these.
fn append_decimal(out: &mut String, value: i128, scale: i8, least: usize) {
    if value < 0 {
        out.push('-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs());
    match usize::try_from(scale) {
        Ok(scale) => {
            let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
            out.push_str(if whole.is_empty() { "0" } else { whole });
            let zeros = scale - fraction.len();
            let fraction = fraction.trim_end_matches('0');
            let written = if fraction.is_empty() { 0 } else { zeros + fraction.len() };
            if written > 0 || least > 0 {
                out.push('.');
                (0..if fraction.is_empty() { 0 } else { zeros }).for_each(|_| out.push('0'));
                out.push_str(fraction);
                (written..least).for_each(|_| out.push('0'));
            }
        }
        Err(_) => {
            out.push_str(digits);
            if value != 0 {
                (scale..0).for_each(|_| out.push('0'));
            }
            append_decimals(out, "", least);
        }
    }
}

fn append_decimals(out: &mut String, digits: &str, least: usize) {
    if !digits.is_empty() || least > 0 {
        let _ = write!(out, ".{digits:0<least$}");
    }
}

fn append_bytes(out: &mut String, bytes: &[u8]) {
    out.push_str("\\x");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}

/// Stored JSON with PostgreSQL's spaces: `{"a": 1, "b": [1, 2]}`.
pub(crate) fn space_json(out: &mut String, json: &str) {
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            ' ' | '\t' | '\n' | '\r' => {}
            ',' | ':' => {
                out.push(c);
                out.push(' ');
            }
            _ => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
}

/// The year, month and day; whether it is before year 1, which PostgreSQL tells at the very end.
fn append_ymd(out: &mut String, date: NaiveDate) -> bool {
    let before = date.year() < 1;
    let year = if before { 1 - date.year() } else { date.year() };
    if year < 1000 {
        let _ = write!(out, "{year:04}");
    } else {
        append_integer(out, year);
    }
    out.push('-');
    append_pair(out, date.month());
    out.push('-');
    append_pair(out, date.day());
    before
}

/// A number below 100 in two digits.
fn append_pair(out: &mut String, value: u32) {
    let digit = |value: u32| char::from_digit(value % 10, 10).unwrap_or('0');
    out.push(digit(value / 10));
    out.push(digit(value));
}

fn append_hms(out: &mut String, hour: u32, minute: u32, second: u32) {
    append_pair(out, hour);
    out.push(':');
    append_pair(out, minute);
    out.push(':');
    append_pair(out, second);
}

fn append_era(out: &mut String, before_christ: bool) {
    if before_christ {
        out.push_str(" BC");
    }
}

fn append_infinity(out: &mut String, negative: bool) {
    out.push_str(if negative { "-infinity" } else { "infinity" });
}

fn append_date32(out: &mut String, days: i32) {
    match NaiveDate::from_epoch_days(days) {
        Some(date) => {
            let before = append_ymd(out, date);
            append_era(out, before);
        }
        None => append_infinity(out, days < 0),
    }
}

fn append_time(out: &mut String, time: NaiveTime) {
    append_hms(out, time.hour(), time.minute(), time.second());
    append_fraction(out, u64::from(time.nanosecond() / 1000));
}

fn append_fraction(out: &mut String, micros: u64) {
    if micros > 0 {
        let digits = format!("{micros:06}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
}

fn append_micros_of_day(out: &mut String, micros: i64) {
    append_clock(out, micros.unsigned_abs());
}

/// `HH:MM:SS[.ffffff]`; the hours may be more than two digits.
fn append_clock(out: &mut String, micros: u64) {
    let seconds = micros / 1_000_000;
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    append_fraction(out, micros % 1_000_000);
}

fn append_datetime(out: &mut String, local: NaiveDateTime) -> bool {
    let before = append_ymd(out, local.date());
    out.push(' ');
    append_time(out, local.time());
    before
}

fn append_timestamp(out: &mut String, micros: i64) {
    match DateTime::from_timestamp_micros(micros) {
        Some(time) => {
            let before = append_datetime(out, time.naive_utc());
            append_era(out, before);
        }
        None => append_infinity(out, micros < 0),
    }
}

fn append_timestamptz(out: &mut String, micros: i64, zone: Tz) {
    let Some(utc) = DateTime::from_timestamp_micros(micros) else {
        return append_infinity(out, micros < 0);
    };
    if zone == Tz::UTC {
        let before = append_datetime(out, utc.naive_utc());
        out.push_str("+00");
        return append_era(out, before);
    }
    let offset = zone.offset_from_utc_datetime(&utc.naive_utc()).fix();
    let Some(local) = utc.naive_utc().checked_add_offset(offset) else {
        return append_infinity(out, micros < 0);
    };
    let before = append_datetime(out, local);
    let seconds = offset.local_minus_utc();
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    let _ = write!(out, "{sign}{:02}", seconds / 3600);
    if !seconds.is_multiple_of(3600) {
        let _ = write!(out, ":{:02}", seconds / 60 % 60);
    }
    if !seconds.is_multiple_of(60) {
        let _ = write!(out, ":{:02}", seconds % 60);
    }
    append_era(out, before);
}

/// Interval style `postgres`: a part after a negative one carries its sign.
fn append_interval(out: &mut String, months: i32, days: i32, micros: i64) {
    let mut empty = true;
    let mut after_negative = false;
    for (value, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if value != 0 {
            let space = if empty { "" } else { " " };
            let plus = if after_negative && value > 0 { "+" } else { "" };
            let plural = if value == 1 { "" } else { "s" };
            let _ = write!(out, "{space}{plus}{value} {unit}{plural}");
            after_negative = value < 0;
            empty = false;
        }
    }
    if micros != 0 || empty {
        if !empty {
            out.push(' ');
        }
        match (micros < 0, after_negative) {
            (true, _) => out.push('-'),
            (false, true) => out.push('+'),
            (false, false) => {}
        }
        append_clock(out, micros.unsigned_abs());
    }
}

/// `int2vector` and `oidvector`: `1 2`.
fn vector_writer(array: &ArrayRef, item: &SqlType, options: TextOptions) -> Result<Writer, ArrowError> {
    let list: ListArray = downcast(array)?;
    let items = TextColumn::new(list.values(), item, options)?;
    Ok(Box::new(move |out, row| {
        for (i, item) in item_range(&list, row).enumerate() {
            if i > 0 {
                out.push(' ');
            }
            items.append(out, item);
        }
    }))
}

fn list_writer(
    array: &ArrayRef,
    item: &SqlType,
    options: TextOptions,
    form: NumericForm,
) -> Result<Writer, ArrowError> {
    let list: ListArray = downcast(array)?;
    let items = TextColumn::with_form(list.values(), item, options, NumericForm { special: None, ..form })?;
    let nested = matches!(item, SqlType::Array(_));
    // Arrays whose items are all empty are one empty array, as in PostgreSQL.
    let deepest = innermost(array)?;
    Ok(Box::new(move |out, row| {
        let mut text = String::new();
        if nested && deepest(row) == 0 {
            return out.push_str("{}");
        }
        out.push('{');
        for (i, item) in item_range(&list, row).enumerate() {
            if i > 0 {
                out.push(',');
            }
            text.clear();
            if !items.append(&mut text, item) {
                out.push_str("NULL");
            } else if nested {
                out.push_str(&text);
            } else {
                append_item(out, &text);
            }
        }
        out.push('}');
    }))
}

type Counter = Box<dyn Fn(usize) -> usize + Send + Sync>;

/// How many items there are in a row of an array, or in the arrays in it.
fn innermost(array: &ArrayRef) -> Result<Counter, ArrowError> {
    let list: ListArray = downcast(array)?;
    if !matches!(list.value_type(), DataType::List(_)) {
        return Ok(Box::new(move |row| item_range(&list, row).len()));
    }
    let inner = innermost(list.values())?;
    Ok(Box::new(move |row| item_range(&list, row).map(&inner).sum()))
}

/// Where a row's items are among the values of all rows.
#[must_use]
pub fn item_range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offset = |at: usize| list.value_offsets().get(at).and_then(|o| usize::try_from(*o).ok()).unwrap_or(0);
    offset(row)..offset(row + 1)
}

fn append_item(out: &mut String, text: &str) {
    let special =
        |c| matches!(c, '{' | '}' | ',' | '"' | '\\' | ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}');
    if !text.is_empty() && !text.eq_ignore_ascii_case("null") && !text.contains(special) {
        return out.push_str(text);
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Date32Array, DictionaryArray, DurationSecondArray, Float32Array, Float64Array,
        IntervalMonthDayNanoArray, LargeStringArray, ListBuilder, StringBuilder, StringViewArray,
        Time64MicrosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
    };
    use arrow::datatypes::{Int8Type, IntervalMonthDayNano};

    use super::*;

    fn text(array: impl Array + 'static, sql_type: &SqlType) -> Vec<String> {
        text_in(array, sql_type, chrono_tz::UTC)
    }

    fn text_in(array: impl Array + 'static, sql_type: &SqlType, time_zone: Tz) -> Vec<String> {
        let array: ArrayRef = Arc::new(array);
        let column = TextColumn::new(&array, sql_type, TextOptions { time_zone }).unwrap();
        (0..array.len())
            .map(|row| {
                let mut out = String::new();
                if column.append(&mut out, row) { out } else { "<null>".into() }
            })
            .collect()
    }

    #[test]
    fn numbers_print_as_in_postgresql_and_lose_zeros_of_the_fraction() {
        let numeric = |scale| {
            Decimal128Array::from(vec![
                Some(15_000_000_000),
                Some(1_000_000_000_000),
                Some(-5),
                Some(0),
                None,
            ])
            .with_precision_and_scale(38, scale)
            .unwrap()
        };
        assert_eq!(text(numeric(10), &SqlType::Numeric), ["1.5", "100", "-0.0000000005", "0", "<null>"]);
        assert_eq!(
            text(numeric(-2), &SqlType::Numeric),
            ["1500000000000", "100000000000000", "-500", "0", "<null>"]
        );
        let widest = Decimal128Array::from(vec![99_999_999_999_999_999_999_999_999_999_999_999_999_i128])
            .with_precision_and_scale(38, 10)
            .unwrap();
        assert_eq!(text(widest, &SqlType::Numeric), ["9999999999999999999999999999.9999999999"]);
        assert_eq!(text(UInt64Array::from(vec![u64::MAX]), &SqlType::Numeric), ["18446744073709551615"]);
    }

    #[test]
    fn floats_are_shortest_and_switch_to_an_exponent_where_postgresql_does() {
        for (value, expected) in [
            (0.1, "0.1"),
            (1.0, "1"),
            (-0.0, "-0"),
            (100.0, "100"),
            (123_456.789, "123456.789"),
            (123_456_789_012_345.0, "123456789012345"),
            (1e15, "1e+15"),
            (1_234_567_890_123_456.0, "1.234567890123456e+15"),
            (1e20, "1e+20"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (1e100, "1e+100"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(Float64Array::from(vec![value]), &SqlType::Float8), [expected]);
        }
        for (value, expected) in
            [(0.1_f32, "0.1"), (123_456.0, "123456"), (1_000_000.0, "1e+06"), (1.5, "1.5")]
        {
            assert_eq!(text(Float32Array::from(vec![value]), &SqlType::Float4), [expected]);
        }
    }

    #[test]
    fn dates_and_times_are_iso() {
        let dates = Date32Array::from(vec![Some(0), Some(20_567), Some(-719_163), Some(i32::MAX), None]);
        assert_eq!(
            text(dates, &SqlType::Date),
            ["1970-01-01", "2026-04-24", "0001-12-31 BC", "infinity", "<null>"]
        );
        let times = Time64MicrosecondArray::from(vec![0, 45_296_000_000, 45_296_120_000, 86_399_999_999]);
        assert_eq!(text(times, &SqlType::Time), ["00:00:00", "12:34:56", "12:34:56.12", "23:59:59.999999"]);
        let stamps = TimestampMicrosecondArray::from(vec![1_777_032_000_000_000, 1_777_032_000_500_000, -1]);
        assert_eq!(
            text(stamps, &SqlType::Timestamp),
            ["2026-04-24 12:00:00", "2026-04-24 12:00:00.5", "1969-12-31 23:59:59.999999"]
        );
    }

    #[test]
    fn timestamptz_is_shown_in_the_zone_of_the_session() {
        let stamps = || -> ArrayRef {
            Arc::new(
                TimestampNanosecondArray::from(vec![1_777_032_000_000_000_000])
                    .with_timezone("America/New_York"),
            )
        };
        for (zone, expected) in [
            (chrono_tz::UTC, "2026-04-24 12:00:00+00"),
            (chrono_tz::Asia::Tokyo, "2026-04-24 21:00:00+09"),
            (chrono_tz::Asia::Kolkata, "2026-04-24 17:30:00+05:30"),
            (chrono_tz::America::St_Johns, "2026-04-24 09:30:00-02:30"),
        ] {
            assert_eq!(text_in(stamps(), &SqlType::TimestampTz, zone), [expected]);
        }
        let old: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from(vec![-3_000_000_000_000_000]).with_timezone("UTC"));
        assert_eq!(
            text_in(old, &SqlType::TimestampTz, chrono_tz::Asia::Tokyo),
            ["1874-12-08 03:58:59+09:18:59"]
        );
    }

    #[test]
    fn intervals_are_in_style_postgres() {
        let second = 1_000_000_000;
        for ((months, days, nanos), expected) in [
            ((0, 0, 90_060 * second), "25:01:00"),
            ((0, 0, 0), "00:00:00"),
            ((1, 2, 11_045 * second), "1 mon 2 days 03:04:05"),
            ((14, 1, 0), "1 year 2 mons 1 day"),
            ((-14, 3, -5 * second / 2), "-1 years -2 mons +3 days -00:00:02.5"),
            ((0, -1, second), "-1 days +00:00:01"),
        ] {
            let value = IntervalMonthDayNano::new(months, days, nanos);
            let array = IntervalMonthDayNanoArray::from(vec![value]);
            assert_eq!(text(array, &SqlType::Interval), [expected]);
        }
        let durations = DurationSecondArray::from(vec![3600]);
        assert_eq!(text(durations, &SqlType::Interval), ["01:00:00"]);
    }

    #[test]
    fn texts_of_every_arrow_kind_print_alike() {
        let values = || vec![Some("髙﨑"), Some(""), None];
        let arrays: [ArrayRef; 4] = [
            Arc::new(StringArray::from(values())),
            Arc::new(LargeStringArray::from(values())),
            Arc::new(StringViewArray::from(values())),
            Arc::new(values().into_iter().collect::<DictionaryArray<Int8Type>>()),
        ];
        for array in arrays {
            assert_eq!(text(array, &SqlType::Text), ["髙﨑", "", "<null>"]);
        }
    }

    #[test]
    fn arrays_quote_what_would_be_misread() {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for item in ["a", "b c", "", "null", "q\"\\", "x,y", "{z}", "改行\n"] {
            builder.values().append_value(item);
        }
        builder.values().append_null();
        builder.append(true);
        builder.append(true);
        builder.append(false);
        assert_eq!(
            text(builder.finish(), &SqlType::Array(Box::new(SqlType::Text))),
            [
                r#"{a,"b c","","null","q\"\\","x,y","{z}","改行"#.to_owned() + "\n\",NULL}",
                "{}".into(),
                "<null>".into()
            ]
        );
    }

    #[test]
    fn a_numerics_form_keeps_its_zeros() {
        let values = || -> ArrayRef {
            let values = Decimal128Array::from(vec![Some(1500), Some(0), Some(-1234), None]);
            Arc::new(values.with_precision_and_scale(38, 3).unwrap())
        };
        let shown = |form: NumericForm| -> Vec<String> {
            let options = TextOptions { time_zone: chrono_tz::UTC };
            let column = TextColumn::with_form(&values(), &SqlType::Numeric, options, form).unwrap();
            let text = |row| {
                let mut out = String::new();
                if column.append(&mut out, row) { out } else { "<null>".into() }
            };
            (0..4).map(text).collect()
        };
        let scale = |scale| shown(NumericForm { scale, special: None });
        assert_eq!(scale(0), ["1.5", "0", "-1.234", "<null>"]);
        assert_eq!(scale(2), ["1.50", "0.00", "-1.234", "<null>"]);
        assert_eq!(scale(5), ["1.50000", "0.00000", "-1.23400", "<null>"]);
        assert_eq!(shown(NumericForm { scale: 0, special: Some("NaN") }), ["NaN"; 4]);
    }

    #[test]
    fn vectors_have_blanks_between_their_items() {
        let mut builder = ListBuilder::new(arrow::array::Int16Builder::new());
        builder.append_value([Some(1), Some(-2)]);
        builder.append_value([]);
        assert_eq!(text(builder.finish(), &SqlType::Int2Vector), ["1 -2", ""]);
    }

    #[test]
    fn jsonb_has_the_spaces_of_postgresql() {
        let json = r#"[{"name":"a, b:\"c\\","size":1 , "x":null},{}]"#;
        assert_eq!(
            text(StringArray::from(vec![json]), &SqlType::Jsonb),
            [r#"[{"name": "a, b:\"c\\", "size": 1, "x": null}, {}]"#]
        );
    }

    #[test]
    fn bytes_and_booleans() {
        let bytes = BinaryArray::from(vec![&[0_u8, 255, 16][..], &[]]);
        assert_eq!(text(bytes, &SqlType::Bytea), ["\\x00ff10", "\\x"]);
        let flags = BooleanArray::from(vec![Some(true), Some(false), None]);
        assert_eq!(text(flags, &SqlType::Bool), ["t", "f", "<null>"]);
    }
}
