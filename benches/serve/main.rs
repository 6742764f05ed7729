//! The PostgreSQL door beside a real PostgreSQL and roapi: a million rows of one file, and what a small statement
//! takes.
//!
//! `benches/run` runs it and writes its part of `benches/README.md`. Every server has the same rows and the same
//! client; what each sent is compared, by count and by a hash over the values of a part, before any time is taken.
//! With `SERVE_ROWS=10000 SERVE_ROUNDS=1` everything runs once over little, to try it.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench may fail and prints"
)]

mod client;
mod compare;
mod data;
mod report;
mod servers;

fn main() {
    // `cargo test --benches` starts it too, and only wants to see that it does.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    report::write(&runtime.block_on(compare::run()));
}

/// A number of the environment.
fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
