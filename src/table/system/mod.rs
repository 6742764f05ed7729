//! Tables about a connection: its apps, forms, views, processes, comments, requests, and its domain's users. Names and columns are CData's, so that
//! SQL written for it carries over.
//!
//! Takes: a relation, filters on `AppId`, `RecordId` and `UserCode`. Gives: rows from Kintone's API as they come. A relation
//! is a new file and one line in [`RELATIONS`].

mod apps;
mod comments;
mod fields;
mod process;
mod requests;
mod scan;
mod users;
mod views;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use chrono_tz::Tz;
use datafusion::error::DataFusionError;
use datafusion::scalar::ScalarValue;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};

pub use scan::SystemTable;

use super::context::Budget;
use super::error::Error;
use super::field::FormContext;
use super::types::SqlType;
use crate::kintone::{App, AppKey, Client, Form};

/// A connection's schema as it was read last, shared by everyone: whoever asks first makes the request.
#[async_trait]
pub trait Directory: Send + Sync + std::fmt::Debug {
    /// Every app with its table's name, by id.
    async fn apps(&self) -> Result<Vec<(App, String)>, Error>;
    /// An app's form.
    async fn form(&self, app: AppKey) -> Result<Arc<Form>, Error>;
}

/// A column of a system table.
#[derive(Debug, Clone, Copy)]
pub struct SystemColumn {
    /// Its name.
    pub name: &'static str,
    kind: ColumnKind,
    /// Whether it may be NULL.
    pub nullable: bool,
}

#[derive(Debug, Clone, Copy)]
enum ColumnKind {
    Integer,
    Text,
    Boolean,
    Instant,
    Json,
}

impl SystemColumn {
    const fn integer(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Integer, nullable: false }
    }

    const fn text(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Text, nullable: true }
    }

    const fn boolean(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Boolean, nullable: false }
    }

    const fn instant(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Instant, nullable: true }
    }

    const fn json(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Json, nullable: true }
    }

    const fn or_null(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Its type in SQL.
    #[must_use]
    pub fn sql_type(&self) -> SqlType {
        match self.kind {
            ColumnKind::Integer => SqlType::Int8,
            ColumnKind::Text => SqlType::Text,
            ColumnKind::Boolean => SqlType::Bool,
            ColumnKind::Instant => SqlType::TimestampTz,
            ColumnKind::Json => SqlType::Jsonb,
        }
    }
}

/// One value of a row, in the words of [`SystemColumn`]'s kinds.
#[derive(Debug, Clone)]
enum Value {
    Null,
    Integer(u64),
    Text(String),
    Boolean(bool),
    /// Microseconds since 1970 in UTC.
    Instant(i64),
}

impl Value {
    fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Null } else { Self::Text(text) }
    }

    fn number(number: Option<u64>) -> Self {
        number.map_or(Self::Null, Self::Integer)
    }

    /// Kintone's `2026-04-24T12:00:00Z`.
    fn instant(text: &str) -> Self {
        chrono::DateTime::parse_from_rfc3339(text).map_or(Self::Null, |t| Self::Instant(t.timestamp_micros()))
    }
}

/// What a relation is asked for.
#[derive(Clone)]
struct Ask {
    client: Client,
    directory: Arc<dyn Directory>,
    budget: Arc<Budget>,
    /// Only these apps.
    apps: Option<Vec<u64>>,
    /// Only these users, by their codes.
    users: Option<Vec<String>>,
    /// Only these records.
    records: Option<Vec<u64>>,
    /// Only records up to this one.
    up_to: Option<u64>,
    /// Only what was created then or later: microseconds since 1970 in UTC.
    since: Option<i64>,
    /// Requests at once.
    concurrency: usize,
}

impl Ask {
    /// The apps asked for, with their tables' names.
    async fn apps(&self) -> Result<Vec<(App, String)>, Error> {
        let mut apps = self.directory.apps().await?;
        if let Some(ids) = &self.apps {
            apps.retain(|(app, _)| ids.contains(&app.key.id));
        }
        Ok(apps)
    }
}

/// Rows as they come, in lots.
type Rows = BoxStream<'static, Result<Vec<Vec<Value>>, Error>>;

/// A table about the connection.
trait Relation: Send + Sync {
    fn name(&self) -> &'static str;
    /// Other names of it.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }
    fn description(&self) -> &'static str;
    fn columns(&self) -> &'static [SystemColumn];
    fn key(&self) -> &'static [&'static str];
    /// What a statement must filter by.
    fn needs_apps(&self) -> bool {
        false
    }
    /// What EXPLAIN says of its requests, a line each.
    fn requests(&self) -> &'static [&'static str] {
        &[]
    }
    /// The columns that its rows of one app descend by; empty where they come in no order.
    fn descending(&self) -> &'static [&'static str] {
        &[]
    }
    fn rows(&self, ask: Ask) -> Rows;
}

/// Every system table, one line each.
const RELATIONS: &[&dyn Relation] = &[
    &apps::Apps,
    &comments::Comments,
    &fields::FormFields,
    &process::ProcessManagement,
    &process::ProcessManagementActions,
    &requests::Requests,
    &users::UserDepartments,
    &users::UserGroups,
    &users::Users,
    &views::Views,
];

/// A system table as the catalog shows it.
pub struct SystemInfo {
    /// Its name.
    pub name: &'static str,
    /// Other names that resolve to it.
    pub aliases: &'static [&'static str],
    /// One sentence.
    pub description: &'static str,
    /// In the order of `SELECT *`.
    pub columns: &'static [SystemColumn],
    /// The columns of its primary key.
    pub key: &'static [&'static str],
}

/// Every system table.
pub fn system_tables() -> impl Iterator<Item = SystemInfo> {
    RELATIONS.iter().map(|r| SystemInfo {
        name: r.name(),
        aliases: r.aliases(),
        description: r.description(),
        columns: r.columns(),
        key: r.key(),
    })
}

fn schema(relation: &dyn Relation, time_zone: Tz) -> SchemaRef {
    let context = FormContext { scale: 10, time_zone, by_label: false };
    let fields = relation.columns().iter().map(|c| {
        let sql_type = c.sql_type();
        sql_type.field(c.name, c.nullable).with_data_type(context.data_type(&sql_type))
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

/// Rows as a batch of the relation's whole schema.
fn batch(schema: &SchemaRef, rows: &[Vec<Value>]) -> Result<RecordBatch, DataFusionError> {
    if rows.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::clone(schema)));
    }
    let mut arrays: Vec<ArrayRef> = vec![];
    for (i, field) in schema.fields().iter().enumerate() {
        let values = rows.iter().map(|row| scalar(row.get(i), field));
        arrays.push(ScalarValue::iter_to_array(values)?);
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
}

fn scalar(value: Option<&Value>, field: &Field) -> ScalarValue {
    match value {
        Some(Value::Integer(n)) => ScalarValue::Int64(i64::try_from(*n).ok()),
        Some(Value::Text(text)) => ScalarValue::Utf8(Some(text.clone())),
        Some(Value::Boolean(b)) => ScalarValue::Boolean(Some(*b)),
        Some(Value::Instant(micros)) => {
            let zone = match field.data_type() {
                arrow::datatypes::DataType::Timestamp(_, zone) => zone.clone(),
                _ => None,
            };
            ScalarValue::TimestampMicrosecond(Some(*micros), zone)
        }
        Some(Value::Null) | None => ScalarValue::try_from(field.data_type()).unwrap_or(ScalarValue::Null),
    }
}

/// One lot of rows that takes some requests to make.
fn once<F>(rows: F) -> Rows
where
    F: Future<Output = Result<Vec<Vec<Value>>, Error>> + Send + 'static,
{
    futures::stream::once(rows).boxed()
}

/// Rows of each app, some at work at once, in the apps' order.
fn each_app<F, Fut>(ask: Ask, rows: F) -> Rows
where
    F: Fn(Ask, App) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<Vec<Value>>, Error>> + Send + 'static,
{
    let rows = Arc::new(rows);
    futures::stream::once(async move {
        let apps = ask.apps().await?;
        let at_once = ask.concurrency;
        let each = futures::stream::iter(apps).map(move |(app, _)| rows(ask.clone(), app));
        Ok::<_, Error>(each.buffered(at_once))
    })
    .try_flatten()
    .boxed()
}
