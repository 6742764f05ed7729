//! Random reads and writes of the client under random faults, held against the emulator's own store: a read is right
//! or an error; a write is done when that is said, not done when it is refused, and whole in any case.
//! `KINTONE_SQL_SEEDS=1000` runs that many seeds; `KINTONE_SQL_SEED=7` runs one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use kintone_sql::emulator::{Backdoor, Emulator, Fixture, Options, Plan};
use kintone_sql::kintone::{
    AppKey, Change, Client, ClientConfig, Clock, Condition, Credentials, Deletion, Domains, Error, Operator,
    OrderBy, Query, RecordsRequest, RetryConfig, Secret, Target, Update, Values,
};
use serde_json::{Value, json};

/// Operations of a seed.
const OPERATIONS: usize = 30;
/// Seeds of an ordinary run.
const SEEDS: u64 = 40;
/// The share of requests that go wrong.
const RATE: f64 = 0.3;

/// A clock whose waits are over at once.
#[derive(Debug)]
struct Leaping {
    start: Instant,
    gone: Mutex<Duration>,
}

impl Leaping {
    fn leap(&self, wait: Duration) {
        *self.gone.lock().unwrap() += wait;
    }
}

impl Clock for Leaping {
    fn now(&self) -> Instant {
        self.start + *self.gone.lock().unwrap()
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'static, ()> {
        self.leap(wait);
        Box::pin(tokio::task::yield_now())
    }
}

/// Two apps of a key, a number and a text.
fn world() -> Value {
    let app = |id: u64| {
        let records: Vec<Value> = (1..=40)
            .map(|n| {
                json!({"k": {"value": format!("key{n}")}, "n": {"value": (n % 7).to_string()}, "t": {"value": "old"}})
            })
            .collect();
        json!({
            "app": {"appId": id},
            "form": {"properties": {
                "k": {"type": "SINGLE_LINE_TEXT", "unique": true},
                "n": {"type": "NUMBER"},
                "t": {"type": "SINGLE_LINE_TEXT"}
            }},
            "records": records
        })
    };
    json!({"users": [{"code": "sato", "password": "pw"}], "apps": [app(1), app(2)]})
}

/// What the store has, by app and id.
type Snapshot = BTreeMap<(u64, u64), Value>;

fn snapshot(store: &Backdoor) -> Snapshot {
    let all = [1, 2].into_iter().flat_map(|app| store.records(app).into_iter().map(move |r| (app, r)));
    all.map(|(app, record)| ((app, id_of(&record)), record)).collect()
}

fn id_of(record: &Value) -> u64 {
    record["$id"]["value"].as_str().unwrap().parse().unwrap()
}

fn key(app: u64) -> AppKey {
    AppKey { id: app, guest_space: None }
}

struct Run {
    client: Client,
    store: Backdoor,
    rng: fastrand::Rng,
    clock: Arc<Leaping>,
    /// How often each kind of operation ended in each way.
    counts: BTreeMap<(&'static str, &'static str), u64>,
}

impl Run {
    fn count(&mut self, what: &'static str, end: &'static str) {
        *self.counts.entry((what, end)).or_default() += 1;
    }

    /// A read is right, or an error.
    fn check<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &'static str,
        read: Result<T, Error>,
        expected: &T,
    ) {
        match read {
            Ok(read) => {
                assert_eq!(read, *expected, "{what}");
                self.count(what, "right");
            }
            Err(error) => {
                assert!(!matches!(error, Error::OutcomeUnknown { .. }), "{what}: {error}");
                assert!(!error.to_string().is_empty());
                self.count(what, "error");
            }
        }
    }

    async fn read(&mut self, app: u64) {
        let low = self.rng.i64(0..7);
        // An empty number is smaller than any.
        let number = |record: &Value| record["n"]["value"].as_str().unwrap().parse::<i64>().ok();
        let matches = |record: &Value| number(record).is_some_and(|number| number >= low);
        let all: Vec<Value> = self.store.records(app).into_iter().filter(matches).collect();
        let condition =
            Condition::Compare { field: "n".into(), operator: Operator::GtEq, value: low.to_string() };
        let order_by = vec![OrderBy { field: "$id".into(), ascending: true }];
        let query = Query { condition: Some(condition.clone()), order_by, ..Query::default() };
        match self.rng.u8(0..4) {
            0 => {
                let limit = self.rng.u32(1..=60);
                let query = Query { limit: Some(limit), ..query };
                let request = RecordsRequest { query, fields: vec![], total_count: true };
                let read = self.client.records(key(app), &request).await;
                let read = read.map(|page| serde_json::from_slice::<Value>(&page.body).unwrap());
                let page: Vec<Value> = all.iter().take(limit as usize).cloned().collect();
                self.check("page", read, &json!({"records": page, "totalCount": all.len().to_string()}));
            }
            1 => {
                let read = self.client.count(key(app), Some(&condition)).await;
                self.check("count", read, &(all.len() as u64));
            }
            2 => {
                let id = self.rng.u64(1..50);
                let read = self.client.record(key(app), id).await.map(|record| record.map(Value::Object));
                let expected = self.store.records(app).into_iter().find(|record| id_of(record) == id);
                self.check("record", read, &expected);
            }
            _ => {
                let read = self.cursor(app, &query).await;
                if let Some(read) = read {
                    self.check("cursor", read, &all);
                } else {
                    self.count("cursor", "none free");
                }
            }
        }
    }

    /// All records of a query by a cursor; none where none is free.
    async fn cursor(&self, app: u64, query: &Query) -> Option<Result<Vec<Value>, Error>> {
        let mut cursor = match self.client.cursor(key(app), query, &[], 7).await {
            Ok(cursor) => cursor?,
            Err(error) => return Some(Err(error)),
        };
        let mut all = vec![];
        loop {
            match cursor.next().await {
                Ok(None) => return Some(Ok(all)),
                Ok(Some(page)) => {
                    let page: Value = serde_json::from_slice(&page.body).unwrap();
                    all.extend(page["records"].as_array().unwrap().iter().cloned());
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Some ids of an app, each once.
    fn some_ids(&mut self, app: u64) -> Vec<u64> {
        let mut ids: Vec<u64> = self.store.records(app).iter().map(id_of).collect();
        self.rng.shuffle(&mut ids);
        ids.truncate(self.rng.usize(1..=4));
        ids
    }

    /// A change that leaves `tag` in every record that it writes, and what it is to leave.
    fn change(&mut self, app: u64, tag: &str, before: &Snapshot) -> (Change, Effect) {
        let values = |more: &[(&str, String)]| -> Values {
            let tagged = [("t", tag.to_owned())];
            let all = tagged.iter().chain(more);
            all.map(|(code, value)| ((*code).to_owned(), json!(value))).collect()
        };
        let mut effect = Effect { app, ..Effect::default() };
        let change = match self.rng.u8(0..4) {
            0 => {
                effect.added = self.rng.usize(1..=4);
                let record = |n| values(&[("k", format!("{tag}-{n}")), ("n", "3".into())]);
                Change::Insert { app: key(app), records: (0..effect.added).map(record).collect() }
            }
            1 => {
                effect.changed = self.some_ids(app);
                let updates = effect.changed.iter().map(|id| {
                    let revision = before[&(app, *id)]["$revision"]["value"].as_str().unwrap();
                    let revision = self.rng.bool().then(|| revision.parse().unwrap());
                    Update { target: Target::Id(*id), values: values(&[]), revision }
                });
                Change::Update { app: key(app), updates: updates.collect() }
            }
            2 => {
                effect.changed = self.some_ids(app);
                effect.added = self.rng.usize(0..=2);
                let known =
                    effect.changed.iter().map(|id| before[&(app, *id)]["k"]["value"].as_str().unwrap());
                let new: Vec<String> = (0..effect.added).map(|n| format!("{tag}-{n}")).collect();
                let keys = known.chain(new.iter().map(String::as_str));
                let updates = keys.map(|value| Update {
                    target: Target::Key { field: "k".into(), value: value.to_owned() },
                    values: values(&[]),
                    revision: None,
                });
                Change::Upsert { app: key(app), updates: updates.collect() }
            }
            _ => {
                effect.deleted = self.some_ids(app);
                let deletions = effect.deleted.iter().map(|id| Deletion { id: *id, revision: None });
                Change::Delete { app: key(app), deletions: deletions.collect() }
            }
        };
        (change, effect)
    }

    async fn write(&mut self, tag: &str) {
        let before = snapshot(&self.store);
        let bulk = self.rng.u8(0..3) == 0;
        let first = self.rng.u64(1..=2);
        let apps = if bulk { vec![first, 3 - first] } else { vec![first] };
        let (changes, effects): (Vec<Change>, Vec<Effect>) =
            apps.into_iter().map(|app| self.change(app, tag, &before)).unzip();
        let written = if bulk {
            self.client.bulk(&changes).await.map(drop)
        } else {
            self.client.change(&changes[0]).await.map(drop)
        };
        let after = snapshot(&self.store);
        let done = effects.iter().all(|effect| effect.is_in(&before, &after, tag))
            && touches_no_other(&before, &after, &effects, tag);
        let undone = before == after;
        assert!(done != undone, "neither whole nor nothing: {changes:?}, {written:?}");
        let what = if bulk { "bulk" } else { "change" };
        match written {
            Ok(()) => {
                assert!(done, "reported as done: {changes:?}");
                self.count(what, "done");
            }
            Err(Error::OutcomeUnknown { .. }) => {
                self.count(what, if done { "unknown, done" } else { "unknown, not done" })
            }
            Err(error) => {
                assert!(undone, "reported as not done: {error}: {changes:?}");
                self.count(what, "refused");
            }
        }
    }
}

/// What a change is to leave in an app.
#[derive(Debug, Default)]
struct Effect {
    app: u64,
    added: usize,
    changed: Vec<u64>,
    deleted: Vec<u64>,
}

impl Effect {
    /// Whether all of it is there, exactly once.
    fn is_in(&self, before: &Snapshot, after: &Snapshot, tag: &str) -> bool {
        let of_app = |world: &Snapshot| world.keys().filter(|(app, _)| *app == self.app).count();
        let revision = |world: &Snapshot, id: u64| -> Option<u64> {
            world.get(&(self.app, id))?["$revision"]["value"].as_str()?.parse().ok()
        };
        let changed = self.changed.iter().all(|id| {
            after.get(&(self.app, *id)).is_some_and(|record| record["t"]["value"] == tag)
                && revision(after, *id) == revision(before, *id).map(|revision| revision + 1)
        });
        let new = after.iter().filter(|(at, record)| {
            at.0 == self.app && !before.contains_key(at) && record["t"]["value"] == tag
        });
        changed
            && new.count() == self.added
            && self.deleted.iter().all(|id| !after.contains_key(&(self.app, *id)))
            && of_app(after) + self.deleted.len() == of_app(before) + self.added
    }
}

/// Whether all records stayed as they were but those that were to change.
fn touches_no_other(before: &Snapshot, after: &Snapshot, effects: &[Effect], tag: &str) -> bool {
    let meant = |(app, id): &(u64, u64)| {
        effects.iter().any(|e| e.app == *app && (e.changed.contains(id) || e.deleted.contains(id)))
    };
    before.iter().filter(|(at, _)| !meant(at)).all(|(at, record)| after.get(at) == Some(record))
        && after
            .iter()
            .filter(|(at, _)| !before.contains_key(at))
            .all(|(_, record)| record["t"]["value"] == tag)
}

async fn seed(seed: u64) -> BTreeMap<(&'static str, &'static str), u64> {
    let world = Arc::new(Fixture::from_json(&world()).unwrap());
    let emulator = Emulator::start(world, Options::default()).await.unwrap();
    let credentials = Credentials::Password { user: "sato".into(), password: Secret::new("pw") };
    let mut config = ClientConfig::new("k", emulator.url().parse().unwrap(), credentials);
    config.read_only = false;
    config.retry = RetryConfig { attempts: 4, ..RetryConfig::default() };
    let clock = Arc::new(Leaping { start: Instant::now(), gone: Mutex::default() });
    let client = Client::in_domains(config, &Domains::new(Arc::clone(&clock) as _)).unwrap();
    let rng = fastrand::Rng::with_seed(seed);
    let mut run = Run { client, store: emulator.backdoor(), rng, clock, counts: BTreeMap::new() };
    emulator.fault_plan(Plan::passing(seed, RATE));
    for operation in 0..OPERATIONS {
        // A minute passes: a domain that was taken for silent is asked again.
        run.clock.leap(Duration::from_secs(60));
        if run.rng.bool() {
            let app = run.rng.u64(1..=2);
            run.read(app).await;
        } else {
            run.write(&format!("s{seed}o{operation}")).await;
        }
    }
    emulator.stop().await;
    run.counts
}

/// Prints the seed where a run fails.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed is {}", self.0);
        }
    }
}

#[tokio::test]
async fn what_is_reported_is_what_is_true() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match number("KINTONE_SQL_SEED") {
        Some(one) => one..one + 1,
        None => 0..number("KINTONE_SQL_SEEDS").unwrap_or(SEEDS),
    };
    let mut counts: BTreeMap<(&'static str, &'static str), u64> = BTreeMap::new();
    for seed in seeds.clone() {
        let named = Named(seed);
        for (end, count) in self::seed(seed).await {
            *counts.entry(end).or_default() += count;
        }
        drop(named);
    }
    println!("{counts:#?}");
    if seeds.end - seeds.start >= SEEDS {
        // Every way to end was met.
        for end in [
            ("page", "right"),
            ("page", "error"),
            ("cursor", "right"),
            ("cursor", "error"),
            ("count", "right"),
            ("record", "right"),
            ("change", "done"),
            ("change", "refused"),
            ("change", "unknown, done"),
            ("change", "unknown, not done"),
            ("bulk", "done"),
            ("bulk", "unknown, done"),
            ("bulk", "unknown, not done"),
        ] {
            assert!(counts.get(&end).is_some_and(|count| *count > 0), "{end:?} never happened: {counts:?}");
        }
    }
}
