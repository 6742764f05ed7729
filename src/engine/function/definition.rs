//! `pg_get_...def`: the SQL that would make an object.

use super::registered::relation_oid;
use super::scalar::Function;
use super::text::quote_ident;
use super::type_name::{sql_name, type_text};
use crate::engine::pg_catalog::{
    Constraint, PROCEDURES, Procedure, Rule, Snapshot, Table, Value, view_definition,
};
use crate::error::Error;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("pg_get_constraintdef", "text", |snapshot, args| {
        let found = args.first().and_then(Value::int).and_then(|oid| snapshot.constraint(oid));
        Ok(found.map(|(table, constraint)| constraint_text(snapshot, table, constraint)).into())
    }),
    Function::strict("pg_get_indexdef", "text", indexdef),
    Function::strict("pg_get_viewdef", "text", |snapshot, args| {
        let view = args.first().unwrap_or(&Value::Null);
        let oid = view.int().or_else(|| relation_oid(snapshot, &view.text()));
        let table = oid.and_then(|oid| snapshot.table(oid));
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
    Function::strict("pg_get_function_sqlbody", "text", nothing),
    Function::strict("pg_get_function_result", "text", |_, args| {
        let found = args.first().and_then(Value::int).and_then(|oid| PROCEDURES.get(&oid));
        Ok(found
            .map(|procedure| {
                let set = if procedure.is_set { "SETOF " } else { "" };
                format!("{set}{}", type_text(procedure.returns))
            })
            .into())
    }),
    Function::strict("pg_get_function_arguments", "text", arguments),
    Function::strict("pg_get_function_identity_arguments", "text", arguments),
    Function::strict("pg_get_function_arg_default", "text", nothing),
    Function::strict("pg_get_partition_constraintdef", "text", nothing),
    Function::strict("pg_describe_object", "text", describe),
    Function::strict("oidvectortypes", "text", |snapshot, args| {
        let Some(Value::List(types)) = args.first() else { return Ok(Value::Null) };
        let name = |oid: &Value| sql_name(snapshot, oid.int().unwrap_or_default(), None);
        Ok(types.iter().map(name).collect::<Vec<_>>().join(", ").into())
    }),
    Function::strict("pg_relation_is_updatable", "int4", |_, _| Ok(Value::Int(0))),
    Function::strict("pg_column_is_updatable", "bool", |_, _| Ok(false.into())),
    Function::strict("pg_get_replica_identity_index", "regclass", |_, _| Ok(Value::Null)),
    Function::strict("pg_index_has_property", "bool", |_, _| Ok(Value::Null)),
    Function::strict("pg_indexam_has_property", "bool", |_, _| Ok(Value::Null)),
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

/// The types that a function takes.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn arguments(_: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let found = args.first().and_then(Value::int).and_then(|oid| PROCEDURES.get(&oid));
    let types = |procedure: &Procedure| {
        procedure.takes.iter().map(|oid| type_text(*oid)).collect::<Vec<_>>().join(", ")
    };
    Ok(found.map(types).into())
}

/// An object of `pg_depend` in words.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn describe(snapshot: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let number = |place: usize| args.get(place).and_then(Value::int).unwrap_or_default();
    let (class, oid, column) = (number(0), number(1), number(2));
    let relation = || {
        let (_, name) = snapshot.relation(oid)?;
        let kind = match snapshot.table(oid) {
            Some(table) if table.kind() == "v" => "view",
            None if snapshot.index(oid).is_some() => "index",
            _ => "table",
        };
        let whole = format!("{kind} {}", quote_ident(name));
        let of_column = snapshot.table(oid).and_then(|table| table.column(column));
        Some(of_column.map_or(whole.clone(), |name| format!("column {} of {whole}", quote_ident(name))))
    };
    let constraint = || {
        let (table, key) = snapshot.constraint(oid)?;
        Some(format!("constraint {} on table {}", quote_ident(&key.name), quote_ident(&table.info.name)))
    };
    Ok(match snapshot.class_name(class) {
        Some("pg_class") => relation(),
        Some("pg_constraint") => constraint(),
        Some("pg_namespace") => snapshot.namespace(oid).map(|name| format!("schema {}", quote_ident(name))),
        Some("pg_type") => Some(format!("type {}", sql_name(snapshot, oid, None))),
        _ => None,
    }
    .into())
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
                if snapshot.shows_relation(there.namespace, &there.info.name) {
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
