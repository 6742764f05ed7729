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
