//! HTTP by hand, to see what really comes over the wire.

use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came before the connection ended, and how it ended.
pub(super) struct Raw {
    pub(super) bytes: Vec<u8>,
    pub(super) end: Option<io::ErrorKind>,
}

impl Raw {
    fn split(&self) -> Option<(&str, &[u8])> {
        let at = self.bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        Some((std::str::from_utf8(&self.bytes[..at]).unwrap(), &self.bytes[at + 4..]))
    }

    pub(super) fn status(&self) -> u16 {
        self.split().map_or(0, |(head, _)| head.split(' ').nth(1).unwrap().parse().unwrap())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.split()?.0.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(super) fn body(&self) -> &[u8] {
        self.split().map_or(&[], |(_, body)| body)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(self.body())
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// `200`, or `400 CB_VA01`, or `503 html`.
    pub(super) fn outcome(&self) -> String {
        match (self.status(), self.header("content-type")) {
            (200, Some("application/json;charset=utf-8")) => "200".to_owned(),
            (status, Some("application/json;charset=utf-8")) => {
                format!("{status} {}", self.json()["code"].as_str().unwrap_or("?"))
            }
            (status, Some("text/html;charset=utf-8")) => format!("{status} html"),
            (status, _) => status.to_string(),
        }
    }
}

/// Sends bytes and reads until the other side ends the connection.
pub(super) async fn exchange(port: u16, request: &[u8]) -> Raw {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // The other side may refuse before it has read all.
    let _ = socket.write_all(request).await;
    let mut bytes = vec![];
    let end = socket.read_to_end(&mut bytes).await.err().map(|error| error.kind());
    Raw { bytes, end }
}

/// Sends bytes and nothing more, and reads what comes.
pub(super) async fn exchange_all(port: u16, request: &[u8]) -> Raw {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let _ = socket.write_all(request).await;
    let _ = socket.shutdown().await;
    let mut bytes = vec![];
    let end = socket.read_to_end(&mut bytes).await.err().map(|error| error.kind());
    Raw { bytes, end }
}

/// A request of the user `sato` with further header lines.
pub(super) fn request(method: &str, target: &str, headers: &str, body: Option<&[u8]>) -> Vec<u8> {
    let login = STANDARD.encode("sato:pw");
    let mut out = format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Cybozu-Authorization: {login}\r\n{headers}"
    )
    .into_bytes();
    if let Some(body) = body {
        out.extend(
            format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()).into_bytes(),
        );
    }
    out.extend(b"\r\n");
    out.extend(body.unwrap_or_default());
    out
}

pub(super) async fn get(port: u16, path: &str, headers: &str) -> Raw {
    exchange(port, &request("GET", &format!("/k/v1/{path}"), headers, None)).await
}

pub(super) async fn call(port: u16, method: &str, path: &str, body: &Value) -> Raw {
    let body = body.to_string().into_bytes();
    exchange(port, &request(method, &format!("/k/v1/{path}"), "", Some(&body))).await
}

/// Takes gzip off a body.
pub(super) fn gunzip(body: &[u8]) -> Vec<u8> {
    let mut out = vec![];
    flate2::read::GzDecoder::new(body).read_to_end(&mut out).unwrap();
    out
}
