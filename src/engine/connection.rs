//! One connection's schema: which apps there are, under which names, and their forms as they were read last.
//!
//! Freshness goes by the list of apps (one call for 100 apps): it is asked for again once it is older than
//! [`FRESH`], and only an app whose settings changed has its form read again. One reader at a time each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono_tz::Tz;
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::{Mutex, OnceCell};

use super::catalog::{ColumnInfo, ForeignKey, TableInfo, TableKind};
use super::names::match_name;
use super::saved_view::SavedView;
use crate::kintone::{App, AppKey, Client, Form, View};
use crate::table::{
    AppTable, Columns, Directory, Error, FormContext, Remembered, ScanSettings, SystemTable, TableRef,
    number_scale, system_tables,
};

/// How long the list of apps is believed.
const FRESH: Duration = Duration::from_secs(300);

/// How soon it is asked for again when Kintone did not answer.
const RETRY: Duration = Duration::from_secs(30);

/// Forms read at once.
pub(super) const FORMS_AT_ONCE: usize = 10;

/// An app's form with what its columns depend on.
#[derive(Debug)]
pub(super) struct AppForm {
    pub form: Arc<Form>,
    pub scale: i8,
    /// Columns are named by label (`UseCodeForFieldName=false`).
    pub by_label: bool,
}

/// An app and its table's name.
#[derive(Debug)]
pub(super) struct NamedApp {
    pub app: App,
    pub name: String,
    form: OnceCell<Arc<AppForm>>,
    /// Its list views.
    pub views: OnceCell<Arc<Vec<View>>>,
}

impl NamedApp {
    fn new(app: App, name: String) -> Arc<Self> {
        Arc::new(Self { app, name, form: OnceCell::new(), views: OnceCell::new() })
    }
}

#[derive(Debug)]
struct AppList {
    read: Instant,
    apps: Vec<Arc<NamedApp>>,
}

/// A connection with its schema's state.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    list: Mutex<Option<Arc<AppList>>>,
}

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
    pub(super) fn new(client: Client) -> Self {
        Self { client, list: Mutex::new(None) }
    }

    pub(super) fn name(&self) -> &str {
        &self.client.config().name
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The apps, at most [`FRESH`] old. Apps that did not change keep their forms.
    async fn list(&self) -> Result<Arc<AppList>, Error> {
        let mut list = self.list.lock().await;
        if let Some(list) = list.as_ref().filter(|l| l.read.elapsed() < FRESH) {
            return Ok(Arc::clone(list));
        }
        let mut apps = match (self.client.apps().await, list.as_ref()) {
            (Ok(apps), _) => apps,
            // Better an old list than none; it is asked for again a little later.
            (Err(error), Some(old)) if error.is_unreachable() => {
                tracing::warn!(connection = self.name(), %error, "the list of apps could not be read again");
                let read = Instant::now().checked_sub(FRESH).map_or(old.read, |t| t + RETRY);
                let old = Arc::new(AppList { read, apps: old.apps.clone() });
                *list = Some(Arc::clone(&old));
                return Ok(old);
            }
            (Err(error), _) => return Err(error.into()),
        };
        let wanted = &self.client.config().tables;
        if !wanted.is_empty() {
            apps.retain(|a| {
                wanted.contains(&a.name) || wanted.contains(&a.code) || wanted.contains(&a.key.to_string())
            });
        }
        let before = list.take();
        let named = assign_names(apps).into_iter().map(|(app, name)| {
            let old = before.iter().flat_map(|l| &l.apps);
            let same = old.into_iter().find(|n| n.app == app && n.name == name);
            same.map_or_else(|| NamedApp::new(app.clone(), name.clone()), Arc::clone)
        });
        let fresh = Arc::new(AppList { read: Instant::now(), apps: named.collect() });
        *list = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// Forgets what was read: something of it turned out to be old.
    pub(super) fn forget(&self) {
        if let Ok(mut list) = self.list.try_lock() {
            *list = None;
        }
    }

    /// An app's form; the first who asks reads it.
    pub(super) async fn form(&self, app: &NamedApp) -> Result<Arc<AppForm>, Error> {
        let form = app.form.get_or_try_init(|| async {
            let form = Arc::new(self.client.form(app.app.key).await?);
            // The settings need more rights than the form: without them, Kintone's own default precision.
            let scale = match self.client.settings(app.app.key).await {
                Ok(settings) => number_scale(settings.digits, settings.decimal_places),
                Err(error) if is_without_right(&error) => number_scale(16, 4),
                Err(error) => return Err(Error::from(error)),
            };
            Ok(Arc::new(AppForm { form, scale, by_label: !self.client.config().use_code_for_field_name }))
        });
        form.await.map(Arc::clone)
    }

    /// What a table's name means. Unquoted, a name that is nothing exactly may differ in case.
    pub(super) async fn find(&self, name: &str, quoted: bool) -> Result<Option<Found>, Error> {
        if let Some(found) = find_system(name, quoted) {
            return Ok(Some(found));
        }
        let list = self.list().await?;
        match self.find_table(&list.apps, name, quoted).await? {
            Some(found) => Ok(Some(found)),
            None => self.find_view(&list.apps, name, quoted).await,
        }
    }

    /// The table that a name means: the system's, an app's or a table field's.
    pub(super) async fn find_table(
        &self,
        apps: &[Arc<NamedApp>],
        name: &str,
        quoted: bool,
    ) -> Result<Option<Found>, Error> {
        if let Some(found) = find_system(name, quoted) {
            return Ok(Some(found));
        }
        match find_app(apps, name, quoted) {
            Some(app) => Ok(Some(Found::App(app))),
            None => self.find_subtable(apps, name, quoted).await,
        }
    }

    /// `<App>_<Table>`: only apps whose name starts the name have their form read.
    async fn find_subtable(
        &self,
        apps: &[Arc<NamedApp>],
        name: &str,
        quoted: bool,
    ) -> Result<Option<Found>, Error> {
        for app in apps {
            for alias in aliases(app) {
                let Some(rest) = after_prefix(name, alias.as_str(), quoted) else { continue };
                let form = self.form(app).await?;
                let codes: Vec<String> = form
                    .form
                    .fields
                    .iter()
                    .filter(|f| f.kind == "SUBTABLE")
                    .map(|f| f.code.clone())
                    .collect();
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
    ) -> Result<(String, Arc<dyn datafusion::catalog::TableProvider>), Error> {
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

    /// Every name of the schema, for hints.
    pub(super) async fn names(&self) -> Result<Vec<String>, Error> {
        let list = self.list().await?;
        let system = system_tables().map(|t| t.name.to_owned());
        Ok(system.chain(list.apps.iter().flat_map(|a| aliases(a))).collect())
    }

    /// Every table with its columns, by name; with the list views or without. Reads every form, and every app's views,
    /// that are not known yet.
    pub(super) async fn tables(&self, with_views: bool) -> Result<Vec<Arc<TableInfo>>, Error> {
        let list = self.list().await?;
        let forms: Vec<Option<(Arc<NamedApp>, Arc<AppForm>)>> = stream::iter(list.apps.clone())
            .map(|app| async move {
                match self.form(&app).await {
                    Ok(form) => Ok(Some((app, form))),
                    // One app that may not be read, or is gone, hides no other.
                    Err(Error::Kintone(error)) if is_without_right(&error) => {
                        tracing::warn!(connection = self.name(), app = %app.app.key, %error, "an app is left out");
                        Ok(None)
                    }
                    Err(error) => Err(error),
                }
            })
            .buffered(FORMS_AT_ONCE)
            .try_collect()
            .await?;
        let forms: Vec<_> = forms.into_iter().flatten().collect();
        let mut out: Vec<Arc<TableInfo>> =
            system_tables().map(|t| Arc::new(system_info(self.name(), &t))).collect();
        for (app, form) in &forms {
            out.push(Arc::new(app_info(self.name(), app, form, &list.apps)));
            for field in form.form.fields.iter().filter(|f| f.kind == "SUBTABLE") {
                out.push(Arc::new(subtable_info(self.name(), app, form, &field.code, &field.label)));
            }
        }
        if with_views {
            let taken = out.iter().map(|t| t.name.clone());
            let taken = taken.chain(list.apps.iter().flat_map(|app| aliases(app)));
            let views = self.view_infos(&forms, taken.collect::<Vec<_>>().into_iter()).await?;
            out.extend(views);
        }
        out.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(out)
    }
}

#[async_trait]
impl Directory for Connection {
    async fn apps(&self) -> Result<Vec<(App, String)>, Error> {
        Ok(self.list().await?.apps.iter().map(|n| (n.app.clone(), n.name.clone())).collect())
    }

    async fn form(&self, app: AppKey) -> Result<Arc<Form>, Error> {
        let list = self.list().await?;
        match list.apps.iter().find(|n| n.app.key == app) {
            Some(named) => Ok(Arc::clone(&Connection::form(self, named).await?.form)),
            None => Ok(Arc::new(self.client.form(app).await?)),
        }
    }
}

/// The app is gone, or the login may not see this of it.
pub(super) fn is_without_right(error: &crate::kintone::Error) -> bool {
    matches!(error.code(), Some("GAIA_AP01" | "CB_NO01" | "CB_NO02" | "GAIA_NO01"))
}

/// What the columns of an app's tables depend on.
pub(super) fn context(form: &AppForm, time_zone: Tz) -> FormContext {
    FormContext { scale: form.scale, time_zone, by_label: form.by_label }
}

/// The columns of an app's table, or of one of its table fields.
fn columns(form: &AppForm, table: Option<&str>, time_zone: Tz) -> Columns {
    let context = context(form, time_zone);
    let field = table.and_then(|code| form.form.fields.iter().find(|f| f.code == code));
    match field {
        Some(field) => Columns::of_rows(&form.form, field, context),
        None => Columns::of_records(&form.form, context),
    }
}

/// Each app's table name: its code where there is one, else its name. Of two apps of one name the lowest id keeps
/// it bare, later ones get `_<app id>`; system tables win over apps.
fn assign_names(mut apps: Vec<App>) -> Vec<(App, String)> {
    apps.sort_by_key(|a| a.key.id);
    let mut taken: Vec<String> = system_tables().map(|t| t.name.to_lowercase()).collect();
    taken.extend(system_tables().flat_map(|t| t.aliases).map(|a| a.to_lowercase()));
    let mut names: HashMap<AppKey, String> = HashMap::new();
    let coded = |a: &&App| !a.code.is_empty();
    for app in apps.iter().filter(coded).chain(apps.iter().filter(|a| !coded(a))) {
        let bare = if app.code.is_empty() { &app.name } else { &app.code };
        let name = if taken.contains(&bare.to_lowercase()) {
            format!("{bare}_{}", app.key.id)
        } else {
            bare.clone()
        };
        taken.push(name.to_lowercase());
        names.insert(app.key, name);
    }
    apps.into_iter().filter_map(|app| names.remove(&app.key).map(|name| (app, name))).collect()
}

fn find_system(name: &str, quoted: bool) -> Option<Found> {
    let lower = name.to_lowercase();
    let same = |n: &str| if quoted { n == name } else { n.to_lowercase() == lower };
    system_tables().find(|t| same(t.name) || t.aliases.iter().any(|a| same(a))).map(|t| Found::System(t.name))
}

/// An app's own name first, then its code, its name and `app_<id>`.
pub(super) fn aliases(app: &NamedApp) -> Vec<String> {
    let mut all =
        vec![app.name.clone(), app.app.code.clone(), app.app.name.clone(), format!("app_{}", app.app.key)];
    all.retain(|n| !n.is_empty());
    all
}

fn find_app(apps: &[Arc<NamedApp>], name: &str, quoted: bool) -> Option<Arc<NamedApp>> {
    let exact = |wanted: &str| {
        let own = apps.iter().find(|a| a.name == wanted);
        own.or_else(|| apps.iter().find(|a| aliases(a).iter().any(|n| n == wanted)))
    };
    if quoted {
        return exact(name).map(Arc::clone);
    }
    let lower = name.to_lowercase();
    if let Some(app) = exact(name).or_else(|| exact(&lower)) {
        return Some(Arc::clone(app));
    }
    let like = |names: &dyn Fn(&NamedApp) -> Vec<String>| {
        let mut found = apps.iter().filter(|a| names(a).iter().any(|n| n.to_lowercase() == lower));
        found.next().filter(|_| found.next().is_none()).map(Arc::clone)
    };
    like(&|a| vec![a.name.clone()]).or_else(|| like(&aliases))
}

/// What is left of `name` after `prefix` and `_`.
pub(super) fn after_prefix<'n>(name: &'n str, prefix: &str, quoted: bool) -> Option<&'n str> {
    let mut wanted = prefix.chars();
    for (i, c) in name.char_indices() {
        let Some(w) = wanted.next() else {
            return if c == '_' { name.get(i + 1..) } else { None };
        };
        if c != w && (quoted || c.to_lowercase().ne(w.to_lowercase())) {
            return None;
        }
    }
    None
}

pub(super) fn column_infos(columns: Columns) -> Vec<ColumnInfo> {
    let info = |c: crate::table::Column| ColumnInfo {
        name: c.name,
        label: c.label,
        sql_type: c.sql_type,
        nullable: c.nullable,
        unique: c.unique,
        kintone_type: c.kintone_type,
        options: c.options,
    };
    columns.columns.into_iter().map(info).collect()
}

fn app_info(schema: &str, app: &NamedApp, form: &AppForm, apps: &[Arc<NamedApp>]) -> TableInfo {
    let lookups = form.form.fields.iter().filter_map(|f| {
        let lookup = f.lookup.as_ref()?;
        let there = apps.iter().find(|a| a.app.key.id == lookup.app)?;
        Some(ForeignKey {
            columns: vec![f.code.clone()],
            table: there.name.clone(),
            referenced: vec![lookup.key_field.clone()],
        })
    });
    TableInfo {
        schema: schema.to_owned(),
        name: app.name.clone(),
        kind: TableKind::App,
        app_id: Some(app.app.key.id),
        label: app.app.name.clone(),
        description: plain_text(&app.app.description),
        columns: column_infos(columns(form, None, Tz::UTC)),
        primary_key: vec!["$id".into()],
        foreign_keys: lookups.collect(),
    }
}

fn subtable_info(schema: &str, app: &NamedApp, form: &AppForm, code: &str, label: &str) -> TableInfo {
    TableInfo {
        schema: schema.to_owned(),
        name: format!("{}_{code}", app.name),
        kind: TableKind::Subtable,
        app_id: Some(app.app.key.id),
        label: format!("{} / {label}", app.app.name),
        description: String::new(),
        columns: column_infos(columns(form, Some(code), Tz::UTC)),
        primary_key: vec!["$id".into(), "RowId".into()],
        foreign_keys: vec![ForeignKey {
            columns: vec!["$id".into()],
            table: app.name.clone(),
            referenced: vec!["$id".into()],
        }],
    }
}

fn system_info(schema: &str, table: &crate::table::SystemInfo) -> TableInfo {
    let column = |c: &crate::table::SystemColumn| ColumnInfo {
        name: c.name.to_owned(),
        label: c.name.to_owned(),
        sql_type: c.sql_type(),
        nullable: c.nullable,
        unique: false,
        kintone_type: String::new(),
        options: vec![],
    };
    TableInfo {
        schema: schema.to_owned(),
        name: table.name.to_owned(),
        kind: TableKind::System,
        app_id: None,
        label: table.name.to_owned(),
        description: table.description.to_owned(),
        columns: table.columns.iter().map(column).collect(),
        primary_key: table.key.iter().map(ToString::to_string).collect(),
        foreign_keys: vec![],
    }
}

/// An app's description is HTML; a comment on a table is text.
fn plain_text(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&amp;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kintone::Entity;

    fn app(id: u64, code: &str, name: &str) -> App {
        let nobody = || Entity { code: String::new(), name: String::new() };
        App {
            key: AppKey { id, guest_space: None },
            code: code.into(),
            name: name.into(),
            description: String::new(),
            space_id: None,
            thread_id: None,
            created_at: String::new(),
            creator: nobody(),
            modified_at: String::new(),
            modifier: nobody(),
        }
    }

    #[test]
    fn names_are_unique_and_system_tables_win() {
        let apps = vec![
            app(9, "", "備品"),
            app(3, "", "備品"),
            app(5, "", "Comments"),
            app(7, "CRM", "顧客"),
            app(8, "", "crm"),
        ];
        let names: Vec<_> = assign_names(apps).into_iter().map(|(a, n)| (a.key.id, n)).collect();
        let expect = [(3, "備品"), (5, "Comments_5"), (7, "CRM"), (8, "crm_8"), (9, "備品_9")];
        assert_eq!(names, expect.map(|(id, n)| (id, n.to_owned())));
    }

    #[test]
    fn apps_are_found_by_code_name_and_id() {
        let apps: Vec<_> = assign_names(vec![
            app(3, "CRM", "顧客"),
            app(4, "", "Crm2"),
            app(5, "", "備品"),
            app(6, "", "備品"),
        ])
        .into_iter()
        .map(|(app, name)| NamedApp::new(app, name))
        .collect();
        let id = |name, quoted| find_app(&apps, name, quoted).map(|a| a.app.key.id);
        assert_eq!(id("crm", false), Some(3));
        assert_eq!(id("crm", true), None);
        assert_eq!(id("CRM", true), Some(3));
        assert_eq!(id("顧客", false), Some(3));
        assert_eq!(id("APP_4", false), Some(4));
        assert_eq!(id("備品", false), Some(5));
        assert_eq!(id("備品_6", false), Some(6));
        assert_eq!(after_prefix("crm_明細", "CRM", false), Some("明細"));
        assert_eq!(after_prefix("crm_明細", "CRM", true), None);
        assert_eq!(after_prefix("crm", "CRM", false), None);
    }

    #[test]
    fn descriptions_are_plain_text() {
        assert_eq!(plain_text("<div>顧客&nbsp;の<br>台帳 &lt;A&amp;B&gt;</div>"), "顧客 の 台帳 <A&B>");
    }
}
