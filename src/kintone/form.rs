//! An app's form: its fields in the order of its layout (K§2.2, K§4.3).

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::client::{AppKey, Client};
use super::error::Error;
use super::request::Call;
use super::wire::{id, number, or_default};

/// The fields of an app.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Form {
    /// Grows with each change of the form.
    pub revision: String,
    /// In the order of the layout, those in groups at their place; then those that no layout has.
    pub fields: Vec<FieldProperties>,
}

/// A field's definition, as far as reading needs it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FieldProperties {
    /// Kintone's name of the type, such as `DROP_DOWN`.
    pub kind: String,
    /// The field code.
    pub code: String,
    /// What the form shows.
    pub label: String,
    /// It must have a value.
    pub required: bool,
    /// No two records share a value.
    pub unique: bool,
    /// The options of a choice field, in the form's order.
    pub options: Vec<String>,
    /// How a CALC field shows its value.
    pub format: Option<String>,
    /// False for status, assignee and category where they are switched off.
    pub enabled: bool,
    /// The columns of a table field.
    pub fields: Vec<FieldProperties>,
    /// Where a lookup takes its value from.
    pub lookup: Option<Lookup>,
    /// What a related-records list shows.
    pub reference: Option<Reference>,
}

/// A lookup's source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The other app.
    pub app: u64,
    /// Its key field.
    pub key_field: String,
}

/// A related-records list's source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The other app.
    pub app: u64,
    /// This app's field.
    pub field: String,
    /// The other app's field that equals it.
    pub related_field: String,
}

impl Client {
    /// An app's form: its fields in layout order.
    ///
    /// # Errors
    /// Kintone refuses or does not answer.
    pub async fn form(&self, app: AppKey) -> Result<Form, Error> {
        let (fields, layout) =
            (Call::of_app("app/form/fields.json", app), Call::of_app("app/form/layout.json", app));
        let (fields, layout): (FieldsReply, LayoutReply) =
            tokio::try_join!(self.reply(&fields), self.reply(&layout))?;
        Ok(form(fields, &layout))
    }
}

/// `form/fields.json` on the wire.
#[derive(Deserialize)]
struct FieldsReply {
    properties: IndexMap<String, WireField>,
    #[serde(deserialize_with = "id")]
    revision: u64,
}

#[derive(Deserialize)]
struct WireField {
    #[serde(rename = "type")]
    kind: String,
    code: String,
    #[serde(default, deserialize_with = "or_default")]
    label: String,
    #[serde(default, deserialize_with = "or_default")]
    required: bool,
    #[serde(default, deserialize_with = "or_default")]
    unique: bool,
    #[serde(default)]
    options: Option<IndexMap<String, WireOption>>,
    #[serde(default)]
    format: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default, deserialize_with = "or_default")]
    fields: IndexMap<String, WireField>,
    #[serde(default)]
    lookup: Option<WireLookup>,
    #[serde(default, rename = "referenceTable")]
    reference: Option<WireReference>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct WireOption {
    #[serde(default)]
    index: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLookup {
    related_app: WireApp,
    #[serde(default, deserialize_with = "or_default")]
    related_key_field: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireReference {
    related_app: WireApp,
    condition: Option<WireCondition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCondition {
    field: String,
    related_field: String,
}

/// Null where the other app is gone or not to be seen.
type WireApp = Option<AppId>;

#[derive(Deserialize)]
struct AppId {
    #[serde(default)]
    app: serde_json::Value,
}

/// `form/layout.json` on the wire.
#[derive(Deserialize)]
struct LayoutReply {
    layout: Vec<WireRow>,
}

#[derive(Deserialize)]
struct WireRow {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    code: String,
    #[serde(default, deserialize_with = "or_default")]
    fields: Vec<WireItem>,
    #[serde(default, deserialize_with = "or_default")]
    layout: Vec<WireRow>,
}

#[derive(Deserialize)]
struct WireItem {
    #[serde(default, deserialize_with = "or_default")]
    code: String,
}

/// The fields in the layout's order.
fn form(fields: FieldsReply, layout: &LayoutReply) -> Form {
    let mut order = vec![];
    codes(&layout.layout, &mut order);
    let mut properties = fields.properties;
    let mut sorted: Vec<FieldProperties> = vec![];
    for code in order {
        sorted.extend(properties.shift_remove(&code).map(field));
    }
    sorted.extend(properties.into_values().map(field));
    Form { revision: fields.revision.to_string(), fields: sorted }
}

fn codes(rows: &[WireRow], out: &mut Vec<String>) {
    for row in rows {
        match row.kind.as_str() {
            "SUBTABLE" => out.push(row.code.clone()),
            "GROUP" => codes(&row.layout, out),
            _ => out.extend(row.fields.iter().map(|f| f.code.clone()).filter(|c| !c.is_empty())),
        }
    }
}

fn field(wire: WireField) -> FieldProperties {
    let mut options: Vec<(String, u64)> = wire
        .options
        .into_iter()
        .flatten()
        .map(|(name, o)| (name, number(&o.index).unwrap_or(u64::MAX)))
        .collect();
    options.sort_by_key(|(_, index)| *index);
    let lookup = wire
        .lookup
        .and_then(|l| Some(Lookup { app: number(&l.related_app?.app)?, key_field: l.related_key_field }))
        .filter(|l| !l.key_field.is_empty());
    let reference = wire.reference.and_then(|r| {
        let condition = r.condition?;
        let (field, related_field) = (condition.field, condition.related_field);
        Some(Reference { app: number(&r.related_app?.app)?, field, related_field })
    });
    FieldProperties {
        kind: wire.kind,
        code: wire.code,
        label: wire.label,
        required: wire.required,
        unique: wire.unique,
        options: options.into_iter().map(|(name, _)| name).collect(),
        format: wire.format,
        enabled: wire.enabled,
        fields: wire.fields.into_values().map(field).collect(),
        lookup,
        reference,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_layout_order() {
        let fields = r#"{"revision":"7","properties":{
            "作成者":{"type":"CREATOR","code":"作成者","label":"作成者"},
            "b":{"type":"DROP_DOWN","code":"b","label":"B","options":{"y":{"label":"y","index":"1"},"x":{"label":"x","index":"0"}}},
            "a":{"type":"NUMBER","code":"a","label":"A","unique":true,"lookup":{"relatedApp":{"app":"3","code":""},"relatedKeyField":"k"}},
            "T":{"type":"SUBTABLE","code":"T","fields":{"c":{"type":"DATE","code":"c"}}},
            "ステータス":{"type":"STATUS","code":"ステータス","enabled":false}}}"#;
        let layout = r#"{"layout":[{"type":"SUBTABLE","code":"T","fields":[]},
            {"type":"GROUP","code":"g","layout":[{"type":"ROW","fields":[{"type":"LABEL"},{"type":"NUMBER","code":"a"}]}]},
            {"type":"ROW","fields":[{"type":"DROP_DOWN","code":"b"}]}]}"#;
        let form = form(serde_json::from_str(fields).unwrap(), &serde_json::from_str(layout).unwrap());
        let codes: Vec<_> = form.fields.iter().map(|f| f.code.as_str()).collect();
        assert_eq!(codes, ["T", "a", "b", "作成者", "ステータス"]);
        assert_eq!(form.fields[2].options, ["x", "y"]);
        assert_eq!(form.fields[1].lookup, Some(Lookup { app: 3, key_field: "k".into() }));
        assert!(!form.fields[4].enabled && form.fields[3].enabled);
    }
}
