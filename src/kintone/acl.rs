//! Who may do what (K§2.1, K§2.2).

use indexmap::IndexMap;
use serde::Deserialize;

use super::client::{AppKey, Client};
use super::error::Error;
use super::request::Call;
use super::wire::{id, or_default};

/// What the connection's user may do with a record. Nothing at all while the app is in maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Rights {
    /// The record.
    #[serde(deserialize_with = "id")]
    pub id: u64,
    /// With the record as a whole.
    pub record: RecordRights,
    /// With each field, by its code.
    #[serde(default, deserialize_with = "or_default")]
    pub fields: IndexMap<String, FieldRights>,
}

/// With a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct RecordRights {
    /// See it.
    pub viewable: bool,
    /// Change it.
    pub editable: bool,
    /// Delete it.
    pub deletable: bool,
}

/// With a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct FieldRights {
    /// See it.
    pub viewable: bool,
    /// Change it.
    pub editable: bool,
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RuleEntity {
    /// `USER`, `GROUP`, `ORGANIZATION`, `FIELD_ENTITY` or `CREATOR`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its code; none for the creator.
    #[serde(default)]
    pub code: Option<String>,
}

/// A rule of an app: the first that fits decides.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct AppRule {
    /// Whom it is about.
    pub entity: Option<RuleEntity>,
    /// Organizations below it, too.
    #[serde(deserialize_with = "or_default")]
    pub include_subs: bool,
    /// Change the app's settings.
    #[serde(deserialize_with = "or_default")]
    pub app_editable: bool,
    /// See records.
    #[serde(deserialize_with = "or_default")]
    pub record_viewable: bool,
    /// Add records.
    #[serde(deserialize_with = "or_default")]
    pub record_addable: bool,
    /// Change records.
    #[serde(deserialize_with = "or_default")]
    pub record_editable: bool,
    /// Delete records.
    #[serde(deserialize_with = "or_default")]
    pub record_deletable: bool,
    /// Import files of records.
    #[serde(deserialize_with = "or_default")]
    pub record_importable: bool,
    /// Export files of records.
    #[serde(deserialize_with = "or_default")]
    pub record_exportable: bool,
}

/// A rule of records.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordRule {
    /// Which records, in Kintone's query language; empty: all.
    #[serde(default, deserialize_with = "or_default")]
    pub filter_cond: String,
    /// The first that fits decides.
    pub entities: Vec<RecordRuleEntity>,
}

/// What a rule of records allows to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordRuleEntity {
    /// Whom it is about.
    pub entity: RuleEntity,
    /// See them.
    #[serde(default, deserialize_with = "or_default")]
    pub viewable: bool,
    /// Change them.
    #[serde(default, deserialize_with = "or_default")]
    pub editable: bool,
    /// Delete them.
    #[serde(default, deserialize_with = "or_default")]
    pub deletable: bool,
    /// Organizations below it, too.
    #[serde(default, deserialize_with = "or_default")]
    pub include_subs: bool,
}

/// A rule of a field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FieldRule {
    /// The field's code.
    pub code: String,
    /// The first that fits decides.
    pub entities: Vec<FieldRuleEntity>,
}

/// What a rule of a field allows to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldRuleEntity {
    /// Whom it is about.
    pub entity: RuleEntity,
    /// `WRITE`, `READ` or `NONE`.
    pub accessibility: String,
    /// Organizations below it, too.
    #[serde(default, deserialize_with = "or_default")]
    pub include_subs: bool,
}

impl Client {
    /// What the connection's user may do with these records, at most 100.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn evaluate_rights(&self, app: AppKey, ids: &[u64]) -> Result<Vec<Rights>, Error> {
        let call = Call::of_app("records/acl/evaluate.json", app).with("ids", ids.to_vec());
        self.reply(&call).await.map(|reply: RightsReply<Rights>| reply.rights)
    }

    /// An app's rules.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn app_rules(&self, app: AppKey) -> Result<Vec<AppRule>, Error> {
        let call = Call::of_app("app/acl.json", app);
        self.reply(&call).await.map(|reply: RightsReply<AppRule>| reply.rights)
    }

    /// The rules of an app's records.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn record_rules(&self, app: AppKey) -> Result<Vec<RecordRule>, Error> {
        let call = Call::of_app("record/acl.json", app);
        self.reply(&call).await.map(|reply: RightsReply<RecordRule>| reply.rights)
    }

    /// The rules of an app's fields.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn field_rules(&self, app: AppKey) -> Result<Vec<FieldRule>, Error> {
        let call = Call::of_app("field/acl.json", app);
        self.reply(&call).await.map(|reply: RightsReply<FieldRule>| reply.rights)
    }
}

#[derive(Deserialize)]
struct RightsReply<T> {
    rights: Vec<T>,
}
