//! `bulkRequest.json`: several writes on one or more apps as one transaction (K§2.1, K§6).
//!
//! The calls run in order, each seeing what those before it wrote, while nobody else is served. At the first
//! failure every app goes back to where it was.

use axum::http::Method;
use serde_json::{Value as Json, json};

use super::call::{Call, Change};
use super::params::Params;
use super::reply::{Answer, Failure};
use super::routes::{self, Handler};

/// Calls in one request.
const MOST: usize = 20;

/// The calls that can stand in it; no others, and no reads.
const ALLOWED: &[(Method, &str)] = &[
    (Method::POST, "record.json"),
    (Method::PUT, "record.json"),
    (Method::POST, "records.json"),
    (Method::PUT, "records.json"),
    (Method::DELETE, "records.json"),
    (Method::PUT, "record/status.json"),
    (Method::PUT, "records/status.json"),
    (Method::PUT, "record/assignees.json"),
];

/// One of the calls.
struct Inner {
    run: fn(&Call<'_>) -> Result<Answer, Failure>,
    params: Params,
}

/// POST `bulkRequest.json`.
pub(super) fn run(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let sent = change.params.array("requests")?;
    let sent = sent.ok_or_else(|| Failure::invalid("requests", "Required field."))?;
    if sent.is_empty() || sent.len() > MOST {
        return Err(Failure::invalid("requests", format!("1 to {MOST} requests can be given.")));
    }
    let inners = sent.iter().enumerate().map(|(index, inner)| read(change.guest_space, index, inner));
    let inners: Vec<Inner> = inners.collect::<Result<_, _>>()?;
    change.store.uploads.begin();
    let mut touched = vec![];
    let (mut results, mut rows) = (vec![], 0);
    for (index, inner) in inners.iter().enumerate() {
        let call = Call { params: &inner.params, ..change.call() };
        if let Some(app) = inner.params.id("app").ok().and_then(|id| call.store.apps.get(&id))
            && !touched.contains(&app.definition.id)
        {
            app.write().begin();
            touched.push(app.definition.id);
        }
        match (inner.run)(&call) {
            Ok(answer) => {
                results.push(answer.body);
                rows += answer.rows;
            }
            Err(failure) => {
                touched.iter().filter_map(|id| change.store.apps.get(id)).for_each(|app| app.undo());
                change.store.uploads.undo();
                return Err(failure.in_slot(index, inners.len()));
            }
        }
    }
    touched.iter().filter_map(|id| change.store.apps.get(id)).for_each(|app| app.write().keep());
    change.store.uploads.keep();
    let mut body = b"{\"results\":[".to_vec();
    body.extend(results.join(&b','));
    body.extend_from_slice(b"]}");
    Ok(Answer { rows, ..Answer::bytes(body) })
}

/// Reads one call. Its path must be in the space of the whole request.
fn read(guest_space: Option<u64>, index: usize, sent: &Json) -> Result<Inner, Failure> {
    let at = |name: &str| format!("requests[{index}].{name}");
    let text = |name: &str| {
        let text = sent.get(name).and_then(Json::as_str);
        text.ok_or_else(|| Failure::invalid(&at(name), "Required field."))
    };
    let (method, path) = (text("method")?, text("api")?);
    let target = routes::target(path);
    let target = target.ok_or_else(|| Failure::invalid(&at("api"), "There is no such API."))?;
    let allowed = ALLOWED.iter().find(|(m, api)| m.as_str() == method && *api == target.endpoint);
    let handler = allowed.and_then(|(method, api)| routes::handler(method, api));
    let Some(Handler::Shared(run)) = handler else {
        return Err(Failure::invalid(&at("api"), "The API cannot be used in a bulk request."));
    };
    if target.guest_space != guest_space {
        let message = "Apps of a guest space and other apps cannot be changed at once.";
        return Err(Failure::invalid(&at("api"), message));
    }
    let params = match sent.get("payload") {
        Some(Json::Object(payload)) => Params::from_json(payload.clone()),
        None | Some(Json::Null) => Params::default(),
        Some(_) => return Err(Failure::invalid(&at("payload"), "Enter an object.")),
    };
    Ok(Inner { run, params })
}

/// The body of a failure: the failing call's own in its place, and nothing in the others.
pub(super) fn failed(body: Json, index: usize, count: usize) -> Json {
    let mut results = vec![json!({}); count];
    if let Some(slot) = results.get_mut(index) {
        *slot = body;
    }
    json!({"results": results})
}
