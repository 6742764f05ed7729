//! The log of answered requests: what tests and the demo count.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRequest {
    /// The effective one, after `X-HTTP-Method-Override`.
    pub method: String,
    /// Without the query string.
    pub path: String,
    /// The app that it names.
    pub app: Option<u64>,
    /// The text in Kintone's query language.
    pub query: Option<String>,
    /// The `fields` that it asks for; empty for all.
    pub fields: Vec<String>,
    /// HTTP status of the answer.
    pub status: u16,
    /// Records, comments or apps in the answer, or records written.
    pub rows: u64,
    /// Length of the answer's body before compression.
    pub bytes: u64,
    /// Requests that ran when it came in, itself among them.
    pub running: u32,
}

/// The latest requests, oldest first.
#[derive(Debug)]
pub(super) struct RequestLog {
    capacity: usize,
    entries: Mutex<VecDeque<LoggedRequest>>,
}

impl RequestLog {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, entries: Mutex::default() }
    }

    pub(super) fn push(&self, request: LoggedRequest) {
        let mut entries = self.lock();
        entries.push_back(request);
        while entries.len() > self.capacity {
            entries.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<LoggedRequest> {
        self.lock().iter().cloned().collect()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<LoggedRequest>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
