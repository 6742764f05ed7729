//! `pg_class`: tables, views, the indexes of keys, and the catalog's own relations.

use super::Value;
use super::builder::Builder;
use super::oid::{BTREE, HEAP, OWNER};
use super::snapshot::{Snapshot, Table};

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in &snapshot.tables {
        let has_index = table.constraints.iter().any(|constraint| constraint.index().is_some());
        row(
            out,
            &Relation {
                oid: table.oid,
                row_type: table.row_type,
                namespace: table.namespace,
                name: &table.info.name,
                kind: table.kind(),
                columns: table.info.columns.len(),
                has_index,
            },
        );
        indexes(table, out);
    }
    for system in &snapshot.system {
        row(
            out,
            &Relation {
                oid: system.relation.oid,
                row_type: 0,
                namespace: system.namespace,
                name: system.relation.name,
                kind: system.relation.kind,
                columns: system.relation.columns.len(),
                has_index: false,
            },
        );
    }
}

fn indexes(table: &Table, out: &mut Builder<'_>) {
    for constraint in &table.constraints {
        let Some(oid) = constraint.index() else { continue };
        row(
            out,
            &Relation {
                oid,
                row_type: 0,
                namespace: table.namespace,
                name: &constraint.name,
                kind: "i",
                columns: constraint.columns.len(),
                has_index: false,
            },
        );
    }
}

struct Relation<'a> {
    oid: i64,
    row_type: i64,
    namespace: i64,
    name: &'a str,
    kind: &'static str,
    columns: usize,
    has_index: bool,
}

fn row(out: &mut Builder<'_>, relation: &Relation<'_>) {
    let method = match relation.kind {
        "r" => HEAP,
        "i" => BTREE,
        _ => 0,
    };
    out.row([
        ("oid", relation.oid.into()),
        ("relname", relation.name.into()),
        ("relnamespace", relation.namespace.into()),
        ("reltype", relation.row_type.into()),
        ("relowner", OWNER.into()),
        ("relam", method.into()),
        ("relfilenode", if relation.kind == "v" { 0 } else { relation.oid }.into()),
        // Never analysed: what PostgreSQL says of a table that it knows nothing of.
        ("reltuples", Value::Float(-1.0)),
        ("relhasindex", relation.has_index.into()),
        ("relpersistence", "p".into()),
        ("relkind", relation.kind.into()),
        ("relnatts", i64::try_from(relation.columns).unwrap_or_default().into()),
        ("relhasrules", (relation.kind == "v").into()),
        // Or once had some, which lets psql look for foreign keys without anybody asking for every form first.
        ("relhastriggers", (relation.kind == "r" && relation.row_type != 0).into()),
        ("relispopulated", true.into()),
        // No replication: views and indexes have `n`, tables the default.
        ("relreplident", if relation.kind == "r" { "d" } else { "n" }.into()),
    ]);
}
