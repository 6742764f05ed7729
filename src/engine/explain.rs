//! EXPLAIN: a plan as text that psql shows without wrapping; with ANALYZE what each node took, and all together.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, displayable, execute_stream};
use datafusion::scalar::ScalarValue;
use futures::stream::{StreamExt, TryStreamExt, poll_fn};
use unicode_width::UnicodeWidthStr;

use super::explain_option::ExplainOptions;
use super::fault;
use super::plan::{Physical, Planned, physical, physical_to_run};
use super::session::Session;
use super::statement::Statement;
use crate::error::Result;
use crate::table::{Cost, Counted, PART, ScanContext, Stretch, grouped};

/// The plan as text; with ANALYZE, after it has run, with what it took. A client of the PostgreSQL door finds
/// an estimate at the end of the first line, unless it says COSTS off.
pub(super) async fn explain(
    session: &Session,
    statement: &Statement,
    planned: &Planned,
    parameters: Vec<ScalarValue>,
    options: ExplainOptions,
) -> Result<String> {
    let translate = |e: DataFusionError| fault::translate(&e, Some(statement));
    let mut out = String::new();
    let costs = options.costs.unwrap_or_else(|| session.state().is_behind_door());
    let cost = |plan: &dyn ExecutionPlan| if costs { estimate(plan) } else { String::new() };
    if options.analyze {
        let started = Instant::now();
        let Physical { plan, state, context, totals, .. } =
            physical_to_run(session, planned, parameters).await.map_err(translate)?;
        let rows = run(&plan, state.task_ctx(), &context).await.map_err(translate)?;
        let took = started.elapsed();
        let mut total = totals.cost;
        lay_out(&mut out, plan.as_ref(), 0, Some(&mut total));
        out.insert_str(out.find('\n').unwrap_or(0), &cost(plan.as_ref()));
        for Counted { table, records } in totals.counted {
            let (name, app, records) = (table.name, table.app, grouped(records));
            let _ = writeln!(out, "Counted before planning: {name} (app {app}), {records} records");
        }
        sum_up(&mut out, rows, &total, took, &context.busy);
    } else {
        let plan = physical(session, planned, parameters).map_err(translate)?.plan;
        lay_out(&mut out, plan.as_ref(), 0, None);
        out.insert_str(out.find('\n').unwrap_or(0), &cost(plan.as_ref()));
    }
    Ok(out)
}

/// What PostgreSQL's first line ends in, and postgres_fdw reads there (`use_remote_estimate`): rows and bytes of a row
/// as far as they are known, and a cost by PostgreSQL's measure, in which Kintone's pages are dear.
fn estimate(plan: &dyn ExecutionPlan) -> String {
    let known = StatisticsContext::new().compute(plan, &StatisticsArgs::new()).ok();
    let known = known.and_then(|all| all.num_rows.get_value().copied());
    let rows = u32::try_from(known.unwrap_or(UNKNOWN_ROWS).max(1)).unwrap_or(u32::MAX);
    let width: usize =
        plan.schema().fields().iter().map(|field| field.data_type().primitive_width().unwrap_or(32)).sum();
    let cost = f64::from(rows.div_ceil(500)) * 100.0 + f64::from(rows) * 0.01;
    format!("  (cost=0.00..{cost:.2} rows={rows} width={width})")
}

/// Rows of what was never counted: PostgreSQL's own guess for a table without statistics.
const UNKNOWN_ROWS: usize = 1000;

/// Runs a plan to its end; how many rows it gave. Whatever is done for that here is `busy`.
async fn run(
    plan: &Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    context: &ScanContext,
) -> std::result::Result<usize, DataFusionError> {
    let mut stream = execute_stream(Arc::clone(plan), task)?;
    let batches = poll_fn(|waker| {
        let _busy = context.busy.begin();
        stream.poll_next_unpin(waker)
    });
    batches.try_fold(0, |rows, batch| async move { Ok(rows + batch.num_rows()) }).await
}

/// Columns of a line: psql shows it without wrapping.
const LINE: usize = 98;

/// A node and those below it. A scan's parts stand on lines of their own, and with `total` what a node took.
fn lay_out(out: &mut String, plan: &dyn ExecutionPlan, indent: usize, mut total: Option<&mut Cost>) {
    // Of no interest: it only gives way to others now and then.
    if plan.name() == "CooperativeExec" {
        for child in plan.children() {
            lay_out(out, child.as_ref(), indent, total.as_deref_mut());
        }
        return;
    }
    let text = displayable(plan).one_line().to_string();
    for (i, part) in text.trim_end().split(PART).enumerate() {
        wrap(out, if i > 0 { indent + 4 } else { indent }, part);
    }
    if let (Some(total), Some(metrics)) = (total.as_deref_mut(), plan.metrics()) {
        let cost = Cost::of(&metrics);
        *total += cost.unwrap_or_default();
        measured(&metrics, cost).iter().for_each(|line| wrap(out, indent + 4, line));
    }
    for child in plan.children() {
        lay_out(out, child.as_ref(), indent + 2, total.as_deref_mut());
    }
}

/// What a node took, a line each.
fn measured(metrics: &MetricsSet, cost: Option<Cost>) -> Vec<String> {
    if metrics.iter().next().is_none() {
        return vec!["not run".into()];
    }
    let mut lines = vec![];
    if let Some(cost) = cost {
        lines.push(format!("sent: {}", sent(&cost)));
        let (waiting, decoding) = (milliseconds(cost.waiting), milliseconds(cost.decoding));
        lines.push(format!("time: {waiting} waiting for Kintone, {decoding} decoding"));
    }
    if let Some(rows) = metrics.output_rows() {
        let own = metrics.elapsed_compute().filter(|_| cost.is_none());
        let own =
            own.map(|nanos| milliseconds(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))));
        lines.push(format!("rows: {}{}", count(rows), own.map(|t| format!(", in {t}")).unwrap_or_default()));
    }
    lines
}

/// The last lines: the whole statement.
fn sum_up(out: &mut String, rows: usize, total: &Cost, took: Duration, busy: &Stretch) {
    let here = busy.time().min(took);
    let (took, waiting, here) = (milliseconds(took), milliseconds(took - here), milliseconds(here));
    let _ = writeln!(out, "Rows: {}", count(rows));
    let _ = writeln!(out, "Kintone: {}", sent(total));
    let _ = writeln!(out, "Time: {took} ({waiting} waiting for Kintone, {here} here)");
}

/// `4 requests (1 retry), 1,700 records, 123,456 bytes`
fn sent(cost: &Cost) -> String {
    let of = |n: usize, one: &str, many: &str| format!("{} {}", count(n), if n == 1 { one } else { many });
    let retries = match cost.retries {
        0 => String::new(),
        n => format!(" ({})", of(n, "retry", "retries")),
    };
    let requests = of(cost.requests, "request", "requests");
    let records = of(cost.records, "record", "records");
    format!("{requests}{retries}, {records}, {}", of(cost.bytes, "byte", "bytes"))
}

fn count(n: usize) -> String {
    grouped(u64::try_from(n).unwrap_or(u64::MAX))
}

/// `1,234.5 ms`
fn milliseconds(time: Duration) -> String {
    let tenths = u64::try_from(time.as_micros().div_ceil(100)).unwrap_or(u64::MAX);
    format!("{}.{} ms", grouped(tenths / 10), tenths % 10)
}

/// A text on as many lines as it takes, broken at spaces; those after the first stand further in.
fn wrap(out: &mut String, indent: usize, text: &str) {
    let mut width = indent;
    out.push_str(&" ".repeat(indent));
    for (i, word) in text.split(' ').enumerate() {
        let wide = UnicodeWidthStr::width(word);
        if i > 0 && width + 1 + wide > LINE {
            out.push('\n');
            out.push_str(&" ".repeat(indent + 4));
            width = indent + 4;
        } else if i > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += wide;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_at_a_space() {
        let mut out = String::new();
        wrap(&mut out, 4, &format!("query: {} or b", "会社名 = \"あ\" or ".repeat(6)));
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 2, "{out}");
        assert!(lines.iter().all(|line| UnicodeWidthStr::width(*line) <= LINE), "{out}");
        assert!(lines[1].starts_with("        "), "{out}");
    }

    #[test]
    fn what_was_sent_is_told_in_words() {
        assert_eq!(sent(&Cost::default()), "0 requests, 0 records, 0 bytes");
        let cost = Cost { requests: 1, retries: 1, records: 1, bytes: 1, ..Cost::default() };
        assert_eq!(sent(&cost), "1 request (1 retry), 1 record, 1 byte");
        let cost = Cost { requests: 1200, retries: 2, ..Cost::default() };
        assert_eq!(sent(&cost), "1,200 requests (2 retries), 0 records, 0 bytes");
        assert_eq!(milliseconds(Duration::from_micros(1_234_501)), "1,234.6 ms");
    }
}
