//! Settings that nobody can change here, as a new app has them (K§2.2): empty, and everybody may do everything
//! with records.

use serde_json::{Value as Json, json};

use super::super::call::Call;
use super::super::reply::{Answer, Failure};
use super::preview::Side;
use super::read::check_language;

/// Plug-ins are listed in their own languages.
const PLUGIN_LANGUAGES: &[&str] = &["JA", "EN", "ZH", "ES"];

fn answer(call: &Call<'_>, side: Side, mut body: Json) -> Result<Answer, Failure> {
    body["revision"] = json!(side.of(call)?.revision.to_string());
    Ok(Answer::json(&body))
}

/// `app/acl.json`.
pub(crate) fn app_rights(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    let right = |kind: &str, code: Option<&str>, manages: bool| {
        json!({
            "entity": {"type": kind, "code": code},
            "includeSubs": false,
            "appEditable": manages,
            "recordViewable": true,
            "recordAddable": true,
            "recordEditable": true,
            "recordDeletable": true,
            "recordImportable": manages,
            "recordExportable": manages,
        })
    };
    let rights = [right("CREATOR", None, true), right("GROUP", Some("everyone"), false)];
    answer(call, side, json!({"rights": rights}))
}

/// `record/acl.json`.
pub(crate) fn record_rights(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    check_language(call)?;
    answer(call, side, json!({"rights": []}))
}

/// `field/acl.json`.
pub(crate) fn field_rights(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    answer(call, side, json!({"rights": []}))
}

/// `app/reports.json`.
pub(crate) fn reports(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    check_language(call)?;
    answer(call, side, json!({"reports": {}}))
}

/// `app/notifications/general.json`.
pub(crate) fn general_notifications(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    answer(call, side, json!({"notifications": [], "notifyToCommenter": true}))
}

/// `app/notifications/perRecord.json`.
pub(crate) fn record_notifications(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    check_language(call)?;
    answer(call, side, json!({"notifications": []}))
}

/// `app/notifications/reminder.json`.
pub(crate) fn reminders(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    check_language(call)?;
    answer(call, side, json!({"notifications": [], "timezone": call.caller.zone.name()}))
}

/// `app/customize.json`.
pub(crate) fn customization(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    let none = json!({"js": [], "css": []});
    answer(call, side, json!({"scope": "ALL", "desktop": none, "mobile": none}))
}

/// `app/plugins.json`.
pub(crate) fn plugins(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    if call.params.text("lang")?.is_some_and(|language| !PLUGIN_LANGUAGES.contains(&language)) {
        return Err(Failure::invalid("lang", format!("Must be one of {}.", PLUGIN_LANGUAGES.join(", "))));
    }
    answer(call, side, json!({"plugins": []}))
}

/// `app/actions.json`.
pub(crate) fn actions(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    check_language(call)?;
    answer(call, side, json!({"actions": {}}))
}

/// `app/adminNotes.json`.
pub(crate) fn admin_notes(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    answer(call, side, json!({"content": "", "includeInTemplateAndDuplicates": false}))
}

/// `plugins.json`: none is installed.
pub(crate) fn installed_plugins(call: &Call<'_>) -> Result<Answer, Failure> {
    call.caller.must_be_user()?;
    Ok(Answer::json(&json!({"plugins": []})))
}

/// `plugins/required.json`: no app asks for one that is not installed.
pub(crate) fn required_plugins(call: &Call<'_>) -> Result<Answer, Failure> {
    installed_plugins(call)
}
