//! `pg_database`: the one that there is.

use super::Value;
use super::builder::Builder;
use super::oid::{DATABASE, OWNER};
use super::snapshot::Snapshot;

/// UTF-8 in PostgreSQL's list of encodings.
const UTF8: i64 = 6;
/// The tablespace `pg_default`.
const PG_DEFAULT: i64 = 1663;

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    out.row([
        ("oid", DATABASE.into()),
        ("datname", snapshot.database.as_str().into()),
        ("datdba", OWNER.into()),
        ("encoding", UTF8.into()),
        ("datlocprovider", "c".into()),
        ("datallowconn", true.into()),
        ("datconnlimit", Value::Int(-1)),
        ("dattablespace", PG_DEFAULT.into()),
        ("datcollate", "C".into()),
        ("datctype", "C".into()),
    ]);
}
