//! `format_type`, and the names of types.

use super::registered::parts;
use super::scalar::Function;
use super::text::quote_ident;
use crate::engine::pg_catalog::{PG_CATALOG, Snapshot, TYPES, Value, type_named};

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
    ("varbit", "bit varying"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
];

pub(super) const FUNCTIONS: &[Function] = &[Function::lenient("format_type", "text", |snapshot, args| {
    let modifier = args.get(1).and_then(Value::int);
    Ok(args.first().and_then(Value::int).map(|oid| sql_name(snapshot, oid, modifier)).into())
})];

/// The name of a type of PostgreSQL's own.
pub(crate) fn type_text(oid: i64) -> String {
    sql_name(&Snapshot::default(), oid, None)
}

/// The name of a type as SQL has it, with its modifier where it has one.
pub(super) fn sql_name(snapshot: &Snapshot, oid: i64, modifier: Option<i64>) -> String {
    let Some(found) = TYPES.get(&oid) else { return row_name(snapshot, oid) };
    if found.item != 0 {
        return format!("{}[]", sql_name(snapshot, found.item, modifier));
    }
    if found.namespace != PG_CATALOG && !snapshot.shows_type(found.namespace, found.name) {
        return format!("information_schema.{}", quote_ident(found.name));
    }
    // A modifier that says nothing makes `char` and `bit` the types of any length.
    match (found.name, modifier) {
        ("bpchar", Some(m)) if m < 4 => return "bpchar".into(),
        ("bit", Some(m)) if m < 0 => return "\"bit\"".into(),
        _ => {}
    }
    let name = SQL_NAMES.iter().find(|(name, _)| *name == found.name).map_or(found.name, |(_, sql)| *sql);
    match (found.name, modifier.filter(|m| *m >= 0)) {
        // These modifiers count their own four bytes: `pg_attribute.atttypmod`.
        ("varchar" | "bpchar", Some(m)) if m >= 4 => format!("{name}({})", m - 4),
        ("numeric", Some(m)) if m >= 4 => format!("{name}({},{})", (m - 4) >> 16, (m - 4) & 0x7ff),
        ("time" | "timetz" | "timestamp" | "timestamptz", Some(m)) => {
            let (word, zone) = name.split_once(' ').unwrap_or((name, ""));
            format!("{word}({m}) {zone}")
        }
        ("bit" | "varbit", Some(m)) => format!("{name}({m})"),
        _ => name.to_owned(),
    }
}

/// The name of the type of a table's rows.
fn row_name(snapshot: &Snapshot, oid: i64) -> String {
    let found = snapshot.tables.iter().find(|table| table.row_type == oid || table.row_array == oid);
    let Some(table) = found else {
        return if oid == 0 { "-".into() } else { "???".into() };
    };
    let mut name = quote_ident(&table.info.name);
    if !snapshot.shows_type(table.namespace, &table.info.name) {
        name = format!("{}.{name}", quote_ident(&table.info.schema));
    }
    if table.row_array == oid { format!("{name}[]") } else { name }
}

/// The oid of a type by its name in SQL or in `pg_type`, in any case, with `[]` for arrays.
pub(super) fn oid_of(snapshot: &Snapshot, name: &str) -> Option<i64> {
    let exact = name.trim();
    // `"pg_catalog"."int4"`: a name in quotes is one in `pg_type`.
    if let [(schema, _), (name, true)] = parts(exact.trim_end_matches("[]")).as_slice()
        && matches!(schema.as_str(), "pg_catalog" | "information_schema")
    {
        let item = type_named(name);
        let array = |oid: i64| TYPES.get(&oid).map(|found| found.array).filter(|array| *array != 0);
        return if exact.ends_with("[]") { item.and_then(array) } else { item };
    }
    let lower = exact.to_ascii_lowercase();
    let bare = lower.strip_prefix("pg_catalog.").or(lower.strip_prefix("information_schema."));
    let name = without_modifier(bare.unwrap_or(&lower));
    if let Some(item) = name.strip_suffix("[]") {
        let item = oid_of(snapshot, item)?;
        return TYPES.get(&item).map(|found| found.array).filter(|array| *array != 0);
    }
    let name = match name.as_str() {
        "int" => "int4",
        "decimal" | "dec" => "numeric",
        "float" => "float8",
        // To SQL, `char` is another type than `"char"`.
        "char" => "bpchar",
        other => SQL_NAMES.iter().find(|(_, sql)| *sql == other).map_or(other, |(name, _)| *name),
    };
    type_named(name.trim_matches('"')).or_else(|| row_type(snapshot, exact))
}

/// `numeric(10,2)` is `numeric`, `timestamp(3) with time zone` is `timestamp with time zone`.
fn without_modifier(name: &str) -> String {
    match (name.find('('), name.find(')')) {
        (Some(start), Some(end)) if start < end => {
            let after = name.get(end + 1..).unwrap_or_default();
            format!("{}{after}", name.get(..start).unwrap_or_default().trim_end())
        }
        _ => name.trim().to_owned(),
    }
}

fn row_type(snapshot: &Snapshot, name: &str) -> Option<i64> {
    let is_array = name.ends_with("[]");
    let oid = super::registered::relation_oid(snapshot, name.trim_end_matches("[]"))?;
    let table = snapshot.table(oid)?;
    Some(if is_array { table.row_array } else { table.row_type })
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
            (1184, Some(3), "timestamp(3) with time zone"),
            (1043, Some(24), "character varying(20)"),
            (1042, None, "character"),
            (1042, Some(-1), "bpchar"),
            (1042, Some(5), "character(1)"),
            (1700, Some(655_366), "numeric(10,2)"),
            (18, None, "\"char\""),
            (22, None, "int2vector"),
            (13_226, None, "information_schema.sql_identifier"),
            (0, None, "-"),
            (999_999, None, "???"),
        ] {
            assert_eq!(sql_name(&Snapshot::default(), oid, modifier), name);
        }
    }

    #[test]
    fn names_find_their_type() {
        for (name, oid) in [
            ("text", 25),
            ("int", 23),
            ("bigint", 20),
            ("pg_catalog.int4", 23),
            ("text[]", 1009),
            ("char", 1042),
            ("\"char\"", 18),
            ("numeric(10, 2)", 1700),
            ("timestamp(3) with time zone", 1184),
            ("information_schema.yes_or_no", 13_234),
            ("int4range", 3904),
            ("\"pg_catalog\".\"int8\"", 20),
            ("\"pg_catalog\".\"_text\"", 1009),
        ] {
            assert_eq!(oid_of(&Snapshot::default(), name), Some(oid), "{name}");
        }
        assert_eq!(oid_of(&Snapshot::default(), "nosuch"), None);
    }
}
