//! What may compute for long, on threads of its own.
//!
//! Nothing waits while a statement is planned, or while a join compares a million rows with a million others, so that
//! a cancel or a time limit would be heard at the end only. Worse, the thread that computes may be the one that looks
//! after the sockets of all. So large statements are planned apart, and rows are computed apart; who asked for them
//! hears of a cancel at once, and the work itself ends at its next step.

use std::cell::RefCell;
use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::exec_datafusion_err;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion::sql::sqlparser::ast;
use futures::stream::{self, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::bounds;
use super::expansion;
use super::session::RowStream;
use super::statement::{Statement, on_big_stack};
use crate::error::{Error, Result};

/// Large statements that are planned or started at a time, those that nobody waits for any more too. A thread may wait
/// for Kintone meanwhile, so that they are many more than there are processors.
const MOST: usize = 64;

/// Statements whose next rows are computed at a time, well below the threads that the runtime makes for such (512). Of
/// more than these the rows are computed where they are asked for.
const MOST_COMPUTING: usize = 256;

/// Bytes of a text, and tables of a query, that take some hundredths of a second to plan at most.
const SMALL_TEXT: usize = 800;
const FEW_TABLES: u64 = 16;

/// Nodes and expressions of a plan that are made into a physical one in such a time.
const SMALL_PLAN: usize = 300;

thread_local! {
    /// What stops the work of this thread; `None` where it does not run apart.
    static STOP: RefCell<Option<CancellationToken>> = const { RefCell::new(None) };
}

/// The places of what computes.
#[derive(Debug)]
pub(super) struct Apart {
    /// For planning.
    places: Arc<Semaphore>,
    /// For rows.
    computing: Arc<Semaphore>,
}

impl Default for Apart {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MOST)), computing: Arc::new(Semaphore::new(MOST_COMPUTING)) }
    }
}

impl Apart {
    /// Runs what plans on a thread of its own, once there is a place. Dropping this ends it.
    pub(super) async fn run<T, W>(&self, work: impl FnOnce() -> W + Send + 'static) -> Result<T>
    where
        T: Send + 'static,
        W: Future<Output = Result<T>>,
    {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| lost())?;
        on_own_thread(place, work).await?
    }

    /// The same rows, computed on a thread of their own.
    pub(super) fn rows(&self, rows: RowStream) -> RowStream {
        let places = Arc::clone(&self.computing);
        let next = move |rows: Option<RowStream>| {
            let place = Arc::clone(&places).try_acquire_owned();
            async move {
                let mut rows = rows?;
                let step = move || async move {
                    let batch = rows.next().await;
                    (batch, rows)
                };
                let stepped = match place {
                    Ok(place) => on_own_thread(place, step).await,
                    Err(_) => Ok(step().await),
                };
                match stepped {
                    Ok((batch, rows)) => batch.map(|batch| (batch, Some(rows))),
                    Err(error) => Some((Err(error), None)),
                }
            }
        };
        stream::unfold(Some(rows), next).boxed()
    }
}

fn lost() -> Error {
    Error::internal("what a thread computed was lost")
}

/// Runs something that takes one of the places until it ends. Dropping this ends it at its next step.
async fn on_own_thread<T, W>(
    place: OwnedSemaphorePermit,
    work: impl FnOnce() -> W + Send + 'static,
) -> Result<T>
where
    T: Send + 'static,
    W: Future<Output = T>,
{
    let stop = CancellationToken::new();
    let _stop_when_dropped = stop.clone().drop_guard();
    let runtime = Handle::current();
    let task = tokio::task::spawn_blocking(move || {
        let _place = place;
        let _stop_is_of_this_work = OfThread::set(stop.clone());
        let work = async {
            tokio::select! {
                biased;
                () = stop.cancelled() => None,
                done = work() => Some(done),
            }
        };
        on_big_stack(|| runtime.block_on(work))
    });
    match task.await {
        Ok(done) => done.ok_or_else(lost),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(lost()),
    }
}

/// What stops the work of this thread, until this is dropped.
struct OfThread;

impl OfThread {
    fn set(stop: CancellationToken) -> Self {
        STOP.set(Some(stop));
        Self
    }
}

impl Drop for OfThread {
    fn drop(&mut self) {
        STOP.set(None);
    }
}

/// Whether planning a statement may take long.
pub(super) fn is_large(statement: &Statement) -> bool {
    if statement.sql.len() > SMALL_TEXT {
        return true;
    }
    let tables = match &statement.ast {
        ast::Statement::Query(query) => expansion::tables(query),
        ast::Statement::Explain { statement, .. } => match statement.as_ref() {
            ast::Statement::Query(query) => expansion::tables(query),
            _ => 0,
        },
        _ => 0,
    };
    tables > FEW_TABLES
}

/// Whether making a physical plan of it may take long.
///
/// # Errors
/// Those of walking a plan.
pub(super) fn is_large_plan(plan: &LogicalPlan) -> DfResult<bool> {
    let mut count = 0_usize;
    plan.apply_with_subqueries(|node| {
        count += 1;
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                let much = matches!(expr, Expr::ScalarFunction(call) if bounds::makes_much(call));
                count += if much { SMALL_PLAN } else { 1 };
                Ok(if count > SMALL_PLAN { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })
        })?;
        Ok(if count > SMALL_PLAN { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(count > SMALL_PLAN)
}

/// These rules, each of which looks whether it is still wanted before it changes a node.
pub(super) fn stoppable(
    rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>,
) -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let stoppable = |rule| -> Arc<dyn OptimizerRule + Send + Sync> { Arc::new(Stoppable(rule)) };
    rules.into_iter().map(stoppable).collect()
}

#[derive(Debug)]
struct Stoppable(Arc<dyn OptimizerRule + Send + Sync>);

impl OptimizerRule for Stoppable {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> DfResult<Transformed<LogicalPlan>> {
        if STOP.with_borrow(|stop| stop.as_ref().is_some_and(CancellationToken::is_cancelled)) {
            return Err(exec_datafusion_err!("nobody waits for this"));
        }
        self.0.rewrite(plan, config)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn who_waits_is_heard_while_another_thread_computes() {
        let apart = Apart::default();
        let (begun, ended) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (has_begun, has_ended) = (Arc::clone(&begun), Arc::clone(&ended));
        let work = apart.run(move || async move {
            has_begun.store(true, Ordering::Release);
            while !STOP.with_borrow(|stop| stop.as_ref().unwrap().is_cancelled()) {
                std::thread::yield_now();
            }
            has_ended.store(true, Ordering::Release);
            Ok(())
        });
        tokio::select! {
            _ = work => panic!("it ends by being dropped alone"),
            () = async {
                while !begun.load(Ordering::Acquire) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            } => {}
        }
        while !ended.load(Ordering::Acquire) || apart.places.available_permits() < MOST {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(apart.run(|| async { Ok(5) }).await, Ok(5));
    }

    #[test]
    fn many_tables_are_large_however_they_are_written() {
        let large = |sql: &str| is_large(&super::super::statement::parse(sql).unwrap()[0]);
        assert!(!large("SELECT 1"));
        assert!(!large("SELECT * FROM a, b, c WHERE x IN (SELECT 1 FROM d)"));
        assert!(large(&format!("SELECT {}", vec!["1"; 500].join("+"))));
        let twice = "WITH a AS (SELECT 1 FROM t, t u), b AS (SELECT 1 FROM a, a x), c AS (SELECT 1 FROM b, b x), \
            d AS (SELECT 1 FROM c, c x) SELECT 1 FROM d, d x";
        assert!(large(twice));
        assert!(large(&format!("EXPLAIN {twice}")));
    }
}
