//! `pg_constraint`: primary keys, unique fields, references.

use super::Value;
use super::relation::Builder;
use super::snapshot::{Rule, Snapshot};

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        let (there, there_columns, action, index) = match &constraint.rule {
            Rule::Primary(index) | Rule::Unique(index) => (0, Value::Null, " ", Some(*index)),
            Rule::Foreign { table, columns, index } => (*table, columns.clone().into(), "a", *index),
        };
        let is_foreign = matches!(constraint.rule, Rule::Foreign { .. });
        out.row([
            ("oid", constraint.oid.into()),
            ("conname", constraint.name.as_str().into()),
            ("connamespace", table.namespace.into()),
            ("contype", constraint.kind().into()),
            ("convalidated", true.into()),
            ("conrelid", table.oid.into()),
            ("conindid", index.unwrap_or_default().into()),
            ("confrelid", there.into()),
            ("confupdtype", action.into()),
            ("confdeltype", action.into()),
            ("confmatchtype", if is_foreign { "s" } else { " " }.into()),
            ("conislocal", true.into()),
            ("connoinherit", true.into()),
            ("conkey", constraint.columns.clone().into()),
            ("confkey", there_columns),
        ]);
    }
}
