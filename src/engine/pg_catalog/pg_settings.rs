//! `pg_settings`: the session's settings.

use super::builder::Builder;
use super::snapshot::Snapshot;

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (name, value) in &snapshot.settings {
        out.row([
            ("name", name.as_str().into()),
            ("setting", value.as_str().into()),
            ("category", "Session".into()),
            ("context", "user".into()),
            ("vartype", "string".into()),
            ("source", "session".into()),
            ("boot_val", value.as_str().into()),
            ("reset_val", value.as_str().into()),
            ("pending_restart", false.into()),
        ]);
    }
}
