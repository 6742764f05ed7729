//! `pg_tables` and `pg_views`.

use super::builder::Builder;
use super::snapshot::{Snapshot, Table};
use crate::engine::function::quoted;

pub(super) fn tables(snapshot: &Snapshot, out: &mut Builder<'_>) {
    let users = snapshot.tables.iter().filter(|table| table.kind() == "r").map(|table| {
        let has_index = table.constraints.iter().any(|constraint| constraint.index().is_some());
        (table.info.schema.as_str(), table.info.name.as_str(), has_index)
    });
    let system = snapshot.system.iter().map(|system| system.relation).filter(|relation| relation.kind == "r");
    let system = system.map(|relation| (relation.schema, relation.name, false));
    for (schema, name, has_index) in users.chain(system) {
        out.row([
            ("schemaname", schema.into()),
            ("tablename", name.into()),
            ("tableowner", super::pg_roles::owner(snapshot).into()),
            ("hasindexes", has_index.into()),
            ("hasrules", false.into()),
            ("hastriggers", false.into()),
            ("rowsecurity", false.into()),
        ]);
    }
}

pub(super) fn views(snapshot: &Snapshot, out: &mut Builder<'_>) {
    let users = snapshot.tables.iter().filter(|table| table.kind() == "v");
    let users = users.map(|table| (table.info.schema.as_str(), table.info.name.as_str(), definition(table)));
    let system = snapshot.system.iter().map(|system| system.relation).filter(|relation| relation.kind == "v");
    let system = system.map(|relation| {
        let columns = relation.columns.iter().map(|column| column.name);
        (relation.schema, relation.name, listing(relation.name, columns))
    });
    for (schema, name, definition) in users.chain(system) {
        out.row([
            ("schemaname", schema.into()),
            ("viewname", name.into()),
            ("viewowner", super::pg_roles::owner(snapshot).into()),
            ("definition", definition.into()),
        ]);
    }
}

/// What `pg_get_viewdef` says of a view: the query that the settings have for it. A list view's query is Kintone's, so
/// only the columns can be told.
pub(crate) fn definition(table: &Table) -> String {
    let query = table.info.description.trim().trim_end_matches(';').trim_end();
    if table.info.app_id.is_none() && !query.is_empty() {
        return format!(" {query};");
    }
    listing(&table.info.name, table.info.columns.iter().map(|column| column.name.as_str()))
}

fn listing<'a>(relation: &str, columns: impl Iterator<Item = &'a str>) -> String {
    let columns: Vec<_> = columns.map(quoted).collect();
    format!(" SELECT {}\n   FROM {};", columns.join(",\n    "), quoted(relation))
}
