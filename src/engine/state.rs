//! What a session changes: its settings, its transaction. Shared with the functions that read or change them.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::backend::{Activity, Backends};
use super::block::Block;
use super::session::{Notice, Transaction};
use super::settings::Settings;
use crate::error::{Error, Kind, Result};

/// One session's.
#[derive(Debug)]
pub(super) struct State {
    settings: Mutex<Arc<Settings>>,
    /// What RESET goes back to: the settings when the client had said what it wants.
    start: Mutex<Arc<Settings>>,
    block: Mutex<Block>,
    /// The number by which others know the session; 0: nobody does.
    pid: AtomicI32,
    /// All that have one.
    backends: Arc<Backends>,
    activity: Mutex<Activity>,
    /// What functions have to tell.
    notices: Mutex<Vec<Notice>>,
}

/// Notices that are kept until they are told.
const MOST_NOTICES: usize = 100;

/// A lock that a panic elsewhere left is as good as before: each guards one plain value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(super) fn new(settings: Settings, backends: Arc<Backends>) -> Self {
        let settings = Arc::new(settings);
        Self {
            start: Mutex::new(Arc::clone(&settings)),
            settings: Mutex::new(settings),
            block: Mutex::default(),
            pid: AtomicI32::new(0),
            backends,
            activity: Mutex::default(),
            notices: Mutex::default(),
        }
    }

    /// The settings as they are now.
    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&lock(&self.settings))
    }

    /// Takes a setting that the session starts with.
    pub(super) fn set_at_start(&self, name: &str, value: &str) -> Result<()> {
        Arc::make_mut(&mut lock(&self.settings)).set(name, value, true)?;
        *lock(&self.start) = self.settings();
        Ok(())
    }

    /// Looks into this schema from the start.
    pub(super) fn search_in(&self, schema: &str) {
        Arc::make_mut(&mut lock(&self.settings)).search_in(vec![schema.to_owned()]);
        *lock(&self.start) = self.settings();
    }

    /// Takes a setting, as SET does; `None` is the value that the session started with. `local`: for the transaction
    /// alone, and outside of one for nothing.
    ///
    /// # Errors
    /// Those of the setting.
    pub(super) fn set(&self, name: &str, value: Option<&str>, local: bool) -> Result<()> {
        let mut settings = lock(&self.settings);
        let mut next = Settings::clone(&settings);
        match value {
            Some(value) => next.set(name, value, false)?,
            None => {
                Settings::check_reset(name)?;
                next.take(name, &lock(&self.start))?;
            }
        }
        let mut block = lock(&self.block);
        if local {
            if block.set_local(name) {
                *settings = Arc::new(next);
            }
            return Ok(());
        }
        // What the transaction has of it was its default's; it keeps that.
        for (of_transaction, default) in super::settings::TRANSACTION {
            if default.eq_ignore_ascii_case(name)
                && block.state() != Transaction::Idle
                && block.set_local(of_transaction)
                && let Some(value) = settings.show(of_transaction)
            {
                next.set(of_transaction, &value, false)?;
            }
        }
        block.set_for_all(name);
        *settings = Arc::new(next);
        Ok(())
    }

    /// Goes back to the settings of before.
    pub(super) fn restore(&self, before: Arc<Settings>) {
        *lock(&self.settings) = before;
    }

    /// Every setting as the session started.
    pub(super) fn reset_all(&self) {
        *lock(&self.settings) = Arc::clone(&lock(&self.start));
    }

    /// Where the session stands.
    pub(super) fn transaction(&self) -> Transaction {
        lock(&self.block).state()
    }

    /// Does something to the block.
    pub(super) fn block<T>(&self, change: impl FnOnce(&mut Block) -> T) -> T {
        change(&mut lock(&self.block))
    }

    /// When the transaction began: the time of `now()`.
    pub(super) fn began(&self) -> Option<DateTime<Utc>> {
        lock(&self.block).began()
    }

    /// A statement begins; where it is no block's, it is one of a transaction that its message is.
    pub(super) fn begin_message(&self, several: bool) {
        let settings = self.settings();
        lock(&self.block).begin_message(settings, several);
    }

    /// Opens a block; whether one was open already.
    pub(super) fn begin_block(&self) -> bool {
        let settings = self.settings();
        lock(&self.block).begin(settings)
    }

    /// Ends the block, or the transaction that a message was. Settings that it alone had, or that are rolled back, are
    /// as before.
    pub(super) fn end_block(&self, commits: bool) {
        let Some((before, local)) = lock(&self.block).end() else { return };
        let mut settings = lock(&self.settings);
        *settings = if commits { Arc::new(settings.with(&before, &local)) } else { before };
    }

    /// The message ends: so does the transaction that it was, unless it is a block now.
    pub(super) fn end_message(&self) {
        let Some((before, local, failed)) = lock(&self.block).end_message() else { return };
        let mut settings = lock(&self.settings);
        if failed {
            *settings = before;
        } else if !local.is_empty() {
            *settings = Arc::new(settings.with(&before, &local));
        }
    }

    pub(super) fn set_pid(&self, pid: i32) {
        self.pid.store(pid, Ordering::Relaxed);
    }

    /// The number by which others know the session; this program's where nobody does.
    pub(super) fn pid(&self) -> i32 {
        match self.pid.load(Ordering::Relaxed) {
            0 => i32::try_from(std::process::id()).unwrap_or(i32::MAX),
            pid => pid,
        }
    }

    /// Whether a client of the PostgreSQL door has the session.
    pub(super) fn is_behind_door(&self) -> bool {
        self.pid.load(Ordering::Relaxed) != 0
    }

    /// All sessions that others know.
    pub(super) fn backends(&self) -> &Arc<Backends> {
        &self.backends
    }

    /// Who has the session; empty where nobody knows it.
    pub(super) fn user(&self) -> String {
        self.settings().show("session_authorization").unwrap_or_default()
    }

    /// Reads or changes what others see of it.
    pub(super) fn activity<T>(&self, work: impl FnOnce(&mut Activity) -> T) -> T {
        work(&mut lock(&self.activity))
    }

    /// Something to tell the client before its statement ends. Of very many, the first.
    pub(super) fn tell(&self, notice: Notice) {
        let mut notices = lock(&self.notices);
        if notices.len() < MOST_NOTICES {
            notices.push(notice);
        }
    }

    /// What is to be told now.
    pub(super) fn take_notices(&self) -> Vec<Notice> {
        std::mem::take(&mut lock(&self.notices))
    }

    /// Whether the transaction may write.
    ///
    /// # Errors
    /// Of kind `ReadOnly`.
    pub(super) fn check_writable(&self, what: &str) -> Result<()> {
        if self.settings().is_on("transaction_read_only") {
            let message = format!("cannot execute {what} in a read-only transaction");
            return Err(Error::new(Kind::ReadOnly, message));
        }
        Ok(())
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.backends.remove(self.pid.load(Ordering::Relaxed), self);
    }
}
