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
    /// `character varying`
    Varchar,
    /// `character`: without the blanks that fill it up.
    Bpchar,
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
    /// `json`: text as it was written.
    Json,
    /// `uuid`: text in lower case with its four hyphens.
    Uuid,
    /// `int2vector`: a list in the catalog, shown with blanks.
    Int2Vector,
    /// `oidvector`: likewise.
    OidVector,
    /// An array of one of the others.
    Array(Box<SqlType>),
    /// NULL of no type yet: text on the wire.
    Unknown,
}

/// The types that share their Arrow type with another, by their marks.
const MARKS: &[(&str, SqlType)] = &[
    ("jsonb", SqlType::Jsonb),
    ("json", SqlType::Json),
    ("uuid", SqlType::Uuid),
    ("name", SqlType::Name),
    ("char", SqlType::Char),
    ("varchar", SqlType::Varchar),
    ("bpchar", SqlType::Bpchar),
    ("oid", SqlType::Oid),
    ("int2vector", SqlType::Int2Vector),
    ("oidvector", SqlType::OidVector),
];

impl SqlType {
    /// The type of a result column.
    #[must_use]
    pub fn of(field: &Field) -> Self {
        let known = Self::of_data_type(field.data_type());
        match field.metadata().get(SQL_TYPE) {
            Some(mark) => known.marked(mark),
            None => known,
        }
    }

    /// The type that a mark tells; the mark of an array's column is its item's, with brackets. A mark that came along
    /// from a value of another kind (as casts bring it) says nothing.
    fn marked(self, mark: &str) -> Self {
        let marked = MARKS.iter().find(|(name, _)| *name == mark).map(|(_, marked)| marked);
        match (self, mark.strip_suffix("[]"), marked) {
            (Self::Array(item), Some(mark), _) => {
                let item = match *item {
                    deeper @ Self::Array(_) => deeper.marked(&format!("{mark}[]")),
                    item => item.marked(mark),
                };
                Self::Array(Box::new(item))
            }
            (known, None, Some(marked)) if marked.data_type() == known.data_type() => marked.clone(),
            (known, ..) => known,
        }
    }

    /// The mark of a type that its Arrow type does not tell.
    fn mark(&self) -> Option<String> {
        match self {
            Self::Array(item) if matches!(**item, Self::Array(_)) => item.mark(),
            Self::Array(item) => item.mark().map(|mark| format!("{mark}[]")),
            other => MARKS.iter().find(|(_, marked)| marked == other).map(|(name, _)| (*name).to_owned()),
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
            Self::Text
            | Self::Varchar
            | Self::Bpchar
            | Self::Name
            | Self::Char
            | Self::Jsonb
            | Self::Json
            | Self::Uuid
            | Self::Unknown => DataType::Utf8,
            Self::Int2Vector => DataType::new_list(DataType::Int16, true),
            Self::OidVector => DataType::new_list(DataType::Int64, true),
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
            Self::Varchar => "character varying".into(),
            Self::Bpchar => "character".into(),
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
            Self::Json => "json".into(),
            Self::Uuid => "uuid".into(),
            Self::Int2Vector => "int2vector".into(),
            Self::OidVector => "oidvector".into(),
            Self::Array(item) if matches!(**item, Self::Array(_)) => item.name(),
            Self::Array(item) => format!("{}[]", item.name()),
        }
    }

    /// A column of this type, with the mark where the Arrow type alone would lose it.
    #[must_use]
    pub fn field(&self, name: &str, nullable: bool) -> Field {
        let field = Field::new(name, self.data_type(), nullable);
        match self.mark() {
            Some(mark) => field.with_metadata(HashMap::from([(SQL_TYPE.to_owned(), mark)])),
            None => field,
        }
    }
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
            SqlType::Json,
            SqlType::Uuid,
            SqlType::Varchar,
            SqlType::Bpchar,
            SqlType::Int2Vector,
            SqlType::OidVector,
            SqlType::Array(Box::new(SqlType::Text)),
            SqlType::Array(Box::new(SqlType::Uuid)),
            SqlType::Array(Box::new(SqlType::Array(Box::new(SqlType::Jsonb)))),
        ] {
            assert_eq!(SqlType::of(&t.field("c", true)), t);
        }
    }

    #[test]
    fn a_mark_of_another_kind_of_value_says_nothing() {
        let field = SqlType::Uuid.field("c", true).with_data_type(DataType::Int64);
        assert_eq!(SqlType::of(&field), SqlType::Int8);
    }
}
