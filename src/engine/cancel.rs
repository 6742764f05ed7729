//! Ending a running statement: by its client, by its time, or by a fault of ours that must not reach others.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use futures::FutureExt;
use futures::stream::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::session::RowStream;
use crate::error::{Error, Kind, Result};

/// What stops a session's running statement.
#[derive(Debug, Default)]
pub(super) struct Stop {
    current: Mutex<Current>,
    /// When the time of what runs now is up. Rows that only wait to be fetched have none.
    deadline: watch::Sender<Option<Instant>>,
}

/// What can be stopped now.
#[derive(Debug, Default)]
struct Current {
    token: CancellationToken,
    /// The steps up to the next pause are one statement: how far that has come.
    statement: Steps,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Steps {
    /// Each step is a statement of its own.
    #[default]
    Single,
    /// None has started yet.
    Begun,
    Started,
}

impl Stop {
    /// A step of a statement starts, its planning or its run: it can be stopped from now on. Its time runs, unless it
    /// has been running since the statement began.
    pub(super) fn start(&self, timeout: Option<Duration>) -> Running {
        let mut current = self.lock();
        if current.statement != Steps::Started {
            current.token = CancellationToken::new();
        }
        if current.statement == Steps::Single {
            self.limit(timeout);
        } else {
            current.statement = Steps::Started;
        }
        Running { token: current.token.clone(), deadline: self.deadline.subscribe() }
    }

    /// A statement begins, or its rows are fetched on: all its steps up to the next pause have this time together.
    pub(super) fn resume(&self, timeout: Option<Duration>) {
        let mut current = self.lock();
        if current.statement == Steps::Single {
            current.statement = Steps::Begun;
            self.limit(timeout);
        }
    }

    /// Nothing runs: what is left has as long as it takes.
    pub(super) fn pause(&self) {
        self.lock().statement = Steps::Single;
        self.limit(None);
    }

    fn limit(&self, timeout: Option<Duration>) {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.deadline.send_if_modified(|last| std::mem::replace(last, deadline) != deadline);
    }

    fn cancel(&self) {
        self.lock().token.cancel();
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends what a session is running, from anywhere.
#[derive(Debug, Clone)]
pub struct CancelHandle {
    stop: Weak<Stop>,
}

impl CancelHandle {
    pub(super) fn new(stop: &Arc<Stop>) -> Self {
        Self { stop: Arc::downgrade(stop) }
    }

    /// Stops the running statement, if there is one; its stream ends with `Canceled`.
    pub fn cancel(&self) {
        if let Some(stop) = self.stop.upgrade() {
            stop.cancel();
        }
    }
}

/// A statement that runs.
#[derive(Debug, Clone)]
pub(super) struct Running {
    token: CancellationToken,
    deadline: watch::Receiver<Option<Instant>>,
}

impl Running {
    /// Runs until it ends, is stopped, or its time is up. A panic becomes an error of this statement alone.
    pub(super) async fn guard<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let work = AssertUnwindSafe(work).catch_unwind();
        tokio::select! {
            biased;
            () = self.token.cancelled() => Err(canceled()),
            () = expired(self.deadline.clone()) => Err(timed_out()),
            done = work => done.unwrap_or_else(|_| Err(panicked())),
        }
    }

    /// Rows until they end or are stopped. Dropping the rows ends their requests.
    pub(super) fn stream(self, rows: RowStream) -> impl Stream<Item = Result<RecordBatch>> + Send + 'static {
        futures::stream::unfold(Some(rows), move |rows| {
            let running = self.clone();
            async move {
                let mut rows = rows?;
                let next = running.guard(async { Ok(rows.next().await) }).await;
                match next {
                    Ok(None) => None,
                    Ok(Some(Ok(batch))) => Some((Ok(batch), Some(rows))),
                    // After an error there is nothing more: the rows are dropped here.
                    Ok(Some(Err(error))) | Err(error) => Some((Err(error), None)),
                }
            }
        })
    }
}

async fn expired(mut deadline: watch::Receiver<Option<Instant>>) {
    loop {
        let until = *deadline.borrow_and_update();
        let passed = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = passed => return,
            changed = deadline.changed() => if changed.is_err() {
                // The session is gone, its rows are not: nobody changes their time any more.
                return match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                };
            },
        }
    }
}

fn canceled() -> Error {
    Error::new(Kind::Canceled, "canceling statement due to user request")
}

fn timed_out() -> Error {
    Error::new(Kind::Timeout, "canceling statement due to statement timeout")
}

fn panicked() -> Error {
    tracing::error!("a statement panicked; it was ended, others go on");
    Error::internal("the statement met a fault of the server; it was ended, nothing else was touched")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_ends_when_it_is_canceled() {
        let stop = Arc::new(Stop::default());
        let running = stop.start(None);
        let endless = futures::stream::pending().boxed();
        let mut rows = Box::pin(running.stream(endless));
        CancelHandle::new(&stop).cancel();
        assert_eq!(rows.next().await.unwrap().unwrap_err().kind, Kind::Canceled);
        assert!(rows.next().await.is_none());
    }

    #[tokio::test]
    async fn time_runs_over_the_stream_too() {
        let stop = Stop::default();
        let running = stop.start(Some(Duration::from_millis(5)));
        let mut rows = Box::pin(running.stream(futures::stream::pending().boxed()));
        assert_eq!(rows.next().await.unwrap().unwrap_err().kind, Kind::Timeout);
    }

    #[tokio::test]
    async fn rows_that_wait_to_be_fetched_have_no_time_limit() {
        let stop = Stop::default();
        let running = stop.start(Some(Duration::from_millis(5)));
        let later = tokio::time::sleep(Duration::from_millis(30));
        let empty = RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty()));
        let rows = futures::stream::once(later).map(move |()| Ok(empty.clone()));
        let mut rows = Box::pin(running.stream(rows.boxed()));
        stop.pause();
        assert!(rows.next().await.unwrap().is_ok());
        let mut rows = Box::pin(stop.start(None).stream(futures::stream::pending().boxed()));
        stop.resume(Some(Duration::from_millis(5)));
        assert_eq!(rows.next().await.unwrap().unwrap_err().kind, Kind::Timeout);
    }

    #[tokio::test]
    async fn the_steps_of_a_statement_share_their_time_and_their_cancel() {
        let stop = Arc::new(Stop::default());
        let short = Some(Duration::from_millis(5));
        stop.resume(short);
        let planning = stop.start(Some(Duration::MAX));
        tokio::time::sleep(Duration::from_millis(10)).await;
        stop.resume(Some(Duration::MAX));
        let run = stop.start(Some(Duration::MAX));
        let endless = std::future::pending::<Result<()>>;
        assert_eq!(run.guard(endless()).await.unwrap_err().kind, Kind::Timeout);
        stop.pause();
        stop.resume(None);
        let planned = stop.start(short).guard(async { Ok(5) }).await;
        assert_eq!(planned, Ok(5));
        CancelHandle::new(&stop).cancel();
        assert_eq!(stop.start(short).guard(endless()).await.unwrap_err().kind, Kind::Canceled);
        assert!(!planning.token.is_cancelled());
        stop.pause();
        assert_eq!(stop.start(short).guard(async { Ok(5) }).await, Ok(5));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_one_statement() {
        let running = Stop::default().start(None);
        let rows = futures::stream::poll_fn(|_| panic!("on purpose")).boxed();
        let mut rows = Box::pin(running.stream(rows));
        assert_eq!(rows.next().await.unwrap().unwrap_err().kind, Kind::Internal);
        assert!(rows.next().await.is_none());
    }

    #[tokio::test]
    async fn a_cancel_between_statements_stops_none() {
        let stop = Arc::new(Stop::default());
        CancelHandle::new(&stop).cancel();
        assert_eq!(stop.start(None).guard(async { Ok(5) }).await, Ok(5));
    }
}
