//! Keys that go down into Kintone change no join: random tables and statements, with each part of the pushdown,
//! however Kintone's open facts turn out.
//!
//! `JOIN_CASES` is the number of worlds ([`QUERIES`] statements each), `JOIN_SEED` another run of the dice,
//! `JOIN_SHRINK` how often a failure is made smaller.

use kintone_sql::emulator::{SWITCHES, Unknowns};
use kintone_sql::engine::Session;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::world::{Answer, World, run};

/// Statements of one world.
const QUERIES: usize = 20;
/// 20 * 76 > 1,500 statements.
const CASES: u32 = 76;

/// What `kintone.pushdown` is set to; the answers of the first are the truth.
const RULES: [&str; 4] = ["off", "on", "join", "filter, join"];

/// Few values, so that many match, and texts that Kintone may take for one another.
const TEXTS: &[&str] = &["a", "A", "ａ", "a ", "b", "ア", "ｱ", "1", "01", "say \"hi\"", "\u{1}"];
const NUMBERS: &[&str] = &["0", "1", "1.0", "2", "3", "-1", "2.5", "12345678901234567890", "0.0000000001"];
const DATES: &[&str] = &["2026-01-31", "2026-02-28", "2024-02-29", "1999-12-31"];
const TIMES: &[&str] = &["00:00", "09:00", "23:59"];
const INSTANTS: &[&str] = &["2026-03-31T15:00:00Z", "2026-03-31T15:01:00Z", "2024-02-29T12:00:00Z"];
const OPTIONS: &[&str] = &["x", "y", "X"];

/// Field code, type in Kintone, values.
const FIELDS: &[(&str, &str, &[&str])] = &[
    ("text", "SINGLE_LINE_TEXT", TEXTS),
    ("link", "LINK", TEXTS),
    ("number", "NUMBER", NUMBERS),
    ("calc", "CALC", NUMBERS),
    ("ref", "NUMBER", &["1", "2", "3", "5", "7", "11", "13"]),
    ("date", "DATE", DATES),
    ("time", "TIME", TIMES),
    ("instant", "DATETIME", INSTANTS),
    ("drop", "DROP_DOWN", OPTIONS),
    ("radio", "RADIO_BUTTON", OPTIONS),
];

/// A record: each field empty one time in four, up to two rows in its table.
fn record() -> impl Strategy<Value = Value> {
    let cell = |pool: &'static [&'static str]| prop_oneof![3 => select(pool).prop_map(str::to_owned), 1 => Just(String::new())];
    let cells: Vec<BoxedStrategy<(String, Value)>> = FIELDS
        .iter()
        .map(|(code, _, pool)| {
            cell(pool).prop_map(move |v| ((*code).to_owned(), json!({"value": v}))).boxed()
        })
        .collect();
    let rows = proptest::collection::vec((cell(TEXTS), cell(NUMBERS)), 0..3);
    (cells, rows).prop_map(|(cells, rows)| {
        let mut record: Map<String, Value> = cells.into_iter().collect();
        let row = |(text, number)| json!({"value": {"item": {"value": text}, "amount": {"value": number}}});
        record.insert("rows".into(), json!({"value": rows.into_iter().map(row).collect::<Vec<_>>()}));
        Value::Object(record)
    })
}

fn fixture(apps: &[Vec<Value>]) -> Value {
    let property = |(code, kind, _): &(&str, &str, &[&str])| {
        let mut property = json!({"type": kind});
        match *kind {
            "DROP_DOWN" | "RADIO_BUTTON" => property["options"] = json!(OPTIONS),
            "CALC" => property["format"] = json!("NUMBER"),
            _ => {}
        }
        ((*code).to_owned(), property)
    };
    let mut properties: Map<String, Value> = FIELDS.iter().map(property).collect();
    let columns = json!({"item": {"type": "SINGLE_LINE_TEXT"}, "amount": {"type": "NUMBER"}});
    properties.insert("rows".into(), json!({"type": "SUBTABLE", "fields": columns}));
    let app = |(at, records): (usize, &Vec<Value>)| {
        let code = ["L", "R"][at];
        // One of the apps has numbers of another scale.
        let digits = if at == 0 { ("30", "10") } else { ("30", "4") };
        json!({
            "app": {"appId": at + 1, "code": code},
            "settings": {"numberPrecision": {"digits": digits.0, "decimalPlaces": digits.1, "roundingMode": "HALF_EVEN"}},
            "form": {"properties": properties},
            "records": records
        })
    };
    let apps: Vec<Value> = apps.iter().enumerate().map(app).collect();
    json!({"users": [{"code": "demo", "password": "demo"}], "apps": apps})
}

/// Keys of `l` and of `r` that can be compared.
const KEYS: &[(&str, &str)] = &[
    ("text", "text"),
    ("text", "link"),
    ("link", "text"),
    ("number", "number"),
    ("number", "calc"),
    ("calc", "number"),
    ("ref", "number"),
    ("date", "date"),
    ("time", "time"),
    ("instant", "instant"),
    ("drop", "drop"),
    ("drop", "radio"),
    ("drop", "text"),
    ("text", "radio"),
    ("\"$id\"", "\"$id\""),
    ("ref", "\"$id\""),
    ("\"$id\"", "ref"),
    ("text", "\"$id\"::text"),
    ("upper(text)", "text"),
];

/// `on`: one or two keys, at times with a condition that is none.
fn condition() -> BoxedStrategy<String> {
    let key = || select(KEYS);
    let equal = |(l, r): (&str, &str)| {
        let qualified = |table: &str, key: &str| match key.strip_prefix("upper(") {
            Some(rest) => format!("upper({table}.{rest}"),
            None => format!("{table}.{key}"),
        };
        format!("{} = {}", qualified("l", l), qualified("r", r))
    };
    prop_oneof![
        6 => key().prop_map(equal),
        2 => (key(), key()).prop_map(move |(a, b)| format!("{} AND {}", equal(a), equal(b))),
        1 => key().prop_map(move |a| format!("{} AND l.number <= r.number", equal(a))),
        1 => select(&["text", "number", "date", "drop"][..])
            .prop_map(|key| format!("l.{key} IS NOT DISTINCT FROM r.{key}")),
    ]
    .boxed()
}

/// A filter of one table, mostly none.
fn filter(table: &'static str) -> BoxedStrategy<String> {
    let some = select(
        &[
            "T.number > 0",
            "T.drop = 'x'",
            "T.text LIKE '%a%'",
            "T.\"$id\" < 4",
            "T.\"$id\" > 99",
            "T.date >= '2026-01-01'",
            "T.text IS NULL",
        ][..],
    );
    prop_oneof![2 => Just("true".to_owned()), 3 => some.prop_map(move |f| f.replace("T.", &format!("{table}.")))].boxed()
}

/// A side of a join: the table, or some of its rows.
fn side(name: &'static str) -> BoxedStrategy<String> {
    let n = 1..6_u32;
    prop_oneof![
        8 => Just(name.to_owned()),
        1 => n.clone().prop_map(move |n| format!("(SELECT * FROM {name} ORDER BY \"$id\" LIMIT {n}) {name}")),
        1 => n.clone().prop_map(move |n| format!("(SELECT * FROM {name} ORDER BY number DESC, \"$id\" LIMIT {n}) {name}")),
        1 => n.prop_map(move |n| format!("(SELECT * FROM {name} WHERE text LIKE '%a%' ORDER BY \"$id\" LIMIT {n}) {name}")),
    ]
    .boxed()
}

/// A statement, and whether its rows have an order.
#[derive(Debug, Clone)]
struct Statement {
    sql: String,
    ordered: bool,
}

fn joins() -> BoxedStrategy<Statement> {
    let kind = select(&["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"][..]);
    let order = "ORDER BY l.\"$id\", r.\"$id\"";
    let tail = prop_oneof![
        4 => Just((String::new(), false)),
        1 => Just((order.to_owned(), true)),
        1 => Just((format!("{order} DESC"), true)),
        2 => (0..6_u32, 0..3_u32).prop_map(move |(n, skip)| (format!("{order} LIMIT {n} OFFSET {skip}"), true)),
    ];
    (side("l"), kind, side("r"), condition(), filter("l"), filter("r"), tail)
        .prop_map(|(l, kind, r, on, f, g, (tail, ordered))| {
            let columns = "l.\"$id\", r.\"$id\", l.text, r.number";
            let sql = format!("SELECT {columns} FROM {l} {kind} {r} ON {on} WHERE {f} AND {g} {tail}");
            Statement { sql, ordered }
        })
        .boxed()
}

fn statement() -> BoxedStrategy<Statement> {
    let not = || select(&["", "NOT "][..]);
    let unordered = |sql| Statement { sql, ordered: false };
    let exists = (not(), condition(), filter("l"), filter("r")).prop_map(|(not, on, f, g)| {
        format!(
            "SELECT l.\"$id\", text FROM l WHERE {f} AND {not}EXISTS (SELECT 1 FROM r WHERE {on} AND {g})"
        )
    });
    let within = (not(), select(KEYS), filter("l"), filter("r")).prop_map(|(not, (l, r), f, g)| {
        format!("SELECT \"$id\", number FROM l WHERE {f} AND {l} {not}IN (SELECT {r} FROM r WHERE {g})")
    });
    let three = (select(KEYS), condition(), select(&["JOIN", "LEFT JOIN"][..]), filter("r")).prop_map(
        |((a, b), on, kind, f)| {
            let b = if b.starts_with("upper") { "text" } else { b };
            let a = if a.starts_with("upper") { "text" } else { a };
            format!(
                "SELECT l.\"$id\", r.\"$id\", x.\"$id\" FROM l JOIN (r {kind} r x ON r.{a} = x.{b}) ON {on} WHERE {f}"
            )
            .replace(&format!("r.{a} = x.{b}"), &format!("r.\"{}\" = x.\"{}\"", plain(a), plain(a)))
        },
    );
    let rows = (
        select(
            &[
                "l.\"$id\" = s.\"$id\"",
                "l.ref = s.\"$id\"",
                "l.text = s.item",
                "l.number = s.amount",
                "l.text = s.text",
                "l.number = s.amount AND l.drop = s.drop",
            ][..],
        ),
        select(&["l JOIN r_rows s", "r_rows s JOIN l", "l LEFT JOIN r_rows s"][..]),
        filter("l"),
    )
        .prop_map(|(on, from, f)| {
            format!("SELECT l.\"$id\", s.\"$id\", s.\"RowIndex\", item FROM {from} ON {on} WHERE {f}")
        });
    let sets = (
        select(&["text", "number", "date", "drop", "\"$id\", text"][..]),
        select(&["INTERSECT", "EXCEPT", "INTERSECT ALL", "UNION"][..]),
        filter("l"),
        filter("r"),
    )
        .prop_map(|(columns, op, f, g)| {
            format!("SELECT {columns} FROM l WHERE {f} {op} SELECT {columns} FROM r WHERE {g}")
        });
    let grouped = (select(&["text", "number", "drop", "ref", "date"][..]), filter("l")).prop_map(|(key, f)| {
        format!("SELECT l.\"$id\", x.n, x.m FROM l JOIN (SELECT {key}, count(*) AS n, max(number) AS m FROM r GROUP BY {key}) x ON l.{key} = x.{key} WHERE {f}")
    });
    let scalar = (condition(), filter("l")).prop_map(|(on, f)| {
        format!("SELECT l.\"$id\", (SELECT max(r.number) FROM r WHERE {on}) FROM l WHERE {f}")
    });
    prop_oneof![
        8 => joins(),
        3 => exists.prop_map(unordered),
        3 => within.prop_map(unordered),
        2 => three.prop_map(unordered),
        2 => rows.prop_map(unordered),
        1 => sets.prop_map(unordered),
        1 => grouped.prop_map(unordered),
        1 => scalar.prop_map(unordered),
    ]
    .boxed()
}

/// A key's column alone.
fn plain(key: &str) -> &str {
    key.trim_end_matches("::text").trim_matches('"')
}

/// Kintone's open facts: one time in three all strict, else each in any position.
fn unknowns() -> impl Strategy<Value = Unknowns> {
    let any =
        proptest::collection::vec(any::<proptest::sample::Index>(), SWITCHES.len()).prop_map(|positions| {
            SWITCHES.iter().zip(positions).fold(Unknowns::strict(), |unknowns, (switch, position)| {
                let position: &&str = position.get(switch.positions);
                unknowns.with(switch.name, position).unwrap()
            })
        });
    prop_oneof![1 => Just(Unknowns::strict()), 2 => any]
}

/// A world of two apps, and what is asked of it.
#[derive(Debug, Clone)]
struct Case {
    unknowns: Unknowns,
    apps: [Vec<Value>; 2],
    page_size: u32,
    statements: Vec<Statement>,
}

fn case() -> impl Strategy<Value = Case> {
    let records = |most| prop_oneof![1 => Just(vec![]), 14 => proptest::collection::vec(record(), 1..most)];
    let statements = proptest::collection::vec(statement(), QUERIES);
    let page_size = select(&[2_u32, 3, 4, 500][..]);
    (unknowns(), records(9), records(40), page_size, statements).prop_map(
        |(unknowns, left, right, page_size, statements)| Case {
            unknowns,
            apps: [left, right],
            page_size,
            statements,
        },
    )
}

/// How many statements ran, how many were narrowed by keys, and in how many of them there were batches.
#[derive(Debug, Default)]
struct Tally {
    run: u32,
    answered: u32,
    narrowed: u32,
    batches: u32,
}

/// Conditions of keys: without the rule `filter` nothing else compares a field but the seek by `$id`.
fn keyed(query: &str) -> bool {
    let condition = query.split("order by").next().unwrap_or_default();
    condition.contains(" in (")
        || condition.split(" and ").any(|part| part.contains(" = ") || part.contains("!= \"\""))
}

async fn compare(case: &Case, tally: &mut Tally) -> Result<(), String> {
    let world = World::with(&fixture(&case.apps), case.unknowns).await;
    let session = |rules: &str| -> Session {
        let session = world.session();
        session.set("kintone.pushdown", rules).unwrap();
        session.set("kintone.page_size", &case.page_size.to_string()).unwrap();
        session
    };
    let sessions = RULES.map(session);
    for statement in &case.statements {
        let mut answers = vec![];
        for (rules, session) in RULES.iter().zip(&sessions) {
            world.emulator.clear_requests();
            answers.push(run(session, &statement.sql).await);
            if *rules == "join" {
                let sent = world.record_requests();
                let keyed = sent.iter().filter(|r| keyed(r.query.as_deref().unwrap_or_default())).count();
                tally.narrowed += u32::from(keyed > 0);
                tally.batches += u32::from(keyed > 1);
            }
        }
        tally.run += 1;
        tally.answered += u32::from(answers[0].is_ok());
        for (rules, answer) in RULES.iter().zip(&answers) {
            if !same(&answers[0], answer, statement.ordered) {
                return Err(format!(
                    "{}\n{rules}: {answer:?}\noff: {:?}\npage size {}\n{:#?}\n{:?}",
                    statement.sql, answers[0], case.page_size, case.apps, case.unknowns
                ));
            }
        }
    }
    world.emulator.stop().await;
    Ok(())
}

fn same<E>(one: &Result<Answer, E>, other: &Result<Answer, E>, ordered: bool) -> bool {
    let rows = |answer: &Answer| {
        let mut rows = answer.rows.clone();
        if !ordered {
            rows.sort();
        }
        rows
    };
    match (one, other) {
        (Ok(one), Ok(other)) => rows(one) == rows(other),
        (Err(_), Err(_)) => true,
        _ => false,
    }
}

fn number<T: std::str::FromStr>(variable: &str, default: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn joins_answer_alike_with_each_part_of_the_pushdown() {
    let cases = number("JOIN_CASES", CASES);
    let seed: u64 = number("JOIN_SEED", 20_261_126);
    println!("JOIN_SEED={seed} JOIN_CASES={cases}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: number("JOIN_SHRINK", 100),
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let tally = std::cell::RefCell::new(Tally::default());
    let result = runner.run(&case(), |case| {
        let mut tally = tally.borrow_mut();
        runtime.block_on(compare(&case, &mut tally)).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("seed {seed}: {error}");
    }
    let tally = tally.into_inner();
    println!("{tally:?}");
    assert!(tally.run >= cases * QUERIES as u32, "{tally:?}");
    assert!(tally.answered * 10 >= tally.run * 9, "too many statements fail: {tally:?}");
    assert!(tally.narrowed * 4 >= tally.run, "too few joins were narrowed: {tally:?}");
    assert!(tally.batches * 10 >= tally.run, "too few joins had batches: {tally:?}");
}

#[tokio::test]
async fn a_prepared_join_sees_what_has_changed() {
    let text = |value: &str| json!({"text": {"value": value}});
    let apps = [vec![text("a")], vec![text("a"), text("b")]];
    let world = World::start(&fixture(&apps)).await;
    let session = world.session();
    let sql = "SELECT r.\"$id\" FROM l JOIN r ON l.text = r.text ORDER BY r.\"$id\"";
    let prepared = session.prepare(session.parse(sql).unwrap().remove(0), &[]).await.unwrap();
    let count = async || {
        use futures::TryStreamExt as _;
        let rows = session.execute(&prepared, vec![]).await.unwrap().rows;
        rows.try_collect::<Vec<_>>()
            .await
            .unwrap()
            .iter()
            .map(arrow::array::RecordBatch::num_rows)
            .sum::<usize>()
    };
    assert_eq!(count().await, 1);
    let backdoor = world.emulator.backdoor();
    backdoor.insert(1, &text("b")).unwrap();
    backdoor.insert(2, &text("b")).unwrap();
    assert_eq!(count().await, 3);
    backdoor.delete(1, 1).unwrap();
    assert_eq!(count().await, 2);
}

#[tokio::test]
async fn a_join_that_nobody_reads_on_ends() {
    use futures::StreamExt as _;
    let records: Vec<Value> = (0..40).map(|n| json!({"ref": {"value": (n % 13 + 1).to_string()}})).collect();
    let world = World::start(&fixture(&[records.clone(), records])).await;
    let session = world.session();
    session.set("kintone.page_size", "3").unwrap();
    // Dropped before the small side is read, after its first row, and never begun.
    let sql = "SELECT r.\"$id\" FROM l JOIN r ON l.ref = r.\"$id\"";
    drop(session.run(sql).await.unwrap());
    let mut rows = session.run(sql).await.unwrap().rows;
    assert!(rows.next().await.unwrap().is_ok());
    drop(rows);
    for (sql, count) in [
        (format!("{sql} LIMIT 0"), 0),
        (format!("{sql} LIMIT 1"), 1),
        ("WITH RECURSIVE up(id) AS (SELECT 1::bigint UNION ALL SELECT l.\"$id\" + 13 FROM up JOIN l ON l.\"$id\" = up.id) SELECT * FROM up".into(), 5),
    ] {
        let answer = tokio::time::timeout(std::time::Duration::from_secs(60), run(&session, &sql)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{sql} does not end"));
        assert_eq!(answer.unwrap().rows.len(), count, "{sql}");
    }
}
