//! The one client that asks every server.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::{SinkExt, TryStreamExt};
use tokio_postgres::{NoTls, SimpleQueryMessage, Statement};

/// Where a server is, and as whom to log in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) user: &'static str,
    pub(crate) password: Option<&'static str>,
    pub(crate) database: &'static str,
}

/// A connection.
pub(crate) struct Client(tokio_postgres::Client);

impl Server {
    pub(crate) async fn connect(&self) -> Client {
        self.try_connect().await.expect("a connection")
    }

    pub(crate) async fn try_connect(&self) -> Option<Client> {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).user(self.user).dbname(self.database);
        if let Some(password) = self.password {
            config.password(password);
        }
        let (client, connection) = config.connect(NoTls).await.ok()?;
        tokio::spawn(connection);
        Some(Client(client))
    }
}

impl Client {
    pub(crate) async fn batch(&self, sql: &str) {
        self.0.batch_execute(sql).await.unwrap();
    }

    pub(crate) async fn copy_in(&self, sql: &str, file: &Path) {
        let mut sink = pin!(self.0.copy_in(sql).await.unwrap());
        let mut file = File::open(file).unwrap();
        let mut chunk = vec![0; 1 << 20];
        loop {
            match file.read(&mut chunk).unwrap() {
                0 => break,
                read => sink.send(bytes::Bytes::copy_from_slice(&chunk[..read])).await.unwrap(),
            }
        }
        sink.finish().await.unwrap();
    }

    /// Every value of every row, as text.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let messages = self.0.simple_query(sql).await.unwrap();
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            }
            _ => None,
        });
        rows.collect()
    }

    /// The simple protocol, text: time and rows.
    pub(crate) async fn text(&self, sql: &str) -> (Duration, usize) {
        let started = Instant::now();
        let mut stream = pin!(self.0.simple_query_raw(sql).await.unwrap());
        let mut rows = 0;
        while let Some(message) = stream.try_next().await.unwrap() {
            rows += usize::from(matches!(message, SimpleQueryMessage::Row(_)));
        }
        (started.elapsed(), rows)
    }

    pub(crate) async fn prepare(&self, sql: &str) -> Statement {
        self.0.prepare(sql).await.unwrap()
    }

    /// A prepared statement, binary: time and rows.
    pub(crate) async fn binary(&self, statement: &Statement) -> (Duration, usize) {
        let started = Instant::now();
        let parameters: [i32; 0] = [];
        let mut stream = pin!(self.0.query_raw(statement, parameters).await.unwrap());
        let mut rows = 0;
        while stream.try_next().await.unwrap().is_some() {
            rows += 1;
        }
        (started.elapsed(), rows)
    }

    /// COPY TO STDOUT in text: time and lines.
    pub(crate) async fn copy(&self, sql: &str) -> (Duration, usize) {
        let started = Instant::now();
        let mut stream = pin!(self.0.copy_out(sql).await.unwrap());
        let mut rows = 0;
        while let Some(chunk) = stream.try_next().await.unwrap() {
            rows += chunk.iter().filter(|byte| **byte == b'\n').count();
        }
        (started.elapsed(), rows)
    }

    /// Until the first row of a statement is here.
    pub(crate) async fn first(&self, sql: &str) -> Duration {
        let started = Instant::now();
        let mut stream = pin!(self.0.simple_query_raw(sql).await.unwrap());
        while let Some(message) = stream.try_next().await.unwrap() {
            if matches!(message, SimpleQueryMessage::Row(_)) {
                break;
            }
        }
        started.elapsed()
    }
}
