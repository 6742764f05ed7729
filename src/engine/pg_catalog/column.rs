//! The columns of the catalog's relations, read from the lists in `sql/pg_catalog`.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

use super::Value;
use crate::engine::SqlType;
use crate::table::SQL_TYPE;

/// A column of a catalog relation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: &'static str,
    /// The oid of its type.
    pub(crate) type_oid: i64,
    /// Never NULL.
    pub(crate) not_null: bool,
    word: &'static str,
}

/// The words for types in the lists, with their oids (`pg_type.dat` of PostgreSQL).
const WORDS: &[(&str, i64)] = &[
    ("bool", 16),
    ("bool[]", 1000),
    ("bytea", 17),
    ("char", 18),
    ("char[]", 1002),
    ("name", 19),
    ("name[]", 1003),
    ("int8", 20),
    ("int2", 21),
    ("int2[]", 1005),
    ("int2vector", 22),
    ("int4", 23),
    ("regproc", 24),
    ("text", 25),
    ("text[]", 1009),
    ("oid", 26),
    ("oid[]", 1028),
    ("oidvector", 30),
    ("float4", 700),
    ("float4[]", 1021),
    ("float8", 701),
    ("float8[]", 1022),
    ("timestamptz", 1184),
    ("interval", 1186),
    ("numeric", 1700),
    ("regclass", 2205),
    ("regtype", 2206),
];

impl Column {
    /// From `name type` or `name type!`; the mark says NOT NULL.
    fn parse(text: &'static str) -> Option<Self> {
        let (name, word) = text.trim().split_once(' ')?;
        let (word, not_null) = word.strip_suffix('!').map_or((word, false), |word| (word, true));
        let (_, type_oid) = WORDS.iter().find(|(known, _)| *known == word)?;
        Some(Self { name, type_oid: *type_oid, not_null, word })
    }

    /// As a column of a table. The mark tells what Arrow's type does not.
    pub(crate) fn field(&self) -> Field {
        typed(self.name, self.word)
    }

    /// What a row has where it says nothing.
    pub(super) fn default(&self) -> Value {
        match self.word {
            _ if !self.not_null => Value::Null,
            "bool" => Value::Bool(false),
            "text" | "name" | "char" => Value::Text(String::new()),
            "float4" | "float8" => Value::Float(0.0),
            word if word.ends_with("[]") || word.ends_with("vector") => Value::List(vec![]),
            _ => Value::Int(0),
        }
    }

    /// The column's value from its text in a list of rows.
    pub(super) fn read(&self, text: &str) -> Value {
        match self.word {
            _ if text.is_empty() && !self.not_null => Value::Null,
            "bool" => Value::Bool(text == "t"),
            "text" | "name" | "char" => Value::Text(text.to_owned()),
            "float4" | "float8" => Value::Float(text.parse().unwrap_or_default()),
            word if word.ends_with("[]") || word.ends_with("vector") => {
                Value::List(text.split(' ').filter_map(|item| item.parse().ok()).map(Value::Int).collect())
            }
            _ => Value::Int(text.parse().unwrap_or_default()),
        }
    }
}

/// A nullable field of the type that a word names; text where no word is known.
pub(crate) fn typed(name: &str, word: &str) -> Field {
    if let Some(item) = word.strip_suffix("[]") {
        return Field::new(name, DataType::new_list(data_type(item), true), true);
    }
    let field = Field::new(name, data_type(word), true);
    match word {
        "name" | "char" | "oid" | "jsonb" | "json" | "uuid" | "regproc" | "regclass" | "regtype"
        | "regnamespace" | "regrole" | "int2vector" | "oidvector" => {
            field.with_metadata(HashMap::from([(SQL_TYPE.to_owned(), word.to_owned())]))
        }
        _ => field,
    }
}

fn data_type(word: &str) -> DataType {
    match word {
        "bool" => DataType::Boolean,
        "bytea" => DataType::Binary,
        "int2" => DataType::Int16,
        "int4" => DataType::Int32,
        "float4" => DataType::Float32,
        "float8" => DataType::Float64,
        "int8" | "oid" | "regproc" | "regclass" | "regtype" | "regnamespace" | "regrole" => DataType::Int64,
        "numeric" => SqlType::Numeric.data_type(),
        "timestamptz" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "interval" => DataType::Interval(IntervalUnit::MonthDayNano),
        "int2vector" => DataType::new_list(DataType::Int16, true),
        "oidvector" => DataType::new_list(DataType::Int64, true),
        _ => DataType::Utf8,
    }
}

/// Reads a list of relations: `name(column type, column type!, ...)`, one after the other.
pub(super) fn relations(list: &'static str) -> Vec<(&'static str, Vec<Column>)> {
    let relation = |text: &'static str| {
        let (name, columns) = text.trim().split_once('(')?;
        Some((name, columns.split(',').filter_map(Column::parse).collect()))
    };
    list.split(')').filter_map(relation).collect()
}

/// The oid of the type that a column of a user's table has.
pub(crate) fn type_oid(sql_type: &SqlType) -> i64 {
    match sql_type {
        SqlType::Bool => 16,
        SqlType::Bytea => 17,
        SqlType::Char => 18,
        SqlType::Name => 19,
        SqlType::Int8 => 20,
        SqlType::Int2 => 21,
        SqlType::Int4 => 23,
        SqlType::Text | SqlType::Unknown => 25,
        SqlType::Oid => 26,
        SqlType::Float4 => 700,
        SqlType::Float8 => 701,
        SqlType::Date => 1082,
        SqlType::Time => 1083,
        SqlType::Timestamp => 1114,
        SqlType::TimestampTz => 1184,
        SqlType::Interval => 1186,
        SqlType::Numeric => 1700,
        SqlType::Jsonb => 3802,
        SqlType::Json => 114,
        SqlType::Uuid => 2950,
        SqlType::Varchar => 1043,
        SqlType::Bpchar => 1042,
        SqlType::Int2Vector => 22,
        SqlType::OidVector => 30,
        SqlType::Array(item) => array_oid(item),
    }
}

fn array_oid(item: &SqlType) -> i64 {
    match item {
        SqlType::Bool => 1000,
        SqlType::Bytea => 1001,
        SqlType::Char => 1002,
        SqlType::Name => 1003,
        SqlType::Int2 => 1005,
        SqlType::Int4 => 1007,
        SqlType::Int8 => 1016,
        SqlType::Float4 => 1021,
        SqlType::Float8 => 1022,
        SqlType::Oid => 1028,
        SqlType::Timestamp => 1115,
        SqlType::Date => 1182,
        SqlType::Time => 1183,
        SqlType::TimestampTz => 1185,
        SqlType::Interval => 1187,
        SqlType::Numeric => 1231,
        SqlType::Jsonb => 3807,
        SqlType::Json => 199,
        SqlType::Uuid => 2951,
        SqlType::Varchar => 1015,
        SqlType::Bpchar => 1014,
        SqlType::Int2Vector => 1006,
        SqlType::OidVector => 1013,
        SqlType::Array(item) => array_oid(item),
        SqlType::Text | SqlType::Unknown => 1009,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_the_lists_is_read() {
        for list in [super::super::relation::PG_CATALOG, super::super::relation::INFORMATION_SCHEMA] {
            let words = list.matches(',').count() + list.matches('(').count();
            let columns: usize = relations(list).iter().map(|(_, columns)| columns.len()).sum();
            assert_eq!(columns, words, "a type word is not known");
        }
    }
}
