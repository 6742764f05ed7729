//! The catalog that all sessions share: what the connections know, made into a schema once for each change of it.
//!
//! Takes: what a statement needs. Has the connections read that, and gives the schema of all that they know then.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::apps::{AppList, NamedApp};
use super::connection::Connection;
use super::fault;
use super::need::{Need, Pattern, Pin};
use super::pg_catalog::{FIRST_USER, Schema};
use super::{Engine, LOCAL, TableInfo, TableKind, User, plan};
use crate::error::{Kind, Result};
use crate::table;

/// So many forms are read for a list of tables that no condition names. Of more, the list has what is known.
const FOR_A_LIST: usize = 50;

/// What was made of the connections' schemas last.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    /// With the views of the settings and without; each with the revision of what was known.
    made: Mutex<HashMap<bool, (u64, Arc<Schema>)>>,
    /// The views of the settings, with the revision of the schema that they were planned at.
    views: tokio::sync::Mutex<Option<(u64, Vec<Arc<TableInfo>>)>>,
}

/// Apps whose form tells of what a statement names.
#[derive(Default)]
struct Pinned {
    forms: Vec<Arc<NamedApp>>,
    /// What is named may be one of their list views.
    with_views: Vec<Arc<NamedApp>>,
}

impl Engine {
    /// Every table, view and system table with its columns, in the order of their names.
    /// `schema` names one connection; the default one is `public`.
    ///
    /// # Errors
    /// Kintone does not answer, or refuses.
    pub async fn tables(&self, schema: &str) -> Result<Vec<Arc<TableInfo>>> {
        if let Some(connection) = self.connection(schema) {
            self.learn(connection, &Need::everything()).await.map_err(|e| fault::of_table(&e))?;
        }
        let own = self.own_views(schema == LOCAL).await?;
        let made = self.made(own);
        let tables = made.tables.iter().filter(|table| table.info.schema == schema);
        Ok(tables.map(|table| Arc::clone(&table.info)).collect())
    }

    /// The schemas with their tables, once what a statement needs is read; and what to tell where that was too much.
    pub(super) async fn schema(&self, need: &Need) -> Result<(Arc<Schema>, Option<String>)> {
        let mut unread = 0;
        if need.reads_tables() {
            for connection in &self.inner.connections {
                unread += self.learn(connection, need).await.map_err(|e| fault::of_table(&e))?;
            }
        }
        let untold = (unread > 0).then(|| {
            format!(
                "the forms of {unread} apps are not read yet: their table fields, list views and unique fields may be \
                 missing here; CALL refresh_schema() reads them"
            )
        });
        // A view of the settings that is being planned cannot wait for itself.
        let own = if need.is_of_view() { None } else { self.own_views(need.reads_tables()).await? };
        Ok((self.made(own), untold))
    }

    /// Has a connection read what is needed of it; how many apps of a list are left unread.
    async fn learn(&self, connection: &Connection, need: &Need) -> Result<usize, table::Error> {
        let list = connection.list().await?;
        let unread = Connection::unread(&list, need.views);
        if unread.is_empty() {
            return Ok(0);
        }
        let pinned = if need.all { None } else { self.pinned(connection, &list, &need.pins) };
        let Some(pinned) = pinned else {
            return connection.read(&unread, need.views).await.map(|()| 0);
        };
        connection.read(&pinned.forms, false).await?;
        connection.read(&pinned.with_views, need.views).await?;
        // A foreign key is told with the columns of the table that it leads to.
        connection.read(&looked_up(&list, &pinned), false).await?;
        if !need.lists {
            return Ok(0);
        }
        let unread = Connection::unread(&list, need.views);
        if unread.len() > FOR_A_LIST {
            return Ok(unread.len());
        }
        connection.read(&unread, need.views).await.map(|()| 0)
    }

    /// The apps that names and oids lead to; `None` where only all forms tell.
    fn pinned(&self, connection: &Connection, list: &AppList, pins: &BTreeSet<Pin>) -> Option<Pinned> {
        let mut found = Pinned::default();
        for pin in pins {
            match pin {
                Pin::Name(pattern) => found.add_named(list, pattern),
                Pin::Oid(oid) if *oid < FIRST_USER => {}
                Pin::Oid(oid) => match self.made(None).table_of(*oid) {
                    Some(table) => {
                        let info = table.filter(|table| table.info.schema == connection.name());
                        let info = info.map(|table| &table.info);
                        let app = info.and_then(|info| list.by_id(info.app_id?)).cloned();
                        let is_view = info.is_some_and(|info| info.kind == TableKind::View);
                        (if is_view { &mut found.with_views } else { &mut found.forms }).extend(app);
                    }
                    // Of a table field or a list view whose form is not read, or of nothing.
                    None => return None,
                },
                Pin::Parameter { .. } => {}
            }
        }
        Some(found)
    }

    /// The tables of a schema as far as they are known, with those of the settings.
    fn infos(&self, schema: &str, own_views: &[Arc<TableInfo>]) -> Vec<Arc<TableInfo>> {
        let mut tables = self.connection(schema).map(|connection| connection.infos()).unwrap_or_default();
        if schema == LOCAL {
            let own = self.inner.local_tables.iter().map(|table| &table.info).chain(own_views);
            let own: Vec<Arc<TableInfo>> = own.cloned().collect();
            tables.retain(|table| !own.iter().any(|own| own.name == table.name));
            tables.extend(own);
            tables.sort_by(|a, b| a.name.cmp(&b.name));
        }
        tables
    }

    fn made(&self, own_views: Option<Vec<Arc<TableInfo>>>) -> Arc<Schema> {
        let made = || self.inner.knowledge.made.lock().unwrap_or_else(PoisonError::into_inner);
        let own_views = own_views.unwrap_or_default();
        let has_views = !own_views.is_empty();
        // Before what is known is looked at: what comes meanwhile makes it again.
        let revision = self.inner.revisions.knowledge();
        if let Some((at, schema)) = made().get(&has_views)
            && *at == revision
        {
            return Arc::clone(schema);
        }
        let schemas = self.schemas().into_iter().map(|name| {
            let tables = self.infos(&name, &own_views);
            (name, tables)
        });
        let schema = Arc::new(Schema::new(schemas.collect()));
        made().insert(has_views, (revision, Arc::clone(&schema)));
        schema
    }

    /// The views of the settings with their columns. A view whose tables are gone is left out. `None` where they are
    /// not planned yet and need not be.
    async fn own_views(&self, is_needed: bool) -> Result<Option<Vec<Arc<TableInfo>>>> {
        let revision = self.schema_revision();
        let mut kept = self.inner.knowledge.views.lock().await;
        match kept.as_ref() {
            Some((at, views)) if *at == revision => return Ok(Some(views.clone())),
            _ if !is_needed && !self.inner.views.is_empty() => return Ok(None),
            _ => {}
        }
        let session = self.session(User { name: String::new(), administrator: true });
        let mut views = vec![];
        for view in &self.inner.views {
            match plan::view_info(&session, view).await {
                Ok(info) => views.push(Arc::new(info)),
                Err(error) if error.kind == Kind::Unavailable => return Err(error),
                Err(error) => tracing::warn!(view = view.name, %error, "a view is left out"),
            }
        }
        // What is made of them is made anew.
        self.inner.knowledge.made.lock().unwrap_or_else(PoisonError::into_inner).remove(&true);
        *kept = Some((revision, views.clone()));
        Ok(Some(views))
    }
}

impl Pinned {
    /// A table's own name leads to its app; what begins with one may be a table field, a list view or an index of it.
    fn add_named(&mut self, list: &AppList, pattern: &Pattern) {
        for app in &list.apps {
            // The type of arrays of a table's rows has its name after `_`.
            let is_start = |of: String| pattern.may_begin(&of);
            if is_start(format!("{}_", app.name)) || is_start(format!("_{}_", app.name)) {
                self.with_views.push(Arc::clone(app));
            } else if pattern.matches(&app.name) {
                self.forms.push(Arc::clone(app));
            }
        }
    }
}

/// The apps that lookups of these lead to.
fn looked_up(list: &AppList, pinned: &Pinned) -> Vec<Arc<NamedApp>> {
    let forms = pinned.forms.iter().chain(&pinned.with_views).filter_map(|app| app.form.get());
    let lookups = forms.flat_map(|form| &form.form.fields).filter_map(|field| field.lookup.as_ref());
    let apps: BTreeSet<u64> = lookups.map(|lookup| lookup.app).collect();
    apps.into_iter().filter_map(|id| list.by_id(id)).cloned().collect()
}
