//! POST, PUT and DELETE `preview/app/form/fields.json` (K§2.2, K§4.3).

use serde_json::{Map, Value as Json, json};
use unicode_general_category::{GeneralCategory, get_general_category};

use super::super::app::AppDefinition;
use super::super::calc;
use super::super::call::{Call, Change};
use super::super::field::{Kind, Schema};
use super::super::reply::{Answer, BAD_FORMULA, FIELD_IN_LOOKUP, Failure, NO_FIELD_CODE};
use super::definition::{self, Notes};
use super::preview::{self, Preview, edit};
use super::{layout, reference};

/// Fields of an app, without what every app has (K§5.1).
const MOST_FIELDS: usize = 500;
/// Fields of one DELETE.
const MOST_DELETED: usize = 100;
/// What a code cannot be.
const RESERVED: &[&str] = &["__ROOT__", "not"];

/// The definitions of a call by code.
fn sent<'a>(call: &'a Call<'_>) -> Result<&'a Map<String, Json>, Failure> {
    let properties = call.params.get("properties");
    let properties = properties.ok_or_else(|| Failure::invalid("properties", "Required field."))?;
    let properties = properties.as_object();
    let properties = properties.ok_or_else(|| Failure::invalid("properties", "Enter an object."))?;
    if properties.is_empty() {
        return Err(Failure::invalid("properties", "Required field."));
    }
    Ok(properties)
}

/// POST.
pub(crate) fn add(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let ((), revision) = edit(change, |call, preview| {
        let mut notes = Notes::default();
        let sent = sent(call)?;
        for (code, field) in sent {
            let at = format!("properties[{code}]");
            add_field(&mut preview.definition, None, (code, field), &at, &mut notes);
        }
        finish(call, preview, notes, sent.keys())
    })?;
    Ok(Answer::json(&json!({"revision": revision})))
}

/// What all changed fields need together.
fn finish<'a>(
    call: &Call<'_>,
    preview: &mut Preview,
    notes: Notes,
    changed: impl Iterator<Item = &'a String>,
) -> Result<(), Failure> {
    if !notes.errors.is_empty() {
        return Err(Failure::invalid_many(notes.errors));
    }
    let fields = preview.definition.properties.values().filter_map(Json::as_object);
    let own = fields.filter(|field| reference::kind(field).is_some_and(|kind| kind.system_place().is_none()));
    if own.count() > MOST_FIELDS {
        return Err(Failure::invalid("properties", format!("An app has no more than {MOST_FIELDS} fields.")));
    }
    let mut codes: Vec<String> = vec![];
    for code in changed {
        let columns = preview.definition.properties.get(code).and_then(|f| f.get("fields"));
        codes.extend(columns.and_then(Json::as_object).into_iter().flat_map(|c| c.keys().cloned()));
        codes.push(code.clone());
    }
    reference::check(call, &mut preview.definition, &codes)?;
    check_formulas(&preview.definition)
}

/// Refuses a form where a formula cannot be used (`GAIA_IL01`).
pub(super) fn check_formulas(app: &AppDefinition) -> Result<(), Failure> {
    let fault = calc::check_form(&Schema::new(app).fields);
    fault.map_err(|(field, why)| Failure::about(BAD_FORMULA, &format!("{field}: {why}")))
}

/// Adds a field to the form, or a column to a table.
fn add_field(
    app: &mut AppDefinition,
    table: Option<&str>,
    (code, sent): (&str, &Json),
    at: &str,
    notes: &mut Notes,
) {
    let Some(sent) = sent.as_object() else { return notes.error(at, "Enter an object.") };
    let Some(kind) = addable(sent, table.is_some(), at, notes) else { return };
    match sent.get("code").and_then(Json::as_str) {
        None => return notes.error(&format!("{at}.code"), "Required field."),
        Some(own) if own != code => {
            return notes.error(&format!("{at}.code"), "Must be the name of its entry.");
        }
        Some(_) => {}
    }
    if !check_code(app, code, &format!("{at}.code"), notes) {
        return;
    }
    let mut field = definition::read(kind, sent, None, at, notes);
    in_table(&mut field, table, at, notes);
    if kind == Kind::Subtable {
        field.insert("fields".to_owned(), json!({}));
    }
    match table {
        Some(table) => {
            if let Some(columns) = columns_of(app, table) {
                columns.insert(code.to_owned(), Json::Object(field));
            }
            layout::append_column(app, table, kind, code);
        }
        None => {
            app.properties.insert(code.to_owned(), Json::Object(field));
            layout::append(app, kind, code);
        }
    }
    if kind == Kind::Subtable {
        let columns = sent.get("fields").and_then(Json::as_object).filter(|columns| !columns.is_empty());
        let Some(columns) = columns else { return notes.error(&format!("{at}.fields"), "Required field.") };
        for (column, sent) in columns {
            let at = format!("{at}.fields[{column}]");
            add_field(app, Some(code), (column, sent), &at, notes);
        }
    }
}

/// The type of a new field.
fn addable(sent: &Map<String, Json>, in_table: bool, at: &str, notes: &mut Notes) -> Option<Kind> {
    let at = format!("{at}.type");
    let Some(name) = sent.get("type").and_then(Json::as_str) else {
        notes.error(&at, "Required field.");
        return None;
    };
    let frame = |kind: &Kind| matches!(kind, Kind::Subtable | Kind::ReferenceTable | Kind::Group);
    let kind = Kind::from_name(name).filter(|kind| kind.system_place().is_none());
    let kind = kind.filter(|kind| !in_table || !frame(kind));
    if kind.is_none() {
        notes.error(&at, "Must be a type of fields that can be added here.");
    }
    kind
}

/// Values in tables cannot be unique (K§4.2).
fn in_table(field: &mut Map<String, Json>, table: Option<&str>, at: &str, notes: &mut Notes) {
    if table.is_some() && field.get("unique") == Some(&Json::Bool(true)) {
        notes.error(&format!("{at}.unique"), "A field in a table cannot prohibit duplicates.");
    }
}

fn columns_of<'a>(app: &'a mut AppDefinition, table: &str) -> Option<&'a mut Map<String, Json>> {
    app.properties.get_mut(table)?.get_mut("fields")?.as_object_mut()
}

/// Whether a code may be given to a new or renamed field.
fn check_code(app: &AppDefinition, code: &str, at: &str, notes: &mut Notes) -> bool {
    let fault = if code.is_empty() {
        "Required field.".to_owned()
    } else if code.chars().count() > definition::LONGEST_NAME {
        format!("Enter no more than {} characters.", definition::LONGEST_NAME)
    } else if !is_code(code) {
        "A code has letters, digits, _ and currency signs, and begins with no digit.".to_owned()
    } else if preview::codes(app).any(|known| known == code) {
        format!("The field code \"{code}\" is already used.")
    } else {
        return true;
    };
    notes.error(at, fault);
    false
}

/// Letters, digits, `_` and its wide form, middle dots and signs of currencies; no digit in front.
fn is_code(code: &str) -> bool {
    let is_letter = |c: char| {
        c.is_alphanumeric()
            || "_＿･・".contains(c)
            || matches!(get_general_category(c), GeneralCategory::CurrencySymbol)
    };
    let is_digit = |c: char| matches!(get_general_category(c), GeneralCategory::DecimalNumber);
    code.chars().all(is_letter) && !code.starts_with(is_digit) && !RESERVED.contains(&code)
}

/// PUT.
pub(crate) fn update(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let ((), revision) = edit(change, |call, preview| {
        let mut notes = Notes::default();
        let sent = sent(call)?;
        let mut changed = vec![];
        for (code, field) in sent {
            if !preview.definition.properties.contains_key(code) {
                return Err(Failure::about(NO_FIELD_CODE, code));
            }
            let at = format!("properties[{code}]");
            changed.push(update_field(call, preview, None, (code, field), &at, &mut notes));
        }
        finish(call, preview, notes, changed.iter())
    })?;
    Ok(Answer::json(&json!({"revision": revision})))
}

/// Changes a field, or a column of a table, and gives its new code.
fn update_field(
    call: &Call<'_>,
    preview: &mut Preview,
    table: Option<&str>,
    (code, sent): (&str, &Json),
    at: &str,
    notes: &mut Notes,
) -> String {
    let unchanged = code.to_owned();
    let fields = match table {
        Some(table) => columns_of(&mut preview.definition, table),
        None => Some(&mut preview.definition.properties),
    };
    let old = fields.and_then(|fields| fields.get(code)).and_then(Json::as_object).cloned();
    let (Some(old), Some(sent)) = (old, sent.as_object()) else {
        notes.error(at, "Enter an object.");
        return unchanged;
    };
    let Some(kind) = reference::kind(&old) else { return unchanged };
    match sent.get("type").and_then(Json::as_str) {
        None => notes.error(&format!("{at}.type"), "Required field."),
        Some(name) if name != kind.name() => notes.error(&format!("{at}.type"), "A type cannot be changed."),
        Some(_) => {}
    }
    let new = sent.get("code").and_then(Json::as_str).unwrap_or(code);
    if new != code && !check_code(&preview.definition, new, &format!("{at}.code"), notes) {
        return unchanged;
    }
    let before = notes.renames.len();
    let mut field = definition::read(kind, sent, Some(&old), at, notes);
    in_table(&mut field, table, at, notes);
    let renames = notes.renames.split_off(before);
    if let Some(columns) = old.get("fields") {
        field.insert("fields".to_owned(), columns.clone());
    }
    preview.origins.rename_options(code, &renames);
    replace(&mut preview.definition, table, (code, new), field);
    if new != code {
        preview.origins.rename_code(code, new);
        rename_uses(&mut preview.definition, code, new);
    }
    if kind == Kind::Subtable
        && let Some(columns) = sent.get("fields").and_then(Json::as_object)
    {
        update_columns(call, preview, new, columns, at, notes);
    }
    new.to_owned()
}

/// Columns of a table are changed, new, or gone.
fn update_columns(
    call: &Call<'_>,
    preview: &mut Preview,
    table: &str,
    sent: &Map<String, Json>,
    at: &str,
    notes: &mut Notes,
) {
    let known: Vec<String> =
        columns_of(&mut preview.definition, table).into_iter().flat_map(|c| c.keys().cloned()).collect();
    if sent.is_empty() {
        return notes.error(&format!("{at}.fields"), "A table has a field.");
    }
    if call.store.unknowns.unnamed_columns_are_deleted {
        known.iter().filter(|code| !sent.contains_key(*code)).for_each(|gone| remove(preview, gone));
    }
    for (code, column) in sent {
        let at = format!("{at}.fields[{code}]");
        if known.contains(code) {
            update_field(call, preview, Some(table), (code, column), &at, notes);
        } else {
            add_field(&mut preview.definition, Some(table), (code, column), &at, notes);
        }
    }
}

/// Puts a field in the place of another.
fn replace(app: &mut AppDefinition, table: Option<&str>, (old, new): (&str, &str), field: Map<String, Json>) {
    let fields = match table {
        Some(table) => columns_of(app, table),
        None => Some(&mut app.properties),
    };
    let Some(fields) = fields else { return };
    let mut field = Some(Json::Object(field));
    *fields = std::mem::take(fields)
        .into_iter()
        .map(|(code, known)| match field.take_if(|_| code == old) {
            Some(field) => (new.to_owned(), field),
            None => (code, known),
        })
        .collect();
}

/// What names a field names it by its new code.
fn rename_uses(app: &mut AppDefinition, old: &str, new: &str) {
    layout::rename(&mut app.layout, old, new);
    let is_old = |value: &Json| value.as_str() == Some(old);
    for view in app.views.values_mut().filter_map(Json::as_object_mut) {
        for name in ["date", "title"] {
            view.get_mut(name)
                .filter(|value| is_old(value))
                .into_iter()
                .for_each(|value| *value = json!(new));
        }
        let listed = view.get_mut("fields").and_then(Json::as_array_mut).into_iter().flatten();
        listed.filter(|value| is_old(value)).for_each(|value| *value = json!(new));
    }
    if let Some(title) = app.settings.get_mut("titleField").and_then(|title| title.get_mut("code"))
        && is_old(title)
    {
        *title = json!(new);
    }
    rename_in_fields(&mut app.properties, old, new);
}

fn rename_in_fields(fields: &mut Map<String, Json>, old: &str, new: &str) {
    for field in fields.values_mut() {
        let joined = field.pointer_mut("/referenceTable/condition/field");
        joined.filter(|value| value.as_str() == Some(old)).into_iter().for_each(|value| *value = json!(new));
        if let Some(Json::Array(mappings)) = field.pointer_mut("/lookup/fieldMappings") {
            let targets = mappings.iter_mut().filter_map(|mapping| mapping.get_mut("field"));
            targets.filter(|value| value.as_str() == Some(old)).for_each(|value| *value = json!(new));
        }
        if let Some(expression) = field.get("expression").and_then(Json::as_str) {
            let renamed = calc::renamed(expression, old, new);
            field["expression"] = json!(renamed);
        }
        if let Some(Json::Object(columns)) = field.get_mut("fields") {
            rename_in_fields(columns, old, new);
        }
    }
}

/// DELETE.
pub(crate) fn delete(change: &mut Change<'_>) -> Result<Answer, Failure> {
    let ((), revision) = edit(change, |call, preview| {
        let codes = call.params.texts("fields", MOST_DELETED)?.unwrap_or_default();
        if codes.is_empty() {
            return Err(Failure::invalid("fields", "Required field."));
        }
        for (index, code) in codes.iter().enumerate() {
            let field = reference::find(&preview.definition, code);
            let field = field.ok_or_else(|| Failure::about(NO_FIELD_CODE, code))?;
            if reference::kind(field).is_some_and(|kind| kind.system_place().is_some()) {
                return Err(Failure::invalid(&format!("fields[{index}]"), "The field cannot be deleted."));
            }
            not_looked_up(call, preview, code)?;
            remove(preview, code);
        }
        Ok(())
    })?;
    Ok(Answer::json(&json!({"revision": revision})))
}

/// Refuses a field that a lookup of another app copies from.
fn not_looked_up(call: &Call<'_>, preview: &Preview, code: &str) -> Result<(), Failure> {
    let id = preview.definition.id;
    let others = call.store.apps.values().map(|app| &app.definition).filter(|app| app.id != id);
    let uses = |lookup: &Json| {
        let from_here = lookup.pointer("/relatedApp/app").and_then(Json::as_str) == Some(&id.to_string());
        from_here && lookup.get("relatedKeyField").and_then(Json::as_str) == Some(code)
    };
    for app in others {
        if reference::lookups(app).any(|(_, lookup)| uses(lookup)) {
            return Err(Failure::about(FIELD_IN_LOOKUP, code));
        }
    }
    Ok(())
}

/// Takes a field, or a column, off the form.
fn remove(preview: &mut Preview, code: &str) {
    if let Some(columns) = preview.definition.properties.get(code).and_then(|f| f.get("fields")?.as_object())
    {
        columns.keys().for_each(|column| preview.origins.forget_code(column));
    }
    preview.origins.forget_code(code);
    if preview.definition.properties.shift_remove(code).is_none() {
        for table in preview.definition.properties.values_mut() {
            if let Some(Json::Object(columns)) = table.get_mut("fields") {
                columns.shift_remove(code);
            }
        }
    }
    layout::remove(&mut preview.definition.layout, code);
}
