//! The records that a call will have written, beside those that are stored, until all of it is known good.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLockWriteGuard};

use serde_json::Value as Json;

use super::super::call::Call;
use super::super::field::{Field, Kind, Place};
use super::super::file::Attached;
use super::super::process;
use super::super::reply::{Failure, NO_RECORD, REVISION_CONFLICT};
use super::super::store::{App, Key, Records, Stored, typed_text};
use super::super::value::Value;
use super::check::{check, must_be_unique};
use super::default::defaults;
use super::draft::Draft;
use super::errors::Errors;
use super::table;

/// A call's writes on one app. Nobody else reads or writes the app's records meanwhile.
pub(crate) struct Stage<'a, 'c> {
    call: &'a Call<'c>,
    app: &'c App,
    records: RwLockWriteGuard<'c, Records>,
    staged: BTreeMap<u64, Stored>,
    last_id: u64,
    last_row: u64,
    files: Attached,
    errors: Errors,
}

/// Whether `updateKey` can name the field.
pub(super) fn can_be_key(field: &Field) -> bool {
    field.kind == Kind::RecordNumber
        || (matches!(field.kind, Kind::SingleLineText | Kind::Number)
            && matches!(field.place, Place::Cell(_))
            && must_be_unique(field))
}

impl<'a, 'c> Stage<'a, 'c> {
    pub(crate) fn new(call: &'a Call<'c>, app: &'c App) -> Self {
        let records = app.write();
        let (last_id, last_row) = (records.last_id, records.last_row);
        Self {
            call,
            app,
            records,
            staged: BTreeMap::new(),
            last_id,
            last_row,
            files: Attached::default(),
            errors: Errors::default(),
        }
    }

    /// A record as this call has left it, of the expected revision where one is given.
    pub(crate) fn get(&self, id: u64, revision: Option<u64>) -> Result<&Stored, Failure> {
        let stored = self.staged.get(&id).or_else(|| self.records.get(id).map(|record| &**record));
        let stored = stored.ok_or(NO_RECORD)?;
        if revision.is_some_and(|revision| revision != stored.revision) {
            return Err(REVISION_CONFLICT.into());
        }
        Ok(stored)
    }

    /// Whether a record is there.
    pub(super) fn has(&self, id: u64) -> bool {
        self.get(id, None).is_ok()
    }

    /// The record whose key field has that value.
    pub(super) fn find(&self, code: &str, value: &Json) -> Option<u64> {
        let field = self.app.schema.find(code)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if field.kind == Kind::RecordNumber {
            let number = text.strip_prefix(self.app.schema.number_prefix.as_str()).unwrap_or(&text);
            return number.parse().ok().filter(|id| self.has(*id));
        }
        self.holder(field, &typed_text(field.domain, &text))
    }

    /// The record that has that value in a field.
    fn holder(&self, field: &Field, value: &Value) -> Option<u64> {
        let Place::Cell(cell) = field.place else { return None };
        let staged = self.staged.iter().find(|(_, record)| record.cells.get(cell) == Some(value));
        staged.map(|(id, _)| *id).or_else(|| {
            let stored = self.records.find(field.place, &Key::of(value)?);
            stored.into_iter().find(|id| !self.staged.contains_key(id))
        })
    }

    fn is_taken(&self, id: u64, field: &Field, value: &Value) -> bool {
        let Place::Cell(cell) = field.place else { return false };
        let same = |(other, record): (&u64, &Stored)| *other != id && record.cells.get(cell) == Some(value);
        let stored = || Key::of(value).map(|key| self.records.find(field.place, &key)).unwrap_or_default();
        self.staged.iter().any(same)
            || stored().into_iter().any(|other| other != id && !self.staged.contains_key(&other))
    }

    /// Adds a record and gives its id.
    pub(super) fn insert(&mut self, draft: Draft) -> Result<u64, Failure> {
        let fields = &self.app.schema.fields;
        let mut filled = defaults(self.call, self.app, fields);
        let cells = fields.iter().filter(|field| matches!(field.place, Place::Cell(_))).count();
        let user: Arc<str> = self.call.caller.code.as_str().into();
        let person = |code: &Option<String>| code.as_deref().map_or_else(|| Arc::clone(&user), Arc::from);
        self.last_id += 1;
        let mut record = Stored {
            id: self.last_id,
            revision: 1,
            creator: person(&draft.creator),
            modifier: person(&draft.modifier),
            created: draft.created.unwrap_or(self.call.minute()),
            updated: draft.updated.unwrap_or(self.call.minute()),
            status: None,
            assignees: [].into(),
            categories: [].into(),
            cells: (0..cells).map(|cell| filled.remove(&cell).unwrap_or(Value::Empty)).collect(),
        };
        self.fill(&mut record, &draft, true)?;
        self.files.attach(&self.call.store.uploads, None, &mut record, self.call.now)?;
        process::start(self.call, self.app, &mut record);
        self.app.calculator().recompute(&mut record);
        self.check(&record, draft);
        self.staged.insert(record.id, record);
        Ok(self.last_id)
    }

    /// Changes a record and gives its new revision.
    pub(super) fn update(&mut self, id: u64, draft: Draft, revision: Option<u64>) -> Result<u64, Failure> {
        let old = self.get(id, revision)?.clone();
        let mut record = old.clone();
        self.fill(&mut record, &draft, false)?;
        self.files.attach(&self.call.store.uploads, Some(&old), &mut record, self.call.now)?;
        self.app.calculator().recompute(&mut record);
        self.check(&record, draft);
        if old.cells != record.cells || self.call.store.unknowns.no_op_update_bumps_revision {
            self.touch(&mut record, 1);
        }
        let revision = record.revision;
        self.put(record);
        Ok(revision)
    }

    /// Makes a record newer by some revisions, and the caller its modifier; formulas may name both.
    pub(crate) fn touch(&self, record: &mut Stored, revisions: u64) {
        record.revision = record.revision.saturating_add(revisions);
        record.updated = self.call.minute();
        record.modifier = self.call.caller.code.as_str().into();
        self.app.calculator().recompute(record);
    }

    /// A record as it is to be.
    pub(crate) fn put(&mut self, record: Stored) {
        self.staged.insert(record.id, record);
    }

    /// Makes it so, unless something was wrong with a value.
    pub(crate) fn commit(mut self) -> Result<(), Failure> {
        self.errors.into_result()?;
        for record in std::mem::take(&mut self.staged).into_values() {
            self.records.put(Arc::new(record));
        }
        self.records.last_id = self.last_id;
        self.records.last_row = self.last_row;
        self.files.commit(&self.call.store.uploads);
        Ok(())
    }

    /// Removes records, instead of any other change.
    pub(super) fn remove(mut self, ids: &[u64]) {
        self.app.remove(&mut self.records, ids);
    }

    /// Puts what was sent into a record.
    fn fill(&mut self, record: &mut Stored, draft: &Draft, is_new: bool) -> Result<(), Failure> {
        for (cell, value) in &draft.cells {
            let Some(slot) = record.cells.get_mut(*cell) else { continue };
            slot.clone_from(value);
        }
        let with_defaults = is_new || self.call.store.unknowns.new_rows_of_updates_take_defaults;
        for field in &self.app.schema.fields {
            let Place::Cell(cell) = field.place else { continue };
            let (Some(rows), Some(slot)) = (draft.tables.get(&cell), record.cells.get_mut(cell)) else {
                continue;
            };
            let filled =
                if with_defaults { defaults(self.call, self.app, &field.columns) } else { BTreeMap::new() };
            *slot = table::merge(field, slot, rows, &filled, &mut self.last_row);
        }
        Ok(())
    }

    fn check(&mut self, record: &Stored, mut draft: Draft) {
        let mut errors = std::mem::take(&mut draft.errors);
        let is_taken = |field: &Field, value: &Value| self.is_taken(record.id, field, value);
        check(&self.app.schema.fields, record, &draft, is_taken, &mut errors);
        self.errors.extend(errors);
    }
}
