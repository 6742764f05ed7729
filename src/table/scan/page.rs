//! One page of a scan: asked for, decoded, checked, cut.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take_arrays;
use datafusion::common::Result as DfResult;
use datafusion::execution::memory_pool::MemoryReservation;

use super::ScanRequest;
use super::chains::Claim;
use crate::kintone::{Client, RecordsRequest};
use crate::table::decode::PageDecoder;
use crate::table::error::{Error, Origin};
use crate::table::fault::Fault;
use crate::table::meter::Meter;

/// Which page.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask {
    /// The next one of a chain.
    Chain(Claim),
    /// The last one of all, read backwards.
    End,
}

/// Rows in the order of their records' ids.
pub(super) struct PageRows {
    pub batch: RecordBatch,
    pub ids: Vec<u64>,
    /// For rows of a table field: the place of each row's record.
    parents: Option<Vec<u32>>,
    /// What the batch takes; given back when it is dropped.
    memory: MemoryReservation,
}

impl PageRows {
    /// Only the records between these ids.
    pub(super) fn between(mut self, after: u64, before: u64) -> Self {
        let from = self.ids.partition_point(|id| *id <= after);
        let to = self.ids.partition_point(|id| *id < before).max(from);
        if to - from == self.ids.len() {
            return self;
        }
        let row = |record: usize| match &self.parents {
            Some(parents) => {
                parents.partition_point(|p| usize::try_from(*p).is_ok_and(|place| place < record))
            }
            None => record,
        };
        let (first, last) = (row(from), row(to));
        let before_these = u32::try_from(from).unwrap_or(u32::MAX);
        self.parents = self.parents.map(|p| p[first..last].iter().map(|p| p - before_these).collect());
        self.batch = self.batch.slice(first, last - first);
        self.ids = self.ids[from..to].to_vec();
        self
    }

    /// The other way round. A record's own rows keep their order.
    fn reversed(mut self) -> DfResult<Self> {
        let rows = u32::try_from(self.batch.num_rows()).unwrap_or(u32::MAX);
        let order: Vec<u32> = match &self.parents {
            None => (0..rows).rev().collect(),
            Some(parents) => {
                let mut order: Vec<u32> = (0..rows).collect();
                let parent = |row: &u32| usize::try_from(*row).ok().and_then(|row| parents.get(row)).copied();
                order.sort_by_key(|row| std::cmp::Reverse(parent(row)));
                order
            }
        };
        let rows = RecordBatchOptions::new().with_row_count(Some(order.len()));
        let arrays = take_arrays(self.batch.columns(), &UInt32Array::from(order), None)?;
        // Not `take_record_batch`, which cannot take rows without columns.
        self.batch = RecordBatch::try_new_with_options(self.batch.schema(), arrays, &rows)?;
        let last = u32::try_from(self.ids.len()).unwrap_or(u32::MAX).saturating_sub(1);
        if let Some(parents) = &mut self.parents {
            parents.reverse();
            parents.iter_mut().for_each(|parent| *parent = last - *parent);
        }
        self.ids.reverse();
        Ok(self)
    }

    /// The batch alone, for who takes it: its memory is accounted for there.
    pub(super) fn into_batch(self) -> RecordBatch {
        self.memory.free();
        self.batch
    }
}

/// What a page turned out to be.
pub(super) struct Fetched {
    pub rows: PageRows,
    /// As many records as were asked for: there may be more.
    pub full: bool,
    pub total: Option<u64>,
    /// Fields that a record lacked.
    pub missing: Vec<String>,
    /// Of the answer and of the arrays made from it.
    pub bytes: usize,
}

/// What every page of a scan is read with.
pub(super) struct Reader {
    pub client: Client,
    pub request: ScanRequest,
    pub meter: Arc<Meter>,
}

impl Reader {
    /// A page of at most `limit` records, with or without a count of all that match.
    pub(super) async fn fetch(
        &self,
        ask: Ask,
        limit: u32,
        count: bool,
        decoder: &mut PageDecoder,
        memory: MemoryReservation,
    ) -> DfResult<Fetched> {
        let query = match ask {
            Ask::Chain(claim) => {
                let less = u32::from(limit > 1 && self.request.fault == Some(Fault::ShortPage));
                self.request.query(claim.after, claim.before, limit - less)
            }
            Ask::End => self.request.end_query(limit),
        };
        let request = RecordsRequest { query, fields: decoder.fields(), total_count: count };
        let answer = self.client.records(self.request.table.app, &request).await;
        let page = answer.map_err(|e| Origin::error(self.request.origin.as_ref(), e))?;
        // The arrays take about as much as their text.
        memory.try_resize(page.body.len().saturating_mul(2))?;
        let decoded = self.meter.decode(decoder, &page.body)?;
        page.set_rows(decoded.ids.len());
        let bytes = page.body.len() + decoded.batch.get_array_memory_size();
        memory.try_resize(decoded.batch.get_array_memory_size())?;
        let full = decoded.ids.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let mut rows = PageRows { batch: decoded.batch, ids: decoded.ids, parents: decoded.parents, memory };
        if matches!(ask, Ask::End) {
            rows = rows.reversed()?;
        }
        self.check_order(ask, &rows.ids)?;
        Ok(Fetched { rows, full, total: decoded.total, missing: decoded.missing, bytes })
    }

    /// Everything rests on it that a page's records come by `$id`, and are those asked for.
    fn check_order(&self, ask: Ask, ids: &[u64]) -> Result<(), Error> {
        let (after, before) = match ask {
            Ask::Chain(claim) => (claim.after, claim.before),
            Ask::End => (0, None),
        };
        let within = ids.first().is_none_or(|id| *id > after)
            && ids.last().is_none_or(|id| before.is_none_or(|before| *id < before));
        if within && ids.is_sorted_by(|a, b| a < b) {
            return Ok(());
        }
        let reason = "its records do not come in the order of $id".into();
        Err(Error::Page { app: self.request.table.name.clone(), reason })
    }
}

/// Runs a fetch and gives the decoder back.
pub(super) async fn fetch(
    reader: Arc<Reader>,
    ask: Ask,
    (limit, count): (u32, bool),
    mut decoder: PageDecoder,
    memory: MemoryReservation,
) -> (Ask, PageDecoder, DfResult<Fetched>) {
    let fetched = reader.fetch(ask, limit, count, &mut decoder, memory).await;
    (ask, decoder, fetched)
}
