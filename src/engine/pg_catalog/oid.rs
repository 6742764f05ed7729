//! Object identifiers that are the same after a restart, since clients keep them in their caches.

use std::collections::HashSet;

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

/// Oids that clients and PostgreSQL's own headers know for the catalog's relations.
const WELL_KNOWN: &[(&str, i64)] = &[
    ("pg_type", 1247),
    ("pg_attribute", 1249),
    ("pg_proc", 1255),
    ("pg_class", PG_CLASS),
    ("pg_authid", 1260),
    ("pg_database", 1262),
    ("pg_foreign_server", 1417),
    ("pg_tablespace", 1213),
    ("pg_foreign_data_wrapper", 2328),
    ("pg_am", 2601),
    ("pg_attrdef", 2604),
    ("pg_cast", 2605),
    ("pg_constraint", 2606),
    ("pg_conversion", 2607),
    ("pg_depend", 2608),
    ("pg_description", 2609),
    ("pg_index", 2610),
    ("pg_inherits", 2611),
    ("pg_language", 2612),
    ("pg_namespace", 2615),
    ("pg_opclass", 2616),
    ("pg_operator", 2617),
    ("pg_rewrite", 2618),
    ("pg_trigger", 2620),
    ("pg_opfamily", 2753),
    ("pg_extension", 3079),
    ("pg_policy", 3256),
    ("pg_statistic_ext", 3381),
    ("pg_collation", 3456),
    ("pg_event_trigger", 3466),
    ("pg_enum", 3501),
    ("pg_range", 3541),
    ("pg_ts_dict", 3600),
    ("pg_ts_parser", 3601),
    ("pg_ts_config", 3602),
    ("pg_ts_template", 3764),
    ("pg_publication", 6104),
    ("pg_subscription", 6100),
];

/// The first oid of user objects in PostgreSQL: clients take a lower one for a system object.
pub(crate) const FIRST_USER: i64 = 16_384;
/// System objects without a well-known oid.
const FIRST_SYSTEM: i64 = 12_000;

/// Gives oids. The same calls in the same order give the same oids, in every process.
#[derive(Debug, Default)]
pub(super) struct Oids {
    taken: HashSet<i64>,
}

impl Oids {
    /// For an object of a user: a hash of what it is, the next free number on a collision.
    pub(super) fn user(&mut self, kind: &str, schema: &str, name: &str) -> i64 {
        let range = i64::from(i32::MAX) - FIRST_USER;
        self.free(FIRST_USER, range, hash(&[kind, schema, name]))
    }

    /// For a relation of the catalog.
    pub(super) fn system(&mut self, schema: &str, name: &str) -> i64 {
        match WELL_KNOWN.iter().find(|(known, _)| *known == name && schema == "pg_catalog") {
            Some((_, oid)) => *oid,
            None => self.free(FIRST_SYSTEM, FIRST_USER - FIRST_SYSTEM, hash(&["r", schema, name])),
        }
    }

    fn free(&mut self, first: i64, range: i64, hash: u64) -> i64 {
        let start = i64::try_from(hash >> 1).unwrap_or_default() % range;
        let candidates = (0..range).map(|step| first + (start + step) % range);
        let oid = candidates.into_iter().find(|oid| !self.taken.contains(oid)).unwrap_or(first);
        self.taken.insert(oid);
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
        let mut oids = Oids::default();
        assert_eq!(oids.user("r", "public", "customers"), Oids::default().user("r", "public", "customers"));
        assert_eq!(oids.system("pg_catalog", "pg_class"), 1259);
        let again = oids.user("r", "public", "customers");
        assert_eq!(
            again,
            Oids::default().user("r", "public", "customers") + 1,
            "a collision moves on by one"
        );
        assert!((FIRST_SYSTEM..FIRST_USER).contains(&oids.system("information_schema", "tables")));
    }
}
