//! `pg_description`: Kintone's names and labels as comments.

use super::oid::PG_CLASS;
use super::relation::Builder;
use super::snapshot::{Snapshot, Table};

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in &snapshot.tables {
        let columns =
            (1..).zip(&table.info.columns).map(|(number, column)| (number, Some(column.label.as_str())));
        let comments = std::iter::once((0, of_table(table))).chain(columns);
        for (number, text) in comments {
            let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
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
    Some(table.info.label.as_str()).filter(|label| !label.is_empty())
}
