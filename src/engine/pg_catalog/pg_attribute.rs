//! `pg_attribute`: the columns of tables, views and indexes, and of the catalog's own relations.

use super::Value;
use super::builder::Builder;
use super::pg_type::{TYPES, type_oid};
use super::snapshot::Snapshot;

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in &snapshot.tables {
        if out.may_keep("attrelid", &table.oid.into()) {
            // PostgreSQL never says of a view's column that it is not NULL.
            let is_table = table.kind() == "r";
            for (number, column) in (1..).zip(&table.info.columns) {
                let not_null = is_table && !column.nullable;
                row(out, table.oid, &column.name, number, type_oid(&column.sql_type), not_null);
            }
        }
        for constraint in &table.constraints {
            let Some(index) = constraint.index() else { continue };
            if !out.may_keep("attrelid", &index.into()) {
                continue;
            }
            let columns = constraint.columns.iter().filter_map(|number| table.column_info(*number));
            for (number, column) in (1..).zip(columns) {
                row(out, index, &column.name, number, type_oid(&column.sql_type), false);
            }
        }
    }
    for system in &snapshot.system {
        if out.may_keep("attrelid", &system.relation.oid.into()) {
            for (number, column) in (1..).zip(&system.relation.columns) {
                row(out, system.relation.oid, column.name, number, column.type_oid, column.not_null);
            }
        }
    }
}

fn row(out: &mut Builder<'_>, relation: i64, name: &str, number: i64, type_oid: i64, not_null: bool) {
    let Some(facts) = TYPES.get(&type_oid) else { return };
    out.row([
        ("attrelid", relation.into()),
        ("attname", name.into()),
        ("atttypid", type_oid.into()),
        ("attstattarget", Value::Int(-1)),
        ("attlen", facts.length.into()),
        ("attnum", number.into()),
        ("attndims", i64::from(facts.item != 0).into()),
        ("attcacheoff", Value::Int(-1)),
        ("atttypmod", Value::Int(-1)),
        ("attbyval", facts.by_value.into()),
        ("attalign", facts.align.into()),
        ("attstorage", facts.storage.into()),
        ("attnotnull", not_null.into()),
        ("attislocal", true.into()),
        ("attcollation", facts.collation.into()),
    ]);
}
