//! Object identifiers that are the same after a restart, since clients keep them in their caches.

use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use super::relation::Relation;

/// The namespace `pg_catalog`, as in every PostgreSQL.
pub(crate) const PG_CATALOG: i64 = 11;
/// The namespace `public`.
pub(crate) const PUBLIC: i64 = 2200;
/// The role that owns everything: PostgreSQL's bootstrap superuser.
pub(crate) const OWNER: i64 = 10;
/// The database.
pub(crate) const DATABASE: i64 = 5;
/// The access method of tables.
pub(crate) const HEAP: i64 = 2;
/// The access method of indexes.
pub(crate) const BTREE: i64 = 403;
/// The catalog `pg_class`: what a comment on a table names as its class.
pub(crate) const PG_CLASS: i64 = 1259;

/// The catalogs that `pg_description` and `pg_depend` name.
pub(super) const PG_CONSTRAINT: i64 = 2606;
/// See [`PG_CONSTRAINT`].
pub(super) const PG_NAMESPACE: i64 = 2615;
/// See [`PG_CONSTRAINT`].
pub(super) const PG_REWRITE: i64 = 2618;
/// See [`PG_CONSTRAINT`].
pub(super) const PG_TYPE: i64 = 1247;

/// The namespace `information_schema`, as an initdb of PostgreSQL 15 numbers it.
pub(super) const INFORMATION_SCHEMA: i64 = 13_207;

/// The first oid of user objects in PostgreSQL: clients take a lower one for a system object.
pub(crate) const FIRST_USER: i64 = 16_384;

/// Gives oids to the objects of users: a hash of what an object is, or the next free number where another has that
/// one. An object keeps its oid as long as the process runs, so that a result's columns name the table that
/// `pg_class` shows; without a collision it has it in every process.
#[derive(Debug, Default)]
pub(crate) struct Oids {
    given: Mutex<Given>,
}

#[derive(Debug, Default)]
struct Given {
    taken: HashSet<i64>,
    known: HashMap<String, i64>,
}

/// The process's own: two sessions, and two engines, call an object by one oid.
static OIDS: LazyLock<Oids> = LazyLock::new(Oids::default);

impl Oids {
    /// Those that every session shares.
    pub(crate) fn shared() -> &'static Self {
        &OIDS
    }

    /// The oid of an object: its kind, its schema, its name.
    pub(super) fn of(&self, kind: &str, schema: &str, name: &str) -> i64 {
        let range = i64::from(i32::MAX) - FIRST_USER;
        self.within(range, &[kind, schema, name])
    }

    /// The oid of a table or view.
    pub(crate) fn of_relation(&self, schema: &str, name: &str) -> i64 {
        match Relation::find(schema, name) {
            Some(relation) => relation.oid,
            None => self.of("r", schema, name),
        }
    }

    fn within(&self, range: i64, parts: &[&str]) -> i64 {
        // Whatever panicked with the lock left a map that is as good as before.
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let key = parts.join("\0");
        if let Some(oid) = given.known.get(&key) {
            return *oid;
        }
        let start = i64::try_from(hash(parts) >> 1).unwrap_or_default() % range;
        let mut candidates = (0..range).map(|step| FIRST_USER + (start + step) % range);
        let oid = candidates.find(|oid| !given.taken.contains(oid)).unwrap_or(FIRST_USER);
        given.taken.insert(oid);
        given.known.insert(key, oid);
        oid
    }
}

/// FNV-1a with 64 bits: fixed, so that an oid outlives the process.
fn hash(parts: &[&str]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let bytes = parts.iter().flat_map(|part| part.bytes().chain(std::iter::once(0)));
    for byte in bytes {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oid_is_the_same_in_every_process() {
        let oids = Oids::default();
        let customers = oids.of("r", "public", "customers");
        assert_eq!(customers, Oids::default().of("r", "public", "customers"));
        assert_eq!(customers, oids.of_relation("public", "customers"));
        assert!((FIRST_USER..i64::from(i32::MAX)).contains(&customers));
        assert_eq!(oids.of_relation("pg_catalog", "pg_class"), 1259);
    }

    #[test]
    fn two_objects_never_share_an_oid() {
        let oids = Oids::default();
        let of = |name: &str| oids.within(10, &["r", "public", name]);
        let names: Vec<String> = (0..10).map(|n| format!("t{n}")).collect();
        let first: Vec<i64> = names.iter().map(|name| of(name)).collect();
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), 10);
        let again: Vec<i64> = names.iter().rev().map(|name| of(name)).rev().collect();
        assert_eq!(again, first, "whatever the order, an object keeps its oid");
    }
}
