//! Cursors: one sorted read of more records than pages can reach (K§2.1, K§5.1).
//!
//! A domain has ten for all its users, so that this process holds few and gives each back. Reading a page moves the
//! cursor on: a page whose answer was lost is gone, and is never asked for again.

use std::sync::Arc;

use reqwest::Method;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use super::client::{AppKey, Client, Done};
use super::error::Error;
use super::http::Http;
use super::query::Query;
use super::record::Page;
use super::request::Call;
use super::retry::{Effect, NO_CURSOR};
use super::wire::id;

/// An open cursor. Dropped before its end, it is deleted in the background where there is a runtime.
#[derive(Debug)]
pub struct Cursor {
    client: Client,
    app: AppKey,
    id: String,
    /// How many records it has.
    pub total: u64,
    is_open: bool,
    /// A page is asked for, or its answer was lost: nobody knows which one would be next.
    is_lost: bool,
    /// Given back after it is deleted.
    place: Option<OwnedSemaphorePermit>,
}

impl Client {
    /// A cursor over the records of a query without limit and offset, 1 to 500 in a page. None where all cursors
    /// are in use: the caller pages by `$id`. A lost answer is an error at once, since a second try could take a
    /// second cursor.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn cursor(
        &self,
        app: AppKey,
        query: &Query,
        fields: &[String],
        size: u32,
    ) -> Result<Option<Cursor>, Error> {
        let Some(place) = self.http.lane.cursor() else { return Ok(None) };
        let query = query.to_string();
        let mut call = Call::of_app("records/cursor.json", app).effect(Effect::Lease);
        call.method = Method::POST;
        call.query.clone_from(&query);
        if !fields.is_empty() {
            call = call.with("fields", fields.to_vec());
        }
        match self.reply::<CreateReply>(&call.with("query", query).with("size", size)).await {
            Ok(reply) => Ok(Some(Cursor {
                client: self.clone(),
                app,
                id: reply.id,
                total: reply.total_count,
                is_open: true,
                is_lost: false,
                place: Some(place),
            })),
            Err(error) if error.code() == Some(NO_CURSOR) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Cursor {
    /// Kintone's id of it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The next page; none after the last. A page without records is not the end: records may be gone by now.
    ///
    /// # Errors
    /// [`Error::CursorLost`] where it cannot go on, now and from then on: also after a call of this that was dropped
    /// before its end.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        let call = self.call(Method::GET, Effect::Lease);
        if self.is_lost {
            return Err(self.lost(self.client.http.not_sent(&call, "an earlier page was lost")));
        }
        if !self.is_open {
            return Ok(None);
        }
        self.is_lost = true;
        let page = match self.client.page(&call).await {
            Ok(page) => page,
            Err(error) => {
                // Whatever is left of it is deleted when it is dropped.
                self.is_open = error.code() != Some(GONE);
                let error = self.lost(error);
                self.is_lost = matches!(error, Error::CursorLost { .. });
                return Err(error);
            }
        };
        let reply: PageReply =
            self.client.decode(&page.body, &page.call).map_err(|error| self.lost(error))?;
        self.is_lost = false;
        self.is_open = reply.next;
        Ok(Some(page))
    }

    /// Deletes it; one that is gone already is none to be deleted.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn close(mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.is_open) {
            return Ok(());
        }
        let call = self.call(Method::DELETE, Effect::None);
        match self.client.reply::<Done>(&call).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(GONE) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn call(&self, method: Method, effect: Effect) -> Call {
        let call = Call::get("records/cursor.json").at(self.app).with("id", self.id.as_str());
        Call { method, effect, ..call }
    }

    /// Refused for good, or answered with something that does not tell its page.
    fn lost(&self, error: Error) -> Error {
        let connection = self.client.config().name.clone();
        match error {
            // It never reached the cursor.
            Error::Connect { .. } | Error::Unavailable { .. } | Error::CredentialsRejected { .. } => error,
            Error::Exhausted { .. } | Error::Rejected { status: 401 | 403 | 429, .. } => error,
            error => {
                let call = self.call(Method::GET, Effect::Lease);
                let call = call.name(&call.path(&self.client.config().url));
                Error::CursorLost { connection, call, cause: Box::new(error) }
            }
        }
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let http: Arc<Http> = Arc::clone(&self.client.http);
        let call = self.call(Method::DELETE, Effect::None);
        let place = self.place.take();
        runtime.spawn(async move {
            let _place = place;
            if let Err(error) = http.send(&call, None).await {
                tracing::debug!(%error, "a cursor was not deleted; it ends by itself");
            }
        });
    }
}

/// No such cursor, or not any more.
const GONE: &str = "GAIA_CN01";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateReply {
    id: String,
    #[serde(deserialize_with = "id")]
    total_count: u64,
}

#[derive(Deserialize)]
struct PageReply {
    next: bool,
}
