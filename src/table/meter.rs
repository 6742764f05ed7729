//! What a node that asks Kintone tells of itself after it ran.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, Time};
use futures::stream::{Stream, StreamExt, poll_fn};

use super::context::ScanContext;
use super::decode::{DecodedPage, PageDecoder};
use super::error::Error;
use crate::kintone::{Client, Observer};

const REQUESTS: &str = "requests";
const RETRIES: &str = "retries";
const RECORDS: &str = "records";
const BYTES: &str = "bytes";
const WAITING: &str = "waited_for_kintone";
const DECODING: &str = "decoding";

/// The time in which at least one of several things went on.
#[derive(Debug, Default)]
pub struct Stretch {
    state: Mutex<(usize, Option<Instant>)>,
    time: Time,
}

/// One of them; it ends when this is dropped.
#[derive(Debug)]
pub struct During<'a>(&'a Stretch);

impl Stretch {
    fn new(time: Time) -> Self {
        Self { state: Mutex::default(), time }
    }

    /// One begins.
    #[must_use]
    pub fn begin(&self) -> During<'_> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        state.1.get_or_insert_with(Instant::now);
        During(self)
    }

    /// The time so far, without what still goes on.
    #[must_use]
    pub fn time(&self) -> Duration {
        duration(&self.time)
    }
}

impl Drop for During<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = state.0.saturating_sub(1);
        if state.0 == 0
            && let Some(begun) = state.1.take()
        {
            self.0.time.add_elapsed(begun);
        }
    }
}

fn duration(time: &Time) -> Duration {
    Duration::from_nanos(u64::try_from(time.value()).unwrap_or(u64::MAX))
}

/// Counts what one node asks for.
#[derive(Debug)]
pub(crate) struct Meter {
    requests: Count,
    retries: Count,
    records: Count,
    bytes: Count,
    /// While the node had nothing to give on.
    waiting: Stretch,
    decoding: Time,
    context: Arc<ScanContext>,
}

impl Meter {
    pub(crate) fn new(
        context: Arc<ScanContext>,
        metrics: &ExecutionPlanMetricsSet,
        partition: usize,
    ) -> Arc<Self> {
        let counter = |name| MetricBuilder::new(metrics).counter(name, partition);
        let time = |name| MetricBuilder::new(metrics).subset_time(name, partition);
        Arc::new(Self {
            requests: counter(REQUESTS),
            retries: counter(RETRIES),
            records: counter(RECORDS),
            bytes: counter(BYTES),
            waiting: Stretch::new(time(WAITING)),
            decoding: time(DECODING),
            context,
        })
    }

    /// The client, with its calls counted here.
    pub(crate) fn watch(self: &Arc<Self>, client: Client) -> Client {
        client.observed_by(Arc::clone(self) as Arc<dyn Observer>)
    }

    /// While this is held, the node waits for Kintone.
    pub(crate) fn waiting(&self) -> During<'_> {
        self.waiting.begin()
    }

    /// A stream that waits for nothing but Kintone.
    pub(crate) fn waits_in<T>(
        self: Arc<Self>,
        mut rows: impl Stream<Item = T> + Unpin,
    ) -> impl Stream<Item = T> {
        let mut waiting = None;
        poll_fn(move |task| {
            if let Some(begun) = waiting.take() {
                self.waiting.time.add_elapsed(begun);
            }
            let next = rows.poll_next_unpin(task);
            waiting = next.is_pending().then(Instant::now);
            next
        })
    }

    /// Makes arrays of an answer's records.
    pub(crate) fn decode(&self, decoder: &mut PageDecoder, body: &[u8]) -> Result<DecodedPage, Error> {
        let _busy = self.context.busy.begin();
        let _timer = self.decoding.timer();
        let page = decoder.decode(body)?;
        self.records.add(page.ids.len());
        Ok(page)
    }
}

impl Observer for Meter {
    fn sent(&self, again: bool) {
        self.requests.add(1);
        self.retries.add(usize::from(again));
    }

    fn answered(&self, bytes: usize) {
        self.bytes.add(bytes);
    }
}

/// What Kintone was asked for, by one node or by all of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests sent, each retry among them.
    pub requests: usize,
    /// Requests that had been sent before.
    pub retries: usize,
    /// Records in the answers.
    pub records: usize,
    /// Bytes of the answers' bodies, unpacked.
    pub bytes: usize,
    /// The time in which there was nothing to do but wait for an answer. Of several nodes: a sum of times that may
    /// have been the same.
    pub waiting: Duration,
    /// The time that making arrays of the answers took, on all cores.
    pub decoding: Duration,
}

impl Cost {
    /// What a node that has run tells; `None` of one that asks Kintone for nothing, or has not run.
    #[must_use]
    pub fn of(metrics: &MetricsSet) -> Option<Self> {
        let value = |name| metrics.sum_by_name(name).map(|value| value.as_usize());
        let count = |name| value(name).unwrap_or_default();
        let time = |name| Duration::from_nanos(u64::try_from(count(name)).unwrap_or(u64::MAX));
        Some(Self {
            requests: value(REQUESTS)?,
            retries: count(RETRIES),
            records: count(RECORDS),
            bytes: count(BYTES),
            waiting: time(WAITING),
            decoding: time(DECODING),
        })
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.retries += other.retries;
        self.records += other.records;
        self.bytes += other.bytes;
        self.waiting += other.waiting;
        self.decoding += other.decoding;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_counts_once_and_only_when_it_is_over() {
        let stretch = Stretch::default();
        let (one, other) = (stretch.begin(), stretch.begin());
        drop(one);
        assert_eq!(stretch.time(), Duration::ZERO);
        drop(other);
        let first = stretch.time();
        assert!(first > Duration::ZERO);
        drop(stretch.begin());
        assert!(stretch.time() > first);
    }
}
