//! The emulator over real HTTP: what Kintone answers, and what it refuses.

mod auth;
mod bulk;
mod calc;
mod cell;
mod comment;
mod cursor;
mod deploy;
mod file;
mod fixture;
mod function;
mod grammar;
mod key;
mod large;
mod lookup;
mod openapi;
mod process;
mod query;
mod query_builder;
mod read;
mod refusal;
mod rights;
mod search;
mod server;
mod settings;
mod switch;
mod user;
mod value;
mod write;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kintone_sql::emulator::{Emulator, Fixture, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A response.
struct Reply {
    status: u16,
    head: String,
    bytes: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// `200`, or `400 CB_VA01`.
    fn outcome(&self) -> String {
        match self.status {
            200 => "200".to_owned(),
            status => format!("{status} {}", self.json()["code"].as_str().unwrap_or("?")),
        }
    }

    /// The outcome of the call of a bulk request that failed.
    fn outcome_of(&self, call: usize) -> String {
        format!("{} {}", self.status, self.json()["results"][call]["code"].as_str().unwrap_or("?"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

async fn send(
    port: u16,
    method: &str,
    target: &str,
    headers: &[(&str, String)],
    body: Option<&str>,
) -> Reply {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if let Some(body) = body {
        text += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    }
    text += "\r\n";
    text += body.unwrap_or_default();
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut raw = vec![];
    socket.read_to_end(&mut raw).await.unwrap();
    let split = raw.windows(4).position(|w| w == b"\r\n\r\n").expect("a whole response");
    let head = String::from_utf8(raw[..split].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, bytes: raw[split + 4..].to_vec() }
}

fn password(user: &str, password: &str) -> (&'static str, String) {
    ("X-Cybozu-Authorization", STANDARD.encode(format!("{user}:{password}")))
}

fn token(tokens: &str) -> (&'static str, String) {
    ("X-Cybozu-API-Token", tokens.to_owned())
}

fn encode(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

/// A running emulator with a client that logs in as `sato`.
struct Domain {
    emulator: Emulator,
}

impl Domain {
    async fn start(world: &Value) -> Self {
        Self::with(world, Options::default()).await
    }

    async fn with(world: &Value, options: Options) -> Self {
        let world = Arc::new(Fixture::from_json(world).unwrap());
        Self { emulator: Emulator::start(world, options).await.unwrap() }
    }

    async fn get(&self, path: &str) -> Reply {
        let target = format!("/k/v1/{path}");
        send(self.emulator.port(), "GET", &target, &[password("sato", "pw")], None).await
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        let target = format!("/k/v1/{path}");
        send(self.emulator.port(), method, &target, &[password("sato", "pw")], Some(&body.to_string())).await
    }

    /// `3 1` for the ids of a query, or its refusal.
    async fn ids(&self, app: u64, query: &str) -> String {
        let reply = self.get(&format!("records.json?app={app}&query={}", encode(query))).await;
        if reply.status != 200 {
            return reply.outcome();
        }
        let ids: Vec<String> = reply.json()["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["$id"]["value"].as_str().unwrap().to_owned())
            .collect();
        ids.join(" ")
    }
}

/// One app with every field type, four records: 1 and 2 are full, 3 is empty, 4 has edges.
fn world() -> Value {
    let mut world: Value = serde_json::from_str(include_str!("../fixtures/emulator.json")).unwrap();
    let comments: Vec<Value> =
        (1..=12).map(|n| json!({"text": format!("コメント{n}"), "creator": "sato"})).collect();
    world["apps"][0]["comments"] = json!({"1": comments});
    world
}
