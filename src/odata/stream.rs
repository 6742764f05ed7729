//! One page of entities as a stream of JSON: rows are written as they arrive, and the client's leaving drops the
//! statement.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use datafusion::scalar::ScalarValue;
use futures::stream::{self, Stream, StreamExt};

use super::encode::Encoder;
use super::page::{After, Position, Signer};
use crate::engine::RowStream;
use crate::error::{Error, Result};

/// A page closes after this time once it has a row: callers give up at about 120 seconds.
const PAGE_TIME: Duration = Duration::from_secs(20);

/// What a page needs to write its rows and the link to the next one.
pub(super) struct Page {
    pub(super) encoder: Encoder,
    pub(super) order_columns: Vec<usize>,
    /// Rows of this page at most.
    pub(super) size: u64,
    /// Whether a page of `size` rows means that there are more, or the statement reads one row more to know.
    pub(super) full_means_more: bool,
    /// Rows that `$top` allows, this page's included.
    pub(super) left: Option<u64>,
    /// Rows before this page, for a set without a key.
    pub(super) rows_before: Option<u64>,
    pub(super) links: Links,
}

/// How the address of the next page is made.
pub(super) struct Links {
    pub(super) signer: Arc<Signer>,
    /// What the token is bound to.
    pub(super) query: String,
    /// The address up to the token.
    pub(super) url: String,
}

struct Reading {
    page: Page,
    rows: RowStream,
    /// Batches that were read before the answer began.
    first: Option<RecordBatch>,
    /// `{"@odata.context":...,"value":[`
    head: Option<String>,
    written: u64,
    /// The values of the order in the last row that was written.
    last: Option<After>,
    since: Instant,
    done: bool,
}

/// The body of an answer. An error in the middle ends it without its closing bracket: a broken answer must not look
/// like a whole one.
pub(super) fn body(
    page: Page,
    head: String,
    first: Option<RecordBatch>,
    rows: RowStream,
) -> impl Stream<Item = Result<Bytes>> + Send {
    let reading = Reading {
        page,
        rows,
        first,
        head: Some(head),
        written: 0,
        last: None,
        since: Instant::now(),
        done: false,
    };
    stream::try_unfold(reading, |mut reading| async move {
        if reading.done {
            return Ok(None);
        }
        let chunk = reading.next().await.inspect_err(|error| {
            tracing::warn!(%error, "an OData answer broke off in the middle");
        })?;
        Ok(Some((Bytes::from(chunk), reading)))
    })
}

impl Reading {
    async fn next(&mut self) -> Result<String> {
        let mut out = self.head.take().unwrap_or_default();
        let batch = match self.first.take() {
            Some(batch) => Some(batch),
            None => self.rows.next().await.transpose()?,
        };
        let Some(batch) = batch else {
            self.done = true;
            out.push_str("]}");
            return Ok(out);
        };
        let link = self.write(&batch, &mut out)?;
        if let Some(link) = link {
            out.push_str(&link);
            self.done = true;
        }
        Ok(out)
    }

    /// Writes the rows of a batch that belong to the page; the end of the answer where the page ends in it.
    fn write(&mut self, batch: &RecordBatch, out: &mut String) -> Result<Option<String>> {
        let columns = self.page.encoder.columns(batch)?;
        let room = usize::try_from(self.page.size.saturating_sub(self.written)).unwrap_or(usize::MAX);
        let count = room.min(batch.num_rows());
        for row in 0..count {
            out.push_str(if self.written > 0 { ",{" } else { "{" });
            self.page.encoder.members(&columns, row, out)?;
            out.push('}');
            self.written += 1;
        }
        if let Some(row) = count.checked_sub(1) {
            self.last = Some(match self.page.rows_before {
                Some(before) => After::Rows(before + self.written),
                None => After::Values(self.order_values(batch, row)?),
            });
        }
        let is_full = self.written == self.page.size;
        let saw_more = count < batch.num_rows();
        let may_go_on = self.page.left.is_none_or(|left| left > self.written);
        let is_late = self.since.elapsed() > PAGE_TIME;
        let is_cut = saw_more || is_late || (is_full && self.page.full_means_more);
        match self.last.clone().filter(|_| may_go_on && is_cut) {
            Some(after) => Ok(Some(format!("],\"@odata.nextLink\":{}}}", self.next_link(after)?))),
            None => Ok(None),
        }
    }

    fn next_link(&self, after: After) -> Result<serde_json::Value> {
        let left = self.page.left.map(|left| left.saturating_sub(self.written));
        let links = &self.page.links;
        let token = links.signer.sign(&links.query, &Position { after, left })?;
        Ok(serde_json::Value::from(format!("{}{token}", links.url)))
    }

    fn order_values(&self, batch: &RecordBatch, row: usize) -> Result<Vec<ScalarValue>> {
        let value = |column: &usize| {
            let array = batch
                .columns()
                .get(*column)
                .ok_or_else(|| Error::internal("a column of the order is missing"))?;
            ScalarValue::try_from_array(array, row).map_err(|error| Error::internal(error.to_string()))
        };
        self.page.order_columns.iter().map(value).collect()
    }
}
