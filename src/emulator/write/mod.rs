//! Writing records (K§2.1, K§4.2): all of a call or nothing.
//!
//! JSON -> `draft` (values read and checked by `value`) -> `lookup` (copies from other apps) -> `stage` (merged
//! with what is stored, tables by `table`, formulas by `calc`; required and unique) -> the store.

mod draft;
mod lookup;
mod stage;
mod table;
mod value;

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::params::integer;
use super::reply::{Answer, Failure, NO_KEY_MATCH, NO_RECORD, REVISION_CONFLICT};
use super::store::App;
use draft::Draft;
use stage::Stage;

/// Records of one call.
const MOST: usize = 100;
/// Characters of an `updateKey`'s value.
const LONGEST_KEY: usize = 64;

/// POST `record.json`.
pub(super) fn insert_one(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let draft = Draft::read(call, app, call.params.get("record"), "record", true)?;
    let mut stage = Stage::new(call, app);
    let id = stage.insert(&draft, "record")?;
    stage.commit();
    Ok(Answer::json(&json!({"id": id.to_string(), "revision": "1"})).with_rows(1))
}

/// POST `records.json`.
pub(super) fn insert(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let records = batch(call)?;
    let drafts = records.iter().enumerate().map(|(index, record)| {
        let at = format!("records[{index}]");
        Draft::read(call, app, Some(record), &at, true).map(|draft| (draft, at))
    });
    let drafts: Vec<(Draft, String)> = drafts.collect::<Result<_, _>>()?;
    let mut stage = Stage::new(call, app);
    let ids = drafts.iter().map(|(draft, at)| stage.insert(draft, at).map(|id| id.to_string()));
    let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
    stage.commit();
    let revisions = vec!["1"; ids.len()];
    Ok(Answer::json(&json!({"ids": ids, "revisions": revisions})).with_rows(ids.len()))
}

/// The records of a call, at most a hundred.
fn batch<'a>(call: &'a Call<'_>) -> Result<&'a [Json], Failure> {
    let records =
        call.params.array("records")?.ok_or_else(|| Failure::invalid("records", "Required field."))?;
    if records.len() > MOST {
        return Err(Failure::invalid("records", format!("No more than {MOST} can be given.")));
    }
    Ok(records)
}

/// Which record an update means.
enum Target {
    Id(u64),
    Key { field: String, value: Json },
}

/// One record of an update.
struct Change {
    target: Target,
    revision: Option<u64>,
    draft: Draft,
    at: String,
}

/// PUT `record.json`.
pub(super) fn update_one(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let change = change(call, app, call.params.all(), "record", false)?;
    let mut stage = Stage::new(call, app);
    let (_, revision, _) = apply(&mut stage, &change, false)?;
    stage.commit();
    Ok(Answer::json(&json!({"revision": revision.to_string()})).with_rows(1))
}

/// PUT `records.json`, with or without `upsert`.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let upsert = call.params.flag("upsert")?;
    let changes = batch(call)?.iter().enumerate().map(|(index, record)| {
        let at = format!("records[{index}]");
        let sent = record.as_object().ok_or_else(|| Failure::invalid(&at, "Enter an object."))?;
        change(call, app, sent, &at, upsert)
    });
    let changes: Vec<Change> = changes.collect::<Result<_, _>>()?;
    let mut stage = Stage::new(call, app);
    let mut records = vec![];
    for change in &changes {
        let (id, revision, operation) = apply(&mut stage, change, upsert)?;
        let mut record = json!({"id": id.to_string(), "revision": revision.to_string()});
        if upsert {
            record["operation"] = json!(operation);
        }
        records.push(record);
    }
    stage.commit();
    let rows = records.len();
    Ok(Answer::json(&json!({"records": records})).with_rows(rows))
}

fn change(
    call: &Call<'_>,
    app: &App,
    sent: &Map<String, Json>,
    at: &str,
    upsert: bool,
) -> Result<Change, Failure> {
    let sent = |name: &str| sent.get(name).filter(|value| !value.is_null());
    let target = match (sent("id"), sent("updateKey")) {
        (Some(id), None) => {
            let id = integer(id).and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
            Target::Id(id.ok_or_else(|| Failure::invalid("id", "Must be 1 or larger."))?)
        }
        (None, Some(key)) => update_key(app, key)?,
        _ => return Err(Failure::invalid("id", "Specify either id or updateKey.")),
    };
    let mut record = sent("record").cloned().unwrap_or_else(|| json!({}));
    if let (Target::Key { field, value }, Some(fields)) = (&target, record.as_object_mut())
        && upsert
    {
        // A record that upsert adds gets its key's value.
        fields.insert(field.clone(), json!({"value": value}));
    }
    let draft = Draft::read(call, app, Some(&record), at, upsert)?;
    Ok(Change { target, revision: revision(sent("revision"))?, draft, at: at.to_owned() })
}

fn update_key(app: &App, key: &Json) -> Result<Target, Failure> {
    let code = key.get("field").and_then(Json::as_str).unwrap_or_default();
    let field = app.schema.find(code).filter(|field| stage::can_be_key(field));
    let field =
        field.ok_or_else(|| Failure::invalid("updateKey.field", "Must be a field without duplicates."))?;
    let value = key.get("value").filter(|value| value.is_string() || value.is_number());
    let value = value.ok_or_else(|| Failure::invalid("updateKey.value", "Required field."))?;
    if value.as_str().is_some_and(|text| text.chars().count() > LONGEST_KEY) {
        let message = format!("Enter no more than {LONGEST_KEY} characters.");
        return Err(Failure::invalid("updateKey.value", message));
    }
    Ok(Target::Key { field: field.code.to_string(), value: value.clone() })
}

/// A revision to check; -1 and `null` are none.
fn revision(sent: Option<&Json>) -> Result<Option<u64>, Failure> {
    match sent {
        None | Some(Json::Null) => Ok(None),
        Some(value) => match integer(value) {
            Some(-1) => Ok(None),
            Some(number) if number > 0 => Ok(u64::try_from(number).ok()),
            _ => Err(Failure::invalid("revision", "Must be -1, or 1 or larger.")),
        },
    }
}

/// Applies one change: id, new revision, and whether it was an INSERT or an UPDATE.
fn apply(
    stage: &mut Stage<'_, '_>,
    change: &Change,
    upsert: bool,
) -> Result<(u64, u64, &'static str), Failure> {
    let found = match &change.target {
        Target::Id(id) => stage.get(*id).map(|record| record.id),
        Target::Key { field, value } => stage.find(field, value),
    };
    match found {
        Some(id) => {
            let revision = stage.update(id, &change.draft, change.revision, &change.at)?;
            Ok((id, revision, "UPDATE"))
        }
        None if upsert => Ok((stage.insert(&change.draft, &change.at)?, 1, "INSERT")),
        None => Err(match change.target {
            Target::Id(_) => NO_RECORD.into(),
            Target::Key { .. } => NO_KEY_MATCH.into(),
        }),
    }
}

/// DELETE `records.json`.
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let ids = call.params.array("ids")?.ok_or_else(|| Failure::invalid("ids", "Required field."))?;
    if ids.is_empty() || ids.len() > MOST {
        return Err(Failure::invalid("ids", format!("1 to {MOST} can be given.")));
    }
    let id = |value| integer(value).and_then(|id| u64::try_from(id).ok());
    let ids: Option<Vec<u64>> = ids.iter().map(id).collect();
    let ids = ids.ok_or_else(|| Failure::invalid("ids", "Enter an array of integers."))?;
    let revisions = call.params.array("revisions")?.unwrap_or_default();
    if !revisions.is_empty() && revisions.len() != ids.len() {
        return Err(Failure::invalid("revisions", "Give as many as ids."));
    }
    let mut records = app.write();
    for (index, id) in ids.iter().enumerate() {
        let stored = records.get(*id).ok_or(NO_RECORD)?;
        if revision(revisions.get(index))?.is_some_and(|revision| revision != stored.revision) {
            return Err(REVISION_CONFLICT.into());
        }
    }
    records.all.retain(|record| !ids.contains(&record.id));
    drop(records);
    let mut comments = app.comments();
    ids.iter().for_each(|id| drop(comments.remove(id)));
    Ok(Answer::json(&json!({})).with_rows(ids.len()))
}
