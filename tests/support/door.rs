//! The PostgreSQL door on a socket, and a client of it.

use std::net::SocketAddr;

use chrono_tz::Tz;
use kintone_sql::engine::Engine;
use kintone_sql::postgres::{Login, PostgresConfig, serve};
use tokio::net::TcpListener;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::text;
use super::world::Answer;

pub(crate) const USER: &str = "tester";
pub(crate) const PASSWORD: &str = "pass word";

/// The door of an engine; dropping it shuts it.
pub(crate) struct Door {
    address: SocketAddr,
    _stop: DropGuard,
}

impl Door {
    pub(crate) async fn open(engine: Engine) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let password = PASSWORD.parse().unwrap();
        let logins = vec![Login { name: USER.into(), password, administrator: true }];
        let stop = CancellationToken::new();
        let config = PostgresConfig { listen: address, ..PostgresConfig::default() };
        tokio::spawn(serve(listener, engine, logins, config, stop.clone()));
        Self { address, _stop: stop.drop_guard() }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new connection.
    pub(crate) async fn connect(&self) -> Client {
        self.connect_with(|_| {}).await
    }

    /// A new connection that begins otherwise.
    pub(crate) async fn connect_with(&self, change: impl FnOnce(&mut tokio_postgres::Config)) -> Client {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.address.port()).dbname("kintone").user(USER).password(PASSWORD);
        change(&mut config);
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

/// The simple protocol: every value is text. It tells no types.
pub(crate) async fn run_simple(client: &Client, sql: &str) -> Result<Answer, Error> {
    let mut answer = Answer::default();
    for message in client.simple_query(sql).await? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                answer.columns = columns.iter().map(|c| (c.name().to_owned(), String::new())).collect();
            }
            SimpleQueryMessage::Row(row) => {
                answer.rows.push((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect());
            }
            _ => {}
        }
    }
    Ok(answer)
}

/// The extended protocol: prepared, and every value in binary.
pub(crate) async fn run_prepared(client: &Client, sql: &str) -> Result<Answer, Error> {
    let statement = client.prepare(sql).await?;
    let columns = statement.columns().iter().map(|c| (c.name().to_owned(), c.type_().name().to_owned()));
    let columns: Vec<(String, String)> = columns.collect();
    // In binary they are oids: their names are told in text alone.
    let named =
        [Type::REGCLASS, Type::REGTYPE, Type::REGPROC, Type::REGPROCEDURE, Type::REGNAMESPACE, Type::REGROLE];
    if statement.columns().iter().any(|column| named.contains(column.type_())) {
        return Ok(Answer { columns, rows: run_simple(client, sql).await?.rows });
    }
    let found = client.query(&statement, &[]).await?;
    let has_instant = statement.columns().iter().any(|c| *c.type_() == Type::TIMESTAMPTZ);
    let zone = if has_instant && !found.is_empty() { zone(client).await? } else { Tz::UTC };
    let value = |row: &tokio_postgres::Row, at: usize| {
        let Raw(bytes) = row.get(at);
        let sql_type = row.columns()[at].type_();
        bytes.map(|bytes| text::from_binary(sql_type, &bytes, zone))
    };
    let rows = found.iter().map(|row| (0..row.len()).map(|at| value(row, at)).collect()).collect();
    Ok(Answer { columns, rows })
}

async fn zone(client: &Client) -> Result<Tz, Error> {
    let shown = run_simple(client, "SHOW TimeZone").await?;
    let name = shown.rows.first().and_then(|row| row.first().cloned().flatten());
    Ok(name.unwrap_or_default().parse().unwrap())
}

/// The bytes of a value, whatever its type.
struct Raw(Option<Vec<u8>>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Some(raw.to_vec())))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
