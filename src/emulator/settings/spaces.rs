//! Spaces (K§2.2). Only guest spaces are known, by the apps in them; their creator is their one member.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::super::app::AppDefinition;
use super::super::call::Call;
use super::super::reply::{Answer, Failure, NO_PRIVILEGE};
use super::super::store::Store;
use super::apps::{page, time, user};

/// Whether a space is known.
pub(super) fn exists(store: &Store, space: u64) -> bool {
    apps(store, space).next().is_some()
}

fn apps(store: &Store, space: u64) -> impl Iterator<Item = &AppDefinition> {
    store.apps.values().map(|app| &app.definition).filter(move |app| app.guest_space == Some(space))
}

/// The space that a call names on the path of that space.
fn named<'a>(call: &Call<'a>) -> Result<(u64, &'a AppDefinition), Failure> {
    call.caller.must_be_user()?;
    let id = call.params.id("id")?;
    if call.guest_space != Some(id) {
        return Err(NO_PRIVILEGE.into());
    }
    let first = apps(call.store, id).next().ok_or(NO_PRIVILEGE)?;
    Ok((id, first))
}

fn name(id: u64) -> String {
    format!("Space {id}")
}

/// GET `space.json`.
pub(crate) fn space(call: &Call<'_>) -> Result<Answer, Failure> {
    let (id, first) = named(call)?;
    let directory = &call.store.directory;
    let attached: Vec<Json> = apps(call.store, id)
        .map(|app| {
            json!({
                "threadId": id.to_string(),
                "appId": app.id.to_string(),
                "code": app.code,
                "name": app.name,
                "description": app.description,
                "createdAt": time(app.created_at),
                "creator": user(directory, &app.creator),
                "modifiedAt": time(app.modified_at),
                "modifier": user(directory, &app.modifier),
            })
        })
        .collect();
    Ok(Answer::json(&json!({
        "id": id.to_string(),
        "name": name(id),
        "defaultThread": id.to_string(),
        "isPrivate": true,
        "creator": user(directory, &first.creator),
        "modifier": user(directory, &first.modifier),
        "memberCount": "1",
        "coverType": "PRESET",
        "coverKey": "GREEN",
        "coverUrl": "",
        "body": "",
        "useMultiThread": false,
        "isGuest": true,
        "attachedApps": attached,
        "fixedMember": false,
        "showAnnouncement": true,
        "showThreadList": true,
        "showAppList": true,
        "showMemberList": true,
        "showRelatedLinkList": true,
        "permissions": {"createApp": "EVERYONE"},
    })))
}

/// GET `space/members.json`.
pub(crate) fn members(call: &Call<'_>) -> Result<Answer, Failure> {
    let (_, first) = named(call)?;
    let member = json!({
        "entity": {"type": "USER", "code": first.creator}, "isAdmin": true, "isImplicit": false,
    });
    Ok(Answer::json(&json!({"members": [member]})))
}

/// GET `spaces/statistics.json`.
pub(crate) fn statistics(call: &Call<'_>) -> Result<Answer, Failure> {
    call.caller.must_be_user()?;
    let known: BTreeSet<u64> =
        call.store.apps.values().filter_map(|app| app.definition.guest_space).collect();
    let (offset, limit) = page(call)?;
    let directory = &call.store.directory;
    let spaces: Vec<Json> = known
        .into_iter()
        .filter_map(|id| Some((id, apps(call.store, id).next()?)))
        .skip(offset)
        .take(limit)
        .map(|(id, first)| {
            json!({
                "id": id.to_string(),
                "name": name(id),
                "isGuest": true,
                "isPrivate": true,
                "memberCount": "1",
                "administratorCount": "1",
                "createdAt": time(first.created_at),
                "creator": user(directory, &first.creator),
                "modifiedAt": time(first.modified_at),
                "modifier": user(directory, &first.modifier),
            })
        })
        .collect();
    let rows = spaces.len();
    Ok(Answer::json(&json!({"spaces": spaces})).with_rows(rows))
}
