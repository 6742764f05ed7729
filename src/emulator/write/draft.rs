//! A record as it was sent, its values read.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::super::call::Call;
use super::super::field::{Field, Kind, Place};
use super::super::reply::Failure;
use super::super::store::App;
use super::super::value::{Value, parse_datetime};
use super::lookup;
use super::value::{Errors, read};

/// A row of a table as it was sent.
#[derive(Debug, Default)]
pub(super) struct RowDraft {
    pub(super) id: Option<u64>,
    /// By column.
    pub(super) cells: BTreeMap<usize, Value>,
}

/// What was sent of a record. Fields that are not in it stay, or take their defaults.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// By cell.
    pub(super) cells: BTreeMap<usize, Value>,
    /// By cell.
    pub(super) tables: BTreeMap<usize, Vec<RowDraft>>,
    /// These four only where a record is added.
    pub(super) creator: Option<String>,
    pub(super) modifier: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) updated: Option<i64>,
}

impl Draft {
    /// Reads a record. Codes that the form does not have are passed over, and so are the fields that nobody
    /// can set. `at` is where it stands in the call, `adds` whether it may become a new record.
    pub(super) fn read(
        call: &Call<'_>,
        app: &App,
        record: Option<&Json>,
        at: &str,
        adds: bool,
    ) -> Result<Self, Failure> {
        let empty = Map::new();
        let sent = match record {
            None => &empty,
            Some(Json::Object(map)) => map,
            Some(_) => return Err(Failure::invalid(at, "Enter an object.")),
        };
        let mut draft = Self::default();
        let mut errors = Errors::default();
        for (code, field) in sent {
            let Some(known) = app.schema.find(code) else { continue };
            let value = field.get("value").unwrap_or(&Json::Null);
            match known.place {
                Place::Cell(cell) if known.kind == Kind::Subtable => {
                    let rows = rows(call, app, known, value, &format!("{at}.{code}"), &mut errors);
                    draft.tables.insert(cell, rows);
                }
                Place::Cell(cell) if known.kind != Kind::Calc => {
                    if let Some(value) = read(call, app, known, value, at, false, &mut errors) {
                        draft.cells.insert(cell, value);
                    }
                }
                place if adds => draft.set_system(place, value),
                _ => {}
            }
        }
        errors.into_result()?;
        lookup::copy(call, &app.schema.fields, &mut draft.cells)?;
        for table in &app.schema.fields {
            let Place::Cell(cell) = table.place else { continue };
            for row in draft.tables.get_mut(&cell).into_iter().flatten() {
                lookup::copy(call, &table.columns, &mut row.cells)?;
            }
        }
        Ok(draft)
    }

    fn set_system(&mut self, place: Place, value: &Json) {
        let code = || value.get("code").and_then(Json::as_str).map(str::to_owned);
        let time = || value.as_str().and_then(parse_datetime);
        match place {
            Place::Creator => self.creator = code(),
            Place::Modifier => self.modifier = code(),
            Place::Created => self.created = time(),
            Place::Updated => self.updated = time(),
            _ => {}
        }
    }
}

fn rows(
    call: &Call<'_>,
    app: &App,
    table: &Field,
    value: &Json,
    at: &str,
    errors: &mut Errors,
) -> Vec<RowDraft> {
    let Some(sent) = value.as_array() else {
        if !value.is_null() {
            errors.add(format!("{at}.value"), "Enter an array.");
        }
        return vec![];
    };
    let mut out = vec![];
    for (index, row) in sent.iter().enumerate() {
        let id = row.get("id").and_then(super::super::params::integer).and_then(|id| u64::try_from(id).ok());
        let mut draft = RowDraft { id, ..RowDraft::default() };
        let cells = row.get("value").and_then(Json::as_object);
        for (code, field) in cells.into_iter().flatten() {
            let Some(column) = table.columns.iter().find(|column| &*column.code == code.as_str()) else {
                continue;
            };
            let Place::Column(_, place) = column.place else { continue };
            if column.kind == Kind::Calc {
                continue;
            }
            let value = field.get("value").unwrap_or(&Json::Null);
            let at = format!("{at}.value[{index}].value");
            if let Some(value) = read(call, app, column, value, &at, true, errors) {
                draft.cells.insert(place, value);
            }
        }
        out.push(draft);
    }
    out
}
