//! What earlier statements learned of the apps: how many records match, and what they cost.
//!
//! Only ever a hint: totals make estimates and save requests, they are never answers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::scan::TableRef;
use crate::kintone::{AppKey, Condition};

/// Totals that are kept; beyond, all are forgotten.
const MOST: usize = 10_000;

/// Longer conditions, such as lists of keys, are not worth their place.
const LONGEST: usize = 4_000;

/// Shared by every session of an engine.
#[derive(Debug, Default)]
pub struct Remembered {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// By connection, app and condition.
    totals: HashMap<(String, AppKey, String), u64>,
    /// Calls for an app's records by connection, and the day of them.
    spent: HashMap<(String, AppKey), u64>,
    day: u64,
}

/// Requests for an app's records that Kintone's Standard course allows in a day (K§5.1).
pub const DAILY_REQUESTS: u64 = 10_000;

/// The day of Kintone's quota: it begins at 09:00 JST, which is midnight in UTC.
fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}

fn text(condition: Option<&Condition>) -> String {
    condition.map(ToString::to_string).unwrap_or_default()
}

impl Remembered {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many records matched just now.
    pub(crate) fn set_total(&self, connection: &str, app: AppKey, condition: Option<&Condition>, total: u64) {
        let condition = text(condition);
        if condition.len() > LONGEST {
            return;
        }
        let totals = &mut self.lock().totals;
        if totals.len() >= MOST {
            totals.clear();
        }
        totals.insert((connection.to_owned(), app, condition), total);
    }

    /// How many records matched when they were counted last.
    pub(crate) fn total(&self, connection: &str, app: AppKey, condition: Option<&Condition>) -> Option<u64> {
        self.lock().totals.get(&(connection.to_owned(), app, text(condition))).copied()
    }

    /// One more request for an app's records.
    pub(crate) fn spend(&self, table: &TableRef) {
        let mut kept = self.lock();
        let day = today();
        if kept.day != day {
            kept.spent.clear();
            kept.day = day;
        }
        *kept.spent.entry((table.connection.clone(), table.app)).or_default() += 1;
    }

    /// Requests for an app's records since 09:00 JST.
    #[must_use]
    pub fn spent(&self, table: &TableRef) -> u64 {
        let kept = self.lock();
        let count = || kept.spent.get(&(table.connection.clone(), table.app)).copied();
        if kept.day == today() { count().unwrap_or(0) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_kept_by_condition_and_requests_by_app() {
        let remembered = Remembered::default();
        let app = AppKey { id: 1, guest_space: None };
        let some = Condition::Native("a".into());
        remembered.set_total("c", app, None, 7);
        remembered.set_total("c", app, Some(&some), 3);
        assert_eq!(remembered.total("c", app, None), Some(7));
        assert_eq!(remembered.total("c", app, Some(&some)), Some(3));
        assert_eq!(remembered.total("d", app, None), None);
        let table = TableRef { connection: "c".into(), app, name: "T".into() };
        remembered.spend(&table);
        remembered.spend(&table);
        assert_eq!(remembered.spent(&table), 2);
    }
}
