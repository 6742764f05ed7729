//! The schemas `pg_catalog` and `information_schema`, as PostgreSQL 15 has them, over the live tables.
//!
//! Takes: what the engine knows of schemas, tables, users and settings ([`CatalogSource`]).
//! Gives: the relations of both as DataFusion tables, and the snapshot that the SQL functions of the catalog read.
//! A relation is a line in a list of `sql/pg_catalog` (name and columns) and, when it has rows, a line in
//! `relation.rs` that says where they come from: a function over the snapshot, or a list that never changes.
//! Absent on purpose: any knowledge of Kintone, any text of a client, any write.

mod builder;
mod column;
mod information_schema;
mod information_type;
mod live;
mod oid;
mod pg_attribute;
mod pg_class;
mod pg_constraint;
mod pg_database;
mod pg_depend;
mod pg_description;
mod pg_index;
mod pg_namespace;
mod pg_proc;
mod pg_roles;
mod pg_settings;
mod pg_stat;
mod pg_tables;
mod pg_timezone;
mod pg_type;
mod privilege;
mod relation;
mod rows;
mod search_path;
mod snapshot;
mod source;
mod table;
mod value;

use std::sync::Arc;

use datafusion::catalog::TableProvider;

pub(crate) use column::typed;
pub(crate) use live::Catalog;
pub(crate) use oid::{FIRST_USER, Oids, PG_CATALOG};
pub(crate) use pg_description::{of_column as column_comment, of_table as table_comment};
pub(crate) use pg_proc::{PROCEDURES, Procedure, named as procedure_named};
pub(crate) use pg_roles::roles;
pub(crate) use pg_tables::definition as view_definition;
pub(crate) use pg_type::{TYPES, named as type_named, type_oid};
pub(crate) use relation::{RELATIONS, Relation};
pub(crate) use snapshot::{Constraint, Namespace, Rule, Schema, Snapshot, Table};
pub(crate) use source::CatalogSource;
pub(crate) use value::Value;

/// A relation of `pg_catalog` or `information_schema`, as a table of a session.
pub(crate) fn table(catalog: &Arc<Catalog>, schema: &str, name: &str) -> Option<Arc<dyn TableProvider>> {
    let relation = Relation::find(schema, name)?;
    Some(Arc::new(table::CatalogTable::new(relation, catalog)))
}

/// Whether a table is a relation of the catalog: its rows are those that a session sees.
pub(crate) fn is_relation(table: &dyn TableProvider) -> bool {
    table.downcast_ref::<table::CatalogTable>().is_some()
}

/// Whether an unqualified name is a relation of `pg_catalog`, which PostgreSQL searches before any other schema.
pub(crate) fn is_catalog_table(name: &str) -> bool {
    Relation::find("pg_catalog", name).is_some()
}
