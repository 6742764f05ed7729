//! A line on standard error while a scan takes long, erased before anything else is written.

use std::future::Future;
use std::io::{IsTerminal, Stderr, Write, stderr, stdout};
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::engine::grouped;

/// Nothing is shown before.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks of the line.
const PERIOD: Duration = Duration::from_millis(250);

/// What was asked of Kintone so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    pub(super) requests: u64,
    /// Records in the answers.
    pub(super) rows: u64,
}

/// How far a statement is, as long as this lives.
pub(super) struct Progress<W: Write> {
    /// `None` where nobody watches.
    terminal: Option<W>,
    /// The results go to the same terminal: the line must be gone before each part of them.
    shared: bool,
    traffic: Box<dyn Fn() -> Traffic + Send>,
    started: Instant,
    next: Instant,
    shown: bool,
}

impl Progress<Stderr> {
    /// Shown where standard error is a terminal.
    pub(super) fn on_terminal(traffic: Box<dyn Fn() -> Traffic + Send>) -> Self {
        let terminal = stderr().is_terminal().then(stderr);
        Self::new(terminal, stdout().is_terminal(), PATIENCE, traffic)
    }
}

impl<W: Write> Progress<W> {
    fn new(
        terminal: Option<W>,
        shared: bool,
        patience: Duration,
        traffic: Box<dyn Fn() -> Traffic + Send>,
    ) -> Self {
        let started = Instant::now();
        Self { terminal, shared, traffic, started, next: started + patience, shown: false }
    }

    /// Waits for a step, and renews the line meanwhile.
    pub(super) async fn wait<T>(&mut self, step: impl Future<Output = T>) -> T {
        if self.terminal.is_none() {
            return step.await;
        }
        let mut step = pin!(step);
        loop {
            tokio::select! {
                biased;
                () = sleep_until(self.next) => self.show(),
                value = &mut step => {
                    if self.shared {
                        self.erase();
                    }
                    return value;
                }
            }
        }
    }

    fn show(&mut self) {
        self.next = Instant::now() + PERIOD;
        let Traffic { requests, rows } = (self.traffic)();
        let Some(terminal) = &mut self.terminal else { return };
        let (requests, rows) = (grouped(requests), grouped(rows));
        let seconds = self.started.elapsed().as_secs();
        let line = format!("\r\x1B[K{rows} rows read in {requests} Kintone requests, {seconds} s");
        // A terminal that went away is no reason to stop.
        let _ = terminal.write_all(line.as_bytes()).and_then(|()| terminal.flush());
        self.shown = true;
    }

    fn erase(&mut self) {
        if let (true, Some(terminal)) = (self.shown, &mut self.terminal) {
            let _ = write!(terminal, "\r\x1B[K").and_then(|()| terminal.flush());
            self.shown = false;
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        self.erase();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown while three steps take a period and a half together.
    async fn shown(patience: u64, shared: bool) -> String {
        let mut shown = vec![];
        let traffic = || Traffic { requests: 1_026, rows: 12_500 };
        let patience = Duration::from_millis(patience);
        let mut progress = Progress::new(Some(&mut shown), shared, patience, Box::new(traffic));
        for _ in 0..3 {
            progress.wait(tokio::time::sleep(PERIOD / 2)).await;
        }
        drop(progress);
        String::from_utf8(shown).unwrap()
    }

    const LINE: &str = "\r\x1B[K12,500 rows read in 1,026 Kintone requests, 0 s";
    const ERASED: &str = "\r\x1B[K";

    #[tokio::test]
    async fn short_steps_show_nothing() {
        assert_eq!(shown(60_000, true).await, "");
    }

    #[tokio::test]
    async fn the_line_is_renewed_and_erased_at_the_end() {
        let text = shown(0, false).await;
        assert!(text.starts_with(&format!("{LINE}{LINE}")), "{text:?}");
        // A slow machine renews it more often.
        assert_eq!(text.replace(LINE, ""), ERASED);
    }

    #[tokio::test]
    async fn the_line_is_erased_before_each_part_of_the_results() {
        let text = shown(0, true).await;
        assert!(text.starts_with(LINE), "{text:?}");
        let erased = text.replace(LINE, "").matches(ERASED).count();
        assert!((2..=3).contains(&erased), "{text:?}");
    }
}
