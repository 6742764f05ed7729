//! The governor of a domain: how many requests run at once, and how many may be tried again.
//!
//! Kintone counts 100 requests at once for a whole domain, others' too, and says in each answer how many run
//! (K§5.1). The window halves when it is refused or comes near, and grows by one after as many good answers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Retry tokens: a full bucket, and what a good answer gives back.
const TOKENS: u32 = 100;

/// As many places are left to others.
const LEAVE: u32 = 20;

#[derive(Debug)]
struct State {
    running: usize,
    window: usize,
    good: usize,
    tokens: u32,
}

/// One domain's governor.
#[derive(Debug)]
pub(super) struct Governor {
    most: usize,
    state: Mutex<State>,
    freed: Notify,
}

/// A place among the running requests, given back when it is dropped.
pub(super) struct Permit<'g>(&'g Governor);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.freed.notify_one();
    }
}

impl Governor {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = State { running: 0, window: most, good: 0, tokens: TOKENS };
        Self { most, state: Mutex::new(state), freed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place.
    pub(super) async fn enter(&self) -> Permit<'_> {
        loop {
            let freed = self.freed.notified();
            {
                let mut state = self.lock();
                if state.running < state.window {
                    state.running += 1;
                    return Permit(self);
                }
            }
            freed.await;
        }
    }

    /// A good answer, with what its headers say of the domain: (limit, running).
    pub(super) fn succeeded(&self, concurrency: Option<(u32, u32)>) {
        let mut state = self.lock();
        state.tokens = (state.tokens + 1).min(TOKENS);
        if concurrency.is_some_and(|(limit, running)| running > limit.saturating_sub(LEAVE)) {
            shrink(&mut state);
            return;
        }
        state.good += 1;
        if state.good >= state.window && state.window < self.most {
            state.window += 1;
            state.good = 0;
            drop(state);
            self.freed.notify_one();
        }
    }

    /// Kintone had too many.
    pub(super) fn refused(&self) {
        shrink(&mut self.lock());
    }

    /// Pays for another try; false where the bucket is empty.
    pub(super) fn pay(&self, price: u32) -> bool {
        let mut state = self.lock();
        let enough = state.tokens >= price;
        if enough {
            state.tokens -= price;
        }
        enough
    }
}

fn shrink(state: &mut State) {
    state.window = (state.window / 2).max(1);
    state.good = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_window_halves_and_grows_back() {
        let governor = Governor::new(4);
        let permits = [governor.enter().await, governor.enter().await, governor.enter().await];
        governor.refused();
        assert_eq!(governor.lock().window, 2);
        drop(permits);
        for _ in 0..10 {
            governor.succeeded(Some((100, 3)));
        }
        assert_eq!(governor.lock().window, 4);
        governor.succeeded(Some((100, 85)));
        assert_eq!(governor.lock().window, 2);
        assert_eq!(governor.lock().running, 0);
    }

    #[tokio::test]
    async fn who_waits_gets_the_freed_place() {
        let governor = Governor::new(1);
        let first = governor.enter().await;
        let second = governor.enter();
        tokio::pin!(second);
        assert!(futures::poll!(second.as_mut()).is_pending());
        drop(first);
        second.await;
    }

    #[test]
    fn retries_are_paid_for() {
        let governor = Governor::new(1);
        assert!((0..20).all(|_| governor.pay(5)));
        assert!(!governor.pay(5));
        (0..5).for_each(|_| governor.succeeded(None));
        assert!(governor.pay(5));
    }
}
