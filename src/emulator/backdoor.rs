//! The store itself, without HTTP: to change records behind a client's back, and to know what is true.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError};

use axum::http::Method;
use serde_json::{Value as Json, json};

use super::app::AppDefinition;
use super::auth::Caller;
use super::fixture;
use super::params::Params;
use super::render::Shape;
use super::routes;
use super::server::{self, Server};

/// Reads and changes what a running emulator serves. Every change is one that Kintone allows, made by the
/// administrator; a refusal is Kintone's error as JSON.
#[derive(Clone)]
pub struct Backdoor {
    pub(super) server: Arc<Server>,
}

impl fmt::Debug for Backdoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Backdoor")
    }
}

impl Backdoor {
    /// Any call of the REST API, such as `PUT record/status.json`, with its parameters.
    ///
    /// # Errors
    ///
    /// Kintone's error: `{"code": ..., "message": ...}`.
    pub fn call(&self, method: &str, endpoint: &str, guest: Option<u64>, body: &Json) -> Result<Json, Json> {
        let unknown = || json!({"code": "", "message": format!("there is no {method} {endpoint}")});
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| unknown())?;
        let handler = routes::handler(&method, endpoint).ok_or_else(unknown)?;
        self.server.settle();
        let failed = |failure: super::reply::Failure| to_json(&failure.body());
        let params = Params::from_body(body.to_string().as_bytes()).map_err(failed)?;
        let answer = server::dispatch(&self.server, &Caller::system(), (guest, handler), &params);
        answer.map(|answer| to_json(&answer.body)).map_err(failed)
    }

    /// Adds a record, `{"code": {"value": ...}}`, and gives its id.
    ///
    /// # Errors
    ///
    /// Kintone's error.
    pub fn insert(&self, app: u64, record: &Json) -> Result<u64, Json> {
        let guest = self.guest_space(app);
        let answer = self.call("POST", "record.json", guest, &json!({"app": app, "record": record}))?;
        Ok(answer["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default())
    }

    /// Changes a record.
    ///
    /// # Errors
    ///
    /// Kintone's error.
    pub fn update(&self, app: u64, id: u64, record: &Json) -> Result<(), Json> {
        let body = json!({"app": app, "id": id, "record": record});
        self.call("PUT", "record.json", self.guest_space(app), &body).map(drop)
    }

    /// Deletes a record.
    ///
    /// # Errors
    ///
    /// Kintone's error.
    pub fn delete(&self, app: u64, id: u64) -> Result<(), Json> {
        let body = json!({"app": app, "ids": [id]});
        self.call("DELETE", "records.json", self.guest_space(app), &body).map(drop)
    }

    /// Every record of an app as Kintone writes it, ids ascending; empty where there is no such app.
    #[must_use]
    pub fn records(&self, app: u64) -> Vec<Json> {
        let store = self.server.store();
        let Some(app) = store.apps.get(&app) else { return vec![] };
        let shape = Shape::new(&store, &app.schema, None);
        let stored = app.read();
        let written = stored.all.iter().map(|record| {
            let mut out = vec![];
            shape.write(record, &mut out);
            to_json(&out)
        });
        written.collect()
    }

    /// An app's settings as they are in use.
    #[must_use]
    pub fn app(&self, app: u64) -> Option<AppDefinition> {
        self.server.store().apps.get(&app).map(|app| app.definition.clone())
    }

    /// Deletes an app. Whether there was one.
    pub fn delete_app(&self, app: u64) -> bool {
        let mut store = self.server.store.write().unwrap_or_else(PoisonError::into_inner);
        for apps in store.tokens.values_mut() {
            apps.retain(|known| *known != app);
        }
        store.previews.remove(&app);
        store.apps.remove(&app).is_some()
    }

    /// Ends every cursor.
    pub fn expire_cursors(&self) {
        self.server.cursors.expire();
    }

    /// Writes everything down in the shape that [`super::Fixture`] reads.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn save(&self, out: &mut dyn io::Write) -> io::Result<()> {
        self.server.settle();
        let store = self.server.store();
        fixture::write(&store, &store.world.directory(), out)
    }

    fn guest_space(&self, app: u64) -> Option<u64> {
        self.server.store().apps.get(&app)?.definition.guest_space
    }
}

fn to_json(bytes: &[u8]) -> Json {
    serde_json::from_slice(bytes).unwrap_or_default()
}
