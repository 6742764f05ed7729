//! Tables and columns as every door shows them, made from apps and their forms.

use std::sync::Arc;

use chrono_tz::Tz;

use super::apps::{AppForm, AppList, NamedApp};
use super::catalog::{ColumnInfo, ForeignKey, TableInfo, TableKind};
use super::found::columns;
use crate::kintone::Form;
use crate::table::Columns;

/// The columns of a table.
pub(super) fn column_infos(columns: Columns) -> Vec<ColumnInfo> {
    let info = |c: crate::table::Column| ColumnInfo {
        name: c.name,
        label: c.label,
        sql_type: c.sql_type,
        nullable: c.nullable,
        unique: c.unique,
        kintone_type: c.kintone_type,
        options: c.options,
    };
    columns.columns.into_iter().map(info).collect()
}

/// An app's table.
pub(super) fn app_info(schema: &str, app: &NamedApp, form: &AppForm, apps: &AppList) -> TableInfo {
    let lookups = form.form.fields.iter().filter_map(|f| {
        let lookup = f.lookup.as_ref()?;
        let there = apps.by_id(lookup.app)?;
        Some(ForeignKey {
            columns: vec![f.code.clone()],
            table: there.name.clone(),
            referenced: vec![lookup.key_field.clone()],
        })
    });
    TableInfo {
        schema: schema.to_owned(),
        name: app.name.clone(),
        kind: TableKind::App,
        app_id: Some(app.app.key.id),
        label: app.app.name.clone(),
        description: plain_text(&app.app.description),
        columns: column_infos(columns(form, None, Tz::UTC)),
        primary_key: vec!["$id".into()],
        foreign_keys: lookups.collect(),
    }
}

/// An app whose form is not known: its key alone.
pub(super) fn unread_info(schema: &str, app: &NamedApp, apps: &AppList) -> TableInfo {
    let form = AppForm { form: Arc::new(Form::default()), scale: 0, by_label: false };
    app_info(schema, app, &form, apps)
}

/// The rows of a table field.
pub(super) fn subtable_info(
    schema: &str,
    app: &NamedApp,
    form: &AppForm,
    code: &str,
    label: &str,
) -> TableInfo {
    TableInfo {
        schema: schema.to_owned(),
        name: format!("{}_{code}", app.name),
        kind: TableKind::Subtable,
        app_id: Some(app.app.key.id),
        label: format!("{} / {label}", app.app.name),
        description: String::new(),
        columns: column_infos(columns(form, Some(code), Tz::UTC)),
        primary_key: vec!["$id".into(), "RowId".into()],
        foreign_keys: vec![ForeignKey {
            columns: vec!["$id".into()],
            table: app.name.clone(),
            referenced: vec!["$id".into()],
        }],
    }
}

/// A table about the connection.
pub(super) fn system_info(schema: &str, table: &crate::table::SystemInfo) -> TableInfo {
    let column = |c: &crate::table::SystemColumn| ColumnInfo {
        name: c.name.to_owned(),
        label: c.name.to_owned(),
        sql_type: c.sql_type(),
        nullable: c.nullable,
        unique: false,
        kintone_type: String::new(),
        options: vec![],
    };
    TableInfo {
        schema: schema.to_owned(),
        name: table.name.to_owned(),
        kind: TableKind::System,
        app_id: None,
        label: table.name.to_owned(),
        description: table.description.to_owned(),
        columns: table.columns.iter().map(column).collect(),
        primary_key: table.key.iter().map(ToString::to_string).collect(),
        foreign_keys: vec![],
    }
}

/// An app's description is HTML; a comment on a table is text.
fn plain_text(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&amp;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_plain_text() {
        assert_eq!(plain_text("<div>顧客&nbsp;の<br>台帳 &lt;A&amp;B&gt;</div>"), "顧客 の 台帳 <A&B>");
    }
}
