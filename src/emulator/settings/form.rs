//! GET `form.json` (K§2.2), the older form of a form: a list of fields in the order in which they stand.

use serde_json::{Map, Value as Json, json};

use super::super::app::AppDefinition;
use super::super::call::Call;
use super::super::params::integer;
use super::super::reply::{Answer, Failure};
use super::preview::Side;

/// GET.
pub(crate) fn form(call: &Call<'_>, side: Side) -> Result<Answer, Failure> {
    let settings = side.of(call)?;
    let mut out = vec![];
    rows(settings.definition, &settings.definition.layout, &mut out);
    Ok(Answer::json(&json!({"properties": out})))
}

fn rows(app: &AppDefinition, layout: &[Json], out: &mut Vec<Json>) {
    for row in layout {
        let code = row.get("code").and_then(Json::as_str).unwrap_or_default();
        if let Some(inner) = row.get("layout").and_then(Json::as_array) {
            // The group itself is not told of.
            rows(app, inner, out);
        } else if row.get("type").and_then(Json::as_str) == Some("SUBTABLE") {
            out.extend(app.properties.get(code).map(entry));
        } else {
            let fields = row.get("fields").and_then(Json::as_array).into_iter().flatten();
            out.extend(fields.map(|field| {
                let code = field.get("code").and_then(Json::as_str).unwrap_or_default();
                app.properties.get(code).map_or_else(|| decoration(field), entry)
            }));
        }
    }
}

/// A label, a spacer or a line.
fn decoration(item: &Json) -> Json {
    let kind = item.get("type").cloned().unwrap_or_default();
    match kind.as_str() {
        Some("LABEL") => json!({"type": kind, "label": item.get("label")}),
        Some("SPACER") => json!({"type": kind, "elementId": item.get("elementId")}),
        _ => json!({"type": kind}),
    }
}

/// A field: unset numbers are `null`, options are names in their order.
fn entry(field: &Json) -> Json {
    let mut out = Map::new();
    for (name, value) in field.as_object().into_iter().flatten() {
        let value = match name.as_str() {
            "options" => options(value),
            "fields" => Json::Array(value.as_object().into_iter().flatten().map(|(_, f)| entry(f)).collect()),
            "maxLength" | "minLength" | "maxValue" | "minValue" | "displayScale"
                if value.as_str() == Some("") =>
            {
                Json::Null
            }
            "defaultNowValue" => {
                let now = value.as_bool().unwrap_or_default().then_some("NOW");
                out.insert("defaultExpression".to_owned(), json!(now));
                continue;
            }
            // Who starts as chosen is not told here.
            "entities" | "lookup" | "referenceTable" | "align" | "thumbnailSize" => continue,
            "defaultValue" if field.get("entities").is_some() => continue,
            "defaultValue" if value.as_str() == Some("") => Json::Null,
            _ => value.clone(),
        };
        out.insert(name.clone(), value);
    }
    if let Some(related) = field.get("lookup").or_else(|| field.get("referenceTable")) {
        out.insert("relatedApp".to_owned(), related.pointer("/relatedApp/app").cloned().unwrap_or_default());
    }
    Json::Object(out)
}

fn options(value: &Json) -> Json {
    let mut options: Vec<(i64, &String)> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, option)| (option.get("index").and_then(integer).unwrap_or_default(), name))
        .collect();
    options.sort();
    options.into_iter().map(|(_, name)| json!(name)).collect()
}
