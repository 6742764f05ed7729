//! Where a session looks for a name without a schema: its `search_path`, as far as there are such schemas.

use super::oid::PG_CATALOG;
use super::pg_type;
use super::snapshot::{Namespace, Snapshot};

impl Snapshot {
    /// The schemas of the setting that exist, each once, in its order.
    pub(crate) fn named_path(&self) -> Vec<&Namespace> {
        let Some(settings) = &self.settings else { return self.namespaces.iter().take(1).collect() };
        let mut path: Vec<&Namespace> = vec![];
        for name in &settings.planning.search_path {
            let found = self.namespaces.iter().find(|namespace| namespace.name == *name);
            path.extend(found.filter(|found| !path.contains(found)));
        }
        path
    }

    /// The schemas in the order in which they are searched: `pg_catalog` comes first where the setting does not name
    /// it.
    pub(crate) fn search_path(&self) -> Vec<&Namespace> {
        let named = self.named_path();
        let system = self.namespaces.iter().find(|namespace| namespace.oid == PG_CATALOG);
        let system = system.filter(|system| !named.contains(system));
        system.into_iter().chain(named).collect()
    }

    /// Whether the bare name finds this relation: its schema is searched, and none before it has one of this name.
    pub(crate) fn shows_relation(&self, namespace: i64, name: &str) -> bool {
        self.shows(namespace, |before| {
            self.relations_named(name).any(|(_, namespace, known)| namespace == before && known == name)
        })
    }

    /// Whether the bare name finds this type.
    pub(crate) fn shows_type(&self, namespace: i64, name: &str) -> bool {
        self.shows(namespace, |before| {
            if before == PG_CATALOG {
                return pg_type::named(name).is_some();
            }
            self.tables.iter().any(|table| table.namespace == before && table.info.name == name)
        })
    }

    fn shows(&self, namespace: i64, hides: impl Fn(i64) -> bool) -> bool {
        for searched in self.search_path() {
            if searched.oid == namespace {
                return true;
            }
            if hides(searched.oid) {
                return false;
            }
        }
        false
    }
}
