//! SQL text in, a stream of record batches out: all that a door gets.
//!
//! Takes: connections, a user, SQL with bound values. Gives: sessions, results, the catalog. A statement goes
//! guard -> parse -> names -> plan -> run; nothing but what is on a list gets through. Absent on purpose: every
//! protocol, every file, every setting of DataFusion.

mod apart;
mod apps;
mod backend;
mod block;
mod bounds;
mod cancel;
mod catalog;
mod command;
mod connection;
mod dialect;
mod distinct_on;
mod expansion;
mod explain;
mod explain_option;
mod fault;
mod fetch;
mod found;
mod function;
mod guard;
mod input;
mod join_condition;
mod knowledge;
mod local;
mod merged_column;
mod names;
mod native;
mod need;
mod numeric;
mod operator_form;
mod origin;
mod parameter;
mod pg_catalog;
mod plain_filter;
mod plan;
mod plan_cache;
mod postgres_cast;
mod procedure;
mod quoted_array;
mod quoted_number;
mod registry;
mod revision;
mod runtime;
mod saved_view;
mod schema_cache;
mod session;
mod settings;
mod spelling;
mod state;
mod statement;
mod table_info;
mod tables;
mod type_planner;
mod unnest_rule;
mod utility;
mod whole_row;
mod yielding;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use chrono_tz::Tz;

pub use backend::Signals;
pub use catalog::{ColumnInfo, ForeignKey, TableInfo, TableKind};
pub use dialect::folded;
pub use fetch::{Direction, Fetch};
pub(crate) use input::list as array_value;
pub use input::{Clock, DateOrder, numeric as numeric_value, read as read_text};
pub use origin::column_origin;
pub use session::{
    CancelHandle, KnownSettings, Notice, Prepared, QueryResult, RowStream, Session, Transaction, User,
};
pub use statement::Statement;
pub use utility::{Item, Mode, Utility};

pub use crate::table::{
    Capabilities, Capability, CatalogForm, CatalogType, NumericForm, OTHER_PREDICATES, SqlType, TextColumn,
    TextOptions, Verdict, canonical, capabilities, downcast, grouped, item_range,
};

use crate::error::{Error, Kind, Result};
use crate::kintone::Client;
use crate::table::{Directory, Fault, Remembered, TableRef};
use apart::Apart;
use backend::Backends;
use connection::Connection;
use knowledge::Knowledge;
use local::{LocalTable, View};
pub use local::{LocalTableSettings, ViewSettings};
use plan_cache::Plans;
use registry::Registry;
use revision::Revisions;
use settings::Settings;

/// What the engine is built with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineConfig {
    /// The zone of every session that does not set its own.
    pub time_zone: Tz,
    /// Bytes that all statements share for sorts, joins and groups.
    pub memory_limit: usize,
    /// Files that are tables of the schema `public`.
    pub local_tables: Vec<LocalTableSettings>,
    /// Queries that are views of the schema `public`; each may name those before it.
    pub views: Vec<ViewSettings>,
    /// Where apps and forms are kept between runs; `None`: nowhere.
    pub cache_dir: Option<PathBuf>,
    /// A mistake to be made in the pushdown, for tests of the tests; no setting sets it.
    #[doc(hidden)]
    pub fault: Option<Fault>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            time_zone: Tz::UTC,
            memory_limit: 1024 * 1024 * 1024,
            local_tables: vec![],
            views: vec![],
            cache_dir: None,
            fault: None,
        }
    }
}

/// The running engine: connections, catalog, memory. Built once, shared by every door.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    config: EngineConfig,
    connections: Vec<Arc<Connection>>,
    clients: Arc<HashMap<String, Client>>,
    directories: Arc<HashMap<String, Arc<dyn Directory>>>,
    registry: Registry,
    plans: Plans,
    remembered: Arc<Remembered>,
    backends: Arc<Backends>,
    apart: Apart,
    revisions: Arc<Revisions>,
    knowledge: Knowledge,
    local_tables: Vec<LocalTable>,
    views: Vec<View>,
}

/// The schema of the tables and views of the settings.
const LOCAL: &str = "public";

/// What a name of the settings means.
enum Local<'e> {
    Table(&'e LocalTable),
    View(&'e View),
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("schemas", &self.schemas()).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over these connections, each a schema under its configuration's name, and the files and views of the
    /// configuration. Sends nothing yet.
    ///
    /// # Errors
    /// Two connections of one name, or a name that is a catalog's; a file that cannot be read as its columns say.
    pub fn new(config: EngineConfig, clients: Vec<Client>) -> Result<Self> {
        let mut names: Vec<&str> = vec!["pg_catalog", "information_schema"];
        for client in &clients {
            let name = client.config().name.as_str();
            if names.contains(&name) {
                return Err(Error::new(Kind::Config, format!("two connections are named {name}")));
            }
            names.push(name);
        }
        let local_tables = config.local_tables.iter().map(|table| LocalTable::read(table, LOCAL));
        let local_tables = local_tables.collect::<Result<Vec<_>>>()?;
        let views = config.views.iter().enumerate().map(|(place, view)| View::new(view, place)).collect();
        let runtime = runtime::runtime(config.memory_limit).map_err(|e| Error::internal(e.to_string()))?;
        let revisions = Arc::<Revisions>::default();
        let folder = config.cache_dir.as_deref();
        let connection = |c: &Client| Arc::new(Connection::new(c.clone(), Arc::clone(&revisions), folder));
        let connections: Vec<_> = clients.iter().map(connection).collect();
        let directories =
            connections.iter().map(|c| (c.name().to_owned(), Arc::clone(c) as Arc<dyn Directory>));
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                directories: Arc::new(directories.collect()),
                connections,
                clients: Arc::new(clients.into_iter().map(|c| (c.config().name.clone(), c)).collect()),
                registry: Registry::new(runtime),
                plans: Plans::default(),
                remembered: Arc::default(),
                backends: Arc::default(),
                apart: Apart::default(),
                revisions,
                knowledge: Knowledge::default(),
                local_tables,
                views,
            }),
        })
    }

    /// A session of its own for one client: nothing that it sets reaches another.
    #[must_use]
    pub fn session(&self, user: User) -> Session {
        Session::new(self.clone(), user)
    }

    /// The table or view of the settings that a name means.
    fn local(&self, schema: &str, name: &str, quoted: bool) -> Option<Local<'_>> {
        if schema != LOCAL {
            return None;
        }
        let tables = self.inner.local_tables.iter().map(|table| (&table.info.name, Local::Table(table)));
        let all: Vec<_> =
            tables.chain(self.inner.views.iter().map(|view| (&view.name, Local::View(view)))).collect();
        let names = all.iter().map(|(name, _)| *name);
        let found = if quoted { Some(name.to_owned()) } else { names::match_name(names, name) }?;
        all.into_iter().find(|(name, _)| **name == found).map(|(_, local)| local)
    }

    /// The names of the schemas, the default one first.
    #[must_use]
    pub fn schemas(&self) -> Vec<String> {
        let mut names: Vec<String> = self.inner.connections.iter().map(|c| c.name().to_owned()).collect();
        let has_own = !self.inner.local_tables.is_empty() || !self.inner.views.is_empty();
        if has_own && !names.iter().any(|name| name == LOCAL) {
            names.push(LOCAL.to_owned());
        }
        names
    }

    fn connection(&self, schema: &str) -> Option<&Arc<Connection>> {
        self.inner.connections.iter().find(|c| c.name() == schema)
    }

    /// Grows whenever an app, its name, its form or a view is not what it was: a plan that was made at another revision
    /// may be wrong.
    pub(super) fn schema_revision(&self) -> u64 {
        self.inner.revisions.schema()
    }

    /// Something of these tables turned out to be old: it is read anew when it is next needed.
    fn forget(&self, tables: &[TableRef]) {
        for connection in &self.inner.connections {
            let own = tables.iter().filter(|table| table.connection == connection.name());
            let own: Vec<_> = own.map(|table| table.app).collect();
            // A statement about the connection itself has no such table.
            if tables.is_empty() || !own.is_empty() {
                connection.forget(&own);
            }
        }
    }

    /// The most rows that a statement over these schemas gives; `None`: all.
    fn max_rows(&self, schemas: &BTreeSet<String>) -> Option<u64> {
        schemas.iter().filter_map(|s| self.inner.clients.get(s)?.config().max_rows).min()
    }

    /// Every table's name, for hints; none where Kintone does not tell.
    async fn table_names(&self) -> Vec<String> {
        let mut names = vec![];
        for connection in &self.inner.connections {
            names.extend(connection.names().await.unwrap_or_default());
        }
        names.extend(self.inner.local_tables.iter().map(|table| table.info.name.clone()));
        names.extend(self.inner.views.iter().map(|view| view.name.clone()));
        names
    }

    fn default_settings(&self) -> Settings {
        let mut settings = Settings::new(self.inner.config.time_zone, 500);
        if let Some(first) = self.inner.connections.first()
            && self.connection("public").is_none()
        {
            let mut path = vec![first.name().to_owned()];
            if self.schemas().iter().any(|schema| schema == LOCAL) {
                path.push(LOCAL.to_owned());
            }
            settings.search_in(path);
        }
        if let Some(client) = self.inner.clients.values().next() {
            settings.planning_mut().page_size = client.config().page_size.clamp(1, 500);
            settings.planning_mut().concurrency = client.config().max_in_flight.clamp(1, 50);
        }
        settings
    }

    fn clients(&self) -> Arc<HashMap<String, Client>> {
        Arc::clone(&self.inner.clients)
    }

    fn directories(&self) -> Arc<HashMap<String, Arc<dyn Directory>>> {
        Arc::clone(&self.inner.directories)
    }

    /// What statements learned of the apps.
    fn remembered(&self) -> &Arc<Remembered> {
        &self.inner.remembered
    }

    /// Functions and rules.
    fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Plans that statements share.
    fn plans(&self) -> &Plans {
        &self.inner.plans
    }
}
