//! Arrays: `{a,"b c",NULL}`, `{{1,2},{3,4}}`, `[0:1]={a,b}`; and the vectors of the catalog, `1 2`.

use std::iter::Peekable;
use std::str::Chars;

use arrow::datatypes::DataType;
use datafusion::scalar::ScalarValue;

use super::{Clock, read, shown, special_of};
use crate::engine::SqlType;
use crate::error::{Error, Kind, Result};

/// The most dimensions that an array has (PostgreSQL's `MAXDIM`).
const DIMENSIONS: usize = 6;

/// What stands in an array: a text, NULL, or another array.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Null,
    Text(String),
    List(Vec<Item>),
}

/// Reads an array whose items are of a type. `item` may itself be an array: all dimensions are one type's.
pub(super) fn array(text: &str, item: &SqlType, clock: Clock) -> Result<ScalarValue> {
    let mut scalar = item;
    while let SqlType::Array(inner) = scalar {
        scalar = inner;
    }
    let malformed = || Error::new(Kind::InvalidText, format!("malformed array literal: \"{}\"", shown(text)));
    let body = without_bounds(text.trim_ascii()).ok_or_else(malformed)?;
    let mut letters = body.chars().peekable();
    let items = list_of(&mut letters, 1).filter(|_| letters.next().is_none()).ok_or_else(malformed)?;
    if items.is_empty() {
        return list(vec![], item);
    }
    // An array without items has no dimensions, so that it is no item itself.
    lengths(&items).ok_or_else(malformed)?;
    value(&items, scalar, clock)
}

/// What follows the bounds of the dimensions: Arrow's arrays all begin at 1, so that the bounds are only checked.
fn without_bounds(text: &str) -> Option<&str> {
    if !text.starts_with('[') {
        return Some(text);
    }
    let (bounds, body) = text.split_once('=')?;
    for bound in bounds.trim_end().strip_suffix(']')?.split(']') {
        let bound = bound.strip_prefix('[')?;
        let (first, last) = bound.split_once(':').unwrap_or(("1", bound));
        (first.parse::<i32>().ok()? <= last.parse::<i32>().ok()?).then_some(())?;
    }
    Some(body.trim_start())
}

/// A list with its braces, and the blanks after it.
fn list_of(letters: &mut Peekable<Chars<'_>>, depth: usize) -> Option<Vec<Item>> {
    blanks(letters);
    letters.next_if_eq(&'{').filter(|_| depth <= DIMENSIONS)?;
    let mut items = vec![];
    blanks(letters);
    if letters.next_if_eq(&'}').is_none() {
        loop {
            blanks(letters);
            items.push(match letters.peek()? {
                '{' => Item::List(list_of(letters, depth + 1)?),
                '"' => Item::Text(quoted(letters)?),
                _ => bare(letters)?,
            });
            blanks(letters);
            match letters.next()? {
                ',' => {}
                '}' => break,
                _ => return None,
            }
        }
    }
    blanks(letters);
    Some(items)
}

fn blanks(letters: &mut Peekable<Chars<'_>>) {
    while letters.next_if(char::is_ascii_whitespace).is_some() {}
}

fn quoted(letters: &mut Peekable<Chars<'_>>) -> Option<String> {
    letters.next()?;
    let mut text = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => text.push(letters.next()?),
            letter => text.push(letter),
        }
    }
}

/// An item without quotes: blanks around it do not count, those that are escaped do.
fn bare(letters: &mut Peekable<Chars<'_>>) -> Option<Item> {
    let mut text = String::new();
    let (mut kept, mut escaped) = (0, false);
    while let Some(letter) = letters.next_if(|letter| !matches!(letter, ',' | '{' | '}' | '"')) {
        if letter == '\\' {
            escaped = true;
            text.push(letters.next()?);
            kept = text.len();
        } else {
            text.push(letter);
            if !letter.is_ascii_whitespace() {
                kept = text.len();
            }
        }
    }
    text.truncate(kept);
    if text.is_empty() {
        return None;
    }
    Some(if !escaped && text.eq_ignore_ascii_case("null") { Item::Null } else { Item::Text(text) })
}

/// The length of each dimension; `None` where its arrays differ, or have no items.
fn lengths(items: &[Item]) -> Option<Vec<usize>> {
    if items.is_empty() {
        return None;
    }
    let mut inner: Option<Vec<usize>> = None;
    for item in items {
        let own = match item {
            Item::List(items) => lengths(items)?,
            _ => vec![],
        };
        if *inner.get_or_insert_with(|| own.clone()) != own {
            return None;
        }
    }
    let mut all = vec![items.len()];
    all.extend(inner.unwrap_or_default());
    Some(all)
}

fn value(items: &[Item], scalar: &SqlType, clock: Clock) -> Result<ScalarValue> {
    let values = items.iter().map(|item| match item {
        Item::Null => Ok(None),
        Item::Text(text) => read(text, scalar, clock).map(Some),
        Item::List(items) => value(items, scalar, clock).map(Some),
    });
    list(values.collect::<Result<_>>()?, scalar)
}

/// An array of these values; `None` is NULL. Numerics get one scale, the largest among them.
///
/// # Errors
/// Where they have no type in common, or a numeric is no number.
pub(crate) fn list(items: Vec<Option<ScalarValue>>, item: &SqlType) -> Result<ScalarValue> {
    if items.iter().flatten().any(|value| special_of(value).is_some()) {
        return Err(Error::unsupported("NaN or infinity inside an array of numeric"));
    }
    let types = items.iter().flatten().map(ScalarValue::data_type);
    let item_type = types.reduce(wider).unwrap_or_else(|| item.data_type());
    let values = items.into_iter().map(|value| match value {
        Some(value) if value.data_type() == item_type => Ok(value),
        Some(value) => value.cast_to(&item_type),
        None => ScalarValue::try_from(&item_type),
    });
    let values = values.collect::<Result<Vec<_>, _>>();
    let values = values.map_err(|error| Error::new(Kind::InvalidValue, error.to_string()))?;
    Ok(ScalarValue::List(ScalarValue::new_list(&values, &item_type, true)))
}

/// A type for values of both: decimals with the digits of both, lists of such.
fn wider(one: DataType, other: DataType) -> DataType {
    match (one, other) {
        (DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)) => {
            let scale = s1.max(s2);
            let whole = (i16::from(p1) - i16::from(s1)).max(i16::from(p2) - i16::from(s2));
            let precision = u8::try_from((whole + i16::from(scale)).clamp(1, 38)).unwrap_or(38);
            DataType::Decimal128(precision, scale)
        }
        (DataType::List(one), DataType::List(other)) => {
            DataType::new_list(wider(one.data_type().clone(), other.data_type().clone()), true)
        }
        (_, other) => other,
    }
}

/// Items with blanks between them.
pub(super) fn vector(text: &str, item: &SqlType, clock: Clock) -> Result<ScalarValue> {
    let items = text.split_ascii_whitespace().map(|text| read(text, item, clock).map(Some));
    list(items.collect::<Result<_>>()?, item)
}
