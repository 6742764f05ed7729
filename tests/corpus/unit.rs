//! One file in one mode: its tables are loaded, its queries asked and compared.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use futures::TryStreamExt;
use kintone_sql::engine::Session;
use kintone_sql::error::Error;

use super::load::Loader;
use super::report::Tally;
use super::script::{Query, Step, read};
use super::{answer, rule};
use crate::support::world::World;

/// A query that takes longer fails.
const AT_MOST: Duration = Duration::from_secs(60);

/// What sort of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// SQLite's filters and orders: columns as they are.
    Filters,
    /// SQLite's expressions: integer columns cast to `bigint`.
    Integers,
    /// DataFusion's: columns cast to the types that they have there.
    DataFusion,
}

/// A run of a file.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) class: Class,
    pub(super) pushdown: bool,
    /// Every n-th query runs, where not all do.
    pub(super) stride: usize,
}

/// A query that will be asked, or why it will not.
type Case = (Query, Result<String, &'static str>);

impl Unit {
    /// Runs all queries, or every n-th.
    pub(super) async fn run(self, every: bool) -> Tally {
        let mut tally = Tally::new(&self);
        let stride = if every { 1 } else { self.stride };
        let (loader, cases) = match self.cases(stride).await {
            Ok(cases) => cases,
            Err(error) => {
                tally.fail(0, "", &error);
                return tally;
            }
        };
        let world = World::start(&loader.fixture()).await;
        let session = Arc::new(world.session());
        session.set("kintone.pushdown", if self.pushdown { "on" } else { "off" }).unwrap();
        for (query, asked) in cases {
            let sql = match asked {
                Ok(sql) => sql,
                Err(reason) => {
                    tally.leave_out(&query, reason);
                    continue;
                }
            };
            world.emulator.clear_requests();
            match ask(&session, &sql).await {
                Asked::Rows(batches) => {
                    let rows = answer::cells(&batches);
                    if answer::agrees(&query, self.class, &rows) {
                        tally.pass(&query, &world.record_requests());
                    } else {
                        tally.differ(&query, &answer::shown(&query, self.class, &rows));
                    }
                }
                Asked::Refused(error) => match rule::refusal(&error, self.class) {
                    Some(reason) => tally.refuse(&query, &reason, &error.message),
                    None => {
                        tally.fail(query.line, &query.sql, &format!("{}: {error}", error.kind.sqlstate()))
                    }
                },
                Asked::Lost(what) => tally.fail(query.line, &query.sql, &what),
            }
        }
        world.emulator.stop().await;
        tally
    }

    /// The queries that are looked at, over apps that the loader made for them.
    async fn cases(&self, stride: usize) -> Result<(Loader, Vec<Case>), String> {
        let mut loader = Loader::new(self.class);
        let mut cases = vec![];
        let mut seen = 0;
        for step in read(&self.path, self.class)? {
            match step {
                Step::Statement(sql) => loader.run(&sql).await,
                Step::Query(query) => {
                    seen += 1;
                    let left_out =
                        query.left_out.or_else(|| rule::before(&query.sql, &query.expected, self.class));
                    if left_out == Some("not a SELECT") {
                        loader.run(&query.sql).await;
                    }
                    if seen % stride != 0 {
                        continue;
                    }
                    let asked = match left_out {
                        Some(reason) => Err(reason),
                        None if loader.has_own_settings() => Err("under a setting of DataFusion's own"),
                        None => loader.rewrite(&query.sql).await,
                    };
                    cases.push((query, asked));
                }
            }
        }
        Ok((loader, cases))
    }
}

/// What came of a query.
enum Asked {
    Rows(Vec<RecordBatch>),
    Refused(Error),
    /// A panic, or no end.
    Lost(String),
}

/// In a task of its own: a panic fails this query alone.
async fn ask(session: &Arc<Session>, sql: &str) -> Asked {
    let (session, sql) = (Arc::clone(session), sql.to_owned());
    let task = tokio::spawn(async move {
        let result = session.run(&sql).await?;
        result.rows.try_collect::<Vec<_>>().await
    });
    let abort = task.abort_handle();
    match tokio::time::timeout(AT_MOST, task).await {
        Ok(Ok(Ok(rows))) => Asked::Rows(rows),
        Ok(Ok(Err(error))) => Asked::Refused(error),
        Ok(Err(panic)) => Asked::Lost(panic.to_string()),
        Err(_) => {
            abort.abort();
            Asked::Lost("no answer in time".into())
        }
    }
}
