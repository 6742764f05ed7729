//! A call that has come through the door: who asks, on which path, with which parameters.

use chrono::{DateTime, Utc};

use super::auth::Caller;
use super::cursor::Cursors;
use super::params::Params;
use super::query::Scope;
use super::reply::{Failure, GUEST_APP, NO_APP, NO_PRIVILEGE};
use super::store::{App, Store};

pub(super) struct Call<'a> {
    pub(super) store: &'a Store,
    pub(super) cursors: &'a Cursors,
    pub(super) caller: &'a Caller,
    /// The guest space of the path.
    pub(super) guest_space: Option<u64>,
    pub(super) params: &'a Params,
    pub(super) now: DateTime<Utc>,
}

/// A call that changes what apps there are, their settings, or several apps at once: nobody else is served
/// meanwhile.
pub(super) struct Change<'a> {
    pub(super) store: &'a mut Store,
    pub(super) cursors: &'a Cursors,
    pub(super) caller: &'a Caller,
    /// The guest space of the path.
    pub(super) guest_space: Option<u64>,
    pub(super) params: &'a Params,
    pub(super) now: DateTime<Utc>,
}

impl Change<'_> {
    /// The same call, to look at what there is.
    pub(super) fn call(&self) -> Call<'_> {
        Call {
            store: self.store,
            cursors: self.cursors,
            caller: self.caller,
            guest_space: self.guest_space,
            params: self.params,
            now: self.now,
        }
    }
}

impl<'a> Call<'a> {
    /// The app that a parameter names.
    pub(super) fn app(&self, parameter: &str) -> Result<&'a App, Failure> {
        self.app_by_id(self.params.id(parameter)?)
    }

    /// An app that this path and this caller can reach (K§1.1).
    pub(super) fn app_by_id(&self, id: u64) -> Result<&'a App, Failure> {
        let app = self.store.apps.get(&id).ok_or(NO_APP)?;
        if app.definition.guest_space != self.guest_space {
            let refusal = if self.guest_space.is_some() { NO_PRIVILEGE } else { GUEST_APP };
            return Err(refusal.into());
        }
        self.caller.may_open(id)?;
        Ok(app)
    }

    /// What a query on an app is read against.
    pub(super) fn scope(&self, app: &'a App) -> Scope<'a> {
        Scope { store: self.store, app, caller: self.caller, now: self.now }
    }

    /// Minutes since 1970, as Kintone keeps times.
    pub(super) fn minute(&self) -> i64 {
        self.now.timestamp().div_euclid(60)
    }
}
