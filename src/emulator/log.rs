//! The log of requests: what tests and the demo count.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A request that was answered, or cut by a fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// HTTP status of the answer; 0 where a fault left none.
    pub status: u16,
    /// Records, comments or apps in the answer, or records written.
    pub rows: u64,
    /// Length of the answer's body before compression.
    pub bytes: u64,
    /// Requests that ran when it came in, itself among them.
    pub running: u32,
    /// The faults that it met.
    pub faults: Vec<&'static str>,
}

/// Sums over all requests, also those that the log no longer keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests.
    pub requests: u64,
    /// Most that ran at the same time.
    pub most_running: u32,
    /// Bytes of bodies before compression.
    pub bytes: u64,
    /// Requests that met a fault.
    pub faulty: u64,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<LoggedRequest>,
    totals: Totals,
}

/// The latest requests, oldest first, and the sums.
#[derive(Debug)]
pub(super) struct RequestLog {
    capacity: usize,
    state: Mutex<State>,
}

impl RequestLog {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default() }
    }

    pub(super) fn push(&self, request: LoggedRequest) {
        let state = &mut *self.lock();
        state.totals.requests += 1;
        state.totals.most_running = state.totals.most_running.max(request.running);
        state.totals.bytes += request.bytes;
        state.totals.faulty += u64::from(!request.faults.is_empty());
        state.entries.push_back(request);
        while state.entries.len() > self.capacity {
            state.entries.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<LoggedRequest> {
        self.lock().entries.iter().cloned().collect()
    }

    pub(super) fn totals(&self) -> Totals {
        self.lock().totals
    }

    pub(super) fn clear(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
