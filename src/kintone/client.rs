//! The calls, one method each, named after Kintone's reference (K§2).

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::config::{ClientConfig, Credentials};
use super::error::Error;
use super::form::{self, FieldsReply, Form, LayoutReply, number, or_default};
use super::http::{Answer, Call, Http, place};
use super::log::{Log, Request};
use super::query::{Condition, Query};

/// An app and the space through which it is reached: a guest space's apps have a path of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppKey {
    /// The app id.
    pub id: u64,
    /// The guest space it lives in.
    pub guest_space: Option<u64>,
}

impl fmt::Display for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)
    }
}

/// Apps in a page of the list, Kintone's most (K§2.2).
const APPS: usize = 100;

/// A user as Kintone writes one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entity {
    /// The login code.
    pub code: String,
    /// The display name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id and space.
    pub key: AppKey,
    /// Its code; empty where there is none.
    pub code: String,
    /// Its name.
    pub name: String,
    /// HTML.
    pub description: String,
    /// The space it belongs to.
    pub space_id: Option<u64>,
    /// The thread it belongs to.
    pub thread_id: Option<u64>,
    /// `2026-04-24T12:00:00.000Z`
    pub created_at: String,
    /// Who made it.
    pub creator: Entity,
    /// When its settings changed last.
    pub modified_at: String,
    /// Who changed them.
    pub modifier: Entity,
}

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its id.
    pub id: u64,
    /// Its place among the views.
    pub index: u64,
    /// Its name.
    pub name: String,
    /// `LIST`, `CALENDAR` or `CUSTOM`.
    pub kind: String,
    /// Its condition in Kintone's query language.
    pub filter: String,
    /// Its order in Kintone's query language.
    pub sort: String,
    /// The fields of a list.
    pub fields: Vec<String>,
}

/// How an app keeps its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSettings {
    /// Digits in all.
    pub digits: u8,
    /// Digits after the point.
    pub decimal_places: u8,
    /// `HALF_EVEN`, `UP` or `DOWN`.
    pub rounding: String,
}

/// What to read of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsRequest {
    /// Which records, in which order.
    pub query: Query,
    /// Field codes; empty: all.
    pub fields: Vec<String>,
    /// Whether to count all that match.
    pub total_count: bool,
}

/// A page of records: a complete JSON document `{"records": [...], "totalCount": ...}`.
#[derive(Debug, Clone)]
pub struct Page {
    /// The document.
    pub body: Bytes,
    call: String,
    log: Log,
    number: u64,
}

impl Page {
    /// Tells the request log how many records the page had.
    pub fn set_rows(&self, rows: usize) {
        self.log.update(self.number, |request| request.rows = u64::try_from(rows).unwrap_or(u64::MAX));
    }
}

/// A comment on a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// From 1 in each record.
    pub id: u64,
    /// Its text as Kintone gives it.
    pub text: String,
    /// `2026-04-24T12:00:00Z`
    pub created_at: String,
    /// Who wrote it.
    pub creator: Entity,
    /// A JSON array of code and type.
    pub mentions: String,
}

/// At most ten comments of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentPage {
    /// In the order asked for.
    pub comments: Vec<Comment>,
    /// There are older ones.
    pub older: bool,
    /// There are newer ones.
    pub newer: bool,
}

/// A connection to one Kintone domain. Cheap to clone: all clones share one governor and one log.
#[derive(Debug, Clone)]
pub struct Client {
    http: Arc<Http>,
}

impl Client {
    /// A client of this connection. Sends nothing yet.
    ///
    /// # Errors
    /// The configuration cannot make one: a proxy that is no URL, a credential that no header can carry.
    pub fn new(config: ClientConfig) -> Result<Self, Error> {
        Ok(Self { http: Arc::new(Http::new(config)?) })
    }

    /// The configuration it was made with.
    #[must_use]
    pub fn config(&self) -> &ClientConfig {
        self.http.config()
    }

    /// Every call since 09:00 JST, the latest last.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.http.log.all()
    }

    /// Every app that the login may see: the default space's, then each guest space's. API tokens cannot list
    /// apps, so that with them the configured ones are asked for one by one (K§1.3).
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn apps(&self) -> Result<Vec<App>, Error> {
        let mut apps = vec![];
        let spaces = std::iter::once(None).chain(self.config().guest_spaces.iter().copied().map(Some));
        match self.config().credentials {
            Credentials::Password { .. } | Credentials::OAuth(_) => {
                for space in spaces {
                    apps.extend(self.apps_of(space).await?);
                }
            }
            Credentials::ApiTokens(_) => {
                for id in self.config().apps.clone() {
                    apps.push(self.app(id).await?);
                }
            }
        }
        Ok(apps)
    }

    /// Pages of 100 until one is short: there is no total (K§2.2). Apps that come or go meanwhile shift the pages,
    /// so that an app is taken once; a page of known apps ends the list.
    async fn apps_of(&self, guest_space: Option<u64>) -> Result<Vec<App>, Error> {
        let (mut apps, mut known, mut offset) = (vec![], HashSet::new(), 0);
        loop {
            let parameters = vec![("limit", Value::from(APPS)), ("offset", Value::from(offset))];
            let call = Call { resource: "apps.json", guest_space, app: None, parameters, query: "" };
            let (reply, name): (AppsReply, _) = self.get(&call).await?;
            let (count, before) = (reply.apps.len(), apps.len());
            for app in reply.apps {
                let app = self.identified(app, guest_space, &name)?;
                if known.insert(app.key.id) {
                    apps.push(app);
                }
            }
            if count < APPS || apps.len() == before {
                return Ok(apps);
            }
            offset += count;
        }
    }

    /// One app by its id: in the default space, else in the guest space of the configuration that has it.
    async fn app(&self, id: u64) -> Result<App, Error> {
        let guests = self.config().guest_spaces.iter().copied().map(Some);
        let mut refused = None;
        for guest_space in std::iter::once(None).chain(guests) {
            let parameters = vec![("id", Value::from(id))];
            let call = Call { resource: "app.json", guest_space, app: Some(id), parameters, query: "" };
            match self.get::<WireApp>(&call).await {
                Ok((app, name)) => return self.identified(app, guest_space, &name),
                Err(error) if is_elsewhere(&error) => refused = refused.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        // What the default space said tells most.
        Err(refused.unwrap_or_else(|| self.unexpected("GET app.json", "no space was asked")))
    }

    fn identified(&self, app: WireApp, guest_space: Option<u64>, call: &str) -> Result<App, Error> {
        app.app(guest_space).ok_or_else(|| self.unexpected(call, "an app without an id"))
    }

    /// An app's form: its fields in layout order.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn form(&self, app: AppKey) -> Result<Form, Error> {
        let fields: FieldsReply = self.of_app("app/form/fields.json", app).await?;
        let layout: LayoutReply = self.of_app("app/form/layout.json", app).await?;
        Ok(form::form(fields, &layout))
    }

    /// An app's saved views, in their order.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn views(&self, app: AppKey) -> Result<Vec<View>, Error> {
        let reply: ViewsReply = self.of_app("app/views.json", app).await?;
        let mut views: Vec<View> = reply.views.into_values().map(WireView::view).collect();
        views.sort_by_key(|v| v.index);
        Ok(views)
    }

    /// How an app keeps its numbers.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn settings(&self, app: AppKey) -> Result<AppSettings, Error> {
        let reply: SettingsReply = self.of_app("app/settings.json", app).await?;
        let precision = reply.number_precision.unwrap_or_default();
        let digits =
            |value: &Value, default| number(value).and_then(|n| u8::try_from(n).ok()).unwrap_or(default);
        Ok(AppSettings {
            digits: digits(&precision.digits, 16),
            decimal_places: digits(&precision.decimal_places, 4),
            rounding: precision.rounding_mode,
        })
    }

    /// A page of records.
    ///
    /// # Errors
    /// Kintone refuses, does not answer, or cut the result.
    pub async fn records(&self, app: AppKey, request: &RecordsRequest) -> Result<Page, Error> {
        let query = request.query.to_string();
        let mut parameters = vec![("app", Value::from(app.id)), ("query", Value::from(query.clone()))];
        if !request.fields.is_empty() {
            parameters.push(("fields", Value::from(request.fields.clone())));
        }
        if request.total_count {
            parameters.push(("totalCount", Value::from(true)));
        }
        let call = Call {
            resource: "records.json",
            guest_space: app.guest_space,
            app: Some(app.id),
            parameters,
            query: &query,
        };
        let Answer { body, number, call } = self.http.read(&call).await?;
        Ok(Page { body, call, log: self.http.log.clone(), number })
    }

    /// How many records match.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn count(&self, app: AppKey, condition: Option<&Condition>) -> Result<u64, Error> {
        let query = Query { condition: condition.cloned(), limit: Some(1), ..Query::default() };
        let request = RecordsRequest { query, fields: vec!["$id".into()], total_count: true };
        let page = self.records(app, &request).await?;
        let reply: CountReply = self.decode(&page.body, &page.call)?;
        page.set_rows(reply.records.len());
        number(&reply.total_count).ok_or_else(|| self.unexpected(&page.call, "no totalCount"))
    }

    /// At most ten comments of a record.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn comments(
        &self,
        app: AppKey,
        record: u64,
        offset: u64,
        ascending: bool,
    ) -> Result<CommentPage, Error> {
        let parameters = vec![
            ("app", Value::from(app.id)),
            ("record", Value::from(record)),
            ("order", Value::from(if ascending { "asc" } else { "desc" })),
            ("offset", Value::from(offset)),
            ("limit", Value::from(10)),
        ];
        let call = Call {
            resource: "record/comments.json",
            guest_space: app.guest_space,
            app: Some(app.id),
            parameters,
            query: "",
        };
        let (reply, name): (CommentsReply, _) = self.get(&call).await?;
        let comments = reply.comments.into_iter().map(WireComment::comment).collect::<Option<Vec<_>>>();
        let comments = comments.ok_or_else(|| self.unexpected(&name, "a comment without an id"))?;
        Ok(CommentPage { comments, older: reply.older, newer: reply.newer })
    }

    async fn of_app<T: DeserializeOwned>(&self, resource: &'static str, app: AppKey) -> Result<T, Error> {
        let parameters = vec![("app", Value::from(app.id))];
        let call = Call { resource, guest_space: app.guest_space, app: Some(app.id), parameters, query: "" };
        self.get(&call).await.map(|(reply, _)| reply)
    }

    /// The reply and the call's name in errors.
    async fn get<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<(T, String), Error> {
        let Answer { body, call, .. } = self.http.read(call).await?;
        let reply = self.decode(&body, &call)?;
        Ok((reply, call))
    }

    fn decode<T: DeserializeOwned>(&self, body: &[u8], call: &str) -> Result<T, Error> {
        serde_json::from_slice(body).map_err(|e| self.unexpected(call, &place(&e)))
    }

    fn unexpected(&self, call: &str, reason: &str) -> Error {
        Error::Decode { connection: self.config().name.clone(), call: call.into(), reason: reason.into() }
    }
}

/// The app may be in another space: no such app here, or a path that is not its space's (K§1.1).
fn is_elsewhere(error: &Error) -> bool {
    matches!(error.code(), Some("GAIA_AP01" | "GAIA_IL23" | "CB_NO02"))
}

#[derive(Deserialize)]
struct AppsReply {
    apps: Vec<WireApp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireApp {
    app_id: Value,
    #[serde(default, deserialize_with = "or_default")]
    code: String,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default)]
    space_id: Value,
    #[serde(default)]
    thread_id: Value,
    #[serde(default, deserialize_with = "or_default")]
    created_at: String,
    creator: Entity,
    #[serde(default, deserialize_with = "or_default")]
    modified_at: String,
    modifier: Entity,
}

impl WireApp {
    fn app(self, guest_space: Option<u64>) -> Option<App> {
        Some(App {
            key: AppKey { id: number(&self.app_id)?, guest_space },
            code: self.code,
            name: self.name,
            description: self.description,
            space_id: number(&self.space_id),
            thread_id: number(&self.thread_id),
            created_at: self.created_at,
            creator: self.creator,
            modified_at: self.modified_at,
            modifier: self.modifier,
        })
    }
}

#[derive(Deserialize)]
struct ViewsReply {
    views: indexmap::IndexMap<String, WireView>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireView {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    index: Value,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    filter_cond: String,
    #[serde(default, deserialize_with = "or_default")]
    sort: String,
    #[serde(default, deserialize_with = "or_default")]
    fields: Vec<String>,
}

impl WireView {
    fn view(self) -> View {
        View {
            id: number(&self.id).unwrap_or_default(),
            index: number(&self.index).unwrap_or_default(),
            name: self.name,
            kind: self.kind,
            filter: self.filter_cond,
            sort: self.sort,
            fields: self.fields,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SettingsReply {
    #[serde(default)]
    number_precision: Option<WirePrecision>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WirePrecision {
    #[serde(default)]
    digits: Value,
    #[serde(default)]
    decimal_places: Value,
    #[serde(default, deserialize_with = "or_default")]
    rounding_mode: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CountReply {
    records: Vec<IgnoredAny>,
    total_count: Value,
}

#[derive(Deserialize)]
struct CommentsReply {
    comments: Vec<WireComment>,
    older: bool,
    newer: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireComment {
    id: Value,
    #[serde(default, deserialize_with = "or_default")]
    text: String,
    created_at: String,
    creator: Entity,
    #[serde(default)]
    mentions: Value,
}

impl WireComment {
    fn comment(self) -> Option<Comment> {
        Some(Comment {
            id: number(&self.id)?,
            text: self.text,
            created_at: self.created_at,
            creator: self.creator,
            mentions: if self.mentions.is_null() { "[]".into() } else { self.mentions.to_string() },
        })
    }
}
