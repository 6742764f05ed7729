//! The SQL type of a result column: what each door translates into its own words.
//!
//! Arrow alone does not say it: jsonb travels as text, and is told apart by a mark in the field's metadata.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, TimeUnit};

/// The metadata key that holds a column's SQL type where its Arrow type is not enough.
pub const SQL_TYPE: &str = "sql_type";

/// A PostgreSQL type that a column of a result can have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// `boolean`
    Bool,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric`
    Numeric,
    /// `text`
    Text,
    /// `name`: text in the catalog.
    Name,
    /// `"char"`: one byte in the catalog.
    Char,
    /// `oid`
    Oid,
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `timestamp without time zone`
    Timestamp,
    /// `timestamp with time zone`
    TimestampTz,
    /// `interval`
    Interval,
    /// `jsonb`
    Jsonb,
    /// An array of one of the others.
    Array(Box<SqlType>),
    /// NULL of no type yet: text on the wire.
    Unknown,
}

impl SqlType {
    /// The type of a result column.
    #[must_use]
    pub fn of(field: &Field) -> Self {
        match field.metadata().get(SQL_TYPE).map(String::as_str) {
            Some("jsonb") => Self::Jsonb,
            Some("name") => Self::Name,
            Some("char") => Self::Char,
            Some("oid") => Self::Oid,
            _ => Self::of_data_type(field.data_type()),
        }
    }

    /// The type that an Arrow type stands for when nothing else is known.
    #[must_use]
    pub fn of_data_type(data_type: &DataType) -> Self {
        match data_type {
            DataType::Null => Self::Unknown,
            DataType::Boolean => Self::Bool,
            DataType::Int8 | DataType::UInt8 | DataType::Int16 => Self::Int2,
            DataType::UInt16 | DataType::Int32 => Self::Int4,
            DataType::UInt32 | DataType::Int64 => Self::Int8,
            DataType::UInt64
            | DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => Self::Numeric,
            DataType::Float16 | DataType::Float32 => Self::Float4,
            DataType::Float64 => Self::Float8,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Bytea,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::TimestampTz,
            DataType::Interval(_) | DataType::Duration(_) => Self::Interval,
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Self::Array(Box::new(Self::of(item)))
            }
            DataType::Dictionary(_, value) => Self::of_data_type(value),
            DataType::Struct(_) | DataType::Map(..) => Self::Jsonb,
            _ => Self::Text,
        }
    }

    /// The Arrow type that a value of this type has in a parameter or a column.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 | Self::Oid => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Numeric => DataType::Decimal128(38, 10),
            Self::Text | Self::Name | Self::Char | Self::Jsonb | Self::Unknown => DataType::Utf8,
            Self::Bytea => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Interval => DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano),
            Self::Array(item) => DataType::new_list(item.data_type(), true),
        }
    }

    /// The name as `format_type` gives it in PostgreSQL.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Bool => "boolean".into(),
            Self::Int2 => "smallint".into(),
            Self::Int4 => "integer".into(),
            Self::Int8 => "bigint".into(),
            Self::Float4 => "real".into(),
            Self::Float8 => "double precision".into(),
            Self::Numeric => "numeric".into(),
            Self::Text | Self::Unknown => "text".into(),
            Self::Name => "name".into(),
            Self::Char => "\"char\"".into(),
            Self::Oid => "oid".into(),
            Self::Bytea => "bytea".into(),
            Self::Date => "date".into(),
            Self::Time => "time without time zone".into(),
            Self::Timestamp => "timestamp without time zone".into(),
            Self::TimestampTz => "timestamp with time zone".into(),
            Self::Interval => "interval".into(),
            Self::Jsonb => "jsonb".into(),
            Self::Array(item) => format!("{}[]", item.name()),
        }
    }

    /// A column of this type, with the mark where the Arrow type alone would lose it.
    #[must_use]
    pub fn field(&self, name: &str, nullable: bool) -> Field {
        let field = Field::new(name, self.data_type(), nullable);
        match self {
            Self::Jsonb => field.with_metadata(mark("jsonb")),
            Self::Name => field.with_metadata(mark("name")),
            Self::Char => field.with_metadata(mark("char")),
            Self::Oid => field.with_metadata(mark("oid")),
            _ => field,
        }
    }
}

fn mark(name: &str) -> HashMap<String, String> {
    HashMap::from([(SQL_TYPE.to_owned(), name.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_from_its_field() {
        for t in [
            SqlType::Bool,
            SqlType::Int8,
            SqlType::Numeric,
            SqlType::Text,
            SqlType::Oid,
            SqlType::Name,
            SqlType::Char,
            SqlType::Bytea,
            SqlType::Date,
            SqlType::Time,
            SqlType::Timestamp,
            SqlType::TimestampTz,
            SqlType::Interval,
            SqlType::Jsonb,
            SqlType::Array(Box::new(SqlType::Text)),
        ] {
            assert_eq!(SqlType::of(&t.field("c", true)), t);
        }
    }
}
