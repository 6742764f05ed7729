//! `has_..._privilege`: what the user sees in the catalog, the user may read.

use super::scalar::Function;
use crate::engine::pg_catalog::{Snapshot, Value};
use crate::error::Error;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("has_table_privilege", "bool", granted),
    Function::strict("has_column_privilege", "bool", granted),
    Function::strict("has_any_column_privilege", "bool", granted),
    Function::strict("has_schema_privilege", "bool", granted_unless_create),
    Function::strict("has_database_privilege", "bool", granted_unless_create),
    Function::strict("has_function_privilege", "bool", granted),
    Function::strict("has_type_privilege", "bool", granted),
    Function::strict("has_sequence_privilege", "bool", granted),
    Function::strict("has_tablespace_privilege", "bool", granted_unless_create),
    Function::strict("has_language_privilege", "bool", granted),
    Function::strict("has_server_privilege", "bool", granted),
    Function::strict("has_foreign_data_wrapper_privilege", "bool", granted),
    Function::strict("pg_has_role", "bool", granted),
    Function::lenient("acldefault", "text[]", |_, _| Ok(Value::Null)),
];

#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn granted(_: &Snapshot, _: &[Value]) -> Result<Value, Error> {
    Ok(true.into())
}

/// Nobody makes schemas, tables or temporary tables here.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn granted_unless_create(_: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    let asked = args.last().map(Value::text).unwrap_or_default().to_ascii_uppercase();
    Ok((!asked.contains("CREATE") && !asked.contains("TEMP")).into())
}
