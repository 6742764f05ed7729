//! What is known of a login. Tries with a wrong one can lock its account, so that one rejection stops all calls for
//! a while, and until a login has been accepted only one call finds out: the others wait for its answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// How long a rejected login stops all calls.
const REJECTED: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Accepted,
    RejectedUntil(Instant),
}

#[derive(Debug)]
pub(super) struct Login {
    state: Mutex<State>,
    /// Whose call finds out.
    first: Arc<AsyncMutex<()>>,
}

/// The right to send a call; while it is held, the login that it tries is tried by nobody else.
pub(super) type Turn = Option<OwnedMutexGuard<()>>;

/// The login was rejected a while ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rejected;

impl Login {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State::Unknown), first: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state now: a rejection ends with its time.
    fn state(&self, now: Instant) -> State {
        let mut state = self.lock();
        if matches!(*state, State::RejectedUntil(until) if now >= until) {
            *state = State::Unknown;
        }
        *state
    }

    /// Waits while another call finds out.
    pub(super) async fn turn(&self, now: impl Fn() -> Instant) -> Result<Turn, Rejected> {
        match self.state(now()) {
            State::Accepted => return Ok(None),
            State::RejectedUntil(_) => return Err(Rejected),
            State::Unknown => {}
        }
        let turn = Arc::clone(&self.first).lock_owned().await;
        match self.state(now()) {
            State::Accepted => Ok(None),
            State::RejectedUntil(_) => Err(Rejected),
            State::Unknown => Ok(Some(turn)),
        }
    }

    pub(super) fn is_rejected(&self, now: Instant) -> bool {
        matches!(self.state(now), State::RejectedUntil(_))
    }

    pub(super) fn accepted(&self) {
        let mut state = self.lock();
        // A call that was under way when another was rejected says nothing new.
        if *state == State::Unknown {
            *state = State::Accepted;
        }
    }

    pub(super) fn rejected(&self, now: Instant) {
        *self.lock() = State::RejectedUntil(now + REJECTED);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn one_call_finds_out_for_all() {
        let (login, start) = (Login::new(), Instant::now());
        let now = || start;
        let turn = login.turn(now).now_or_never().expect("free").expect("unknown");
        assert!(turn.is_some());
        let mut waiting = Box::pin(login.turn(now));
        assert!(waiting.as_mut().now_or_never().is_none());
        login.accepted();
        drop(turn);
        assert!(waiting.now_or_never().expect("free").expect("accepted").is_none());
        assert!(login.turn(now).now_or_never().expect("free").expect("accepted").is_none());
    }

    #[test]
    fn a_rejection_lasts_five_minutes_and_answers_of_before_do_not_end_it() {
        let (login, start) = (Login::new(), Instant::now());
        let turn = login.turn(|| start).now_or_never().expect("free").expect("unknown");
        let waiting = login.turn(|| start);
        login.rejected(start);
        drop(turn);
        assert_eq!(waiting.now_or_never().expect("free").err(), Some(Rejected));
        login.accepted();
        assert!(login.is_rejected(start + Duration::from_secs(299)));
        let later = start + REJECTED;
        assert!(!login.is_rejected(later));
        assert!(login.turn(|| later).now_or_never().expect("free").expect("unknown").is_some());
    }
}
