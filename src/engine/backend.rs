//! The sessions that others know by a number: who has them, what they do, and how they are stopped.
//!
//! A door gives a session its number when its client has logged in. What others see and do is as in PostgreSQL:
//! everybody sees that a session is there; what it runs is for its own user, and so is stopping it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use chrono::{DateTime, Utc};

use super::session::Transaction;
use super::state::State;

/// Bytes of a statement's text that others see: `track_activity_query_size`.
const MOST_TEXT: usize = 1023;

/// How a door stops one of its clients.
pub trait Signals: Send + Sync + Debug {
    /// Ends what the client is waiting for; nothing where it waits for nothing.
    fn cancel(&self);

    /// Ends the connection, and with it what it runs.
    fn terminate(&self);
}

/// All that have a number.
#[derive(Debug, Default)]
pub(super) struct Backends {
    live: Mutex<BTreeMap<i32, Arc<Backend>>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) user: String,
    address: Option<IpAddr>,
    started: DateTime<Utc>,
    state: Weak<State>,
    pub(super) signals: Box<dyn Signals>,
}

/// What a session does, or did last.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity {
    /// The text, cut to [`MOST_TEXT`].
    text: String,
    /// When that began.
    began: Option<DateTime<Utc>>,
    /// When it began or ended.
    changed: Option<DateTime<Utc>>,
    active: bool,
}

/// A line of `pg_stat_activity`.
#[derive(Debug)]
pub(crate) struct BackendInfo {
    pub(crate) pid: i32,
    pub(crate) user: String,
    pub(crate) application_name: String,
    /// What its own user alone sees.
    pub(crate) own: Option<OwnInfo>,
}

/// What a session shows to its own user.
#[derive(Debug)]
pub(crate) struct OwnInfo {
    pub(crate) address: Option<String>,
    pub(crate) started: DateTime<Utc>,
    pub(crate) transaction_began: Option<DateTime<Utc>>,
    pub(crate) query_began: Option<DateTime<Utc>>,
    pub(crate) changed: Option<DateTime<Utc>>,
    pub(crate) state: &'static str,
    pub(crate) query: String,
}

impl Activity {
    /// It begins to run this text.
    pub(super) fn begin(&mut self, text: &str) {
        let now = Some(Utc::now());
        text.get(..text.floor_char_boundary(MOST_TEXT)).unwrap_or_default().clone_into(&mut self.text);
        (self.began, self.changed, self.active) = (now, now, true);
    }

    /// It waits for its client.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.active) {
            self.changed = Some(Utc::now());
        }
    }
}

impl Backends {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Arc<Backend>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a session known, as long as its state lives.
    pub(super) fn add(
        &self,
        pid: i32,
        user: String,
        address: Option<IpAddr>,
        state: &Arc<State>,
        signals: Box<dyn Signals>,
    ) {
        let state = Arc::downgrade(state);
        self.lock().insert(pid, Arc::new(Backend { user, address, started: Utc::now(), state, signals }));
    }

    /// The session ends; another one may have its number already.
    pub(super) fn remove(&self, pid: i32, state: &State) {
        let mut live = self.lock();
        if live.get(&pid).is_some_and(|backend| std::ptr::eq(backend.state.as_ptr(), state)) {
            live.remove(&pid);
        }
    }

    /// The session of this number.
    pub(super) fn get(&self, pid: i32) -> Option<Arc<Backend>> {
        self.lock().get(&pid).cloned()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// All of them, as a user sees them.
    pub(crate) fn seen_by(&self, user: &str) -> Vec<BackendInfo> {
        let live = self.lock().clone();
        live.into_iter().filter_map(|(pid, backend)| backend.seen_by(pid, user)).collect()
    }
}

impl Backend {
    fn seen_by(&self, pid: i32, user: &str) -> Option<BackendInfo> {
        let state = self.state.upgrade()?;
        let application_name = state.settings().show("application_name").unwrap_or_default();
        let own = (self.user == user).then(|| {
            let activity = state.activity(|activity| activity.clone());
            OwnInfo {
                address: self.address.map(|address| address.to_canonical().to_string()),
                started: self.started,
                transaction_began: state.began(),
                query_began: activity.began,
                changed: activity.changed,
                state: match (activity.active, state.transaction()) {
                    (true, _) => "active",
                    (false, Transaction::Idle) => "idle",
                    (false, Transaction::Open) => "idle in transaction",
                    (false, Transaction::Failed) => "idle in transaction (aborted)",
                },
                query: activity.text,
            }
        });
        Some(BackendInfo { pid, user: self.user.clone(), application_name, own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::settings::Settings;

    #[derive(Debug)]
    struct Deaf;

    impl Signals for Deaf {
        fn cancel(&self) {}
        fn terminate(&self) {}
    }

    #[test]
    fn a_session_is_there_until_its_state_is_gone() {
        let backends = Arc::<Backends>::default();
        let state = || {
            let settings = Settings::new(chrono_tz::Tz::UTC, 500);
            let state = Arc::new(State::new(settings, Arc::clone(&backends)));
            state.set_pid(5);
            backends.add(5, "a".into(), None, &state, Box::new(Deaf));
            state
        };
        let first = state();
        first.activity(|activity| activity.begin(&"é".repeat(1000)));
        let seen = backends.seen_by("a");
        let own = seen[0].own.as_ref().unwrap();
        assert_eq!((seen[0].pid, own.state, own.query.len()), (5, "active", 1022));
        assert!(backends.seen_by("b")[0].own.is_none());
        // The number is given anew before the first one is gone for good.
        let second = state();
        drop(first);
        assert_eq!(backends.count(), 1);
        drop(second);
        assert_eq!(backends.count(), 0);
    }
}
