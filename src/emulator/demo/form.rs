//! A form: rows of fields, groups and tables, as Kintone's `fields.json` and `layout.json` give it.

use serde_json::{Map, Value, json};

use super::field::Field;

/// A form in the making.
#[derive(Default)]
pub(super) struct Form {
    /// `fields.json`'s `properties`.
    pub(super) properties: Map<String, Value>,
    /// `layout.json`'s `layout`.
    pub(super) layout: Vec<Value>,
}

impl Form {
    /// A line of fields.
    pub(super) fn row(mut self, fields: Vec<Field>) -> Self {
        let row = self.place(fields);
        self.layout.push(row);
        self
    }

    /// A group that opens and closes, with its rows.
    pub(super) fn group(mut self, code: &'static str, open: bool, rows: Vec<Vec<Field>>) -> Self {
        let group = Field::new("GROUP", code, json!({"openGroup": open}));
        self.properties.insert(code.into(), Value::Object(group.definition));
        let rows: Vec<_> = rows.into_iter().map(|row| self.place(row)).collect();
        self.layout.push(json!({"type": "GROUP", "code": code, "layout": rows}));
        self
    }

    /// A table with its columns.
    pub(super) fn table(mut self, code: &'static str, columns: Vec<Field>) -> Self {
        let mut fields = Map::new();
        let mut places = vec![];
        for column in columns {
            fields.insert(column.code.into(), Value::Object(column.definition));
            places.push(column.place);
        }
        let table = Field::new("SUBTABLE", code, json!({"fields": fields}));
        self.properties.insert(code.into(), Value::Object(table.definition));
        self.layout.push(json!({"type": "SUBTABLE", "code": code, "fields": places}));
        self
    }

    /// Adds what every app has: record number, writer and times, and whether categories and process
    /// management are on.
    pub(super) fn finish(mut self, categories: bool, process: bool) -> Self {
        let plain = |kind, code| Field::new(kind, code, json!({}));
        self = self.row(vec![
            plain("RECORD_NUMBER", "レコード番号"),
            plain("CREATOR", "作成者"),
            plain("CREATED_TIME", "作成日時"),
            plain("MODIFIER", "更新者"),
            plain("UPDATED_TIME", "更新日時"),
        ]);
        let switches = [
            ("CATEGORY", "カテゴリー", categories),
            ("STATUS", "ステータス", process),
            ("STATUS_ASSIGNEE", "作業者", process),
        ];
        for (kind, code, enabled) in switches {
            let definition = json!({"type": kind, "code": code, "label": code, "enabled": enabled});
            self.properties.insert(code.into(), definition);
        }
        self
    }

    fn place(&mut self, fields: Vec<Field>) -> Value {
        let mut places = vec![];
        for field in fields {
            if !field.code.is_empty() {
                self.properties.insert(field.code.into(), Value::Object(field.definition));
            }
            places.push(field.place);
        }
        json!({"type": "ROW", "fields": places})
    }
}
