//! What the catalog is built from: asked of the engine, never of Kintone.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::engine::TableInfo;
use crate::engine::settings::Settings;
use crate::error::Result;

/// The live facts behind the catalog relations and the catalog functions, for one session.
#[async_trait]
pub(crate) trait CatalogSource: Send + Sync + Debug {
    /// The names of the schemas, the default one first.
    fn schemas(&self) -> Vec<String>;
    /// Every table of a schema that this user may see; with the views or without.
    async fn tables(&self, schema: &str, with_views: bool) -> Result<Vec<Arc<TableInfo>>>;
    /// The login names.
    fn users(&self) -> Vec<String>;
    /// The database's name.
    fn database(&self) -> String;
    /// Who asks.
    fn current_user(&self) -> String;
    /// The session's settings.
    fn settings(&self) -> Arc<Settings>;
}
