//! Reading records (K§2.1).

use super::call::Call;
use super::query;
use super::render::Shape;
use super::reply::{Answer, Failure, NO_RECORD};

/// Codes in `fields`.
const MOST_FIELDS: usize = 1000;

/// GET `record.json`.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let record = app.read().get(call.params.id("id")?).cloned().ok_or(NO_RECORD)?;
    let mut body = b"{\"record\":".to_vec();
    Shape::new(call.store, &app.schema, None).write(&record, &mut body);
    body.push(b'}');
    Ok(Answer::bytes(body).with_rows(1))
}

/// GET `records.json`.
pub(super) fn list(call: &Call<'_>) -> Result<Answer, Failure> {
    let app = call.app("app")?;
    let fields = fields(call)?;
    let count = call.params.flag("totalCount")?;
    let text = call.params.text("query")?.unwrap_or_default();
    let prepared = query::prepare(call.scope(app), text)?;
    let selection = prepared.page(&app.read(), count);
    let shape = Shape::new(call.store, &app.schema, fields.as_deref());
    let mut body = b"{\"records\":[".to_vec();
    for (index, record) in selection.records.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        shape.write(record, &mut body);
    }
    body.extend_from_slice(b"],\"totalCount\":");
    match selection.total.filter(|_| count) {
        Some(total) => body.extend_from_slice(format!("\"{total}\"").as_bytes()),
        None => body.extend_from_slice(b"null"),
    }
    body.push(b'}');
    Ok(Answer::bytes(body).with_rows(selection.records.len()).warned(selection.aborted))
}

/// The codes of `fields`.
pub(super) fn fields(call: &Call<'_>) -> Result<Option<Vec<String>>, Failure> {
    call.params.texts("fields", MOST_FIELDS)
}
