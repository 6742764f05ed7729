//! A transaction: its state, its savepoints, the settings before it.
//!
//! Nothing is written through it yet; what it keeps are the rules of the protocol, and settings. Statements outside of a
//! block that came in one message are a transaction too.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::session::Transaction;
use super::settings::Settings;
use crate::error::{Error, Kind, Result};

/// Savepoints of one block.
const MAX_SAVEPOINTS: usize = 1000;

/// The transaction that a session is in, or none.
#[derive(Debug, Default)]
pub(super) struct Block {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    /// BEGIN was said; else it ends with its message.
    is_block: bool,
    /// Its message has several statements: as good as a block to those that want one, SAVEPOINT apart.
    several: bool,
    failed: bool,
    savepoints: Vec<Savepoint>,
    began: DateTime<Utc>,
    before: Arc<Settings>,
    /// Settings for this transaction alone.
    local: Vec<String>,
}

#[derive(Debug)]
struct Savepoint {
    name: String,
    /// The settings when it was made, and which were the transaction's alone.
    settings: Arc<Settings>,
    local: Vec<String>,
}

impl Open {
    fn new(before: Arc<Settings>, is_block: bool) -> Self {
        let began = Utc::now();
        Self { is_block, several: false, failed: false, savepoints: vec![], began, before, local: vec![] }
    }
}

impl Block {
    pub(super) fn state(&self) -> Transaction {
        match &self.open {
            Some(Open { is_block: true, failed: false, .. }) => Transaction::Open,
            Some(Open { is_block: true, .. }) => Transaction::Failed,
            _ => Transaction::Idle,
        }
    }

    /// When it began.
    pub(super) fn began(&self) -> Option<DateTime<Utc>> {
        self.open.as_ref().map(|open| open.began)
    }

    /// Opens it; whether it was open already. A message's transaction becomes a block.
    pub(super) fn begin(&mut self, before: Arc<Settings>) -> bool {
        let open = self.open.get_or_insert_with(|| Open::new(before, false));
        std::mem::replace(&mut open.is_block, true)
    }

    /// A message, of several statements or not, begins a transaction, where there is none.
    pub(super) fn begin_message(&mut self, before: Arc<Settings>, several: bool) {
        self.open.get_or_insert_with(|| Open { several, ..Open::new(before, false) });
    }

    /// Whether statements for a block may run.
    pub(super) fn is_block(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.is_block || open.several)
    }

    /// Ends it: the settings before it, and which were set for it alone.
    pub(super) fn end(&mut self) -> Option<(Arc<Settings>, Vec<String>)> {
        self.open.take().map(|open| (open.before, open.local))
    }

    /// Ends what a message began, unless it is a block: the same, and whether it failed.
    pub(super) fn end_message(&mut self) -> Option<(Arc<Settings>, Vec<String>, bool)> {
        let open = self.open.take_if(|open| !open.is_block)?;
        Some((open.before, open.local, open.failed))
    }

    pub(super) fn fail(&mut self) {
        if let Some(open) = &mut self.open {
            open.failed = true;
        }
    }

    /// A setting is for this transaction alone; whether there is one.
    pub(super) fn set_local(&mut self, name: &str) -> bool {
        let Some(open) = &mut self.open else { return false };
        open.local.push(name.to_lowercase());
        true
    }

    /// A setting stays when this transaction ends well.
    pub(super) fn set_for_all(&mut self, name: &str) {
        if let Some(open) = &mut self.open {
            let name = name.to_lowercase();
            open.local.retain(|local| *local != name);
        }
    }

    pub(super) fn save(&mut self, name: String, settings: Arc<Settings>) -> Result<()> {
        let open = self.open("SAVEPOINT")?;
        if open.savepoints.len() >= MAX_SAVEPOINTS {
            return Err(Error::new(Kind::TooLarge, format!("more than {MAX_SAVEPOINTS} savepoints")));
        }
        let local = open.local.clone();
        open.savepoints.push(Savepoint { name, settings, local });
        Ok(())
    }

    /// Forgets a savepoint and those after it.
    pub(super) fn release(&mut self, name: &str) -> Result<()> {
        let open = self.open("RELEASE SAVEPOINT")?;
        let place = place(&open.savepoints, name)?;
        open.savepoints.truncate(place);
        Ok(())
    }

    /// Forgets those after a savepoint; a block that failed goes on from it. The settings of then.
    pub(super) fn roll_back_to(&mut self, name: &str) -> Result<Arc<Settings>> {
        let open = self.open("ROLLBACK TO SAVEPOINT")?;
        let place = place(&open.savepoints, name)?;
        open.savepoints.truncate(place + 1);
        open.failed = false;
        let missing = || Error::internal("a savepoint is gone");
        let savepoint = open.savepoints.get(place).ok_or_else(missing)?;
        open.local.clone_from(&savepoint.local);
        Ok(Arc::clone(&savepoint.settings))
    }

    fn open(&mut self, what: &str) -> Result<&mut Open> {
        let outside =
            || Error::new(Kind::NoTransaction, format!("{what} can only be used in transaction blocks"));
        self.open.as_mut().filter(|open| open.is_block).ok_or_else(outside)
    }
}

fn place(savepoints: &[Savepoint], name: &str) -> Result<usize> {
    let found = savepoints.iter().rposition(|known| known.name == name);
    found.ok_or_else(|| Error::new(Kind::NoSavepoint, format!("savepoint \"{name}\" does not exist")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Arc<Settings> {
        Arc::new(Settings::new(chrono_tz::UTC, 500))
    }

    #[test]
    fn savepoints_nest_and_mend_a_failed_block() {
        let mut block = Block::default();
        assert_eq!(block.save("a".into(), settings()).unwrap_err().kind, Kind::NoTransaction);
        assert!(!block.begin(settings()));
        assert!(block.begin(settings()));
        for name in ["a", "b", "a"] {
            block.save(name.into(), settings()).unwrap();
        }
        block.fail();
        assert_eq!(block.state(), Transaction::Failed);
        block.roll_back_to("b").unwrap();
        assert_eq!(block.state(), Transaction::Open);
        block.release("b").unwrap();
        assert_eq!(block.release("b").unwrap_err().kind, Kind::NoSavepoint);
        block.release("a").unwrap();
        assert!(block.end().is_some());
        assert_eq!(block.state(), Transaction::Idle);
    }

    #[test]
    fn a_message_is_a_transaction_that_ends_with_it() {
        let mut block = Block::default();
        block.begin_message(settings(), false);
        assert_eq!(block.state(), Transaction::Idle);
        let began = block.began();
        block.begin_message(settings(), false);
        assert_eq!(block.began(), began);
        assert_eq!(block.save("a".into(), settings()).unwrap_err().kind, Kind::NoTransaction);
        block.fail();
        assert!(block.end_message().unwrap().2);
        assert!(block.end_message().is_none());
        block.begin_message(settings(), false);
        assert!(!block.begin(settings()));
        assert_eq!(block.state(), Transaction::Open);
        assert!(block.end_message().is_none());
        assert_eq!(block.state(), Transaction::Open);
    }
}
