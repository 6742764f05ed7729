//! Faults on demand: what goes wrong between a client and Kintone, asked for by request or by seed.
//!
//! A fault happens at one of four points of a request: it changes the store first, it answers instead of the
//! call, it spoils the call's answer, or it spoils how the answer is sent.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value as Json;

use super::backdoor::Backdoor;
use super::log::LoggedRequest;
use super::outcome::{Delivery, Outcome};
use super::reply::{Failure, LOCK_FAILED, LOCK_TIMEOUT, TOO_MANY_CURSORS, TOO_MANY_REQUESTS};

/// What Kintone says where it stopped to search (K§3.6).
const ABORTED: &str = "Filter aborted because of too many search results";

/// Changes of the store while a client works, such as between two pages.
pub type Hook = Arc<dyn Fn(&Backdoor) + Send + Sync>;

/// Something that goes wrong with one request.
#[derive(Clone)]
pub enum Fault {
    /// 429 `GAIA_TO04`, as with more than 100 requests at a time.
    TooManyRequests,
    /// 400 `GAIA_DA02`: the database lock failed, nothing was done.
    LockFailed,
    /// 400 `GAIA_RE18`: the database lock failed, nothing was done.
    LockTimeout,
    /// 429 `GAIA_TM12`: others hold the ten cursors.
    CursorsTaken,
    /// Every cursor is gone before the call is served.
    CursorsExpired,
    /// A gateway's HTML page, such as the 503 of a maintenance.
    Page {
        /// HTTP status.
        status: u16,
        /// Whether the call was done all the same.
        applied: bool,
    },
    /// 200 with the HTML of a login page, instead of the call.
    LoginPage,
    /// TCP reset without an answer.
    Reset {
        /// Whether the call was done all the same.
        applied: bool,
    },
    /// The connection ends after so many bytes of a body whose `Content-Length` is larger.
    CutBody(usize),
    /// The connection ends after so many bytes of a body in chunks.
    CutChunked(usize),
    /// The body comes in pieces.
    SlowBody {
        /// Bytes in a piece.
        bytes: usize,
        /// Time between pieces.
        every: Duration,
    },
    /// The first byte of the answer is late.
    SlowStart(Duration),
    /// The body is compressed however short it is (`true`), or never (`false`), where the client takes gzip.
    Gzip(bool),
    /// A gzip body that decodes to so many bytes.
    GzipBomb(u64),
    /// The search stopped: so many of the records, and `X-Cybozu-Warning` (K§3.6).
    SearchAborted(usize),
    /// The app that the call names is gone from now on.
    AppDeleted,
    /// No password and no token is good from now on.
    CredentialsRevoked,
    /// Others change something before the call is served.
    Meanwhile(Hook),
}

impl Fault {
    /// [`Fault::Meanwhile`] of a closure.
    pub fn meanwhile(hook: impl Fn(&Backdoor) + Send + Sync + 'static) -> Self {
        Self::Meanwhile(Arc::new(hook))
    }

    /// What the log calls it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooManyRequests => "too-many-requests",
            Self::LockFailed => "lock-failed",
            Self::LockTimeout => "lock-timeout",
            Self::CursorsTaken => "cursors-taken",
            Self::CursorsExpired => "cursors-expired",
            Self::Page { applied: false, .. } => "page",
            Self::Page { applied: true, .. } => "page-after",
            Self::LoginPage => "login-page",
            Self::Reset { applied: false } => "reset",
            Self::Reset { applied: true } => "reset-after",
            Self::CutBody(_) => "cut-body",
            Self::CutChunked(_) => "cut-chunked",
            Self::SlowBody { .. } => "slow-body",
            Self::SlowStart(_) => "slow-start",
            Self::Gzip(_) => "gzip",
            Self::GzipBomb(_) => "gzip-bomb",
            Self::SearchAborted(_) => "search-aborted",
            Self::AppDeleted => "app-deleted",
            Self::CredentialsRevoked => "credentials-revoked",
            Self::Meanwhile(_) => "meanwhile",
        }
    }

    /// Changes the store before the call.
    pub(super) fn prepare(&self, door: &Backdoor, request: &LoggedRequest) {
        match self {
            Self::CursorsExpired => door.expire_cursors(),
            Self::AppDeleted => {
                if let Some(app) = request.app {
                    door.delete_app(app);
                }
            }
            Self::CredentialsRevoked => door.server.revoked.store(true, Ordering::SeqCst),
            Self::Meanwhile(hook) => hook(door),
            _ => {}
        }
    }

    /// The answer instead of the call, where the call is not done.
    pub(super) fn refusal(&self) -> Option<Outcome> {
        let code = match self {
            Self::TooManyRequests => TOO_MANY_REQUESTS,
            Self::LockFailed => LOCK_FAILED,
            Self::LockTimeout => LOCK_TIMEOUT,
            Self::CursorsTaken => TOO_MANY_CURSORS,
            Self::Page { status, applied: false } => return Some(gateway_page(*status)),
            Self::LoginPage => return Some(Outcome::page(200, "<form>Log in to Kintone</form>")),
            Self::Reset { applied: false } => return Some(Outcome::none()),
            _ => return None,
        };
        Some(Failure::from(code).into())
    }

    /// Spoils the call's answer.
    pub(super) fn spoil(&self, outcome: Outcome) -> Outcome {
        match self {
            Self::Page { status, applied: true } => gateway_page(*status),
            Self::Reset { applied: true } => Outcome::none(),
            Self::SearchAborted(kept) if outcome.status == 200 => aborted(outcome, *kept),
            _ => outcome,
        }
    }

    /// Spoils how the answer is sent.
    pub(super) fn slow_down(&self, delivery: &mut Delivery) {
        match self {
            Self::Reset { .. } => delivery.reset = true,
            Self::CutBody(at) => delivery.cut = Some((*at, false)),
            Self::CutChunked(at) => delivery.cut = Some((*at, true)),
            Self::SlowBody { bytes, every } => delivery.pieces = Some(((*bytes).max(1), *every)),
            Self::SlowStart(time) => delivery.start += *time,
            Self::Gzip(forced) => delivery.gzip = Some(*forced),
            Self::GzipBomb(bytes) => delivery.bomb = Some(*bytes),
            _ => {}
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn gateway_page(status: u16) -> Outcome {
    Outcome::page(status, if status == 503 { "Under maintenance." } else { "The server has a problem." })
}

/// The first records of an answer with records.
fn aborted(mut outcome: Outcome, kept: usize) -> Outcome {
    if let Ok(mut body) = serde_json::from_slice::<Json>(&outcome.body)
        && let Some(records) = body.get_mut("records").and_then(Json::as_array_mut)
    {
        records.truncate(kept);
        outcome.body = body.to_string().into_bytes();
        outcome.warning = Some(ABORTED);
    }
    outcome
}

/// Which requests a fault is for: the `nth` that match, and after it those of `times`.
#[derive(Debug, Clone, Default)]
pub struct When {
    method: Option<String>,
    endpoint: Option<String>,
    app: Option<u64>,
    skipped: u64,
    times: Option<u64>,
    always: bool,
}

impl When {
    /// The next request, whatever it is.
    #[must_use]
    pub fn next() -> Self {
        Self::default()
    }

    /// Only with this method, after `X-HTTP-Method-Override`.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Only at this endpoint, such as `records.json`.
    #[must_use]
    pub fn at(self, endpoint: &str) -> Self {
        Self { endpoint: Some(endpoint.to_owned()), ..self }
    }

    /// Only where the call names this app.
    #[must_use]
    pub fn app(self, app: u64) -> Self {
        Self { app: Some(app), ..self }
    }

    /// Not the next one that matches but the `n`-th, from 1.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        Self { skipped: n.saturating_sub(1), ..self }
    }

    /// Not once but so many times.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// From then on each time.
    #[must_use]
    pub fn always(self) -> Self {
        Self { always: true, ..self }
    }

    fn matches(&self, request: &LoggedRequest) -> bool {
        let endpoint = request.path.split_once("/v1/").map_or("", |(_, endpoint)| endpoint);
        self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.endpoint.as_ref().is_none_or(|wanted| wanted == endpoint)
            && self.app.is_none_or(|app| request.app == Some(app))
    }
}

/// Faults by seed: each request gets one with a probability of `rate`. The same seed gives the same faults to the
/// same sequence of requests.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the sequence follows from.
    pub seed: u64,
    /// From 0, none, to 1, every request.
    pub rate: f64,
    /// Each as likely as the others. Where a kind has a size or a time, it is the one given here.
    pub kinds: Vec<Fault>,
}

impl Plan {
    /// Every fault that passes by itself.
    #[must_use]
    pub fn passing(seed: u64, rate: f64) -> Self {
        let mut kinds = vec![
            Fault::TooManyRequests,
            Fault::LockFailed,
            Fault::LockTimeout,
            Fault::LoginPage,
            Fault::CursorsTaken,
            Fault::CursorsExpired,
            Fault::SlowBody { bytes: 200, every: Duration::from_millis(1) },
            Fault::SlowStart(Duration::from_millis(5)),
            Fault::Gzip(true),
            Fault::Gzip(false),
            Fault::SearchAborted(1),
        ];
        for applied in [false, true] {
            kinds.push(Fault::Reset { applied });
            kinds.extend([502, 503, 504, 520].map(|status| Fault::Page { status, applied }));
        }
        for at in [0, 1, 20, 300, usize::MAX] {
            kinds.extend([Fault::CutBody(at), Fault::CutChunked(at)]);
        }
        Self { seed, rate, kinds }
    }
}

/// A fault that waits for its requests.
struct Script {
    when: When,
    fault: Fault,
    seen: u64,
    done: u64,
}

#[derive(Default)]
struct State {
    scripts: Vec<Script>,
    plan: Option<(Plan, fastrand::Rng)>,
}

/// What waits to go wrong.
#[derive(Default)]
pub(super) struct Faults(Mutex<State>);

impl Faults {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, when: When, fault: Fault) {
        self.lock().scripts.push(Script { when, fault, seen: 0, done: 0 });
    }

    pub(super) fn follow(&self, plan: Plan) {
        let rng = fastrand::Rng::with_seed(plan.seed);
        self.lock().plan = Some((plan, rng));
    }

    pub(super) fn clear(&self) {
        *self.lock() = State::default();
    }

    /// The faults of a request, scripted ones first.
    pub(super) fn of(&self, request: &LoggedRequest) -> Vec<Fault> {
        let state = &mut *self.lock();
        let mut faults = vec![];
        for script in state.scripts.iter_mut().filter(|script| script.when.matches(request)) {
            script.seen += 1;
            let left = script.when.always || script.done < script.when.times.unwrap_or(1);
            if script.seen > script.when.skipped && left {
                script.done += 1;
                faults.push(script.fault.clone());
            }
        }
        if let Some((plan, rng)) = &mut state.plan
            && rng.f64() < plan.rate
            && let Some(fault) = rng.choice(&plan.kinds)
        {
            faults.push(fault.clone());
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, app: Option<u64>) -> LoggedRequest {
        LoggedRequest { method: method.into(), path: path.into(), app, ..LoggedRequest::default() }
    }

    #[test]
    fn scripts_count_the_requests_that_match() {
        let faults = Faults::default();
        let when = When::next().method("GET").at("records.json").app(3).nth(2).times(2);
        faults.add(when, Fault::LockFailed);
        let names = |method, path, app| -> Vec<_> {
            faults.of(&request(method, path, app)).iter().map(Fault::name).collect()
        };
        for (method, path, app) in [
            ("GET", "/k/v1/records.json", Some(3)),
            ("POST", "/k/v1/records.json", Some(3)),
            ("GET", "/k/v1/record.json", Some(3)),
            ("GET", "/k/v1/records.json", Some(4)),
        ] {
            assert!(names(method, path, app).is_empty(), "{method} {path}");
        }
        for expected in [vec!["lock-failed"], vec!["lock-failed"], vec![]] {
            assert_eq!(names("GET", "/k/guest/5/v1/records.json", Some(3)), expected);
        }
    }

    #[test]
    fn a_seed_gives_the_same_faults_again() {
        let run = |seed| -> Vec<_> {
            let faults = Faults::default();
            faults.follow(Plan::passing(seed, 0.3));
            let one = || faults.of(&request("GET", "/", None)).first().map(Fault::name);
            (0..50).map(|_| one()).collect()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let faults = run(7).into_iter().flatten().count();
        assert!((5..30).contains(&faults), "{faults}");
    }
}
