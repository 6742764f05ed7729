//! What a word search leaves out (K§3.6): it is cut off at many hits, and its index may be older than the records.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::store::{Store, Stored};
use super::super::unknown::MOST_HITS;
use super::check::Scope;
use super::plan::Plan;

/// An app's records as they were when its index was last made, ids ascending.
type Index = Arc<[Arc<Stored>]>;

/// How word searches fare, for all apps. Tests change it.
pub(crate) struct Search {
    limit: AtomicUsize,
    /// By app, while the index is held back.
    held: Mutex<Option<HashMap<u64, Index>>>,
}

impl Default for Search {
    fn default() -> Self {
        Self { limit: AtomicUsize::new(MOST_HITS), held: Mutex::default() }
    }
}

impl Search {
    /// How many hits cut a search off.
    pub(crate) fn set_limit(&self, hits: usize) {
        self.limit.store(hits, Ordering::SeqCst);
    }

    /// Keeps the index as the records are now, or lets it follow them.
    pub(crate) fn hold(&self, store: &Store, held: bool) {
        let index = |(id, app): (&u64, &super::super::store::App)| (*id, app.read().all.clone().into());
        let indexes = held.then(|| store.apps.iter().map(index).collect());
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = indexes;
    }

    fn limit(&self) -> usize {
        self.limit.load(Ordering::SeqCst)
    }

    /// The old index of an app; an app made since then has an empty one.
    fn index(&self, app: u64) -> Option<Index> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|indexes| indexes.get(&app).cloned().unwrap_or_default())
    }
}

/// A search with its limits.
#[derive(Debug)]
pub(super) struct Found {
    plan: Box<Plan>,
    index: Option<Index>,
    /// What a record that is not in the index gives.
    unindexed: bool,
    /// Where the search was cut off: the last record that it found.
    last: Option<u64>,
}

impl Found {
    pub(super) fn holds(&self, record: &Stored) -> bool {
        if self.last.is_some_and(|last| record.id > last) {
            return false;
        }
        let Some(index) = &self.index else { return self.plan.holds(record) };
        let found = index.binary_search_by_key(&record.id, |record| record.id).ok();
        found.and_then(|at| index.get(at)).map_or(self.unindexed, |old| self.plan.holds(old))
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.last.is_some()
    }
}

/// Whether a search in this app may leave something out.
pub(super) fn is_limited(scope: &Scope<'_>) -> bool {
    let search = &scope.store.search;
    search.index(scope.app.definition.id).is_some() || scope.app.read().all.len() >= search.limit()
}

/// The plan of a search with what it leaves out. It runs over the whole app first, whatever stands beside it.
pub(super) fn limited(scope: &Scope<'_>, plan: Plan, negated: bool) -> Plan {
    let search = &scope.store.search;
    let index = search.index(scope.app.definition.id);
    let mut found = Found { plan: Box::new(plan), index, unindexed: negated, last: None };
    let records = scope.app.read();
    let mut hits = records.all.iter().filter(|record| found.holds(record));
    let last = hits.nth(search.limit().saturating_sub(1)).map(|record| record.id);
    found.last = last;
    Plan::Search(found)
}
