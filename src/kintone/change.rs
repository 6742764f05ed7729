//! Writes: what each sends and what comes back, by itself or as a part of a bulk request (K§2.1, K§4.2).

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::{AppKey, Client};
use super::error::Error;
use super::request::Call;
use super::wire::{id, ids};

/// Records in a call, Kintone's most (K§5.1).
const RECORDS: usize = 100;

/// Field code to what the field's `value` has: `{"Price": "12", "Tags": ["a"], "Owner": [{"code": "sato"}]}`. A table
/// field has its rows, `[{"id": "368", "value": {"Item": {"value": "x"}}}]`.
pub type Values = Map<String, Value>;

/// Which record an update is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By its id.
    Id(u64),
    /// By a field that no two records share the value of.
    Key {
        /// The field's code.
        field: String,
        /// At most 64 characters.
        value: String,
    },
}

/// A record's change.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The record.
    pub target: Target,
    /// The fields that change.
    pub values: Values,
    /// Refused with `GAIA_CO02` where the record has another one.
    pub revision: Option<u64>,
}

/// A record that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Its id.
    pub id: u64,
    /// Refused with `GAIA_CO02` where the record has another one.
    pub revision: Option<u64>,
}

/// A step of process management.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// The record.
    pub id: u64,
    /// The action's name.
    pub action: String,
    /// The login name of who is next, where the process asks for one.
    pub assignee: Option<String>,
    /// Refused with `GAIA_CO02` where the record has another one.
    pub revision: Option<u64>,
}

/// A write that a bulk request can hold. All of it is done, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds records.
    Insert {
        /// The app.
        app: AppKey,
        /// At most 100.
        records: Vec<Values>,
    },
    /// Changes records.
    Update {
        /// The app.
        app: AppKey,
        /// At most 100.
        updates: Vec<Update>,
    },
    /// Changes records that exist and adds those that do not.
    Upsert {
        /// The app.
        app: AppKey,
        /// At most 100.
        updates: Vec<Update>,
    },
    /// Deletes records.
    Delete {
        /// The app.
        app: AppKey,
        /// At most 100.
        deletions: Vec<Deletion>,
    },
    /// Runs actions of process management; a record's revision grows by 2.
    Status {
        /// The app.
        app: AppKey,
        /// At most 100.
        changes: Vec<StatusChange>,
    },
    /// Sets who a record waits for.
    Assignees {
        /// The app.
        app: AppKey,
        /// The record.
        id: u64,
        /// Login names, at most 100.
        assignees: Vec<String>,
        /// Refused with `GAIA_CO02` where the record has another one.
        revision: Option<u64>,
    },
}

/// A record as it was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Saved {
    /// Its id.
    #[serde(deserialize_with = "id")]
    pub id: u64,
    /// Its revision now.
    #[serde(deserialize_with = "id")]
    pub revision: u64,
}

/// What an upsert did to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upserted {
    /// The record as it was left.
    pub saved: Saved,
    /// It was added.
    pub is_new: bool,
}

/// What a change did, in the order of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Of an insert, an update, a status change.
    Saved(Vec<Saved>),
    /// Of an upsert.
    Upserted(Vec<Upserted>),
    /// Of a deletion.
    Deleted,
    /// Of new assignees: the record's revision.
    Revision(u64),
}

impl Client {
    /// Does a change. One of no records is done without a call.
    ///
    /// # Errors
    /// Kintone refuses: nothing was done. [`Error::OutcomeUnknown`]: all of it was done, or nothing.
    pub async fn change(&self, change: &Change) -> Result<Changed, Error> {
        let call = change.call();
        if let Some(reason) = change.fault() {
            return Err(self.http.not_sent(&call, reason));
        }
        match change {
            Change::Insert { records, .. } if records.is_empty() => return Ok(Changed::Saved(vec![])),
            Change::Update { updates, .. } if updates.is_empty() => return Ok(Changed::Saved(vec![])),
            Change::Upsert { updates, .. } if updates.is_empty() => return Ok(Changed::Upserted(vec![])),
            Change::Delete { deletions, .. } if deletions.is_empty() => return Ok(Changed::Deleted),
            Change::Status { changes, .. } if changes.is_empty() => return Ok(Changed::Saved(vec![])),
            _ => {}
        }
        let (reply, name): (Value, _) = self.named_reply(&call).await?;
        let unexpected = || self.http.told(&call, self.unexpected(&name, "not the records that were sent"));
        change.changed(reply).ok_or_else(unexpected)
    }
}

impl Change {
    /// The app that it writes to.
    #[must_use]
    pub fn app(&self) -> AppKey {
        match self {
            Self::Insert { app, .. }
            | Self::Update { app, .. }
            | Self::Upsert { app, .. }
            | Self::Delete { app, .. }
            | Self::Status { app, .. }
            | Self::Assignees { app, .. } => *app,
        }
    }

    /// The records that it writes.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Insert { records, .. } => records.len(),
            Self::Update { updates, .. } | Self::Upsert { updates, .. } => updates.len(),
            Self::Delete { deletions, .. } => deletions.len(),
            Self::Status { changes, .. } => changes.len(),
            Self::Assignees { .. } => 1,
        }
    }

    /// Why it cannot be sent.
    pub(super) fn fault(&self) -> Option<&'static str> {
        (self.rows() > RECORDS).then_some("a call takes at most 100 records")
    }

    pub(super) fn call(&self) -> Call {
        let to = |method, resource| Call::to_app(method, resource, self.app(), self.rows());
        match self {
            Self::Insert { records, .. } => {
                let records: Vec<Value> = records.iter().map(wire_values).collect();
                to(Method::POST, "records.json").with("records", records)
            }
            Self::Update { updates, .. } => {
                to(Method::PUT, "records.json").with("records", wire_updates(updates))
            }
            Self::Upsert { updates, .. } => {
                to(Method::PUT, "records.json").with("upsert", true).with("records", wire_updates(updates))
            }
            Self::Delete { deletions, .. } => {
                let ids: Vec<Value> = deletions.iter().map(|d| d.id.into()).collect();
                let call = to(Method::DELETE, "records.json").with("ids", ids);
                if deletions.iter().all(|d| d.revision.is_none()) {
                    return call;
                }
                // No check for those that have none (K§2.1).
                let revision = |d: &Deletion| d.revision.map_or(json!(-1), Value::from);
                call.with("revisions", deletions.iter().map(revision).collect::<Vec<_>>())
            }
            Self::Status { changes, .. } => {
                let records: Vec<Value> = changes.iter().map(StatusChange::wire).collect();
                to(Method::PUT, "records/status.json").with("records", records)
            }
            Self::Assignees { id, assignees, revision, .. } => to(Method::PUT, "record/assignees.json")
                .with("id", *id)
                .with("assignees", assignees.clone())
                .with_some("revision", *revision),
        }
    }

    /// The reply; none where it is not about the records that were sent.
    pub(super) fn changed(&self, reply: Value) -> Option<Changed> {
        let rows = self.rows();
        match self {
            Self::Insert { .. } => {
                let reply: InsertReply = read(reply)?;
                let is_whole = reply.ids.len() == rows && reply.revisions.len() == rows;
                let pairs = reply.ids.into_iter().zip(reply.revisions);
                is_whole.then(|| Changed::Saved(pairs.map(|(id, revision)| Saved { id, revision }).collect()))
            }
            Self::Update { .. } | Self::Status { .. } => {
                let reply: RecordsReply<Saved> = read(reply)?;
                (reply.records.len() == rows).then_some(Changed::Saved(reply.records))
            }
            Self::Upsert { .. } => {
                let reply: RecordsReply<WireUpserted> = read(reply)?;
                let upserted = reply.records.into_iter().map(|r| Upserted {
                    saved: Saved { id: r.id, revision: r.revision },
                    is_new: matches!(r.operation, Operation::Insert),
                });
                let upserted: Vec<_> = upserted.collect();
                (upserted.len() == rows).then_some(Changed::Upserted(upserted))
            }
            Self::Delete { .. } => reply.is_object().then_some(Changed::Deleted),
            Self::Assignees { .. } => {
                let reply: RevisionReply = read(reply)?;
                Some(Changed::Revision(reply.revision))
            }
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(reply: Value) -> Option<T> {
    serde_json::from_value(reply).ok()
}

fn wire_values(values: &Values) -> Value {
    values.iter().map(|(code, value)| (code.clone(), json!({ "value": value }))).collect::<Map<_, _>>().into()
}

fn wire_updates(updates: &[Update]) -> Vec<Value> {
    let each = |update: &Update| {
        let mut wire = match &update.target {
            Target::Id(id) => json!({ "id": id }),
            Target::Key { field, value } => json!({"updateKey": {"field": field, "value": value}}),
        };
        wire["record"] = wire_values(&update.values);
        if let Some(revision) = update.revision {
            wire["revision"] = revision.into();
        }
        wire
    };
    updates.iter().map(each).collect()
}

impl StatusChange {
    fn wire(&self) -> Value {
        let mut wire = json!({"id": self.id, "action": self.action});
        if let Some(assignee) = &self.assignee {
            wire["assignee"] = assignee.as_str().into();
        }
        if let Some(revision) = self.revision {
            wire["revision"] = revision.into();
        }
        wire
    }
}

#[derive(Deserialize)]
struct InsertReply {
    #[serde(deserialize_with = "ids")]
    ids: Vec<u64>,
    #[serde(deserialize_with = "ids")]
    revisions: Vec<u64>,
}

#[derive(Deserialize)]
struct RecordsReply<T> {
    records: Vec<T>,
}

#[derive(Deserialize)]
struct RevisionReply {
    #[serde(deserialize_with = "id")]
    revision: u64,
}

#[derive(Deserialize)]
struct WireUpserted {
    #[serde(deserialize_with = "id")]
    id: u64,
    #[serde(deserialize_with = "id")]
    revision: u64,
    operation: Operation,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Operation {
    Insert,
    Update,
}
