//! Apps and forms on disk, so that a start reads what changed meanwhile, not everything.
//!
//! A folder for each connection, in it `apps.json` (the apps with the names that their tables have and had) and a file
//! for each app whose form was read. A file is written beside its place and renamed, so that it is whole or not there,
//! and is its owner's alone. It holds no secret and no record. What is damaged, of another version, of another
//! Kintone or of another login is ignored with a warning: it is read from Kintone again, as without a cache.
//! Whether a form is still the app's is told by the list of apps, never by this folder.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::apps::{AppForm, AppList, NamedApp, Parts};
use crate::kintone::{App, AppKey, ClientConfig, Credentials, Form, View};

/// Of the files' form; a file of another one is not read.
const VERSION: u32 = 1;

const LIST: &str = "apps.json";

/// The folder of one connection.
#[derive(Debug, Clone)]
pub(super) struct SchemaCache {
    folder: PathBuf,
    owner: Owner,
    by_label: bool,
    written: Arc<AtomicU64>,
}

/// Whose schema a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owner {
    version: u32,
    /// Kintone's address.
    site: String,
    /// Who logs in: what a login may see is its own.
    login: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<T> {
    of: Owner,
    content: T,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedApp {
    app: App,
    name: String,
    former: Vec<String>,
}

/// What was read of an app.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AppParts {
    app: AppKey,
    /// The app's, when it was read.
    modified_at: String,
    settled: bool,
    form: Option<StoredForm>,
    views: Option<Vec<View>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredForm {
    form: Form,
    scale: i8,
}

impl SchemaCache {
    /// The connection's folder below `folder`. Touches nothing yet.
    pub(super) fn new(folder: &Path, config: &ClientConfig) -> Self {
        let login = match &config.credentials {
            Credentials::Password { user, .. } => format!("user {user}"),
            Credentials::ApiTokens(_) => "API tokens".to_owned(),
            Credentials::OAuth(_) => "OAuth".to_owned(),
        };
        let owner = Owner { version: VERSION, site: config.url.origin().ascii_serialization(), login };
        Self {
            folder: folder.join("schema").join(file_name(&config.name)),
            owner,
            by_label: !config.use_code_for_field_name,
            written: Arc::default(),
        }
    }

    /// The apps as they were when the program ran last, to be compared with Kintone's list; `None` where there is
    /// nothing to start from.
    pub(super) fn read(&self) -> Option<AppList> {
        let listed: Vec<ListedApp> = self.read_file(LIST)?;
        let mut apps: Vec<Arc<NamedApp>> = listed.into_iter().map(|listed| self.named(listed)).collect();
        apps.sort_by_key(|app| app.app.key.id);
        Some(AppList::new(None, apps))
    }

    fn named(&self, listed: ListedApp) -> Arc<NamedApp> {
        let ListedApp { app, name, former } = listed;
        let parts: Option<AppParts> = self.read_file(&app_file(app.key));
        let parts = parts.filter(|parts| parts.app == app.key && parts.modified_at == app.modified_at);
        let by_label = self.by_label;
        let settled = parts.as_ref().is_none_or(|parts| parts.settled);
        let known = parts.map_or_else(Parts::default, |parts| Parts {
            form: parts.form.map(|stored| {
                Arc::new(AppForm { form: Arc::new(stored.form), scale: stored.scale, by_label })
            }),
            views: parts.views.map(Arc::new),
        });
        let app = NamedApp::new(app, name, former, known, Parts::default());
        app.settled.store(settled, Ordering::Relaxed);
        app
    }

    /// Keeps the apps and their names; files of apps that are gone are deleted.
    pub(super) fn write_list(&self, list: &AppList) {
        let listed = |app: &Arc<NamedApp>| ListedApp {
            app: app.app.clone(),
            name: app.name.clone(),
            former: app.former.clone(),
        };
        self.write_file(LIST, list.apps.iter().map(listed).collect::<Vec<_>>());
        let kept: HashSet<String> = list.apps.iter().map(|app| app_file(app.app.key)).collect();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != LIST && name.ends_with(".json") && !kept.contains(&name) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Keeps what is known of an app.
    pub(super) fn write_app(&self, app: &NamedApp) {
        let Parts { form, views } = app.known();
        let content = AppParts {
            app: app.app.key,
            modified_at: app.app.modified_at.clone(),
            settled: app.settled.load(Ordering::Relaxed),
            form: form.map(|form| StoredForm { form: form.form.as_ref().clone(), scale: form.scale }),
            views: views.map(|views| views.as_ref().clone()),
        };
        self.write_file(&app_file(app.app.key), content);
    }

    fn read_file<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let path = self.folder.join(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "a cached schema cannot be read");
                return None;
            }
        };
        let why = match serde_json::from_slice::<Entry<serde_json::Value>>(&bytes) {
            Ok(entry) if entry.of != self.owner => "it is another Kintone's, login's or version's".to_owned(),
            Ok(entry) => match serde_json::from_value(entry.content) {
                Ok(content) => return Some(content),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        tracing::warn!(file = %path.display(), why, "a cached schema is ignored");
        None
    }

    fn write_file<T: Serialize>(&self, name: &str, content: T) {
        let path = self.folder.join(name);
        let entry = Entry { of: self.owner.clone(), content };
        let written = serde_json::to_vec(&entry)
            .map_err(io::Error::other)
            .and_then(|bytes| self.replace(&path, &bytes));
        if let Err(error) = written {
            tracing::warn!(file = %path.display(), %error, "the schema is not cached");
        }
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let beside = self.folder.join(format!(".{}-{number}.tmp", std::process::id()));
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(bytes)?;
            fs::rename(&beside, path)
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
    }
}

fn app_file(key: AppKey) -> String {
    match key.guest_space {
        Some(space) => format!("{}-{space}.json", key.id),
        None => format!("{}.json", key.id),
    }
}

/// A connection's name as a name that every file system has: other characters than letters of ASCII, digits, `-` and
/// `_` as their code.
fn file_name(name: &str) -> String {
    let letter = |c: char| match c {
        c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') => c.to_string(),
        c => format!("%{:x}", u32::from(c)),
    };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_has_a_folder_of_its_own() {
        assert_eq!(file_name("public"), "public");
        assert_eq!(file_name("../a b"), "%2e%2e%2fa%20b");
        assert_ne!(file_name("営業"), file_name("製造"));
    }
}
