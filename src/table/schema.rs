//! The columns of an app's tables: of the records, and of each table field's rows.
//!
//! `SELECT *` gives `$id`, `$revision`, the fields in layout order, then the system fields.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};

use super::field::{FieldType, FormContext, field_type, system_field};
use super::types::SqlType;
use crate::kintone::{FieldProperties, Form};

/// Where a column's values come from.
#[derive(Clone)]
pub(crate) enum Source {
    /// Part `part` of a field of the record: 0 its value, then its companions.
    Record { field: Arc<FieldProperties>, field_type: &'static dyn FieldType, part: usize },
    /// Part `part` of a column of the table's row.
    Row { field: Arc<FieldProperties>, field_type: &'static dyn FieldType, part: usize },
    /// The row's id.
    RowId,
    /// The row's place in its record's table, from 1.
    RowIndex,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Record { field, part, .. } => write!(f, "Record({}, {part})", field.code),
            Self::Row { field, part, .. } => write!(f, "Row({}, {part})", field.code),
            Self::RowId => f.write_str("RowId"),
            Self::RowIndex => f.write_str("RowIndex"),
        }
    }
}

/// A column of a table of Kintone.
#[derive(Debug, Clone)]
pub struct Column {
    /// The name in SQL: the field's code, or its companion's.
    pub name: String,
    /// The field's label.
    pub label: String,
    /// The type in SQL.
    pub sql_type: SqlType,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// No two records share a value.
    pub unique: bool,
    /// The field's type in Kintone; empty for what the table adds.
    pub kintone_type: String,
    /// The options of a choice field.
    pub options: Vec<String>,
    pub(crate) source: Source,
}

/// What one row of the table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A record.
    Record,
    /// A row of the table field of this code.
    Row(String),
}

/// The columns of one table, with their Arrow schema.
#[derive(Debug, Clone)]
pub struct Columns {
    /// In the order of `SELECT *`.
    pub columns: Vec<Column>,
    /// The same as Arrow has them.
    pub schema: SchemaRef,
    /// What one row is.
    pub shape: Shape,
    /// The form's.
    pub revision: String,
    pub(crate) context: FormContext,
}

impl Columns {
    /// The table of an app's records.
    #[must_use]
    pub fn of_records(form: &Form, context: FormContext) -> Self {
        Self::new(record_columns(form, context), Shape::Record, form, context)
    }

    /// The table of a table field's rows: `$id` of the record, `RowId`, `RowIndex`, its own columns, then the
    /// record's. On a clash its own column keeps the code and the record's gets `Parent_`.
    #[must_use]
    pub fn of_rows(form: &Form, table: &FieldProperties, context: FormContext) -> Self {
        let mut columns = vec![];
        let mut names = Names::default();
        let records = record_columns(form, context);
        columns.extend(records.iter().find(|c| c.name == "$id").cloned());
        columns.push(added("RowId", "Row id", Source::RowId));
        columns.push(added("RowIndex", "Row number, from 1", Source::RowIndex));
        for column in &columns {
            names.taken.insert(column.name.clone());
        }
        for column in field_columns(&table.fields, false, context) {
            columns.push(Column { name: names.free(column.name.clone(), "", "_"), ..column });
        }
        for column in records.into_iter().filter(|c| c.name != "$id") {
            let is_this_table =
                matches!(&column.source, Source::Record { field, .. } if field.code == table.code);
            if !is_this_table {
                columns.push(Column { name: names.free(column.name.clone(), "Parent_", ""), ..column });
            }
        }
        // What is unique among records repeats among their rows.
        columns.iter_mut().for_each(|c| c.unique = false);
        Self::new(columns, Shape::Row(table.code.clone()), form, context)
    }

    /// The table of a saved list view: `$id`, then the fields that it shows, with their companions.
    #[must_use]
    pub fn of_view(form: &Form, fields: &[String], context: FormContext) -> Self {
        let all = record_columns(form, context);
        let of = |wanted: &str| {
            let is_it =
                |c: &&Column| matches!(&c.source, Source::Record { field, .. } if field.code == wanted);
            all.iter().filter(is_it).cloned().collect::<Vec<_>>()
        };
        let mut columns = of("$id");
        for code in fields {
            for column in of(code) {
                if !columns.iter().any(|known| known.name == column.name) {
                    columns.push(column);
                }
            }
        }
        Self::new(columns, Shape::Record, form, context)
    }

    fn new(columns: Vec<Column>, shape: Shape, form: &Form, context: FormContext) -> Self {
        let fields: Vec<Field> = columns
            .iter()
            .map(|c| c.sql_type.field(&c.name, c.nullable).with_data_type(context.data_type(&c.sql_type)))
            .collect();
        let revision = form.revision.clone();
        Self { columns, schema: Arc::new(Schema::new(fields)), shape, revision, context }
    }
}

fn added(name: &str, label: &str, source: Source) -> Column {
    Column {
        name: name.into(),
        label: label.into(),
        sql_type: SqlType::Int8,
        nullable: false,
        unique: false,
        kintone_type: String::new(),
        options: vec![],
        source,
    }
}

/// System fields come last, whatever the layout says of them.
fn is_system(kintone_type: &str) -> bool {
    matches!(
        kintone_type,
        "RECORD_NUMBER"
            | "CREATOR"
            | "CREATED_TIME"
            | "MODIFIER"
            | "UPDATED_TIME"
            | "STATUS"
            | "STATUS_ASSIGNEE"
            | "CATEGORY"
    )
}

fn record_columns(form: &Form, context: FormContext) -> Vec<Column> {
    let own = [system_field("__ID__", "$id"), system_field("__REVISION__", "$revision")];
    let (system, fields): (Vec<_>, Vec<_>) =
        form.fields.iter().filter(|f| f.enabled).cloned().partition(|f| is_system(&f.kind));
    let all: Vec<FieldProperties> =
        own.iter().map(|f| f.as_ref().clone()).chain(fields).chain(system).collect();
    field_columns(&all, true, context)
}

/// The columns of fields: first every field's own, so that a companion never takes a real field's name.
fn field_columns(fields: &[FieldProperties], of_record: bool, context: FormContext) -> Vec<Column> {
    let mut names = Names::default();
    let mut known = vec![];
    for field in fields {
        if let Some(field_type) = field_type(&field.kind) {
            let name = if context.by_label && !field.label.is_empty() { &field.label } else { &field.code };
            known.push((Arc::new(field.clone()), field_type, names.free(name.clone(), "", "_")));
        }
    }
    let mut out = vec![];
    for (field, field_type, own) in known {
        for (part, column) in field_type.columns(&field).into_iter().enumerate() {
            let name = match part {
                0 => own.clone(),
                _ => names.free(format!("{own}{}", column.suffix), "", "_"),
            };
            let field = Arc::clone(&field);
            out.push(Column {
                name,
                label: field.label.clone(),
                nullable: column.nullable,
                unique: part == 0
                    && (field.unique || matches!(field.kind.as_str(), "__ID__" | "RECORD_NUMBER")),
                kintone_type: if part == 0 { field.kind.clone() } else { String::new() },
                options: if part == 0 { field.options.clone() } else { vec![] },
                sql_type: column.sql_type,
                source: if of_record {
                    Source::Record { field, field_type, part }
                } else {
                    Source::Row { field, field_type, part }
                },
            });
        }
    }
    out
}

/// Names that are taken already.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// The name, with `prefix` before it or `suffix` after it as often as it takes to be free.
    fn free(&mut self, mut name: String, prefix: &str, suffix: &str) -> String {
        while !self.taken.insert(name.clone()) {
            name = format!("{prefix}{name}{suffix}");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str, code: &str) -> FieldProperties {
        FieldProperties { kind: kind.into(), code: code.into(), enabled: true, ..Default::default() }
    }

    fn form() -> Form {
        let mut table = field("SUBTABLE", "明細");
        table.fields =
            vec![field("SINGLE_LINE_TEXT", "品名"), field("NUMBER", "数量"), field("USER_SELECT", "担当")];
        let fields = vec![
            field("CREATOR", "作成者"),
            field("SINGLE_LINE_TEXT", "品名"),
            table,
            field("LABEL", ""),
            field("SINGLE_LINE_TEXT", "作成者_name"),
            FieldProperties { enabled: false, ..field("STATUS", "ステータス") },
        ];
        Form { revision: "1".into(), fields }
    }

    const CONTEXT: FormContext = FormContext { scale: 10, time_zone: chrono_tz::UTC, by_label: false };

    fn names(columns: &Columns) -> Vec<&str> {
        columns.columns.iter().map(|c| c.name.as_str()).collect()
    }

    #[test]
    fn records_have_system_fields_last_and_real_fields_win() {
        let columns = Columns::of_records(&form(), CONTEXT);
        let expect = ["$id", "$revision", "品名", "明細", "作成者_name", "作成者", "作成者_name_"];
        assert_eq!(names(&columns), expect);
        assert_eq!(columns.schema.fields().len(), 7);
    }

    #[test]
    fn labels_are_made_unique() {
        let label =
            |code: &str, label: &str| FieldProperties { label: label.into(), ..field("NUMBER", code) };
        let form = Form {
            revision: "1".into(),
            fields: vec![label("a", "金額"), label("b", "金額"), label("c", "")],
        };
        let columns = Columns::of_records(&form, FormContext { by_label: true, ..CONTEXT });
        assert_eq!(names(&columns), ["$id", "$revision", "金額", "金額_", "c"]);
    }

    #[test]
    fn rows_keep_their_own_names() {
        let form = form();
        let columns = Columns::of_rows(&form, &form.fields[2], CONTEXT);
        let expect = [
            "$id",
            "RowId",
            "RowIndex",
            "品名",
            "数量",
            "担当",
            "担当_names",
            "$revision",
            "Parent_品名",
            "作成者_name",
            "作成者",
            "作成者_name_",
        ];
        assert_eq!(names(&columns), expect);
    }
}
