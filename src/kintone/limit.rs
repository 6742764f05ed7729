//! The governor of a domain: how many requests run at once, and how many may be tried again.
//!
//! Kintone counts 100 requests at once for a whole domain, others' too, and says in each answer how many run
//! (K§5.1). The window halves when it is refused or comes near, and grows by one after as many good answers.
//! Who waits is served in the order of asking.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Retry tokens: a full bucket, and what a good answer gives back.
const TOKENS: u32 = 100;

/// This part of the domain's limit is left to others: 20 of Kintone's 100.
const LEAVE: u32 = 5;

#[derive(Debug)]
struct State {
    window: usize,
    /// Places that a smaller window has lost but running requests still hold.
    owed: usize,
    /// Counts the times that the window halved.
    epoch: u64,
    good: usize,
    tokens: u32,
}

/// One domain's governor.
#[derive(Debug)]
pub(super) struct Governor {
    most: usize,
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

/// A place among the running requests, given back when it is dropped.
pub(super) struct Permit<'g> {
    governor: &'g Governor,
    place: Option<OwnedSemaphorePermit>,
    /// The window's epoch when the request began.
    epoch: u64,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        let mut state = self.governor.lock();
        if state.owed > 0 {
            state.owed -= 1;
            place.forget();
        }
    }
}

impl Permit<'_> {
    /// A good answer, with what its headers say of the domain: (limit, running).
    pub(super) fn succeeded(&self, concurrency: Option<(u32, u32)>) {
        let mut state = self.governor.lock();
        state.tokens = (state.tokens + 1).min(TOKENS);
        if concurrency.is_some_and(|(limit, running)| running > limit - limit / LEAVE) {
            self.shrink(&mut state);
            return;
        }
        state.good += 1;
        if state.good >= state.window && state.window < self.governor.most {
            state.window += 1;
            state.good = 0;
            if state.owed > 0 {
                state.owed -= 1;
            } else {
                self.governor.places.add_permits(1);
            }
        }
    }

    /// Kintone had too many.
    pub(super) fn refused(&self) {
        self.shrink(&mut self.governor.lock());
    }

    /// Halves the window, once for all the requests that were under way together.
    fn shrink(&self, state: &mut State) {
        state.good = 0;
        if self.epoch != state.epoch {
            return;
        }
        state.epoch += 1;
        let lost = state.window - (state.window / 2).max(1);
        state.window -= lost;
        state.owed += lost - self.governor.places.forget_permits(lost);
    }
}

impl Governor {
    pub(super) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        let state = State { window: most, owed: 0, epoch: 0, good: 0, tokens: TOKENS };
        Self { most, places: Arc::new(Semaphore::new(most)), state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place.
    pub(super) async fn enter(&self) -> Permit<'_> {
        // The semaphore is never closed, so that there always is a place.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        Permit { governor: self, place, epoch: self.lock().epoch }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The window, and how many places are free.
    fn seen(governor: &Governor) -> (usize, usize) {
        (governor.lock().window, governor.places.available_permits())
    }

    #[tokio::test]
    async fn the_window_halves_once_for_all_under_way_and_grows_back() {
        let governor = Governor::new(4);
        let permits = [governor.enter().await, governor.enter().await, governor.enter().await];
        permits.iter().for_each(Permit::refused);
        assert_eq!(seen(&governor), (2, 0));
        drop(permits);
        assert_eq!(seen(&governor), (2, 2));
        let next = governor.enter().await;
        for _ in 0..10 {
            next.succeeded(Some((100, 80)));
        }
        assert_eq!(seen(&governor), (4, 3));
        next.succeeded(Some((100, 81)));
        drop(next);
        assert_eq!(seen(&governor), (2, 2));
    }

    #[tokio::test]
    async fn places_that_are_owed_come_back() {
        let governor = Governor::new(2);
        let (first, second) = (governor.enter().await, governor.enter().await);
        first.refused();
        assert_eq!(seen(&governor), (1, 0));
        second.succeeded(None);
        assert_eq!(seen(&governor), (2, 0));
        drop((first, second));
        assert_eq!(seen(&governor), (2, 2));
    }

    #[tokio::test]
    async fn a_narrow_domain_keeps_its_window() {
        let governor = Governor::new(4);
        governor.enter().await.succeeded(Some((4, 4)));
        assert_eq!(seen(&governor), (4, 4));
    }

    #[tokio::test]
    async fn who_waits_gets_the_freed_place() {
        let governor = Governor::new(1);
        let first = governor.enter().await;
        let given_up = governor.enter();
        let mut given_up = Box::pin(given_up);
        assert!(futures::poll!(given_up.as_mut()).is_pending());
        let mut second = Box::pin(governor.enter());
        assert!(futures::poll!(second.as_mut()).is_pending());
        drop(given_up);
        drop(first);
        drop(second.await);
        assert_eq!(seen(&governor), (1, 1));
    }

    #[tokio::test]
    async fn retries_are_paid_for() {
        let governor = Governor::new(1);
        assert!((0..20).all(|_| governor.pay(5)));
        assert!(!governor.pay(5));
        let permit = governor.enter().await;
        (0..5).for_each(|_| permit.succeeded(None));
        assert!(governor.pay(5));
    }
}
