//! One connection's schema: which apps there are, under which names, and their forms as they were read last.
//!
//! Freshness goes by the list of apps (one call for 100 apps): it is asked for again once it is older than
//! [`FRESH`], and only an app whose settings changed has its form read again. One reader at a time each; who comes
//! meanwhile is served by the list that there is. With API tokens the list does not tell enough: there a form is
//! read again with each list and compared.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::Mutex;

use super::apps::{AppForm, AppList, NamedApp};
use super::catalog::TableInfo;
use super::revision::Revisions;
use super::schema_cache::SchemaCache;
use super::table_info::{app_info, subtable_info, system_info, unread_info};
use crate::kintone::{App, AppKey, Client, Credentials, Form};
use crate::table::{Directory, Error, number_scale, system_tables};

/// How long the list of apps is believed.
const FRESH: Duration = Duration::from_secs(300);

/// How old it may be for those who come while somebody asks for it again.
const MEANWHILE: Duration = Duration::from_secs(600);

/// How soon it is asked for again when Kintone did not answer.
const RETRY: Duration = Duration::from_secs(30);

/// Forms read at once.
const FORMS_AT_ONCE: usize = 10;

/// A connection with its schema's state.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    revisions: Arc<Revisions>,
    list: Lock<Option<Arc<AppList>>>,
    /// Held by whoever asks Kintone for the list, or changes it otherwise.
    reading: Mutex<()>,
    cache: Option<SchemaCache>,
}

impl Connection {
    /// Reads nothing yet. `cache` is the folder where schemas are kept between runs.
    pub(super) fn new(client: Client, revisions: Arc<Revisions>, cache: Option<&Path>) -> Self {
        let cache = cache.map(|folder| SchemaCache::new(folder, client.config()));
        Self { client, revisions, list: Lock::default(), reading: Mutex::default(), cache }
    }

    pub(super) fn name(&self) -> &str {
        &self.client.config().name
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The apps as they were read last.
    fn known(&self) -> Option<Arc<AppList>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, list: AppList) -> Arc<AppList> {
        let list = Arc::new(list);
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&list));
        list
    }

    /// The apps, at most [`FRESH`] old; while they are asked for again, those that there are.
    pub(super) async fn list(&self) -> Result<Arc<AppList>, Error> {
        let Some(known) = self.known() else { return self.read_list(FRESH).await };
        let is_good = known.age() < FRESH || (known.age() < MEANWHILE && self.reading.try_lock().is_err());
        if is_good { Ok(known) } else { self.read_list(FRESH).await }
    }

    /// The apps as Kintone lists them now, unless somebody else has just asked.
    async fn read_list(&self, fresh: Duration) -> Result<Arc<AppList>, Error> {
        let _reading = self.reading.lock().await;
        let known = self.known();
        if let Some(known) = known.as_ref().filter(|list| list.age() < fresh) {
            return Ok(Arc::clone(known));
        }
        let before = match known {
            None => self.cached().await,
            known => known,
        };
        let apps = match (self.client.apps().await, before.as_ref()) {
            (Ok(apps), _) => apps,
            // Better an old list than none; it is asked for again a little later.
            (Err(error), Some(old)) if error.is_unreachable() => {
                tracing::warn!(connection = self.name(), %error, "the list of apps could not be read again");
                let read = Instant::now().checked_sub(FRESH).map(|t| t + RETRY);
                if old.read.is_none() {
                    self.revisions.changed();
                }
                return Ok(self.set(AppList::new(read, old.apps.clone())));
            }
            (Err(error), _) => return Err(error.into()),
        };
        let fresh = AppList::merge(self.wanted(apps), before.as_deref(), self.has_tokens());
        let is_same = before.as_ref().is_some_and(|before| before.read.is_some() && before.is_same(&fresh));
        if !is_same {
            if let Some(cache) = &self.cache {
                cache.write_list(&fresh);
            }
            let fresh = self.set(fresh);
            self.revisions.changed();
            return Ok(fresh);
        }
        Ok(self.set(fresh))
    }

    /// The apps as they were when the program ran last.
    async fn cached(&self) -> Option<Arc<AppList>> {
        let cache = self.cache.clone()?;
        // A file for each app: not where others wait.
        tokio::task::spawn_blocking(move || cache.read()).await.ok().flatten().map(Arc::new)
    }

    fn has_tokens(&self) -> bool {
        matches!(self.client.config().credentials, Credentials::ApiTokens(_))
    }

    /// Those that the setting `Tables` names; without it, all.
    fn wanted(&self, mut apps: Vec<App>) -> Vec<App> {
        let wanted = &self.client.config().tables;
        if !wanted.is_empty() {
            apps.retain(|a| {
                wanted.contains(&a.name) || wanted.contains(&a.code) || wanted.contains(&a.key.to_string())
            });
        }
        apps
    }

    /// Something of these apps turned out to be old: it is read anew when it is next needed, and the list too.
    pub(super) fn forget(&self, apps: &[AppKey]) {
        let Some(known) = self.known() else { return };
        let anew = |app: &Arc<NamedApp>| {
            if apps.contains(&app.app.key) { app.unread() } else { Arc::clone(app) }
        };
        self.set(AppList::new(None, known.apps.iter().map(anew).collect()));
        self.revisions.changed();
    }

    /// Reads an app's form and views anew.
    pub(super) async fn refresh(&self, app: &NamedApp) -> Result<(), Error> {
        let reading = self.reading.lock().await;
        let Some(known) = self.known() else { return Ok(()) };
        let anew = |old: &Arc<NamedApp>| {
            if old.app.key == app.app.key { old.unread() } else { Arc::clone(old) }
        };
        let list = self.set(AppList::new(known.read, known.apps.iter().map(anew).collect()));
        self.revisions.changed();
        drop(reading);
        let Some(app) = list.by_id(app.app.key.id) else { return Ok(()) };
        self.form(app).await?;
        self.views(app).await.map(|_| ())
    }

    /// Reads the list, every form and every app's views anew.
    pub(super) async fn refresh_all(&self) -> Result<(), Error> {
        if let Some(known) = self.known() {
            let keys: Vec<AppKey> = known.apps.iter().map(|app| app.app.key).collect();
            self.forget(&keys);
        }
        let list = self.read_list(Duration::ZERO).await?;
        self.read(&list.apps, true).await
    }

    /// The list as it is now at Kintone.
    pub(super) async fn list_now(&self) -> Result<Arc<AppList>, Error> {
        self.read_list(Duration::ZERO).await
    }

    /// An app's form; the first who asks reads it. One that is known to be old serves only while Kintone does not
    /// answer at all, when no record can be read with it either.
    pub(super) async fn form(&self, app: &NamedApp) -> Result<Arc<AppForm>, Error> {
        let mut is_first = false;
        let read = app.form.get_or_try_init(|| {
            is_first = true;
            Box::pin(self.read_form(app))
        });
        let before = app.before.form.as_ref();
        match (read.await, before) {
            (Ok(form), _) => {
                if is_first {
                    self.told(app, before.is_none_or(|before| before == form));
                }
                Ok(Arc::clone(form))
            }
            (Err(Error::Kintone(error)), Some(before)) if error.is_unreachable() => Ok(Arc::clone(before)),
            (Err(error), _) => Err(error),
        }
    }

    async fn read_form(&self, app: &NamedApp) -> Result<Arc<AppForm>, Error> {
        let settings = async {
            // The settings need more rights than the form: without them, Kintone's own default precision.
            match self.client.settings(app.app.key).await {
                Ok(settings) => Ok(number_scale(settings.digits, settings.decimal_places)),
                Err(error) if is_without_right(&error) => Ok(number_scale(16, 4)),
                Err(error) => Err(error),
            }
        };
        // At once: a first statement waits for one answer.
        let (form, scale) = tokio::try_join!(self.client.form(app.app.key), settings)?;
        let by_label = !self.client.config().use_code_for_field_name;
        Ok(Arc::new(AppForm { form: Arc::new(form), scale, by_label }))
    }

    /// Something of an app was read just now: the same as before, or new, or not what it was.
    pub(super) fn told(&self, app: &NamedApp, is_same: bool) {
        app.note_read();
        if let Some(cache) = &self.cache {
            cache.write_app(app);
        }
        if is_same {
            self.revisions.learned();
        } else {
            self.revisions.changed();
        }
    }

    /// The apps of the list whose form is not known yet, or with `with_views` their list views. An app that was
    /// refused is not asked for again.
    pub(super) fn unread(list: &AppList, with_views: bool) -> Vec<Arc<NamedApp>> {
        let is_unread = |app: &&Arc<NamedApp>| {
            let known = app.form.get().is_some() && (!with_views || app.views.get().is_some());
            !known && !app.refused.load(Ordering::Relaxed)
        };
        list.apps.iter().filter(is_unread).cloned().collect()
    }

    /// Reads the forms of these apps, and with `with_views` their list views, as far as they are not known yet.
    pub(super) async fn read(&self, apps: &[Arc<NamedApp>], with_views: bool) -> Result<(), Error> {
        let one = |app: Arc<NamedApp>| async move {
            match self.form(&app).await {
                Ok(_) if with_views => self.views(&app).await.map(|_| ()),
                Ok(_) => Ok(()),
                // One app that may not be read, or is gone, hides no other.
                Err(Error::Kintone(error)) if is_without_right(&error) => {
                    tracing::warn!(connection = self.name(), app = %app.app.key, %error, "an app is left out");
                    app.refused.store(true, Ordering::Relaxed);
                    self.revisions.learned();
                    Ok(())
                }
                Err(error) => Err(error),
            }
        };
        let reads = stream::iter(apps.to_vec()).map(one).buffer_unordered(FORMS_AT_ONCE);
        reads.try_collect::<Vec<()>>().await.map(|_| ())
    }

    /// Every table as far as it is known, by name. Of an app whose form is not known there is the table with its key
    /// alone; its table fields and list views are missing.
    pub(super) fn infos(&self) -> Vec<Arc<TableInfo>> {
        let mut out: Vec<Arc<TableInfo>> =
            system_tables().map(|t| Arc::new(system_info(self.name(), &t))).collect();
        let Some(list) = self.known() else { return out };
        let mut forms = vec![];
        for app in &list.apps {
            let Some(form) = app.form.get().or(app.before.form.as_ref()) else {
                if !app.refused.load(Ordering::Relaxed) {
                    out.push(Arc::new(unread_info(self.name(), app, &list)));
                }
                continue;
            };
            out.push(Arc::new(app_info(self.name(), app, form, &list)));
            for field in form.form.fields.iter().filter(|f| f.kind == "SUBTABLE") {
                out.push(Arc::new(subtable_info(self.name(), app, form, &field.code, &field.label)));
            }
            forms.push((Arc::clone(app), Arc::clone(form)));
        }
        let taken = out.iter().map(|t| t.name.clone());
        let taken = taken.chain(list.apps.iter().flat_map(|app| app.aliases.iter().cloned()));
        let views = self.view_infos(&forms, taken.collect());
        out.extend(views);
        out.sort_by(|a, b| a.name.cmp(&b.name));
        out
    }

    /// Every name of the schema, for hints.
    pub(super) async fn names(&self) -> Result<Vec<String>, Error> {
        let list = self.list().await?;
        let system = system_tables().map(|t| t.name.to_owned());
        Ok(system.chain(list.apps.iter().flat_map(|a| a.aliases.iter().cloned())).collect())
    }
}

#[async_trait]
impl Directory for Connection {
    async fn apps(&self) -> Result<Vec<(App, String)>, Error> {
        Ok(self.list().await?.apps.iter().map(|n| (n.app.clone(), n.name.clone())).collect())
    }

    async fn form(&self, app: AppKey) -> Result<Arc<Form>, Error> {
        let list = self.list().await?;
        match list.by_id(app.id).filter(|named| named.app.key == app) {
            Some(named) => Ok(Arc::clone(&Connection::form(self, named).await?.form)),
            None => Ok(Arc::new(self.client.form(app).await?)),
        }
    }
}

/// The app is gone, or the login may not see this of it.
pub(super) fn is_without_right(error: &crate::kintone::Error) -> bool {
    matches!(error.code(), Some("GAIA_AP01" | "CB_NO01" | "CB_NO02" | "GAIA_NO01"))
}
