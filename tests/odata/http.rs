//! The OData door over sockets.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::NaiveDate;
use kintone_sql::emulator::demo::Company;
use kintone_sql::emulator::{Emulator, Options};
use kintone_sql::engine::{Engine, EngineConfig};
use kintone_sql::kintone::{Client, ClientConfig};
use kintone_sql::odata::{ApiUser, Cors, OdataConfig, Privileges, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The door over an engine over the demo company, as long as this lives.
pub(super) struct Door {
    pub(super) address: SocketAddr,
    pub(super) kintone: Emulator,
    _stop: DropGuard,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

impl Door {
    pub(super) async fn start(change: impl FnOnce(&mut OdataConfig)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = OdataConfig::new(address);
        change(&mut config);
        let user = |name: &str, token: &str, get| ApiUser {
            name: name.into(),
            tokens: vec![token.parse().unwrap()],
            privileges: Privileges { get, post: get, ..Privileges::default() },
            administrator: false,
        };
        let users = vec![user("reader", "secret", true), user("nobody", "nothing", false)];
        let stop = CancellationToken::new();
        let (kintone, engine) = company().await;
        tokio::spawn(serve(listener, engine, users, config, stop.clone()));
        Self { address, kintone, _stop: stop.drop_guard() }
    }

    /// HTTP/1.0, so that the body ends where the connection does.
    pub(super) async fn send(&self, method: &str, target: &str, headers: &[&str]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let host = if headers.iter().any(|h| h.starts_with("Host:")) {
            String::new()
        } else {
            "Host: localhost\r\n".into()
        };
        let lines: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let request = format!("{method} {target} HTTP/1.0\r\n{host}{lines}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = vec![];
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.into(), body: body.into() }
    }

    pub(super) async fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &["x-cdata-authtoken: secret"]).await
    }
}

/// The demo company of one day, and an engine over it.
async fn company() -> (Emulator, Engine) {
    let today = NaiveDate::from_ymd_opt(2026, 4, 24).unwrap();
    let kintone = Emulator::start(Arc::new(Company::new(1, today)), Options::default()).await.unwrap();
    let url = kintone.url();
    let properties = [("Url", url.as_str()), ("User", "demo"), ("Password", "demo"), ("GuestSpaceId", "5")];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = ClientConfig::from_properties("public", &properties, &|text| Ok(text.to_owned())).unwrap();
    let client = Client::new(config).unwrap();
    (kintone, Engine::new(EngineConfig::default(), vec![client]).unwrap())
}

#[tokio::test]
async fn strangers_are_turned_away() {
    let door = Door::start(|_| {}).await;
    for (target, headers, status) in [
        ("/api.rsc/", vec![], 401),
        ("/api.rsc/", vec!["x-cdata-authtoken: wrong"], 401),
        ("/api.rsc/@secret/", vec![], 401),
        ("/api.rsc/?@authtoken=secret", vec![], 401),
        ("/api.rsc/", vec!["x-cdata-authtoken: nothing"], 403),
        ("/api.rsc/", vec!["x-cdata-authtoken: secret"], 200),
        ("/api.rsc/", vec!["x-cdata-authtoken: secret", "X-Forwarded-For: 10.0.0.1"], 403),
        ("/api.rsc/", vec!["x-cdata-authtoken: secret", "Host: evil.example"], 421),
        ("/", vec!["x-cdata-authtoken: secret"], 404),
    ] {
        let answer = door.send("GET", target, &headers).await;
        assert_eq!(answer.status, status, "{target} {headers:?} {answer:?}");
        assert_eq!(answer.header("OData-Version"), Some("4.0"));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        if status != 200 {
            let error = answer.json();
            assert!(
                error["error"]["code"].is_string() && error["error"]["message"].is_string(),
                "{answer:?}"
            );
            assert!(!answer.body.contains("secret"), "{answer:?}");
        }
        assert_eq!(answer.header("WWW-Authenticate").is_some(), status == 401);
    }
    let refused = door.send("GET", "/api.rsc/@secret/", &[]).await.json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("in the URL"), "{refused}");
}

#[tokio::test]
async fn a_preflight_needs_no_token() {
    let door = Door::start(|config| {
        config.cors = Cors { enabled: true, ..Cors::default() };
        config.allow_authtoken_in_url = true;
    })
    .await;
    let origin = "Origin: https://make.powerautomate.com";
    for target in ["/api.rsc/$oas", "/api.rsc/@secret/$oas"] {
        let answer = door.send("OPTIONS", target, &[origin, "Access-Control-Request-Method: GET"]).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
        assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("GET,PUT,POST,OPTIONS"));
        assert_eq!(answer.header("Vary"), Some("Origin"));
    }
    let answer = door.send("GET", "/api.rsc/@secret/$oas", &[origin]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(answer.json()["basePath"], "/api.rsc/@secret");
    assert_eq!(answer.json()["host"], "localhost");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_name() {
    let door = Door::start(|_| {}).await;
    for (method, target, headers, status, allow) in [
        ("POST", "/api.rsc/$metadata", vec![], 405, Some("GET, HEAD, OPTIONS")),
        ("POST", "/api.rsc/$batch", vec![], 501, None),
        ("DELETE", "/api.rsc/Comments", vec![], 405, Some("GET, HEAD, OPTIONS, POST")),
        ("DELETE", "/api.rsc/Comments(1)", vec![], 403, None),
        ("POST", "/api.rsc/Comments", vec![], 501, None),
        ("GET", "/api.rsc/$metadata", vec!["Accept: application/json"], 406, None),
        ("GET", "/api.rsc/$metadata", vec!["OData-MaxVersion: 3.0"], 400, None),
        ("GET", "/api.rsc/", vec!["Accept: application/atom+xml"], 406, None),
        ("GET", "/api.rsc/Nothing", vec![], 404, None),
    ] {
        let mut all = vec!["x-cdata-authtoken: secret"];
        all.extend(headers);
        let answer = door.send(method, target, &all).await;
        assert_eq!(answer.status, status, "{method} {target} {answer:?}");
        assert_eq!(answer.header("Allow"), allow, "{method} {target}");
    }
    let long = door.get(&format!("/api.rsc/Comments?$filter={}", "x".repeat(17_000))).await;
    assert_eq!(long.status, 414);
}
