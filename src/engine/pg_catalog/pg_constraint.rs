//! `pg_constraint`: primary keys, unique fields, references.

use super::Value;
use super::builder::Builder;
use super::pg_index::operator_class;
use super::snapshot::{Rule, Snapshot, Table};

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        let (there, there_columns, action, index) = match &constraint.rule {
            Rule::Primary(index) | Rule::Unique(index) => (0, Value::Null, " ", Some(*index)),
            Rule::Foreign { table, columns, index } => (*table, columns.clone().into(), "a", *index),
        };
        let operators = || equality(table, &constraint.columns);
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
            ("conpfeqop", is_foreign.then(operators).into()),
            ("conppeqop", is_foreign.then(operators).into()),
            ("conffeqop", is_foreign.then(operators).into()),
        ]);
    }
}

/// The operators that compare values of the columns.
fn equality(table: &Table, columns: &[i64]) -> Vec<i64> {
    let operator = |number: &i64| {
        let column = table.column_info(*number)?;
        Some(operator_class(&column.sql_type)?.equality)
    };
    columns.iter().map(|number| operator(number).unwrap_or_default()).collect()
}
