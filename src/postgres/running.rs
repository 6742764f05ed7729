//! A statement's rows, computed in a task of their own: however long one step takes, the dialogue stays awake
//! for a cancel, a vanished client and the end of the server.

use arrow::array::RecordBatch;
use futures::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::failure::Failure;
use super::portal::guarded;
use crate::engine::RowStream;

/// Counts a connection's cancels; who waits for a change hears of the next one.
pub(super) type Cancels = watch::Receiver<u64>;

/// Rows that are being computed; dropping this stops it.
pub(super) struct Running {
    batches: Batches,
    cancels: Cancels,
}

/// Where batches come from.
enum Batches {
    /// They are here: a task of their own would take longer than they do.
    Here(RowStream),
    Computed(mpsc::Receiver<Result<RecordBatch, Failure>>, AbortHandle),
}

impl Running {
    /// Starts the rows. At most one batch is computed ahead of the client.
    pub(super) fn new(mut rows: RowStream, cancels: Cancels) -> Self {
        let (sender, batches) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            while let Ok(place) = sender.reserve().await {
                match guarded(async { rows.next().await.transpose() }).await.transpose() {
                    Some(Ok(batch)) => place.send(Ok(batch)),
                    Some(Err(failure)) => return place.send(Err(failure)),
                    None => return,
                }
            }
        });
        Self { batches: Batches::Computed(batches, task.abort_handle()), cancels }
    }

    /// Rows that are here already.
    pub(super) fn ready(rows: RowStream, cancels: Cancels) -> Self {
        Self { batches: Batches::Here(rows), cancels }
    }

    /// What was canceled up to now does not count any more.
    pub(super) fn resume(&mut self) {
        self.cancels.mark_unchanged();
    }

    /// The next batch, `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>, Failure> {
        let batches = match &mut self.batches {
            Batches::Here(rows) => return Ok(rows.next().await.transpose()?),
            Batches::Computed(batches, _) => batches,
        };
        tokio::select! {
            biased;
            batch = batches.recv() => batch.transpose(),
            Ok(()) = self.cancels.changed() => {
                Err(Failure::error("57014", "canceling statement due to user request"))
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Batches::Computed(_, task) = &self.batches {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use arrow::datatypes::Schema;

    use super::*;

    fn batch() -> RecordBatch {
        RecordBatch::new_empty(Arc::new(Schema::empty()))
    }

    #[tokio::test]
    async fn a_cancel_ends_rows_that_never_come_but_not_the_next_ones() {
        let (cancel, cancels) = watch::channel(0);
        let mut rows = Running::new(futures::stream::pending().boxed(), cancels.clone());
        cancel.send_modify(|count| *count += 1);
        assert_eq!(rows.next().await.unwrap_err().code(), "57014");
        let mut rows = Running::new(futures::stream::iter([Ok(batch())]).boxed(), cancels);
        rows.resume();
        assert!(rows.next().await.unwrap().is_some());
        assert!(rows.next().await.unwrap().is_none());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_cancel_does_not_wait_for_a_step_that_computes() {
        let (cancel, cancels) = watch::channel(0);
        let (begun, computing) = std::sync::mpsc::channel();
        let stream = futures::stream::poll_fn(move |_| {
            begun.send(()).unwrap();
            std::thread::sleep(Duration::from_secs(3));
            std::task::Poll::Ready(None)
        });
        let mut rows = Running::new(stream.boxed(), cancels);
        tokio::task::spawn_blocking(move || computing.recv()).await.unwrap().unwrap();
        let start = Instant::now();
        cancel.send_modify(|count| *count += 1);
        assert_eq!(rows.next().await.unwrap_err().code(), "57014");
        assert!(start.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test]
    async fn one_batch_is_computed_ahead_and_a_drop_stops_it() {
        let computed = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&computed);
        let stream = futures::stream::repeat_with(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(batch())
        });
        let (_cancel, cancels) = watch::channel(0);
        let mut rows = Running::new(stream.boxed(), cancels);
        rows.next().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(computed.load(Ordering::Relaxed), 2);
        drop(rows);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(computed.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_the_statement() {
        let (_cancel, cancels) = watch::channel(0);
        let mut rows = Running::new(futures::stream::poll_fn(|_| panic!("on purpose")).boxed(), cancels);
        assert_eq!(rows.next().await.unwrap_err().code(), "XX000");
    }
}
