//! `pg_index` and `pg_indexes`: the indexes that stand for primary keys and unique fields.

use super::Value;
use super::relation::Builder;
use super::snapshot::{Rule, Snapshot};
use crate::engine::function::definition;

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        let Some(index) = constraint.index() else { continue };
        let columns = i64::try_from(constraint.columns.len()).unwrap_or_default();
        let zeros = || Value::List(vec![Value::Int(0); constraint.columns.len()]);
        out.row([
            ("indexrelid", index.into()),
            ("indrelid", table.oid.into()),
            ("indnatts", columns.into()),
            ("indnkeyatts", columns.into()),
            ("indisunique", true.into()),
            ("indisprimary", matches!(constraint.rule, Rule::Primary(_)).into()),
            ("indimmediate", true.into()),
            ("indisvalid", true.into()),
            ("indisready", true.into()),
            ("indislive", true.into()),
            ("indkey", constraint.columns.clone().into()),
            ("indcollation", zeros()),
            ("indclass", zeros()),
            ("indoption", zeros()),
        ]);
    }
}

pub(super) fn indexes(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        if constraint.index().is_none() {
            continue;
        }
        out.row([
            ("schemaname", table.info.schema.as_str().into()),
            ("tablename", table.info.name.as_str().into()),
            ("indexname", constraint.name.as_str().into()),
            ("indexdef", definition::index(table, constraint).into()),
        ]);
    }
}
