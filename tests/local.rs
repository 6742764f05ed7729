//! Files as tables, views of the settings, and what a session of PostgreSQL has besides queries: COPY, cursors,
//! savepoints, prepared statements.

use std::path::PathBuf;

use kintone_sql::engine::{EngineConfig, LocalTableSettings, ViewSettings};
use serde_json::json;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::support::door::{Door, run_prepared, run_simple};
use crate::support::world::{World, engine_of};

/// A ledger of three lines beside an app with three records.
async fn open() -> (World, Door, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.ndjson");
    let lines = [
        r#"{"id": 1, "company": "甲", "amount": 12.5, "paid": "2026-01-02T03:04:00+09:00", "tags": ["a", "b,c"]}"#,
        r#"{"id": 2, "company": "乙", "amount": null, "tags": []}"#,
        r#"{"id": 3, "company": "丙", "amount": -1, "owner": {"code": "x", "n": [1, 2]}}"#,
    ];
    std::fs::write(&ledger, lines.join("\n")).unwrap();
    let text = |value: &str| json!({"value": value});
    let world = World::start(&json!({
        "users": [{"code": "demo", "password": "demo"}],
        "apps": [{
            "app": {"appId": 1, "code": "Customers"},
            "form": {"properties": {"会社": {"type": "SINGLE_LINE_TEXT"}}},
            "records": [{"会社": text("甲")}, {"会社": text("乙")}, {"会社": text("丁")}]
        }]
    }))
    .await;
    let columns = "id bigint primary key, company text not null, amount numeric(12, 2), paid timestamptz, \
                   tags text[], owner jsonb";
    let config = EngineConfig {
        local_tables: vec![LocalTableSettings::new("ledger", ledger, columns).unwrap()],
        views: vec![
            ViewSettings::new("owing", "SELECT company, amount FROM ledger WHERE paid IS NULL").unwrap(),
            ViewSettings::new(
                "owing_customers",
                "SELECT c.会社, o.amount FROM Customers c JOIN owing o ON o.company = c.会社",
            )
            .unwrap(),
        ],
        ..EngineConfig::default()
    };
    let door = Door::open(engine_of(&world.emulator.url(), ("demo", "demo"), config)).await;
    (world, door, folder)
}

async fn texts(client: &Client, sql: &str) -> Vec<String> {
    let answer = run_simple(client, sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    let shown = |value: Option<String>| value.unwrap_or_else(|| "NULL".into());
    answer.rows.into_iter().map(|row| row.into_iter().map(shown).collect::<Vec<_>>().join("|")).collect()
}

async fn state(client: &Client, sql: &str) -> SqlState {
    client.simple_query(sql).await.err().unwrap_or_else(|| panic!("{sql}: no error")).code().unwrap().clone()
}

fn copied(messages: &[u8]) -> String {
    String::from_utf8(messages.to_vec()).unwrap()
}

async fn copy(client: &Client, sql: &str) -> Vec<u8> {
    use futures::TryStreamExt as _;
    let stream = client.copy_out(sql).await.unwrap();
    let parts: Vec<_> = stream.try_collect().await.unwrap();
    parts.concat()
}

#[tokio::test]
async fn a_file_joins_with_an_app() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    assert_eq!(
        texts(&client, "SELECT * FROM ledger ORDER BY id").await,
        [
            "1|甲|12.50|2026-01-01 18:04:00+00|{a,\"b,c\"}|NULL",
            "2|乙|NULL|NULL|{}|NULL",
            "3|丙|-1.00|NULL|NULL|{\"code\": \"x\", \"n\": [1, 2]}"
        ]
    );
    let binary =
        run_prepared(&client, "SELECT amount, paid, tags, owner FROM ledger WHERE id = 1").await.unwrap();
    assert_eq!(binary.columns[3].1, "jsonb");
    assert_eq!(binary.rows[0][..2], [Some("12.50".into()), Some("2026-01-01 18:04:00+00".into())]);
    client.simple_query("SET TimeZone = 'Asia/Tokyo'").await.unwrap();
    assert_eq!(
        texts(&client, "SELECT paid FROM ledger WHERE paid > '2026-01-02 03:00:00'").await,
        ["2026-01-02 03:04:00+09"]
    );
    let tagged = client.query("SELECT id FROM ledger WHERE tags && $1", &[&vec!["b,c", "x"]]).await.unwrap();
    assert_eq!(tagged.iter().map(|row| row.get(0)).collect::<Vec<i64>>(), [1]);
    let joined = "SELECT c.\"$id\", l.amount FROM customers c JOIN ledger l ON l.company = c.会社 ORDER BY 1";
    assert_eq!(texts(&client, joined).await, ["1|12.50", "2|NULL"]);
    assert_eq!(texts(&client, "SELECT * FROM owing_customers").await, ["乙|NULL"]);
    assert_eq!(state(&client, "SELECT * FROM 'ledger.ndjson'").await, SqlState::UNDEFINED_TABLE);
    assert_eq!(state(&client, "INSERT INTO ledger VALUES (1)").await, SqlState::FEATURE_NOT_SUPPORTED);
}

#[tokio::test]
async fn the_catalog_shows_files_and_views() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    let kinds =
        "SELECT relname, relkind FROM pg_class WHERE relname IN ('ledger', 'owing', 'Customers') ORDER BY 1";
    assert_eq!(texts(&client, kinds).await, ["Customers|r", "ledger|r", "owing|v"]);
    let key = "SELECT column_name FROM information_schema.key_column_usage WHERE table_name = 'ledger'";
    assert_eq!(texts(&client, key).await, ["id"]);
    let statement = client.prepare("SELECT id, company AS name, id + 1 FROM ledger").await.unwrap();
    let oid: u32 = texts(&client, "SELECT 'ledger'::regclass::oid").await[0].parse().unwrap();
    let origins: Vec<_> = statement.columns().iter().map(|c| (c.table_oid(), c.column_id())).collect();
    assert_eq!(origins, [(Some(oid), Some(1)), (Some(oid), Some(2)), (None, None)]);
}

#[tokio::test]
async fn copy_gives_text_csv_and_binary() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    assert_eq!(
        copied(&copy(&client, "COPY ledger (id, company, amount) TO STDOUT").await),
        "1\t甲\t12.50\n2\t乙\t\\N\n3\t丙\t-1.00\n"
    );
    let csv = "COPY (SELECT id, tags FROM ledger WHERE id < 3) TO STDOUT (FORMAT csv, HEADER)";
    assert_eq!(copied(&copy(&client, csv).await), "id,tags\n1,\"{a,\"\"b,c\"\"}\"\n2,{}\n");
    let binary = copy(&client, "COPY (SELECT 7::int4 AS n) TO STDOUT (FORMAT binary)").await;
    let expected: &[&[u8]] =
        &[b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", b"\0\x01\0\0\0\x04\0\0\0\x07", b"\xff\xff"];
    assert_eq!(binary, expected.concat());
    let empty = copy(&client, "COPY (SELECT 7 WHERE false) TO STDOUT (FORMAT binary)").await;
    assert_eq!(empty, [expected[0], expected[2]].concat());
    assert_eq!(state(&client, "COPY ledger TO '/tmp/x'").await, SqlState::FEATURE_NOT_SUPPORTED);
    assert_eq!(state(&client, "COPY ledger FROM STDIN").await, SqlState::FEATURE_NOT_SUPPORTED);
    assert_eq!(texts(&client, "SELECT 1").await, ["1"]);
}

#[tokio::test]
async fn cursors_give_rows_in_parts() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    let declare = "DECLARE c SCROLL CURSOR FOR SELECT id FROM ledger ORDER BY id";
    assert_eq!(state(&client, declare).await, SqlState::NO_ACTIVE_SQL_TRANSACTION);
    client.simple_query("BEGIN").await.unwrap();
    client.simple_query(declare).await.unwrap();
    assert_eq!(state(&client, declare).await, SqlState::DUPLICATE_CURSOR);
    client.simple_query("ROLLBACK").await.unwrap();
    client.simple_query(&format!("BEGIN; {declare}")).await.unwrap();
    assert_eq!(texts(&client, "FETCH 2 FROM c").await, ["1", "2"]);
    assert_eq!(texts(&client, "FETCH PRIOR FROM c").await, ["1"]);
    assert_eq!(texts(&client, "MOVE 1 IN c; FETCH ALL c").await, ["3"]);
    client.simple_query("COMMIT").await.unwrap();
    assert_eq!(state(&client, "FETCH c").await, SqlState::INVALID_CURSOR_NAME);
    client.simple_query("DECLARE h CURSOR WITH HOLD FOR SELECT id FROM ledger").await.unwrap();
    assert_eq!(texts(&client, "FETCH 1 FROM h").await.len(), 1);
    assert_eq!(state(&client, "FETCH BACKWARD 1 FROM h").await, SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
    client.simple_query("CLOSE ALL; BEGIN; DECLARE h CURSOR WITH HOLD FOR SELECT 1; ROLLBACK").await.unwrap();
    assert_eq!(state(&client, "FETCH h").await, SqlState::INVALID_CURSOR_NAME);
    assert_eq!(state(&client, "CLOSE h").await, SqlState::INVALID_CURSOR_NAME);
    // Each part in a message of its own, as postgres_fdw does.
    client.execute("BEGIN", &[]).await.unwrap();
    client.execute("DECLARE f CURSOR FOR SELECT id FROM ledger", &[]).await.unwrap();
    let rows = client.query("FETCH 2 FROM f", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>(), [1, 2]);
}

#[tokio::test]
async fn savepoints_and_settings_follow_their_block() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    assert_eq!(state(&client, "SAVEPOINT a").await, SqlState::NO_ACTIVE_SQL_TRANSACTION);
    client.simple_query("BEGIN; SAVEPOINT a").await.unwrap();
    assert_eq!(state(&client, "SELECT 1/0").await, SqlState::DIVISION_BY_ZERO);
    assert_eq!(state(&client, "SELECT 1").await, SqlState::IN_FAILED_SQL_TRANSACTION);
    client.simple_query("ROLLBACK TO a").await.unwrap();
    assert_eq!(texts(&client, "SELECT 1").await, ["1"]);
    assert_eq!(state(&client, "RELEASE b").await, SqlState::S_E_INVALID_SPECIFICATION);
    client.simple_query("ROLLBACK").await.unwrap();
    client.simple_query("BEGIN; SET LOCAL TimeZone = 'Asia/Tokyo'; COMMIT").await.unwrap();
    assert_eq!(texts(&client, "SHOW TimeZone").await, ["UTC"]);
    client.simple_query("BEGIN; SET TimeZone = 'Asia/Tokyo'; ROLLBACK").await.unwrap();
    assert_eq!(texts(&client, "SHOW TimeZone").await, ["UTC"]);
    client.simple_query("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE").await.unwrap();
    assert_eq!(texts(&client, "SHOW transaction_isolation").await, ["serializable"]);
    client.simple_query("COMMIT").await.unwrap();
    assert_eq!(texts(&client, "SHOW transaction_isolation").await, ["read committed"]);
}

#[tokio::test]
async fn statements_are_prepared_in_sql() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    client
        .simple_query("PREPARE p (bigint, text) AS SELECT id FROM ledger WHERE id >= $1 AND company <> $2")
        .await
        .unwrap();
    assert_eq!(texts(&client, "EXECUTE p(1 + 1, 'あ')").await, ["2", "3"]);
    assert_eq!(state(&client, "EXECUTE p(1)").await, SqlState::SYNTAX_ERROR);
    assert_eq!(state(&client, "PREPARE p AS SELECT 1").await, SqlState::DUPLICATE_PSTATEMENT);
    client.simple_query("DEALLOCATE p").await.unwrap();
    assert_eq!(state(&client, "EXECUTE p(1, 'a')").await, SqlState::INVALID_SQL_STATEMENT_NAME);
    let tags = client.simple_query("PREPARE q AS SELECT 1; DEALLOCATE ALL").await.unwrap();
    assert!(tags.iter().all(|message| matches!(message, SimpleQueryMessage::CommandComplete(0))));
    client.simple_query("DISCARD ALL").await.unwrap();
}

#[tokio::test]
async fn values_are_cast_and_refused_as_postgresql_does() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    assert_eq!(texts(&client, "SELECT '{\"a\":[1,2]}'::jsonb, U&'\\3042'").await, ["{\"a\": [1, 2]}|あ"]);
    assert_eq!(state(&client, "SELECT '{'::jsonb").await, SqlState::INVALID_TEXT_REPRESENTATION);
    assert_eq!(state(&client, "SELECT 9999999999::int").await, SqlState::NUMERIC_VALUE_OUT_OF_RANGE);
    assert_eq!(state(&client, "SELECT 'x'::int").await, SqlState::INVALID_TEXT_REPRESENTATION);
    assert_eq!(state(&client, "SELECT FROM WHERE").await, SqlState::SYNTAX_ERROR);
}

#[tokio::test]
async fn a_time_limit_ends_a_join_that_multiplies() {
    let (_world, door, _folder) = open().await;
    let client = door.connect().await;
    client.simple_query("SET statement_timeout = 300").await.unwrap();
    let numbers = "generate_series(1, 3000)";
    let sql = format!(
        "SELECT count(*) FROM {numbers} a(x), {numbers} b(y), {numbers} c(z) WHERE a.x < b.y AND b.y < c.z"
    );
    assert_eq!(state(&client, &sql).await, SqlState::QUERY_CANCELED);
    assert_eq!(texts(&client, "SELECT 1").await, ["1"]);
}

#[test]
fn a_file_that_does_not_fit_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("bad.csv");
    std::fs::write(&file, "a,b\n1,x\ntwo,y\n").unwrap();
    let table = |columns| LocalTableSettings::new("bad", file.clone(), columns).unwrap();
    let start = |columns| {
        let config = EngineConfig { local_tables: vec![table(columns)], ..EngineConfig::default() };
        kintone_sql::engine::Engine::new(config, vec![])
    };
    let error = start("a integer, b text").unwrap_err();
    assert!(error.message.ends_with("bad.csv, line 3: the column \"a\" is no integer: two"), "{error}");
    assert!(start("a text, b text").is_ok());
}
