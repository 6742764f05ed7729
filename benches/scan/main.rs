//! Kintone's official client and this engine read the same apps in turn, from one Kintone in a process of its own.
//!
//! `benches/run` runs it and writes `benches/README.md`'s results and the chart. What is compared is checked first:
//! every client must have read the same rows, by a hash of their content, before any time is taken. Times are medians
//! of runs that take turns. With `SCAN_ROUNDS=1` everything runs once, to try it.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a bench may fail and prints"
)]

mod chart;
mod children;
mod compare;
mod ours;
mod reader;
mod report;
mod world;

/// Of the PostgreSQL door.
const PASSWORD: &str = "bench";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match arguments.as_slice() {
        ["--emulator"] => runtime.block_on(world::serve()),
        ["--reader", url, concurrency, table, records] => {
            let (concurrency, records) = (concurrency.parse().unwrap(), records.parse().unwrap());
            runtime.block_on(reader::run(url, concurrency, table, records));
        }
        // `cargo test --benches` starts it too, and only wants to see that it does.
        arguments if !arguments.contains(&"--bench") => {}
        _ => report::write(&runtime.block_on(compare::run())),
    }
}
