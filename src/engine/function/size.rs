//! Sizes: Kintone tells none, so every object has 0 bytes.

use super::scalar::Function;
use crate::engine::pg_catalog::{Snapshot, Value};
use crate::error::Error;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("pg_relation_size", "int8", zero),
    Function::strict("pg_table_size", "int8", zero),
    Function::strict("pg_indexes_size", "int8", zero),
    Function::strict("pg_total_relation_size", "int8", zero),
    Function::strict("pg_database_size", "int8", zero),
    Function::strict("pg_tablespace_size", "int8", zero),
    Function::strict("pg_stat_get_numscans", "int8", zero),
    Function::strict("pg_tablespace_location", "text", |_, _| Ok("".into())),
    Function::strict("pg_relation_filenode", "oid", |_, _| Ok(Value::Null)),
    Function::strict("pg_size_pretty", "text", |_, args| {
        Ok(args.first().and_then(Value::int).map(pretty).into())
    }),
];

#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn zero(_: &Snapshot, _: &[Value]) -> Result<Value, Error> {
    Ok(Value::Int(0))
}

/// A size in the largest unit that leaves fewer than 10,240 of it, rounded half up.
fn pretty(bytes: i64) -> String {
    const LIMIT: i64 = 10 * 1024;
    if bytes.abs() < LIMIT {
        return format!("{bytes} bytes");
    }
    // One bit more than the unit, for rounding.
    let mut size = bytes >> 9;
    let units = ["kB", "MB", "GB", "TB", "PB"];
    for (unit, last) in units.iter().zip([false, false, false, false, true]) {
        if last || size.abs() < 2 * LIMIT - 1 {
            return format!("{} {unit}", (size + size.signum()) / 2);
        }
        size >>= 10;
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_in_postgresql() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (20_971_520, "20 MB"),
            (1_073_741_824, "1024 MB"),
            (12_345_678_901, "11 GB"),
        ] {
            assert_eq!(pretty(bytes), text);
        }
    }
}
