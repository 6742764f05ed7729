//! What a table's name means in a connection, and the table to read.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::catalog::TableProvider;

use super::apps::{AppForm, AppList, NamedApp, after_prefix};
use super::connection::Connection;
use super::names::match_name;
use super::saved_view::SavedView;
use crate::table::{
    AppTable, Columns, Error, FormContext, Remembered, ScanSettings, SystemTable, TableRef, system_tables,
};

/// What a name of the catalog means.
#[derive(Debug, Clone)]
pub(super) enum Found {
    System(&'static str),
    App(Arc<NamedApp>),
    /// The table field of this code.
    Subtable(Arc<NamedApp>, String),
    View(SavedView),
}

impl Found {
    /// Whether both are the same table of the same app as it was read.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::System(one), Self::System(other)) => one == other,
            (Self::App(one), Self::App(other)) => Arc::ptr_eq(one, other),
            (Self::Subtable(one, code), Self::Subtable(other, other_code)) => {
                Arc::ptr_eq(one, other) && code == other_code
            }
            (Self::View(one), Self::View(other)) => one.is(other),
            _ => false,
        }
    }

    /// The app whose form it is made from.
    pub(super) fn app(&self) -> Option<&NamedApp> {
        match self {
            Self::System(_) => None,
            Self::App(app) | Self::Subtable(app, _) => Some(app),
            Self::View(view) => Some(&view.app),
        }
    }
}

impl Connection {
    /// What a table's name means. Unquoted, a name that is nothing exactly may differ in case.
    pub(super) async fn find(&self, name: &str, quoted: bool) -> Result<Option<Found>, Error> {
        if let Some(found) = find_system(name, quoted) {
            return Ok(Some(found));
        }
        let list = self.list().await?;
        match self.find_table(&list, name, quoted).await? {
            Some(found) => Ok(Some(found)),
            None => self.find_view(&list, name, quoted).await,
        }
    }

    /// The table that a name means: the system's, an app's or a table field's.
    pub(super) async fn find_table(
        &self,
        list: &AppList,
        name: &str,
        quoted: bool,
    ) -> Result<Option<Found>, Error> {
        if let Some(found) = find_system(name, quoted) {
            return Ok(Some(found));
        }
        match list.find(name, quoted) {
            Some(app) => Ok(Some(Found::App(app))),
            None => self.find_subtable(list, name, quoted).await,
        }
    }

    /// `<App>_<Table>`: only apps whose name starts the name have their form read.
    async fn find_subtable(&self, list: &AppList, name: &str, quoted: bool) -> Result<Option<Found>, Error> {
        for app in &list.apps {
            for alias in app.aliases.iter().chain(&app.former) {
                let Some(rest) = after_prefix(name, alias.as_str(), quoted) else { continue };
                let form = self.form(app).await?;
                let tables = form.form.fields.iter().filter(|f| f.kind == "SUBTABLE");
                let codes: Vec<String> = tables.map(|f| f.code.clone()).collect();
                let code = if quoted {
                    codes.iter().find(|c| *c == rest).cloned()
                } else {
                    match_name(codes.iter(), rest)
                };
                if let Some(code) = code {
                    return Ok(Some(Found::Subtable(Arc::clone(app), code)));
                }
            }
        }
        Ok(None)
    }

    /// The table that a name means, to be read in this zone with these settings.
    pub(super) async fn provider(
        &self,
        found: &Found,
        zone: Tz,
        settings: ScanSettings,
        remembered: &Arc<Remembered>,
    ) -> Result<(String, Arc<dyn TableProvider>), Error> {
        let (app, table) = match found {
            Found::System(name) => {
                let table = SystemTable::find(self.name(), name, zone);
                let table = table.ok_or_else(|| Error::NoConnection(self.name().to_owned()))?;
                return Ok(((*name).to_owned(), Arc::new(table)));
            }
            Found::App(app) => (app, None),
            Found::Subtable(app, code) => (app, Some(code)),
            Found::View(view) => {
                let form = self.form(&view.app).await?;
                return view.provider(self.name(), &form, zone, settings, remembered);
            }
        };
        let form = self.form(app).await?;
        let columns = columns(&form, table.map(String::as_str), zone);
        let name = table.map_or_else(|| app.name.clone(), |t| format!("{}_{t}", app.name));
        let reference = TableRef { connection: self.name().to_owned(), app: app.app.key, name: name.clone() };
        Ok((name, Arc::new(AppTable::new(reference, Arc::new(columns), settings, Arc::clone(remembered)))))
    }
}

/// What the columns of an app's tables depend on.
pub(super) fn context(form: &AppForm, time_zone: Tz) -> FormContext {
    FormContext { scale: form.scale, time_zone, by_label: form.by_label }
}

/// The columns of an app's table, or of one of its table fields.
pub(super) fn columns(form: &AppForm, table: Option<&str>, time_zone: Tz) -> Columns {
    let context = context(form, time_zone);
    let field = table.and_then(|code| form.form.fields.iter().find(|f| f.code == code));
    match field {
        Some(field) => Columns::of_rows(&form.form, field, context),
        None => Columns::of_records(&form.form, context),
    }
}

fn find_system(name: &str, quoted: bool) -> Option<Found> {
    let lower = name.to_lowercase();
    let same = |n: &str| if quoted { n == name } else { n.to_lowercase() == lower };
    system_tables().find(|t| same(t.name) || t.aliases.iter().any(|a| same(a))).map(|t| Found::System(t.name))
}
