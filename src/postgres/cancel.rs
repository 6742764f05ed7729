//! Cancel keys: which connection a CancelRequest means.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pgwire::messages::startup::{BackendKeyData, SecretKey};
use subtle::ConstantTimeEq;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::running::Cancels;
use crate::engine::{CancelHandle, Signals};

/// The keys of all connections.
#[derive(Debug, Default)]
pub(super) struct CancelKeys {
    next: AtomicI32,
    keys: Mutex<HashMap<i32, Entry>>,
}

#[derive(Debug)]
struct Entry {
    secret: i32,
    handle: CancelHandle,
    count: watch::Sender<u64>,
    busy: Arc<AtomicBool>,
}

/// How other sessions reach a connection.
#[derive(Debug)]
struct Signaled {
    keys: Arc<CancelKeys>,
    id: i32,
    ended: CancellationToken,
}

impl Signals for Signaled {
    fn cancel(&self) {
        if let Some(entry) = self.keys.lock().get(&self.id) {
            entry.cancel();
        }
    }

    fn terminate(&self) {
        self.ended.cancel();
    }
}

impl Entry {
    /// Stops what is running. A cancel between two messages never ends rows that are only waiting to be fetched.
    fn cancel(&self) {
        if self.busy.load(Ordering::Acquire) {
            // The engine ends its requests, the door its waiting.
            self.handle.cancel();
            self.count.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

/// A connection's key, as long as the connection lives.
#[derive(Debug)]
pub(super) struct CancelKey {
    keys: Arc<CancelKeys>,
    id: i32,
    secret: i32,
    cancels: Cancels,
    busy: Arc<AtomicBool>,
    ended: CancellationToken,
}

impl CancelKeys {
    /// Gives a connection its key. `secret` must be random.
    pub(super) fn register(self: &Arc<Self>, handle: CancelHandle, secret: i32) -> CancelKey {
        let (count, cancels) = watch::channel(0);
        let mut keys = self.lock();
        let mut id = 0;
        // From 1 on; a number that is still in use is passed over once the counter has gone round.
        while id == 0 || keys.contains_key(&id) {
            id = self.next.fetch_add(1, Ordering::Relaxed) & i32::MAX;
        }
        let busy = Arc::<AtomicBool>::default();
        keys.insert(id, Entry { secret, handle, count, busy: Arc::clone(&busy) });
        CancelKey { keys: Arc::clone(self), id, secret, cancels, busy, ended: CancellationToken::new() }
    }

    /// Stops what the connection of this key is running. A wrong key does nothing, and nobody is told.
    pub(super) fn cancel(&self, id: i32, secret: &SecretKey) {
        let Some(secret) = secret.as_i32() else { return };
        let keys = self.lock();
        if let Some(entry) = keys.get(&id).filter(|entry| entry.secret.ct_eq(&secret).into()) {
            entry.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, Entry>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CancelKey {
    /// Changes with each cancel.
    pub(super) fn cancels(&self) -> Cancels {
        self.cancels.clone()
    }

    /// Whether a message is being answered, as the dialogue says.
    pub(super) fn busy(&self) -> &AtomicBool {
        &self.busy
    }

    /// What other sessions may do to the connection.
    pub(super) fn signals(&self) -> Box<dyn Signals> {
        Box::new(Signaled { keys: Arc::clone(&self.keys), id: self.id, ended: self.ended.clone() })
    }

    /// Whether another session has ended the connection.
    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// The connection's number.
    pub(super) fn id(&self) -> i32 {
        self.id
    }

    /// The message that tells the client its key.
    pub(super) fn message(&self) -> BackendKeyData {
        BackendKeyData::new(self.id, SecretKey::I32(self.secret))
    }
}

impl Drop for CancelKey {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.id);
    }
}
