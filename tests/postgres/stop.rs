//! What ends a statement ends its requests: a time limit, a cancel, a client that goes, while Kintone is slow and
//! while rows are on their way. Counted in requests.

use futures::TryStreamExt;

use super::*;

/// Reads a table of 40 pages, of which the first rows come long before the last.
const ROWS: &str = "SELECT * FROM 受注";

/// Until Kintone was asked more often than this.
async fn more_than(server: &Server, count: usize) {
    while server.kintone.requests().len() <= count {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// That nothing is asked any more: what is under way is logged at its end, within a latency.
async fn is_quiet(server: &Server) -> usize {
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let settled = server.kintone.requests().len();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(server.kintone.requests().len(), settled);
    settled
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_ends_rows_on_their_way() {
    let server = server().await;
    let client = slowed(&server).await;
    let before = server.kintone.requests().len();
    // In the simple protocol, the extended one, a portal's portions, and COPY.
    for way in 0..4 {
        client.batch_execute("SET statement_timeout = 1500").await.unwrap();
        let error = match way {
            0 => client.simple_query(ROWS).await.err(),
            1 => client.query(ROWS, &[]).await.err(),
            2 => {
                let sent = client.copy_out(&format!("COPY ({ROWS}) TO STDOUT")).await.unwrap();
                sent.try_for_each(|_| std::future::ready(Ok(()))).await.err()
            }
            _ => {
                client.batch_execute(&format!("BEGIN; DECLARE c CURSOR FOR {ROWS}")).await.unwrap();
                let error = client.query("FETCH ALL FROM c", &[]).await.err();
                client.batch_execute("ROLLBACK").await.unwrap();
                error
            }
        };
        assert_eq!(code(&error.unwrap()), "57014", "way {way}");
        client.batch_execute("RESET statement_timeout").await.unwrap();
        client.query("SELECT 1", &[]).await.unwrap();
    }
    let after = is_quiet(&server).await;
    assert!(after > before, "no request was sent");
}

/// As in PostgreSQL, where each FETCH, and each part of a portal, has the time of a statement.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_wait_to_be_fetched_have_no_time_limit() {
    let server = server().await;
    let mut client = server.connect().await;
    client.batch_execute("SET statement_timeout = 1000").await.unwrap();
    let sql = "SELECT v FROM generate_series(1, 50000) AS t(v)";
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute(&format!("DECLARE c CURSOR FOR {sql}")).await.unwrap();
    let portal = transaction.bind(sql, &[]).await.unwrap();
    for _ in 0..2 {
        assert_eq!(transaction.query_portal(&portal, 20_000).await.unwrap().len(), 20_000);
        assert_eq!(transaction.query("FETCH 20000 FROM c", &[]).await.unwrap().len(), 20_000);
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    assert_eq!(transaction.query_portal(&portal, 0).await.unwrap().len(), 10_000);
    assert_eq!(transaction.query("FETCH ALL FROM c", &[]).await.unwrap().len(), 10_000);
    transaction.commit().await.unwrap();
}

/// As in PostgreSQL, where a cancel that finds nothing running does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_between_statements_does_nothing() {
    let server = server().await;
    let mut client = server.connect().await;
    let token = client.cancel_token();
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("SELECT v FROM generate_series(1, 50000) AS t(v)", &[]).await.unwrap();
    assert_eq!(transaction.query_portal(&portal, 10).await.unwrap().len(), 10);
    // Until the Sync behind the portal is answered, a statement runs.
    transaction.batch_execute("SELECT 1").await.unwrap();
    token.cancel_query(NoTls).await.unwrap();
    assert_eq!(transaction.query_portal(&portal, 0).await.unwrap().len(), 49_990);
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_takes_its_requests_along() {
    let server = server().await;
    drop(slowed(&server).await);
    for goodbye in [true, false] {
        let port = server.port;
        let before = server.kintone.requests().len();
        let mut raw = tokio::task::spawn_blocking(move || Raw::connect(port)).await.unwrap();
        raw.send(b'Q', format!("{ROWS}\0").as_bytes());
        more_than(&server, before).await;
        if goodbye {
            raw.send(b'X', b"");
        }
        drop(raw);
        is_quiet(&server).await;
    }
}

async fn pid(client: &Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0)
}

/// A statement that runs on a connection of its own, once others see it.
async fn running(
    server: &Server,
    other: &Client,
    sql: &'static str,
) -> (i32, tokio::task::JoinHandle<Result<Vec<SimpleQueryMessage>, tokio_postgres::Error>>) {
    let client = server.try_connect("").await.unwrap();
    let pid = pid(&client).await;
    let task = tokio::spawn(async move { client.simple_query(sql).await });
    let active = "SELECT query FROM pg_stat_activity WHERE pid = $1 AND state = 'active'";
    while !other.query(active, &[&pid]).await.unwrap().iter().any(|row| row.get::<_, &str>(0) == sql) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (pid, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_a_user_see_and_stop_each_other() {
    let server = server().await;
    let client = server.try_connect("").await.unwrap();
    let (sleeping, task) = running(&server, &client, "SELECT pg_sleep(600)").await;
    let signal = |function: &str, pid: i32| format!("SELECT {function}({pid})");
    let told = run_simple(&client, &signal("pg_cancel_backend", sleeping)).await.unwrap();
    assert_eq!(told.rows, [[Some("t".to_owned())]]);
    assert_eq!(code(&task.await.unwrap().err().unwrap()), "57014");
    let (sleeping, task) = running(&server, &client, "SELECT pg_sleep(600) FROM generate_series(1, 3)").await;
    let told = run_simple(&client, &signal("pg_terminate_backend", sleeping)).await.unwrap();
    assert_eq!(told.rows, [[Some("t".to_owned())]]);
    assert_eq!(code(&task.await.unwrap().err().unwrap()), "57P01");
    for function in ["pg_cancel_backend", "pg_terminate_backend"] {
        let told = run_simple(&client, &signal(function, sleeping)).await.unwrap();
        assert_eq!(told.rows, [[Some("f".to_owned())]], "{function}");
    }
    // What is asked of oneself ends the statement that asks.
    let own = pid(&client).await;
    let error = client.simple_query(&signal("pg_cancel_backend", own)).await.err().unwrap();
    assert_eq!(code(&error), "57014");
    assert_eq!(pid(&client).await, own);
    let error = client.simple_query(&signal("pg_terminate_backend", own)).await.err().unwrap();
    assert_eq!(code(&error), "57P01");
    assert!(client.simple_query("SELECT 1").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_by_itself_or_by_its_time() {
    let server = server().await;
    let client = server.try_connect("").await.unwrap();
    let slept = "SELECT pg_sleep(0), pg_sleep_for('1 ms'), pg_sleep_until(now()), pg_sleep(NULL)";
    let slept = run_simple(&client, slept).await.unwrap();
    assert_eq!(slept.rows, [[Some(String::new()), Some(String::new()), Some(String::new()), None]]);
    client.batch_execute("SET statement_timeout = 50").await.unwrap();
    let error = client.simple_query("SELECT pg_sleep(600)").await.err().unwrap();
    assert_eq!(code(&error), "57014");
}

/// To plan this would take minutes; the time is up in the middle, and others are served meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planning_is_stopped_as_running_is() {
    let server = server().await;
    let other = server.try_connect("").await.unwrap();
    let joins: Vec<_> =
        (1..300).map(|i| format!("JOIN 受注 t{i} ON t{i}.\"$id\" = t{}.\"$id\"", i - 1)).collect();
    let sql = format!("SELECT count(*) FROM 受注 t0 {}", joins.join(" "));
    let mut tasks = vec![];
    for _ in 0..3 {
        let client = server.try_connect("").await.unwrap();
        let sql = sql.clone();
        tasks.push(tokio::spawn(async move {
            client.batch_execute("SET statement_timeout = 1000").await.unwrap();
            code(&client.query(&sql, &[]).await.err().unwrap())
        }));
    }
    for task in tasks {
        other.query("SELECT 1", &[]).await.unwrap();
        assert_eq!(task.await.unwrap(), "57014");
    }
}
