//! Every relation of the two catalog schemas: its columns, and where its rows come from.

use std::sync::{Arc, LazyLock, OnceLock};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::error::Result;

use super::builder::Builder;
use super::column::{Column, relations};
use super::snapshot::Snapshot;
use super::{
    information_schema, pg_attribute, pg_class, pg_constraint, pg_database, pg_depend, pg_description,
    pg_index, pg_namespace, pg_roles, pg_settings, pg_stat, pg_tables, pg_timezone, pg_type, privilege,
};

/// Names, kinds, oids and columns of `pg_catalog`, from PostgreSQL 15.
pub(super) const PG_CATALOG: &str = include_str!("../../../sql/pg_catalog/pg_catalog.txt");
/// Names, kinds, oids and columns of `information_schema`, from PostgreSQL 15.
pub(super) const INFORMATION_SCHEMA: &str = include_str!("../../../sql/pg_catalog/information_schema.txt");

/// Where rows come from.
#[derive(Debug, Clone, Copy)]
enum Rows {
    /// From the live tables.
    Live(fn(&Snapshot, &mut Builder<'_>)),
    /// From a list that never changes: a head line with column names, then a line for each row.
    Constant(&'static str),
    /// From both.
    Both(&'static str, fn(&Snapshot, &mut Builder<'_>)),
}

macro_rules! list {
    ($name:literal) => {
        Rows::Constant(include_str!(concat!("../../../sql/pg_catalog/", $name, ".tsv")))
    };
}

/// The relations of `pg_catalog` that have rows; every other relation of its list is there, and empty.
const PG_CATALOG_ROWS: &[(&str, Rows)] = &[
    ("pg_aggregate", list!("pg_aggregate")),
    ("pg_am", list!("pg_am")),
    ("pg_amop", list!("pg_amop")),
    ("pg_amproc", list!("pg_amproc")),
    ("pg_attribute", Rows::Live(pg_attribute::rows)),
    ("pg_authid", Rows::Live(pg_roles::rows)),
    ("pg_available_extensions", Rows::Live(pg_stat::available_extensions)),
    ("pg_cast", list!("pg_cast")),
    ("pg_class", Rows::Live(pg_class::rows)),
    ("pg_collation", list!("pg_collation")),
    ("pg_constraint", Rows::Live(pg_constraint::rows)),
    ("pg_conversion", list!("pg_conversion")),
    ("pg_database", Rows::Live(pg_database::rows)),
    ("pg_depend", Rows::Live(pg_depend::rows)),
    ("pg_description", Rows::Live(pg_description::rows)),
    ("pg_extension", list!("pg_extension")),
    ("pg_get_keywords", list!("pg_get_keywords")),
    ("pg_index", Rows::Live(pg_index::rows)),
    ("pg_indexes", Rows::Live(pg_index::indexes)),
    ("pg_language", list!("pg_language")),
    ("pg_namespace", Rows::Live(pg_namespace::rows)),
    ("pg_opclass", list!("pg_opclass")),
    ("pg_operator", list!("pg_operator")),
    ("pg_opfamily", list!("pg_opfamily")),
    ("pg_proc", list!("pg_proc")),
    ("pg_range", list!("pg_range")),
    ("pg_rewrite", Rows::Live(pg_depend::rewrites)),
    ("pg_roles", Rows::Live(pg_roles::rows)),
    ("pg_settings", Rows::Live(pg_settings::rows)),
    ("pg_shadow", Rows::Live(pg_roles::users)),
    ("pg_stat_activity", Rows::Live(pg_stat::activity)),
    ("pg_stat_all_indexes", Rows::Live(pg_stat::indexes)),
    ("pg_stat_all_tables", Rows::Live(pg_stat::tables)),
    ("pg_stat_database", Rows::Live(pg_stat::databases)),
    ("pg_stat_user_indexes", Rows::Live(pg_stat::indexes)),
    ("pg_stat_user_tables", Rows::Live(pg_stat::tables)),
    ("pg_statio_all_indexes", Rows::Live(pg_stat::indexes)),
    ("pg_statio_all_tables", Rows::Live(pg_stat::tables)),
    ("pg_statio_user_indexes", Rows::Live(pg_stat::indexes)),
    ("pg_statio_user_tables", Rows::Live(pg_stat::tables)),
    ("pg_tables", Rows::Live(pg_tables::tables)),
    ("pg_tablespace", list!("pg_tablespace")),
    ("pg_timezone_abbrevs", Rows::Live(pg_timezone::abbreviations)),
    ("pg_timezone_names", Rows::Live(pg_timezone::names)),
    ("pg_ts_config", list!("pg_ts_config")),
    ("pg_ts_dict", list!("pg_ts_dict")),
    ("pg_ts_parser", list!("pg_ts_parser")),
    ("pg_ts_template", list!("pg_ts_template")),
    ("pg_type", Rows::Both(pg_type::LIST, pg_type::rows)),
    ("pg_user", Rows::Live(pg_roles::users)),
    ("pg_views", Rows::Live(pg_tables::views)),
];

/// The same of `information_schema`.
const INFORMATION_SCHEMA_ROWS: &[(&str, Rows)] = &[
    ("character_sets", Rows::Live(information_schema::character_sets)),
    ("check_constraints", Rows::Live(information_schema::check_constraints)),
    ("collations", Rows::Live(information_schema::collations)),
    ("column_privileges", Rows::Live(privilege::columns)),
    ("columns", Rows::Live(information_schema::columns)),
    ("constraint_column_usage", Rows::Live(information_schema::constraint_column_usage)),
    ("constraint_table_usage", Rows::Live(information_schema::constraint_table_usage)),
    ("domains", Rows::Live(information_schema::domains)),
    ("element_types", Rows::Live(information_schema::element_types)),
    ("enabled_roles", Rows::Live(privilege::enabled_roles)),
    ("information_schema_catalog_name", Rows::Live(information_schema::catalog_name)),
    ("key_column_usage", Rows::Live(information_schema::key_column_usage)),
    ("referential_constraints", Rows::Live(information_schema::referential_constraints)),
    ("role_column_grants", Rows::Live(privilege::columns)),
    ("role_table_grants", Rows::Live(privilege::tables)),
    ("schemata", Rows::Live(information_schema::schemata)),
    ("table_constraints", Rows::Live(information_schema::table_constraints)),
    ("table_privileges", Rows::Live(privilege::tables)),
    ("tables", Rows::Live(information_schema::tables)),
    ("views", Rows::Live(information_schema::views)),
];

/// A relation of the catalog.
#[derive(Debug)]
pub(crate) struct Relation {
    /// Its schema.
    pub(crate) schema: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// `pg_class.relkind`: `r` or `v`.
    pub(crate) kind: &'static str,
    /// Its oid: PostgreSQL's own for a table, that of an initdb of PostgreSQL 15 for a view.
    pub(crate) oid: i64,
    /// Its columns, in order.
    pub(crate) columns: Vec<Column>,
    rows: Option<Rows>,
    /// The rows of a list, once they were read.
    read: OnceLock<RecordBatch>,
}

/// Every relation, in the order of schema and name.
pub(crate) static RELATIONS: LazyLock<Vec<Relation>> = LazyLock::new(|| {
    let lists = [
        ("information_schema", INFORMATION_SCHEMA, INFORMATION_SCHEMA_ROWS),
        ("pg_catalog", PG_CATALOG, PG_CATALOG_ROWS),
    ];
    let of_list = |(schema, list, sources): (&'static str, _, &'static [(&str, Rows)])| {
        relations(list).into_iter().map(move |listed| Relation {
            schema,
            name: listed.name,
            kind: listed.kind,
            oid: listed.oid,
            columns: listed.columns,
            rows: sources.iter().find(|(known, _)| *known == listed.name).map(|(_, rows)| *rows),
            read: OnceLock::new(),
        })
    };
    lists.into_iter().flat_map(of_list).collect()
});

impl Relation {
    /// The relation of this schema and name.
    pub(crate) fn find(schema: &str, name: &str) -> Option<&'static Self> {
        RELATIONS.iter().find(|relation| relation.schema == schema && relation.name == name)
    }

    /// Its columns for Arrow.
    pub(super) fn arrow_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.columns.iter().map(Column::field).collect::<Vec<_>>()))
    }

    /// Whether it can have rows at all.
    pub(super) fn has_rows(&self) -> bool {
        self.rows.is_some()
    }

    /// Whether its rows change with the tables or the session: neither empty nor a list.
    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.rows, None | Some(Rows::Constant(_)))
    }

    /// Its rows now, the columns at these places.
    pub(super) fn batch(&self, snapshot: &Snapshot, wanted: Option<&[usize]>) -> Result<RecordBatch> {
        let schema = self.arrow_schema();
        if let Some(Rows::Constant(list)) = self.rows {
            let batch = match self.read.get() {
                Some(batch) => batch.clone(),
                None => {
                    let mut builder = Builder::new(&self.columns, None);
                    builder.read(list);
                    let batch = builder.finish(schema)?;
                    self.read.get_or_init(|| batch).clone()
                }
            };
            return Ok(match wanted {
                Some(wanted) => batch.project(wanted)?,
                None => batch,
            });
        }
        let schema = match wanted {
            Some(wanted) => Arc::new(schema.project(wanted)?),
            None => schema,
        };
        let mut builder = Builder::new(&self.columns, wanted);
        match self.rows {
            Some(Rows::Live(rows)) => rows(snapshot, &mut builder),
            Some(Rows::Both(list, rows)) => {
                builder.read(list);
                rows(snapshot, &mut builder);
            }
            Some(Rows::Constant(_)) | None => {}
        }
        builder.finish(schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_of_rows_belongs_to_a_relation() {
        let sources = [("pg_catalog", PG_CATALOG_ROWS), ("information_schema", INFORMATION_SCHEMA_ROWS)];
        for (schema, name, rows) in sources
            .iter()
            .flat_map(|(schema, rows)| rows.iter().map(move |(name, rows)| (schema, name, rows)))
        {
            let relation = Relation::find(schema, name).unwrap_or_else(|| panic!("{name} is in no list"));
            if let Rows::Constant(list) | Rows::Both(list, _) = rows {
                for column in list.lines().next().unwrap().split('\t') {
                    assert!(relation.columns.iter().any(|c| c.name == column), "{name}.{column}");
                }
                let batch = relation.batch(&Snapshot::default(), None).unwrap();
                assert_eq!(batch.num_rows(), list.lines().count() - 1, "{name}");
            }
        }
    }
}
