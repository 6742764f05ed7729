//! The columns of the catalog's relations, read from the lists in `sql/pg_catalog`.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

use super::Value;
use super::rows::items;
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
    /// The word for what its values are: that of a domain is the word of the type beneath.
    word: &'static str,
}

/// The words for types in the lists, with their oids (`pg_type.dat` of PostgreSQL).
const WORDS: &[(&str, i64)] = &[
    ("aclitem[]", 1034),
    ("anyarray", 2277),
    ("bool", 16),
    ("bool[]", 1000),
    ("bytea", 17),
    ("char", 18),
    ("char[]", 1002),
    ("float4", 700),
    ("float4[]", 1021),
    ("float8", 701),
    ("float8[]", 1022),
    ("inet", 869),
    ("int2", 21),
    ("int2[]", 1005),
    ("int2vector", 22),
    ("int4", 23),
    ("int8", 20),
    ("interval", 1186),
    ("name", 19),
    ("name[]", 1003),
    ("numeric", 1700),
    ("oid", 26),
    ("oid[]", 1028),
    ("oidvector", 30),
    ("pg_dependencies", 3402),
    ("pg_lsn", 3220),
    ("pg_mcv_list", 5017),
    ("pg_ndistinct", 3361),
    ("pg_node_tree", 194),
    ("regclass", 2205),
    ("regproc", 24),
    ("regtype", 2206),
    ("regtype[]", 2211),
    ("text", 25),
    ("text[]", 1009),
    ("timestamptz", 1184),
    ("varchar", 1043),
    ("xid", 28),
];

/// The domains of `information_schema`: their words, their oids as an initdb of PostgreSQL 15 gives them, and the
/// types beneath, which a client is told of.
const DOMAINS: &[(&str, i64, &str)] = &[
    ("cardinal_number", 13_221, "int4"),
    ("character_data", 13_224, "varchar"),
    ("sql_identifier", 13_226, "name"),
    ("time_stamp", 13_232, "timestamptz"),
    ("yes_or_no", 13_234, "varchar"),
];

impl Column {
    /// From `name type` or `name type!`; the mark says NOT NULL.
    fn parse(text: &'static str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (name, word) = (words.next()?, words.next()?);
        let (word, not_null) = word.strip_suffix('!').map_or((word, false), |word| (word, true));
        if let Some((_, type_oid, word)) = DOMAINS.iter().find(|(known, _, _)| *known == word) {
            return Some(Self { name, type_oid: *type_oid, not_null, word });
        }
        let (_, type_oid) = WORDS.iter().find(|(known, _)| *known == word)?;
        Some(Self { name, type_oid: *type_oid, not_null, word })
    }

    /// As a column of a table. The mark tells what Arrow's type does not.
    pub(crate) fn field(&self) -> Field {
        typed(self.name, self.word)
    }

    /// What a row has where it says nothing.
    pub(super) fn default(&self) -> Value {
        if self.not_null { self.zero() } else { Value::Null }
    }

    /// What a row of counters has where it says nothing.
    pub(super) fn counter(&self) -> Value {
        if matches!(self.word, "int8" | "float8") { self.zero() } else { self.default() }
    }

    fn zero(&self) -> Value {
        match self.word {
            "bool" => Value::Bool(false),
            "float4" | "float8" => Value::Float(0.0),
            word if is_list(word) => Value::List(vec![]),
            word if data_type(word) == DataType::Utf8 => Value::Text(String::new()),
            _ => Value::Int(0),
        }
    }

    /// The column's value from its text in a list of rows.
    pub(super) fn read(&self, text: &str) -> Value {
        match self.word {
            "bool" => Value::Bool(text == "t"),
            "float4" | "float8" => Value::Float(text.parse().unwrap_or_default()),
            word if is_list(word) => {
                let is_text = data_type(word.trim_end_matches("[]")) == DataType::Utf8;
                let item = |item: &str| match item.parse() {
                    Ok(number) if !is_text => Value::Int(number),
                    _ => item.into(),
                };
                Value::List(items(text).into_iter().map(item).collect())
            }
            word if data_type(word) == DataType::Utf8 => Value::Text(text.to_owned()),
            _ => text.parse().map_or(Value::Null, Value::Int),
        }
    }
}

fn is_list(word: &str) -> bool {
    word.ends_with("[]") || word.ends_with("vector")
}

/// A nullable field of the type that a word names; text where no word is known.
pub(crate) fn typed(name: &str, word: &str) -> Field {
    let field = Field::new(name, data_type(word), true);
    let plain = word.strip_suffix("[]").unwrap_or(word);
    match plain {
        "aclitem" | "anyarray" | "char" | "inet" | "int2vector" | "json" | "jsonb" | "name" | "oid"
        | "oidvector" | "pg_dependencies" | "pg_lsn" | "pg_mcv_list" | "pg_ndistinct" | "pg_node_tree"
        | "regclass" | "regcollation" | "regnamespace" | "regoper" | "regproc" | "regprocedure"
        | "regrole" | "regtype" | "uuid" | "varchar" | "void" | "xid" => {
            field.with_metadata(HashMap::from([(SQL_TYPE.to_owned(), word.to_owned())]))
        }
        _ => field,
    }
}

fn data_type(word: &str) -> DataType {
    if let Some(item) = word.strip_suffix("[]") {
        return DataType::new_list(data_type(item), true);
    }
    match word {
        "bool" => DataType::Boolean,
        "bytea" => DataType::Binary,
        "int2" => DataType::Int16,
        "int4" => DataType::Int32,
        "float4" => DataType::Float32,
        "float8" => DataType::Float64,
        "int8" | "oid" | "xid" | "regoper" | "regproc" | "regprocedure" | "regclass" | "regcollation"
        | "regtype" | "regnamespace" | "regrole" => DataType::Int64,
        "numeric" => SqlType::Numeric.data_type(),
        "timestamptz" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "interval" => DataType::Interval(IntervalUnit::MonthDayNano),
        "int2vector" => DataType::new_list(DataType::Int16, true),
        "oidvector" => DataType::new_list(DataType::Int64, true),
        _ => DataType::Utf8,
    }
}

/// A relation as its list has it.
pub(super) struct Listed {
    pub(super) name: &'static str,
    /// `r` or `v`, as in `pg_class.relkind`.
    pub(super) kind: &'static str,
    pub(super) oid: i64,
    pub(super) columns: Vec<Column>,
}

/// Reads a list of relations: `name kind oid(column type, column type!, ...)`, one after the other.
pub(super) fn relations(list: &'static str) -> Vec<Listed> {
    let relation = |text: &'static str| {
        let (head, columns) = text.trim().split_once('(')?;
        let mut words = head.split_whitespace();
        Some(Listed {
            name: words.next()?,
            kind: words.next()?,
            oid: words.next()?.parse().ok()?,
            columns: columns.split(',').filter_map(Column::parse).collect(),
        })
    };
    list.split(')').filter_map(relation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_the_lists_is_read() {
        for list in [super::super::relation::PG_CATALOG, super::super::relation::INFORMATION_SCHEMA] {
            let words = list.matches(',').count() + list.matches('(').count();
            let columns: usize = relations(list).iter().map(|listed| listed.columns.len()).sum();
            assert_eq!(columns, words, "a type word is not known");
        }
    }
}
