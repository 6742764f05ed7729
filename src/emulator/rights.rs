//! What a caller may do with records (K§2.1). Here everybody may do everything that can be done at all.

use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::field::{Field, Kind};
use super::reply::{Answer, Failure, NO_RECORD};
use super::write;

/// GET `records/acl/evaluate.json`.
pub(super) fn evaluate(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let sent = call.params.array("ids")?.ok_or_else(|| Failure::invalid("ids", "Required field."))?;
    if sent.is_empty() || sent.len() > write::MOST {
        return Err(Failure::invalid("ids", format!("1 to {} can be given.", write::MOST)));
    }
    let ids: Option<Vec<u64>> = sent.iter().map(write::id).collect();
    let ids = ids.ok_or_else(|| Failure::invalid("ids", "Enter an array of integers."))?;
    let mut fields = Map::new();
    for field in app.schema.fields.iter().flat_map(|field| std::iter::once(field).chain(&field.columns)) {
        fields.insert(field.code.to_string(), json!({"viewable": true, "editable": is_settable(field)}));
    }
    let records = app.read();
    let missing = ids.iter().any(|id| records.get(*id).is_none());
    if missing && !call.store.unknowns.missing_records_have_no_rights {
        return Err(NO_RECORD.into());
    }
    let right = |id: &u64| {
        let there = records.get(*id).is_some();
        let fields = if there { fields.clone() } else { Map::new() };
        json!({
            "id": id.to_string(),
            "record": {"viewable": there, "editable": there, "deletable": there},
            "fields": fields,
        })
    };
    let rights: Vec<Json> = ids.iter().map(right).collect();
    let rows = rights.len();
    Ok(Answer::json(&json!({"rights": rights})).with_rows(rows))
}

fn is_settable(field: &Field) -> bool {
    field.kind.has_cell() && field.kind != Kind::Calc
}
