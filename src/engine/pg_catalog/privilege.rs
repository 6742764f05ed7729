//! Roles and grants of `information_schema`: who sees a table may read it.

use super::Value;
use super::builder::Builder;
use super::pg_roles::owner;
use super::snapshot::{Snapshot, Table};

pub(super) fn enabled_roles(snapshot: &Snapshot, out: &mut Builder<'_>) {
    out.row([("role_name", snapshot.current_user.as_str().into())]);
}

fn grant(snapshot: &Snapshot, table: &Table) -> [(&'static str, Value); 7] {
    [
        ("grantor", owner(snapshot).into()),
        ("grantee", snapshot.current_user.as_str().into()),
        ("table_catalog", snapshot.database.as_str().into()),
        ("table_schema", table.info.schema.as_str().into()),
        ("table_name", table.info.name.as_str().into()),
        ("privilege_type", "SELECT".into()),
        ("is_grantable", "NO".into()),
    ]
}

pub(super) fn tables(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in &snapshot.tables {
        out.row(grant(snapshot, table).into_iter().chain([("with_hierarchy", "YES".into())]));
    }
}

pub(super) fn columns(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in &snapshot.tables {
        for column in &table.info.columns {
            let name = ("column_name", column.name.as_str().into());
            out.row(grant(snapshot, table).into_iter().chain([name]));
        }
    }
}
