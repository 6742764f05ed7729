//! The snapshot that a session's relations and functions share, loaded when it is first needed.

use std::sync::{Arc, PoisonError, RwLock};

use super::snapshot::Snapshot;
use super::source::CatalogSource;
use crate::engine::need::Need;
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

    /// Has the source know what a statement needs, and takes what it knows then. To be called before a statement that
    /// names the catalog is planned, and before it runs. Gives what to tell where not everything was read.
    ///
    /// # Errors
    /// Those of the source.
    pub(crate) async fn refresh(&self, need: &Need) -> Result<Option<String>> {
        if !need.reads_catalog() {
            return Ok(None);
        }
        let source = self.source.as_ref();
        let (schema, untold) = source.schema(need).await?;
        let fresh = Snapshot {
            database: source.database(),
            current_user: source.current_user(),
            pid: source.pid().into(),
            users: source.users(),
            settings: Some(source.settings()),
            backends: source.backends(),
            schema,
        };
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(fresh));
        Ok(untold)
    }

    /// The last snapshot; one of everything where there is none.
    pub(super) async fn snapshot(&self) -> Result<Arc<Snapshot>> {
        if self.loaded().is_none() {
            self.refresh(&Need::everything()).await?;
        }
        Ok(self.current())
    }

    /// The last snapshot; an empty one before the first refresh. For functions, which cannot wait.
    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.loaded().unwrap_or_default()
    }

    fn loaded(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
