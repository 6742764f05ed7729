//! The Kintone that everybody is measured against: four apps of one form, in a process of its own.

use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

use kintone_sql::emulator::app::{AppDefinition, Cell, Comment, Entity, Record, World};
use kintone_sql::emulator::{Emulator, Fault, Fixture, Options, When};
use serde_json::json;

/// App ids with their codes and how many records they have.
pub(crate) const APPS: [(u64, &str, u64); 4] = [
    (1, "HUNDRED", 100),
    (2, "TEN_THOUSAND", 10_000),
    (3, "HUNDRED_THOUSAND", 100_000),
    (4, "MILLION", 1_000_000),
];

/// The fourteen fields of each record, in the order in which they are compared.
pub(crate) const FIELDS: [&str; 14] = [
    "$id",
    "$revision",
    "レコード番号",
    "作成者",
    "作成日時",
    "更新者",
    "更新日時",
    "会社名",
    "備考",
    "金額",
    "ランク",
    "タグ",
    "受注日",
    "予定",
];

/// Minutes from 1970 to 2026.
const YEAR_2026: i64 = 29_454_720;

struct Apps(Fixture);

impl World for Apps {
    fn directory(&self) -> Vec<Entity> {
        self.0.directory()
    }

    fn apps(&self) -> Vec<AppDefinition> {
        self.0.apps()
    }

    fn records(&self, app: u64) -> Vec<Record> {
        let count = APPS.iter().find(|(id, ..)| *id == app).map_or(0, |(.., count)| *count);
        (1..=count).map(record).collect()
    }

    fn comments(&self, _: u64) -> Vec<(u64, Vec<Comment>)> {
        vec![]
    }
}

/// Every value follows from the id; amounts are all different.
fn record(id: u64) -> Record {
    let pick = |of: &[&str]| of[usize::try_from(id).unwrap() % of.len()].to_owned();
    let text = |text: String| if text.is_empty() { Cell::Empty } else { Cell::Text(text) };
    let minutes = YEAR_2026 + i64::try_from(id).unwrap();
    Record {
        id,
        revision: 1 + id % 4,
        creator: pick(&["demo", "sato"]),
        modifier: pick(&["sato", "demo", "demo"]),
        created_at: minutes,
        updated_at: minutes + 60,
        status: None,
        assignees: vec![],
        categories: vec![],
        cells: vec![
            text(format!("株式会社 {id}")),
            text(pick(&[
                "",
                "一行目\n二行目",
                "\"至急\" 対応",
                "先方確認待ち。次回の打合せで金額を決める。",
            ])),
            text((id * 48_271 % 1_000_003).to_string()),
            text(pick(&["A", "B", "C", "A", ""])),
            Cell::Texts(if id.is_multiple_of(3) { vec![] } else { vec!["重要".into(), "急ぎ".into()] }),
            text(format!("2026-{:02}-{:02}", 1 + id % 12, 1 + id % 28)),
            text(format!("2026-{:02}-{:02}T{:02}:30:00Z", 1 + id % 12, 1 + id % 28, id % 24)),
        ],
    }
}

fn fixture() -> Fixture {
    let apps = APPS.map(|(id, code, _)| {
        json!({
            "app": {"appId": id, "code": code},
            "form": {"properties": {
                "会社名": {"type": "SINGLE_LINE_TEXT"}, "備考": {"type": "MULTI_LINE_TEXT"},
                "金額": {"type": "NUMBER"}, "ランク": {"type": "DROP_DOWN", "options": ["A", "B", "C"]},
                "タグ": {"type": "CHECK_BOX", "options": ["重要", "急ぎ"]},
                "受注日": {"type": "DATE"}, "予定": {"type": "DATETIME"}
            }}
        })
    });
    let users = json!([{"code": "demo", "password": "demo"}, {"code": "sato"}]);
    Fixture::from_json(&json!({"users": users, "apps": apps})).unwrap()
}

/// Serves until standard input ends. Prints its URL, then a line for each line that it is sent: `latency MS`;
/// `gzip off`; `requests`, how many since that was asked last.
pub(crate) async fn serve() {
    let emulator = Emulator::start(Arc::new(Apps(fixture())), Options::default()).await.unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "{}", emulator.url()).unwrap();
    let mut lines = std::io::stdin().lock().lines();
    while let Some(Ok(line)) = lines.next() {
        let mut answer = "ok".to_owned();
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("latency", ms) => emulator.set_latency(Duration::from_millis(ms.parse().unwrap())),
            ("gzip", "off") => emulator.fault(When::next().always(), Fault::Gzip(false)),
            ("gzip", _) => emulator.heal(),
            _ => {
                answer = emulator.totals().requests.to_string();
                emulator.clear_requests();
            }
        }
        writeln!(out, "{answer}").unwrap();
    }
    emulator.stop().await;
}
