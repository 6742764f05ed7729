//! A transaction block: its state, its savepoints, the settings before it.
//!
//! Nothing is written through it yet; what it keeps are the rules of the protocol, and settings.

use super::session::Transaction;
use super::settings::Settings;
use crate::error::{Error, Kind, Result};

/// Savepoints of one block.
const MAX_SAVEPOINTS: usize = 1000;

/// The block that a session is in, or none.
#[derive(Debug, Default)]
pub(super) struct Block {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    failed: bool,
    savepoints: Vec<String>,
    before: Settings,
    /// Settings for this block alone.
    local: Vec<String>,
}

impl Block {
    pub(super) fn state(&self) -> Transaction {
        match &self.open {
            None => Transaction::Idle,
            Some(Open { failed: false, .. }) => Transaction::Open,
            Some(_) => Transaction::Failed,
        }
    }

    /// Opens it; whether it was open already.
    pub(super) fn begin(&mut self, before: Settings) -> bool {
        if self.open.is_some() {
            return true;
        }
        self.open = Some(Open { failed: false, savepoints: vec![], before, local: vec![] });
        false
    }

    /// Ends it: the settings before it, and which were set for it alone.
    pub(super) fn end(&mut self) -> Option<(Settings, Vec<String>)> {
        self.open.take().map(|open| (open.before, open.local))
    }

    pub(super) fn fail(&mut self) {
        if let Some(open) = &mut self.open {
            open.failed = true;
        }
    }

    pub(super) fn set_local(&mut self, name: &str) -> bool {
        let Some(open) = &mut self.open else { return false };
        open.local.push(name.to_owned());
        true
    }

    pub(super) fn save(&mut self, name: String) -> Result<()> {
        let open = self.open("SAVEPOINT")?;
        if open.savepoints.len() >= MAX_SAVEPOINTS {
            return Err(Error::new(Kind::TooLarge, format!("more than {MAX_SAVEPOINTS} savepoints")));
        }
        open.savepoints.push(name);
        Ok(())
    }

    /// Forgets a savepoint and those after it.
    pub(super) fn release(&mut self, name: &str) -> Result<()> {
        let open = self.open("RELEASE SAVEPOINT")?;
        let place = place(&open.savepoints, name)?;
        open.savepoints.truncate(place);
        Ok(())
    }

    /// Forgets those after a savepoint; a block that failed goes on from it.
    pub(super) fn roll_back_to(&mut self, name: &str) -> Result<()> {
        let open = self.open("ROLLBACK TO SAVEPOINT")?;
        let place = place(&open.savepoints, name)?;
        open.savepoints.truncate(place + 1);
        open.failed = false;
        Ok(())
    }

    fn open(&mut self, what: &str) -> Result<&mut Open> {
        let outside =
            || Error::new(Kind::NoTransaction, format!("{what} can only be used in transaction blocks"));
        self.open.as_mut().ok_or_else(outside)
    }
}

fn place(savepoints: &[String], name: &str) -> Result<usize> {
    let found = savepoints.iter().rposition(|known| known == name);
    found.ok_or_else(|| Error::new(Kind::NoSavepoint, format!("savepoint \"{name}\" does not exist")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(chrono_tz::UTC, 500)
    }

    #[test]
    fn savepoints_nest_and_mend_a_failed_block() {
        let mut block = Block::default();
        assert_eq!(block.save("a".into()).unwrap_err().kind, Kind::NoTransaction);
        assert!(!block.begin(settings()));
        assert!(block.begin(settings()));
        for name in ["a", "b", "a"] {
            block.save(name.into()).unwrap();
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
}
