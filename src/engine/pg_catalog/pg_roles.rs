//! `pg_roles`, `pg_authid`, `pg_user`, `pg_shadow`: the login names, never a password.

use super::Value;
use super::builder::Builder;
use super::oid::{OWNER, Oids};
use super::snapshot::Snapshot;

/// The oid and name of every role. The first login name owns everything; the others' oids come from their names.
pub(crate) fn roles(snapshot: &Snapshot) -> Vec<(i64, &str)> {
    let mut names: Vec<_> = snapshot.users.iter().map(String::as_str).collect();
    if !names.contains(&snapshot.current_user.as_str()) {
        names.push(&snapshot.current_user);
    }
    let oids = Oids::shared();
    let mut roles = vec![];
    for name in names {
        let oid = if roles.is_empty() { OWNER } else { oids.of("u", "", name) };
        roles.push((oid, name));
    }
    roles
}

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (oid, name) in roles(snapshot) {
        out.row([
            ("oid", oid.into()),
            ("rolname", name.into()),
            ("rolsuper", false.into()),
            ("rolinherit", true.into()),
            ("rolcreaterole", false.into()),
            ("rolcreatedb", false.into()),
            ("rolcanlogin", true.into()),
            ("rolreplication", false.into()),
            ("rolconnlimit", Value::Int(-1)),
            ("rolpassword", "********".into()),
            ("rolbypassrls", false.into()),
        ]);
    }
}

pub(super) fn users(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (oid, name) in roles(snapshot) {
        out.row([
            ("usename", name.into()),
            ("usesysid", oid.into()),
            ("usecreatedb", false.into()),
            ("usesuper", false.into()),
            ("userepl", false.into()),
            ("usebypassrls", false.into()),
            ("passwd", "********".into()),
        ]);
    }
}

/// The role that owns every object.
pub(crate) fn owner(snapshot: &Snapshot) -> &str {
    roles(snapshot).first().map_or("", |(_, name)| name)
}
