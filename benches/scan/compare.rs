//! The runs: in each round every client has its turn.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kintone_sql::engine::Engine;
use serde_json::{Value, json};

use super::children::{Partner, itself, official_client, psql};
use super::ours::{self, engine, hash, read, select, texts};
use super::reader;
use super::world::{APPS, FIELDS};

/// What is compared, by the official client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison {
    pub(crate) what: &'static str,
    /// The official client's side.
    pub(crate) theirs: &'static str,
    /// Ours.
    pub(crate) ours: &'static str,
    /// Milliseconds that Kintone takes for each request.
    pub(crate) latency: u64,
    /// How many times faster it is to be.
    pub(crate) goal: Option<f64>,
}

/// The name of the official client's run over everything.
const FULL: &str = "getAllRecords({app})";

const fn comparison(
    what: &'static str,
    (theirs, ours): (&'static str, &'static str),
    latency: u64,
    goal: Option<f64>,
) -> Comparison {
    Comparison { what, theirs, ours, latency, goal }
}

/// In the order of the table.
pub(crate) const COMPARISONS: &[Comparison] = &[
    comparison("All of 100,000 records, 10 requests at once", (FULL, "engine 10"), 200, Some(9.0)),
    comparison("All of 100,000 records, 50 requests at once", (FULL, "engine 50"), 200, Some(30.0)),
    comparison("The same into psql, 10 at once", (FULL, "psql 10"), 200, None),
    comparison("`count(*)`", ("count", "count 10"), 200, Some(150.0)),
    comparison("The first 10 of an order", ("top", "top 10"), 200, Some(150.0)),
    comparison("`GROUP BY` a choice of three", ("groups", "groups 10"), 200, Some(150.0)),
    comparison("All of 100,000 records, 10 requests at once", (FULL, "engine 10"), 0, Some(5.0)),
    comparison("All of 100,000 records, 50 requests at once", (FULL, "engine 50"), 0, Some(5.0)),
    comparison("The same into psql, 10 at once", (FULL, "psql 10"), 0, Some(3.0)),
    comparison("`count(*)`", ("count", "count 10"), 0, Some(150.0)),
    comparison("The first 10 of an order", ("top", "top 10"), 0, Some(150.0)),
    comparison("`GROUP BY` a choice of three", ("groups", "groups 10"), 0, Some(150.0)),
    comparison("One record by its id", ("one", "one 10"), 0, None),
    comparison("One record by its id", ("one", "one 10"), 200, None),
    comparison("All of 100 records", ("hundred", "hundred 10"), 0, None),
    comparison("All of 100 records, first statement", ("hundred", "first 10"), 200, None),
];

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// Seconds of each run by latency and name.
    pub(crate) runs: BTreeMap<(u64, &'static str), Vec<f64>>,
    /// Requests of the last run by latency and name.
    pub(crate) requests: BTreeMap<(u64, &'static str), u64>,
    /// What readers found out, by records and requests at once.
    pub(crate) readers: Vec<(u64, usize, Value)>,
    pub(crate) took: Duration,
}

impl Results {
    fn add(&mut self, latency: u64, name: &'static str, seconds: f64, requests: u64) {
        println!("{latency:>4} ms  {name:<44} {seconds:>9.4} s  {requests:>4} requests");
        self.runs.entry((latency, name)).or_default().push(seconds);
        self.requests.insert((latency, name), requests);
    }

    /// The median of the runs.
    pub(crate) fn median(&self, latency: u64, name: &'static str) -> f64 {
        let mut runs = self.runs[&(latency, name)].clone();
        runs.sort_by(f64::total_cmp);
        runs[runs.len() / 2]
    }
}

/// Who takes turns.
struct Field {
    kintone: Partner,
    official: Partner,
    ten: Engine,
    fifty: Engine,
    /// psql comes in here, to the engine with ten requests at once.
    port: u16,
    url: String,
}

const TABLE: &str = "hundred_thousand";
const APP: u64 = 3;

pub(crate) async fn run() -> Results {
    let started = Instant::now();
    let mut kintone = Partner::start(&mut itself(&["--emulator"]));
    let url = kintone.line();
    let (ten, fifty) = (engine(&url, 10), engine(&url, 50));
    let port = ours::door(ten.clone()).await;
    let official = official_client(&url);
    let mut field = Field { kintone, official, ten, fifty, port, url };
    let mut results = Results::default();
    field.check().await;
    let rounds = std::env::var("SCAN_ROUNDS").ok().and_then(|n| n.parse().ok());
    for (latency, usual) in [(0, 7), (200, 3)] {
        field.kintone.ask(&format!("latency {latency}"));
        for _ in 0..rounds.unwrap_or(usual) {
            field.round(latency, &mut results).await;
        }
    }
    field.kintone.ask("latency 0");
    for _ in 0..rounds.unwrap_or(3) {
        field.readers(&mut results);
    }
    results.took = started.elapsed();
    results
}

impl Field {
    /// Everyone must have read the same.
    async fn check(&mut self) {
        for (app, code, records) in APPS.into_iter().filter(|(.., records)| *records <= 100_000) {
            let theirs = self.official.json(&json!({"task": "all", "app": app, "fields": FIELDS}));
            let (theirs, rows) = (theirs["hash"].as_str().unwrap().to_owned(), theirs["rows"].as_u64());
            assert_eq!(rows, Some(records), "{code}: the official client");
            for (name, engine) in [("10 at once", &self.ten), ("50 at once", &self.fifty)] {
                let (_, rows) = texts(engine, &select(code)).await;
                assert_eq!(u64::try_from(rows.len()).ok(), Some(records), "{code}: {name}");
                assert_eq!(hash(rows), theirs, "{code}: {name}");
            }
            let mut printed = vec![];
            psql(self.port, &select(code), Some(&mut printed));
            let printed = String::from_utf8(printed).unwrap();
            let rows = printed.trim_end_matches('\n').trim_end_matches('\u{1e}').split('\u{1e}');
            let rows = rows.map(|row| row.split('\u{1f}').map(str::to_owned).collect()).collect::<Vec<_>>();
            assert_eq!(u64::try_from(rows.len()).ok(), Some(records), "{code}: psql");
            assert_eq!(hash(rows), theirs, "{code}: psql");
        }
        println!("all clients read the same rows");
    }

    fn requests(&mut self) -> u64 {
        self.kintone.ask("requests").parse().unwrap()
    }

    async fn round(&mut self, latency: u64, results: &mut Results) {
        self.requests();
        let all = self.official.json(&json!({"task": "all", "app": APP}));
        assert_eq!(all["rows"], 100_000);
        results.add(latency, FULL, seconds(&all), self.requests());
        for (name, engine) in [("engine 10", self.ten.clone()), ("engine 50", self.fifty.clone())] {
            let (took, rows) = read(&engine, &select(TABLE)).await;
            assert_eq!(rows, 100_000);
            results.add(latency, name, took.as_secs_f64(), self.requests());
        }
        let took = psql(self.port, &select(TABLE), None);
        results.add(latency, "psql 10", took.as_secs_f64(), self.requests());
        self.computed(latency, results).await;
        self.small(latency, results).await;
    }

    async fn computed(&mut self, latency: u64, results: &mut Results) {
        let task = json!({"task": "computed", "app": APP, "amount": "金額", "rank": "ランク"});
        let theirs = self.official.json(&task);
        let requests = self.requests();
        for (name, ours, sql) in [
            ("count", "count 10", format!("SELECT count(*) FROM {TABLE}")),
            ("top", "top 10", format!("SELECT 金額 FROM {TABLE} ORDER BY 金額 DESC NULLS LAST LIMIT 10")),
            ("groups", "groups 10", format!("SELECT ランク, count(*) FROM {TABLE} GROUP BY ランク")),
        ] {
            results.add(latency, name, seconds(&theirs[name]), requests);
            let (took, mut rows) = texts(&self.ten, &sql).await;
            results.add(latency, ours, took.as_secs_f64(), self.requests());
            if name == "groups" {
                rows.iter_mut().for_each(|row| row[0] = row[0].replace("\\N", ""));
                rows.sort();
            }
            let rows: Vec<String> = rows.iter().map(|row| row.join("=")).collect();
            assert_eq!(theirs[name]["answer"].as_str().unwrap(), rows.join(" "), "{name}");
        }
    }

    /// Where there is nothing to gain: as many requests as the official client sends, or more.
    async fn small(&mut self, latency: u64, results: &mut Results) {
        let one = self.official.json(&json!({"task": "one", "app": APP, "id": 50_000}));
        results.add(latency, "one", seconds(&one), self.requests());
        let (took, rows) = read(&self.ten, &format!("{} WHERE id = 50000", select(TABLE))).await;
        assert_eq!(rows, 1);
        results.add(latency, "one 10", took.as_secs_f64(), self.requests());
        let hundred = self.official.json(&json!({"task": "all", "app": 1}));
        results.add(latency, "hundred", seconds(&hundred), self.requests());
        let (took, rows) = read(&self.ten, &select("hundred")).await;
        assert_eq!(rows, 100);
        results.add(latency, "hundred 10", took.as_secs_f64(), self.requests());
        let fresh = engine(&self.url, 10);
        let (took, _) = read(&fresh, &select("hundred")).await;
        results.add(latency, "first 10", took.as_secs_f64(), self.requests());
    }

    fn readers(&mut self, results: &mut Results) {
        for (_, code, records) in APPS.into_iter().filter(|(.., records)| *records >= 10_000) {
            let of = |concurrency| (records, concurrency, reader::ask(&self.url, concurrency, code, records));
            let mut found = vec![of(10)];
            if records == 1_000_000 {
                found.push(of(50));
            }
            found.iter().for_each(|(records, at_once, found)| println!("{records} at {at_once}: {found}"));
            results.readers.extend(found);
        }
    }
}

fn seconds(answer: &Value) -> f64 {
    answer["ms"].as_f64().unwrap() / 1e3
}
