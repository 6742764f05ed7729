//! `format_type`, and the names of types.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::scalar::Function;
use crate::engine::pg_catalog::Value;

/// A type as `pg_type` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PgType {
    /// `pg_type.typname`.
    pub(super) name: &'static str,
    /// For an array, the type of its items; else 0.
    pub(super) item: i64,
}

/// The types by oid.
pub(super) static TYPES: LazyLock<HashMap<i64, PgType>> = LazyLock::new(|| {
    let mut lines = include_str!("../../../sql/pg_catalog/pg_type.csv").lines();
    let names: Vec<_> = lines.next().unwrap_or_default().split('|').collect();
    let position = |name: &str| names.iter().position(|known| *known == name).unwrap_or_default();
    let (oid, name, item, category) =
        (position("oid"), position("typname"), position("typelem"), position("typcategory"));
    let read = |line: &'static str| {
        let cells: Vec<_> = line.split('|').collect();
        let cell = |position: usize| cells.get(position).copied().unwrap_or_default();
        let is_array = cell(category) == "A" && cell(name).starts_with('_');
        let item = if is_array { cell(item).parse().unwrap_or_default() } else { 0 };
        Some((cell(oid).parse().ok()?, PgType { name: cell(name), item }))
    };
    lines.filter_map(read).collect()
});

/// Types whose name in SQL is not their name in `pg_type`.
const SQL_NAMES: &[(&str, &str)] = &[
    ("bool", "boolean"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("char", "\"char\""),
    ("bpchar", "character"),
    ("varchar", "character varying"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
];

pub(super) const FUNCTIONS: &[Function] = &[Function::lenient("format_type", "text", |_, args| {
    Ok(args.first().and_then(Value::int).map(|oid| sql_name(oid, args.get(1).and_then(Value::int))).into())
})];

/// The name of a type as SQL has it, with its modifier where it has one.
pub(super) fn sql_name(oid: i64, modifier: Option<i64>) -> String {
    let Some(found) = TYPES.get(&oid) else {
        return if oid == 0 { "-".into() } else { "???".into() };
    };
    if found.item != 0 {
        return format!("{}[]", sql_name(found.item, modifier));
    }
    let name = SQL_NAMES.iter().find(|(name, _)| *name == found.name).map_or(found.name, |(_, sql)| *sql);
    match (found.name, modifier.filter(|m| *m >= 4)) {
        // The modifier counts its own four bytes: `pg_attribute.atttypmod`.
        ("varchar" | "bpchar", Some(m)) => format!("{name}({})", m - 4),
        ("numeric", Some(m)) => format!("{name}({},{})", (m - 4) >> 16, (m - 4) & 0xffff),
        _ => name.to_owned(),
    }
}

/// The oid of a type by its name in SQL or in `pg_type`, in any case, with `[]` for arrays.
pub(super) fn oid_of(name: &str) -> Option<i64> {
    let name = name.trim().to_ascii_lowercase();
    let name = name.strip_prefix("pg_catalog.").unwrap_or(&name);
    let name = name.split('(').next().unwrap_or(name).trim();
    if let Some(item) = name.strip_suffix("[]") {
        let item = oid_of(item)?;
        return TYPES.iter().find(|(_, found)| found.item == item).map(|(oid, _)| *oid);
    }
    let name = match name {
        "int" => "int4",
        "decimal" => "numeric",
        "float" => "float8",
        other => SQL_NAMES.iter().find(|(_, sql)| *sql == other).map_or(other, |(name, _)| *name),
    };
    let name = name.trim_matches('"');
    TYPES.iter().find(|(_, found)| found.name == name).map(|(oid, _)| *oid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_their_names_in_sql() {
        for (oid, modifier, name) in [
            (20, None, "bigint"),
            (25, Some(-1), "text"),
            (1009, Some(-1), "text[]"),
            (1184, None, "timestamp with time zone"),
            (1043, Some(24), "character varying(20)"),
            (1700, Some(655_366), "numeric(10,2)"),
            (18, None, "\"char\""),
            (22, None, "int2vector"),
            (0, None, "-"),
            (999_999, None, "???"),
        ] {
            assert_eq!(sql_name(oid, modifier), name);
        }
    }

    #[test]
    fn names_find_their_type() {
        for (name, oid) in
            [("text", 25), ("int", 23), ("bigint", 20), ("pg_catalog.int4", 23), ("text[]", 1009)]
        {
            assert_eq!(oid_of(name), Some(oid), "{name}");
        }
        assert_eq!(oid_of("nosuch"), None);
    }
}
