//! Pushdown changes no answer: random rows and random statements, each with `kintone.pushdown` on and off, however
//! Kintone's open facts turn out.
//!
//! `PUSHDOWN_CASES` is the number of apps ([`QUERIES`] statements each), `PUSHDOWN_SEED` another run of the dice.

use std::fmt::Write as _;

use kintone_sql::emulator::{SWITCHES, Unknowns};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::world::{Answer, World, run};

/// Statements of one app.
const QUERIES: usize = 20;
/// 20 * 252 > 5,000 statements.
const CASES: u32 = 252;

/// Short texts that differ in what a search may or may not mind.
const TEXTS: &[&str] = &[
    "a",
    "A",
    "ａ",
    "b",
    "0",
    "00",
    "1.0",
    "-0",
    " ",
    "  ",
    "a ",
    " a",
    "ｱ",
    "ア",
    "あ",
    "髙",
    "高",
    "𠮷",
    "㈱",
    "(株)",
    "👍🏽",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "%",
    "_",
    "a%",
    "NULL",
    "\u{301}e",
    "Ⅸ",
];
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "00",
    "1",
    "1.0",
    "-1",
    "0.5",
    "-0.5",
    "10",
    "9.9999999999",
    "-10",
    "1000000",
    "0.0000000001",
    "12345678901234567890",
    "-99999999999999999999",
    "99999999999999999999.0123456789",
];
const DATES: &[&str] = &[
    "2026-01-31",
    "2026-02-28",
    "2024-02-29",
    "2026-03-31",
    "2026-04-01",
    "2025-12-31",
    "2026-01-01",
    "1999-12-31",
];
const TIMES: &[&str] = &["00:00", "00:01", "09:00", "12:00", "12:30", "23:59"];
const INSTANTS: &[&str] = &[
    "2026-03-31T14:59:00Z",
    "2026-03-31T15:00:00Z",
    "2026-03-31T15:01:00Z",
    "2026-01-01T00:00:00Z",
    "2025-12-31T23:59:00Z",
    "2024-02-29T12:00:00Z",
];
/// The second half of a literal's minute.
const SECONDS: &[&str] = &["", ":00", ":01", ":30", ":59.999999"];
const OPTIONS: &[&str] = &["x", "y", "X", "a\"b", "日本"];
/// Literals for choices: two of them are no options.
const CHOICES: &[&str] = &["x", "y", "X", "a\"b", "日本", "undefined", ""];

/// What a column's literals and predicates look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Id,
    Text,
    Number,
    Date,
    Time,
    Instant,
    Choice,
    Choices,
}

/// Field code, type in Kintone, sort.
const FIELDS: &[(&str, &str, Sort)] = &[
    ("text", "SINGLE_LINE_TEXT", Sort::Text),
    ("link", "LINK", Sort::Text),
    ("memo", "MULTI_LINE_TEXT", Sort::Text),
    ("number", "NUMBER", Sort::Number),
    ("other", "NUMBER", Sort::Number),
    ("calc", "CALC", Sort::Number),
    ("date", "DATE", Sort::Date),
    ("time", "TIME", Sort::Time),
    ("instant", "DATETIME", Sort::Instant),
    ("created", "CREATED_TIME", Sort::Instant),
    ("radio", "RADIO_BUTTON", Sort::Choice),
    ("drop", "DROP_DOWN", Sort::Choice),
    ("boxes", "CHECK_BOX", Sort::Choices),
    ("multi", "MULTI_SELECT", Sort::Choices),
];

fn pool(sort: Sort) -> &'static [&'static str] {
    match sort {
        Sort::Id => &[],
        Sort::Text => TEXTS,
        Sort::Number => NUMBERS,
        Sort::Date => DATES,
        Sort::Time => TIMES,
        Sort::Instant => INSTANTS,
        Sort::Choice | Sort::Choices => OPTIONS,
    }
}

/// A record: each field empty one time in four.
fn record() -> impl Strategy<Value = Value> {
    let cells: Vec<BoxedStrategy<(String, Value)>> = FIELDS
        .iter()
        .map(|(code, kind, sort)| {
            let value = match sort {
                Sort::Choices => proptest::sample::subsequence(OPTIONS, 0..=3).prop_map(|v| json!(v)).boxed(),
                _ if *kind == "CREATED_TIME" => select(pool(*sort)).prop_map(|v| json!(v)).boxed(),
                _ => {
                    prop_oneof![3 => select(pool(*sort)).prop_map(|v| json!(v)), 1 => Just(json!(""))].boxed()
                }
            };
            let code = (*code).to_owned();
            value.prop_map(move |value| (code.clone(), json!({"value": value}))).boxed()
        })
        .collect();
    cells.prop_map(|cells| Value::Object(cells.into_iter().collect::<Map<_, _>>()))
}

fn fixture(records: &[Value]) -> Value {
    let property = |(code, kind, sort): &(&str, &str, Sort)| {
        let mut property = json!({"type": kind});
        if matches!(sort, Sort::Choice | Sort::Choices) {
            property["options"] = json!(OPTIONS);
        }
        if *kind == "CALC" {
            property["format"] = json!("NUMBER");
        }
        ((*code).to_owned(), property)
    };
    let properties: Map<String, Value> = FIELDS.iter().map(property).collect();
    json!({
        "users": [{"code": "demo", "password": "demo"}],
        "apps": [{
            "app": {"appId": 1, "code": "T"},
            "settings": {"numberPrecision": {"digits": "30", "decimalPlaces": "10", "roundingMode": "HALF_EVEN"}},
            "form": {"properties": properties},
            "records": records
        }]
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A literal to compare a column of this sort with, as SQL.
fn literal(sort: Sort) -> BoxedStrategy<String> {
    let text = |pool: &'static [&'static str]| select(pool).prop_map(quoted);
    let value = match sort {
        Sort::Id => (-1..12_i64).prop_map(|id| id.to_string()).boxed(),
        Sort::Text => prop_oneof![9 => text(TEXTS), 1 => Just("''".to_owned())].boxed(),
        Sort::Number => prop_oneof![
            4 => select(NUMBERS).prop_map(str::to_owned),
            1 => text(NUMBERS),
            1 => select(NUMBERS).prop_map(|n| format!("CAST({n} AS numeric(38, 10))")),
            1 => (-3..12_i64).prop_map(|n| n.to_string()),
        ]
        .boxed(),
        Sort::Date => prop_oneof![text(DATES), select(DATES).prop_map(|d| format!("DATE '{d}'"))].boxed(),
        Sort::Time => {
            (select(TIMES), select(&SECONDS[1..])).prop_map(|(t, s)| format!("TIME '{t}{s}'")).boxed()
        }
        Sort::Instant => (select(INSTANTS), select(&SECONDS[1..]), any::<bool>())
            .prop_map(|(t, seconds, zoned)| {
                let minute = t.trim_end_matches(":00Z").replace('T', " ");
                format!("'{minute}{seconds}{}'", if zoned { "+00:00" } else { "" })
            })
            .boxed(),
        Sort::Choice | Sort::Choices => text(CHOICES).boxed(),
    };
    prop_oneof![30 => value, 1 => Just("NULL".to_owned())].boxed()
}

fn comparison() -> impl Strategy<Value = &'static str> {
    select(&["=", "<>", "<", "<=", ">", ">="][..])
}

/// A predicate on one column.
fn leaf() -> BoxedStrategy<String> {
    let id = ("\"$id\"", "", Sort::Id);
    let fields: Vec<_> = FIELDS.iter().copied().chain([id, id]).collect();
    select(fields).prop_flat_map(|(code, _, sort)| of_column(code, sort)).boxed()
}

fn of_column(code: &'static str, sort: Sort) -> BoxedStrategy<String> {
    let not = || select(&["", "NOT "][..]);
    if sort == Sort::Choices {
        return prop_oneof![
            5 => (not(), literal(sort)).prop_map(move |(not, value)| format!("{not}{value} = ANY({code})")),
            1 => not().prop_map(move |not| format!("{code} IS {not}NULL")),
            1 => (0..3).prop_map(move |n| format!("cardinality({code}) > {n}")),
        ]
        .boxed();
    }
    let list = proptest::collection::vec(literal(sort), 1..4).prop_map(|values| values.join(", "));
    let compare = (comparison(), literal(sort), any::<bool>()).prop_map(move |(op, value, flip)| {
        if flip { format!("{value} {op} {code}") } else { format!("{code} {op} {value}") }
    });
    let mut choices = vec![
        (8, compare.boxed()),
        (2, (not(), list).prop_map(move |(not, list)| format!("{code} {not}IN ({list})")).boxed()),
        (
            2,
            (not(), literal(sort), literal(sort))
                .prop_map(move |(not, low, high)| format!("{code} {not}BETWEEN {low} AND {high}"))
                .boxed(),
        ),
        (2, not().prop_map(move |not| format!("{code} IS {not}NULL")).boxed()),
    ];
    match sort {
        Sort::Text | Sort::Choice => {
            let like = (not(), select(&["a%", "%a%", "_", "%", "%\\%", "x"][..]));
            choices.push((1, like.prop_map(move |(not, p)| format!("{code} {not}LIKE '{p}'")).boxed()));
            let upper = (comparison(), literal(Sort::Text));
            choices.push((1, upper.prop_map(move |(op, v)| format!("upper({code}) {op} {v}")).boxed()));
        }
        Sort::Number => {
            let cast = (comparison(), select(NUMBERS));
            choices.push((
                1,
                cast.prop_map(move |(op, v)| format!("CAST({code} AS numeric(38, 10)) {op} {v}")).boxed(),
            ));
            choices.push((1, comparison().prop_map(move |op| format!("{code} {op} other")).boxed()));
        }
        Sort::Date => {
            let cast = (comparison(), literal(Sort::Instant));
            choices.push((1, cast.prop_map(move |(op, v)| format!("{code} {op} {v}::timestamptz")).boxed()));
        }
        Sort::Instant => {
            let cast = (comparison(), literal(Sort::Date));
            choices.push((1, cast.prop_map(move |(op, v)| format!("{code}::date {op} {v}")).boxed()));
        }
        _ => {}
    }
    proptest::strategy::Union::new_weighted(choices).boxed()
}

fn predicate() -> BoxedStrategy<String> {
    leaf()
        .prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                3 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" AND "))),
                3 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
                1 => inner.prop_map(|part| format!("NOT ({part})")),
            ]
        })
        .boxed()
}

/// A statement, and whether its rows have an order.
#[derive(Debug, Clone)]
struct Statement {
    sql: String,
    ordered: bool,
}

fn statement() -> impl Strategy<Value = Statement> {
    let columns = select(&["*", "\"$id\"", "\"$id\", text, number", "drop, date", "boxes, \"$id\""][..]);
    let key = select(FIELDS).prop_map(|(code, ..)| code);
    let direction = select(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"][..]);
    let limit = (0..5_u32, 0..3_u32);
    let tail = prop_oneof![
        4 => Just((String::new(), false)),
        2 => Just((" ORDER BY \"$id\"".to_owned(), true)),
        1 => Just((" ORDER BY \"$id\" DESC".to_owned(), true)),
        2 => limit.clone().prop_map(|(n, skip)| (format!(" ORDER BY \"$id\" LIMIT {n} OFFSET {skip}"), true)),
        1 => limit.clone().prop_map(|(n, skip)| (format!(" ORDER BY \"$id\" DESC LIMIT {n} OFFSET {skip}"), true)),
        3 => (key.clone(), direction.clone(), key.clone(), direction.clone(), limit.clone()).prop_map(
            |(a, down, b, too, (n, skip))| {
                (format!(" ORDER BY {a}{down}, {b}{too}, \"$id\" LIMIT {n} OFFSET {skip}"), true)
            },
        ),
        2 => (key, direction, limit).prop_map(|(key, direction, (n, skip))| {
            (format!(" ORDER BY {key}{direction}, \"$id\" LIMIT {n} OFFSET {skip}"), true)
        }),
    ];
    let rows = (columns, predicate(), tail).prop_map(|(columns, predicate, (tail, ordered))| Statement {
        sql: format!("SELECT {columns} FROM t WHERE {predicate}{tail}"),
        ordered,
    });
    let counts = predicate().prop_map(|predicate| format!("SELECT count(*) FROM t WHERE {predicate}"));
    let sums = predicate().prop_map(|p| {
        format!("SELECT drop, count(*), sum(number), min(date), max(text) FROM t WHERE {p} GROUP BY drop")
    });
    let extreme = select(&["number", "date", "instant", "created", "\"$id\"", "text", "time"][..]);
    let extremes = (extreme.clone(), extreme, predicate())
        .prop_map(|(a, b, p)| format!("SELECT min({a}), max({b}), count(*) FROM t WHERE {p}"));
    let choices = (select(&["drop", "radio", "date"][..]), predicate())
        .prop_map(|(key, p)| format!("SELECT {key}, count(*) FROM t WHERE {p} GROUP BY {key}"));
    let distinct = (select(&["drop", "radio", "text"][..]), predicate())
        .prop_map(|(key, p)| format!("SELECT DISTINCT {key} FROM t WHERE {p}"));
    prop_oneof![
        6 => rows,
        1 => counts.prop_map(|sql| Statement { sql, ordered: true }),
        1 => sums.prop_map(|sql| Statement { sql, ordered: false }),
        1 => extremes.prop_map(|sql| Statement { sql, ordered: true }),
        1 => choices.prop_map(|sql| Statement { sql, ordered: false }),
        1 => distinct.prop_map(|sql| Statement { sql, ordered: false }),
    ]
}

/// How many statements ran, and of how many something went to Kintone.
#[derive(Debug, Default)]
struct Tally {
    run: u32,
    pushed: u32,
}

/// Kintone was asked for less than everything, or not at all.
fn pushed(requests: &[Option<String>]) -> bool {
    requests.iter().flatten().any(|query| {
        let condition = query.split("order by").next().unwrap_or_default();
        condition.contains('=')
            || condition.contains(" in ")
            || condition.contains('<')
            || condition.contains("empty")
    }) || requests.is_empty()
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

async fn compare(
    unknowns: Unknowns,
    records: &[Value],
    statements: &[Statement],
    tally: &mut Tally,
) -> Result<(), String> {
    let world = World::with(&fixture(records), unknowns).await;
    let (on, off) = (world.session(), world.session());
    off.set("kintone.pushdown", "off").unwrap();
    for statement in statements {
        world.emulator.clear_requests();
        let with = run(&on, &statement.sql).await;
        let requests: Vec<_> = world.record_requests().into_iter().map(|request| request.query).collect();
        let without = run(&off, &statement.sql).await;
        tally.run += 1;
        tally.pushed += u32::from(pushed(&requests));
        let same = match (&with, &without) {
            (Ok(a), Ok(b)) => rows(a, statement.ordered) == rows(b, statement.ordered),
            // A row that fails may be one that Kintone leaves out: only the other way round is wrong.
            (Err(a), Err(b)) => a.kind == b.kind,
            _ => false,
        };
        if !same {
            let difference =
                difference(statement, records, &requests, &format!("{with:?}"), &format!("{without:?}"));
            return Err(format!("{difference}{unknowns:?}"));
        }
    }
    world.emulator.stop().await;
    Ok(())
}

fn rows(answer: &Answer, ordered: bool) -> Vec<Vec<Option<String>>> {
    let mut rows = answer.rows.clone();
    if !ordered {
        rows.sort();
    }
    rows
}

fn difference(
    statement: &Statement,
    records: &[Value],
    requests: &[Option<String>],
    with: &str,
    without: &str,
) -> String {
    let mut out = format!("{}\npushdown on:  {with}\npushdown off: {without}\n", statement.sql);
    for request in requests {
        let _ = writeln!(out, "sent: {}", request.as_deref().unwrap_or("(no query)"));
    }
    for (at, record) in records.iter().enumerate() {
        let _ = writeln!(out, "record {}: {record}", at + 1);
    }
    out
}

fn number<T: std::str::FromStr>(variable: &str, default: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn answers_are_the_same_with_pushdown_and_without() {
    let cases = number("PUSHDOWN_CASES", CASES);
    let seed: u64 = number("PUSHDOWN_SEED", 20_261_124);
    println!("PUSHDOWN_SEED={seed} PUSHDOWN_CASES={cases}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let tally = std::cell::RefCell::new(Tally::default());
    let statements = proptest::collection::vec(statement(), QUERIES);
    let app = (unknowns(), proptest::collection::vec(record(), 0..12), statements);
    let result = runner.run(&app, |(unknowns, records, statements)| {
        let mut tally = tally.borrow_mut();
        let compared = compare(unknowns, &records, &statements, &mut tally);
        runtime.block_on(compared).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("seed {seed}: {error}");
    }
    let tally = tally.into_inner();
    println!("{tally:?}");
    assert!(tally.pushed * 2 >= tally.run, "too little was pushed: {tally:?}");
    assert!(tally.run >= cases * QUERIES as u32, "{tally:?}");
}
