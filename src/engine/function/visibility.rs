//! `pg_..._is_visible`: whether an unqualified name finds the object.

use super::scalar::Function;
use crate::engine::pg_catalog::{Snapshot, Value};
use crate::error::Error;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("pg_table_is_visible", "bool", relation),
    Function::strict("pg_type_is_visible", "bool", always),
    Function::strict("pg_function_is_visible", "bool", always),
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

fn relation(snapshot: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let found = args.first().and_then(Value::int).and_then(|oid| snapshot.relation(oid));
    Ok(found.map(|(namespace, _)| snapshot.is_visible(namespace)).into())
}

/// These objects are all in `pg_catalog`, which every session searches first.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn always(_: &Snapshot, _: &[Value]) -> Result<Value, Error> {
    Ok(true.into())
}
