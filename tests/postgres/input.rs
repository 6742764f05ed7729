//! Every message of a client, whole and damaged, in any order, before the login and after it: the answer is well
//! formed, the connection ends, and nobody else notices.

use std::net::Shutdown;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use tokio::runtime::Handle;

use super::*;

const CASES: u32 = 400;

/// Panics in the door, whatever thread they are on.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let file = info.location().map_or("", |location| location.file());
            if file.contains("src/postgres/") || file.contains("pgwire") || file.contains("bytes-") {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            previous(info);
        }));
    });
}

/// `demo` with a verifier of one iteration, so that many logins are cheap.
fn quick_login() -> Login {
    let mac = |key: &[u8], text: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    };
    let salted = mac(b"demo", &[&b"salt"[..], &[0, 0, 0, 1]].concat());
    let [salt, stored, server] =
        [b"salt".to_vec(), Sha256::digest(mac(&salted, b"Client Key")).to_vec(), mac(&salted, b"Server Key")]
            .map(|bytes| STANDARD.encode(bytes));
    let password = format!("SCRAM-SHA-256$1:{salt}${stored}:{server}").parse().unwrap();
    Login { name: "demo".into(), password, administrator: false }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[kind], &length[..], body].concat()
}

fn untyped(body: &[u8]) -> Vec<u8> {
    message(0, body)[1..].to_vec()
}

fn sql() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        ";;",
        "SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT $1",
        "SELECT v FROM generate_series(1, 50) AS t(v)",
        "BEGIN",
        "COMMIT",
        "SELECT 1 / 0",
        "not SQL ' \"",
        "SET nonsense = 1",
        "COPY (SELECT 1) TO STDOUT",
        "COPY t FROM STDIN",
        "DECLARE c CURSOR FOR SELECT 1",
        "FETCH c",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "DISCARD ALL",
    ])
}

/// The name of a statement or a portal.
fn name() -> impl Strategy<Value = &'static str> {
    select(vec!["", "a", "c", "名"])
}

/// One message of each type, well formed.
fn whole() -> BoxedStrategy<Vec<u8>> {
    let bytes = || vec(any::<u8>(), 0..12);
    let target = select(vec!['S', 'P', 'x', '\0']);
    prop_oneof![
        select(vec![196_608_u32, 196_610, 131_072, 0xffff_ffff]).prop_map(|version| {
            untyped(&[&version.to_be_bytes()[..], b"user\0demo\0database\0kintone\0\0"].concat())
        }),
        select(vec![80_877_103_u32, 80_877_104]).prop_map(|code| untyped(&code.to_be_bytes())),
        bytes().prop_map(|key| untyped(&[&80_877_102_u32.to_be_bytes()[..], &key].concat())),
        sql().prop_map(|sql| message(b'Q', format!("{sql}\0").as_bytes())),
        (name(), sql(), vec(any::<u32>(), 0..3)).prop_map(|(name, sql, oids)| {
            let count = u16::try_from(oids.len()).unwrap().to_be_bytes();
            let oids: Vec<u8> = oids.into_iter().flat_map(u32::to_be_bytes).collect();
            message(b'P', &[format!("{name}\0{sql}\0").as_bytes(), &count, &oids].concat())
        }),
        (name(), name(), vec(any::<bool>(), 0..3), vec(prop::option::of(bytes()), 0..3)).prop_map(
            |(portal, statement, formats, values)| {
                let mut body = format!("{portal}\0{statement}\0").into_bytes();
                body.extend(u16::try_from(formats.len()).unwrap().to_be_bytes());
                body.extend(formats.iter().flat_map(|format| u16::from(*format).to_be_bytes()));
                body.extend(u16::try_from(values.len()).unwrap().to_be_bytes());
                for value in values {
                    let length = value.as_ref().map_or(-1, |value| i32::try_from(value.len()).unwrap());
                    body.extend(length.to_be_bytes());
                    body.extend(value.unwrap_or_default());
                }
                body.extend([0, 1, 0, 1]);
                message(b'B', &body)
            }
        ),
        (target.clone(), name())
            .prop_map(|(target, name)| message(b'D', format!("{target}{name}\0").as_bytes())),
        (name(), any::<i8>()).prop_map(|(name, rows)| {
            message(b'E', &[format!("{name}\0").as_bytes(), &i32::from(rows).to_be_bytes()].concat())
        }),
        (target, name()).prop_map(|(target, name)| message(b'C', format!("{target}{name}\0").as_bytes())),
        select(vec![b'S', b'H', b'c', b'X']).prop_map(|kind| message(kind, b"")),
        bytes().prop_map(|data| message(b'd', &data)),
        bytes().prop_map(|data| message(b'f', &[&data[..], b"\0"].concat())),
        bytes().prop_map(|data| message(b'p', &data)),
        Just(message(b'p', b"SCRAM-SHA-256\0\0\0\0\x0bn,,n=,r=abc")),
        bytes().prop_map(|value| {
            let length = u32::try_from(value.len()).unwrap().to_be_bytes();
            message(b'F', &[&[0, 0, 0, 7, 0, 0, 0, 1][..], &length, &value, &[0, 0]].concat())
        }),
        (any::<u8>(), bytes()).prop_map(|(kind, body)| message(kind, &body)),
    ]
    .boxed()
}

/// A message as it is, or damaged.
fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let lengths =
        select(vec![0_u32, 3, 4, 5, 255, 10_001, 16 << 20, (16 << 20) + 1, i32::MAX as u32, u32::MAX]);
    prop_oneof![
        6 => whole(),
        2 => (whole(), any::<Index>()).prop_map(|(mut bytes, end)| {
            bytes.truncate(end.index(bytes.len()));
            bytes
        }),
        2 => (whole(), lengths).prop_map(|(mut bytes, length)| {
            let at = usize::from(bytes[0] != 0);
            bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
            bytes
        }),
        2 => (whole(), vec((any::<Index>(), any::<u8>()), 1..4)).prop_map(|(mut bytes, changes)| {
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        }),
        1 => vec(any::<u8>(), 0..40),
    ]
}

/// Whether these are whole messages of a server, one after the other.
fn is_well_formed(mut answer: &[u8]) -> bool {
    while let [_, a, b, c, d, rest @ ..] = answer {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let Some(rest) = length.checked_sub(4).and_then(|length| rest.get(length..)) else { return false };
        answer = rest;
    }
    answer.is_empty()
}

/// Sends all of it, and nothing after it; what comes back until the server ends the connection.
fn answer(port: u16, logged_in: bool, bytes: &[u8]) -> Vec<u8> {
    let mut stream =
        if logged_in { Raw::connect(port).0 } else { TcpStream::connect(("127.0.0.1", port)).unwrap() };
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The server may end it before all was sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = vec![];
    let mut part = [0; 4096];
    loop {
        match stream.read(&mut part) {
            Ok(0) => return answer,
            Ok(count) => answer.extend(&part[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("the connection goes on"),
            // Bytes that were not read turn the end into a reset.
            Err(_) => return answer,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_messages_are_told_or_end_that_connection_alone() {
    count_panics();
    let server = server_for(quick_login(), PostgresConfig::default()).await;
    let other = server.connect().await;
    let port = server.port;
    let here = Handle::current();
    let run = move || {
        let config =
            Config { cases: CASES, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let input = (any::<bool>(), vec(any_message(), 1..7));
        let result = runner.run(&input, |(logged_in, messages)| {
            let answer = answer(port, logged_in, &messages.concat());
            // The refusals of encryption have no length.
            let refusals =
                if logged_in { 0 } else { answer.iter().take_while(|byte| **byte == b'N').count() };
            let shown = String::from_utf8_lossy(&answer).into_owned();
            prop_assert!(is_well_formed(&answer[refusals..]), "{:?}", shown);
            prop_assert!(!shown.contains("CXX000\0"), "{:?}", shown);
            prop_assert_eq!(PANICS.load(Ordering::Relaxed), 0);
            let rows = here.block_on(other.query_one("SELECT 7::bigint", &[]));
            let value = rows.map_err(|error| TestCaseError::fail(error.to_string()))?.get::<_, i64>(0);
            prop_assert_eq!(value, 7);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{error}"));
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_login_every_message_but_the_proof_is_the_end() {
    let server = server_for(quick_login(), PostgresConfig::default()).await;
    let port = server.port;
    let run = move || {
        let start = untyped(b"\0\x03\0\0user\0demo\0database\0kintone\0\0");
        for kind in *b"QPBDECHSXdcfFp!" {
            let answer = answer(port, false, &[&start[..], &message(kind, b"\0\0\0\0\0\0\0\0")].concat());
            let shown = String::from_utf8_lossy(&answer);
            assert!(shown.contains("SFATAL\0VFATAL\0C08P01\0"), "{}: {shown:?}", char::from(kind));
            assert!(is_well_formed(&answer));
        }
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_call_is_refused_and_the_connection_goes_on() {
    let server = server().await;
    let port = server.port;
    tokio::task::spawn_blocking(move || {
        let mut raw = Raw::connect(port);
        raw.send(b'F', b"\0\0\0\x07\0\0\0\0\0\0");
        assert_eq!(raw.answers(), ["0A000", "ZI"]);
        raw.send(b'Q', b"SELECT 1\0");
        assert_eq!(raw.answers(), ["T", "D", "SELECT 1", "ZI"]);
    })
    .await
    .unwrap();
}
