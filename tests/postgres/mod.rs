//! The PostgreSQL door under real clients: tokio-postgres, psql, and bytes written by hand.

mod input;
mod stop;
mod tls;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use kintone_sql::emulator::demo::Company;
use kintone_sql::emulator::{Emulator, Options};
use kintone_sql::engine::{Engine, EngineConfig};
use kintone_sql::kintone::{Client as KintoneClient, ClientConfig, Credentials, Secret};
use kintone_sql::postgres::{Login, PostgresConfig, serve};
use sha2::{Digest, Sha256};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use tokio_util::sync::CancellationToken;

use crate::support::door::{run_prepared, run_simple};

/// A door on a free port over the demo company, as long as this lives.
struct Server {
    port: u16,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
    kintone: Emulator,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Waits for Kintone: 40 requests of a second each, a few at a time.
const SLOW: &str = "SELECT * FROM 受注";
async fn server() -> Server {
    server_with(20).await
}

async fn server_with(max_connections: usize) -> Server {
    server_of(PostgresConfig { max_connections, ..PostgresConfig::default() }).await
}

async fn server_of(config: PostgresConfig) -> Server {
    let login = Login { name: "demo".into(), password: "demo".parse().unwrap(), administrator: false };
    server_for(login, config).await
}

async fn server_for(login: Login, config: PostgresConfig) -> Server {
    let today = NaiveDate::from_ymd_opt(2026, 4, 24).unwrap();
    let kintone = Emulator::start(Arc::new(Company::new(1, today)), Options::default()).await.unwrap();
    let credentials = Credentials::Password { user: "demo".into(), password: Secret::new("demo") };
    let client = ClientConfig::new("public", kintone.url().parse().unwrap(), credentials);
    let engine = Engine::new(EngineConfig::default(), vec![KintoneClient::new(client).unwrap()]).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(listener, engine, vec![login], config, shutdown.clone()));
    Server { port, shutdown, task, kintone }
}

impl Server {
    fn url(&self, rest: &str) -> String {
        format!("host=127.0.0.1 port={} dbname=kintone user=demo password=demo {rest}", self.port)
    }

    async fn try_connect(&self, rest: &str) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.url(rest), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn connect(&self) -> Client {
        self.try_connect("").await.unwrap()
    }

    /// psql's output, aligned off.
    fn psql(&self, arguments: &[&str]) -> String {
        let out = Command::new("psql")
            .args(["-X", "-A", "-t", "-h", "127.0.0.1", "-U", "demo", "-d", "kintone", "-p"])
            .arg(self.port.to_string())
            .args(arguments)
            .env("PGPASSWORD", "demo")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap()
    }
}

fn code(error: &tokio_postgres::Error) -> String {
    error.code().map_or_else(|| format!("{error:?}"), |code| code.code().to_owned())
}

/// The rows and the tags of a batch, as text.
fn shown(messages: &[SimpleQueryMessage]) -> Vec<String> {
    messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let values = (0..row.len()).map(|i| row.get(i).unwrap_or("<null>"));
                Some(values.collect::<Vec<_>>().join("|"))
            }
            SimpleQueryMessage::CommandComplete(count) => Some(format!("done {count}")),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_login_opens_a_session() {
    let server = server().await;
    for (login, expected) in [
        ("user=demo password=demo", None),
        ("user=demo password=wrong", Some("28P01")),
        ("user=nobody password=demo", Some("28P01")),
        ("user=demo password=demo dbname=other", Some("3D000")),
        ("user=demo password=demo options='-c nonsense=1'", Some("42704")),
        ("user=demo password=demo options='-c TimeZone=Asia/Tokyo'", None),
    ] {
        let result = server.try_connect(login).await;
        assert_eq!(result.err().map(|error| code(&error)).as_deref(), expected, "{login}");
    }
    let errors =
        ["user=demo password=wrong", "user=nobody password=wrong"].map(|login| server.try_connect(login));
    let [known, unknown] = futures::future::join_all(errors).await.try_into().unwrap();
    let text = |result: Result<Client, tokio_postgres::Error>| {
        result.err().unwrap().as_db_error().unwrap().to_string().replace("nobody", "demo")
    };
    assert_eq!(text(known), text(unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_too_many_is_told_so() {
    let server = server_with(1).await;
    let first = server.connect().await;
    assert_eq!(code(&server.try_connect("").await.err().unwrap()), "53300");
    drop(first);
    // The server hears of it in its own time; the place is given back.
    for _ in 0..3 {
        while server.try_connect("").await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_gives_each_statement_its_answer_and_ends_at_an_error() {
    let server = server().await;
    let client = server.connect().await;
    let messages =
        client.simple_query("SELECT 1 AS n, 'a' AS t; SELECT 2 WHERE false; SELECT NULL").await.unwrap();
    assert_eq!(shown(&messages), ["1|a", "done 1", "done 0", "<null>", "done 1"]);
    let error = client.simple_query("SELECT 1; SELECT 1 / 0; SELECT 2").await.unwrap_err();
    assert_eq!(code(&error), "22012");
    assert_eq!(client.simple_query("").await.unwrap().len(), 1);
    assert_eq!(shown(&client.simple_query("SELECT 3").await.unwrap()), ["3", "done 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_and_binary_tell_the_same() {
    let server = server().await;
    let client = server.connect().await;
    client.simple_query("SET TimeZone = 'Asia/Tokyo'").await.unwrap();
    let sql = "SELECT true AS a, 1::bigint AS b, 0.1::double precision AS c, 'é'::text AS d, \
        DATE '2026-04-24' AS e, TIMESTAMP '2026-04-24 12:00:00' AS f, \
        '2026-04-24T12:00:00Z'::timestamptz AS g, TIME '12:34:56' AS h, 12345.67800::numeric AS i, NULL AS j";
    assert_eq!(
        shown(&client.simple_query(sql).await.unwrap())[0],
        "t|1|0.1|é|2026-04-24|2026-04-24 12:00:00|2026-04-24 21:00:00+09|12:34:56|12345.67800|<null>"
    );
    let row = client.query_one(sql, &[]).await.unwrap();
    assert!(row.get::<_, bool>(0));
    assert_eq!(row.get::<_, i64>(1), 1);
    assert_eq!(row.get::<_, f64>(2).to_bits(), 0.1_f64.to_bits());
    assert_eq!(row.get::<_, &str>(3), "é");
    let date = NaiveDate::from_ymd_opt(2026, 4, 24).unwrap();
    assert_eq!(row.get::<_, NaiveDate>(4), date);
    assert_eq!(row.get::<_, NaiveDateTime>(5), date.and_hms_opt(12, 0, 0).unwrap());
    assert_eq!(row.get::<_, DateTime<Utc>>(6), date.and_hms_opt(12, 0, 0).unwrap().and_utc());
    assert_eq!(row.get::<_, NaiveTime>(7), NaiveTime::from_hms_opt(12, 34, 56).unwrap());
    assert_eq!(row.columns()[8].type_(), &Type::NUMERIC);
    assert_eq!(row.get::<_, Option<&str>>(9), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_the_demo_company_is_the_same_in_text_and_in_binary() {
    let server = server().await;
    let client = server.connect().await;
    let mut types = BTreeSet::new();
    for table in ["顧客管理", "案件管理", "商品", "受注", "受注_明細", "日報"] {
        let sql = format!("SELECT * FROM {table} ORDER BY \"$id\" LIMIT 40");
        let text = run_simple(&client, &sql).await.unwrap();
        let binary = run_prepared(&client, &sql).await.unwrap();
        assert_eq!(text.rows.len(), 40, "{table}");
        assert_eq!(text.rows, binary.rows, "{table}");
        types.extend(binary.columns.into_iter().map(|(_, name)| name));
    }
    for name in ["_text", "date", "int8", "jsonb", "numeric", "text", "time", "timestamptz"] {
        assert!(types.contains(name), "no column of type {name}: {types:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_inferred_or_declared() {
    let server = server().await;
    let client = server.connect().await;
    let inferred =
        client.prepare("SELECT v FROM (VALUES (1), (2), (3)) AS t(v) WHERE v >= $1").await.unwrap();
    assert_eq!(inferred.params(), [Type::INT4]);
    let rows = client.query(&inferred, &[&2_i32]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>(), [2, 3]);
    let declared = client.prepare_typed("SELECT $1 AS a, $2 AS b", &[Type::INT4, Type::TEXT]).await.unwrap();
    let row = client.query_one(&declared, &[&-5_i32, &"x'y"]).await.unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, &str>(1)), (-5, "x'y"));
    let null = client.query_one(&declared, &[&None::<i32>, &None::<&str>]).await.unwrap();
    assert_eq!(null.get::<_, Option<i32>>(0), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_is_read_in_portions() {
    let server = server().await;
    let mut client = server.connect().await;
    let transaction = client.transaction().await.unwrap();
    let portal = transaction
        .bind("SELECT v FROM (VALUES (1), (2), (3), (4), (5)) AS t(v) ORDER BY v", &[])
        .await
        .unwrap();
    let mut portions = vec![];
    for _ in 0..4 {
        let rows = transaction.query_portal(&portal, 2).await.unwrap();
        portions.push(rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>());
    }
    assert_eq!(portions, [vec![1, 2], vec![3, 4], vec![5], vec![]]);
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_has_its_code_and_the_connection_goes_on() {
    let server = server().await;
    let client = server.connect().await;
    for (sql, expected) in
        [("SELEC 1", SqlState::SYNTAX_ERROR), ("SELECT * FROM no_such_table", SqlState::UNDEFINED_TABLE)]
    {
        assert_eq!(client.query(sql, &[]).await.unwrap_err().code(), Some(&expected), "{sql}");
        assert_eq!(client.simple_query(sql).await.unwrap_err().code(), Some(&expected), "{sql}");
    }
    assert_eq!(client.query_one("SELECT 7::bigint", &[]).await.unwrap().get::<_, i64>(0), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_block_stays_failed_until_it_ends() {
    let server = server().await;
    let client = server.connect().await;
    client.batch_execute("BEGIN").await.unwrap();
    client.simple_query("SELECT 1 / 0").await.unwrap_err();
    assert_eq!(code(&client.query("SELECT 1", &[]).await.unwrap_err()), "25P02");
    client.batch_execute("ROLLBACK").await.unwrap();
    client.query("SELECT 1", &[]).await.unwrap();
}

/// The tables are known and one record is read: from now on each request of Kintone takes a second.
async fn slowed(server: &Server) -> Client {
    let client = server.connect().await;
    client.simple_query("SELECT * FROM 受注 LIMIT 1").await.unwrap();
    server.kintone.set_latency(Duration::from_secs(1));
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_the_running_statement_and_nothing_else() {
    let server = server().await;
    let client = slowed(&server).await;
    let token = client.cancel_token();
    let running = tokio::spawn(async move {
        let error = client.query(SLOW, &[]).await.unwrap_err();
        (client, error)
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    // A key that is not this connection's.
    let port = server.port;
    tokio::task::spawn_blocking(move || raw_cancel(port, 1, 12345)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!running.is_finished());
    let start = Instant::now();
    token.cancel_query(NoTls).await.unwrap();
    let (client, error) = running.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED));
    client.query("SELECT 1", &[]).await.unwrap();
    // Those under way are logged when their latency is over.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let requests = server.kintone.requests().len();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(server.kintone.requests().len(), requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_takes_its_statement_with_it() {
    let server = server().await;
    drop(slowed(&server).await);
    let port = server.port;
    let raw = tokio::task::spawn_blocking(move || {
        let mut raw = Raw::connect(port);
        raw.send(b'Q', format!("{SLOW}\0").as_bytes());
        raw
    });
    let raw = raw.await.unwrap();
    let before = server.kintone.requests().len();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(server.kintone.requests().len() > before);
    drop(raw);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let after = server.kintone.requests().len();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(server.kintone.requests().len(), after);
}

fn raw_cancel(port: u16, id: i32, secret: i32) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let parts = [16, 80_877_102, id, secret].map(i32::to_be_bytes).concat();
    stream.write_all(&parts).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_connections_with_a_word() {
    let server = server().await;
    let client = slowed(&server).await;
    let running = tokio::spawn(async move { client.query(SLOW, &[]).await.unwrap_err() });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let start = Instant::now();
    server.shutdown.cancel();
    assert_eq!(code(&running.await.unwrap()), "57P01");
    while !server.task.is_finished() {
        assert!(start.elapsed() < Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_shows_rows_errors_and_batches() {
    let server = server().await;
    for (sql, expected) in [
        ("SELECT 1 AS a, 'x y' AS b, NULL AS c", "1|x y|\n"),
        ("SELECT 1.50::numeric, true, 1e20::double precision", "1.50|t|1e+20\n"),
        ("SELECT 1; SELECT 2", "1\n2\n"),
        ("SHOW server_version", ""),
    ] {
        let shown = server.psql(&["-c", sql]);
        assert!(shown.starts_with(expected), "{sql}: {shown}");
    }
    assert!(server.psql(&["-v", "VERBOSITY=verbose", "-c", "SELECT * FROM nope"]).contains("42P01"));
    let many = server.psql(&["-v", "FETCH_COUNT=100", "-c", "SELECT v FROM generate_series(1, 3) AS t(v)"]);
    assert!(many.contains('3') || many.contains("ERROR"), "{many}");
}

/// The protocol by hand.
struct Raw(TcpStream);

impl Raw {
    fn connect(port: u16) -> Self {
        let mut raw = Self(TcpStream::connect(("127.0.0.1", port)).unwrap());
        raw.0.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let body = b"\0\x03\0\0user\0demo\0database\0kintone\0\0";
        raw.0.write_all(&(u32::try_from(body.len()).unwrap() + 4).to_be_bytes()).unwrap();
        raw.0.write_all(body).unwrap();
        assert_eq!(raw.receive().0, b'R');
        raw.prove("demo");
        while raw.receive().0 != b'Z' {}
        raw
    }

    /// The client's side of SCRAM-SHA-256, RFC 5802.
    fn prove(&mut self, password: &str) {
        let mac = |key: &[u8], text: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        };
        let first = b"n,,n=,r=abc";
        let length = i32::try_from(first.len()).unwrap().to_be_bytes();
        self.send(b'p', &[b"SCRAM-SHA-256\0", &length[..], first].concat());
        let (_, body) = self.receive();
        let server_first = std::str::from_utf8(&body[4..]).unwrap();
        let parts: Vec<_> = server_first.split(',').map(|part| &part[2..]).collect();
        let salt = STANDARD.decode(parts[1]).unwrap();
        let mut block = mac(password.as_bytes(), &[&salt[..], &[0, 0, 0, 1]].concat());
        let mut salted = block.clone();
        for _ in 1..parts[2].parse().unwrap() {
            block = mac(password.as_bytes(), &block);
            salted.iter_mut().zip(&block).for_each(|(a, b)| *a ^= b);
        }
        let key = mac(&salted, b"Client Key");
        let without_proof = format!("c=biws,r={}", parts[0]);
        let signature =
            mac(&Sha256::digest(&key), format!("n=,r=abc,{server_first},{without_proof}").as_bytes());
        let proof: Vec<u8> = key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        self.send(b'p', format!("{without_proof},p={}", STANDARD.encode(proof)).as_bytes());
    }

    fn send(&mut self, kind: u8, body: &[u8]) {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        self.0.write_all(&[&[kind], &length[..], body].concat()).unwrap();
    }

    fn receive(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 5];
        self.0.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes(head[1..].try_into().unwrap());
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        self.0.read_exact(&mut body).unwrap();
        (head[0], body)
    }

    /// What is answered up to ReadyForQuery: types, errors with their code.
    fn answers(&mut self) -> Vec<String> {
        let mut out = vec![];
        loop {
            let (kind, body) = self.receive();
            let shown = match kind {
                b'E' => {
                    let fields = body.split(|byte| *byte == 0).map(String::from_utf8_lossy);
                    fields.filter_map(|field| field.strip_prefix('C').map(str::to_owned)).collect()
                }
                b'C' => String::from_utf8_lossy(&body[..body.len() - 1]).into_owned(),
                b'Z' => format!("Z{}", char::from(body[0])),
                kind => char::from(kind).to_string(),
            };
            out.push(shown);
            if kind == b'Z' {
                return out;
            }
        }
    }

    fn parse(&mut self, name: &str, sql: &str) {
        self.send(b'P', format!("{name}\0{sql}\0\0\0").as_bytes());
    }

    fn bind(&mut self, portal: &str, statement: &str) {
        self.send(b'B', format!("{portal}\0{statement}\0\0\0\0\0\0\0").as_bytes());
    }

    fn execute(&mut self, portal: &str, rows: u8) {
        self.send(b'E', &[portal.as_bytes(), &[0, 0, 0, 0, rows]].concat());
    }

    fn sync(&mut self) -> Vec<String> {
        self.send(b'S', b"");
        self.answers()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extended_protocol_by_hand() {
    let server = server().await;
    let port = server.port;
    tokio::task::spawn_blocking(move || {
        let mut raw = Raw::connect(port);
        // Pipelined: two statements, then one that fails, then one that is skipped.
        for sql in ["SELECT 1", "SELECT 2", "SELECT 1 / 0", "SELECT 4"] {
            raw.parse("", sql);
            raw.bind("", "");
            raw.send(b'D', b"P\0");
            raw.execute("", 0);
        }
        let once = ["1", "2", "T", "D", "SELECT 1"];
        let answers = raw.sync();
        assert_eq!(answers[..10], [once, once].concat());
        assert_eq!(answers[answers.len() - 2..], ["22012", "ZI"]);

        raw.parse("a", "SELECT 1");
        raw.parse("a", "SELECT 2");
        assert_eq!(raw.sync(), ["1", "42P05", "ZI"]);
        raw.bind("", "nope");
        assert_eq!(raw.sync(), ["26000", "ZI"]);
        raw.execute("nope", 0);
        assert_eq!(raw.sync(), ["34000", "ZI"]);
        raw.send(b'D', b"Sa\0");
        assert_eq!(raw.sync(), ["t", "T", "ZI"]);
        raw.send(b'C', b"Sa\0");
        raw.send(b'C', b"Sa\0");
        assert_eq!(raw.sync(), ["3", "3", "ZI"]);
        raw.parse("", "");
        raw.bind("", "");
        raw.send(b'D', b"P\0");
        raw.execute("", 0);
        assert_eq!(raw.sync(), ["1", "2", "n", "I", "ZI"]);
        raw.parse("", "SELECT 1; SELECT 2");
        assert_eq!(raw.sync(), ["42601", "ZI"]);
        // A portal within one Sync: suspended, and on, and after its end.
        raw.parse("", "SELECT v FROM (VALUES (1), (2), (3)) AS t(v)");
        raw.bind("", "");
        for rows in [2, 2, 2] {
            raw.execute("", rows);
        }
        let expected = ["1", "2", "D", "D", "s", "D", "SELECT 1", "SELECT 0", "ZI"];
        assert_eq!(raw.sync(), expected);
        // Without a block it is gone after Sync.
        raw.execute("", 2);
        assert_eq!(raw.sync(), ["34000", "ZI"]);
        raw.send(b'Q', b"BEGIN\0");
        assert_eq!(raw.answers(), ["BEGIN", "ZT"]);
        raw.send(b'Q', b"SELECT \xff\0");
        assert_eq!(raw.answers(), ["22021", "ZE"]);
        raw.send(b'Q', b"ROLLBACK\0");
        assert_eq!(raw.answers(), ["ROLLBACK", "ZI"]);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_without_end_are_refused() {
    let server = server().await;
    let port = server.port;
    tokio::task::spawn_blocking(move || {
        let mut raw = Raw::connect(port);
        for n in 0..1001 {
            raw.parse(&format!("s{n}"), "");
        }
        let answers = raw.sync();
        assert_eq!(answers.len(), 1002);
        assert_eq!(answers[1000..], ["53400", "ZI"]);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_ends_that_connection_alone() {
    let server = server().await;
    let client = server.connect().await;
    let port = server.port;
    tokio::task::spawn_blocking(move || {
        for bytes in [&b"B\0\0\0\x06\0\0"[..], b"Q\x7f\xff\xff\xff", b"!\0\0\0\x04", b"Q\0\0\0\x08abcd"] {
            let mut raw = Raw::connect(port);
            raw.0.write_all(bytes).unwrap();
            let (kind, body) = raw.receive();
            assert_eq!(kind, b'E');
            assert!(body.starts_with(b"SFATAL\0VFATAL\0C08P01\0"), "{}", String::from_utf8_lossy(&body));
            assert_eq!(raw.0.read(&mut [0; 1]).unwrap(), 0);
        }
        for bytes in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"GET / HTTP/1.1\r\n\r\n"] {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(bytes).unwrap();
            let mut answer = vec![];
            // Bytes that were not read may turn the end into a reset.
            let _ = stream.read_to_end(&mut answer);
            assert!(answer.is_empty() || answer[0] == b'E');
        }
    })
    .await
    .unwrap();
    client.query("SELECT 1", &[]).await.unwrap();
}
