//! `pg_type`: PostgreSQL's own types, and one type for the rows of each table and view.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Value;
use super::builder::Builder;
use super::oid::OWNER;
use super::rows;
use super::snapshot::Snapshot;
use crate::engine::SqlType;

/// PostgreSQL's types that have no rows.
pub(super) const LIST: &str = include_str!("../../../sql/pg_catalog/pg_type.tsv");

/// A type as `pg_type` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PgType {
    /// `typname`
    pub(crate) name: &'static str,
    /// For an array with braces, the type of its items; else 0.
    pub(crate) item: i64,
    /// The array of it; 0 where there is none.
    pub(crate) array: i64,
    /// `typnamespace`
    pub(crate) namespace: i64,
    /// For a domain, the type beneath.
    pub(crate) base: i64,
    pub(super) length: i64,
    pub(super) by_value: bool,
    pub(super) align: &'static str,
    pub(super) storage: &'static str,
    pub(super) collation: i64,
}

/// The types by oid.
pub(crate) static TYPES: LazyLock<HashMap<i64, PgType>> = LazyLock::new(|| {
    let (names, rows) = rows::read(LIST);
    let position = |name: &str| names.iter().position(|known| *known == name).unwrap_or_default();
    let places = [
        "oid",
        "typname",
        "typelem",
        "typarray",
        "typnamespace",
        "typbasetype",
        "typlen",
        "typbyval",
        "typalign",
        "typstorage",
        "typcollation",
        "typcategory",
    ]
    .map(position);
    let read = |row: Vec<Option<&'static str>>| {
        let [oid, name, item, array, namespace, base, length, by_value, align, storage, collation, category] =
            places.map(|place| row.get(place).copied().flatten().unwrap_or_default());
        let number = |text: &str| text.parse::<i64>().unwrap_or_default();
        let is_array = category == "A" && name.starts_with('_');
        let found = PgType {
            name,
            item: if is_array { number(item) } else { 0 },
            array: number(array),
            namespace: number(namespace),
            base: number(base),
            length: number(length),
            by_value: by_value == "t",
            align,
            storage,
            collation: number(collation),
        };
        (number(oid), found)
    };
    rows.into_iter().map(read).collect()
});

/// The oids by name, of types in `pg_catalog` and `information_schema`.
static OIDS: LazyLock<HashMap<&'static str, i64>> =
    LazyLock::new(|| TYPES.iter().map(|(oid, found)| (found.name, *oid)).collect());

/// The oid of a type by its name in `pg_type`.
pub(crate) fn named(name: &str) -> Option<i64> {
    OIDS.get(name).copied()
}

/// The oid of the type that a column of a user's table has.
pub(crate) fn type_oid(sql_type: &SqlType) -> i64 {
    named(&type_name(sql_type)).unwrap_or(25)
}

/// The name in `pg_type` of the type that a column of a user's table has.
pub(super) fn type_name(sql_type: &SqlType) -> String {
    match sql_type {
        SqlType::Array(item) => format!("_{}", type_name(item)),
        SqlType::Bool => "bool".into(),
        SqlType::Char => "char".into(),
        SqlType::Int2 => "int2".into(),
        SqlType::Int4 => "int4".into(),
        SqlType::Int8 => "int8".into(),
        SqlType::Float4 => "float4".into(),
        SqlType::Float8 => "float8".into(),
        SqlType::Time => "time".into(),
        SqlType::Timestamp => "timestamp".into(),
        SqlType::TimestampTz => "timestamptz".into(),
        SqlType::Varchar => "varchar".into(),
        SqlType::Bpchar => "bpchar".into(),
        other => other.name(),
    }
}

/// The types of rows: of a table `t`, `t` and its array `_t`.
pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in &snapshot.tables {
        let name = table.info.name.as_str();
        let shared = |oid: i64, name: String| {
            [
                ("oid", oid.into()),
                ("typname", name.into()),
                ("typnamespace", table.namespace.into()),
                ("typowner", OWNER.into()),
                ("typlen", Value::Int(-1)),
                ("typisdefined", true.into()),
                ("typdelim", ",".into()),
                ("typalign", "d".into()),
                ("typstorage", "x".into()),
                ("typtypmod", Value::Int(-1)),
            ]
        };
        // record_in, record_out, record_recv, record_send.
        let own = [
            ("typtype", "c".into()),
            ("typcategory", "C".into()),
            ("typrelid", table.oid.into()),
            ("typarray", table.row_array.into()),
            ("typinput", Value::Int(2290)),
            ("typoutput", Value::Int(2291)),
            ("typreceive", Value::Int(2402)),
            ("typsend", Value::Int(2403)),
        ];
        out.row(shared(table.row_type, name.to_owned()).into_iter().chain(own));
        // array_subscript_handler, array_in, array_out, array_recv, array_send, array_typanalyze.
        let array = [
            ("typtype", "b".into()),
            ("typcategory", "A".into()),
            ("typsubscript", Value::Int(6179)),
            ("typelem", table.row_type.into()),
            ("typinput", Value::Int(750)),
            ("typoutput", Value::Int(751)),
            ("typreceive", Value::Int(2400)),
            ("typsend", Value::Int(2401)),
            ("typanalyze", Value::Int(3816)),
        ];
        out.row(shared(table.row_array, format!("_{name}")).into_iter().chain(array));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_a_column_can_have_is_there() {
        for t in [
            SqlType::Bool,
            SqlType::Int2,
            SqlType::Int4,
            SqlType::Int8,
            SqlType::Float4,
            SqlType::Float8,
            SqlType::Numeric,
            SqlType::Text,
            SqlType::Name,
            SqlType::Char,
            SqlType::Oid,
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
        ] {
            let oid = type_oid(&t);
            assert_eq!(TYPES.get(&oid).unwrap().name, type_name(&t));
            let array = type_oid(&SqlType::Array(Box::new(t)));
            assert_eq!((TYPES[&array].item, TYPES[&oid].array), (oid, array));
        }
    }
}
