//! Several changes in one request, done in order, all or none, across the apps of one space (K§2.1, K§6).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::change::{Change, Changed};
use super::client::Client;
use super::error::Error;
use super::request::Call;

/// Changes in a request, Kintone's most (K§5.1).
const CHANGES: usize = 20;

impl Client {
    /// Does all the changes in their order, or none; gives what each did. At most 20, in apps of one space. None at
    /// all are done without a call.
    ///
    /// # Errors
    /// Kintone refuses: nothing was done, and [`Error::failed_request`] tells the change that it refused.
    /// [`Error::OutcomeUnknown`]: all of it was done, or nothing.
    pub async fn bulk(&self, changes: &[Change]) -> Result<Vec<Changed>, Error> {
        let Some(first) = changes.first() else { return Ok(vec![]) };
        let space = first.app().guest_space;
        let requests: Vec<Value> = changes.iter().map(request).collect();
        let mut call = Call::change(reqwest::Method::POST, "bulkRequest.json").with("requests", requests);
        call.guest_space = space;
        call.rows = changes.iter().map(Change::rows).sum();
        call.writes = changes.iter().map(|c| c.app().id).collect();
        call.app = call.writes.iter().all(|app| *app == first.app().id).then_some(first.app().id);
        if changes.len() > CHANGES {
            return Err(self.http.not_sent(&call, "a bulk request takes at most 20 changes"));
        }
        if changes.iter().any(|c| c.app().guest_space != space) {
            return Err(self.http.not_sent(&call, "a bulk request stays in one space"));
        }
        if let Some(reason) = changes.iter().find_map(Change::fault) {
            return Err(self.http.not_sent(&call, reason));
        }
        let (reply, name): (BulkReply, _) = self.named_reply(&call).await?;
        let is_whole = reply.results.len() == changes.len();
        let mut pairs = changes.iter().zip(reply.results).filter(|_| is_whole).peekable();
        let changed: Option<Vec<_>> = match pairs.peek() {
            Some(_) => pairs.map(|(change, result)| change.changed(result)).collect(),
            None => None,
        };
        changed.ok_or_else(|| {
            self.http.told(&call, self.unexpected(&name, "not the results of the changes that were sent"))
        })
    }
}

/// A change as the call it would be by itself.
fn request(change: &Change) -> Value {
    let call = change.call();
    let api = match call.guest_space {
        Some(space) => format!("/k/guest/{space}/v1/{}", call.resource),
        None => format!("/k/v1/{}", call.resource),
    };
    let payload: Map<String, Value> =
        call.parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    json!({"method": call.method.as_str(), "api": api, "payload": payload})
}

#[derive(Deserialize)]
struct BulkReply {
    results: Vec<Value>,
}
