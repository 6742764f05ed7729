//! The governor through outages, on a clock of its own: a minute takes no time, and each run is the same.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::executor::{LocalPool, LocalSpawner};
use futures::future::BoxFuture;
use futures::task::LocalSpawnExt;

use super::*;
use crate::kintone::secret::Secret;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Who sleeps until when, in order.
type Sleepers = BTreeMap<(Duration, usize), oneshot::Sender<()>>;

/// When a call began and ended, and how.
type Ended = (Duration, Duration, Result<(), Error>);

/// Stands still until nothing else can go on.
#[derive(Debug)]
struct TestClock {
    start: Instant,
    state: Mutex<(Duration, Sleepers, usize)>,
}

impl TestClock {
    fn elapsed(&self) -> Duration {
        lock(&self.state).0
    }

    /// Goes on to the next that sleeps, if that is not after `end`.
    fn advance(&self, end: Duration) -> bool {
        let mut state = lock(&self.state);
        let Some(next) = state.1.first_entry().filter(|e| e.key().0 <= end) else { return false };
        let ((time, _), sleeper) = next.remove_entry();
        state.0 = time;
        // Who no longer waits needs no call.
        let _ = sleeper.send(());
        true
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        self.start + self.elapsed()
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel();
        let mut state = lock(&self.state);
        let key = (state.0 + wait, state.2);
        state.2 += 1;
        state.1.insert(key, sender);
        receiver.map(drop).boxed()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outage {
    /// 503 with a page, at once.
    Html,
    /// No answer for a minute.
    TimeOut,
    /// Resets, at once.
    Reset,
    /// Nobody listens.
    Connect,
}

/// A domain, and its callers.
struct World {
    clock: Arc<TestClock>,
    lane: Lane,
    outage: (Outage, Range<Duration>),
    /// The login is wrong.
    rejects: bool,
    /// When calls and probes came in.
    calls: Mutex<Vec<Duration>>,
    probes: Mutex<Vec<Duration>>,
    running: Mutex<(usize, usize)>,
    /// The callers' own calls.
    ended: Mutex<Vec<Ended>>,
}

impl World {
    fn new(kind: Outage, outage: Range<Duration>) -> Self {
        let clock = Arc::new(TestClock { start: Instant::now(), state: Mutex::default() });
        let credentials = Credentials::Password { user: "a".into(), password: Secret::new("b") };
        let config = ClientConfig::new("crm", "https://x.cybozu.com".parse().unwrap(), credentials);
        Self {
            lane: Domains::new(Arc::clone(&clock) as Arc<dyn Clock>).lane(&config),
            clock,
            outage: (kind, outage),
            rejects: false,
            calls: Mutex::default(),
            probes: Mutex::default(),
            running: Mutex::default(),
            ended: Mutex::default(),
        }
    }

    async fn answer(&self, pass: Pass) -> Result<(), Error> {
        let (connection, call) = (String::from("crm"), String::from("GET /"));
        let (kind, outage) = &self.outage;
        let is_out = outage.contains(&self.clock.elapsed());
        let time = if is_out && *kind == Outage::TimeOut { seconds(60) } else { Duration::from_millis(50) };
        self.clock.sleep(time).await;
        match kind {
            _ if self.rejects => {
                pass.rejected();
                Err(Error::Status { connection, call, status: 401 })
            }
            _ if !is_out => {
                pass.accepted();
                pass.succeeded(Some((100, 10)));
                Ok(())
            }
            Outage::Html => Err(Error::Status { connection, call, status: 503 }),
            Outage::TimeOut | Outage::Reset => {
                Err(Error::Transport { connection, call, reason: "no answer".into() })
            }
            Outage::Connect => Err(Error::Connect { connection, host: "x".into(), reason: "refused".into() }),
        }
    }

    fn between(&self, list: &Mutex<Vec<Duration>>, times: &Range<Duration>) -> usize {
        lock(list).iter().filter(|t| times.contains(*t)).count()
    }

    /// How the callers' own calls that began within these times ended.
    fn outcomes(&self, times: &Range<Duration>) -> (usize, usize, usize) {
        let ended = lock(&self.ended);
        let ended: Vec<_> = ended.iter().filter(|(began, ..)| times.contains(began)).collect();
        let good = ended.iter().filter(|(.., outcome)| outcome.is_ok()).count();
        let refused = ended.iter().filter(|e| matches!(e.2, Err(Error::Unavailable { .. }))).count();
        (ended.len(), good, refused)
    }
}

impl Attempt for &World {
    type Output = ();

    async fn send(&self, pass: Pass) -> Result<(), Error> {
        lock(&self.calls).push(self.clock.elapsed());
        {
            let mut running = lock(&self.running);
            running.0 += 1;
            running.1 = running.1.max(running.0);
        }
        let outcome = self.answer(pass).await;
        lock(&self.running).0 -= 1;
        outcome
    }

    async fn probe(&self, pass: Pass) -> Result<(), Error> {
        lock(&self.probes).push(self.clock.elapsed());
        self.answer(pass).await
    }
}

fn spawn_call(world: &Rc<World>, spawner: &LocalSpawner, effect: Effect) {
    let world = Rc::clone(world);
    let call = async move {
        let began = world.clock.elapsed();
        let outcome = world.lane.run(effect, &&*world).await;
        lock(&world.ended).push((began, world.clock.elapsed(), outcome));
    };
    spawner.spawn_local(call).unwrap();
}

/// Fifty callers, each calling once a second whatever became of its last call, until `end`.
fn fifty_callers(world: World, effect: Effect, end: Duration) -> Rc<World> {
    fastrand::seed(7);
    let world = Rc::new(world);
    let mut pool = LocalPool::new();
    for caller in 0..50 {
        let (world, spawner) = (Rc::clone(&world), pool.spawner());
        let calls = async move {
            world.clock.sleep(Duration::from_millis(20 * caller)).await;
            while world.clock.elapsed() < end {
                spawn_call(&world, &spawner, effect);
                world.clock.sleep(seconds(1)).await;
            }
        };
        pool.spawner().spawn_local(calls).unwrap();
    }
    loop {
        pool.run_until_stalled();
        if !world.clock.advance(end + seconds(200)) {
            break;
        }
    }
    world
}

#[test]
fn an_outage_is_not_made_worse_and_ends_soon() {
    use Outage::{Connect, Html, Reset, TimeOut};
    for (kind, from, length, effect) in [
        (Html, 10, 60, Effect::None),
        (Reset, 10, 60, Effect::None),
        (Connect, 10, 60, Effect::None),
        (TimeOut, 10, 60, Effect::None),
        (TimeOut, 10, 100, Effect::None),
        (Html, 0, 60, Effect::None),
        (TimeOut, 0, 60, Effect::None),
        (Html, 10, 60, Effect::Change),
        (Connect, 10, 60, Effect::Change),
        (TimeOut, 10, 100, Effect::Change),
    ] {
        let name = format!("{kind:?} {from} s to {} s, {effect:?}", from + length);
        let outage = seconds(from)..seconds(from + length);
        let back = outage.end;
        let world = World::new(kind, outage.clone());
        let world = fifty_callers(world, effect, back + seconds(40));
        let (own, good, refused) = world.outcomes(&outage);
        let sent = world.between(&world.calls, &outage) + world.between(&world.probes, &outage);
        assert!(own >= 2900, "{name}: {own}");
        assert!(sent * 10 <= own * 13, "{name}: {sent} sent for {own}");
        // Far less than that, once the breaker is open: a probe every five seconds.
        assert!(sent <= 250, "{name}: {sent}");
        if kind != TimeOut {
            assert!(refused * 100 >= own * 90, "{name}: {refused} of {own}");
            let silent = outage.start + seconds(10)..outage.end;
            let probes = world.between(&world.calls, &silent) + world.between(&world.probes, &silent);
            assert!((9..=11).contains(&probes), "{name}: {probes} probes");
        }
        // A write never finds out, and none that was sent is sent again.
        if effect == Effect::Change {
            let silent = outage.start + seconds(if kind == TimeOut { 62 } else { 10 })..outage.end;
            assert_eq!(world.between(&world.calls, &silent), 0, "{name}");
        }
        let first = lock(&world.ended).iter().filter(|e| e.2.is_ok() && e.1 >= back).map(|e| e.1).min();
        assert!(first.unwrap() <= back + seconds(10), "{name}: {first:?}");
        let (after, good_after, _) = world.outcomes(&(back + seconds(10)..back + seconds(40)));
        assert_eq!((after, good_after), (1500, 1500), "{name}");
        // Without an answer to any call before, all wait for the first.
        assert!(good == 0 || kind == TimeOut, "{name}: {good}");
        // Every place is given back; probes have none.
        assert_eq!(lock(&world.running).0, 0, "{name}");
        assert!(lock(&world.running).1 <= 10 + 20, "{name}: {:?}", lock(&world.running));
    }
}

#[test]
fn a_blip_is_not_an_outage() {
    let world = World::new(Outage::Reset, seconds(10)..seconds(11));
    let world = fifty_callers(world, Effect::None, seconds(30));
    let (own, good, refused) = world.outcomes(&(seconds(0)..seconds(10)));
    assert_eq!((own, good, refused), (500, 500, 0));
    let (own, good, refused) = world.outcomes(&(seconds(11)..seconds(30)));
    assert_eq!((own, good, refused), (950, 950, 0));
}

#[test]
fn one_rejection_stops_all_who_call_at_once() {
    let mut world = World::new(Outage::Html, seconds(0)..seconds(0));
    world.rejects = true;
    let world = fifty_callers(world, Effect::None, seconds(290));
    // Every five minutes one more.
    assert_eq!(lock(&world.calls).len(), 1);
    assert_eq!(world.outcomes(&(seconds(0)..seconds(290))).1, 0);
}

#[test]
fn retries_are_paid_for_by_all_together() {
    let world = World::new(Outage::Html, seconds(0)..seconds(0));
    let domain = Arc::clone(&world.lane.domain);
    assert!((0..20).all(|_| domain.pay(5)));
    assert!(!domain.pay(5));
    (0..5).for_each(|_| domain.earn());
    assert!(domain.pay(5) && !domain.pay(1));
}

#[test]
fn connections_to_one_domain_share_its_governor() {
    let domains = Domains::new(Arc::new(SystemClock));
    let lane = |url: &str, password: &str, most| {
        let credentials = Credentials::Password { user: "a".into(), password: Secret::new(password) };
        let mut config = ClientConfig::new("crm", url.parse().unwrap(), credentials);
        config.max_in_flight = most;
        domains.lane(&config)
    };
    let first = lane("https://x.cybozu.com/a", "p", 10);
    let same = lane("https://X.cybozu.com:443", "p", 10);
    let other_login = lane("https://x.cybozu.com", "q", 10);
    let other = lane("https://y.cybozu.com", "p", 10);
    assert!(Arc::ptr_eq(&first.domain, &same.domain) && Arc::ptr_eq(&first.login, &same.login));
    assert!(
        Arc::ptr_eq(&first.domain, &other_login.domain) && !Arc::ptr_eq(&first.login, &other_login.login)
    );
    assert!(!Arc::ptr_eq(&first.domain, &other.domain));
    assert_eq!((same.cursor().is_some(), first.cursor().is_some()), (true, true));
    drop((first, same, other_login));
    assert_eq!(lock(&domains.known).values().filter(|d| d.strong_count() > 0).count(), 1);
    lane("https://y.cybozu.com", "p", 4);
    assert_eq!(lock(&domains.known).len(), 1, "who is gone is forgotten");
}

#[test]
fn writes_to_an_app_wait_for_each_other() {
    let world = World::new(Outage::Html, seconds(0)..seconds(0));
    let held = world.lane.writing(&[3, 1, 3]).now_or_never().expect("free");
    assert_eq!(held.len(), 2);
    let mut waiting = Box::pin(world.lane.writing(&[2, 3]));
    assert!(waiting.as_mut().now_or_never().is_none());
    assert!(world.lane.writing(&[4]).now_or_never().is_some());
    drop(held);
    assert_eq!(waiting.now_or_never().expect("free").len(), 2);
    assert!(world.lane.cursor().and_then(|a| Some((a, world.lane.cursor()?))).is_some());
    let two = (world.lane.cursor(), world.lane.cursor());
    assert!(two.0.is_some() && two.1.is_some() && world.lane.cursor().is_none());
}
