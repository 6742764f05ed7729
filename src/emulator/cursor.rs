//! Cursors: the ids of a query's records, read page by page (K§2.1, K§5.1, K§6).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

use super::call::Call;
use super::query;
use super::records;
use super::render::Shape;
use super::reply::{Answer, Failure, NO_APP, NO_CURSOR, TOO_MANY_CURSORS};
use super::store::{Records, Stored};
use super::unknown::{self, CursorContents};

/// Live cursors in a domain.
const MOST_CURSORS: usize = 10;
const LARGEST_PAGE: i64 = 500;
const DEFAULT_PAGE: i64 = 100;

struct Cursor {
    app: u64,
    /// What is still to be read, fixed at creation.
    rest: Rest,
    fields: Option<Vec<String>>,
    page: usize,
    last_used: Instant,
}

/// Records to read: by id, with the contents of that time, or as they were at creation.
enum Rest {
    Ids(std::vec::IntoIter<u64>),
    Records(std::vec::IntoIter<Arc<Stored>>),
}

impl Rest {
    fn new(records: Vec<Arc<Stored>>, contents: CursorContents) -> Self {
        match contents {
            CursorContents::AtRead => {
                let ids: Vec<u64> = records.iter().map(|record| record.id).collect();
                Self::Ids(ids.into_iter())
            }
            CursorContents::AtCreation => Self::Records(records.into_iter()),
        }
    }

    /// The next page.
    fn take(&mut self, count: usize) -> Self {
        match self {
            Self::Ids(ids) => Self::Ids(ids.take(count).collect::<Vec<_>>().into_iter()),
            Self::Records(records) => Self::Records(records.take(count).collect::<Vec<_>>().into_iter()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Ids(ids) => ids.len(),
            Self::Records(records) => records.len(),
        }
    }

    /// The records of it that there are; those deleted since then fall away where contents are read late.
    fn records(self, stored: &Records) -> Vec<Arc<Stored>> {
        match self {
            Self::Ids(ids) => ids.filter_map(|id| stored.get(id).cloned()).collect(),
            Self::Records(records) => records.collect(),
        }
    }
}

/// The live cursors of the domain.
#[derive(Default)]
pub(super) struct Cursors(Mutex<HashMap<String, Cursor>>);

impl Cursors {
    /// The cursors that have not run out of time.
    fn live(&self) -> MutexGuard<'_, HashMap<String, Cursor>> {
        let mut cursors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let life = Duration::from_secs(unknown::CURSOR_MINUTES * 60);
        cursors.retain(|_, cursor| cursor.last_used.elapsed() < life);
        cursors
    }
}

/// POST `records/cursor.json`.
pub(super) fn create(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let fields = records::fields(call)?;
    let page = call.params.integer("size")?.unwrap_or(DEFAULT_PAGE);
    if !(1..=LARGEST_PAGE).contains(&page) {
        return Err(Failure::invalid("size", format!("Must be 1 to {LARGEST_PAGE}.")));
    }
    let prepared = query::prepare(call.scope(app), call.params.text("query")?.unwrap_or_default())?;
    if prepared.is_paged() {
        return Err(Failure::invalid("query", "limit and offset cannot be used with a cursor."));
    }
    if call.cursors.live().len() >= MOST_CURSORS {
        return Err(TOO_MANY_CURSORS.into());
    }
    let found = prepared.all(&app.read());
    let body = json!({"id": new_id(), "totalCount": found.records.len().to_string()});
    let id = body["id"].as_str().unwrap_or_default().to_owned();
    let cursor = Cursor {
        app: app.definition.id,
        rest: Rest::new(found.records, call.store.unknowns.cursor_contents),
        fields,
        page: usize::try_from(page).unwrap_or(1),
        last_used: Instant::now(),
    };
    let mut cursors = call.cursors.live();
    if cursors.len() >= MOST_CURSORS {
        return Err(TOO_MANY_CURSORS.into());
    }
    cursors.insert(id, cursor);
    Ok(Answer::json(&body).warned(found.aborted))
}

/// An id in the form of a UUID.
fn new_id() -> String {
    let hex =
        |length: usize| -> String { std::iter::repeat_with(|| fastrand::digit(16)).take(length).collect() };
    format!("{}-{}-4{}-a{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
}

/// GET `records/cursor.json`. The last page ends the cursor.
pub(super) fn read(call: &Call<'_>) -> Result<Answer, Failure> {
    let id = required_id(call)?;
    let (app, page, fields, more) = {
        let mut cursors = call.cursors.live();
        let cursor = cursors.get_mut(&id).ok_or(NO_CURSOR)?;
        call.app_by_id(cursor.app)?;
        cursor.last_used = Instant::now();
        let page = cursor.rest.take(cursor.page);
        let (app, fields, more) = (cursor.app, cursor.fields.clone(), cursor.rest.len() > 0);
        if !more {
            cursors.remove(&id);
        }
        (app, page, fields, more)
    };
    let app = call.store.apps.get(&app).ok_or(NO_APP)?;
    let shape = Shape::new(call.store, &app.schema, fields.as_deref());
    let mut body = b"{\"records\":[".to_vec();
    let records = page.records(&app.read());
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        shape.write(record, &mut body);
    }
    body.extend_from_slice(format!("],\"next\":{more}}}").as_bytes());
    Ok(Answer::bytes(body).with_rows(records.len()))
}

/// DELETE `records/cursor.json`.
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, Failure> {
    let id = required_id(call)?;
    let mut cursors = call.cursors.live();
    let app = cursors.get(&id).ok_or(NO_CURSOR)?.app;
    call.app_by_id(app)?;
    cursors.remove(&id);
    Ok(Answer::json(&json!({})))
}

fn required_id(call: &Call<'_>) -> Result<String, Failure> {
    let id = call.params.text("id")?.ok_or_else(|| Failure::invalid("id", "Required field."))?;
    Ok(id.to_owned())
}
