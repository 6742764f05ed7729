//! Connections to one domain together: the window, the login, the breaker, writes one after the other.

use futures::future::BoxFuture;
use kintone_sql::kintone::{Change, Clock, Deletion, Values};

use super::*;

/// A clock that a wait moves on at once.
#[derive(Debug)]
pub(super) struct Leaping {
    start: Instant,
    gone: Mutex<Duration>,
}

impl Leaping {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), gone: Mutex::default() })
    }

    fn leap(&self, wait: Duration) {
        *self.gone.lock().unwrap() += wait;
    }
}

impl Clock for Leaping {
    fn now(&self) -> Instant {
        self.start + *self.gone.lock().unwrap()
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'static, ()> {
        self.leap(wait);
        Box::pin(tokio::task::yield_now())
    }
}

#[tokio::test]
async fn connections_to_a_domain_share_its_window_and_its_login() {
    let server = Server::answers(vec![[vec![Wait(15)], records()].concat()]).await;
    let clients: Vec<_> = [3, 10, 10]
        .map(|most| Client::new(ClientConfig { max_in_flight: most, ..server.config() }).unwrap())
        .into();
    let outcomes = join_all((0..15).map(|n| read(&clients[n % 3]))).await;
    assert!(outcomes.into_iter().all(|o| o.unwrap() == RECORDS));
    assert_eq!(server.record.most_running.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn of_many_first_calls_with_a_wrong_login_one_is_sent() {
    for code in ["CB_WA01", "CB_AU01", "CB_TW02"] {
        // The code counts, whatever its status.
        let status = if code == "CB_TW02" { 403 } else { 401 };
        let server = Server::start(move |_, _| [vec![Wait(20)], refused(status, code)].concat()).await;
        let clients = [server.client(), server.writer()];
        let (first, second) = tokio::join!(
            join_all((0..20).map(|_| read(&clients[0]))),
            join_all((0..20).map(|_| read(&clients[1])))
        );
        let stopped = |o: &Result<_, _>| matches!(o, Err(Error::CredentialsRejected { .. }));
        assert_eq!(first.iter().chain(&second).filter(|o| stopped(o)).count(), 39, "{code}");
        assert_eq!(server.seen().len(), 1, "{code}");
        // Another login is another matter.
        let credentials = Credentials::Password { user: "鈴木".into(), password: Secret::new("x") };
        let other = Client::new(ClientConfig { credentials, ..server.config() }).unwrap();
        assert_eq!(read(&other).await.unwrap_err().code(), Some(code));
        assert_eq!(server.seen().len(), 2, "{code}");
    }
}

#[tokio::test]
async fn once_a_login_is_accepted_calls_run_together() {
    // Its head is enough: the rest of the first answer takes its time.
    let whole = http(200, &[JSON], RECORDS.as_bytes());
    let (head, tail) = whole.split_at(whole.len() - 4);
    let slow = vec![Send(head.to_vec()), Wait(60), Send(tail.to_vec())];
    let server = Server::answers(vec![slow]).await;
    let client = server.client();
    let outcomes = join_all((0..8).map(|_| read(&client))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(server.record.most_running.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn a_rejection_ends_after_five_minutes() {
    let clock = Leaping::new();
    let server = Server::answers(vec![records(), refused(401, "CB_WA01"), records()]).await;
    let client = Client::in_domains(server.config(), &Domains::new(Arc::clone(&clock) as _)).unwrap();
    read(&client).await.unwrap();
    assert_eq!(read(&client).await.unwrap_err().code(), Some("CB_WA01"));
    clock.leap(Duration::from_secs(299));
    assert!(matches!(read(&client).await, Err(Error::CredentialsRejected { .. })));
    assert_eq!(server.seen().len(), 2);
    clock.leap(Duration::from_secs(1));
    read(&client).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

/// A client of a server that never answers well until the n-th request, with waits of Kintone's length.
fn silent(server: &Server, clock: &Arc<Leaping>) -> Client {
    let mut config = server.config();
    config.read_only = false;
    config.retry = RetryConfig { attempts: 30, ..RetryConfig::default() };
    Client::in_domains(config, &Domains::new(Arc::clone(clock) as _)).unwrap()
}

#[tokio::test]
async fn a_silent_domain_is_left_alone_but_for_a_probe_every_five_seconds() {
    let back = Arc::new(AtomicUsize::new(0));
    let is_back = Arc::clone(&back);
    let server = Server::start(move |_, seen| match is_back.load(Ordering::SeqCst) {
        0 => reply(503, &[HTML], "<html>maintenance</html>"),
        _ if seen.method == "POST" => ok(&json!({"ids": ["1"], "revisions": ["1"]})),
        _ => records(),
    })
    .await;
    let clock = Leaping::new();
    let client = silent(&server, &clock);
    let change = Change::Insert { app: APP, records: vec![Values::new()] };

    // The first call is tried until the breaker opens.
    let error = read(&client).await.unwrap_err();
    assert!(matches!(error, Error::Exhausted { attempts: 5..=20, .. }), "{error}");
    let sent = server.seen().len();
    // All others are told at once, and that nothing was sent.
    for _ in 0..20 {
        let error = read(&client).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }) && error.is_unreachable(), "{error}");
        let text = "connection crm: 127.0.0.1 does not answer; the next call in ";
        assert!(error.to_string().starts_with(text), "{error}");
        assert!(matches!(client.change(&change).await, Err(Error::Unavailable { .. })));
    }
    assert_eq!(server.seen().len(), sent);

    // A probe after five seconds: a read finds out by itself, before a write something harmless does.
    clock.leap(Duration::from_secs(5));
    assert!(read(&client).await.is_err());
    assert!(read(&client).await.is_err());
    assert_eq!(server.seen().len(), sent + 1);
    clock.leap(Duration::from_secs(5));
    assert!(matches!(client.change(&change).await, Err(Error::Unavailable { .. })));
    assert_eq!(server.seen().len(), sent + 2);
    assert_eq!(server.seen().last().unwrap().target, "/k/v1/apis.json");

    // Back: the next probe is answered, and the write follows it.
    back.store(1, Ordering::SeqCst);
    clock.leap(Duration::from_secs(5));
    client.change(&change).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), sent + 4);
    assert_eq!((seen[sent + 2].target.as_str(), seen[sent + 3].method.as_str()), ("/k/v1/apis.json", "POST"));
    assert_eq!(join_all((0..10).map(|_| read(&client))).await.iter().filter(|o| o.is_ok()).count(), 10);
}

#[tokio::test]
async fn writes_to_an_app_go_one_by_one_and_to_others_together() {
    let good = |seen: &Seen| {
        if seen.target.contains("bulk") {
            return ok(&json!({"results": [{}, {}]}));
        }
        ok(&json!({}))
    };
    let server = Server::start(move |_, seen| [vec![Wait(15)], good(seen)].concat()).await;
    let client = server.writer();
    let delete = |id| Change::Delete {
        app: AppKey { id, guest_space: None },
        deletions: vec![Deletion { id: 1, revision: None }],
    };
    client.change(&delete(1)).await.unwrap();
    for (apps, expect) in [(vec![7, 7, 7, 7], 1), (vec![1, 2, 3, 4], 4)] {
        server.record.most_running.store(0, Ordering::SeqCst);
        let changes: Vec<_> = apps.into_iter().map(delete).collect();
        join_all(changes.iter().map(|c| client.change(c))).await.into_iter().for_each(|o| drop(o.unwrap()));
        assert_eq!(server.record.most_running.load(Ordering::SeqCst), expect);
    }
    // Bulk requests in opposite orders wait for each other, and not for ever.
    server.record.most_running.store(0, Ordering::SeqCst);
    let (there, back) = ([delete(1), delete(2)], [delete(2), delete(1)]);
    let outcomes = join_all((0..6).map(|n| client.bulk(if n % 2 == 0 { &there } else { &back }))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(server.record.most_running.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn taken_cursors_do_not_narrow_the_window() {
    let server = Server::start(|_, seen| match seen.method.as_str() {
        "POST" => refused(429, "GAIA_TM12"),
        _ => [vec![Wait(15)], records()].concat(),
    })
    .await;
    let client = server.client();
    for _ in 0..4 {
        assert!(client.cursor(APP, &Query::default(), &[], 1).await.unwrap().is_none());
    }
    join_all((0..10).map(|_| read(&client))).await.into_iter().for_each(|o| drop(o.unwrap()));
    assert_eq!(server.record.most_running.load(Ordering::SeqCst), 10);
}
