//! POST `preview/app.json` (K§2.2): an app that is in the preview only, until its first deploy.

use serde_json::{Map, Value as Json, json};

use super::super::app::AppDefinition;
use super::super::call::Change;
use super::super::reply::{Answer, Failure, NO_PRIVILEGE};
use super::complete::complete;
use super::preview::{Origins, Preview};
use super::spaces;

/// Characters of an app's name.
pub(super) const LONGEST_NAME: usize = 64;
/// Of the settings that a new app begins with.
const FIRST_REVISION: u64 = 2;
/// What every app has: (code, type).
const SYSTEM_FIELDS: &[(&str, &str)] = &[
    ("レコード番号", "RECORD_NUMBER"),
    ("作業者", "STATUS_ASSIGNEE"),
    ("更新者", "MODIFIER"),
    ("作成者", "CREATOR"),
    ("カテゴリー", "CATEGORY"),
    ("ステータス", "STATUS"),
    ("更新日時", "UPDATED_TIME"),
    ("作成日時", "CREATED_TIME"),
];

/// POST.
pub(crate) fn create(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let call = change.call();
    call.caller.must_be_user()?;
    let name = call.params.text("name")?.unwrap_or_default();
    check_name(name)?;
    let space = call.params.get("space").map(|_| call.params.id("space")).transpose()?;
    if let Some(thread) = call.params.get("thread").map(|_| call.params.id("thread")).transpose()?
        && space != Some(thread)
    {
        // A space has one thread here, with the space's own id.
        return Err(Failure::invalid("thread", "The thread is not in the space."));
    }
    // Spaces are known by the apps in them.
    if space != call.guest_space || call.guest_space.is_some_and(|space| !spaces::exists(call.store, space)) {
        return Err(NO_PRIVILEGE.into());
    }
    let mut definition = AppDefinition {
        id: call.store.last_app + 1,
        name: name.to_owned(),
        guest_space: call.guest_space,
        creator: call.caller.code.clone(),
        modifier: call.caller.code.clone(),
        created_at: call.minute(),
        modified_at: call.minute(),
        properties: system_fields(),
        ..AppDefinition::default()
    };
    complete(&mut definition);
    let id = definition.id;
    change.store.last_app = id;
    let preview = Preview { definition, revision: FIRST_REVISION, origins: Origins::default() };
    change.store.previews.insert(id, preview);
    Ok(Answer::json(&json!({"app": id.to_string(), "revision": FIRST_REVISION.to_string()})))
}

pub(super) fn check_name(name: &str) -> Result<(), Failure> {
    if name.is_empty() {
        return Err(Failure::invalid("name", "Required field."));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(Failure::invalid("name", format!("Enter no more than {LONGEST_NAME} characters.")));
    }
    Ok(())
}

fn system_fields() -> Map<String, Json> {
    let field = |(code, kind): &(&str, &str)| {
        let mut field = json!({"type": kind, "code": code, "label": code});
        if !matches!(*kind, "CATEGORY" | "STATUS" | "STATUS_ASSIGNEE") {
            field["noLabel"] = json!(false);
        }
        ((*code).to_owned(), field)
    };
    SYSTEM_FIELDS.iter().map(field).collect()
}
