//! PUT `preview/app/settings.json` (K§2.2): name, looks, number precision.

use serde_json::{Map, Value as Json, json};

use super::super::call::{Call, Change};
use super::super::params::integer;
use super::super::reply::{Answer, Failure, NO_FIELD_CODE};
use super::preview::{Preview, edit};
use super::{create, read, reference};

/// Characters of a description.
const LONGEST_DESCRIPTION: usize = 10_000;
const THEMES: &[&str] =
    &["WHITE", "CLIPBOARD", "BINDER", "PENCIL", "CLIPS", "RED", "BLUE", "GREEN", "YELLOW", "BLACK"];
const SWITCHES: &[&str] = &[
    "enableThumbnails",
    "enableBulkDeletion",
    "enableComments",
    "enableDuplicateRecord",
    "enableInlineRecordEditing",
];
/// Of the icons that Kintone brings.
const LAST_ICON: u32 = 90;

/// PUT. What is not sent stays.
pub(crate) fn update(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let ((), revision) = edit(change, |call, preview| {
        if call.params.get("name").is_some() {
            let name = call.params.text("name")?.unwrap_or_default();
            create::check_name(name)?;
            name.clone_into(&mut preview.definition.name);
        }
        if let Some(description) = call.params.text("description")? {
            if description.chars().count() > LONGEST_DESCRIPTION {
                let message = format!("Enter no more than {LONGEST_DESCRIPTION} characters.");
                return Err(Failure::invalid("description", message));
            }
            description.clone_into(&mut preview.definition.description);
        }
        let mut settings = read::general(&preview.definition);
        looks(call, &mut settings)?;
        title(call, preview, &mut settings)?;
        numbers(call, &mut settings)?;
        preview.definition.settings = settings;
        Ok(())
    })?;
    Ok(Answer::json(&json!({"revision": revision})))
}

fn looks(call: &Call<'_>, settings: &mut Map<String, Json>) -> Result<(), Failure> {
    for name in SWITCHES.iter().filter(|name| call.params.get(name).is_some()) {
        settings.insert((*name).to_owned(), json!(call.params.flag(name)?));
    }
    if let Some(theme) = call.params.text("theme")? {
        if !THEMES.contains(&theme) {
            return Err(Failure::invalid("theme", format!("Must be one of {}.", THEMES.join(", "))));
        }
        settings.insert("theme".to_owned(), json!(theme));
    }
    if let Some(icon) = call.params.get("icon") {
        let text = |name: &str| icon.get(name).and_then(Json::as_str).unwrap_or_default();
        let number = text("key").strip_prefix("APP").and_then(|number| number.parse::<u32>().ok());
        if text("type") != "PRESET" || !number.is_some_and(|n| (1..=LAST_ICON).contains(&n)) {
            let message = format!("Must be a preset, APP1 to APP{LAST_ICON}.");
            return Err(Failure::invalid("icon.key", message));
        }
        settings.insert("icon".to_owned(), json!({"type": "PRESET", "key": text("key")}));
    }
    Ok(())
}

/// What names a record.
fn title(call: &Call<'_>, preview: &Preview, settings: &mut Map<String, Json>) -> Result<(), Failure> {
    let Some(title) = call.params.get("titleField") else { return Ok(()) };
    let text = |name: &str| title.get(name).and_then(Json::as_str).unwrap_or_default();
    let code = match text("selectionMode") {
        "AUTO" => "",
        "MANUAL" => {
            reference::find(&preview.definition, text("code"))
                .ok_or_else(|| Failure::about(NO_FIELD_CODE, text("code")))?;
            text("code")
        }
        _ => return Err(Failure::invalid("titleField.selectionMode", "Must be AUTO or MANUAL.")),
    };
    settings.insert("titleField".to_owned(), json!({"selectionMode": text("selectionMode"), "code": code}));
    Ok(())
}

fn numbers(call: &Call<'_>, settings: &mut Map<String, Json>) -> Result<(), Failure> {
    if let Some(sent) = call.params.get("numberPrecision") {
        let mut precision = settings.get("numberPrecision").cloned().unwrap_or_else(|| json!({}));
        for (name, least, most) in [("digits", 1, 30), ("decimalPlaces", 0, 10)] {
            let Some(value) = sent.get(name) else { continue };
            let number = integer(value).filter(|number| (least..=most).contains(number));
            let at = format!("numberPrecision.{name}");
            let number =
                number.ok_or_else(|| Failure::invalid(&at, format!("Must be {least} to {most}.")))?;
            precision[name] = json!(number.to_string());
        }
        if let Some(mode) = sent.get("roundingMode") {
            if !matches!(mode.as_str(), Some("HALF_EVEN" | "UP" | "DOWN")) {
                let at = "numberPrecision.roundingMode";
                return Err(Failure::invalid(at, "Must be HALF_EVEN, UP or DOWN."));
            }
            precision["roundingMode"] = mode.clone();
        }
        settings.insert("numberPrecision".to_owned(), precision);
    }
    if let Some(month) = call.params.integer("firstMonthOfFiscalYear")? {
        if !(1..=12).contains(&month) {
            return Err(Failure::invalid("firstMonthOfFiscalYear", "Must be 1 to 12."));
        }
        settings.insert("firstMonthOfFiscalYear".to_owned(), json!(month.to_string()));
    }
    Ok(())
}
