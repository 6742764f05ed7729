//! The records that a call will have written, beside those that are stored, until all of it is known good.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLockWriteGuard};

use serde_json::Value as Json;

use super::super::call::Call;
use super::super::field::{Field, Kind, Place};
use super::super::file::Attached;
use super::super::query::View;
use super::super::reply::{Failure, NO_RECORD, REVISION_CONFLICT};
use super::super::store::{App, Records, Stored, typed_text};
use super::super::value::Value;
use super::draft::Draft;
use super::table;
use super::value::{Errors, read};

/// A call's writes on one app. Nobody else reads or writes the app's records meanwhile.
pub(super) struct Stage<'a, 'c> {
    call: &'a Call<'c>,
    app: &'c App,
    records: RwLockWriteGuard<'c, Records>,
    staged: BTreeMap<u64, Stored>,
    last_id: u64,
    last_row: u64,
    files: Attached,
}

/// Whether `updateKey` can name the field.
pub(super) fn can_be_key(field: &Field) -> bool {
    field.kind == Kind::RecordNumber
        || (matches!(field.kind, Kind::SingleLineText | Kind::Number)
            && matches!(field.place, Place::Cell(_))
            && field.flag("unique"))
}

impl<'a, 'c> Stage<'a, 'c> {
    pub(super) fn new(call: &'a Call<'c>, app: &'c App) -> Self {
        let records = app.write();
        let (last_id, last_row) = (records.last_id, records.last_row);
        Self { call, app, records, staged: BTreeMap::new(), last_id, last_row, files: Attached::default() }
    }

    /// A record as this call has left it.
    pub(super) fn get(&self, id: u64) -> Option<&Stored> {
        self.staged.get(&id).or_else(|| self.records.get(id).map(|record| &**record))
    }

    fn each(&self) -> impl Iterator<Item = &Stored> {
        let stored = self.records.all.iter().filter(|record| !self.staged.contains_key(&record.id));
        stored.map(|record| &**record).chain(self.staged.values())
    }

    /// The record whose key field has that value.
    pub(super) fn find(&self, code: &str, value: &Json) -> Option<u64> {
        let field = self.app.schema.find(code)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let wanted = match field.kind {
            Kind::RecordNumber => {
                text.strip_prefix(self.app.schema.number_prefix.as_str()).unwrap_or(&text).to_owned()
            }
            _ => View::of(&typed_text(field.domain, &text)).key()?,
        };
        self.each()
            .find(|record| View::at(record, field.place).key().as_deref() == Some(wanted.as_str()))
            .map(|record| record.id)
    }

    /// Adds a record and gives its id.
    pub(super) fn insert(&mut self, draft: &Draft, at: &str) -> Result<u64, Failure> {
        let fields = self.app.schema.fields.iter();
        let filled = self.defaults(fields.clone())?;
        let cells = fields.filter(|field| matches!(field.place, Place::Cell(_))).count();
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
            status: self.first_state(),
            assignees: [].into(),
            categories: [].into(),
            cells: (0..cells).map(|cell| filled.get(&cell).cloned().unwrap_or(Value::Empty)).collect(),
        };
        self.fill(&mut record, draft)?;
        self.files.attach(&self.call.store.uploads, None, &mut record, self.call.now)?;
        self.app.calculator().recompute(&mut record);
        self.check(&record, at)?;
        self.staged.insert(record.id, record);
        Ok(self.last_id)
    }

    /// Changes a record and gives its new revision.
    pub(super) fn update(
        &mut self,
        id: u64,
        draft: &Draft,
        revision: Option<u64>,
        at: &str,
    ) -> Result<u64, Failure> {
        let old = self.get(id).ok_or(NO_RECORD)?;
        if revision.is_some_and(|revision| revision != old.revision) {
            return Err(REVISION_CONFLICT.into());
        }
        let old = old.clone();
        let mut record = old.clone();
        self.fill(&mut record, draft)?;
        self.files.attach(&self.call.store.uploads, Some(&old), &mut record, self.call.now)?;
        self.app.calculator().recompute(&mut record);
        self.check(&record, at)?;
        if old.cells != record.cells || self.call.store.unknowns.no_op_update_bumps_revision {
            record.revision += 1;
            record.updated = self.call.minute();
            record.modifier = self.call.caller.code.as_str().into();
            // Formulas may name who changed it, and when.
            self.app.calculator().recompute(&mut record);
        }
        let revision = record.revision;
        self.staged.insert(id, record);
        Ok(revision)
    }

    /// Makes it so.
    pub(super) fn commit(mut self) {
        for (id, record) in std::mem::take(&mut self.staged) {
            let position = self.records.position(id);
            let record = Arc::new(record);
            match self.records.all.get_mut(position).filter(|stored| stored.id == id) {
                Some(stored) => *stored = record,
                // New ids are larger than any other.
                None => self.records.all.push(record),
            }
        }
        self.records.last_id = self.last_id;
        self.records.last_row = self.last_row;
        self.files.commit(&self.call.store.uploads);
    }

    fn first_state(&self) -> Option<Arc<str>> {
        let status = self.app.schema.fields.iter().find(|field| field.kind == Kind::Status)?;
        let first = status.options.iter().min_by_key(|(_, index)| **index)?;
        self.app.schema.process.then(|| Arc::clone(first.0))
    }

    /// Default values by place, for fields that a new record or row does not get.
    fn defaults<'f>(
        &self,
        fields: impl Iterator<Item = &'f Field>,
    ) -> Result<BTreeMap<usize, Value>, Failure> {
        let mut out = BTreeMap::new();
        let mut errors = Errors::default();
        for field in fields {
            let (Place::Cell(place) | Place::Column(_, place)) = field.place else { continue };
            if field.definition.get("lookup").is_some_and(Json::is_object) || field.kind == Kind::Subtable {
                continue;
            }
            let value = match field.definition.get("defaultValue") {
                _ if field.flag("defaultNowValue") => self.now(field),
                Some(Json::Array(list)) if list.is_empty() => None,
                Some(Json::String(text)) if text.is_empty() => None,
                Some(default) => {
                    read(self.call, self.app, field, &self.person(default), "record", true, &mut errors)
                }
                None => None,
            };
            value.and_then(|value| out.insert(place, value));
        }
        errors.into_result()?;
        Ok(out)
    }

    /// Default users may be `LOGINUSER()`.
    fn person(&self, default: &Json) -> Json {
        let Json::Array(list) = default else { return default.clone() };
        let user = |entry: &Json| match entry.get("code").and_then(Json::as_str) {
            Some("LOGINUSER()") => {
                let known = self.call.store.directory.user(&self.call.caller.code).is_some();
                known.then(|| serde_json::json!({"code": self.call.caller.code}))
            }
            Some("PRIMARY_ORGANIZATION()") => {
                let primary = self.call.store.directory.primary_organization(&self.call.caller.code);
                primary.map(|code| serde_json::json!({"code": code}))
            }
            _ => Some(entry.clone()),
        };
        Json::Array(list.iter().filter_map(user).collect())
    }

    fn now(&self, field: &Field) -> Option<Value> {
        let local = self.call.now.with_timezone(&self.call.caller.zone);
        match field.kind {
            Kind::Date => Some(Value::Date(local.date_naive().to_epoch_days())),
            Kind::Time => Some(typed_text(field.domain, &local.format("%H:%M").to_string())),
            Kind::DateTime => Some(Value::DateTime(self.call.minute())),
            _ => None,
        }
    }

    /// Puts what was sent into a record.
    fn fill(&mut self, record: &mut Stored, draft: &Draft) -> Result<(), Failure> {
        for (cell, value) in &draft.cells {
            let Some(slot) = record.cells.get_mut(*cell) else { continue };
            slot.clone_from(value);
        }
        for field in &self.app.schema.fields {
            let Place::Cell(cell) = field.place else { continue };
            let Some(rows) = draft.tables.get(&cell) else { continue };
            let filled = self.defaults(field.columns.iter())?;
            let merged =
                table::merge(field, record.cells.get(cell), rows, || filled.clone(), &mut self.last_row);
            if let Some(slot) = record.cells.get_mut(cell) {
                *slot = merged;
            }
        }
        Ok(())
    }

    /// Required fields of the merged record, and values that must not occur twice.
    fn check(&self, record: &Stored, at: &str) -> Result<(), Failure> {
        let mut errors = Errors::default();
        for field in &self.app.schema.fields {
            let Place::Cell(cell) = field.place else { continue };
            let value = record.cells.get(cell).unwrap_or(&Value::Empty);
            if is_missing(field, value) {
                errors.add(format!("{at}.{}.{}", field.code, suffix(field)), "Required.");
            }
            if let Value::Rows(rows) = value {
                for (index, row) in rows.iter().enumerate() {
                    for (column, value) in field.columns.iter().zip(&row.cells) {
                        if is_missing(column, value) {
                            let at = format!("{at}.{}.value[{index}].value", field.code);
                            errors.add(format!("{at}.{}.{}", column.code, suffix(column)), "Required.");
                        }
                    }
                }
            }
            if field.flag("unique") && *value != Value::Empty && self.is_taken(record.id, field, value) {
                errors.add(format!("{at}.{}.value", field.code), "The value must be unique.");
            }
        }
        errors.into_result()
    }

    fn is_taken(&self, id: u64, field: &Field, value: &Value) -> bool {
        let Place::Cell(cell) = field.place else { return false };
        self.each().any(|other| other.id != id && other.cells.get(cell) == Some(value))
    }
}

fn is_missing(field: &Field, value: &Value) -> bool {
    let enforced = !matches!(field.kind, Kind::Calc | Kind::RadioButton | Kind::Subtable);
    enforced && *value == Value::Empty && field.flag("required")
}

fn suffix(field: &Field) -> &'static str {
    match field.kind {
        Kind::CheckBox | Kind::MultiSelect | Kind::File => "values",
        Kind::UserSelect | Kind::OrganizationSelect | Kind::GroupSelect => "values",
        _ => "value",
    }
}
