//! A query's records: by id bounds where it names ids, sorted only as far as is asked for.

use std::sync::Arc;

use super::super::reply::Failure;
use super::super::store::{Records, Stored};
use super::check::{self, Scope};
use super::order::{self, Key};
use super::parser;
use super::plan::Plan;

/// A query that fits its app.
pub(crate) struct Prepared<'a> {
    scope: Scope<'a>,
    plan: Option<Plan>,
    keys: Vec<Key<'a>>,
    limit: Option<usize>,
    offset: Option<usize>,
}

/// The records of an answer.
pub(crate) struct Selection {
    pub(crate) records: Vec<Arc<Stored>>,
    /// How many match in all, where that was asked for.
    pub(crate) total: Option<usize>,
    /// Whether a word search was cut off, so that records may be missing.
    pub(crate) aborted: bool,
}

/// Reads a query and checks it against its app. Reads the records of this app and of related ones, so that the
/// caller must not hold them for writing.
pub(crate) fn prepare<'a>(scope: Scope<'a>, text: &str) -> Result<Prepared<'a>, Failure> {
    let query = parser::parse(text, scope.store.unknowns)?;
    let plan = match &query.condition {
        Some(condition) => check::plan(&scope, condition)?,
        None => None,
    };
    let keys = order::keys(&scope, &query.order)?;
    Ok(Prepared { scope, plan, keys, limit: query.limit, offset: query.offset })
}

impl Prepared<'_> {
    /// Whether it says `limit` or `offset`, which a cursor must not.
    pub(crate) fn is_paged(&self) -> bool {
        self.limit.is_some() || self.offset.is_some()
    }

    /// Whether a record satisfies the condition.
    pub(crate) fn holds(&self, record: &Stored) -> bool {
        self.plan.as_ref().is_none_or(|plan| plan.holds(record))
    }

    /// One page, as the query says or of the default size.
    pub(crate) fn page(&self, records: &Records, count: bool) -> Selection {
        let limit = self.limit.unwrap_or(parser::DEFAULT_LIMIT);
        self.select(records, limit, self.offset.unwrap_or(0), count)
    }

    /// Every record.
    pub(crate) fn all(&self, records: &Records) -> Selection {
        self.select(records, usize::MAX, 0, false)
    }

    fn select(&self, records: &Records, limit: usize, offset: usize, count: bool) -> Selection {
        let ids = self.plan.as_ref().and_then(Plan::ids);
        let (bounds, all_match) = self.plan.as_ref().map_or((0..=i64::MAX, true), Plan::id_bounds);
        let matches =
            |record: &&Arc<Stored>| all_match || self.plan.as_ref().is_none_or(|plan| plan.holds(record));
        let mut selection = if let Some(ids) = ids {
            let ids = ids.into_iter().filter_map(|id| u64::try_from(id).ok());
            let found = ids.filter_map(|id| records.get(id)).filter(matches);
            self.sorted(found.collect(), limit, offset)
        } else {
            let position = |id: i64| u64::try_from(id).map_or(0, |id| records.position(id));
            let (first, end) = (position(*bounds.start()), position(bounds.end().saturating_add(1)));
            let candidates = records.all.get(first..end).unwrap_or_default();
            // Without a count, or where it is known, nothing past the page is looked at.
            let known = all_match.then_some(candidates.len());
            let page = Page { limit, offset, count: count && known.is_none() };
            match order::by_id(&self.keys) {
                None => self.sorted(candidates.iter().filter(matches).collect(), limit, offset),
                Some(true) => page.take(candidates.iter().filter(matches), known),
                Some(false) => page.take(candidates.iter().rev().filter(matches), known),
            }
        };
        selection.aborted = self.plan.as_ref().is_some_and(Plan::is_aborted);
        selection
    }

    fn sorted(&self, mut found: Vec<&Arc<Stored>>, limit: usize, offset: usize) -> Selection {
        let total = found.len();
        let end = offset.saturating_add(limit).min(total);
        let compare = |a: &&Arc<Stored>, b: &&Arc<Stored>| order::compare(&self.scope, &self.keys, a, b);
        if end < total && end > 0 {
            found.select_nth_unstable_by(end - 1, compare);
        }
        found.truncate(end);
        found.sort_unstable_by(compare);
        let records = found.into_iter().skip(offset).map(Arc::clone).collect();
        Selection { records, total: Some(total), aborted: false }
    }
}

/// Which of the records in order to take.
struct Page {
    limit: usize,
    offset: usize,
    /// Whether all must be counted.
    count: bool,
}

impl Page {
    fn take<'a>(&self, found: impl Iterator<Item = &'a Arc<Stored>>, known: Option<usize>) -> Selection {
        let (mut records, mut total) = (vec![], 0);
        if self.limit > 0 || self.count {
            for record in found {
                total += 1;
                if total > self.offset && records.len() < self.limit {
                    records.push(Arc::clone(record));
                }
                if records.len() >= self.limit && !self.count {
                    break;
                }
            }
        }
        Selection { records, total: known.or(Some(total)), aborted: false }
    }
}
