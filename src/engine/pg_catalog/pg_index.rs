//! `pg_index` and `pg_indexes`: the indexes that stand for primary keys and unique fields.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::builder::Builder;
use super::oid::BTREE;
use super::pg_type::{TYPES, type_oid};
use super::rows;
use super::snapshot::{Rule, Snapshot};
use crate::engine::SqlType;
use crate::engine::function::definition;

pub(super) fn rows(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        let Some(index) = constraint.index() else { continue };
        let columns = i64::try_from(constraint.columns.len()).unwrap_or_default();
        let infos = || constraint.columns.iter().filter_map(|number| table.column_info(*number));
        let classes = infos().map(|c| operator_class(&c.sql_type).map_or(0, |class| class.oid));
        let collations =
            infos().map(|c| TYPES.get(&type_oid(&c.sql_type)).map_or(0, |found| found.collation));
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
            ("indcollation", collations.collect::<Vec<i64>>().into()),
            ("indclass", classes.collect::<Vec<i64>>().into()),
            ("indoption", vec![0_i64; constraint.columns.len()].into()),
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

/// How an index of the access method `btree` compares values of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OperatorClass {
    /// In `pg_opclass`.
    pub(super) oid: i64,
    /// The operator `=`, in `pg_operator`.
    pub(super) equality: i64,
}

/// The default operator classes by type.
static CLASSES: LazyLock<HashMap<i64, OperatorClass>> = LazyLock::new(|| {
    let classes = numbers(
        include_str!("../../../sql/pg_catalog/pg_opclass.tsv"),
        ["oid", "opcmethod", "opcfamily", "opcintype"],
        Some("opcdefault"),
    );
    let members = numbers(
        include_str!("../../../sql/pg_catalog/pg_amop.tsv"),
        ["amopfamily", "amoplefttype", "amoprighttype", "amopopr"],
        None,
    );
    // Strategy 3 of btree is equality, but a family has one operator of it for each pair of types.
    let strategies = numbers(
        include_str!("../../../sql/pg_catalog/pg_amop.tsv"),
        ["amopstrategy", "amopmethod", "amopopr", "amopopr"],
        None,
    );
    let equal: HashMap<(i64, i64), i64> = members
        .iter()
        .zip(&strategies)
        .filter(|([_, left, right, _], [strategy, method, _, _])| {
            left == right && *strategy == 3 && *method == BTREE
        })
        .map(|([family, left, _, operator], _)| ((*family, *left), *operator))
        .collect();
    classes
        .into_iter()
        .filter(|[_, method, _, _]| *method == BTREE)
        .map(|[oid, _, family, of]| {
            let equality = equal.get(&(family, of)).copied().unwrap_or_default();
            (of, OperatorClass { oid, equality })
        })
        .collect()
});

/// Four columns of a list as numbers, of the rows where a fifth is true.
fn numbers(list: &'static str, columns: [&str; 4], only: Option<&str>) -> Vec<[i64; 4]> {
    let (names, rows) = rows::read(list);
    let place = |name: &str| names.iter().position(|known| *known == name).unwrap_or_default();
    let places = columns.map(place);
    let only = only.map(place);
    let cell = |row: &[Option<&'static str>], place: usize| row.get(place).copied().flatten();
    rows.iter()
        .filter(|row| only.is_none_or(|place| cell(row, place) == Some("t")))
        .map(|row| places.map(|p| cell(row, p).and_then(|text| text.parse().ok()).unwrap_or_default()))
        .collect()
}

/// The default operator class for columns of a type.
pub(super) fn operator_class(sql_type: &SqlType) -> Option<OperatorClass> {
    // anyarray's class compares arrays of every type.
    let of = if matches!(sql_type, SqlType::Array(_)) { 2277 } else { type_oid(sql_type) };
    CLASSES.get(&of).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_compared_as_in_postgresql() {
        let class = |t: SqlType| operator_class(&t).map(|class| (class.oid, class.equality));
        assert_eq!(class(SqlType::Int8), Some((3124, 410)));
        assert_eq!(class(SqlType::Text), Some((3126, 98)));
        assert_eq!(class(SqlType::Numeric), Some((3125, 1752)));
    }
}
