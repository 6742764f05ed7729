//! `information_schema`: the standard's views over the same tables.

use super::Value;
use super::builder::Builder;
use super::information_type::{described, element};
use super::pg_type::{TYPES, type_oid};
use super::snapshot::{Rule, Snapshot, Table};
use crate::engine::function::quoted;

pub(super) type Cells = Vec<(&'static str, Value)>;

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
        let kind = if system.relation.kind == "r" { "BASE TABLE" } else { "VIEW" };
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
                ("is_trigger_updatable", yes(false)),
                ("is_trigger_deletable", yes(false)),
                ("is_trigger_insertable_into", yes(false)),
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
        let (schema, name) = (table.info.schema.as_str(), table.info.name.as_str());
        if !out.may_keep("table_name", &name.into()) {
            continue;
        }
        let is_table = table.kind() == "r";
        for (number, column) in (1..).zip(&table.info.columns) {
            let nullable = column.nullable || !is_table;
            let type_oid = type_oid(&column.sql_type);
            let shape = Shape { name: &column.name, number, type_oid, nullable, is_updatable: is_table };
            column_row(snapshot, (schema, name), &shape, out);
        }
    }
    for relation in snapshot.system.iter().map(|system| system.relation) {
        if !out.may_keep("table_name", &relation.name.into()) {
            continue;
        }
        for (number, column) in (1..).zip(&relation.columns) {
            let nullable = !column.not_null;
            let (name, type_oid, is_updatable) = (column.name, column.type_oid, relation.kind == "r");
            let shape = Shape { name, number, type_oid, nullable, is_updatable };
            column_row(snapshot, (relation.schema, relation.name), &shape, out);
        }
    }
}

/// What the standard tells of a column.
struct Shape<'a> {
    name: &'a str,
    number: i64,
    type_oid: i64,
    nullable: bool,
    is_updatable: bool,
}

fn column_row(snapshot: &Snapshot, of: (&str, &str), column: &Shape<'_>, out: &mut Builder<'_>) {
    let (schema, table) = of;
    let cells = [
        ("table_catalog", snapshot.database.as_str().into()),
        ("table_schema", schema.into()),
        ("table_name", table.into()),
        ("column_name", column.name.into()),
        ("ordinal_position", column.number.into()),
        ("is_nullable", yes(column.nullable)),
        ("dtd_identifier", column.number.to_string().into()),
        ("is_self_referencing", yes(false)),
        ("is_identity", yes(false)),
        ("identity_cycle", yes(false)),
        ("is_generated", "NEVER".into()),
        ("is_updatable", yes(column.is_updatable)),
    ];
    out.row(cells.into_iter().chain(described(snapshot, column.type_oid)));
}

pub(super) fn element_types(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for table in &snapshot.tables {
        for (number, column) in (1_i64..).zip(&table.info.columns) {
            let Some(item) = element(type_oid(&column.sql_type)) else { continue };
            let cells = [
                ("object_catalog", snapshot.database.as_str().into()),
                ("object_schema", table.info.schema.as_str().into()),
                ("object_name", table.info.name.as_str().into()),
                ("object_type", if table.kind() == "v" { "VIEW" } else { "TABLE" }.into()),
                ("collection_type_identifier", number.to_string().into()),
                ("dtd_identifier", format!("a{number}").into()),
            ];
            let names = described(snapshot, item).into_iter();
            let names = names
                .filter(|(name, _)| matches!(*name, "data_type" | "udt_catalog" | "udt_schema" | "udt_name"));
            out.row(cells.into_iter().chain(names));
        }
    }
}

/// The domains of `information_schema` itself.
pub(super) fn domains(snapshot: &Snapshot, out: &mut Builder<'_>) {
    let mut domains: Vec<_> = TYPES.iter().filter(|(_, found)| found.base != 0).collect();
    domains.sort_by_key(|(oid, _)| **oid);
    for (oid, found) in domains {
        let cells = described(snapshot, *oid);
        out.row(
            cells.into_iter().chain([("domain_name", found.name.into()), ("dtd_identifier", "1".into())]),
        );
    }
}

pub(super) fn catalog_name(snapshot: &Snapshot, out: &mut Builder<'_>) {
    out.row([("catalog_name", snapshot.database.as_str().into())]);
}

pub(super) fn character_sets(snapshot: &Snapshot, out: &mut Builder<'_>) {
    out.row([
        ("character_set_name", "UTF8".into()),
        ("character_repertoire", "UCS".into()),
        ("form_of_use", "UTF8".into()),
        ("default_collate_catalog", snapshot.database.as_str().into()),
        ("default_collate_schema", "pg_catalog".into()),
        ("default_collate_name", "C".into()),
    ]);
}

pub(super) fn collations(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for name in ["default", "C", "POSIX", "ucs_basic"] {
        out.row([
            ("collation_catalog", snapshot.database.as_str().into()),
            ("collation_schema", "pg_catalog".into()),
            ("collation_name", name.into()),
            ("pad_attribute", "NO PAD".into()),
        ]);
    }
}

/// To the standard a column that is not NULL has a check.
fn not_null(snapshot: &Snapshot) -> impl Iterator<Item = (&Table, String, &str)> {
    let tables = snapshot.tables.iter().filter(|table| table.kind() == "r");
    tables.flat_map(|table| {
        let columns = (1..).zip(&table.info.columns).filter(|(_, column)| !column.nullable);
        columns.map(move |(number, column): (i64, _)| {
            let name = format!("{}_{}_{number}_not_null", table.namespace, table.oid);
            (table, name, column.name.as_str())
        })
    })
}

pub(super) fn check_constraints(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, name, column) in not_null(snapshot) {
        let mut cells = of_constraint(snapshot, &table.info.schema, &name);
        cells.push(("check_clause", format!("{} IS NOT NULL", quoted(column)).into()));
        out.row(cells);
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
    for (table, name, _) in not_null(snapshot) {
        let mut cells = of_constraint(snapshot, &table.info.schema, &name);
        cells.extend(of_table(
            snapshot,
            table,
            [
                ("constraint_type", "CHECK".into()),
                ("is_deferrable", yes(false)),
                ("initially_deferred", yes(false)),
                ("enforced", yes(true)),
            ],
        ));
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

pub(super) fn constraint_table_usage(snapshot: &Snapshot, out: &mut Builder<'_>) {
    for (table, constraint) in snapshot.constraints() {
        let owner = match constraint.rule {
            Rule::Foreign { table, .. } => snapshot.table(table),
            Rule::Primary(_) | Rule::Unique(_) => Some(table),
        };
        let Some(owner) = owner else { continue };
        let mut cells = of_constraint(snapshot, &table.info.schema, &constraint.name);
        cells.extend(of_table(snapshot, owner, []));
        out.row(cells);
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
