//! The standard's description of a type: its name, its precision, where it is from.

use super::information_schema::Cells;
use super::pg_type::TYPES;
use super::snapshot::Snapshot;
use super::{PG_CATALOG, Value};
use crate::engine::function::type_text;

/// 1 GiB, PostgreSQL's bound of a text in bytes.
const LONGEST_TEXT: i64 = 1 << 30;

/// The cells that describe a type; of a domain, those of the type beneath.
pub(super) fn described(snapshot: &Snapshot, oid: i64) -> Cells {
    let Some(found) = TYPES.get(&oid) else { return vec![] };
    let (base, base_oid) = match TYPES.get(&found.base) {
        Some(base) => (base, found.base),
        None => (found, oid),
    };
    let database = || Value::from(snapshot.database.as_str());
    let name = if base.item == 0 { type_text(base_oid) } else { "ARRAY".to_owned() };
    let mut cells = precision(base.name);
    cells.extend([
        ("data_type", name.into()),
        ("udt_catalog", database()),
        ("udt_schema", "pg_catalog".into()),
        ("udt_name", base.name.into()),
    ]);
    if base.collation == C {
        cells.extend([
            ("collation_catalog", database()),
            ("collation_schema", "pg_catalog".into()),
            ("collation_name", "C".into()),
        ]);
    }
    if found.base != 0 {
        let schema = if found.namespace == PG_CATALOG { "pg_catalog" } else { "information_schema" };
        cells.extend([
            ("domain_catalog", database()),
            ("domain_schema", schema.into()),
            ("domain_name", found.name.into()),
        ]);
    }
    cells
}

/// The collation `"C"`, which `name` has.
const C: i64 = 950;

/// The type of an array's items; `None` where it is no array.
pub(super) fn element(oid: i64) -> Option<i64> {
    TYPES.get(&oid).map(|found| found.item).filter(|item| *item != 0)
}

fn precision(name: &str) -> Cells {
    let of_number = |digits: Option<i64>, radix: i64, scale: Option<i64>| {
        vec![
            ("numeric_precision", digits.into()),
            ("numeric_precision_radix", radix.into()),
            ("numeric_scale", scale.into()),
        ]
    };
    match name {
        "int2" => of_number(Some(16), 2, Some(0)),
        "int4" => of_number(Some(32), 2, Some(0)),
        "int8" => of_number(Some(64), 2, Some(0)),
        "float4" => of_number(Some(24), 2, None),
        "float8" => of_number(Some(53), 2, None),
        "numeric" => of_number(None, 10, None),
        "date" => vec![("datetime_precision", Value::Int(0))],
        "time" | "timestamp" | "timestamptz" | "interval" => vec![("datetime_precision", Value::Int(6))],
        "text" | "varchar" | "bpchar" => vec![("character_octet_length", LONGEST_TEXT.into())],
        _ => vec![],
    }
}
