//! `pg_stat_...` and `pg_statio_...`: every table and index is there, with nothing counted; and the one session.

use super::Value;
use super::builder::Builder;
use super::oid::{DATABASE, OWNER};
use super::snapshot::Snapshot;

pub(super) fn tables(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in snapshot.tables.iter().filter(|table| table.kind() == "r") {
        out.counted([
            ("relid", table.oid.into()),
            ("schemaname", table.info.schema.as_str().into()),
            ("relname", table.info.name.as_str().into()),
        ]);
    }
}

pub(super) fn indexes(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        let Some(index) = constraint.index() else { continue };
        out.counted([
            ("relid", table.oid.into()),
            ("indexrelid", index.into()),
            ("schemaname", table.info.schema.as_str().into()),
            ("relname", table.info.name.as_str().into()),
            ("indexrelname", constraint.name.as_str().into()),
        ]);
    }
}

pub(super) fn databases(snapshot: &Snapshot, out: &mut Builder<'_>) {
    out.counted([
        ("datid", DATABASE.into()),
        ("datname", snapshot.database.as_str().into()),
        ("numbackends", Value::Int(1)),
    ]);
}

/// The session that asks; no other is told of.
pub(super) fn activity(snapshot: &Snapshot, out: &mut Builder<'_>) {
    let name = snapshot.settings.as_ref().and_then(|settings| settings.show("application_name"));
    out.row([
        ("datid", DATABASE.into()),
        ("datname", snapshot.database.as_str().into()),
        ("pid", snapshot.pid.into()),
        ("usesysid", OWNER.into()),
        ("usename", snapshot.current_user.as_str().into()),
        ("application_name", name.unwrap_or_default().into()),
        ("state", "active".into()),
        ("backend_type", "client backend".into()),
    ]);
}

pub(super) fn available_extensions(_: &Snapshot, out: &mut Builder<'_>) {
    out.row([
        ("name", "plpgsql".into()),
        ("default_version", "1.0".into()),
        ("installed_version", "1.0".into()),
        ("comment", "PL/pgSQL procedural language".into()),
    ]);
}
