//! What a running scan needs besides its plan: the live clients, and how many requests it may still send.
//!
//! A plan is plain data and names its connection; the client comes from here when it runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::execution::TaskContext;

use super::error::Error;
use super::meter::Stretch;
use super::remembered::Remembered;
use super::system::Directory;
use crate::kintone::Client;

/// The Kintone requests of one statement.
#[derive(Debug, Default)]
pub struct Budget {
    sent: AtomicU64,
    limit: Option<u64>,
}

impl Budget {
    /// At most `limit` requests; `None`: as many as it takes.
    #[must_use]
    pub fn new(limit: Option<u64>) -> Self {
        Self { sent: AtomicU64::new(0), limit }
    }

    /// Counts one request, or refuses it.
    pub(crate) fn take(&self) -> Result<(), Error> {
        let before = self.sent.fetch_add(1, Ordering::Relaxed);
        match self.limit {
            Some(limit) if before >= limit => {
                self.sent.fetch_sub(1, Ordering::Relaxed);
                Err(Error::TooManyRequests { limit, needs: format!("more than {limit}") })
            }
            _ => Ok(()),
        }
    }

    /// Refuses what is known to need so many requests more: better now than after all that it may send.
    pub(crate) fn expect(&self, more: u64) -> Result<(), Error> {
        let needs = self.sent().saturating_add(more);
        match self.limit {
            Some(limit) if needs > limit => {
                Err(Error::TooManyRequests { limit, needs: format!("about {needs}") })
            }
            _ => Ok(()),
        }
    }

    /// Requests sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// Set into a statement's session configuration, read by its scans.
#[derive(Debug)]
pub struct ScanContext {
    /// Live clients by connection name.
    pub clients: Arc<HashMap<String, Client>>,
    /// What each connection has, by its name.
    pub directories: Arc<HashMap<String, Arc<dyn Directory>>>,
    /// Of this statement.
    pub budget: Arc<Budget>,
    /// Requests of one scan at once.
    pub concurrency: usize,
    /// Of the engine.
    pub remembered: Arc<Remembered>,
    /// While the statement does anything but wait for answers.
    pub busy: Stretch,
}

impl ScanContext {
    /// The context that the statement was given.
    pub(crate) fn of(task: &TaskContext) -> Result<Arc<Self>, Error> {
        task.session_config().get_extension::<Self>().ok_or_else(|| Error::NoConnection("(none)".into()))
    }

    /// The client of a connection.
    pub(crate) fn client(&self, connection: &str) -> Result<Client, Error> {
        self.clients.get(connection).cloned().ok_or_else(|| Error::NoConnection(connection.into()))
    }

    /// What a connection has.
    pub(crate) fn directory(&self, connection: &str) -> Result<Arc<dyn Directory>, Error> {
        self.directories.get(connection).map(Arc::clone).ok_or_else(|| Error::NoConnection(connection.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_refuses_what_is_over_it() {
        let budget = Budget::new(Some(2));
        assert!(budget.take().is_ok());
        assert!(budget.take().is_ok());
        assert!(budget.take().is_err());
        assert_eq!(budget.sent(), 2);
        let refused = Budget::new(Some(5));
        assert!(refused.expect(5).is_ok());
        assert_eq!(
            refused.expect(40).unwrap_err().to_string(),
            "the statement needs about 40 Kintone requests, kintone.max_requests is 5"
        );
    }
}
