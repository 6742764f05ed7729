//! Queries that others wrote, with the answers that they expect: SQLite's sqllogictest samples and DataFusion's own
//! `.slt` files. Their tables are loaded as apps of an embedded Kintone, and each query must give its file's answer.
//!
//! Takes: files that are not part of the project; where a folder is absent, that is said and skipped.
//! Gives: a table of how many queries passed, and how many were left out and why; it must equal `golden.txt`.
//! A wrong answer is a failure unless `waivers.txt` names its line and the reason.
//!
//! `CORPUS=all` runs every query instead of every n-th, `CORPUS_GOLDEN=write` rewrites the golden numbers,
//! `CORPUS_SHOW=REASON` prints the queries that were left out for a reason that holds this text.

mod answer;
mod app;
mod files;
mod load;
mod report;
mod rule;
mod script;
mod unit;

use futures::StreamExt;
use report::Report;

/// Files that run at the same time: the machine of the gate has two cores.
const AT_ONCE: usize = 2;

/// Runs the files whose name holds one of the filters; how many went well, and how many did not.
pub(crate) async fn run_all(filters: &[String]) -> (usize, usize) {
    let every = std::env::var("CORPUS").is_ok_and(|value| value == "all");
    let wanted =
        |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let mut units = files::units();
    units.retain(|unit| wanted(&unit.name));
    let runs = units.into_iter().map(|unit| async move { tokio::spawn(unit.run(every)).await.unwrap() });
    let mut runs = futures::stream::iter(runs).buffered(AT_ONCE);
    let mut report = Report::new(every);
    while let Some(tally) = runs.next().await {
        report.add(tally);
    }
    report.finish(filters.is_empty())
}
