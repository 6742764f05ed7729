//! The kinds of arguments and results that functions are declared with.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};

use crate::engine::SqlType;
use crate::engine::pg_catalog::typed;
use crate::table::SQL_TYPE;

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anything, as it is.
    Any,
    Int,
    Float,
    Numeric,
    Text,
    Date,
    Time,
    Timestamp,
    /// `timestamptz`
    Instant,
    Interval,
}

/// The distance of a text literal, which may be of any type, from what is wanted.
const UNKNOWN: u32 = 4;

impl Kind {
    /// How far a type is from this kind; `None` where it does not become one by itself.
    pub(super) fn distance(self, from: &DataType) -> Option<u32> {
        use DataType as D;
        let whole = from.is_integer();
        Some(match (self, from) {
            (Self::Any, _) => UNKNOWN + 1,
            (Self::Int, _) if whole => 0,
            (Self::Numeric, D::Decimal128(..) | D::Decimal256(..))
            | (Self::Float, D::Float64)
            | (Self::Text, D::Utf8 | D::LargeUtf8 | D::Utf8View)
            | (Self::Date, D::Date32)
            | (Self::Time, D::Time64(_) | D::Time32(_))
            | (Self::Timestamp, D::Timestamp(_, None))
            | (Self::Instant, D::Timestamp(_, Some(_)))
            | (Self::Interval, D::Interval(_) | D::Duration(_)) => 0,
            (Self::Float, D::Float32) | (Self::Instant, D::Date32) => 1,
            (Self::Float, _) if whole => 1,
            (Self::Numeric, _) if whole => 2,
            (Self::Float, D::Decimal128(..) | D::Decimal256(..))
            | (Self::Timestamp, D::Date32)
            | (Self::Instant, D::Timestamp(_, None)) => 2,
            (_, D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Null) => UNKNOWN,
            _ => return None,
        })
    }

    /// The type that an argument of a type is made.
    pub(super) fn coerced(self, from: &DataType, zone: &Arc<str>) -> DataType {
        use DataType as D;
        match self {
            Self::Any => from.clone(),
            Self::Int => match from {
                D::Int16 | D::Int32 | D::Int64 => from.clone(),
                _ => D::Int64,
            },
            Self::Float => D::Float64,
            Self::Numeric => match from {
                D::Decimal128(..) | D::Decimal256(..) | D::Int16 | D::Int32 | D::Int64 => from.clone(),
                _ if from.is_integer() => D::Int64,
                _ => SqlType::Numeric.data_type(),
            },
            Self::Text => D::Utf8,
            Self::Date => D::Date32,
            Self::Time => D::Time64(TimeUnit::Microsecond),
            Self::Timestamp => D::Timestamp(TimeUnit::Microsecond, None),
            Self::Instant => match from {
                D::Timestamp(_, Some(zone)) => D::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone))),
                _ => D::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone))),
            },
            Self::Interval => D::Interval(IntervalUnit::MonthDayNano),
        }
    }
}

/// What a function gives.
#[derive(Clone, Copy)]
pub(super) enum Returns {
    Bool,
    Int4,
    Float,
    /// `numeric` with so many digits after the point.
    Numeric(i8),
    /// `numeric` as wide as there is.
    Wide,
    Text,
    Date,
    Time,
    Timestamp,
    Instant,
    Interval,
    /// The type of an argument.
    Like(usize),
    /// An array of the type of an argument.
    ListOf(usize),
    /// The type of an argument's items.
    ItemOf(usize),
    /// The type of a word, as the catalog's columns have it: `jsonb`, `text[]`.
    Word(&'static str),
    /// `json` where an argument is, else `jsonb`.
    JsonLike(usize),
    /// An array of those.
    JsonListLike(usize),
}

/// Digits after the point of [`Returns::Wide`].
pub(super) const WIDE_SCALE: i8 = 38;

/// The widest numeric.
pub(super) fn wide() -> DataType {
    DataType::Decimal256(76, WIDE_SCALE)
}

impl Returns {
    pub(super) fn field(self, name: &str, args: &[FieldRef], zone: &Arc<str>) -> Field {
        let of = |i: usize| args.get(i).map_or(DataType::Null, |field| field.data_type().clone());
        let mark = |i: usize| args.get(i).and_then(|field| field.metadata().get(SQL_TYPE));
        let is_json = |i| mark(i).is_some_and(|mark| mark == "json");
        let data_type = match self {
            Self::Bool => DataType::Boolean,
            Self::Int4 => DataType::Int32,
            Self::Float => DataType::Float64,
            Self::Numeric(scale) => DataType::Decimal128(38, scale),
            Self::Wide => wide(),
            Self::Text => DataType::Utf8,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone))),
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Like(i) => match args.get(i) {
                Some(field) => return field.as_ref().clone().with_name(name).with_nullable(true),
                None => DataType::Null,
            },
            Self::ListOf(i) => DataType::new_list(of(i), true),
            Self::ItemOf(i) => match of(i) {
                DataType::List(item) => return item.as_ref().clone().with_name(name).with_nullable(true),
                other => other,
            },
            Self::Word(word) => return typed(name, word),
            Self::JsonLike(i) => return typed(name, if is_json(i) { "json" } else { "jsonb" }),
            Self::JsonListLike(i) => return typed(name, if is_json(i) { "json[]" } else { "jsonb[]" }),
        };
        Field::new(name, data_type, true)
    }
}

/// A type as PostgreSQL names it in messages; text may be a literal of no type yet.
pub(super) fn sql_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "unknown".into(),
        other => SqlType::of_data_type(other).name(),
    }
}
