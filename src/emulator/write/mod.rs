//! Writing records (K§2.1, K§4.2): all of a call or nothing.
//!
//! JSON -> `draft` (values read and checked by `value` and `number`) -> `lookup` (copies from other apps) ->
//! `stage` (merged with what is stored or with `default`, tables by `table`, formulas by `calc`; `check`) -> the store.
//! Wrong values are gathered over the whole call (`errors`); a record that is not there, a revision that is not
//! the latest and a lookup without a source end it at once.

mod check;
mod default;
mod draft;
mod errors;
mod lookup;
mod number;
mod stage;
mod table;
mod value;

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::params::integer;
use super::reply::{Answer, Failure, NO_KEY_MATCH, NO_RECORD};
use super::store::App;
use draft::Draft;
pub(super) use stage::Stage;

/// Records of one call.
pub(super) const MOST: usize = 100;
/// Characters of an `updateKey`'s value.
const LONGEST_KEY: usize = 64;

/// POST `record.json`.
pub(super) fn insert_one(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let draft = Draft::read(call, app, call.params.get("record"), "record", true)?;
    let mut stage = Stage::new(call, app);
    let id = stage.insert(draft)?;
    stage.commit()?;
    Ok(Answer::json(&json!({"id": id.to_string(), "revision": "1"})).with_rows(1))
}

/// POST `records.json`.
pub(super) fn insert(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let records = batch(call, "added")?;
    let drafts = records.iter().enumerate().map(|(index, record)| {
        let at = format!("records[{index}]");
        Draft::read(call, app, Some(record), &at, true)
    });
    let drafts: Vec<Draft> = drafts.collect::<Result<_, _>>()?;
    let mut stage = Stage::new(call, app);
    let ids = drafts.into_iter().map(|draft| stage.insert(draft).map(|id| id.to_string()));
    let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
    stage.commit()?;
    let revisions = vec!["1"; ids.len()];
    Ok(Answer::json(&json!({"ids": ids, "revisions": revisions})).with_rows(ids.len()))
}

/// The records of a call, at most a hundred; `done` is what is done to them.
pub(super) fn batch<'a>(call: &'a Call<'_>, done: &str) -> Result<&'a [Json], Failure> {
    let records =
        call.params.array("records")?.ok_or_else(|| Failure::invalid("records", "Required field."))?;
    if records.len() > MOST {
        let message = format!("A maximum of {MOST} records can be {done} at one time.");
        return Err(Failure::invalid("records", message));
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
}

/// PUT `record.json`.
pub(super) fn update_one(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let change = change(call, app, call.params.all(), None, false)?;
    let mut stage = Stage::new(call, app);
    let (_, revision, _) = apply(&mut stage, change, false)?;
    stage.commit()?;
    Ok(Answer::json(&json!({"revision": revision.to_string()})).with_rows(1))
}

/// PUT `records.json`, with or without `upsert`.
pub(super) fn update(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let upsert = call.params.flag("upsert")?;
    let changes = batch(call, "updated")?.iter().enumerate().map(|(index, record)| {
        let sent = record.as_object();
        let sent = sent.ok_or_else(|| Failure::invalid(&format!("records[{index}]"), "Enter an object."))?;
        change(call, app, sent, Some(index), upsert)
    });
    let changes: Vec<Change> = changes.collect::<Result<_, _>>()?;
    let mut stage = Stage::new(call, app);
    let mut records = vec![];
    for change in changes {
        let (id, revision, operation) = apply(&mut stage, change, upsert)?;
        let mut record = json!({"id": id.to_string(), "revision": revision.to_string()});
        if upsert {
            record["operation"] = json!(operation);
        }
        records.push(record);
    }
    stage.commit()?;
    let rows = records.len();
    Ok(Answer::json(&json!({"records": records})).with_rows(rows))
}

/// Reads one record of an update, the call's own or the one at `index`.
fn change(
    call: &Call<'_>,
    app: &App,
    sent: &Map<String, Json>,
    index: Option<usize>,
    upsert: bool,
) -> Result<Change, Failure> {
    let sent = |name: &str| sent.get(name).filter(|value| !value.is_null());
    let at = |name: &str| index.map_or_else(|| name.to_owned(), |index| format!("records[{index}].{name}"));
    let target = match (sent("id"), sent("updateKey")) {
        (Some(value), None) => Target::Id(
            id(value).ok_or_else(|| Failure::invalid(&at("id"), "must be greater than or equal to 1"))?,
        ),
        (None, Some(key)) => update_key(app, key, &at("updateKey"))?,
        _ => return Err(Failure::invalid(&at("id"), "Specify either id or updateKey.")),
    };
    let revision = revision(sent("revision"), &at("revision"))?;
    let mut record = sent("record").cloned().unwrap_or_else(|| json!({}));
    if let (Target::Key { field, value }, Some(fields)) = (&target, record.as_object_mut())
        && upsert
    {
        // A record that upsert adds gets its key's value.
        fields.insert(field.clone(), json!({"value": value}));
    }
    let at = index.map_or_else(|| "record".to_owned(), |index| format!("records[{index}]"));
    let draft = Draft::read(call, app, Some(&record), &at, upsert)?;
    Ok(Change { target, revision, draft })
}

fn update_key(app: &App, key: &Json, at: &str) -> Result<Target, Failure> {
    let code = key.get("field").and_then(Json::as_str).unwrap_or_default();
    let field = app.schema.find(code).filter(|field| stage::can_be_key(field));
    let field = field
        .ok_or_else(|| Failure::invalid(&format!("{at}.field"), "Must be a field without duplicates."))?;
    let value =
        key.get("value").filter(|value| value.is_number() || value.as_str().is_some_and(|t| !t.is_empty()));
    let value = value.ok_or_else(|| Failure::invalid(&format!("{at}.value"), "Required field."))?;
    if value.as_str().is_some_and(|text| text.encode_utf16().count() > LONGEST_KEY) {
        let message = format!("Enter no more than {LONGEST_KEY} characters.");
        return Err(Failure::invalid(&format!("{at}.value"), message));
    }
    Ok(Target::Key { field: field.code.to_string(), value: value.clone() })
}

/// A record's id, as a number or as text.
pub(super) fn id(value: &Json) -> Option<u64> {
    integer(value).and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0)
}

/// A revision to check; -1 and `null` are none.
pub(super) fn revision(sent: Option<&Json>, at: &str) -> Result<Option<u64>, Failure> {
    match sent {
        None | Some(Json::Null) => Ok(None),
        Some(value) => match integer(value) {
            Some(-1) => Ok(None),
            Some(number) if number > 0 => Ok(u64::try_from(number).ok()),
            _ => Err(Failure::invalid(at, "Must be -1, or 1 or larger.")),
        },
    }
}

/// Applies one change: id, new revision, and whether it was an INSERT or an UPDATE.
fn apply(
    stage: &mut Stage<'_, '_>,
    change: Change,
    upsert: bool,
) -> Result<(u64, u64, &'static str), Failure> {
    let found = match &change.target {
        Target::Id(id) => Some(*id).filter(|id| stage.has(*id)),
        Target::Key { field, value } => stage.find(field, value),
    };
    match found {
        Some(id) => Ok((id, stage.update(id, change.draft, change.revision)?, "UPDATE")),
        None if upsert => Ok((stage.insert(change.draft)?, 1, "INSERT")),
        None => Err(match change.target {
            Target::Id(id) => Failure::about(NO_RECORD, &format!("id: {id}")),
            Target::Key { .. } => NO_KEY_MATCH.into(),
        }),
    }
}

/// DELETE `records.json`.
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let sent = call.params.array("ids")?.unwrap_or_default();
    if sent.is_empty() || sent.len() > MOST {
        let message = format!("Between 1 and {MOST} records can be deleted at one time.");
        return Err(Failure::invalid("ids", message));
    }
    let ids: Option<Vec<u64>> = sent.iter().map(id).collect();
    let ids = ids.ok_or_else(|| Failure::invalid("ids", "Enter an array of integers."))?;
    let revisions = call.params.array("revisions")?.unwrap_or_default();
    if !revisions.is_empty() && revisions.len() != ids.len() {
        return Err(Failure::invalid("revisions", "Give as many as ids."));
    }
    let stage = Stage::new(call, app);
    for (index, id) in ids.iter().enumerate() {
        stage.get(*id, revision(revisions.get(index), &format!("revisions[{index}]"))?)?;
    }
    stage.remove(&ids);
    Ok(Answer::json(&json!({})).with_rows(ids.len()))
}
