//! The results as a part of `benches/README.md`, and the chart beside it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::chart;
use super::children::version;
use super::compare::{COMPARISONS, Comparison, Results};

const BEGIN: &str = "<!-- results: written by benches/run -->\n";
const END: &str = "<!-- end of results -->\n";

/// Writes both.
pub(crate) fn write(results: &Results) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    let text = [machine(results), table(results), rows(results), micro()].join("\n");
    println!("\n{text}");
    let file = folder.join("README.md");
    let readme = fs::read_to_string(&file).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("a place for the results");
    let (_, after) = rest.split_once(END).expect("an end of that place");
    fs::write(&file, format!("{before}{BEGIN}\n{text}\n{END}{after}")).unwrap();
    fs::write(folder.join("results.svg"), chart::draw(results)).unwrap();
}

/// How many times as fast this engine is.
pub(crate) fn ratio(results: &Results, of: &Comparison) -> f64 {
    results.median(of.latency, of.theirs) / results.median(of.latency, of.ours)
}

/// Three digits of it.
pub(crate) fn times(ratio: f64) -> String {
    match ratio {
        100.0.. => format!("{ratio:.0}"),
        10.0.. => format!("{ratio:.1}"),
        _ => format!("{ratio:.2}"),
    }
}

fn seconds(seconds: f64) -> String {
    match seconds {
        1.0.. => format!("{seconds:.2} s"),
        0.01.. => format!("{:.0} ms", seconds * 1e3),
        0.001.. => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.1} µs", seconds * 1e6),
    }
}

/// What the numbers are of.
fn machine(results: &Results) -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').nth(2).unwrap_or("?").to_owned();
    let official = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/client/package.json");
    let official: Value = serde_json::from_str(&fs::read_to_string(official).unwrap()).unwrap();
    format!(
        "{} ({cores} cores, {}); kintone-sql {}, {}, Node.js {}, @kintone/rest-api-client {}, {}.\n\
         {} runs of each without latency, {} with; took {:.0} minutes; load average of the last 15 minutes at the end: {load}.\n",
        model.map_or("unknown processor", |(_, model)| model),
        std::env::consts::ARCH,
        env!("CARGO_PKG_VERSION"),
        version("rustc").split(" (").next().unwrap_or_default(),
        version("node").trim_start_matches('v'),
        official["dependencies"]["@kintone/rest-api-client"].as_str().unwrap_or("?"),
        version("psql").split(" (Debian").next().unwrap_or_default().replace(" (PostgreSQL)", ""),
        results.runs[&(0, "engine 10")].len(),
        results.runs[&(200, "engine 10")].len(),
        results.took.as_secs_f64() / 60.0,
    )
}

fn table(results: &Results) -> String {
    let mut out = String::from(
        "| What | Each request takes | Official client | kintone-sql | Times as fast | Goal | Requests |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
    );
    for of in COMPARISONS {
        let ratio = ratio(results, of);
        let goal = match of.goal {
            Some(goal) if ratio >= goal => format!("{goal} ✓"),
            Some(goal) => format!("{goal} ✗"),
            None => String::new(),
        };
        let of_each =
            |name| (seconds(results.median(of.latency, name)), results.requests[&(of.latency, name)]);
        let ((theirs, their_requests), (ours, our_requests)) = (of_each(of.theirs), of_each(of.ours));
        let (what, latency) = (of.what, of.latency);
        writeln!(
            out,
            "| {what} | {latency} ms | {theirs} | {ours} | {} | {goal} | {their_requests} : {our_requests} |",
            times(ratio)
        )
        .unwrap();
    }
    out
}

/// What a row costs, and the memory of a scan.
fn rows(results: &Results) -> String {
    let mut out = String::from(
        "| Records | At once | Rows a second | Processor time a row | Memory before | At the peak | More |\n\
         |--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let mut known: Vec<(u64, usize)> = results.readers.iter().map(|(n, at_once, _)| (*n, *at_once)).collect();
    known.sort_unstable();
    known.dedup();
    for (records, at_once) in known {
        let runs = || results.readers.iter().filter(move |(n, c, _)| (*n, *c) == (records, at_once));
        let median = |of: &dyn Fn(&Value) -> f64| {
            let mut values: Vec<f64> = runs().map(|(.., found)| of(found)).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let number = |found: &Value, name: &str| found[name].as_f64().unwrap();
        writeln!(
            out,
            "| {records} | {at_once} | {:.0} | {:.2} µs | {:.0} MB | {:.0} MB | {:.0} MB |",
            median(&|found| number(found, "rows") / number(found, "seconds")),
            median(&|found| number(found, "cpu") / number(found, "rows") * 1e6),
            median(&|found| number(found, "before")),
            median(&|found| number(found, "peak")),
            median(&|found| number(found, "peak") - number(found, "before")),
        )
        .unwrap();
    }
    out
}

/// What `micro` found out.
fn micro() -> String {
    let Ok(home) = std::env::var("CRITERION_HOME") else { return String::new() };
    let mut out = String::from("| In this process alone | Median | |\n|---|--:|---|\n");
    for (group, name, what) in [
        ("decode", "page", "A page of 500 records of 14 typed columns to Arrow"),
        ("planning", "simple", "Planning of a filter with a limit, from text"),
        ("planning", "top_k", "Planning of the first rows of an order"),
        ("planning", "group", "Planning of a GROUP BY"),
        ("planning", "join", "Planning of a join"),
        ("pushdown", "choice", "Translation of `ランク = 'A'`"),
        ("pushdown", "number", "Translation of `金額 >= 1000`"),
        ("pushdown", "tree", "Translation of five conditions under AND and OR"),
        ("pushdown", "ids", "Translation of 100 ids"),
    ] {
        let file = PathBuf::from(&home).join(group).join(name).join("new/estimates.json");
        let Ok(text) = fs::read_to_string(file) else { continue };
        let estimates: Value = serde_json::from_str(&text).unwrap();
        let median = estimates["median"]["point_estimate"].as_f64().unwrap() / 1e9;
        let rate = if group == "decode" { format!("{:.0} records/s", 500.0 / median) } else { String::new() };
        writeln!(out, "| {what} | {} | {rate} |", seconds(median)).unwrap();
    }
    out
}
