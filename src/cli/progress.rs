//! A line on standard error while a scan takes long, erased before anything else is written.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Nothing is shown before.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks of the line.
const PERIOD: Duration = Duration::from_millis(250);

/// How far a statement is.
pub(super) struct Progress<W: Write> {
    /// `None` where nobody watches.
    terminal: Option<W>,
    patience: Duration,
    /// Kintone requests so far, where they are known.
    requests: Box<dyn Fn() -> Option<u64> + Send>,
    started: Instant,
    rows: usize,
    shown: bool,
}

impl Progress<std::io::Stderr> {
    /// Shown where standard error is a terminal.
    pub(super) fn on_terminal(requests: Box<dyn Fn() -> Option<u64> + Send>) -> Self {
        let stderr = std::io::stderr();
        Self::new(stderr.is_terminal().then_some(stderr), PATIENCE, requests)
    }
}

impl<W: Write> Progress<W> {
    fn new(terminal: Option<W>, patience: Duration, requests: Box<dyn Fn() -> Option<u64> + Send>) -> Self {
        Self { terminal, patience, requests, started: Instant::now(), rows: 0, shown: false }
    }

    /// More rows have arrived.
    pub(super) fn add(&mut self, rows: usize) {
        self.rows += rows;
    }

    /// Waits for a step, with the line shown and renewed meanwhile, and erased at its end.
    pub(super) async fn wait<T>(&mut self, step: impl Future<Output = T>) -> T {
        if self.terminal.is_none() {
            return step.await;
        }
        let mut step = pin!(step);
        let mut next = (self.started + self.patience).max(Instant::now() + PERIOD);
        loop {
            tokio::select! {
                biased;
                value = &mut step => {
                    self.erase();
                    return value;
                }
                () = sleep_until(next) => self.show(),
            }
            next = Instant::now() + PERIOD;
        }
    }

    fn show(&mut self) {
        let requests = (self.requests)();
        let Some(terminal) = &mut self.terminal else { return };
        let requests = requests.map_or(String::new(), |n| format!("{} Kintone requests, ", grouped(n)));
        let rows = grouped(u64::try_from(self.rows).unwrap_or(u64::MAX));
        let seconds = self.started.elapsed().as_secs();
        // A terminal that went away is no reason to stop.
        let _ =
            write!(terminal, "\r\x1B[K{rows} rows, {requests}{seconds} s").and_then(|()| terminal.flush());
        self.shown = true;
    }

    fn erase(&mut self) {
        if let (true, Some(terminal)) = (self.shown, &mut self.terminal) {
            let _ = write!(terminal, "\r\x1B[K").and_then(|()| terminal.flush());
            self.shown = false;
        }
    }
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shown(patience: u64) -> String {
        let patience = Duration::from_millis(patience);
        let mut progress = Progress::new(Some(vec![]), patience, Box::new(|| Some(1_026)));
        progress.add(12_500);
        progress.wait(tokio::time::sleep(PERIOD + PERIOD / 2)).await;
        String::from_utf8(progress.terminal.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_short_step_shows_nothing() {
        assert_eq!(shown(60_000).await, "");
    }

    #[tokio::test]
    async fn a_long_step_is_shown_and_erased() {
        assert_eq!(shown(0).await, "\r\x1B[K12,500 rows, 1,026 Kintone requests, 0 s\r\x1B[K");
    }

    #[test]
    fn digits_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
