//! `pg_..._is_visible`: whether an unqualified name finds the object.

use super::scalar::Function;
use crate::engine::pg_catalog::{PROCEDURES, Snapshot, TYPES, Value};
use crate::error::Error;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("pg_table_is_visible", "bool", relation),
    Function::strict("pg_type_is_visible", "bool", of_type),
    Function::strict("pg_function_is_visible", "bool", function),
    Function::strict("pg_operator_is_visible", "bool", always),
    Function::strict("pg_opclass_is_visible", "bool", always),
    Function::strict("pg_opfamily_is_visible", "bool", always),
    Function::strict("pg_collation_is_visible", "bool", always),
    Function::strict("pg_conversion_is_visible", "bool", always),
    Function::strict("pg_statistics_obj_is_visible", "bool", always),
    Function::strict("pg_ts_config_is_visible", "bool", always),
    Function::strict("pg_ts_dict_is_visible", "bool", always),
    Function::strict("pg_ts_parser_is_visible", "bool", always),
    Function::strict("pg_ts_template_is_visible", "bool", always),
];

#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn relation(snapshot: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let found = args.first().and_then(Value::int).and_then(|oid| snapshot.relation(oid));
    Ok(found.map(|(namespace, name)| snapshot.shows_relation(namespace, name)).into())
}

/// A type of PostgreSQL's own by its schema, a row type by its table's.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn of_type(snapshot: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let Some(oid) = args.first().and_then(Value::int) else { return Ok(Value::Null) };
    let found = TYPES.get(&oid).map(|found| (found.namespace, found.name)).or_else(|| {
        let mut tables = snapshot.tables.iter();
        let table = tables.find(|table| table.row_type == oid || table.row_array == oid)?;
        Some((table.namespace, table.info.name.as_str()))
    });
    Ok(found.map(|(namespace, name)| snapshot.shows_type(namespace, name)).into())
}

/// All that there are, are in `pg_catalog`.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn function(_: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let oid = args.first().and_then(Value::int).unwrap_or_default();
    Ok(PROCEDURES.contains_key(&oid).then_some(true).map_or(Value::Null, Value::from))
}

/// These objects are all in `pg_catalog`, which every session searches first.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn always(_: &Snapshot, _: &[Value]) -> Result<Value, Error> {
    Ok(true.into())
}
