//! `pg_tables` and `pg_views`.

use super::relation::Builder;
use super::snapshot::{Snapshot, Table};

pub(super) fn tables(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in snapshot.tables.iter().filter(|table| table.kind() == "r") {
        out.row([
            ("schemaname", table.info.schema.as_str().into()),
            ("tablename", table.info.name.as_str().into()),
            ("tableowner", super::pg_roles::owner(snapshot).into()),
            ("hasindexes", (!table.constraints.is_empty()).into()),
            ("hasrules", false.into()),
            ("hastriggers", false.into()),
            ("rowsecurity", false.into()),
        ]);
    }
}

pub(super) fn views(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in snapshot.tables.iter().filter(|table| table.kind() == "v") {
        out.row([
            ("schemaname", table.info.schema.as_str().into()),
            ("viewname", table.info.name.as_str().into()),
            ("viewowner", super::pg_roles::owner(snapshot).into()),
            ("definition", definition(table).into()),
        ]);
    }
}

/// What `pg_get_viewdef` says of a list view: its query is Kintone's, so only the columns can be told.
pub(crate) fn definition(table: &Table) -> String {
    let columns: Vec<_> =
        table.info.columns.iter().map(|column| crate::engine::function::quoted(&column.name)).collect();
    format!(
        " SELECT {}\n   FROM {};",
        columns.join(",\n    "),
        crate::engine::function::quoted(&table.info.name)
    )
}
