//! How many requests of a domain run at once.
//!
//! Kintone counts 100 requests at once for a whole domain, others' too, and says in each answer how many run
//! (K§5.1). The window halves when it is refused or comes near, and grows by one after as many good answers.
//! Who waits is served in the order of asking.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// This part of the domain's limit is left to others: 20 of Kintone's 100.
const LEAVE: u32 = 5;

#[derive(Debug)]
struct State {
    most: usize,
    window: usize,
    /// Places that a smaller window has lost but running requests still hold.
    owed: usize,
    /// Counts the times that the window halved.
    epoch: u64,
    good: usize,
}

#[derive(Debug)]
pub(super) struct Window {
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

/// A place among the running requests, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    window: Arc<Window>,
    place: Option<OwnedSemaphorePermit>,
    /// The window's epoch when the request began.
    epoch: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        let mut state = self.window.lock();
        if state.owed > 0 {
            state.owed -= 1;
            place.forget();
        }
    }
}

impl Place {
    /// A good answer, with what its headers say of the domain: (limit, running).
    pub(super) fn succeeded(&self, concurrency: Option<(u32, u32)>) {
        let mut state = self.window.lock();
        if concurrency.is_some_and(|(limit, running)| running > limit - limit / LEAVE) {
            self.shrink(&mut state);
            return;
        }
        state.good += 1;
        if state.good >= state.window && state.window < state.most {
            state.window += 1;
            state.good = 0;
            if state.owed > 0 {
                state.owed -= 1;
            } else {
                self.window.places.add_permits(1);
            }
        }
    }

    /// Kintone had too many.
    pub(super) fn refused(&self) {
        self.shrink(&mut self.window.lock());
    }

    /// Halves the window, once for all the requests that were under way together.
    fn shrink(&self, state: &mut State) {
        state.good = 0;
        if self.epoch != state.epoch {
            return;
        }
        state.epoch += 1;
        let half = (state.window / 2).max(1);
        self.window.narrow(state, half);
    }
}

impl Window {
    pub(super) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        let state = State { most, window: most, owed: 0, epoch: 0, good: 0 };
        Self { places: Arc::new(Semaphore::new(most)), state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never more than `most` from now on: of several connections to a domain the most careful one decides.
    pub(super) fn limit_to(&self, most: usize) {
        let mut state = self.lock();
        state.most = state.most.min(most.max(1));
        let most = state.most;
        if state.window > most {
            self.narrow(&mut state, most);
        }
    }

    fn narrow(&self, state: &mut State, window: usize) {
        let lost = state.window - window;
        state.window = window;
        state.owed += lost - self.places.forget_permits(lost);
    }

    /// Waits for a place.
    pub(super) async fn enter(self: &Arc<Self>) -> Place {
        // The semaphore is never closed, so that there always is a place.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        Place { window: Arc::clone(self), place, epoch: self.lock().epoch }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window_of(most: usize) -> Arc<Window> {
        Arc::new(Window::new(most))
    }

    /// The window, and how many places are free.
    fn seen(window: &Window) -> (usize, usize) {
        (window.lock().window, window.places.available_permits())
    }

    #[tokio::test]
    async fn the_window_halves_once_for_all_under_way_and_grows_back() {
        let window = window_of(4);
        let places_ = [window.enter().await, window.enter().await, window.enter().await];
        places_.iter().for_each(Place::refused);
        assert_eq!(seen(&window), (2, 0));
        drop(places_);
        assert_eq!(seen(&window), (2, 2));
        let next = window.enter().await;
        for _ in 0..10 {
            next.succeeded(Some((100, 80)));
        }
        assert_eq!(seen(&window), (4, 3));
        next.succeeded(Some((100, 81)));
        drop(next);
        assert_eq!(seen(&window), (2, 2));
    }

    #[tokio::test]
    async fn places_that_are_owed_come_back() {
        let window = window_of(2);
        let (first, second) = (window.enter().await, window.enter().await);
        first.refused();
        assert_eq!(seen(&window), (1, 0));
        second.succeeded(None);
        assert_eq!(seen(&window), (2, 0));
        drop((first, second));
        assert_eq!(seen(&window), (2, 2));
    }

    #[tokio::test]
    async fn a_narrow_domain_keeps_its_window() {
        let window = window_of(4);
        window.enter().await.succeeded(Some((4, 4)));
        assert_eq!(seen(&window), (4, 4));
    }

    #[tokio::test]
    async fn who_waits_gets_the_freed_place() {
        let window = window_of(1);
        let first = window.enter().await;
        let given_up = window.enter();
        let mut given_up = Box::pin(given_up);
        assert!(futures::poll!(given_up.as_mut()).is_pending());
        let mut second = Box::pin(window.enter());
        assert!(futures::poll!(second.as_mut()).is_pending());
        drop(given_up);
        drop(first);
        drop(second.await);
        assert_eq!(seen(&window), (1, 1));
    }

    #[tokio::test]
    async fn the_most_careful_connection_decides() {
        let window = window_of(4);
        let held = [window.enter().await, window.enter().await, window.enter().await];
        window.limit_to(2);
        assert_eq!(seen(&window), (2, 0));
        drop(held);
        assert_eq!(seen(&window), (2, 2));
        let next = window.enter().await;
        (0..10).for_each(|_| next.succeeded(None));
        drop(next);
        window.limit_to(8);
        assert_eq!(seen(&window), (2, 2));
    }
}
