//! The apps of a connection under their tables' names, and what is known of each.
//!
//! Takes: the apps as Kintone lists them, and the list before. Gives: each app's name, and the app that a name means.
//! No I/O: who reads a form keeps it here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::OnceCell;

use crate::kintone::{App, AppKey, Form, View};
use crate::table::system_tables;

/// Names that an app had and that still find it; beyond, the oldest is forgotten.
const FORMER: usize = 20;

/// So long after a change another one may come that the time of the first still stands for: Kintone tells minutes or
/// seconds, and its clock is not ours.
const UNSETTLED: TimeDelta = TimeDelta::minutes(2);

/// An app's form with what its columns depend on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AppForm {
    pub form: Arc<Form>,
    pub scale: i8,
    /// Columns are named by label (`UseCodeForFieldName=false`).
    pub by_label: bool,
}

/// What is known of an app besides its line in the list.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    pub form: Option<Arc<AppForm>>,
    /// Its list views.
    pub views: Option<Arc<Vec<View>>>,
}

/// An app and its table's name.
#[derive(Debug)]
pub(super) struct NamedApp {
    pub app: App,
    pub name: String,
    /// Names that its table had before, the latest last.
    pub former: Vec<String>,
    /// Its name, its code, its name in Kintone and `app_<id>`.
    pub aliases: Vec<String>,
    pub form: OnceCell<Arc<AppForm>>,
    pub views: OnceCell<Arc<Vec<View>>>,
    /// The login may not see its form: it is left out of the catalog until it changes or is asked for by name.
    pub refused: AtomicBool,
    /// What is known was read so long after its last change that it is of that change.
    pub settled: AtomicBool,
    /// As it was before it changed: to be compared with, never to be planned with.
    pub before: Parts,
}

impl NamedApp {
    pub(super) fn new(app: App, name: String, former: Vec<String>, known: Parts, before: Parts) -> Arc<Self> {
        let mut aliases = vec![name.clone(), app.code.clone(), app.name.clone(), format!("app_{}", app.key)];
        aliases.retain(|n| !n.is_empty());
        Arc::new(Self {
            form: known.form.map_or_else(OnceCell::new, |form| OnceCell::new_with(Some(form))),
            views: known.views.map_or_else(OnceCell::new, |views| OnceCell::new_with(Some(views))),
            app,
            name,
            former,
            aliases,
            refused: AtomicBool::new(false),
            settled: AtomicBool::new(true),
            before,
        })
    }

    /// What was read since it is what it is.
    pub(super) fn known(&self) -> Parts {
        Parts { form: self.form.get().cloned(), views: self.views.get().cloned() }
    }

    /// Notes that something of it was read just now.
    pub(super) fn note_read(&self) {
        let changed = DateTime::parse_from_rfc3339(&self.app.modified_at);
        let settled = changed.is_ok_and(|at| Utc::now().signed_duration_since(at) > UNSETTLED);
        self.settled.store(settled, Ordering::Relaxed);
        self.refused.store(false, Ordering::Relaxed);
    }

    /// The same app, to be read anew.
    pub(super) fn unread(&self) -> Arc<Self> {
        let known = self.known();
        let before = Parts {
            form: known.form.or_else(|| self.before.form.clone()),
            views: known.views.or_else(|| self.before.views.clone()),
        };
        Self::new(self.app.clone(), self.name.clone(), self.former.clone(), Parts::default(), before)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.app == other.app && self.name == other.name && self.former == other.former
    }
}

/// The apps of a connection at one moment.
#[derive(Debug)]
pub(super) struct AppList {
    /// When Kintone gave it; `None`: it is to be asked for before it is used.
    pub read: Option<Instant>,
    /// By id.
    pub apps: Vec<Arc<NamedApp>>,
    /// Places in `apps` by every name in lower case.
    by_name: HashMap<String, Vec<usize>>,
}

impl AppList {
    pub(super) fn new(read: Option<Instant>, apps: Vec<Arc<NamedApp>>) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, app) in apps.iter().enumerate() {
            for name in app.aliases.iter().chain(&app.former) {
                let places = by_name.entry(name.to_lowercase()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        Self { read, apps, by_name }
    }

    /// What Kintone lists now. An app that did not change since `before` keeps what is known of it, unless
    /// `recheck` says that its line does not tell; the names that it had before still find it.
    pub(super) fn merge(apps: Vec<App>, before: Option<&Self>, recheck: bool) -> Self {
        let old: HashMap<AppKey, &Arc<NamedApp>> =
            before.iter().flat_map(|list| &list.apps).map(|app| (app.app.key, app)).collect();
        let named = assign_names(apps);
        let taken: Vec<String> = named.iter().map(|(_, name)| name.to_lowercase()).collect();
        let apps = named.into_iter().map(|(app, name)| {
            let Some(old) = old.get(&app.key) else {
                return NamedApp::new(app, name, vec![], Parts::default(), Parts::default());
            };
            // A name that another table has now is that table's.
            let mut former: Vec<String> =
                old.former.iter().chain([&old.name]).filter(|n| **n != name).cloned().collect();
            former.retain(|name| !taken.contains(&name.to_lowercase()));
            former.drain(..former.len().saturating_sub(FORMER));
            if app != old.app || recheck || !old.settled.load(Ordering::Relaxed) {
                return NamedApp::new(app, name, former, Parts::default(), old.unread().before.clone());
            }
            if name == old.name && former == old.former {
                return Arc::clone(old);
            }
            NamedApp::new(app, name, former, old.known(), old.before.clone())
        });
        let apps = apps.collect();
        Self::new(Some(Instant::now()), apps)
    }

    /// Whether both list the same apps under the same names, none of them changed.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.apps.len() == other.apps.len() && self.apps.iter().zip(&other.apps).all(|(a, b)| a.is_same(b))
    }

    pub(super) fn age(&self) -> Duration {
        self.read.map_or(Duration::MAX, |read| read.elapsed())
    }

    pub(super) fn by_id(&self, id: u64) -> Option<&Arc<NamedApp>> {
        let at = self.apps.binary_search_by_key(&id, |app| app.app.key.id).ok()?;
        self.apps.get(at)
    }

    /// The app that a name means: the name of its table, else another of its names, else one that it had.
    pub(super) fn find(&self, name: &str, quoted: bool) -> Option<Arc<NamedApp>> {
        let lower = name.to_lowercase();
        let places = self.by_name.get(&lower)?;
        let candidates: Vec<&Arc<NamedApp>> = places.iter().filter_map(|at| self.apps.get(*at)).collect();
        let exact = |wanted: &str| {
            let find = |has: &dyn Fn(&NamedApp) -> bool| candidates.iter().find(|app| has(app)).copied();
            find(&|app| app.name == wanted)
                .or_else(|| find(&|app| app.aliases.iter().any(|n| n == wanted)))
                .or_else(|| find(&|app| app.former.iter().any(|n| n == wanted)))
        };
        if quoted {
            return exact(name).map(Arc::clone);
        }
        if let Some(app) = exact(name).or_else(|| exact(&lower)) {
            return Some(Arc::clone(app));
        }
        let like = |has: &dyn Fn(&NamedApp) -> bool| {
            let mut found = candidates.iter().filter(|app| has(app));
            found.next().filter(|_| found.next().is_none()).map(|app| Arc::clone(app))
        };
        like(&|app| app.name.to_lowercase() == lower)
            .or_else(|| like(&|app| app.aliases.iter().any(|n| n.to_lowercase() == lower)))
            .or_else(|| like(&|_| true))
    }
}

/// Each app's table name: its code where there is one, else its name. Of two apps of one name the lowest id keeps
/// it bare, later ones get `_<app id>`; system tables win over apps.
fn assign_names(mut apps: Vec<App>) -> Vec<(App, String)> {
    apps.sort_by_key(|a| a.key.id);
    let mut taken: HashSet<String> = system_tables().map(|t| t.name.to_lowercase()).collect();
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
        taken.insert(name.to_lowercase());
        names.insert(app.key, name);
    }
    apps.into_iter().filter_map(|app| names.remove(&app.key).map(|name| (app, name))).collect()
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
        .map(|(app, name)| NamedApp::new(app, name, vec![], Parts::default(), Parts::default()))
        .collect();
        let apps = AppList::new(None, apps);
        let id = |name, quoted| apps.find(name, quoted).map(|a| a.app.key.id);
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
    fn a_renamed_app_is_found_by_its_old_name_until_another_has_it() {
        let list = |apps: &[(u64, &str)], before: Option<&AppList>| {
            AppList::merge(apps.iter().map(|(id, name)| app(*id, "", name)).collect(), before, false)
        };
        let id = |list: &AppList, name| list.find(name, false).map(|a| a.app.key.id);
        let first = list(&[(3, "顧客"), (4, "案件")], None);
        let second = list(&[(3, "取引先"), (4, "案件")], Some(&first));
        assert_eq!((id(&second, "顧客"), id(&second, "取引先")), (Some(3), Some(3)));
        assert!(Arc::ptr_eq(&first.apps[1], &second.apps[1]) && !second.is_same(&first));
        let third = list(&[(3, "会社"), (4, "案件")], Some(&second));
        assert_eq!((id(&third, "顧客"), id(&third, "取引先")), (Some(3), Some(3)));
        // A new app takes the name.
        let fourth = list(&[(3, "会社"), (4, "案件"), (5, "顧客")], Some(&third));
        assert_eq!((id(&fourth, "顧客"), id(&fourth, "取引先")), (Some(5), Some(3)));
        // Its old name comes back to nobody.
        let fifth = list(&[(3, "会社"), (4, "案件")], Some(&fourth));
        assert_eq!((id(&fifth, "顧客"), id(&fifth, "取引先")), (None, Some(3)));
        // And an app that is itself again has it as its own alone.
        let sixth = list(&[(3, "取引先"), (4, "案件")], Some(&fifth));
        assert_eq!(
            (sixth.apps[0].former.as_slice(), id(&sixth, "会社")),
            (&["会社".to_owned()][..], Some(3))
        );
    }
}
