//! Kintone's own functions and conditions: places of errors, parameters, what is sent.

use kintone_sql::emulator::Unknowns;
use serde_json::json;
use tokio_postgres::error::ErrorPosition;

use crate::support::door::{self, Door};
use crate::support::world::{World, run};

async fn world() -> World {
    let fixture =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/slt/fixture.json")).unwrap();
    World::start(&serde_json::from_str(&fixture).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_their_place() {
    let world = world().await;
    let door = Door::open(world.engine.clone()).await;
    let client = door.connect().await;
    for (sql, sqlstate, at, message) in [
        ("SELECT today()", "0A000", "today", "TODAY() is answered by Kintone alone"),
        (
            "SELECT id FROM customers\nWHERE Rank = 'A' AND 売上 >= TODAY()",
            "0A000",
            "TODAY",
            "TODAY() does not go with >= on 売上 (NUMBER)",
        ),
        (
            "SELECT id FROM customers WHERE Company LIKE '%a' OR kintone_match(Memo, 'hi')",
            "0A000",
            "kintone_match",
            "Memo like \"hi\" cannot be sent: it stands in an OR with what Kintone does not answer exactly",
        ),
        (
            "SELECT n FROM (SELECT 作成日時 AS n FROM customers LIMIT 1) t WHERE n < FROM_TODAY(3, DAYS)",
            "0A000",
            "FROM_TODAY",
            "FROM_TODAY(3, DAYS) cannot be sent: between it and its table stands a LIMIT",
        ),
        (
            "SELECT d.id FROM deals d LEFT JOIN customers c ON c.id = d.id WHERE kintone_query(c, 'Rank in (\"A\")')",
            "0A000",
            "'Rank",
            "kintone_query cannot be sent: between it and its table stands an outer join",
        ),
        (
            "SELECT id FROM customers WHERE NOT kintone_query('Rank in (\"A\")')",
            "0A000",
            "'Rank",
            "kintone_query cannot be negated",
        ),
        (
            "SELECT customers.id FROM customers, deals WHERE kintone_query('Rank in (\"A\")')",
            "0A000",
            "'Rank",
            "kintone_query could be of more than one table",
        ),
        (
            "SELECT 1; SELECT id FROM customers WHERE kintone_query('Rank in (\"A\")) or (Rank in (\"B\")')",
            "42601",
            "'Rank",
            "the condition of kintone_query is not sent: its brackets do not match",
        ),
        (
            "SELECT id FROM customers WHERE 売上 > 0 AND kintone_query('Rank = \"A\"')",
            "42804",
            "'Rank",
            "the condition of kintone_query is refused: connection public: Kintone refused GET",
        ),
        (
            "SELECT count(*) FROM customers WHERE kintone_query('nothing = 1')",
            "42703",
            "'nothing",
            "the condition of kintone_query is refused",
        ),
        ("SELECT id FROM customers WHERE 設立日 = THIS_MONTH(32)", "22023", "THIS_MONTH", "THIS_MONTH takes"),
        (
            "SELECT 組織選択 FROM app_3 WHERE PRIMARY_ORGANIZATION() = ANY(組織選択)",
            "0A000",
            "PRIMARY_ORGANIZATION",
            "PRIMARY_ORGANIZATION() is not sent",
        ),
    ] {
        let error = client.simple_query(sql).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code().code(), sqlstate, "{sql}: {error}");
        assert!(error.message().starts_with(message), "{sql}: {error}");
        let place = u32::try_from(sql[..sql.find(at).unwrap()].chars().count() + 1).unwrap();
        assert_eq!(error.position(), Some(&ErrorPosition::Original(place)), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_texts_of_conditions() {
    let world = world().await;
    let door = Door::open(world.engine.clone()).await;
    let client = door.connect().await;
    let ids = |rows: Vec<tokio_postgres::Row>| rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>();
    let sql = "SELECT id FROM customers WHERE kintone_query($1) AND Rank = $2 ORDER BY id";
    let rows = client.query(sql, &[&"売上 > 500", &"A"]).await.unwrap();
    assert_eq!(ids(rows), [1, 2]);
    let sql = "SELECT id FROM customers WHERE kintone_match(Company, $1) OR Rank = $2 ORDER BY id";
    let rows = client.query(sql, &[&"ABC123", &"B"]).await.unwrap();
    assert_eq!(ids(rows), [3, 4, 5, 6]);
    let statement = client.prepare("SELECT id FROM customers WHERE kintone_query($1)").await.unwrap();
    for text in ["Rank in (\"A\")) or ($id > 0", "$id > 0 limit 1"] {
        let error = client.query(&statement, &[&text]).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "42601", "{text}: {error}");
    }
    let none: Option<&str> = None;
    assert!(client.query(&statement, &[&none]).await.unwrap().is_empty());
    let error =
        door::run_prepared(&client, "SELECT id FROM customers WHERE 売上 > TODAY()").await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "0A000");
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_part_of_the_one_request() {
    let world = world().await;
    let session = world.session();
    run(&session, "SELECT count(*) FROM customers").await.unwrap();
    for (sql, query) in [
        ("SELECT count(*) FROM customers WHERE 作成者 = LOGINUSER()", "(作成者 in (LOGINUSER())) limit 1"),
        (
            "SELECT max(売上) FROM customers WHERE kintone_query('Rank in (\"A\") or Rank in (\"B\")') AND 社員数 > 5",
            "(Rank in (\"A\") or Rank in (\"B\")) and 社員数 > \"5\" and 売上 >= \"-999999999999999999999999999999\" order by 売上 desc limit 1",
        ),
        (
            "SELECT id FROM customers WHERE kintone_match(Memo, 'hi') AND id > 1 ORDER BY 作成日時 DESC LIMIT 3",
            "(Memo like \"hi\") and $id > \"1\" order by 作成日時 desc, $id asc limit 3",
        ),
    ] {
        world.emulator.clear_requests();
        run(&session, sql).await.unwrap();
        let sent: Vec<_> = world.record_requests().into_iter().filter_map(|request| request.query).collect();
        assert_eq!(sent, [query], "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_cut_short_is_an_error() {
    let records: Vec<_> = (0..30).map(|n| json!({"t": format!("word {n}")})).collect();
    let fixture = json!({
        "users": [{"code": "u", "name": "U", "password": "p"}],
        "apps": [{"app": {"appId": 1, "code": "A", "name": "a"},
                  "form": {"properties": {"t": {"type": "SINGLE_LINE_TEXT"}}}, "records": records}]
    });
    let world = World::with(&fixture, Unknowns::strict()).await;
    world.emulator.set_search_limit(10);
    let error =
        run(&world.session(), "SELECT count(*) FROM a WHERE kintone_match(t, 'word')").await.unwrap_err();
    assert_eq!(error.kind.sqlstate(), "HV000", "{error}");
    assert!(error.message.contains("short"), "{error}");
    assert!(error.hint.unwrap_or_default().contains("search for a rarer word"));
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_read_when_one_may_be_meant() {
    let world = world().await;
    let asked = || {
        let requests = world.emulator.requests();
        requests.iter().filter(|request| request.path.ends_with("/app/views.json")).count()
    };
    let session = world.session();
    for (sql, times) in [
        ("SELECT relname FROM pg_class c WHERE c.relkind IN ('r', 'p', '')", 0),
        ("SELECT count(*) FROM deals_明細", 0),
        ("SELECT count(*) FROM customers_一覧", 1),
        ("SELECT max(売上) FROM customers_一覧 WHERE id > 1", 1),
        ("SELECT viewname FROM pg_views", 7),
        ("SELECT relname FROM pg_class", 7),
        ("SELECT count(*) FROM deals_受注予定", 7),
    ] {
        run(&session, sql).await.unwrap();
        assert_eq!(asked(), times, "{sql}");
    }
    world.emulator.clear_requests();
    run(&session, "SELECT count(*) FROM customers_一覧 WHERE 売上 > 100").await.unwrap();
    let sent: Vec<_> = world.record_requests().into_iter().filter_map(|request| request.query).collect();
    assert_eq!(sent, ["(Rank in (\"A\")) and 売上 > \"100\" limit 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_kintone_refuses_says_so() {
    let world = world().await;
    let session = world.session();
    for (view, message, sqlstate) in [
        ("壊れた一覧", "is refused: connection public: Kintone refused GET /k/v1/records.json", "22023"),
        ("所属", "is not sent: PRIMARY_ORGANIZATION() is not sent", "0A000"),
    ] {
        let error = run(&session, &format!("SELECT * FROM deals_{view}")).await.unwrap_err();
        let message = format!("the condition of view DEALS_{view} {message}");
        assert!(error.message.starts_with(&message), "{error}");
        assert_eq!(error.kind.sqlstate(), sqlstate, "{error}");
    }
}
