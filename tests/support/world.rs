//! An embedded Kintone with an engine over it.

use std::sync::Arc;

use futures::TryStreamExt;
use kintone_sql::emulator::{Emulator, Fixture, LoggedRequest, Options, Unknowns};
use kintone_sql::engine::{
    Engine, EngineConfig, NumericForm, Session, SqlType, TextColumn, TextOptions, User,
};
use kintone_sql::error::Error;
use kintone_sql::kintone::{Client, ClientConfig, Credentials, Secret};

/// An engine's answer, each value as PostgreSQL prints it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Names, and types by PostgreSQL's inner names.
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

/// A Kintone and the engine that reads it.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) engine: Engine,
    login: (String, String),
    spaces: Vec<u64>,
}

impl World {
    /// Serves a fixture. Its first user with a password logs in; the guest spaces of its apps are joined.
    pub(crate) async fn start(fixture: &serde_json::Value) -> Self {
        Self::with(fixture, Unknowns::strict()).await
    }

    /// The same, with Kintone's open facts as given.
    pub(crate) async fn with(fixture: &serde_json::Value, unknowns: Unknowns) -> Self {
        let list = |key: &str| fixture[key].as_array().cloned().unwrap_or_default();
        let spaces: Vec<u64> = list("apps").iter().filter_map(|app| app["guestSpaceId"].as_u64()).collect();
        let users = list("users");
        let user = users.iter().find(|user| user["password"].is_string()).unwrap();
        let login = (user["code"].as_str().unwrap(), user["password"].as_str().unwrap());
        let world = Arc::new(Fixture::from_json(fixture).unwrap());
        Self::serving(world, Options { unknowns, ..Options::default() }, login, spaces).await
    }

    /// Serves any world, with a login of it.
    pub(crate) async fn serving(
        world: Arc<dyn kintone_sql::emulator::app::World>,
        options: Options,
        login: (&str, &str),
        spaces: Vec<u64>,
    ) -> Self {
        let emulator = Emulator::start(world, options).await.unwrap();
        let engine = engine(&emulator.url(), login, spaces.clone());
        let login = (login.0.to_owned(), login.1.to_owned());
        Self { emulator, engine, login, spaces }
    }

    /// A session of an engine that has read nothing yet.
    pub(crate) fn fresh_session(&self) -> Session {
        let login = (self.login.0.as_str(), self.login.1.as_str());
        let engine = engine(&self.emulator.url(), login, self.spaces.clone());
        engine.session(User { name: "tester".into(), administrator: true })
    }

    /// A session of someone who may see everything.
    pub(crate) fn session(&self) -> Session {
        self.engine.session(User { name: "tester".into(), administrator: true })
    }

    /// The requests for records since the log was cleared: those that cost what an app's size is.
    pub(crate) fn record_requests(&self) -> Vec<LoggedRequest> {
        let mut requests = self.emulator.requests();
        requests.retain(|request| request.path.ends_with("/records.json"));
        requests
    }
}

/// An engine over a Kintone at this address.
pub(crate) fn engine(url: &str, login: (&str, &str), guest_spaces: Vec<u64>) -> Engine {
    engine_with(url, login, |config| config.guest_spaces = guest_spaces)
}

/// The same, of a connection that is changed first.
pub(crate) fn engine_with(
    url: &str,
    (user, password): (&str, &str),
    change: impl FnOnce(&mut ClientConfig),
) -> Engine {
    let credentials = Credentials::Password { user: user.into(), password: Secret::new(password) };
    let mut config = ClientConfig::new("public", url.parse().unwrap(), credentials);
    change(&mut config);
    Engine::new(EngineConfig::default(), vec![Client::new(config).unwrap()]).unwrap()
}

/// An engine that is configured otherwise.
pub(crate) fn engine_of(url: &str, (user, password): (&str, &str), config: EngineConfig) -> Engine {
    let credentials = Credentials::Password { user: user.into(), password: Secret::new(password) };
    let client = ClientConfig::new("public", url.parse().unwrap(), credentials);
    Engine::new(config, vec![Client::new(client).unwrap()]).unwrap()
}

/// Runs one statement.
pub(crate) async fn run(session: &Session, sql: &str) -> Result<Answer, Error> {
    let result = session.run(sql).await?;
    let Some(schema) = result.schema else { return Ok(Answer::default()) };
    let types: Vec<SqlType> = schema.fields().iter().map(|field| SqlType::of(field)).collect();
    let names = schema.fields().iter().map(|field| field.name().clone());
    let columns = names.zip(types.iter().map(inner_name)).collect();
    let forms: Vec<NumericForm> = schema.fields().iter().map(|field| NumericForm::of(field)).collect();
    let options = TextOptions { time_zone: session.time_zone() };
    let mut rows = vec![];
    let mut batches = result.rows;
    while let Some(batch) = batches.try_next().await? {
        let columns: Vec<TextColumn> = batch
            .columns()
            .iter()
            .zip(types.iter().zip(&forms))
            .map(|(array, (sql_type, form))| TextColumn::with_form(array, sql_type, options, *form).unwrap())
            .collect();
        rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|c| value(c, row)).collect()));
    }
    Ok(Answer { columns, rows })
}

fn value(column: &TextColumn, row: usize) -> Option<String> {
    let mut out = String::new();
    column.append(&mut out, row).then_some(out)
}

/// `int8` for `bigint`, `_text` for `text[]`: the names of PostgreSQL's `pg_type`.
fn inner_name(sql_type: &SqlType) -> String {
    match sql_type {
        SqlType::Array(item) => format!("_{}", inner_name(item)),
        SqlType::Int2 => "int2".into(),
        SqlType::Int4 => "int4".into(),
        SqlType::Int8 => "int8".into(),
        SqlType::Float4 => "float4".into(),
        SqlType::Float8 => "float8".into(),
        SqlType::Bool => "bool".into(),
        SqlType::Time => "time".into(),
        SqlType::Timestamp => "timestamp".into(),
        SqlType::TimestampTz => "timestamptz".into(),
        SqlType::Char => "char".into(),
        other => other.name(),
    }
}
