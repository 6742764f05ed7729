//! A record as it was sent, its values read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::super::call::Call;
use super::super::field::{Field, Kind, Place};
use super::super::params::integer;
use super::super::reply::Failure;
use super::super::store::App;
use super::super::value::{Value, parse_datetime};
use super::errors::Errors;
use super::lookup;
use super::value::read;

/// A row of a table as it was sent.
#[derive(Debug, Default)]
pub(super) struct RowDraft {
    pub(super) id: Option<u64>,
    /// By column.
    pub(super) cells: BTreeMap<usize, Value>,
    /// Columns of which nothing more is to be said.
    pub(super) refused: BTreeSet<usize>,
}

/// What was sent of a record. Fields that are not in it stay, or take their defaults.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Where it stands in the call, such as `records[3]`.
    pub(super) at: String,
    /// By cell.
    pub(super) cells: BTreeMap<usize, Value>,
    /// By cell.
    pub(super) tables: BTreeMap<usize, Vec<RowDraft>>,
    /// Cells of which nothing more is to be said.
    pub(super) refused: BTreeSet<usize>,
    /// What is wrong with the values.
    pub(super) errors: Errors,
    /// These four only where a record is added.
    pub(super) creator: Option<String>,
    pub(super) modifier: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) updated: Option<i64>,
}

impl Draft {
    /// Reads a record. Codes that the form does not have are passed over, and so are the fields that nobody
    /// can set. `at` is where it stands in the call, `adds` whether it may become a new record.
    ///
    /// # Errors
    ///
    /// Where it is no record at all, and for a lookup that fails; wrong values are in `errors`.
    pub(super) fn read(
        call: &Call<'_>,
        app: &App,
        record: Option<&Json>,
        at: &str,
        adds: bool,
    ) -> Result<Self, Failure> {
        let empty = Map::new();
        let sent = match record {
            None | Some(Json::Null) => &empty,
            Some(Json::Object(map)) => map,
            Some(_) => return Err(Failure::invalid(at, "Enter an object.")),
        };
        let mut draft = Self { at: at.to_owned(), ..Self::default() };
        for (code, field) in sent {
            // A table's column is set in its rows alone, and `$id` nowhere.
            let known = app.schema.find(code).filter(|known| !matches!(known.place, Place::Column(..)));
            let Some(known) = known else { continue };
            if !field.is_object() {
                draft.errors.add(format!("{at}.{code}"), "Enter an object.");
                continue;
            }
            draft.take(call, app, known, field.get("value").unwrap_or(&Json::Null), adds);
        }
        if draft.errors.is_empty() {
            draft.copy(call, app)?;
        }
        Ok(draft)
    }

    fn take(&mut self, call: &Call<'_>, app: &App, field: &Field, value: &Json, adds: bool) {
        match field.place {
            Place::Cell(cell) if field.kind == Kind::Subtable => {
                if let Some(rows) = rows(call, app, field, value, &self.at, &mut self.errors) {
                    self.tables.insert(cell, rows);
                }
            }
            Place::Cell(cell) if field.kind != Kind::Calc => {
                match read(call, app, field, value, &self.at, false, &mut self.errors) {
                    Some(value) => drop(self.cells.insert(cell, value)),
                    None => drop(self.refused.insert(cell)),
                }
            }
            _ if adds && call.store.unknowns.new_records_bring_writers_and_times => {
                self.set_system(call, field, value)
            }
            _ => {}
        }
    }

    /// Who wrote a record and when, which a new record may bring along. `null` is not sent.
    fn set_system(&mut self, call: &Call<'_>, field: &Field, value: &Json) {
        if value.is_null() {
            return;
        }
        let key = || format!("{}.{}.value", self.at, field.code);
        match field.place {
            Place::Creator | Place::Modifier => {
                let code = value.get("code").and_then(Json::as_str).unwrap_or_default();
                if call.store.directory.user(code).is_none() {
                    return self.errors.add(key(), format!("\"{code}\" was not found."));
                }
                let slot = if field.place == Place::Creator { &mut self.creator } else { &mut self.modifier };
                *slot = Some(code.to_owned());
            }
            Place::Created | Place::Updated => {
                let Some(minutes) = value.as_str().and_then(parse_datetime) else {
                    return self.errors.add(key(), "Enter a date and time.");
                };
                let slot = if field.place == Place::Created { &mut self.created } else { &mut self.updated };
                *slot = Some(minutes);
            }
            _ => {}
        }
    }

    /// What lookups give.
    fn copy(&mut self, call: &Call<'_>, app: &App) -> Result<(), Failure> {
        lookup::copy(call, &app.schema.fields, &mut self.cells)?;
        for table in &app.schema.fields {
            let Place::Cell(cell) = table.place else { continue };
            for row in self.tables.get_mut(&cell).into_iter().flatten() {
                lookup::copy(call, &table.columns, &mut row.cells)?;
            }
        }
        Ok(())
    }
}

/// A table's rows; `None` where they are no list.
fn rows(
    call: &Call<'_>,
    app: &App,
    table: &Field,
    value: &Json,
    at: &str,
    errors: &mut Errors,
) -> Option<Vec<RowDraft>> {
    let at = format!("{at}.{}.value", table.code);
    let sent = match value {
        Json::Null => return Some(vec![]),
        Json::Array(rows) => rows,
        _ => {
            errors.add(at, "Enter an array.");
            return None;
        }
    };
    let read = sent.iter().enumerate().map(|(index, sent)| {
        let at = format!("{at}[{index}]");
        row(call, app, table, sent, &at, errors)
    });
    Some(read.collect())
}

fn row(call: &Call<'_>, app: &App, table: &Field, sent: &Json, at: &str, errors: &mut Errors) -> RowDraft {
    let id = sent.get("id").and_then(integer).and_then(|id| u64::try_from(id).ok());
    let mut draft = RowDraft { id, ..RowDraft::default() };
    let value = sent.get("value").unwrap_or(&Json::Null);
    if !sent.is_object() || !(value.is_object() || value.is_null()) {
        errors.add(at.to_owned(), "Enter an object.");
        draft.refused = (0..table.columns.len()).collect();
        return draft;
    }
    let at = format!("{at}.value");
    for (code, field) in value.as_object().into_iter().flatten() {
        let Some(column) = table.columns.iter().find(|column| *column.code == *code.as_str()) else {
            continue;
        };
        let Place::Column(_, place) = column.place else { continue };
        if column.kind == Kind::Calc {
            continue;
        }
        if !field.is_object() {
            errors.add(format!("{at}.{code}"), "Enter an object.");
            continue;
        }
        match read(call, app, column, field.get("value").unwrap_or(&Json::Null), &at, true, errors) {
            Some(value) => drop(draft.cells.insert(place, value)),
            None => drop(draft.refused.insert(place)),
        }
    }
    draft
}
