//! The runs: in each round every server has its turn.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::client::Client;
use super::servers::Process;
use super::{data, number, servers};

/// What was measured of each server: name of the measurement, name of the server, seconds.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) rows: usize,
    pub(crate) rounds: usize,
    pub(crate) runs: BTreeMap<(&'static str, &'static str), Vec<f64>>,
    /// KiB of the resident set for each idle connection.
    pub(crate) idle: f64,
    pub(crate) took: Duration,
}

impl Results {
    fn add(&mut self, what: &'static str, of: &'static str, took: Duration) {
        self.runs.entry((what, of)).or_default().push(took.as_secs_f64());
    }

    pub(crate) fn median(&self, what: &'static str, of: &'static str) -> Option<f64> {
        let mut values = self.runs.get(&(what, of))?.clone();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }
}

const ALL: &str = "SELECT * FROM big";
/// Small statements of one round.
const SMALL: usize = 2000;
/// Connections that do nothing.
const IDLE: usize = 1000;
/// Apps of the embedded Kintone.
const APPS: usize = 1000;

/// Starts everything and measures it.
pub(crate) async fn run() -> Results {
    let started = Instant::now();
    let folder = tempfile::Builder::new().prefix("kintone-sql-serve").tempdir_in("/tmp").unwrap();
    // PostgreSQL runs as another user, and must get through.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let mut results = Results {
        rows: number("SERVE_ROWS", 1_000_000),
        rounds: number("SERVE_ROUNDS", 5),
        ..Results::default()
    };
    let files = data::write(folder.path(), results.rows);
    let (_emulator, ours) = servers::ours(folder.path(), &files, APPS);
    let postgres = servers::postgres(folder.path(), &files).await;
    let roapi = servers::roapi(&files).await;
    let mut all = vec![("kintone-sql", &ours), ("PostgreSQL", &postgres)];
    all.extend(roapi.as_ref().map(|roapi| ("roapi", roapi)));
    // Before anything else: memory that large results gave back would be taken for them.
    results.idle = idle(&ours).await;
    check(&all).await;
    for _ in 0..results.rounds {
        for (name, process) in &all {
            whole(name, process, &mut results).await;
            small(name, process, &mut results).await;
        }
        catalog(&ours, &mut results).await;
    }
    results.took = started.elapsed();
    results
}

/// Every server gives the same values, of every hundredth row.
async fn check(all: &[(&'static str, &Process)]) {
    let sql = "SELECT id, quantity, company, city FROM big WHERE id % 100 = 0 ORDER BY id";
    let mut expected = None;
    for (name, process) in all {
        let mut rows = process.server.connect().await.texts(sql).await;
        for row in &mut rows {
            for value in row.iter_mut().flatten() {
                // Not everybody prints as PostgreSQL does.
                let short = match value.as_str() {
                    "true" => "t",
                    "false" => "f",
                    other => other.strip_suffix(".0").unwrap_or(other),
                };
                *value = short.to_owned();
            }
        }
        let expected = expected.get_or_insert_with(|| rows.clone());
        let other = expected.iter().zip(&rows).find(|(one, other)| one != other);
        assert!(
            *expected == rows,
            "{name} gives other rows: {} of {}, {other:?}",
            rows.len(),
            expected.len()
        );
    }
}

/// Everything, in each way that the server knows.
async fn whole(name: &'static str, process: &Process, results: &mut Results) {
    let client = process.server.connect().await;
    let (took, rows) = client.text(ALL).await;
    assert_eq!(rows, results.rows, "{name}");
    results.add("text", name, took);
    let statement = client.prepare(ALL).await;
    let (took, rows) = client.binary(&statement).await;
    assert_eq!(rows, results.rows, "{name}");
    results.add("binary", name, took);
    if name != "roapi" {
        let (took, rows) = client.copy("COPY (SELECT * FROM big) TO STDOUT").await;
        assert_eq!(rows, results.rows, "{name}");
        results.add("copy", name, took);
    }
    results.add("first", name, client.first(ALL).await);
}

/// Statements that compute next to nothing. The median of a round is one value.
async fn small(name: &'static str, process: &Process, results: &mut Results) {
    let client = process.server.connect().await;
    let statement = client.prepare("SELECT 1").await;
    let (mut prepared, mut simple) = (vec![], vec![]);
    for _ in 0..SMALL {
        prepared.push(client.binary(&statement).await.0);
        simple.push(client.text("SELECT 1").await.0);
    }
    for (what, mut times) in [("prepared", prepared), ("simple", simple)] {
        times.sort_unstable();
        results.add(what, name, times[times.len() / 2]);
    }
}

/// What `\d` of psql asks first, over many apps.
async fn catalog(ours: &Process, results: &mut Results) {
    let sql = "SELECT n.nspname as \"Schema\", c.relname as \"Name\", CASE c.relkind WHEN 'r' THEN 'table' \
               WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN \
               'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN \
               'partitioned table' WHEN 'I' THEN 'partitioned index' END as \"Type\", \
               pg_catalog.pg_get_userbyid(c.relowner) as \"Owner\" FROM pg_catalog.pg_class c LEFT JOIN \
               pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = \
               c.relam WHERE c.relkind IN ('r','p','v','m','S','f','') AND n.nspname <> 'pg_catalog' AND \
               n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' AND \
               pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2";
    let client = ours.server.connect().await;
    let (took, rows) = client.text(sql).await;
    assert!(rows > APPS, "{rows} tables");
    // The first of all reads the list of apps.
    if results.runs.contains_key(&("list", "kintone-sql first")) {
        results.add("list", "kintone-sql", took);
    } else {
        results.add("list", "kintone-sql first", took);
        results.add("list", "kintone-sql", client.text(sql).await.0);
    }
}

/// The memory of connections that have asked something, and wait.
async fn idle(ours: &Process) -> f64 {
    let mut clients: Vec<Client> = vec![];
    // The first ones fill what is shared.
    for _ in 0..10 {
        clients.push(asked(ours).await);
    }
    let before = resident(ours.id());
    for _ in 0..IDLE {
        clients.push(asked(ours).await);
    }
    (resident(ours.id()) - before) / IDLE as f64
}

async fn asked(ours: &Process) -> Client {
    let client = ours.server.connect().await;
    client.text("SELECT 1").await;
    client.binary(&client.prepare("SELECT 2").await).await;
    client
}

/// KiB of a process's resident set.
fn resident(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}
