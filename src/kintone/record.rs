//! Records: reading them, and one call for each kind of write (K§2.1).

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::change::{Change, Changed, Deletion, Saved, Update, Upserted, Values};
use super::client::{AppKey, Client};
use super::error::Error;
use super::http::Answer;
use super::log::Log;
use super::query::{Condition, Query};
use super::request::Call;
use super::wire::number;

/// What to read of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsRequest {
    /// Which records, in which order.
    pub query: Query,
    /// Field codes; empty: all.
    pub fields: Vec<String>,
    /// Whether to count all that match.
    pub total_count: bool,
}

/// A page of records: a complete JSON document `{"records": [...], "totalCount": ...}`.
#[derive(Debug, Clone)]
pub struct Page {
    /// The document.
    pub body: Bytes,
    pub(super) call: String,
    log: Log,
    number: u64,
}

impl Page {
    /// Tells the request log how many records the page had.
    pub fn set_rows(&self, rows: usize) {
        self.log.update(self.number, |request| request.rows = u64::try_from(rows).unwrap_or(u64::MAX));
    }
}

impl Client {
    /// A page of records.
    ///
    /// # Errors
    /// Kintone refuses, does not answer, or cut the result.
    pub async fn records(&self, app: AppKey, request: &RecordsRequest) -> Result<Page, Error> {
        let query = request.query.to_string();
        let mut call = Call::of_app("records.json", app).with("query", query.clone());
        if !request.fields.is_empty() {
            call = call.with("fields", request.fields.clone());
        }
        if request.total_count {
            call = call.with("totalCount", true);
        }
        call.query = query;
        self.page(&call).await
    }

    pub(super) async fn page(&self, call: &Call) -> Result<Page, Error> {
        let Answer { body, number, call } = self.answer(call).await?;
        Ok(Page { body, call, log: self.http.log.clone(), number })
    }

    /// One record: field code to `{"type": ..., "value": ...}`. None where there is no such record.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn record(&self, app: AppKey, id: u64) -> Result<Option<Map<String, Value>>, Error> {
        match self.reply::<RecordReply>(&Call::of_app("record.json", app).with("id", id)).await {
            Ok(reply) => Ok(Some(reply.record)),
            Err(error) if error.code() == Some("GAIA_RE01") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How many records match.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn count(&self, app: AppKey, condition: Option<&Condition>) -> Result<u64, Error> {
        let query = Query { condition: condition.cloned(), limit: Some(1), ..Query::default() };
        let request = RecordsRequest { query, fields: vec!["$id".into()], total_count: true };
        let page = self.records(app, &request).await?;
        let reply: CountReply = self.decode(&page.body, &page.call)?;
        page.set_rows(reply.records.len());
        number(&reply.total_count).ok_or_else(|| self.unexpected(&page.call, "no totalCount"))
    }

    /// Adds records, all or none; gives their ids in the same order. At most 100.
    ///
    /// # Errors
    /// Kintone refuses, or whether it was done is unknown.
    pub async fn insert(&self, app: AppKey, records: Vec<Values>) -> Result<Vec<Saved>, Error> {
        match self.change(&Change::Insert { app, records }).await? {
            Changed::Saved(saved) => Ok(saved),
            _ => Ok(vec![]),
        }
    }

    /// Changes records, all or none. At most 100.
    ///
    /// # Errors
    /// Kintone refuses, or whether it was done is unknown.
    pub async fn update(&self, app: AppKey, updates: Vec<Update>) -> Result<Vec<Saved>, Error> {
        match self.change(&Change::Update { app, updates }).await? {
            Changed::Saved(saved) => Ok(saved),
            _ => Ok(vec![]),
        }
    }

    /// Changes records that exist and adds those that do not, all or none. At most 100.
    ///
    /// # Errors
    /// Kintone refuses, or whether it was done is unknown.
    pub async fn upsert(&self, app: AppKey, updates: Vec<Update>) -> Result<Vec<Upserted>, Error> {
        match self.change(&Change::Upsert { app, updates }).await? {
            Changed::Upserted(upserted) => Ok(upserted),
            _ => Ok(vec![]),
        }
    }

    /// Deletes records, all or none. At most 100.
    ///
    /// # Errors
    /// Kintone refuses, or whether it was done is unknown.
    pub async fn delete(&self, app: AppKey, deletions: Vec<Deletion>) -> Result<(), Error> {
        self.change(&Change::Delete { app, deletions }).await.map(drop)
    }
}

#[derive(Deserialize)]
struct RecordReply {
    record: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CountReply {
    records: Vec<IgnoredAny>,
    total_count: Value,
}
