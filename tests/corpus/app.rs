//! A table's rows as an app, and the CTE that gives its columns their types back.
//!
//! A NUMBER is `numeric` here, so integers are cast: `1 / 2` is 0 in these files. What NUMBER cannot hold exactly
//! (infinities, long fractions, minus zero) and times of day to the second are kept as text and cast as well.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value, json};

use super::unit::Class;

/// An app that holds a table.
#[derive(Debug, Clone)]
pub(super) struct App {
    /// For a fixture.
    pub(super) definition: Value,
    /// `name AS (SELECT ... FROM app)`.
    pub(super) table: String,
}

/// How a column is kept.
struct Column {
    field: Value,
    /// The column's expression; `{}` is the field.
    expression: String,
    values: Vec<Option<String>>,
}

/// The app for a table; the reason where no app can hold it.
pub(super) fn of_table(name: &str, rows: &RecordBatch, class: Class, at: usize) -> Result<App, &'static str> {
    let schema = rows.schema();
    let columns: Vec<Column> =
        rows.columns().iter().map(|array| column(array, class)).collect::<Result<_, _>>()?;
    let code = |at: usize| match class {
        Class::Filters => schema.field(at).name().clone(),
        _ => format!("f{at}"),
    };
    let app = if class == Class::Filters { name.to_owned() } else { format!("APP{at}") };
    let fields = columns.iter().enumerate().map(|(at, column)| (code(at), column.field.clone()));
    let record = |row: usize| -> Value {
        let cell = |(at, column): (usize, &Column)| {
            (code(at), json!({"value": column.values[row].clone().unwrap_or_default()}))
        };
        columns.iter().enumerate().map(cell).collect::<Map<_, _>>().into()
    };
    let definition = json!({
        "app": {"appId": at + 1, "code": app},
        "settings": {"numberPrecision": {"digits": "30", "decimalPlaces": "10", "roundingMode": "HALF_EVEN"}},
        "form": {"properties": fields.collect::<Map<_, _>>()},
        "records": (0..rows.num_rows()).map(record).collect::<Vec<_>>()
    });
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns = columns.iter().enumerate().map(|(at, column)| {
        let expression = column.expression.replace("{}", &quoted(&code(at)));
        format!("{expression} AS {}", quoted(schema.field(at).name()))
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    Ok(App { definition, table: format!("{} AS (SELECT {columns} FROM \"{app}\")", quoted(name)) })
}

fn column(array: &ArrayRef, class: Class) -> Result<Column, &'static str> {
    let values = texts(array)?;
    let is = |kind: &str| json!({"type": kind});
    let as_type = |sql: &str| format!("CAST({{}} AS {sql})");
    let all = |test: fn(&str) -> bool| values.iter().flatten().all(|value| test(value));
    let number = if all(fits_number) { is("NUMBER") } else { is("SINGLE_LINE_TEXT") };
    let (field, expression) = match array.data_type() {
        DataType::Int8 | DataType::Int16 | DataType::Int32 if class == Class::Integers => {
            (number, as_type("bigint"))
        }
        // Plain: `numeric` compares as integers and floats do, and all of it can go to Kintone.
        DataType::Int32 | DataType::Float32 if class == Class::Filters => (number, "{}".into()),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => (number, as_type("smallint")),
        DataType::Int32 | DataType::UInt16 => (number, as_type("integer")),
        DataType::Int64 | DataType::UInt32 => (number, as_type("bigint")),
        DataType::UInt64 => (number, as_type("numeric(20, 0)")),
        DataType::Float16 | DataType::Float32 => (number, as_type("real")),
        DataType::Float64 => (number, as_type("double precision")),
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) => {
            (number, as_type(&format!("numeric({p}, {s})")))
        }
        DataType::Null => (is("SINGLE_LINE_TEXT"), "{}".into()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            if all(str::is_empty) && array.null_count() < array.len() =>
        {
            return Err(EMPTY_TEXT);
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            if values.iter().flatten().any(String::is_empty) {
                return Err(EMPTY_TEXT);
            }
            (
                if all(|value| !value.contains('\n')) {
                    is("SINGLE_LINE_TEXT")
                } else {
                    is("MULTI_LINE_TEXT")
                },
                "{}".into(),
            )
        }
        DataType::Boolean => {
            (json!({"type": "DROP_DOWN", "options": ["true", "false"]}), "({} = 'true')".into())
        }
        DataType::Date32 if all(|day| day.len() == 10) => (is("DATE"), "{}".into()),
        DataType::Date32 => (is("SINGLE_LINE_TEXT"), as_type("date")),
        DataType::Time32(_) | DataType::Time64(_) => (is("SINGLE_LINE_TEXT"), as_type("time")),
        DataType::Timestamp(_, Some(zone)) if !["UTC", "+00:00"].contains(&zone.as_ref()) => {
            return Err("a column in a zone of its own");
        }
        DataType::Timestamp(_, zone) => {
            let sql = if zone.is_some() { "timestamptz" } else { "timestamp" };
            (is("SINGLE_LINE_TEXT"), as_type(sql))
        }
        _ => return Err("a column of a type that no field holds"),
    };
    Ok(Column { field, expression, values })
}

const EMPTY_TEXT: &str = "an empty text in a table: a field holds none";

/// A column's values as text.
fn texts(array: &ArrayRef) -> Result<Vec<Option<String>>, &'static str> {
    let unheld = "a column of a type that no field holds";
    let array = match array.data_type() {
        DataType::Dictionary(_, value) if value.is_string() => {
            &cast(array, &DataType::Utf8).map_err(|_| unheld)?
        }
        DataType::Float16 => &cast(array, &DataType::Float32).map_err(|_| unheld)?,
        _ => array,
    };
    // A cast from text gives only the other NaN.
    let is_signed_nan = |array: &ArrayRef| {
        let floats = array.as_primitive_opt::<Float64Type>();
        floats.is_some_and(|floats| floats.values().iter().any(|x| x.is_nan() && x.is_sign_negative()))
    };
    if is_signed_nan(array) {
        return Err("a NaN with a sign, which no text stands for");
    }
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options).map_err(|_| unheld)?;
    let text = |row: usize| match array.data_type() {
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        _ => formatter.value(row).to_string(),
    };
    Ok((0..array.len()).map(|row| array.is_valid(row).then(|| text(row))).collect())
}

/// Whether NUMBER keeps a number as it is: up to 20 digits before the point and 10 after it.
fn fits_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && whole.len() <= 20 && fraction.len() <= 10 && text != "-0"
}
