//! `pg_stat_...` and `pg_statio_...`: every table and index is there, with nothing counted; and the sessions.

use chrono::{DateTime, Utc};

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
        ("numbackends", i64::try_from(snapshot.backends.count().max(1)).unwrap_or(i64::MAX).into()),
    ]);
}

/// The sessions behind a door. What another user's does is not told, nor, as everywhere, who that is.
pub(super) fn activity(snapshot: &Snapshot, out: &mut Builder<'_>) {
    let backends = snapshot.backends.seen_by(&snapshot.current_user);
    if !backends.iter().any(|backend| i64::from(backend.pid) == snapshot.pid) {
        // The session that asks has no client that others know.
        out.row([
            ("datid", DATABASE.into()),
            ("datname", snapshot.database.as_str().into()),
            ("pid", snapshot.pid.into()),
            ("usesysid", OWNER.into()),
            ("usename", snapshot.current_user.as_str().into()),
            ("state", "active".into()),
            ("backend_type", "client backend".into()),
        ]);
    }
    for backend in backends {
        let Some(own) = backend.own else {
            out.row([
                ("datid", DATABASE.into()),
                ("datname", snapshot.database.as_str().into()),
                ("pid", Value::Int(backend.pid.into())),
                ("query", "<insufficient privilege>".into()),
            ]);
            continue;
        };
        let waits = own.state != "active";
        out.row([
            ("datid", DATABASE.into()),
            ("datname", snapshot.database.as_str().into()),
            ("pid", Value::Int(backend.pid.into())),
            ("usesysid", OWNER.into()),
            ("usename", backend.user.into()),
            ("application_name", backend.application_name.into()),
            ("client_addr", own.address.map_or(Value::Null, Value::from)),
            ("backend_start", instant(Some(own.started))),
            ("xact_start", instant(own.transaction_began)),
            ("query_start", instant(own.query_began)),
            ("state_change", instant(own.changed)),
            ("wait_event_type", if waits { "Client".into() } else { Value::Null }),
            ("wait_event", if waits { "ClientRead".into() } else { Value::Null }),
            ("state", own.state.into()),
            ("query", own.query.into()),
            ("backend_type", "client backend".into()),
        ]);
    }
}

/// As a timestamptz.
fn instant(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, |at| Value::Int(at.timestamp_micros()))
}

pub(super) fn available_extensions(_: &Snapshot, out: &mut Builder<'_>) {
    out.row([
        ("name", "plpgsql".into()),
        ("default_version", "1.0".into()),
        ("installed_version", "1.0".into()),
        ("comment", "PL/pgSQL procedural language".into()),
    ]);
}
