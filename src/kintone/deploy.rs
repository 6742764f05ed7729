//! Changes of an app's settings: made in its preview, then deployed to users (K§2.2).

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::{AppKey, Client, Done};
use super::error::Error;
use super::request::Call;
use super::wire::id;

/// Between two looks at a deployment.
const POLL: Duration = Duration::from_secs(1);

/// Looks at a deployment before it counts as lost: five minutes.
const LOOKS: u32 = 300;

/// A part of an app's settings that is replaced as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settings {
    /// Name, theme, number precision: `{"name": ..., "numberPrecision": {...}}`
    General,
    /// `{"views": {...}}`
    Views,
    /// Process management: `{"enable": true, "states": {...}, "actions": [...]}`
    Process,
    /// `{"layout": [...]}`
    Layout,
}

/// How far a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Deployment {
    /// Under way.
    Processing,
    /// Done.
    Success,
    /// Not done.
    Fail,
    /// Not done, since another app of the same deployment failed.
    Cancel,
}

impl Client {
    /// Makes an app that only its preview has; gives it and its revision.
    ///
    /// # Errors
    /// Kintone refuses, or whether it was done is unknown.
    pub async fn create_app(
        &self,
        name: &str,
        space: Option<(u64, u64)>,
        guest_space: Option<u64>,
    ) -> Result<(AppKey, u64), Error> {
        let call = Call::change(Method::POST, "preview/app.json").with("name", name);
        let call = call.with_some("space", space.map(|s| s.0)).with_some("thread", space.map(|s| s.1));
        let reply: AppReply = self.reply(&Call { guest_space, ..call }).await?;
        Ok((AppKey { id: reply.app, guest_space }, reply.revision))
    }

    /// Adds fields to a preview: field code to its properties (K§4.3). Gives the new revision.
    ///
    /// # Errors
    /// Kintone refuses, or whether it was done is unknown.
    pub async fn add_fields(
        &self,
        app: AppKey,
        properties: Map<String, Value>,
        revision: Option<u64>,
    ) -> Result<u64, Error> {
        let call = Call::to_app(Method::POST, FIELDS, app, 0).with("properties", properties);
        self.revision(call.with_some("revision", revision)).await
    }

    /// Changes fields of a preview: field code to the properties that change. Gives the new revision.
    ///
    /// # Errors
    /// Kintone refuses, or whether it was done is unknown.
    pub async fn update_fields(
        &self,
        app: AppKey,
        properties: Map<String, Value>,
        revision: Option<u64>,
    ) -> Result<u64, Error> {
        let call = Call::to_app(Method::PUT, FIELDS, app, 0).with("properties", properties);
        self.revision(call.with_some("revision", revision)).await
    }

    /// Takes fields out of a preview. Gives the new revision.
    ///
    /// # Errors
    /// Kintone refuses, or whether it was done is unknown.
    pub async fn delete_fields(
        &self,
        app: AppKey,
        codes: &[String],
        revision: Option<u64>,
    ) -> Result<u64, Error> {
        let call = Call::to_app(Method::DELETE, FIELDS, app, 0).with("fields", codes.to_vec());
        self.revision(call.with_some("revision", revision)).await
    }

    /// Replaces a part of a preview's settings. Gives the new revision.
    ///
    /// # Errors
    /// Kintone refuses, or whether it was done is unknown.
    pub async fn set_settings(
        &self,
        app: AppKey,
        part: Settings,
        settings: Map<String, Value>,
    ) -> Result<u64, Error> {
        let (resource, names): (_, &[&'static str]) = match part {
            Settings::General => ("preview/app/settings.json", GENERAL),
            Settings::Views => ("preview/app/views.json", &["views", "revision"]),
            Settings::Process => ("preview/app/status.json", &["enable", "states", "actions", "revision"]),
            Settings::Layout => ("preview/app/form/layout.json", &["layout", "revision"]),
        };
        let mut call = Call::to_app(Method::PUT, resource, app, 0);
        for (key, value) in settings {
            match names.iter().find(|name| **name == key) {
                Some(name) => call = call.with(name, value),
                None => return Err(self.http.not_sent(&call, &format!("there is no setting {key}"))),
            }
        }
        self.revision(call).await
    }

    /// Starts to deploy previews, at most 300 apps of one space, all or none.
    ///
    /// # Errors
    /// Kintone refuses, or whether it was done is unknown.
    pub async fn deploy(&self, apps: &[AppKey]) -> Result<(), Error> {
        let each: Vec<Value> = apps.iter().map(|app| json!({"app": app.id})).collect();
        let mut call = Call::change(Method::POST, "preview/app/deploy.json").with("apps", each);
        call.guest_space = apps.first().and_then(|app| app.guest_space);
        call.writes = apps.iter().map(|app| app.id).collect();
        let _: Done = self.reply(&call).await?;
        Ok(())
    }

    /// How far the deployment of these apps is, in their order.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn deployment(&self, apps: &[AppKey]) -> Result<Vec<Deployment>, Error> {
        let ids: Vec<u64> = apps.iter().map(|app| app.id).collect();
        let mut call = Call::get("preview/app/deploy.json").with("apps", ids.clone());
        call.guest_space = apps.first().and_then(|app| app.guest_space);
        let (reply, name): (DeployReply, _) = self.named_reply(&call).await?;
        let of = |id: &u64| reply.apps.iter().find(|a| a.app == *id).map(|a| a.status);
        let all = ids.iter().map(of).collect::<Option<_>>();
        all.ok_or_else(|| self.unexpected(&name, "not the apps that were asked for"))
    }

    /// Waits for the end of a deployment: five minutes at most, after which apps may still be under way.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn deployed(&self, apps: &[AppKey]) -> Result<Vec<Deployment>, Error> {
        let mut looks = 1;
        loop {
            let all = self.deployment(apps).await?;
            if looks >= LOOKS || !all.contains(&Deployment::Processing) {
                return Ok(all);
            }
            self.http.lane.sleep(POLL).await;
            looks += 1;
        }
    }

    async fn revision(&self, call: Call) -> Result<u64, Error> {
        self.reply(&call).await.map(|reply: RevisionReply| reply.revision)
    }
}

const FIELDS: &str = "preview/app/form/fields.json";

/// What `Settings::General` can have.
const GENERAL: &[&str] = &[
    "name",
    "description",
    "icon",
    "theme",
    "titleField",
    "enableThumbnails",
    "enableBulkDeletion",
    "enableComments",
    "enableDuplicateRecord",
    "enableInlineRecordEditing",
    "numberPrecision",
    "firstMonthOfFiscalYear",
    "revision",
];

#[derive(Deserialize)]
struct AppReply {
    #[serde(deserialize_with = "id")]
    app: u64,
    #[serde(deserialize_with = "id")]
    revision: u64,
}

#[derive(Deserialize)]
struct RevisionReply {
    #[serde(deserialize_with = "id")]
    revision: u64,
}

#[derive(Deserialize)]
struct DeployReply {
    apps: Vec<DeployedApp>,
}

#[derive(Deserialize)]
struct DeployedApp {
    #[serde(deserialize_with = "id")]
    app: u64,
    status: Deployment,
}
