//! Two counters of what is known of the apps, for whoever keeps something that was made from it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that only grow, shared by the connections of an engine.
#[derive(Debug, Default)]
pub(super) struct Revisions {
    schema: AtomicU64,
    knowledge: AtomicU64,
}

impl Revisions {
    /// Grows when an app, its name, its form or a view is not what it was: a plan made before may be wrong.
    pub(super) fn schema(&self) -> u64 {
        self.schema.load(Ordering::Acquire)
    }

    /// Grows with that, and when something is read for the first time: a list made before may lack it.
    pub(super) fn knowledge(&self) -> u64 {
        self.knowledge.load(Ordering::Acquire)
    }

    /// Something is known that was not.
    pub(super) fn learned(&self) {
        self.knowledge.fetch_add(1, Ordering::AcqRel);
    }

    /// Something is not what it was.
    pub(super) fn changed(&self) {
        self.schema.fetch_add(1, Ordering::AcqRel);
        self.learned();
    }
}
