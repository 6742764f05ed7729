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
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<Request>,
    /// The first one's number: numbers go on when the calls of a day are dropped.
    first: u64,
}

impl Kept {
    /// Drops the calls of the days before.
    fn forget_before(&mut self, now: DateTime<Utc>) {
        let day = quota_day(now);
        while self.requests.front().is_some_and(|r| quota_day(r.time) < day) {
            self.requests.pop_front();
            self.first += 1;
        }
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a call when it is sent, since it counts even where nobody waits for its answer. Gives the number by
    /// which the rest can be told later.
    pub(super) fn add(&self, request: Request) -> u64 {
        let mut kept = self.lock();
        kept.forget_before(request.time);
        if kept.requests.len() >= CAPACITY {
            kept.requests.pop_front();
            kept.first += 1;
        }
        kept.requests.push_back(request);
        kept.first + u64::try_from(kept.requests.len() - 1).unwrap_or(u64::MAX)
    }

    /// Changes a call that is still kept.
    pub(super) fn update(&self, number: u64, change: impl FnOnce(&mut Request)) {
        let mut kept = self.lock();
        let index = number.checked_sub(kept.first).and_then(|i| usize::try_from(i).ok());
        if let Some(request) = index.and_then(|i| kept.requests.get_mut(i)) {
            change(request);
        }
    }

    pub(super) fn all(&self) -> Vec<Request> {
        let mut kept = self.lock();
        kept.forget_before(Utc::now());
        kept.requests.iter().cloned().collect()
    }
}

/// 09:00 JST is midnight in UTC.
fn quota_day(time: DateTime<Utc>) -> i64 {
    time.signed_duration_since(DateTime::UNIX_EPOCH).num_seconds() / TimeDelta::days(1).num_seconds()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(time: DateTime<Utc>) -> Request {
        Request {
            time,
            connection: "c".into(),
            app: None,
            method: "GET",
            path: "/".into(),
            query: String::new(),
            rows: 0,
            bytes: 0,
            ms: 0,
            status: 0,
        }
    }

    #[test]
    fn a_new_day_starts_a_new_log() {
        let log = Log::default();
        let now = Utc::now();
        let yesterday = log.add(request(now - TimeDelta::days(1)));
        log.update(yesterday, |r| r.rows = 3);
        let today = log.add(request(now));
        log.update(yesterday, |r| r.rows = 9);
        log.update(today, |r| r.rows = 5);
        assert_eq!(log.all().iter().map(|r| r.rows).collect::<Vec<_>>(), [5]);
        assert!(today > yesterday);
    }

    #[test]
    fn the_oldest_calls_give_way() {
        let log = Log::default();
        let now = Utc::now();
        let first = log.add(request(now));
        for _ in 0..CAPACITY {
            log.add(request(now));
        }
        log.update(first, |r| r.rows = 1);
        let all = log.all();
        assert!(all.len() == CAPACITY && all.iter().all(|r| r.rows == 0));
    }
}
