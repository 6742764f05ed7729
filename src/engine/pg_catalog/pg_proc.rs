//! `pg_proc` by oid, for the functions that tell of functions.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::rows::{self, items};

/// A function, or an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Procedure {
    /// `proname`
    pub(crate) name: &'static str,
    /// The type of the result.
    pub(crate) returns: i64,
    /// It gives rows.
    pub(crate) is_set: bool,
    /// The types of what it takes.
    pub(crate) takes: Vec<i64>,
    /// `prokind`: `f`, `a` or `w`.
    pub(crate) kind: &'static str,
    /// Another function has the same name.
    pub(crate) is_overloaded: bool,
}

/// The functions by oid.
pub(crate) static PROCEDURES: LazyLock<HashMap<i64, Procedure>> = LazyLock::new(|| {
    let (names, rows) = rows::read(include_str!("../../../sql/pg_catalog/pg_proc.tsv"));
    let place = |name: &str| names.iter().position(|known| *known == name).unwrap_or_default();
    let places = ["oid", "proname", "prorettype", "proretset", "proargtypes", "prokind"].map(place);
    let number = |text: &str| text.parse().unwrap_or_default();
    let read = |row: Vec<Option<&'static str>>| {
        let [oid, name, returns, is_set, takes, kind] =
            places.map(|place| row.get(place).copied().flatten().unwrap_or_default());
        let procedure = Procedure {
            name,
            returns: number(returns),
            is_set: is_set == "t",
            takes: items(takes).into_iter().map(number).collect(),
            kind,
            is_overloaded: false,
        };
        (number(oid), procedure)
    };
    let mut all: HashMap<i64, Procedure> = rows.into_iter().map(read).collect();
    let mut counts: HashMap<&'static str, usize> = HashMap::new();
    for procedure in all.values() {
        *counts.entry(procedure.name).or_default() += 1;
    }
    for procedure in all.values_mut() {
        procedure.is_overloaded = counts.get(procedure.name).is_some_and(|count| *count > 1);
    }
    all
});

/// The oids by name, the smallest of each.
static OIDS: LazyLock<HashMap<&'static str, i64>> = LazyLock::new(|| {
    let mut oids: HashMap<&'static str, i64> = HashMap::new();
    for (oid, procedure) in PROCEDURES.iter() {
        let known = oids.entry(procedure.name).or_insert(*oid);
        *known = (*known).min(*oid);
    }
    oids
});

/// The oid of a function by its name; of several the smallest.
pub(crate) fn named(name: &str) -> Option<i64> {
    OIDS.get(name).copied()
}
