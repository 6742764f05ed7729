//! Apps and their settings (K§2.2).

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::{AppKey, Client, Entity};
use super::config::Credentials;
use super::error::Error;
use super::request::Call;
use super::wire::{id, maybe_id, number, or_default};

/// Apps in a page of the list, Kintone's most (K§2.2).
const APPS: usize = 100;

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// How large and busy an app is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppStatistics {
    /// The app's id.
    #[serde(deserialize_with = "id")]
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its records.
    #[serde(default, deserialize_with = "maybe_id")]
    pub record_count: Option<u64>,
    /// Its fields.
    #[serde(default, deserialize_with = "maybe_id")]
    pub field_count: Option<u64>,
    /// API requests since 09:00 JST.
    #[serde(default, deserialize_with = "maybe_id")]
    pub daily_request_count: Option<u64>,
    /// Bytes.
    #[serde(default, deserialize_with = "maybe_id")]
    pub storage_usage: Option<u64>,
    /// When a record changed last.
    #[serde(default, deserialize_with = "or_default")]
    pub record_updated_at: String,
    /// `NOT_ACTIVATED`, `ACTIVATED` or `CHANGED`.
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
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

impl Client {
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
            let call =
                Call { guest_space, ..Call::get("apps.json").with("limit", APPS).with("offset", offset) };
            let (reply, name): (AppsReply, _) = self.named_reply(&call).await?;
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
            let call = Call::get("app.json").at(AppKey { id, guest_space }).with("id", id);
            match self.named_reply::<WireApp>(&call).await {
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

    /// An app's saved views, in their order.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn views(&self, app: AppKey) -> Result<Vec<View>, Error> {
        let reply: ViewsReply = self.reply(&Call::of_app("app/views.json", app)).await?;
        let mut views: Vec<View> = reply.views.into_values().map(WireView::view).collect();
        views.sort_by_key(|v| v.index);
        Ok(views)
    }

    /// How an app keeps its numbers.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn settings(&self, app: AppKey) -> Result<AppSettings, Error> {
        let reply: SettingsReply = self.reply(&Call::of_app("app/settings.json", app)).await?;
        let precision = reply.number_precision.unwrap_or_default();
        let digits =
            |value: &Value, default| number(value).and_then(|n| u8::try_from(n).ok()).unwrap_or(default);
        Ok(AppSettings {
            digits: digits(&precision.digits, 16),
            decimal_places: digits(&precision.decimal_places, 4),
            rounding: precision.rounding_mode,
        })
    }

    /// How large and busy all apps are. For administrators, on some courses only (K§2.2).
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn statistics(&self) -> Result<Vec<AppStatistics>, Error> {
        let (mut all, mut known) = (vec![], HashSet::new());
        loop {
            let call = Call::get("apps/statistics.json").with("limit", APPS).with("offset", all.len());
            let reply: StatisticsReply = self.reply(&call).await?;
            let (count, before) = (reply.apps.len(), all.len());
            all.extend(reply.apps.into_iter().filter(|a| known.insert(a.id)));
            if count < APPS || all.len() == before {
                return Ok(all);
            }
        }
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
struct StatisticsReply {
    apps: Vec<AppStatistics>,
}
