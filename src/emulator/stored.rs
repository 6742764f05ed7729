//! Stored records of one app: found by id, and by the values of a field that many writes look at.
//!
//! Every change goes through `put` and `remove`, which keep the indexes and, while several calls are one
//! transaction, what it takes to undo them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::app::Comment;
use super::field::Place;
use super::value::{Decimal, Value};

/// A stored record. Replaced whole by a write, so that readers share it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: u64,
    pub(super) revision: u64,
    pub(super) creator: Arc<str>,
    pub(super) modifier: Arc<str>,
    /// Minutes since 1970 in UTC, as `updated`.
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) status: Option<Arc<str>>,
    pub(super) assignees: Arc<[Arc<str>]>,
    pub(super) categories: Arc<[Arc<str>]>,
    pub(super) cells: Vec<Value>,
}

/// A single value by which a record is found; equal where Kintone takes two values for the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Text(Arc<str>),
    Number(Decimal),
    /// Ids, days, minutes.
    Integer(i64),
}

impl Key {
    /// `None` for an unset value, and for one that is a list.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(Key::Text(Arc::clone(text))),
            Value::Number(number) => Some(Key::Number(*number)),
            Value::Date(days) => Some(Key::Integer(i64::from(*days))),
            Value::Time(minutes) => Some(Key::Integer(i64::from(*minutes))),
            Value::DateTime(minutes) | Value::Duration(minutes) => Some(Key::Integer(*minutes)),
            Value::Empty | Value::Texts(_) | Value::Codes(_) | Value::Files(_) | Value::Rows(_) => None,
        }
    }
}

/// Ids of the records with one key; nearly always one.
#[derive(Debug)]
enum Ids {
    One(u64),
    Many(Vec<u64>),
}

/// The records of an app by the key in one cell.
#[derive(Debug, Default)]
struct Index(HashMap<Key, Ids>);

impl Index {
    fn add(&mut self, key: Key, id: u64) {
        match self.0.entry(key) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(Ids::One(id));
            }
            std::collections::hash_map::Entry::Occupied(mut entry) => match entry.get_mut() {
                Ids::Many(ids) => ids.push(id),
                Ids::One(first) => {
                    let ids = vec![*first, id];
                    entry.insert(Ids::Many(ids));
                }
            },
        }
    }

    fn remove(&mut self, key: &Key, id: u64) {
        match self.0.get_mut(key) {
            Some(Ids::Many(ids)) => ids.retain(|known| *known != id),
            Some(Ids::One(known)) if *known == id => {
                self.0.remove(key);
            }
            _ => {}
        }
    }

    fn get(&self, key: &Key) -> Vec<u64> {
        match self.0.get(key) {
            None => vec![],
            Some(Ids::One(id)) => vec![*id],
            Some(Ids::Many(ids)) => ids.clone(),
        }
    }
}

/// What takes a change back.
#[derive(Debug)]
enum Undo {
    Added(u64),
    Replaced(Arc<Stored>),
    Removed(Vec<Arc<Stored>>),
}

/// The way back to where a transaction began.
#[derive(Debug)]
struct Journal {
    last_id: u64,
    last_row: u64,
    /// Oldest first.
    undo: Vec<Undo>,
    /// Comments that went with their records.
    comments: Vec<(u64, Vec<Comment>)>,
}

/// An app's records.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Ids ascending. Changed by `put` and `remove` alone.
    pub(super) all: Vec<Arc<Stored>>,
    /// The highest id ever given.
    pub(super) last_id: u64,
    /// The highest id of a table row ever given.
    pub(super) last_row: u64,
    /// By cell; each made when it is first asked for.
    indexes: Mutex<HashMap<usize, Index>>,
    journal: Option<Journal>,
}

impl Records {
    /// Records in any order, and the highest id of a table row in them.
    pub(super) fn new(mut all: Vec<Arc<Stored>>, last_row: u64) -> Self {
        all.sort_by_key(|record| record.id);
        let last_id = all.last().map_or(0, |record| record.id);
        Self { all, last_id, last_row, ..Self::default() }
    }

    /// Where the first record with this id or a larger one is.
    pub(super) fn position(&self, id: u64) -> usize {
        self.all.partition_point(|record| record.id < id)
    }

    pub(super) fn get(&self, id: u64) -> Option<&Arc<Stored>> {
        self.all.get(self.position(id)).filter(|record| record.id == id)
    }

    /// Ids of the records with that key, without a look at each record but for the first time.
    pub(super) fn find(&self, place: Place, key: &Key) -> Vec<u64> {
        match (place, key) {
            (Place::Id, Key::Integer(id)) => {
                let id = u64::try_from(*id).unwrap_or_default();
                self.get(id).map(|record| record.id).into_iter().collect()
            }
            (Place::Cell(cell), key) => {
                let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
                indexes.entry(cell).or_insert_with(|| index(&self.all, cell)).get(key)
            }
            _ => vec![],
        }
    }

    /// Adds a record, or replaces the one with its id.
    pub(super) fn put(&mut self, record: Arc<Stored>) {
        let (id, position) = (record.id, self.position(record.id));
        let old = self.all.get(position).filter(|stored| stored.id == id).map(Arc::clone);
        for (cell, index) in self.indexes.get_mut().unwrap_or_else(PoisonError::into_inner) {
            let key = |record: &Stored| record.cells.get(*cell).and_then(Key::of);
            let (before, after) = (old.as_deref().and_then(key), key(&record));
            if before != after {
                before.inspect(|key| index.remove(key, id));
                after.into_iter().for_each(|key| index.add(key, id));
            }
        }
        match self.all.get_mut(position).filter(|_| old.is_some()) {
            Some(stored) => *stored = record,
            None => self.all.insert(position, record),
        }
        if let Some(journal) = &mut self.journal {
            journal.undo.push(old.map_or(Undo::Added(id), Undo::Replaced));
        }
    }

    /// Takes records out. Ids that are not there are passed over.
    pub(super) fn remove(&mut self, ids: &[u64]) {
        let mut positions: Vec<usize> = ids
            .iter()
            .map(|id| (self.position(*id), *id))
            .filter(|(position, id)| self.all.get(*position).is_some_and(|record| record.id == *id))
            .map(|(position, _)| position)
            .collect();
        positions.sort_unstable();
        positions.dedup();
        let removed: Vec<Arc<Stored>> =
            positions.iter().filter_map(|position| self.all.get(*position).map(Arc::clone)).collect();
        // One pass that looks at no record.
        let (mut at, mut next) = (0, positions.into_iter().peekable());
        self.all.retain(|_| {
            let stays = next.next_if_eq(&at).is_none();
            at += 1;
            stays
        });
        for (cell, index) in self.indexes.get_mut().unwrap_or_else(PoisonError::into_inner) {
            for record in &removed {
                let key = record.cells.get(*cell).and_then(Key::of);
                key.inspect(|key| index.remove(key, record.id));
            }
        }
        if let Some(journal) = &mut self.journal {
            journal.undo.push(Undo::Removed(removed));
        }
    }

    /// Puts removed records back, many at once.
    fn restore(&mut self, records: Vec<Arc<Stored>>) {
        for (cell, index) in self.indexes.get_mut().unwrap_or_else(PoisonError::into_inner) {
            for record in &records {
                let key = record.cells.get(*cell).and_then(Key::of);
                key.into_iter().for_each(|key| index.add(key, record.id));
            }
        }
        self.all.extend(records);
        self.all.sort_by_key(|record| record.id);
    }

    /// Remembers from now on how to come back here.
    pub(super) fn begin(&mut self) {
        let (last_id, last_row) = (self.last_id, self.last_row);
        self.journal = Some(Journal { last_id, last_row, undo: vec![], comments: vec![] });
    }

    /// The changes since `begin` stay.
    pub(super) fn keep(&mut self) {
        self.journal = None;
    }

    /// Comments that go with removed records, kept as long as there may be a way back.
    pub(super) fn note_comments(&mut self, comments: Vec<(u64, Vec<Comment>)>) {
        if let Some(journal) = &mut self.journal {
            journal.comments.extend(comments);
        }
    }

    /// Back to where `begin` was; gives the comments that are to come back too.
    pub(super) fn undo(&mut self) -> Vec<(u64, Vec<Comment>)> {
        let Some(journal) = self.journal.take() else { return vec![] };
        for undo in journal.undo.into_iter().rev() {
            match undo {
                Undo::Added(id) => self.remove(&[id]),
                Undo::Replaced(record) => self.put(record),
                Undo::Removed(records) => self.restore(records),
            }
        }
        self.last_id = journal.last_id;
        self.last_row = journal.last_row;
        journal.comments
    }
}

fn index(all: &[Arc<Stored>], cell: usize) -> Index {
    let mut index = Index(HashMap::with_capacity(all.len()));
    for record in all {
        if let Some(key) = record.cells.get(cell).and_then(Key::of) {
            index.add(key, record.id);
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u64, text: &str) -> Arc<Stored> {
        let value = if text.is_empty() { Value::Empty } else { Value::Text(text.into()) };
        Arc::new(Stored {
            id,
            revision: 1,
            creator: "a".into(),
            modifier: "a".into(),
            created: 0,
            updated: 0,
            status: None,
            assignees: [].into(),
            categories: [].into(),
            cells: vec![value],
        })
    }

    fn shown(records: &Records) -> Vec<(u64, Value)> {
        records.all.iter().map(|record| (record.id, record.cells[0].clone())).collect()
    }

    fn find(records: &Records, text: &str) -> Vec<u64> {
        let mut ids = records.find(Place::Cell(0), &Key::Text(text.into()));
        ids.sort_unstable();
        ids
    }

    #[test]
    fn an_index_follows_every_change_and_its_undoing() {
        let mut records = Records::new((1..=6).rev().map(|id| record(id, "x")).collect(), 9);
        records.put(record(2, "two"));
        assert_eq!(find(&records, "x"), [1, 3, 4, 5, 6]);
        let before = shown(&records);
        records.begin();
        records.put(record(7, "new"));
        records.last_id = 7;
        records.put(record(2, ""));
        records.remove(&[5, 1, 5, 99]);
        records.put(record(3, "new"));
        records.remove(&[7]);
        assert_eq!((find(&records, "x"), find(&records, "two")), (vec![4, 6], vec![]));
        assert_eq!((find(&records, "new"), records.all.len()), (vec![3], 4));
        records.undo();
        assert_eq!(shown(&records), before);
        assert_eq!((find(&records, "x"), find(&records, "two")), (vec![1, 3, 4, 5, 6], vec![2]));
        assert_eq!((find(&records, "new"), records.last_id), (vec![], 6));
    }

    #[test]
    fn what_is_kept_is_not_undone() {
        let mut records = Records::new(vec![record(1, "x")], 0);
        records.begin();
        records.put(record(2, "y"));
        records.keep();
        records.undo();
        assert_eq!(records.all.len(), 2);
    }
}
