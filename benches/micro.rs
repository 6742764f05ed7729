//! What costs this process alone: decoding of pages, planning, translation of filters. One core, no network.
//!
//! `cargo bench --bench micro`; the goals are half a million records of 14 typed columns decoded in a second, and
//! less than a millisecond from the text of a simple query to a plan that runs.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a bench may fail")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::TableProviderFilterPushDown;
use datafusion::prelude::{Expr, col, lit};
use datafusion::scalar::ScalarValue;
use kintone_sql::emulator::{Emulator, Fixture, Options};
use kintone_sql::engine::{Engine, EngineConfig, Session, User};
use kintone_sql::kintone::{AppKey, Client, ClientConfig, Credentials, FieldProperties, Form, Secret};
use kintone_sql::table::{
    AppTable, Columns, FormContext, PageReader, Remembered, Rules, ScanSettings, TableRef,
};
use serde_json::json;
use tokio::runtime::Runtime;

/// Code, type and value (JSON) of each field but `$id` and `$revision`.
const FIELDS: &[(&str, &str, &str)] = &[
    ("会社名", "SINGLE_LINE_TEXT", "\"株式会社高崎電機\""),
    ("備考", "MULTI_LINE_TEXT", "\"一行目\\n二行目\""),
    ("金額", "NUMBER", "\"1234567.89\""),
    ("数量", "NUMBER", "\"42\""),
    ("ランク", "DROP_DOWN", "\"A\""),
    ("タグ", "CHECK_BOX", "[\"重要\",\"急ぎ\"]"),
    ("受注日", "DATE", "\"2026-04-24\""),
    ("予定", "DATETIME", "\"2026-04-24T12:00:00Z\""),
    ("開始", "TIME", "\"09:30\""),
    ("担当", "USER_SELECT", "[{\"code\":\"sato\",\"name\":\"佐藤 花子\"}]"),
    ("作成者", "CREATOR", "{\"code\":\"sato\",\"name\":\"佐藤 花子\"}"),
    ("作成日時", "CREATED_TIME", "\"2026-01-01T00:00:00Z\""),
];

/// In a page, as many as Kintone gives at most.
const RECORDS: u64 = 500;

fn columns() -> Columns {
    let field = |(code, kind, _): &(&str, &str, &str)| FieldProperties {
        kind: (*kind).into(),
        code: (*code).into(),
        enabled: true,
        options: if *kind == "DROP_DOWN" { vec!["A".into(), "B".into()] } else { vec![] },
        ..FieldProperties::default()
    };
    let form = Form { revision: "1".into(), fields: FIELDS.iter().map(field).collect() };
    Columns::of_records(&form, FormContext { scale: 10, time_zone: chrono_tz::UTC, by_label: false })
}

fn page() -> String {
    let mut page = String::from("{\"records\":[");
    for id in 1..=RECORDS {
        let comma = if id == 1 { "" } else { "," };
        write!(page, "{comma}{{\"$id\":{{\"type\":\"__ID__\",\"value\":\"{id}\"}},").unwrap();
        page.push_str("\"$revision\":{\"type\":\"__REVISION__\",\"value\":\"3\"}");
        for (code, kind, value) in FIELDS {
            write!(page, ",\"{code}\":{{\"type\":\"{kind}\",\"value\":{value}}}").unwrap();
        }
        page.push('}');
    }
    page.push_str("],\"totalCount\":null}");
    page
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    let (columns, page) = (columns(), page());
    let mut reader = PageReader::new(&columns);
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("page", |bencher| {
        bencher.iter(|| reader.read(black_box(page.as_bytes())).unwrap());
    });
    group.finish();
}

/// A session over an app whose form is known already.
async fn session() -> (Emulator, Session) {
    let fixture = json!({
        "users": [{"code": "demo", "password": "demo"}],
        "apps": [{
            "app": {"appId": 1, "code": "T"},
            "form": {"properties": {
                "会社名": {"type": "SINGLE_LINE_TEXT"}, "金額": {"type": "NUMBER"},
                "ランク": {"type": "DROP_DOWN", "options": ["A", "B"]}, "受注日": {"type": "DATE"}
            }},
            "records": [{"会社名": "a", "金額": "1", "ランク": "A", "受注日": "2026-04-24"}]
        }]
    });
    let world = Arc::new(Fixture::from_json(&fixture).unwrap());
    let emulator = Emulator::start(world, Options::default()).await.unwrap();
    let credentials = Credentials::Password { user: "demo".into(), password: Secret::new("demo") };
    let config = ClientConfig::new("public", emulator.url().parse().unwrap(), credentials);
    let engine = Engine::new(EngineConfig::default(), vec![Client::new(config).unwrap()]).unwrap();
    let session = engine.session(User { name: "bench".into(), administrator: true });
    session.run("SELECT * FROM t LIMIT 0").await.unwrap();
    (emulator, session)
}

/// From text to a stream that would send its first request when it is asked for rows.
fn planning(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let (emulator, session) = runtime.block_on(session());
    let mut group = criterion.benchmark_group("planning");
    for (name, sql) in [
        ("simple", "SELECT 会社名, 金額 FROM t WHERE 金額 >= 1000 LIMIT 10"),
        ("top_k", "SELECT 会社名 FROM t WHERE ランク = 'A' ORDER BY 金額 DESC LIMIT 10"),
        ("group", "SELECT ランク, count(*) FROM t GROUP BY ランク"),
        ("join", "SELECT a.会社名 FROM t a JOIN t b ON a.会社名 = b.会社名 WHERE b.受注日 > '2026-04-01'"),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (),
                |()| runtime.block_on(session.run(black_box(sql))).unwrap(),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
    runtime.block_on(emulator.stop());
}

/// One filter to Kintone's query language.
fn pushdown(criterion: &mut Criterion) {
    let reference =
        TableRef { connection: "public".into(), app: AppKey { id: 1, guest_space: None }, name: "T".into() };
    let settings = ScanSettings { pushdown: Rules::ON, page_size: 500, concurrency: 10, fault: None };
    let table = AppTable::new(reference, Arc::new(columns()), settings, Arc::new(Remembered::default()));
    // As the planner leaves it, in the column's type.
    let number = || lit(ScalarValue::Decimal128(Some(10_000_000_000_000), 38, 10));
    let amount = || col(quoted("金額"));
    let options = ["A", "B"].map(lit).to_vec();
    let ids = (1..=100_i64).map(lit).collect();
    let filters: [(&str, Expr); 4] = [
        ("choice", col(quoted("ランク")).eq(lit("A"))),
        ("number", amount().gt_eq(number())),
        (
            "tree",
            col(quoted("ランク"))
                .in_list(options, false)
                .and(amount().lt(number()).or(amount().is_null()))
                .and(col(quoted("会社名")).eq(lit("株式会社高崎電機"))),
        ),
        ("ids", col(quoted("$id")).in_list(ids, false)),
    ];
    let mut group = criterion.benchmark_group("pushdown");
    for (name, filter) in &filters {
        // What stays here would cost nothing.
        let verdict = table.supports_filters_pushdown(&[filter]).unwrap();
        assert_ne!(verdict, [TableProviderFilterPushDown::Unsupported], "{name}");
        group.bench_function(*name, |bencher| {
            bencher.iter(|| table.supports_filters_pushdown(&[black_box(filter)]).unwrap());
        });
    }
    group.finish();
}

/// A column's name, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

criterion_group!(benches, decode, planning, pushdown);
criterion_main!(benches);
