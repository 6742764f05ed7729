//! `FormFields`: every field of every app, those of table fields too.

use super::{Ask, Relation, Rows, SystemColumn as C, Value, each_app};
use crate::kintone::FieldProperties;

pub(super) struct FormFields;

impl Relation for FormFields {
    fn name(&self) -> &'static str {
        "FormFields"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["Fields"]
    }

    fn description(&self) -> &'static str {
        "Every field of every app"
    }

    fn columns(&self) -> &'static [C] {
        const {
            &[
                C::integer("AppId"),
                C::text("Code"),
                C::text("Label"),
                C::text("Type"),
                C::boolean("Required"),
                C::boolean("Unique"),
                C::json("Options"),
                C::text("ParentTable"),
                C::integer("LookupAppId").or_null(),
            ]
        }
    }

    fn key(&self) -> &'static [&'static str] {
        &["AppId", "Code"]
    }

    fn rows(&self, ask: Ask) -> Rows {
        each_app(ask, |ask, app| async move {
            let form = ask.directory.form(app.key).await?;
            let mut rows = vec![];
            for field in &form.fields {
                rows.push(row(app.key.id, field, ""));
                rows.extend(field.fields.iter().map(|inner| row(app.key.id, inner, &field.code)));
            }
            Ok(rows)
        })
    }
}

fn row(app: u64, field: &FieldProperties, table: &str) -> Vec<Value> {
    let options = match field.options.as_slice() {
        [] => Value::Null,
        options => Value::Text(serde_json::Value::from(options.to_vec()).to_string()),
    };
    vec![
        Value::Integer(app),
        Value::text(field.code.as_str()),
        Value::text(field.label.as_str()),
        Value::text(field.kind.as_str()),
        Value::Boolean(field.required),
        Value::Boolean(field.unique),
        options,
        Value::text(table),
        Value::number(field.lookup.as_ref().map(|l| l.app)),
    ]
}
