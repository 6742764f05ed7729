//! `pg_description`: Kintone's names and labels as comments.

use super::builder::Builder;
use super::oid::PG_CLASS;
use super::snapshot::{Snapshot, Table};
use crate::engine::{ColumnInfo, TableKind};

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in &snapshot.tables {
        if !out.may_keep("objoid", &table.oid.into()) {
            continue;
        }
        let columns =
            (1..).zip(&table.info.columns).map(|(number, column)| (number, of_column(table, column)));
        for (number, text) in std::iter::once((0, of_table(table))).chain(columns) {
            let Some(text) = text else { continue };
            out.row([
                ("objoid", table.oid.into()),
                ("classoid", PG_CLASS.into()),
                ("objsubid", number.into()),
                ("description", text.into()),
            ]);
        }
    }
}

/// The comment on a table: its name in Kintone.
pub(crate) fn of_table(table: &Table) -> Option<&str> {
    comment(table, &table.info.label)
}

/// The comment on a column: the field's label.
pub(crate) fn of_column<'a>(table: &Table, column: &'a ColumnInfo) -> Option<&'a str> {
    comment(table, &column.label)
}

/// What the settings define has no name but its own, which needs no comment.
fn comment<'a>(table: &Table, label: &'a str) -> Option<&'a str> {
    let is_of_settings = table.info.app_id.is_none() && table.info.kind != TableKind::System;
    Some(label).filter(|label| !is_of_settings && !label.is_empty())
}
