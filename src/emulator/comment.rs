//! Comments on records (K§2.1).

use serde_json::{Value as Json, json};

use super::app::{Comment, Entity};
use super::call::Call;
use super::reply::{
    Answer, Failure, NO_COMMENT, NO_GROUP, NO_ORGANIZATION, NO_PRIVILEGE, NO_RECORD, NO_USER,
};
use super::store::App;
use super::value;

/// Comments in an answer.
const MOST: i64 = 10;
/// Mentions of a comment.
const MOST_MENTIONS: usize = 10;
/// UTF-16 units of a text.
const LONGEST_TEXT: usize = 65_535;

/// The record that the call names, if it is there.
fn record(call: &Call<'_>, app: &App) -> Result<u64, Failure> {
    let id = call.params.id("record")?;
    app.read().get(id).map(|record| record.id).ok_or_else(|| NO_RECORD.into())
}

/// GET `record/comments.json`.
pub(super) fn list(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let ascending = match call.params.text("order")?.map(str::to_lowercase).as_deref() {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) => return Err(Failure::invalid("order", "Must be asc or desc.")),
    };
    let offset = call.params.integer("offset")?.unwrap_or(0);
    let offset = usize::try_from(offset).map_err(|_| Failure::invalid("offset", "Must be 0 or larger."))?;
    let limit = call.params.integer("limit")?.unwrap_or(MOST);
    let limit = usize::try_from(limit)
        .ok()
        .filter(|_| limit <= MOST)
        .ok_or_else(|| Failure::invalid("limit", format!("Must be 0 to {MOST}.")))?;
    let id = record(call, app)?;
    let comments = app.comments();
    let all = comments.get(&id).map(Vec::as_slice).unwrap_or_default();
    let mut ordered: Vec<&Comment> = all.iter().collect();
    if !ascending {
        ordered.reverse();
    }
    let before = offset > 0 && !all.is_empty();
    let after = ordered.len() > offset.saturating_add(limit);
    let page: Vec<Json> = ordered.into_iter().skip(offset).take(limit).map(|c| shown(call, c)).collect();
    let rows = page.len();
    let (older, newer) = if ascending { (before, after) } else { (after, before) };
    Ok(Answer::json(&json!({"comments": page, "older": older, "newer": newer})).with_rows(rows))
}

fn shown(call: &Call<'_>, comment: &Comment) -> Json {
    let mentions: Vec<Json> =
        comment.mentions.iter().map(|(code, kind)| json!({"code": code, "type": kind})).collect();
    let name =
        call.store.directory.user(&comment.creator).map_or(comment.creator.as_str(), |user| &user.name);
    json!({
        "id": comment.id.to_string(),
        "text": comment.text,
        "createdAt": value::format_datetime(comment.created_at),
        "creator": {"code": comment.creator, "name": name},
        "mentions": mentions,
    })
}

/// POST `record/comment.json`.
pub(super) fn add(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let sent = call.params.get("comment").and_then(Json::as_object);
    let sent = sent.ok_or_else(|| Failure::invalid("comment", "Required field."))?;
    let text = match sent.get("text") {
        Some(Json::String(text)) if !text.is_empty() => text,
        None | Some(Json::Null | Json::String(_)) => {
            return Err(Failure::invalid("comment.text", "Required field."));
        }
        Some(_) => return Err(Failure::invalid("comment.text", "Enter a text.")),
    };
    if text.encode_utf16().count() > LONGEST_TEXT {
        let message = format!("Enter no more than {LONGEST_TEXT} characters.");
        return Err(Failure::invalid("comment.text", message));
    }
    let mentioned = mentions(call, sent.get("mentions"))?;
    let id = record(call, app)?;
    let mut comments = app.comments();
    let comments = comments.entry(id).or_default();
    let comment = Comment {
        id: comments.iter().map(|comment| comment.id).max().unwrap_or(0) + 1,
        text: written(&mentioned, text),
        creator: call.caller.code.clone(),
        created_at: call.minute(),
        mentions: mentioned.into_iter().map(|(entity, kind)| (entity.code.clone(), kind)).collect(),
    };
    let body = json!({"id": comment.id.to_string()});
    comments.push(comment);
    Ok(Answer::json(&body).with_rows(1))
}

/// The text as it is kept: Kintone puts the names of those that are mentioned on a line in front of it, and a space
/// behind.
fn written(mentioned: &[(&Entity, &'static str)], text: &str) -> String {
    let names: String = mentioned.iter().map(|(entity, _)| format!("{} ", entity.name)).collect();
    if names.is_empty() { format!("{text} ") } else { format!("{names}\n{text} ") }
}

fn mentions<'a>(call: &Call<'a>, sent: Option<&Json>) -> Result<Vec<(&'a Entity, &'static str)>, Failure> {
    let sent = match sent {
        None | Some(Json::Null) => return Ok(vec![]),
        Some(Json::Array(sent)) if sent.len() <= MOST_MENTIONS => sent,
        Some(Json::Array(_)) => {
            let message = format!("No more than {MOST_MENTIONS} can be given.");
            return Err(Failure::invalid("comment.mentions", message));
        }
        Some(_) => return Err(Failure::invalid("comment.mentions", "Enter an array.")),
    };
    let directory = &call.store.directory;
    let read = |(index, mention): (usize, &Json)| {
        let at = |part: &str| format!("comment.mentions[{index}].{part}");
        let code = mention.get("code").and_then(Json::as_str).filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| Failure::invalid(&at("code"), "Required field."))?;
        let (kind, found, refusal) = match mention.get("type").and_then(Json::as_str) {
            Some("USER") => ("USER", directory.user(code), NO_USER),
            Some("GROUP") => ("GROUP", directory.group(code), NO_GROUP),
            Some("ORGANIZATION") => ("ORGANIZATION", directory.organization(code), NO_ORGANIZATION),
            _ => return Err(Failure::invalid(&at("type"), "Must be USER, GROUP or ORGANIZATION.")),
        };
        found.map(|entity| (entity, kind)).ok_or_else(|| Failure::about(refusal, code))
    };
    sent.iter().enumerate().map(read).collect()
}

/// DELETE `record/comment.json`.
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let wanted = call.params.id("comment")?;
    let id = record(call, app)?;
    let mut comments = app.comments();
    let comments = comments.get_mut(&id).ok_or(NO_COMMENT)?;
    let at = comments.iter().position(|comment| comment.id == wanted).ok_or(NO_COMMENT)?;
    let own = comments.get(at).is_some_and(|comment| comment.creator == call.caller.code);
    if !own && !administers(call, app) {
        return Err(NO_PRIVILEGE.into());
    }
    comments.remove(at);
    Ok(Answer::json(&json!({})).with_rows(1))
}

/// Whether the caller may delete what others wrote: who made the app, and administrators.
fn administers(call: &Call<'_>, app: &App) -> bool {
    let code = &call.caller.code;
    !call.caller.is_token()
        && (*code == app.definition.creator || call.store.directory.is_administrator(code))
}
