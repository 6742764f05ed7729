//! Saved list views as views of SQL, named `<App>_<View>`; where a table has that name, `<App>_<View>_view`.
//!
//! A view has `$id`, then the fields that it shows; its condition goes to Kintone as it was saved. Its order is not
//! kept: in SQL only ORDER BY orders. An app's views are asked for once, with the first name that may be one of them.

use std::collections::HashSet;
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::catalog::TableProvider;

use super::apps::{AppForm, AppList, NamedApp, after_prefix};
use super::catalog::{TableInfo, TableKind};
use super::connection::{Connection, is_without_right};
use super::found::{Found, context};
use super::names::match_name;
use super::table_info::column_infos;
use crate::kintone::{Condition, View};
use crate::table::{AppTable, Columns, Error, Origin, Remembered, ScanSettings, TableRef};

/// Ends the name of a view whose own name is a table's.
const SUFFIX: &str = "_view";

/// A list view under its name in SQL.
#[derive(Debug, Clone)]
pub(super) struct SavedView {
    pub app: Arc<NamedApp>,
    view: View,
    name: String,
}

impl SavedView {
    /// Whether both are the same view of the same app as it was read.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.app, &other.app) && self.view == other.view && self.name == other.name
    }

    /// Its records, read in this zone with these settings.
    pub(super) fn provider(
        &self,
        connection: &str,
        form: &AppForm,
        zone: Tz,
        settings: ScanSettings,
        remembered: &Arc<Remembered>,
    ) -> Result<(String, Arc<dyn TableProvider>), Error> {
        let condition = match self.view.filter.trim() {
            "" => None,
            text => Some(Condition::native(text).map_err(|error| Error::BadCondition {
                origin: Origin::View(self.name.clone()),
                reason: error.to_string(),
            })?),
        };
        let table =
            TableRef { connection: connection.to_owned(), app: self.app.app.key, name: self.name.clone() };
        let columns = Arc::new(self.columns(form, zone));
        let provider = AppTable::new(table, columns, settings, Arc::clone(remembered)).under(condition);
        Ok((self.name.clone(), Arc::new(provider)))
    }

    fn columns(&self, form: &AppForm, zone: Tz) -> Columns {
        Columns::of_view(&form.form, &self.view.fields, context(form, zone))
    }

    fn info(&self, schema: &str, form: &AppForm) -> TableInfo {
        TableInfo {
            schema: schema.to_owned(),
            name: self.name.clone(),
            kind: TableKind::View,
            app_id: Some(self.app.app.key.id),
            label: format!("{} / {}", self.app.app.name, self.view.name),
            description: String::new(),
            columns: column_infos(self.columns(form, Tz::UTC)),
            primary_key: vec!["$id".into()],
            foreign_keys: vec![],
        }
    }
}

impl Connection {
    /// An app's list views; the first who asks reads them. None where the login may not see them.
    pub(super) async fn views(&self, app: &NamedApp) -> Result<Arc<Vec<View>>, Error> {
        let mut is_first = false;
        let read = app.views.get_or_try_init(|| {
            is_first = true;
            async {
                let views = match self.client().views(app.app.key).await {
                    Err(error) if is_without_right(&error) => vec![],
                    other => other?,
                };
                Ok::<_, Error>(Arc::new(views.into_iter().filter(|view| view.kind == "LIST").collect()))
            }
        });
        let views = read.await.map(Arc::clone)?;
        if is_first {
            self.told(app, app.before.views.as_ref().is_none_or(|before| *before == views));
        }
        Ok(views)
    }

    /// The view that a name means which is no table's.
    pub(super) async fn find_view(
        &self,
        list: &AppList,
        name: &str,
        quoted: bool,
    ) -> Result<Option<Found>, Error> {
        if let Some((app, view)) = self.views_named(list, name, quoted).await?.into_iter().next() {
            let name = format!("{}_{}", app.name, view.name);
            return Ok(Some(Found::View(SavedView { app, view, name })));
        }
        let at = name.len().checked_sub(SUFFIX.len()).filter(|at| name.is_char_boundary(*at));
        let Some((base, suffix)) = at.map(|at| name.split_at(at)) else { return Ok(None) };
        if suffix != SUFFIX && (quoted || !suffix.eq_ignore_ascii_case(SUFFIX)) {
            return Ok(None);
        }
        let views = self.views_named(list, base, quoted).await?;
        if views.is_empty() {
            return Ok(None);
        }
        // Of two views of one name the first has it, unless a table does.
        let place = usize::from(self.find_table(list, base, false).await?.is_none());
        Ok(views.into_iter().nth(place).map(|(app, view)| {
            let name = format!("{}_{}{SUFFIX}", app.name, view.name);
            Found::View(SavedView { app, view, name })
        }))
    }

    /// The views that `<App>_<View>` may mean: only apps whose name starts the name have theirs read.
    async fn views_named(
        &self,
        list: &AppList,
        name: &str,
        quoted: bool,
    ) -> Result<Vec<(Arc<NamedApp>, View)>, Error> {
        let mut found: Vec<(Arc<NamedApp>, View)> = vec![];
        for app in &list.apps {
            for alias in app.aliases.iter().chain(&app.former) {
                let Some(rest) = after_prefix(name, alias.as_str(), quoted) else { continue };
                let views = self.views(app).await?;
                let exact = if quoted {
                    Some(rest.to_owned())
                } else {
                    match_name(views.iter().map(|v| &v.name), rest)
                };
                let view = views.iter().find(|view| exact.as_ref() == Some(&view.name));
                let known =
                    |view: &View| found.iter().any(|(a, v)| a.app.key == app.app.key && v.id == view.id);
                if let Some(view) = view.filter(|view| !known(view)) {
                    found.push((Arc::clone(app), view.clone()));
                }
            }
        }
        Ok(found)
    }

    /// Every list view of these apps that is known, beside tables of these names.
    pub(super) fn view_infos(
        &self,
        apps: &[(Arc<NamedApp>, Arc<AppForm>)],
        tables: Vec<String>,
    ) -> Vec<Arc<TableInfo>> {
        let mut taken: HashSet<String> = tables.into_iter().map(|name| name.to_lowercase()).collect();
        let mut out = vec![];
        for (app, form) in apps {
            let views = app.views.get().or(app.before.views.as_ref());
            for view in views.iter().flat_map(|views| views.iter()) {
                let mut name = format!("{}_{}", app.name, view.name);
                if taken.contains(&name.to_lowercase()) {
                    name.push_str(SUFFIX);
                }
                if taken.insert(name.to_lowercase()) {
                    let saved = SavedView { app: Arc::clone(app), view: view.clone(), name };
                    out.push(Arc::new(saved.info(self.name(), form)));
                }
            }
        }
        out
    }
}
