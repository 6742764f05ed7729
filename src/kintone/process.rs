//! Process management of an app: states, and the ways from one to another (K§2.2).

use serde::Deserialize;

use super::client::{AppKey, Client};
use super::error::Error;
use super::request::Call;
use super::wire::{id, or_default};

/// Process management of an app.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Process {
    /// It is switched on.
    pub enabled: bool,
    /// In their order.
    pub states: Vec<State>,
    /// In their order.
    pub actions: Vec<Action>,
    /// Grows with each change of the app's settings.
    pub revision: u64,
}

/// A state of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Its name: the value of the status field.
    pub name: String,
    /// Its place.
    pub index: u64,
    /// Who a record in it waits for: `ONE`, `ALL` or `ANY` of its assignees.
    pub assignee: String,
}

/// A way from a state to another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// What the button says.
    pub name: String,
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// Which records it is for, in Kintone's query language.
    #[serde(default, deserialize_with = "or_default")]
    pub filter_cond: String,
    /// `PRIMARY` or `SECONDARY`; empty on domains that do not tell.
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
}

impl Client {
    /// An app's process management.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn process(&self, app: AppKey) -> Result<Process, Error> {
        let reply: ProcessReply = self.reply(&Call::of_app("app/status.json", app)).await?;
        let mut states: Vec<State> = reply.states.into_iter().map(WireState::named).collect();
        states.sort_by_key(|s| s.index);
        Ok(Process { enabled: reply.enable, states, actions: reply.actions, revision: reply.revision })
    }
}

/// States and actions are null where there never was any (K§2.2).
#[derive(Deserialize)]
struct ProcessReply {
    enable: bool,
    #[serde(default, deserialize_with = "or_default")]
    states: indexmap::IndexMap<String, WireState>,
    #[serde(default, deserialize_with = "or_default")]
    actions: Vec<Action>,
    #[serde(deserialize_with = "id")]
    revision: u64,
}

#[derive(Deserialize)]
struct WireState {
    #[serde(deserialize_with = "id")]
    index: u64,
    #[serde(default, deserialize_with = "or_default")]
    assignee: WireAssignee,
}

#[derive(Deserialize, Default)]
struct WireAssignee {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: String,
}

impl WireState {
    fn named((name, state): (String, Self)) -> State {
        State { name, index: state.index, assignee: state.assignee.kind }
    }
}
