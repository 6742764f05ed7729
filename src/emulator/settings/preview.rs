//! The two sides of an app's settings, and how the preview is changed.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::super::app::AppDefinition;
use super::super::call::{Call, Change};
use super::super::params::integer;
use super::super::reply::{Failure, GUEST_APP, NO_APP, NO_PRIVILEGE, REVISION_CONFLICT, SETTINGS_LOCKED};

/// Settings of an app that are not live yet.
#[derive(Debug, Clone)]
pub(crate) struct Preview {
    pub(super) definition: AppDefinition,
    pub(super) revision: u64,
    pub(super) origins: Origins,
}

/// What of the live app the names of a preview mean, so that values follow what was renamed.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins {
    /// Live field code by the preview's, columns of tables too. A new field has none.
    pub(super) codes: HashMap<String, String>,
    /// The preview's option by the live one, by the preview's field code, where they differ.
    pub(super) options: HashMap<String, HashMap<String, String>>,
    /// The preview's state by the live one, where they differ.
    pub(super) states: HashMap<String, String>,
}

impl Origins {
    /// Of a preview that is as its app is live.
    pub(super) fn of(definition: &AppDefinition) -> Self {
        let codes = codes(definition).map(|code| (code.to_owned(), code.to_owned())).collect();
        Self { codes, ..Self::default() }
    }

    /// A field has a new code.
    pub(super) fn rename_code(&mut self, old: &str, new: &str) {
        if let Some(origin) = self.codes.remove(old) {
            self.codes.insert(new.to_owned(), origin);
        }
        if let Some(options) = self.options.remove(old) {
            self.options.insert(new.to_owned(), options);
        }
    }

    /// A field is gone; one that comes later under its code is another.
    pub(super) fn forget_code(&mut self, code: &str) {
        self.codes.remove(code);
        self.options.remove(code);
    }

    /// Options of a field have new names: (old, new).
    pub(super) fn rename_options(&mut self, code: &str, renames: &[(String, String)]) {
        let known = self.options.entry(code.to_owned()).or_default();
        rename(known, renames);
    }

    /// States have new names: (old, new).
    pub(super) fn rename_states(&mut self, renames: &[(String, String)]) {
        rename(&mut self.states, renames);
    }
}

/// Follows names that may have been renamed before; all at once, since two may change places.
fn rename(known: &mut HashMap<String, String>, renames: &[(String, String)]) {
    let mut out: HashMap<String, String> = HashMap::new();
    for (live, current) in known.iter() {
        let next = renames.iter().find(|(old, _)| old == current).map_or(current, |(_, new)| new);
        out.insert(live.clone(), next.clone());
    }
    for (old, new) in renames {
        if !known.values().any(|current| current == old) {
            out.insert(old.clone(), new.clone());
        }
    }
    *known = out;
}

/// Every field code of a form, columns of tables after their table.
pub(super) fn codes(definition: &AppDefinition) -> impl Iterator<Item = &str> {
    definition.properties.iter().flat_map(|(code, property)| {
        let columns = property.get("fields").and_then(Json::as_object);
        std::iter::once(code.as_str()).chain(columns.into_iter().flat_map(|c| c.keys().map(String::as_str)))
    })
}

/// Which settings a call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side {
    preview: bool,
}

/// As records are served.
pub(crate) const LIVE: Side = Side { preview: false };
/// As they will be after the next deploy.
pub(crate) const PREVIEW: Side = Side { preview: true };

/// Settings on one side.
pub(super) struct Settings<'a> {
    pub(super) definition: &'a AppDefinition,
    pub(super) revision: u64,
}

impl Side {
    /// The settings of the app that the call names.
    pub(super) fn of<'a>(self, call: &Call<'a>) -> Result<Settings<'a>, Failure> {
        if self.preview {
            return open(call, call.params.id("app")?);
        }
        let app = call.app("app")?;
        Ok(Settings { definition: &app.definition, revision: app.revision })
    }
}

/// An app's preview, where this path and this caller can reach it. Without changes it is as the app is live.
pub(super) fn open<'a>(call: &Call<'a>, id: u64) -> Result<Settings<'a>, Failure> {
    if call.caller.is_token() && !call.store.unknowns.tokens_change_settings {
        return Err(call.caller.token_not_allowed());
    }
    let live = call.store.apps.get(&id).map(|a| Settings { definition: &a.definition, revision: a.revision });
    let preview = call.store.previews.get(&id);
    let preview = preview.map(|p| Settings { definition: &p.definition, revision: p.revision });
    let settings = preview.or(live).ok_or(NO_APP)?;
    if settings.definition.guest_space != call.guest_space {
        let refusal = if call.guest_space.is_some() { NO_PRIVILEGE } else { GUEST_APP };
        return Err(refusal.into());
    }
    call.caller.may_open(id)?;
    Ok(settings)
}

/// The preview of an app that the call may change.
fn to_change(call: &Call<'_>, id: u64) -> Result<Preview, Failure> {
    let settings = open(call, id)?;
    check_revision(call.params.get("revision"), settings.revision)?;
    if call.store.deploys.is_running(id) {
        return Err(SETTINGS_LOCKED.into());
    }
    let fresh = || Preview {
        definition: settings.definition.clone(),
        revision: settings.revision,
        origins: Origins::of(settings.definition),
    };
    Ok(call.store.previews.get(&id).cloned().unwrap_or_else(fresh))
}

/// Whether a revision that was sent is the latest; -1 and none are not checked.
pub(super) fn check_revision(sent: Option<&Json>, revision: u64) -> Result<(), Failure> {
    match sent.map(integer) {
        None | Some(Some(-1)) => Ok(()),
        Some(Some(sent)) if u64::try_from(sent).is_ok_and(|sent| sent == revision) => Ok(()),
        Some(Some(sent)) if sent >= 0 => Err(REVISION_CONFLICT.into()),
        Some(_) => Err(Failure::invalid("revision", "Must be -1, or 0 or larger.")),
    }
}

/// Changes the preview of the call's app, wholly or not at all. Gives what `work` gives, and the new revision.
pub(super) fn edit<T>(
    change: &mut Change<'_>,
    work: impl FnOnce(&Call<'_>, &mut Preview) -> Result<T, Failure>,
) -> Result<(T, String), Failure> {
    let id = change.params.id("app")?;
    let call = change.call();
    let mut preview = to_change(&call, id)?;
    let result = work(&call, &mut preview)?;
    preview.revision += 1;
    let revision = preview.revision.to_string();
    change.store.previews.insert(id, preview);
    Ok((result, revision))
}
