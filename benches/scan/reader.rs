//! A process that only reads: what a row costs and how much memory a scan takes.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

use super::ours::{engine, read, select};

/// Rows of an app of so many, read over and over: enough for the processor's clock, which ticks each 10 ms.
const ENOUGH: u64 = 500_000;

/// Reads an app until there were rows enough; prints seconds, seconds of processor time, and memory in MB.
pub(crate) async fn run(url: &str, concurrency: usize, table: &str, records: u64) {
    let engine = engine(url, concurrency);
    let sql = select(table);
    read(&engine, &format!("{sql} LIMIT 0")).await;
    let before = memory("VmRSS:");
    // From here on the peak is this scan's.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let times = ENOUGH.div_ceil(records);
    let (started, cpu) = (Instant::now(), processor_seconds());
    for _ in 0..times {
        let (_, rows) = read(&engine, &sql).await;
        assert_eq!(u64::try_from(rows).unwrap(), records);
    }
    let rows = times * records;
    let answer = json!({
        "rows": rows, "seconds": started.elapsed().as_secs_f64(), "cpu": processor_seconds() - cpu,
        "before": before, "peak": memory("VmHWM:"),
    });
    println!("{answer}");
}

/// A number of this process's status, in MB.
fn memory(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap() / 1024.0
}

/// Time on processors, of all threads, in this process and in the kernel for it.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// What such a process found out.
pub(crate) fn ask(url: &str, concurrency: usize, table: &str, records: u64) -> Value {
    let arguments = ["--reader", url, &concurrency.to_string(), table, &records.to_string()];
    let output = super::children::itself(&arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
