//! `pg_namespace`: schemas.

use super::builder::Builder;
use super::oid::OWNER;
use super::snapshot::Snapshot;

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for namespace in &snapshot.namespaces {
        out.row([
            ("oid", namespace.oid.into()),
            ("nspname", namespace.name.as_str().into()),
            ("nspowner", OWNER.into()),
        ]);
    }
}
