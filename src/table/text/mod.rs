//! A value as PostgreSQL 15 prints it: what psql, the command line and every text result show.
//!
//! Takes a column of a batch, gives its values' text. A column is cast and downcast once, not once a value.
//! Deliberately different from PostgreSQL: zeros at the end of a numeric's fraction are not printed unless its field
//! asks for them ([`NumericForm`]), as Kintone does not show them; jsonb keeps the order of its keys.

mod number;
mod time;

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, Decimal128Array, ListArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, i256,
};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use chrono_tz::Tz;

use self::number::{append_decimal, append_float, append_integer};
use self::time::{
    append_date32, append_interval, append_micros_of_day, append_timestamp, append_timestamptz,
};
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
        (SqlType::Numeric, DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale)) => {
            DataType::Decimal128(38, *scale)
        }
        (SqlType::Numeric, DataType::Decimal256(_, scale)) => return narrowed(array, *scale),
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

/// A wide numeric with no more digits after the point than its values have, and than the narrow one has room for.
fn narrowed(array: &ArrayRef, scale: i8) -> Result<ArrayRef, ArrowError> {
    let wide: PrimitiveArray<Decimal256Type> = downcast(array)?;
    let (ten, zero) = (i256::from(10_i128), i256::ZERO);
    let zeros = |value: i256| {
        let ends = std::iter::successors(Some(value), |value| Some(*value / ten));
        i8::try_from(ends.take(128).take_while(|value| *value % ten == zero).count()).unwrap_or(scale)
    };
    let digits = |value: i256| {
        let rests = std::iter::successors(Some(value), |value| Some(*value / ten));
        i8::try_from(rests.take(100).take_while(|value| *value != zero).count()).unwrap_or(i8::MAX)
    };
    let values = || wide.iter().flatten().filter(|value| *value != zero);
    let spare = values().map(zeros).min().unwrap_or(scale);
    let beyond = values().map(digits).max().unwrap_or(0).saturating_sub(38);
    let cut = spare.max(beyond).clamp(0, scale);
    let divisor = (0..cut).fold(i256::from(1_i128), |power, _| power * ten);
    let half = divisor / i256::from(2_i128);
    let rounded = |value: i256| {
        let up = if value < zero { zero - half } else { half };
        let narrow =
            ((value + up) / divisor).to_i128().filter(|value| value.unsigned_abs() < 10_u128.pow(38));
        narrow.ok_or_else(|| ArrowError::ArithmeticOverflow("value overflows numeric format".into()))
    };
    let values = wide.iter().map(|value| value.map(rounded).transpose());
    let values = values.collect::<Result<Vec<_>, ArrowError>>()?;
    Ok(Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale - cut)?))
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

fn append_bytes(out: &mut String, bytes: &[u8]) {
    out.push_str("\\x");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}

/// Stored JSON with PostgreSQL's spaces: `{"a": 1, "b": [1, 2]}`.
fn space_json(out: &mut String, json: &str) {
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
