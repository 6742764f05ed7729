//! SQLite as the other engine, in memory.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::oracle::{Oracle, Rows};
use super::predicate::Dialect;
use super::run::Tally;
use super::{number, run_worlds};

/// In the gate.
const STATEMENTS: usize = 2500;
const OF_A_WORLD: usize = 50;

fn text(row: &Row<'_>, at: usize) -> Option<String> {
    match row.get_ref(at).unwrap() {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
        ValueRef::Blob(_) => panic!("no column holds bytes"),
    }
}

fn rows(connection: &Connection, sql: &str) -> rusqlite::Result<Rows> {
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| Ok((0..columns).map(|at| text(row, at)).collect()))?;
    rows.collect()
}

fn answers(oracle: &Oracle) -> Vec<Option<Rows>> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("PRAGMA case_sensitive_like = on").unwrap();
    connection.execute_batch(&oracle.schema()).unwrap();
    let answer = |sql: String| Some(rows(&connection, &sql).unwrap_or_else(|error| panic!("{error}: {sql}")));
    oracle.statements.iter().map(|s| answer(s.without_open_limit().sql(Dialect::Sqlite))).collect()
}

async fn world(at: u64) -> Result<Tally, String> {
    let oracle = Oracle::random(Dialect::Sqlite, 3 << 32 | at, OF_A_WORLD);
    let right = answers(&oracle);
    oracle.compare(at, &right).await
}

#[test]
fn answers_are_those_of_sqlite() {
    let tally = run_worlds(number("PUSHDOWN_CASES", STATEMENTS).div_ceil(OF_A_WORLD), world);
    let (run, pushed) = tally.total();
    assert!(pushed * 10 >= run * 5, "{tally:?}");
}
