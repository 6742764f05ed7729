//! `information_schema`: the standard's views over the same tables.

use super::Value;
use super::relation::Builder;
use super::snapshot::{Rule, Snapshot, Table};
use crate::engine::SqlType;

type Cells = Vec<(&'static str, Value)>;

fn yes(value: bool) -> Value {
    if value { "YES" } else { "NO" }.into()
}

pub(super) fn schemata(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for namespace in &snapshot.namespaces {
        out.row([
            ("catalog_name", snapshot.database.as_str().into()),
            ("schema_name", namespace.name.as_str().into()),
            ("schema_owner", super::pg_roles::owner(snapshot).into()),
        ]);
    }
}

pub(super) fn tables(snapshot: &Snapshot, out: &mut Builder<'_>) {
    let users = snapshot.tables.iter().map(|table| {
        let kind = if table.kind() == "v" { "VIEW" } else { "BASE TABLE" };
        (table.info.schema.as_str(), table.info.name.as_str(), kind)
    });
    let system = snapshot.system.iter().map(|system| {
        let kind = if system.relation.schema == "pg_catalog" { "BASE TABLE" } else { "VIEW" };
        (system.relation.schema, system.relation.name, kind)
    });
    for (schema, name, kind) in users.chain(system) {
        out.row([
            ("table_catalog", snapshot.database.as_str().into()),
            ("table_schema", schema.into()),
            ("table_name", name.into()),
            ("table_type", kind.into()),
            ("is_insertable_into", yes(kind == "BASE TABLE")),
            ("is_typed", yes(false)),
        ]);
    }
}

pub(super) fn views(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in snapshot.tables.iter().filter(|table| table.kind() == "v") {
        out.row(of_table(
            snapshot,
            table,
            [
                ("view_definition", super::pg_tables::definition(table).into()),
                ("check_option", "NONE".into()),
                ("is_updatable", yes(false)),
                ("is_insertable_into", yes(false)),
            ],
        ));
    }
}

fn of_table(
    snapshot: &Snapshot,
    table: &Table,
    more: impl IntoIterator<Item = (&'static str, Value)>,
) -> Cells {
    let mut cells: Cells = vec![
        ("table_catalog", snapshot.database.as_str().into()),
        ("table_schema", table.info.schema.as_str().into()),
        ("table_name", table.info.name.as_str().into()),
    ];
    cells.extend(more);
    cells
}

pub(super) fn columns(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in &snapshot.tables {
        for (number, column) in (1_i64..).zip(&table.info.columns) {
            let mut cells = of_table(
                snapshot,
                table,
                [
                    ("column_name", column.name.as_str().into()),
                    ("ordinal_position", number.into()),
                    ("is_nullable", yes(column.nullable)),
                    ("udt_catalog", snapshot.database.as_str().into()),
                    ("udt_schema", "pg_catalog".into()),
                    ("udt_name", udt(&column.sql_type).into()),
                    ("dtd_identifier", number.to_string().into()),
                    ("is_self_referencing", yes(false)),
                    ("is_identity", yes(false)),
                    ("is_generated", "NEVER".into()),
                    ("is_updatable", yes(table.kind() == "r")),
                ],
            );
            cells.extend(shape(&column.sql_type));
            out.row(cells);
        }
    }
}

/// The standard's name of a type, with the precision that the standard asks for.
fn shape(sql_type: &SqlType) -> Cells {
    let name = match sql_type {
        SqlType::Array(_) => "ARRAY".to_owned(),
        other => other.name(),
    };
    let precision = |bits: i64, radix: i64, scale: Option<i64>| {
        vec![
            ("numeric_precision", bits.into()),
            ("numeric_precision_radix", radix.into()),
            ("numeric_scale", scale.into()),
        ]
    };
    let mut cells: Cells = match sql_type {
        SqlType::Int2 => precision(16, 2, Some(0)),
        SqlType::Int4 => precision(32, 2, Some(0)),
        SqlType::Int8 => precision(64, 2, Some(0)),
        SqlType::Float4 => precision(24, 2, None),
        SqlType::Float8 => precision(53, 2, None),
        SqlType::Numeric => vec![("numeric_precision_radix", Value::Int(10))],
        SqlType::Date => vec![("datetime_precision", Value::Int(0))],
        SqlType::Time | SqlType::Timestamp | SqlType::TimestampTz | SqlType::Interval => {
            vec![("datetime_precision", Value::Int(6))]
        }
        // 1 GiB, PostgreSQL's bound of a text in bytes.
        SqlType::Text | SqlType::Varchar | SqlType::Unknown => {
            vec![("character_octet_length", Value::Int(1 << 30))]
        }
        _ => vec![],
    };
    cells.push(("data_type", name.into()));
    cells
}

/// The type's name in `pg_type`.
fn udt(sql_type: &SqlType) -> String {
    match sql_type {
        SqlType::Array(item) => format!("_{}", udt(item)),
        SqlType::Int2 => "int2".into(),
        SqlType::Int4 => "int4".into(),
        SqlType::Int8 => "int8".into(),
        SqlType::Float4 => "float4".into(),
        SqlType::Float8 => "float8".into(),
        SqlType::Bool => "bool".into(),
        SqlType::Char => "char".into(),
        SqlType::Time => "time".into(),
        SqlType::Timestamp => "timestamp".into(),
        SqlType::TimestampTz => "timestamptz".into(),
        SqlType::Varchar => "varchar".into(),
        SqlType::Bpchar => "bpchar".into(),
        other => other.name(),
    }
}

fn of_constraint(snapshot: &Snapshot, schema: &str, name: &str) -> Cells {
    vec![
        ("constraint_catalog", snapshot.database.as_str().into()),
        ("constraint_schema", schema.into()),
        ("constraint_name", name.into()),
    ]
}

pub(super) fn table_constraints(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        let kind = match constraint.rule {
            Rule::Primary(_) => "PRIMARY KEY",
            Rule::Unique(_) => "UNIQUE",
            Rule::Foreign { .. } => "FOREIGN KEY",
        };
        let mut cells = of_constraint(snapshot, &table.info.schema, &constraint.name);
        cells.extend(of_table(
            snapshot,
            table,
            [
                ("constraint_type", kind.into()),
                ("is_deferrable", yes(false)),
                ("initially_deferred", yes(false)),
                ("enforced", yes(true)),
            ],
        ));
        if matches!(constraint.rule, Rule::Unique(_)) {
            cells.push(("nulls_distinct", yes(true)));
        }
        out.row(cells);
    }
}

pub(super) fn key_column_usage(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        for (position, number) in (1_i64..).zip(&constraint.columns) {
            let foreign = matches!(constraint.rule, Rule::Foreign { .. });
            let mut cells = of_constraint(snapshot, &table.info.schema, &constraint.name);
            cells.extend(of_table(
                snapshot,
                table,
                [
                    ("column_name", table.column(*number).into()),
                    ("ordinal_position", position.into()),
                    ("position_in_unique_constraint", foreign.then_some(position).into()),
                ],
            ));
            out.row(cells);
        }
    }
}

pub(super) fn constraint_column_usage(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        let (owner, columns) = match &constraint.rule {
            Rule::Foreign { table, columns, .. } => (snapshot.table(*table), columns),
            Rule::Primary(_) | Rule::Unique(_) => (Some(table), &constraint.columns),
        };
        let Some(owner) = owner else { continue };
        for number in columns {
            let mut cells = of_constraint(snapshot, &table.info.schema, &constraint.name);
            cells.extend(of_table(snapshot, owner, [("column_name", owner.column(*number).into())]));
            out.row(cells);
        }
    }
}

pub(super) fn referential_constraints(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        let Rule::Foreign { index, .. } = constraint.rule else { continue };
        let key = index.and_then(|index| snapshot.index(index));
        let mut cells = of_constraint(snapshot, &table.info.schema, &constraint.name);
        cells.extend([
            ("unique_constraint_catalog", key.map(|_| snapshot.database.as_str()).into()),
            ("unique_constraint_schema", key.map(|(table, _)| table.info.schema.as_str()).into()),
            ("unique_constraint_name", key.map(|(_, key)| key.name.as_str()).into()),
            ("match_option", "NONE".into()),
            ("update_rule", "NO ACTION".into()),
            ("delete_rule", "NO ACTION".into()),
        ]);
        out.row(cells);
    }
}
