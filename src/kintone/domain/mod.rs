//! The governor of a domain, shared by all connections to it in this process: how many requests run, how many are
//! tried again, when nothing is sent at all.
//!
//! Takes: an attempt that can be made more than once, and what it may leave behind. Gives: its outcome, when the
//! window, the login, the breaker and the retry budget allow it. Absent on purpose: HTTP; an attempt is anything.

mod breaker;
mod clock;
mod login;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures::Future;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use self::breaker::{Admission, Breaker};
pub use self::clock::{Clock, SystemClock};
use self::login::{Login, Turn};
use self::window::{Place, Window};
use super::config::{Basic, ClientConfig, Credentials};
use super::error::Error;
use super::retry::{Effect, RetryConfig, Verdict, verdict};

/// Retry tokens: a full bucket. A good answer gives one back.
const TOKENS: u32 = 100;

/// Cursors that this process holds of the ten that a domain has for all its users (K§5.1).
const CURSORS: usize = 2;

/// The domains that a process talks to.
#[derive(Debug, Clone)]
pub struct Domains {
    clock: Arc<dyn Clock>,
    known: Arc<Mutex<HashMap<String, Weak<Domain>>>>,
}

static PROCESS: LazyLock<Domains> = LazyLock::new(|| Domains::new(Arc::new(SystemClock)));

impl Domains {
    /// Domains of their own, which share nothing with others, on a clock: for tests.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, known: Arc::default() }
    }

    /// This process's.
    pub(super) fn of_process() -> Self {
        PROCESS.clone()
    }

    /// A connection's way to its domain. The domain is forgotten with the last connection to it.
    pub(super) fn lane(&self, config: &ClientConfig) -> Lane {
        let proxy = config.proxy.as_ref().map(ToString::to_string).unwrap_or_default();
        let key = format!("{} {proxy}", config.url.origin().ascii_serialization());
        let mut known = lock(&self.known);
        known.retain(|_, domain| domain.strong_count() > 0);
        let domain = known.get(&key).and_then(Weak::upgrade).unwrap_or_else(|| {
            let domain = Arc::new(Domain::new(Arc::clone(&self.clock), config.max_in_flight));
            known.insert(key, Arc::downgrade(&domain));
            domain
        });
        domain.window.limit_to(config.max_in_flight);
        let login = domain.login(config);
        let host = config.url.host_str().unwrap_or_default().to_owned();
        Lane { domain, login, retry: config.retry, connection: config.name.clone(), host }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who logs in, and what is known of it.
type KnownLogin = (Credentials, Option<Basic>, Weak<Login>);

#[derive(Debug)]
struct Domain {
    clock: Arc<dyn Clock>,
    window: Arc<Window>,
    tokens: Mutex<u32>,
    breaker: Breaker,
    cursors: Arc<Semaphore>,
    logins: Mutex<Vec<KnownLogin>>,
    /// One write at a time for each app.
    writes: Mutex<HashMap<u64, Weak<AsyncMutex<()>>>>,
}

impl Domain {
    fn new(clock: Arc<dyn Clock>, most: usize) -> Self {
        Self {
            clock,
            window: Arc::new(Window::new(most)),
            tokens: Mutex::new(TOKENS),
            breaker: Breaker::default(),
            cursors: Arc::new(Semaphore::new(CURSORS)),
            logins: Mutex::default(),
            writes: Mutex::default(),
        }
    }

    fn login(&self, config: &ClientConfig) -> Arc<Login> {
        let mut logins = lock(&self.logins);
        logins.retain(|(.., login)| login.strong_count() > 0);
        let same = logins.iter().find(|(c, b, _)| (c, b) == (&config.credentials, &config.basic));
        if let Some(login) = same.and_then(|(.., login)| login.upgrade()) {
            return login;
        }
        let login = Arc::new(Login::new());
        logins.push((config.credentials.clone(), config.basic.clone(), Arc::downgrade(&login)));
        login
    }

    /// Pays for another try; false where the bucket is empty.
    fn pay(&self, price: u32) -> bool {
        let mut tokens = lock(&self.tokens);
        let left = tokens.checked_sub(price);
        *tokens = left.unwrap_or(*tokens);
        left.is_some()
    }

    fn earn(&self) {
        let mut tokens = lock(&self.tokens);
        *tokens = (*tokens + 1).min(TOKENS);
    }

    /// What an outcome says of the domain: is somebody there?
    fn learn<T>(&self, outcome: &Result<T, Error>, began: Instant) {
        match outcome {
            Ok(_) => self.breaker.answered(),
            Err(Error::Rejected { status, .. }) if *status < 500 => self.breaker.answered(),
            Err(Error::Status { status: 429, .. }) => self.breaker.answered(),
            Err(Error::Connect { .. } | Error::Transport { .. } | Error::Status { status: 500.., .. }) => {
                self.breaker.failed(began, self.clock.now());
            }
            Err(_) => {}
        }
    }
}

/// The right to send one call; what it holds is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    domain: Arc<Domain>,
    login: Arc<Login>,
    turn: Mutex<Turn>,
    /// A probe has none: the window may be full of calls that nobody answers.
    place: Option<Place>,
}

impl Pass {
    /// Kintone took the login. Who waits to know need not wait for the rest of the answer.
    pub(super) fn accepted(&self) {
        self.login.accepted();
        lock(&self.turn).take();
    }

    /// Kintone rejected the login.
    pub(super) fn rejected(&self) {
        self.login.rejected(self.domain.clock.now());
    }

    /// A good answer, with what its headers say of the domain: (limit, running).
    pub(super) fn succeeded(&self, concurrency: Option<(u32, u32)>) {
        self.domain.earn();
        if let Some(place) = &self.place {
            place.succeeded(concurrency);
        }
    }

    /// Kintone had too many at once.
    pub(super) fn throttled(&self) {
        if let Some(place) = &self.place {
            place.refused();
        }
    }
}

/// Something that can be sent, over and over.
pub(super) trait Attempt: Sync {
    /// What it ends in.
    type Output: Send;
    /// Sends it once. The pass is dropped when the answer is whole.
    fn send(&self, pass: Pass) -> impl Future<Output = Result<Self::Output, Error>> + Send;
    /// Sends something harmless in its place.
    fn probe(&self, pass: Pass) -> impl Future<Output = Result<(), Error>> + Send;
    /// False where what it sends is used up.
    fn is_repeatable(&self) -> bool {
        true
    }
}

/// A connection's way to its domain.
#[derive(Debug)]
pub(super) struct Lane {
    domain: Arc<Domain>,
    login: Arc<Login>,
    retry: RetryConfig,
    connection: String,
    host: String,
}

impl Lane {
    /// Makes the attempt until it succeeds or must not be made again. The time for that begins with the first try,
    /// not with the wait for a place.
    pub(super) async fn run<A: Attempt>(&self, effect: Effect, attempt: &A) -> Result<A::Output, Error> {
        let (mut tries, mut first, mut last) = (0, None, None);
        loop {
            let pass = match (self.enter(effect, attempt).await, last.take()) {
                (Ok(pass), _) => pass,
                (Err(Error::Unavailable { .. }), Some(error)) => {
                    return Err(exhausted(tries, self.since(first), error));
                }
                (Err(refusal), _) => return Err(refusal),
            };
            let began = self.now();
            let started = *first.get_or_insert(began);
            let outcome = attempt.send(pass).await;
            self.domain.learn(&outcome, began);
            let error = match outcome {
                Ok(output) => return Ok(output),
                Err(error) => error,
            };
            tries += 1;
            let Verdict::Retry(price) = verdict(&error, effect) else { return Err(error) };
            let wait = self.retry.wait(tries, fastrand::f64());
            if !attempt.is_repeatable()
                || tries >= self.retry.attempts
                || self.since(Some(started)) + wait > self.retry.total
                || !self.domain.pay(price)
            {
                return Err(exhausted(tries, self.since(first), error));
            }
            tracing::debug!(connection = %self.connection, %error, ?wait, "trying again");
            self.sleep(wait).await;
            last = Some(error);
        }
    }

    /// Waits for the right to send. Only the end of the wait counts: the login may have been rejected, or the
    /// domain have gone silent, meanwhile.
    async fn enter<A: Attempt>(&self, effect: Effect, attempt: &A) -> Result<Pass, Error> {
        loop {
            let turn = self.login.turn(|| self.now()).await.map_err(|_| self.no_login())?;
            match self.domain.breaker.admit(self.now()) {
                Admission::Refused(wait) => return Err(self.unavailable(wait)),
                // A write must not find out: its outcome would be unknown.
                Admission::Probe if effect == Effect::Change => {
                    let began = self.now();
                    let outcome = attempt.probe(self.pass(turn, None)).await;
                    self.domain.learn(&outcome, began);
                }
                Admission::Probe => return Ok(self.pass(turn, None)),
                Admission::Closed => {
                    let place = self.domain.window.enter().await;
                    if self.login.is_rejected(self.now()) {
                        return Err(self.no_login());
                    }
                    return match self.domain.breaker.refusal(self.now()) {
                        Some(wait) => Err(self.unavailable(wait)),
                        None => Ok(self.pass(turn, Some(place))),
                    };
                }
            }
        }
    }

    fn pass(&self, turn: Turn, place: Option<Place>) -> Pass {
        let (domain, login) = (Arc::clone(&self.domain), Arc::clone(&self.login));
        Pass { domain, login, turn: Mutex::new(turn), place }
    }

    fn no_login(&self) -> Error {
        Error::CredentialsRejected { connection: self.connection.clone() }
    }

    fn unavailable(&self, wait: Duration) -> Error {
        Error::Unavailable { connection: self.connection.clone(), host: self.host.clone(), wait }
    }

    fn since(&self, start: Option<Instant>) -> Duration {
        start.map(|s| self.now().saturating_duration_since(s)).unwrap_or_default()
    }

    pub(super) fn now(&self) -> Instant {
        self.domain.clock.now()
    }

    pub(super) async fn sleep(&self, wait: Duration) {
        self.domain.clock.sleep(wait).await;
    }

    /// Waits until no other write to these apps is under way. Always in the order of their ids, so that two that
    /// write to the same apps never wait for each other.
    pub(super) async fn writing(&self, apps: &[u64]) -> Vec<OwnedMutexGuard<()>> {
        let mut apps = apps.to_vec();
        apps.sort_unstable();
        apps.dedup();
        let mut held = vec![];
        for app in apps {
            let turn = {
                let mut writes = lock(&self.domain.writes);
                writes.retain(|_, turn| turn.strong_count() > 0);
                let turn = writes.get(&app).and_then(Weak::upgrade).unwrap_or_default();
                writes.insert(app, Arc::downgrade(&turn));
                turn
            };
            held.push(turn.lock_owned().await);
        }
        held
    }

    /// One of the process's cursors, if one is free.
    pub(super) fn cursor(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.domain.cursors).try_acquire_owned().ok()
    }
}

fn exhausted(attempts: u32, elapsed: Duration, last: Error) -> Error {
    match attempts {
        0 | 1 => last,
        attempts => Error::Exhausted { attempts, elapsed, last: Box::new(last) },
    }
}
