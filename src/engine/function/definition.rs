//! `pg_get_...def`: the SQL that would make an object.

use super::scalar::Function;
use super::text::quote_ident;
use crate::engine::pg_catalog::{Constraint, Rule, Snapshot, Table, Value, view_definition};
use crate::error::Error;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("pg_get_constraintdef", "text", |snapshot, args| {
        let found = args.first().and_then(Value::int).and_then(|oid| snapshot.constraint(oid));
        Ok(found.map(|(table, constraint)| constraint_text(snapshot, table, constraint)).into())
    }),
    Function::strict("pg_get_indexdef", "text", indexdef),
    Function::strict("pg_get_viewdef", "text", |snapshot, args| {
        let table = args.first().and_then(Value::int).and_then(|oid| snapshot.table(oid));
        Ok(table.filter(|table| table.kind() == "v").map(view_definition).into())
    }),
    // No column has a default, no index a predicate: there is no expression to print.
    Function::strict("pg_get_expr", "text", |_, args| Ok(args.first().cloned().unwrap_or(Value::Null))),
    Function::strict("pg_get_ruledef", "text", nothing),
    Function::strict("pg_get_triggerdef", "text", nothing),
    Function::strict("pg_get_partkeydef", "text", nothing),
    Function::strict("pg_get_statisticsobjdef", "text", nothing),
    Function::strict("pg_get_statisticsobjdef_columns", "text", nothing),
    Function::strict("pg_get_serial_sequence", "text", nothing),
    Function::strict("pg_get_functiondef", "text", nothing),
    Function::strict("pg_get_function_result", "text", nothing),
    Function::strict("pg_get_function_arguments", "text", nothing),
    Function::strict("pg_get_function_identity_arguments", "text", nothing),
    Function::strict("pg_get_function_sqlbody", "text", nothing),
    Function::strict("pg_describe_object", "text", nothing),
    Function::strict("pg_index_column_has_property", "bool", |_, _| Ok(Value::Null)),
    Function::strict("pg_relation_is_publishable", "bool", |snapshot, args| {
        let table = args.first().and_then(Value::int).and_then(|oid| snapshot.table(oid));
        Ok(table.map(|table| table.kind() == "r").into())
    }),
];

#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn nothing(_: &Snapshot, _: &[Value]) -> Result<Value, Error> {
    Ok(Value::Null)
}

/// With one argument or a column of 0, the whole statement; else the name of that column of the index.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn indexdef(snapshot: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let Some((table, constraint)) = args.first().and_then(Value::int).and_then(|oid| snapshot.index(oid))
    else {
        return Ok(Value::Null);
    };
    let position = args.get(1).and_then(Value::int).unwrap_or_default();
    if position == 0 {
        return Ok(index(table, constraint).into());
    }
    let number = usize::try_from(position - 1).ok().and_then(|position| constraint.columns.get(position));
    Ok(number.and_then(|number| table.column(*number)).map(quote_ident).into())
}

/// `CREATE UNIQUE INDEX ...`.
pub(crate) fn index(table: &Table, constraint: &Constraint) -> String {
    format!(
        "CREATE UNIQUE INDEX {} ON {}.{} USING btree ({})",
        quote_ident(&constraint.name),
        quote_ident(&table.info.schema),
        quote_ident(&table.info.name),
        columns(table, &constraint.columns)
    )
}

fn constraint_text(snapshot: &Snapshot, table: &Table, constraint: &Constraint) -> String {
    let here = columns(table, &constraint.columns);
    match &constraint.rule {
        Rule::Primary(_) => format!("PRIMARY KEY ({here})"),
        Rule::Unique(_) => format!("UNIQUE ({here})"),
        Rule::Foreign { table, columns: numbers, .. } => {
            let there = snapshot.table(*table);
            let name = there.map(|there| {
                let name = quote_ident(&there.info.name);
                if snapshot.is_visible(there.namespace) {
                    name
                } else {
                    format!("{}.{name}", quote_ident(&there.info.schema))
                }
            });
            let there = there.map(|there| columns(there, numbers)).unwrap_or_default();
            format!("FOREIGN KEY ({here}) REFERENCES {}({there})", name.unwrap_or_default())
        }
    }
}

fn columns(table: &Table, numbers: &[i64]) -> String {
    let names: Vec<_> = numbers.iter().filter_map(|number| table.column(*number)).map(quote_ident).collect();
    names.join(", ")
}
