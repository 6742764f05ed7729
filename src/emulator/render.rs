//! Records as Kintone's JSON (K§4.1), written straight into bytes.

use std::collections::HashSet;
use std::io::Write as _;

use super::directory::Directory;
use super::field::{Field, Kind, Place, Schema};
use super::store::{Store, Stored};
use super::unknown::Unknowns;
use super::value::{self, TableRow, Value};

/// The fields of an answer, each with the text that opens it.
pub(super) struct Shape<'a> {
    fields: Vec<(&'a Field, Vec<u8>)>,
    schema: &'a Schema,
    directory: &'a Directory,
    unknowns: Unknowns,
}

impl<'a> Shape<'a> {
    /// Every field that has a value in records, or those of `wanted`. Unknown codes and columns of tables are
    /// passed over without an error, as fields that the caller may not see are (K§6).
    pub(super) fn new(store: &'a Store, schema: &'a Schema, wanted: Option<&[String]>) -> Self {
        let wanted: Option<HashSet<&str>> =
            wanted.filter(|w| !w.is_empty()).map(|w| w.iter().map(String::as_str).collect());
        let fields = schema
            .fields
            .iter()
            .chain(schema.hidden())
            .filter(|field| wanted.as_ref().is_none_or(|wanted| wanted.contains(&*field.code)))
            .filter(|field| field.place != Place::Nowhere && is_shown(schema, field))
            .map(|field| (field, opening(field)))
            .collect();
        Self { fields, schema, directory: &store.directory, unknowns: store.unknowns }
    }

    /// Writes `{"code":{"type":...,"value":...},...}`.
    pub(super) fn write(&self, record: &Stored, out: &mut Vec<u8>) {
        out.push(b'{');
        for (index, (field, opening)) in self.fields.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(opening);
            self.write_value(field, record, out);
            out.push(b'}');
        }
        out.push(b'}');
    }

    fn write_value(&self, field: &Field, record: &Stored, out: &mut Vec<u8>) {
        match field.place {
            Place::Id if field.kind == Kind::RecordNumber => {
                string(out, &format!("{}{}", self.schema.number_prefix, record.id));
            }
            Place::Id => number(out, record.id),
            Place::Revision => number(out, record.revision),
            Place::Creator => self.user(out, &record.creator),
            Place::Modifier => self.user(out, &record.modifier),
            Place::Created => string(out, &value::format_datetime(record.created)),
            Place::Updated => string(out, &value::format_datetime(record.updated)),
            Place::Status => string(out, record.status.as_deref().unwrap_or_default()),
            Place::Assignees => list(out, &record.assignees, |out, code| self.user(out, code)),
            Place::Categories => list(out, &record.categories, |out, name| string(out, name)),
            Place::Cell(cell) => self.cell(out, field, record.cells.get(cell).unwrap_or(&Value::Empty)),
            Place::Column(..) | Place::Nowhere => out.extend_from_slice(b"null"),
        }
    }

    fn cell(&self, out: &mut Vec<u8>, field: &Field, value: &Value) {
        match value {
            Value::Empty => out.extend_from_slice(empty(field.kind, self.unknowns)),
            Value::Text(text) => string(out, text),
            Value::Number(decimal) => string(out, &decimal.to_string()),
            Value::Date(days) => string(out, &value::format_date(*days)),
            Value::Time(minutes) => string(out, &value::format_time(*minutes)),
            Value::DateTime(minutes) => string(out, &value::format_datetime(*minutes)),
            Value::Duration(minutes) => string(out, &value::format_duration(*minutes)),
            Value::Texts(texts) => list(out, texts, |out, text| string(out, text)),
            Value::Codes(codes) => list(out, codes, |out, code| self.entity(out, field.kind, code)),
            Value::Files(files) => list(out, files, |out, file| {
                out.extend_from_slice(b"{\"contentType\":");
                string(out, &file.content_type);
                out.extend_from_slice(b",\"fileKey\":");
                string(out, &file.file_key);
                out.extend_from_slice(b",\"name\":");
                string(out, &file.name);
                out.extend_from_slice(b",\"size\":");
                number(out, file.size);
                out.push(b'}');
            }),
            Value::Rows(rows) => list(out, rows, |out, row| self.row(out, field, row)),
        }
    }

    fn row(&self, out: &mut Vec<u8>, table: &Field, row: &TableRow) {
        out.extend_from_slice(b"{\"id\":");
        number(out, row.id);
        out.extend_from_slice(b",\"value\":{");
        for (index, column) in table.columns.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&opening(column));
            self.cell(out, column, row.cells.get(index).unwrap_or(&Value::Empty));
            out.push(b'}');
        }
        out.extend_from_slice(b"}}");
    }

    fn user(&self, out: &mut Vec<u8>, code: &str) {
        self.entity(out, Kind::UserSelect, code);
    }

    fn entity(&self, out: &mut Vec<u8>, kind: Kind, code: &str) {
        let entity = match kind {
            Kind::OrganizationSelect => self.directory.organization(code),
            Kind::GroupSelect => self.directory.group(code),
            _ => self.directory.user(code),
        };
        out.extend_from_slice(b"{\"code\":");
        string(out, code);
        out.extend_from_slice(b",\"name\":");
        string(out, entity.map_or(code, |entity| &entity.name));
        out.push(b'}');
    }
}

/// Whether a record has the key at all: status, assignee and category only where they are on.
fn is_shown(schema: &Schema, field: &Field) -> bool {
    match field.kind {
        Kind::Status | Kind::Assignee => schema.process,
        Kind::Category => field.flag("enabled"),
        _ => true,
    }
}

/// `"code":{"type":"NUMBER","value":`.
fn opening(field: &Field) -> Vec<u8> {
    let mut out = vec![];
    string(&mut out, &field.code);
    out.extend_from_slice(b":{\"type\":");
    string(&mut out, field.kind.name());
    out.extend_from_slice(b",\"value\":");
    out
}

/// How an unset value is written.
fn empty(kind: Kind, unknowns: Unknowns) -> &'static [u8] {
    match kind {
        Kind::Date | Kind::Time | Kind::DropDown => b"null",
        Kind::Number if unknowns.empty_number_is_null => b"null",
        Kind::DateTime if unknowns.empty_datetime_is_null => b"null",
        Kind::RadioButton if unknowns.empty_radio_is_null => b"null",
        Kind::CheckBox
        | Kind::MultiSelect
        | Kind::UserSelect
        | Kind::OrganizationSelect
        | Kind::GroupSelect
        | Kind::File
        | Kind::Subtable => b"[]",
        _ => b"\"\"",
    }
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// An id: digits in quotes.
fn number(out: &mut Vec<u8>, value: u64) {
    out.push(b'"');
    out.extend_from_slice(value.to_string().as_bytes());
    out.push(b'"');
}

/// A JSON string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if text.bytes().any(|b| b < 0x20 || b == b'"' || b == b'\\') {
        for c in text.chars() {
            match c {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                c if u32::from(c) < 0x20 => {
                    // Writing to a vector cannot fail.
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}
