//! Process management: a record's state, whose turn it is, and what an action does (K§2.1, K§2.2).
//!
//! The settings are those of `app/status.json`. An API token acts as the user of `unknown::TOKEN_USER`, so that
//! it can act only where nobody, or that user, is the assignee.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::field::{Kind, Place};
use super::query::{self, Prepared};
use super::reply::{ACTION_NOT_POSSIBLE, Answer, Failure, NO_ASSIGNEE, NO_USER, NOT_ASSIGNEE, PROCESS_OFF};
use super::store::{App, Stored};
use super::unknown;
use super::value::Value;
use super::write::{self, Stage};

/// Assignees of a record.
const MOST_ASSIGNEES: usize = 100;

/// How many of a state's people must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// One, whom the caller chooses.
    One,
    /// Each of them.
    All,
    /// Whoever comes first.
    Any,
}

/// An action of the settings.
struct Action<'a> {
    from: &'a str,
    to: &'a str,
    /// For others than the assignees.
    secondary: bool,
    /// Who may run it then.
    users: Option<&'a Json>,
    condition: Option<Prepared<'a>>,
}

/// What is to be done with one record.
struct Step<'a> {
    id: u64,
    action: &'a str,
    assignee: Option<&'a str>,
    revision: Option<u64>,
}

impl<'a> Step<'a> {
    /// Of the call itself, or of its record at `index`.
    fn read(sent: &'a Map<String, Json>, index: Option<usize>) -> Result<Self, Failure> {
        let at =
            |name: &str| index.map_or_else(|| name.to_owned(), |index| format!("records[{index}].{name}"));
        let get = |name: &str| sent.get(name).filter(|value| !value.is_null());
        let text = |name: &str| match get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(Failure::invalid(&at(name), "Enter a text.")),
        };
        let id = get("id").ok_or_else(|| Failure::invalid(&at("id"), "Required field."))?;
        let id = write::id(id);
        Ok(Self {
            id: id.ok_or_else(|| Failure::invalid(&at("id"), "must be greater than or equal to 1"))?,
            action: text("action")?.ok_or_else(|| Failure::invalid(&at("action"), "Required field."))?,
            assignee: text("assignee")?,
            revision: write::revision(get("revision"), &at("revision"))?,
        })
    }
}

/// PUT `record/status.json`.
pub(super) fn act(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let step = Step::read(call.params.all(), None)?;
    let revisions = run(call, app, &[step])?;
    let revision = revisions.first().map(|(_, revision)| revision.to_string());
    Ok(Answer::json(&json!({"revision": revision})).with_rows(1))
}

/// PUT `records/status.json`: all of them or none.
pub(super) fn act_on_many(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let steps = write::batch(call, "updated")?.iter().enumerate().map(|(index, sent)| {
        let sent = sent.as_object();
        let sent = sent.ok_or_else(|| Failure::invalid(&format!("records[{index}]"), "Enter an object."))?;
        Step::read(sent, Some(index))
    });
    let steps: Vec<Step<'_>> = steps.collect::<Result<_, _>>()?;
    let records: Vec<Json> = run(call, app, &steps)?
        .into_iter()
        .map(|(id, revision)| json!({"id": id.to_string(), "revision": revision.to_string()}))
        .collect();
    let rows = records.len();
    Ok(Answer::json(&json!({"records": records})).with_rows(rows))
}

/// Runs the steps in order; gives ids with their new revisions.
fn run(call: &Call<'_>, app: &App, steps: &[Step<'_>]) -> Result<Vec<(u64, u64)>, Failure> {
    must_be_on(app)?;
    // Read before the records are locked, since a condition may look at other apps.
    let mut actions: HashMap<&str, Vec<Action<'_>>> = HashMap::new();
    for step in steps {
        if !actions.contains_key(step.action) {
            actions.insert(step.action, named(call, app, step.action)?);
        }
    }
    let mut stage = Stage::new(call, app);
    let mut out = vec![];
    for step in steps {
        let named = actions.get(step.action).map(Vec::as_slice).unwrap_or_default();
        let mut record = stage.get(step.id, step.revision)?.clone();
        take(call, app, &mut record, step, named)?;
        stage.touch(&mut record, unknown::REVISIONS_OF_ACTION);
        out.push((record.id, record.revision));
        stage.put(record);
    }
    stage.commit()?;
    Ok(out)
}

fn must_be_on(app: &App) -> Result<(), Failure> {
    if app.schema.process { Ok(()) } else { Err(PROCESS_OFF.into()) }
}

/// The actions of that name, whatever state they start from.
fn named<'a>(call: &Call<'a>, app: &'a App, name: &str) -> Result<Vec<Action<'a>>, Failure> {
    let all = app.definition.status.get("actions").and_then(Json::as_array);
    let text = |action: &'a Json, key: &str| action.get(key).and_then(Json::as_str).unwrap_or_default();
    let read = |action: &'a Json| {
        let condition = text(action, "filterCond");
        let condition = (!condition.is_empty()).then(|| query::prepare(call.scope(app), condition));
        Ok(Action {
            from: text(action, "from"),
            to: text(action, "to"),
            secondary: text(action, "type") == "SECONDARY",
            users: action.pointer("/executableUser/entities"),
            condition: condition.transpose()?,
        })
    };
    all.into_iter().flatten().filter(|action| text(action, "name") == name).map(read).collect()
}

/// Takes one action on a record.
fn take(
    call: &Call<'_>,
    app: &App,
    record: &mut Stored,
    step: &Step<'_>,
    named: &[Action<'_>],
) -> Result<(), Failure> {
    let state = state(app, record);
    let mut here = named.iter().filter(|action| action.from == &*state);
    // Several of one name in one state cannot be told apart.
    let action = here.next().filter(|_| here.next().is_none()).ok_or(ACTION_NOT_POSSIBLE)?;
    if action.condition.as_ref().is_some_and(|condition| !condition.holds(record)) {
        return Err(ACTION_NOT_POSSIBLE.into());
    }
    let caller = call.caller.code.as_str();
    let may = if action.secondary {
        people(call, app, record, action.users).iter().any(|code| **code == *caller)
    } else {
        record.assignees.is_empty() || record.assignees.iter().any(|code| **code == *caller)
    };
    if !may {
        return Err(NOT_ASSIGNEE.into());
    }
    let (turn, _) = assignment(app, &state);
    if turn == Turn::All && !action.secondary && record.assignees.len() > 1 {
        // The others' turn is still to come.
        record.assignees = record.assignees.iter().filter(|code| ***code != *caller).cloned().collect();
        return Ok(());
    }
    let (turn, entities) = assignment(app, action.to);
    let candidates = people(call, app, record, entities);
    record.assignees = match turn {
        Turn::One if !candidates.is_empty() => [chosen(call, step, &candidates)?].into(),
        _ => candidates.into(),
    };
    record.status = Some(action.to.into());
    Ok(())
}

/// The next assignee, whom the caller must name.
fn chosen(call: &Call<'_>, step: &Step<'_>, candidates: &[Arc<str>]) -> Result<Arc<str>, Failure> {
    let code = step.assignee.ok_or(NO_ASSIGNEE)?;
    if call.store.directory.user(code).is_none() {
        return Err(Failure::about(NO_USER, code));
    }
    let known = candidates.iter().find(|candidate| ***candidate == *code);
    known.cloned().ok_or_else(|| Failure::invalid("assignee", format!("\"{code}\" cannot be selected.")))
}

/// A state's `assignee` setting; a state without one waits for nobody.
fn assignment<'a>(app: &'a App, state: &str) -> (Turn, Option<&'a Json>) {
    let setting = app.definition.status.get("states").and_then(|s| s.get(state)?.get("assignee"));
    let turn = match setting.and_then(|s| s.get("type")).and_then(Json::as_str) {
        Some("ALL") => Turn::All,
        Some("ANY") => Turn::Any,
        _ => Turn::One,
    };
    (turn, setting.and_then(|s| s.get("entities")))
}

/// The valid users that `entities` stand for, each once.
fn people(call: &Call<'_>, app: &App, record: &Stored, entities: Option<&Json>) -> Vec<Arc<str>> {
    let mut out: Vec<Arc<str>> = vec![];
    for entity in entities.and_then(Json::as_array).into_iter().flatten() {
        let part = |key: &str| entity.get("entity").and_then(|e| e.get(key)?.as_str()).unwrap_or_default();
        let code = part("code");
        let found = match part("type") {
            "USER" => vec![code.into()],
            "CREATOR" => vec![app.definition.creator.as_str().into()],
            "FIELD_ENTITY" => in_field(call, app, record, code),
            "GROUP" => of_group(call, code),
            "ORGANIZATION" => {
                let with_below = entity.get("includeSubs").and_then(Json::as_bool).unwrap_or_default();
                of_organization(call, code, with_below)
            }
            _ => vec![],
        };
        for code in found {
            let is_valid = call.store.directory.user(&code).is_some_and(|user| user.valid);
            if is_valid && !out.contains(&code) {
                out.push(code);
            }
        }
    }
    out
}

fn in_field(call: &Call<'_>, app: &App, record: &Stored, code: &str) -> Vec<Arc<str>> {
    let Some(field) = app.schema.find(code) else { return vec![] };
    match field.place {
        Place::Creator => vec![Arc::clone(&record.creator)],
        Place::Modifier => vec![Arc::clone(&record.modifier)],
        Place::Cell(cell) => match record.cells.get(cell) {
            Some(Value::Codes(codes)) if field.kind == Kind::UserSelect => codes.to_vec(),
            Some(Value::Codes(codes)) if field.kind == Kind::GroupSelect => {
                codes.iter().flat_map(|code| of_group(call, code)).collect()
            }
            Some(Value::Codes(codes)) if field.kind == Kind::OrganizationSelect => {
                codes.iter().flat_map(|code| of_organization(call, code, false)).collect()
            }
            _ => vec![],
        },
        _ => vec![],
    }
}

fn of_group(call: &Call<'_>, group: &str) -> Vec<Arc<str>> {
    let directory = &call.store.directory;
    let members = directory.users().filter(|user| directory.is_in_group(user, group));
    members.map(|user| user.code.as_str().into()).collect()
}

fn of_organization(call: &Call<'_>, organization: &str, with_below: bool) -> Vec<Arc<str>> {
    let directory = &call.store.directory;
    let members =
        directory.users().filter(|user| directory.is_in_organization(user, organization, with_below));
    members.map(|user| user.code.as_str().into()).collect()
}

/// A record's state; one from before the process was on is in the first.
fn state(app: &App, record: &Stored) -> Arc<str> {
    record.status.clone().or_else(|| first_state(app)).unwrap_or_default()
}

fn first_state(app: &App) -> Option<Arc<str>> {
    let status = app.schema.fields.iter().find(|field| field.kind == Kind::Status)?;
    status.options.iter().min_by_key(|(_, index)| **index).map(|(state, _)| Arc::clone(state))
}

/// Puts a new record into the first state, whose assignee can only be the record's creator.
pub(super) fn start(call: &Call<'_>, app: &App, record: &mut Stored) {
    if !app.schema.process {
        return;
    }
    record.status = first_state(app);
    let (_, entities) = assignment(app, record.status.as_deref().unwrap_or_default());
    let candidates = people(call, app, record, entities);
    record.assignees = candidates.into_iter().filter(|code| *code == record.creator).collect();
}

/// PUT `record/assignees.json`. Asks for the right to manage the app, not to be an assignee.
pub(super) fn assign(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let id = call.params.id("id")?;
    let codes = call.params.texts("assignees", MOST_ASSIGNEES)?;
    let codes = codes.ok_or_else(|| Failure::invalid("assignees", "Required field."))?;
    let revision = write::revision(call.params.get("revision"), "revision")?;
    must_be_on(app)?;
    let mut assignees: Vec<Arc<str>> = vec![];
    for code in &codes {
        if !call.store.directory.user(code).is_some_and(|user| user.valid) {
            return Err(Failure::about(NO_USER, code));
        }
        if !assignees.iter().any(|known| **known == **code) {
            assignees.push(code.as_str().into());
        }
    }
    let mut stage = Stage::new(call, app);
    let mut record = stage.get(id, revision)?.clone();
    let (turn, _) = assignment(app, &state(app, &record));
    if turn == Turn::One && assignees.len() > 1 {
        return Err(Failure::invalid("assignees", "This status takes one assignee."));
    }
    record.assignees = assignees.into();
    stage.touch(&mut record, 1);
    let revision = record.revision.to_string();
    stage.put(record);
    stage.commit()?;
    Ok(Answer::json(&json!({"revision": revision})).with_rows(1))
}
