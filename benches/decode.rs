//! How fast a page of records becomes Arrow: one core, 500 records of 14 typed columns a page.
//!
//! `cargo bench --bench decode`. The goal is 500,000 records a second.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench may fail and prints"
)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use kintone_sql::kintone::{FieldProperties, Form};
use kintone_sql::table::{Columns, FormContext, PageReader};

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

const RECORDS: usize = 500;

fn form() -> Form {
    let field = |(code, kind, _): &(&str, &str, &str)| FieldProperties {
        kind: (*kind).into(),
        code: (*code).into(),
        enabled: true,
        ..FieldProperties::default()
    };
    Form { revision: "1".into(), fields: FIELDS.iter().map(field).collect() }
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

fn main() {
    let context = FormContext { scale: 10, time_zone: chrono_tz::UTC, by_label: false };
    let columns = Columns::of_records(&form(), context);
    let mut reader = PageReader::new(&columns);
    let page = page();
    let mut best = Duration::MAX;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(3) {
        let once = Instant::now();
        for _ in 0..20 {
            assert_eq!(reader.read(page.as_bytes()).unwrap().num_rows(), RECORDS);
        }
        best = best.min(once.elapsed());
    }
    let seconds = best.as_secs_f64() / 20.0;
    let (records, bytes) = (RECORDS as f64 / seconds, page.len() as f64 / seconds / 1e6);
    println!("decode: {records:.0} records/s, {bytes:.0} MB/s, {} bytes a page", page.len());
}
