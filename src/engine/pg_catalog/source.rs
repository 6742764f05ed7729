//! What the catalog is built from: asked of the engine, never of Kintone.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::snapshot::Schema;
use crate::engine::backend::Backends;
use crate::engine::need::Need;
use crate::engine::settings::Settings;
use crate::error::Result;

/// The live facts behind the catalog relations and the catalog functions, for one session.
#[async_trait]
pub(crate) trait CatalogSource: Send + Sync + Debug {
    /// The schemas with their tables, as far as they are known once what a statement needs is read; and what to tell
    /// where not everything was.
    async fn schema(&self, need: &Need) -> Result<(Arc<Schema>, Option<String>)>;
    /// The login names.
    fn users(&self) -> Vec<String>;
    /// The database's name.
    fn database(&self) -> String;
    /// Who asks.
    fn current_user(&self) -> String;
    /// The number under which others know the session.
    fn pid(&self) -> i32;
    /// The session's settings.
    fn settings(&self) -> Arc<Settings>;
    /// The sessions that others know.
    fn backends(&self) -> Arc<Backends>;
}
