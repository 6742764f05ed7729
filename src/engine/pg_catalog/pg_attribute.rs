//! `pg_attribute`: the columns of tables, views and indexes, and of the catalog's own relations.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Value;
use super::column::type_oid;
use super::relation::Builder;
use super::snapshot::Snapshot;

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in &snapshot.tables {
        for (number, column) in (1..).zip(&table.info.columns) {
            row(out, table.oid, &column.name, number, type_oid(&column.sql_type), !column.nullable);
        }
        for constraint in &table.constraints {
            let Some(index) = constraint.index() else { continue };
            let columns = constraint.columns.iter().filter_map(|number| {
                let position = usize::try_from(*number).ok()?.checked_sub(1)?;
                table.info.columns.get(position)
            });
            for (number, column) in (1..).zip(columns) {
                row(out, index, &column.name, number, type_oid(&column.sql_type), false);
            }
        }
    }
    for system in &snapshot.system {
        for (number, column) in (1..).zip(&system.relation.columns) {
            row(out, system.oid, column.name, number, column.type_oid, column.not_null);
        }
    }
}

/// What `pg_attribute` repeats of `pg_type`.
struct TypeFacts {
    length: i64,
    by_value: bool,
    align: &'static str,
    storage: &'static str,
    collation: i64,
    is_array: bool,
}

static TYPES: LazyLock<HashMap<i64, TypeFacts>> = LazyLock::new(|| {
    let mut lines = include_str!("../../../sql/pg_catalog/pg_type.csv").lines();
    let names: Vec<_> = lines.next().unwrap_or_default().split('|').collect();
    let facts = |line: &'static str| {
        let cells: Vec<_> = line.split('|').collect();
        let cell = |name: &str| {
            let position = names.iter().position(|known| *known == name);
            position.and_then(|position| cells.get(position).copied()).unwrap_or_default()
        };
        let number = |name: &str| cell(name).parse().unwrap_or_default();
        let facts = TypeFacts {
            length: number("typlen"),
            by_value: cell("typbyval") == "t",
            align: cell("typalign"),
            storage: cell("typstorage"),
            collation: number("typcollation"),
            is_array: cell("typcategory") == "A",
        };
        (number("oid"), facts)
    };
    lines.map(facts).collect()
});

fn row(out: &mut Builder<'_>, relation: i64, name: &str, number: i64, type_oid: i64, not_null: bool) {
    let facts = TYPES.get(&type_oid);
    let text = |of: fn(&TypeFacts) -> &'static str| Value::from(facts.map_or("", of));
    out.row([
        ("attrelid", relation.into()),
        ("attname", name.into()),
        ("atttypid", type_oid.into()),
        ("attstattarget", Value::Int(-1)),
        ("attlen", facts.map_or(-1, |facts| facts.length).into()),
        ("attnum", number.into()),
        ("attndims", i64::from(facts.is_some_and(|facts| facts.is_array)).into()),
        ("attcacheoff", Value::Int(-1)),
        ("atttypmod", Value::Int(-1)),
        ("attbyval", facts.is_some_and(|facts| facts.by_value).into()),
        ("attalign", text(|facts| facts.align)),
        ("attstorage", text(|facts| facts.storage)),
        ("attnotnull", not_null.into()),
        ("attislocal", true.into()),
        ("attcollation", facts.map_or(0, |facts| facts.collation).into()),
    ]);
}
