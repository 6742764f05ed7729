//! What a running scan needs besides its plan: the live clients, and how many requests it may still send.
//!
//! A plan is plain data and names its connection; the client comes from here when it runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::execution::TaskContext;

use super::error::Error;
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
                Err(Error::TooManyRequests { limit })
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
    }
}
