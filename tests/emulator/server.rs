//! The server itself: log, latency, limits, both loopback addresses.

use std::time::{Duration, Instant};

use kintone_sql::emulator::Options;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Domain, Reply, world};

#[tokio::test]
async fn requests_are_logged_delayed_and_limited() {
    let domain =
        Domain::with(&world(), Options { log_capacity: 3, concurrency_limit: 2, ..Options::default() }).await;
    domain.get("records.json?app=1&query=%24id%3D1&fields%5B0%5D=%24id").await;
    let logged = domain.emulator.requests().pop().unwrap();
    assert_eq!(
        (
            logged.method.as_str(),
            logged.path.as_str(),
            logged.app,
            logged.query.as_deref(),
            logged.status,
            logged.rows
        ),
        ("GET", "/k/v1/records.json", Some(1), Some("$id=1"), 200, 1)
    );
    assert_eq!((logged.fields, logged.running), (vec!["$id".to_owned()], 1));
    for _ in 0..5 {
        domain.get("apps.json").await;
    }
    assert_eq!(domain.emulator.requests().len(), 3);
    domain.emulator.clear_requests();
    assert_eq!(domain.emulator.requests(), []);

    domain.emulator.set_latency(Duration::from_millis(200));
    let start = Instant::now();
    let replies = futures::future::join_all((0..3).map(|_| domain.get("apps.json"))).await;
    assert!(start.elapsed() >= Duration::from_millis(200));
    let mut outcomes: Vec<String> = replies.iter().map(Reply::outcome).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["200", "200", "429 GAIA_TO04"]);

    // Both loopback addresses answer, and stopping does not wait for a slow request.
    domain.emulator.set_latency(Duration::from_secs(60));
    let port = domain.emulator.port();
    let mut hanging = TcpStream::connect(("::1", port)).await.unwrap();
    hanging.write_all(b"GET /k/v1/apps.json HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    domain.emulator.stop().await;
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}
