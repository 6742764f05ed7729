//! The type of a property in OData's words (CSDL 4.0, part 3, primitive types).

use crate::engine::SqlType;

/// A primitive type, or a collection of one. Text columns that hold JSON are strings: OData 4.0 has no type that
/// an old client would read for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edm {
    Binary,
    Boolean,
    Date,
    DateTimeOffset,
    Decimal,
    Double,
    Duration,
    Int16,
    Int32,
    Int64,
    Single,
    String,
    TimeOfDay,
    Collection(Box<Edm>),
}

impl Edm {
    /// The type in OData of a type in SQL.
    pub(super) fn of(sql_type: &SqlType) -> Self {
        match sql_type {
            SqlType::Bool => Self::Boolean,
            SqlType::Int2 => Self::Int16,
            SqlType::Int4 => Self::Int32,
            SqlType::Int8 | SqlType::Oid => Self::Int64,
            SqlType::Float4 => Self::Single,
            SqlType::Float8 => Self::Double,
            SqlType::Numeric => Self::Decimal,
            SqlType::Text
            | SqlType::Varchar
            | SqlType::Bpchar
            | SqlType::Name
            | SqlType::Char
            | SqlType::Jsonb
            | SqlType::Json
            | SqlType::Uuid
            | SqlType::Unknown => Self::String,
            SqlType::Bytea => Self::Binary,
            SqlType::Date => Self::Date,
            SqlType::Time => Self::TimeOfDay,
            SqlType::Timestamp | SqlType::TimestampTz => Self::DateTimeOffset,
            SqlType::Interval => Self::Duration,
            SqlType::Int2Vector => Self::Collection(Box::new(Self::Int16)),
            SqlType::OidVector => Self::Collection(Box::new(Self::Int64)),
            SqlType::Array(item) => Self::Collection(Box::new(Self::of(item))),
        }
    }

    /// A type in SQL that has this type in OData.
    pub(super) fn sql_type(&self) -> SqlType {
        match self {
            Self::Boolean => SqlType::Bool,
            Self::Int16 => SqlType::Int2,
            Self::Int32 => SqlType::Int4,
            Self::Int64 => SqlType::Int8,
            Self::Single => SqlType::Float4,
            Self::Double => SqlType::Float8,
            Self::Decimal => SqlType::Numeric,
            Self::String => SqlType::Text,
            Self::Binary => SqlType::Bytea,
            Self::Date => SqlType::Date,
            Self::TimeOfDay => SqlType::Time,
            Self::DateTimeOffset => SqlType::TimestampTz,
            Self::Duration => SqlType::Interval,
            Self::Collection(item) => SqlType::Array(Box::new(item.sql_type())),
        }
    }

    /// `Edm.String`, `Collection(Edm.String)` ...
    pub(super) fn name(&self) -> String {
        match self {
            Self::Collection(item) => format!("Collection({})", item.name()),
            other => format!("Edm.{other:?}"),
        }
    }

    /// The name after `#` in `@odata.type`, which leaves `Edm.` out.
    pub(super) fn annotation(&self) -> String {
        self.name().replace("Edm.", "")
    }

    /// Whether JSON alone says it, so that `@odata.type` is left out even with metadata=full.
    pub(super) fn is_plain_json(&self) -> bool {
        matches!(self, Self::Boolean | Self::Double | Self::String)
    }

    /// Numbers of any kind compare with each other.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int16 | Self::Int32 | Self::Int64 | Self::Decimal | Self::Double | Self::Single)
    }

    /// Whole numbers.
    pub(super) fn is_integer(&self) -> bool {
        matches!(self, Self::Int16 | Self::Int32 | Self::Int64)
    }

    /// Whether rows can be put in its order, and a page can begin after a value of it.
    pub(super) fn is_sortable(&self) -> bool {
        !matches!(self, Self::Collection(_) | Self::Binary | Self::Duration)
    }
}
