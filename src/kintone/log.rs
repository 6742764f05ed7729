//! Every call since 09:00 JST, when Kintone's daily quota starts anew (K§5.1).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Calls that are kept.
const CAPACITY: usize = 100_000;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// When it was sent.
    pub time: DateTime<Utc>,
    /// The connection's name.
    pub connection: String,
    /// The app that it is about.
    pub app: Option<u64>,
    /// `GET`, `POST` ...
    pub method: &'static str,
    /// Without host and query.
    pub path: String,
    /// Kintone's query text; empty where there is none.
    pub query: String,
    /// Records in the answer.
    pub rows: u64,
    /// Bytes of the answer's body, unpacked.
    pub bytes: u64,
    /// From the request to the end of its answer.
    pub ms: u64,
    /// The HTTP status; 0 where none came.
    pub status: u16,
}

/// The calls of one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    requests: Arc<Mutex<VecDeque<(u64, Request)>>>,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, Request)>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a call; the number by which its rows can be told later.
    pub(super) fn add(&self, request: Request) -> u64 {
        let day = quota_day(request.time);
        let mut requests = self.lock();
        while requests.front().is_some_and(|(_, r)| quota_day(r.time) < day) || requests.len() >= CAPACITY {
            requests.pop_front();
        }
        let number = requests.back().map_or(0, |(n, _)| n + 1);
        requests.push_back((number, request));
        number
    }

    pub(super) fn set_rows(&self, number: u64, rows: u64) {
        let mut requests = self.lock();
        let first = requests.front().map_or(0, |(n, _)| *n);
        let index = number.checked_sub(first).and_then(|i| usize::try_from(i).ok());
        if let Some((_, request)) = index.and_then(|i| requests.get_mut(i)) {
            request.rows = rows;
        }
    }

    pub(super) fn all(&self) -> Vec<Request> {
        self.lock().iter().map(|(_, r)| r.clone()).collect()
    }
}

/// 09:00 JST is midnight in UTC.
fn quota_day(time: DateTime<Utc>) -> i64 {
    time.signed_duration_since(DateTime::UNIX_EPOCH).num_seconds() / TimeDelta::days(1).num_seconds()
}
