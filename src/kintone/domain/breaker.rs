//! The circuit breaker of a domain. A domain that does not answer is left alone: one call in five seconds finds out
//! whether it is back, all others fail at once and are not sent.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many failures in a row, without an answer between them ...
const FAILURES: u32 = 5;

/// ... for so long, open it. A blip that ends ten calls at once does not.
const SUSTAINED: Duration = Duration::from_secs(2);

/// Fewer do where they took as long as time-outs take.
const FEW_FAILURES: u32 = 2;
const LONG: Duration = Duration::from_secs(30);

/// Between two probes. An earlier one may still wait for its answer.
const PROBE: Duration = Duration::from_secs(5);

/// What a call may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// The domain answers: as the window allows.
    Closed,
    /// This call finds out whether the domain is back.
    Probe,
    /// Not before so long.
    Refused(Duration),
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// When the first call of the failures began.
    since: Option<Instant>,
    /// Open, and when the next probe is due.
    next_probe: Option<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

impl Breaker {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn admit(&self, now: Instant) -> Admission {
        let mut state = self.lock();
        match state.next_probe {
            None => Admission::Closed,
            Some(due) if now >= due => {
                state.next_probe = Some(now + PROBE);
                Admission::Probe
            }
            Some(due) => Admission::Refused(due - now),
        }
    }

    /// Whether it refuses calls, and for how long.
    pub(super) fn refusal(&self, now: Instant) -> Option<Duration> {
        self.lock().next_probe.map(|due| due.saturating_duration_since(now))
    }

    /// Kintone answered, whatever it said.
    pub(super) fn answered(&self) {
        *self.lock() = State::default();
    }

    /// No answer, or only a gateway's, to a call that began at `began`.
    pub(super) fn failed(&self, began: Instant, now: Instant) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        let since = state.since.map_or(began, |since| since.min(began));
        state.since = Some(since);
        let long = now.saturating_duration_since(since);
        let is_sustained = (state.failures >= FAILURES && long >= SUSTAINED)
            || (state.failures >= FEW_FAILURES && long >= LONG);
        if is_sustained && state.next_probe.is_none() {
            state.next_probe = Some(now + PROBE);
            tracing::warn!(failures = state.failures, "a Kintone domain does not answer; it is left alone");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn it_opens_after_sustained_failures_and_lets_a_probe_pass_every_five_seconds() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..10 {
            breaker.failed(start, start + seconds(1));
        }
        assert_eq!(breaker.admit(start + seconds(1)), Admission::Closed, "a blip");
        breaker.failed(start + seconds(2), start + seconds(2));
        assert_eq!(breaker.admit(start + seconds(2)), Admission::Refused(seconds(5)));
        assert_eq!(breaker.admit(start + seconds(7)), Admission::Probe);
        assert_eq!(breaker.admit(start + seconds(7)), Admission::Refused(seconds(5)), "one probe only");
        breaker.failed(start + seconds(7), start + seconds(8));
        assert_eq!(breaker.admit(start + seconds(11)), Admission::Refused(seconds(1)));
        assert_eq!(breaker.admit(start + seconds(12)), Admission::Probe);
        breaker.answered();
        assert_eq!(breaker.admit(start + seconds(12)), Admission::Closed);
    }

    #[test]
    fn an_answer_between_failures_keeps_it_closed() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for n in 0..40 {
            breaker.failed(start + seconds(n), start + seconds(n));
            if n % 4 == 3 {
                breaker.answered();
            }
            assert_eq!(breaker.admit(start + seconds(n)), Admission::Closed);
        }
    }

    #[test]
    fn two_long_time_outs_open_it_one_does_not() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        breaker.failed(start, start + seconds(60));
        assert_eq!(breaker.refusal(start + seconds(60)), None);
        breaker.failed(start, start + seconds(60));
        assert_eq!(breaker.refusal(start + seconds(61)), Some(seconds(4)));
    }
}
