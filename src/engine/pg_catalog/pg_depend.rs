//! `pg_depend` and `pg_rewrite`: what hangs on what, and the rule that each view is to PostgreSQL.

use std::collections::HashMap;

use super::Value;
use super::builder::Builder;
use super::oid::{Oids, PG_CLASS, PG_CONSTRAINT, PG_NAMESPACE, PG_REWRITE, PG_TYPE};
use super::pg_tables::definition;
use super::snapshot::{Rule, Snapshot, Table};
use crate::engine::TableKind;

/// An object as `pg_depend` names it: its catalog, its oid, its column.
type Object = (i64, i64, i64);

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    let apps: HashMap<_, _> = snapshot
        .tables
        .iter()
        .filter(|table| table.info.kind == TableKind::App)
        .map(|table| ((table.namespace, table.info.app_id), table))
        .collect();
    for table in &snapshot.tables {
        let own = (PG_CLASS, table.oid, 0);
        row(out, own, (PG_NAMESPACE, table.namespace, 0), "n");
        row(out, (PG_TYPE, table.row_type, 0), own, "i");
        row(out, (PG_TYPE, table.row_array, 0), (PG_TYPE, table.row_type, 0), "i");
        keys(table, out);
        if table.kind() == "v" {
            let rule = (PG_REWRITE, rule(table), 0);
            row(out, rule, own, "i");
            row(out, rule, own, "n");
            let Some(app) = apps.get(&(table.namespace, table.info.app_id)) else { continue };
            let shown = |name: &str| table.info.columns.iter().any(|column| column.name == name);
            for (number, column) in (1..).zip(&app.info.columns) {
                if shown(&column.name) {
                    row(out, rule, (PG_CLASS, app.oid, number), "n");
                }
            }
        }
    }
}

fn keys(table: &Table, out: &mut Builder<'_>) {
    for constraint in &table.constraints {
        let own = (PG_CONSTRAINT, constraint.oid, 0);
        for column in &constraint.columns {
            row(out, own, (PG_CLASS, table.oid, *column), "a");
        }
        match &constraint.rule {
            Rule::Primary(index) | Rule::Unique(index) => row(out, (PG_CLASS, *index, 0), own, "i"),
            Rule::Foreign { table: there, columns, index } => {
                for column in columns {
                    row(out, own, (PG_CLASS, *there, *column), "n");
                }
                if let Some(index) = index {
                    row(out, own, (PG_CLASS, *index, 0), "n");
                }
            }
        }
    }
}

fn row(out: &mut Builder<'_>, of: Object, on: Object, kind: &str) {
    out.row([
        ("classid", of.0.into()),
        ("objid", of.1.into()),
        ("objsubid", of.2.into()),
        ("refclassid", on.0.into()),
        ("refobjid", on.1.into()),
        ("refobjsubid", on.2.into()),
        ("deptype", kind.into()),
    ]);
}

/// The oid of a view's rule.
fn rule(view: &Table) -> i64 {
    Oids::shared().of("w", &view.info.schema, &view.info.name)
}

pub(super) fn rewrites(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for view in snapshot.tables.iter().filter(|table| table.kind() == "v") {
        out.row([
            ("oid", rule(view).into()),
            ("rulename", "_RETURN".into()),
            ("ev_class", view.oid.into()),
            ("ev_type", "1".into()),
            ("ev_enabled", "O".into()),
            ("is_instead", Value::Bool(true)),
            ("ev_qual", "<>".into()),
            ("ev_action", definition(view).into()),
        ]);
    }
}
