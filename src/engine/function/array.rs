//! Bounds and texts of arrays, as PostgreSQL has them.

use super::scalar::Function;
use crate::engine::pg_catalog::{Snapshot, Value};
use crate::error::Error;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("array_upper", "int4", |_, args| Ok(length(args).into())),
    Function::strict("array_lower", "int4", |_, args| Ok(length(args).map(|_| 1).into())),
    Function::lenient("pg_no_oids", "oid[]", |_, _| Ok(Value::List(vec![]))),
    Function::strict("pg_vector_text", "text", vector_text),
];

/// The number of items; NULL for an empty array or a dimension that is not the first.
fn length(args: &[Value]) -> Option<i64> {
    match args {
        [Value::List(items), Value::Int(1)] if !items.is_empty() => i64::try_from(items.len()).ok(),
        _ => None,
    }
}

/// `int2vector` and `oidvector` are shown with blanks between their items.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn vector_text(_: &Snapshot, args: &[Value]) -> Result<Value, Error> {
    Ok(match args.first() {
        Some(Value::List(items)) => items.iter().map(Value::text).collect::<Vec<_>>().join(" ").into(),
        _ => Value::Null,
    })
}
