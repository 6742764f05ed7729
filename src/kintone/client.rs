//! A connection to a Kintone domain. The calls themselves are in a file for each topic.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::place;
use super::config::ClientConfig;
use super::domain::Domains;
use super::error::Error;
use super::http::{Answer, Http};
use super::log::Request;
use super::observer::Observer;
use super::request::Call;
use super::wire::or_default;

/// An app and the space through which it is reached: a guest space's apps have a path of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

/// A user as Kintone writes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// The login code.
    pub code: String,
    /// The display name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

/// Who a code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntityKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// An organization.
    Organization,
}

impl EntityKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Group => "GROUP",
            Self::Organization => "ORGANIZATION",
        }
    }
}

/// The reply `{}` of calls that have nothing to say. A structure would also be read from a list.
pub(super) type Done = Map<String, Value>;

/// A connection to one Kintone domain. Cheap to clone: all clones share one log, all connections to a domain one
/// governor. A write that is dropped before its answer is there may have been done: callers see it through.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) http: Arc<Http>,
    observer: Option<Arc<dyn Observer>>,
}

impl Client {
    /// A client of this connection. Sends nothing yet.
    ///
    /// # Errors
    /// The configuration cannot make one: a proxy that is no URL, a credential that no header can carry.
    pub fn new(config: ClientConfig) -> Result<Self, Error> {
        Self::in_domains(config, &Domains::of_process())
    }

    /// As [`Client::new`], in domains of its own instead of the process's.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn in_domains(config: ClientConfig, domains: &Domains) -> Result<Self, Error> {
        Ok(Self { http: Arc::new(Http::new(config, domains)?), observer: None })
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

    /// The same connection, with each call of this client told to an observer.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// The answer of a call, whole.
    pub(super) async fn answer(&self, call: &Call) -> Result<Answer, Error> {
        self.http.send(call, self.observer.as_deref()).await
    }

    /// The reply of a call.
    pub(super) async fn reply<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        self.named_reply(call).await.map(|(reply, _)| reply)
    }

    /// The reply and the call's name in errors.
    pub(super) async fn named_reply<T: DeserializeOwned>(&self, call: &Call) -> Result<(T, String), Error> {
        let Answer { body, call: name, .. } = self.answer(call).await?;
        let reply = self.decode(&body, &name).map_err(|e| self.http.told(call, e))?;
        Ok((reply, name))
    }

    pub(super) fn decode<T: DeserializeOwned>(&self, body: &[u8], call: &str) -> Result<T, Error> {
        serde_json::from_slice(body).map_err(|e| self.unexpected(call, &place(&e)))
    }

    pub(super) fn unexpected(&self, call: &str, reason: &str) -> Error {
        Error::Decode { connection: self.config().name.clone(), call: call.into(), reason: reason.into() }
    }
}
