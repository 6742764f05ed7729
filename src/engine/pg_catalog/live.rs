//! The snapshot that a session's relations and functions share, loaded when it is first needed.

use std::sync::{Arc, PoisonError, RwLock};

use super::snapshot::Snapshot;
use super::source::CatalogSource;
use crate::error::Result;

/// The catalog of one session. Nothing is asked of the source before the first use.
#[derive(Debug)]
pub(crate) struct Catalog {
    source: Arc<dyn CatalogSource>,
    snapshot: RwLock<Option<Arc<Snapshot>>>,
}

impl Catalog {
    /// Of a session, not loaded yet.
    pub(crate) fn new(source: Arc<dyn CatalogSource>) -> Arc<Self> {
        Arc::new(Self { source, snapshot: RwLock::new(None) })
    }

    /// Reads the source again. To be called before a statement that names the catalog is planned. Once the views are
    /// here they stay: another statement may be waiting to run.
    ///
    /// # Errors
    /// Those of the source.
    pub(crate) async fn refresh(&self, with_views: bool) -> Result<Arc<Snapshot>> {
        let with_views = with_views || self.loaded().is_some_and(|snapshot| snapshot.with_views);
        let fresh = Arc::new(Snapshot::load(self.source.as_ref(), with_views).await?);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// The last snapshot; the first one where there is none.
    pub(super) async fn snapshot(&self) -> Result<Arc<Snapshot>> {
        match self.loaded() {
            Some(snapshot) => Ok(snapshot),
            None => self.refresh(true).await,
        }
    }

    /// The last snapshot; an empty one before the first refresh. For functions, which cannot wait.
    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.loaded().unwrap_or_default()
    }

    fn loaded(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
