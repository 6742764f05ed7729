//! `ProcessManagement` and `ProcessManagementActions`: the states of each app's records, and the ways between them.

use super::{Ask, Error, Relation, Rows, SystemColumn as C, Value, each_app};
use crate::kintone::{Action, App, Process};

pub(super) struct ProcessManagement;

impl Relation for ProcessManagement {
    fn name(&self) -> &'static str {
        "ProcessManagement"
    }

    fn description(&self) -> &'static str {
        "The process management of every app: a row for each state, one row for an app that has none"
    }

    fn columns(&self) -> &'static [C] {
        const {
            &[
                C::integer("AppId"),
                C::boolean("Enable"),
                C::json("Actions"),
                C::text("Revision"),
                C::text("Name"),
                C::integer("Index").or_null(),
                C::text("AssigneeType"),
            ]
        }
    }

    /// An app without states has no name of one.
    fn key(&self) -> &'static [&'static str] {
        &[]
    }

    fn requests(&self) -> &'static [&'static str] {
        REQUESTS
    }

    fn rows(&self, ask: Ask) -> Rows {
        each_app(ask, |ask, app| async move {
            let Some(process) = process(&ask, &app).await? else { return Ok(vec![]) };
            let actions = match process.actions.as_slice() {
                [] => Value::Null,
                actions => Value::Text(json(actions)),
            };
            let row = |name: Value, index: Value, assignee: Value| {
                vec![
                    Value::Integer(app.key.id),
                    Value::Boolean(process.enabled),
                    actions.clone(),
                    Value::Text(process.revision.to_string()),
                    name,
                    index,
                    assignee,
                ]
            };
            if process.states.is_empty() {
                return Ok(vec![row(Value::Null, Value::Null, Value::Null)]);
            }
            let states = process.states.iter();
            Ok(states
                .map(|s| row(Value::text(&s.name), Value::Integer(s.index), Value::text(&s.assignee)))
                .collect())
        })
    }
}

pub(super) struct ProcessManagementActions;

impl Relation for ProcessManagementActions {
    fn name(&self) -> &'static str {
        "ProcessManagementActions"
    }

    fn description(&self) -> &'static str {
        "The actions that take a record from one state to another"
    }

    fn columns(&self) -> &'static [C] {
        const { &[C::integer("AppId"), C::text("Name"), C::text("From"), C::text("To"), C::text("FilterCond")] }
    }

    /// Two actions of one name may start in one state.
    fn key(&self) -> &'static [&'static str] {
        &[]
    }

    fn requests(&self) -> &'static [&'static str] {
        REQUESTS
    }

    fn rows(&self, ask: Ask) -> Rows {
        each_app(ask, |ask, app| async move {
            let Some(process) = process(&ask, &app).await? else { return Ok(vec![]) };
            let row = |action: Action| {
                vec![
                    Value::Integer(app.key.id),
                    Value::text(action.name),
                    Value::text(action.from),
                    Value::text(action.to),
                    Value::text(action.filter_cond),
                ]
            };
            Ok(process.actions.into_iter().map(row).collect())
        })
    }
}

const REQUESTS: &[&str] = &["path: GET /k/v1/app/status.json", "requests: one for each app"];

/// An app's process management; `None` where it was deleted since the list was read.
async fn process(ask: &Ask, app: &App) -> Result<Option<Process>, Error> {
    ask.budget.take()?;
    match ask.client.process(app.key).await {
        Err(error) if error.code() == Some("GAIA_AP01") => Ok(None),
        other => other.map(Some).map_err(Error::from),
    }
}

/// The actions as Kintone writes them.
fn json(actions: &[Action]) -> String {
    let action = |a: &Action| serde_json::json!({"name": a.name, "from": a.from, "to": a.to, "filterCond": a.filter_cond});
    serde_json::Value::from(actions.iter().map(action).collect::<Vec<_>>()).to_string()
}
