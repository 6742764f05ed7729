//! Answers as the files write them, and when two are the same.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Float32Type, Float64Type};
use datafusion::arrow::util::display::{ArrayFormatter, DurationFormat, FormatOptions};
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use sqllogictest::SortMode;

use super::rule;
use super::script::Query;
use super::unit::Class;

/// How far two fractions may be apart, in parts of the greater one (and never less than of 1): DataFusion's files
/// hold 12 digits of a float, and some answers that are floats there are exact decimals here.
const TOLERANCE: f64 = 1e-9;

/// Rows of texts; NULL and empty text have names.
pub(super) fn cells(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let mut rows = vec![];
    for batch in batches {
        let columns: Vec<Vec<String>> = batch.columns().iter().map(texts).collect();
        rows.extend(
            (0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()),
        );
    }
    rows
}

fn texts(array: &ArrayRef) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL").with_duration_format(DurationFormat::Pretty);
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options).unwrap();
    let text = |row: usize| match array.data_type() {
        DataType::Float32 => float(
            f64::from(array.as_primitive::<Float32Type>().value(row)),
            array.as_primitive::<Float32Type>().value(row).to_string(),
        ),
        DataType::Float64 => float(
            array.as_primitive::<Float64Type>().value(row),
            array.as_primitive::<Float64Type>().value(row).to_string(),
        ),
        DataType::Decimal128(..) | DataType::Decimal256(..) => {
            without_zeros(&formatter.value(row).to_string())
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            match formatter.value(row).to_string() {
                empty if empty.is_empty() => "(empty)".into(),
                text => text.trim_end_matches('\n').replace('\0', "\\0"),
            }
        }
        _ => formatter.value(row).to_string(),
    };
    (0..array.len()).map(|row| if array.is_null(row) { "NULL".into() } else { text(row) }).collect()
}

/// At most 12 digits after the point.
fn float(value: f64, shortest: String) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    match shortest.split_once('.') {
        None if shortest == "-0" => "0".into(),
        Some((_, fraction)) if fraction.len() > 12 => without_zeros(&format!("{value:.12}")),
        _ => shortest,
    }
}

fn without_zeros(number: &str) -> String {
    match number.split_once('.') {
        Some(_) => match number.trim_end_matches('0').trim_end_matches('.') {
            "-0" => "0".into(),
            trimmed => trimmed.into(),
        },
        None => number.into(),
    }
}

/// Whether rows are the answer of a query.
pub(super) fn agrees(query: &Query, class: Class, rows: &[Vec<String>]) -> bool {
    if class == Class::DataFusion { agrees_by_lines(query, rows) } else { agrees_by_values(query, rows) }
}

/// What a failure shows as the answer.
pub(super) fn shown(query: &Query, class: Class, rows: &[Vec<String>]) -> Vec<String> {
    if class == Class::DataFusion { lines(rows) } else { values(query, rows) }
}

/// A line a row. Without ORDER BY rows have no order, whatever the file says.
fn agrees_by_lines(query: &Query, rows: &[Vec<String>]) -> bool {
    let mut actual = lines(rows);
    let mut expected: Vec<String> = query.expected.iter().map(|line| line.trim_end().to_owned()).collect();
    if let [only] = expected.as_slice()
        && only.contains(HASHED)
    {
        return *only == hashed(&values(query, rows));
    }
    if query.sort != SortMode::NoSort || !rule::is_ordered(&query.sql) {
        actual.sort();
        expected.sort();
    }
    actual.len() == expected.len() && actual.iter().zip(&expected).all(|(a, b)| same_line(a, b))
}

fn lines(rows: &[Vec<String>]) -> Vec<String> {
    let mut out = vec![];
    for row in rows {
        match row.split_last() {
            // A text of several lines, as DataFusion's files write it.
            Some((last, before)) if last.contains('\n') => {
                out.push(before.join(" "));
                out.extend(last.split('\n').enumerate().map(|(at, line)| {
                    let text = line.trim_start();
                    format!("{:02}){}{text}", at + 1, "-".repeat(line.len() - text.len()))
                }));
            }
            _ => out.push(row.join(" ")),
        }
    }
    out.iter().map(|line| line.trim_end().to_owned()).collect()
}

fn same_line(a: &str, b: &str) -> bool {
    let (a, b) = (without_utc(a), without_utc(b));
    if a == b {
        return true;
    }
    let words = |line: String| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (words(a), words(b));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || close(a, b))
}

/// A time without the mark of UTC: `to_timestamp` is at UTC here, and without a zone there.
fn without_utc(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let ends_a_time = letter == 'Z'
            && out.ends_with(|c: char| c.is_ascii_digit())
            && !letters.peek().is_some_and(|c| c.is_alphanumeric());
        if !ends_a_time {
            out.push(letter);
        }
    }
    out
}

/// Two numbers of which one at least has a fraction: whole numbers are equal or not.
fn close(a: &str, b: &str) -> bool {
    let fraction = |text: &str| text.contains(['.', 'e', 'E']);
    let (Ok(x), Ok(y)) = (a.parse::<f64>(), b.parse::<f64>()) else { return false };
    (fraction(a) || fraction(b)) && (x - y).abs() <= TOLERANCE * x.abs().max(y.abs()).max(1.0)
}

/// A line a value, or the number of values and a sum of them.
fn agrees_by_values(query: &Query, rows: &[Vec<String>]) -> bool {
    let actual = values(query, rows);
    match query.expected.as_slice() {
        [only] if only.contains(HASHED) => *only == hashed(&actual),
        expected => actual == *expected,
    }
}

/// What is between a number of values and their sum.
const HASHED: &str = " values hashing to ";

fn hashed(values: &[String]) -> String {
    let text: String = values.iter().flat_map(|value| [value.as_str(), "\n"]).collect();
    format!("{}{HASHED}{}", values.len(), md5(&text))
}

fn values(query: &Query, rows: &[Vec<String>]) -> Vec<String> {
    let letters: Vec<char> = query.types.chars().collect();
    let shown = |row: &Vec<String>| -> Vec<String> {
        row.iter().enumerate().map(|(at, cell)| by_letter(cell, letters.get(at).copied())).collect()
    };
    let mut rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
    if query.sort == SortMode::RowSort {
        rows.sort();
    }
    let mut values: Vec<String> = rows.into_iter().flatten().collect();
    if query.sort == SortMode::ValueSort {
        values.sort();
    }
    values
}

/// SQLite's files: `I` cuts a fraction off and takes a truth as 1 or 0, `R` has three digits after the point.
fn by_letter(cell: &str, letter: Option<char>) -> String {
    match (letter, cell) {
        (_, "NULL") => cell.into(),
        (Some('I'), "true") => "1".into(),
        (Some('I'), "false") => "0".into(),
        (Some('I'), _) => match cell.split_once('.') {
            Some(("-0", _)) => "0".into(),
            Some((whole, _)) => whole.into(),
            None => cell.into(),
        },
        (Some('R'), _) => cell.parse::<f64>().map_or_else(|_| cell.into(), |number| format!("{number:.3}")),
        _ => cell.into(),
    }
}

/// By DataFusion's function: there is no other MD5 among the crates.
fn md5(text: &str) -> String {
    let args = ScalarFunctionArgs {
        args: vec![ColumnarValue::Scalar(ScalarValue::Utf8(Some(text.to_owned())))],
        arg_fields: vec![Arc::new(Field::new("text", DataType::Utf8, true))],
        number_rows: 1,
        return_field: Arc::new(Field::new("md5", DataType::Utf8View, true)),
        config_options: Arc::new(ConfigOptions::default()),
    };
    match datafusion::functions::crypto::md5().invoke_with_args(args).unwrap() {
        ColumnarValue::Scalar(value) => value.try_as_str().flatten().unwrap().to_owned(),
        ColumnarValue::Array(array) => array.as_string_view().value(0).to_owned(),
    }
}
