//! All that the catalog says at one moment, each object with its oid.
//!
//! What every session sees alike is a [`Schema`], made once for each change of what is known and shared, with the rows
//! of the relations that are made of nothing else. A session adds who asks and its settings.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::record_batch::RecordBatch;

use super::oid::{INFORMATION_SCHEMA, Oids, PG_CATALOG, PUBLIC};
use super::relation::{RELATIONS, Relation};
use crate::engine::backend::Backends;
use crate::engine::settings::Settings;
use crate::engine::{ColumnInfo, TableInfo, TableKind};

/// The relations whose rows are the same for every session, and many: they are made once for each schema. A relation
/// that is not here is made for each statement.
const SAME_FOR_ALL: &[&str] = &[
    "pg_catalog.pg_attribute",
    "pg_catalog.pg_class",
    "pg_catalog.pg_constraint",
    "pg_catalog.pg_depend",
    "pg_catalog.pg_description",
    "pg_catalog.pg_index",
    "pg_catalog.pg_indexes",
    "pg_catalog.pg_type",
    "information_schema.columns",
    "information_schema.constraint_column_usage",
    "information_schema.key_column_usage",
    "information_schema.referential_constraints",
    "information_schema.table_constraints",
    "information_schema.tables",
];

/// The catalog at one moment, as one session sees it.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// The database's name.
    pub(crate) database: String,
    /// Who asks.
    pub(crate) current_user: String,
    /// The number under which others know the session.
    pub(crate) pid: i64,
    /// The login names.
    pub(crate) users: Vec<String>,
    /// The session's settings.
    pub(crate) settings: Option<Arc<Settings>>,
    /// The sessions that others know.
    pub(crate) backends: Arc<Backends>,
    /// What every session sees.
    pub(crate) schema: Arc<Schema>,
}

impl Deref for Snapshot {
    type Target = Schema;

    fn deref(&self) -> &Schema {
        &self.schema
    }
}

/// The schemas with their tables: the part of the catalog that is the same for every session.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    /// The schemas: first those of users, the default one before the others, then the two of the catalog.
    pub(crate) namespaces: Vec<Namespace>,
    /// The tables and views of users.
    pub(crate) tables: Vec<Table>,
    /// The relations of the catalog.
    pub(crate) system: Vec<System>,
    /// What has an oid.
    by_oid: HashMap<i64, Place>,
    /// Oids of relations by their names in lower case.
    by_name: HashMap<String, Vec<i64>>,
    /// The rows of relations that were asked for, of those that are the same for every session.
    batches: Mutex<HashMap<&'static str, RecordBatch>>,
}

/// Where an object stands in a schema's lists.
#[derive(Debug, Clone, Copy)]
enum Place {
    Table(usize),
    /// A key, by its table and its place there.
    Constraint(usize, usize),
    /// The index of a key.
    Index(usize, usize),
    /// The type of a table's rows, or of arrays of them.
    RowType(usize),
    System(usize),
}

/// A schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Namespace {
    /// Its oid.
    pub(crate) oid: i64,
    /// Its name.
    pub(crate) name: String,
}

/// A table or view of a user.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its oid.
    pub(crate) oid: i64,
    /// The oid of its schema.
    pub(crate) namespace: i64,
    /// What it is.
    pub(crate) info: Arc<TableInfo>,
    /// The oid of the type of its rows.
    pub(crate) row_type: i64,
    /// The oid of the type of arrays of its rows.
    pub(crate) row_array: i64,
    /// Its keys.
    pub(crate) constraints: Vec<Constraint>,
}

/// A relation of the catalog.
#[derive(Debug)]
pub(crate) struct System {
    /// The oid of its schema.
    pub(crate) namespace: i64,
    /// Its oid, name and columns.
    pub(crate) relation: &'static Relation,
}

/// A key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Constraint {
    /// Its oid.
    pub(crate) oid: i64,
    /// Its name, made as PostgreSQL makes one.
    pub(crate) name: String,
    /// The columns' numbers, from 1.
    pub(crate) columns: Vec<i64>,
    /// What it says.
    pub(crate) rule: Rule,
}

/// What a key says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rule {
    /// PRIMARY KEY, by the index with this oid.
    Primary(i64),
    /// UNIQUE, by the index with this oid.
    Unique(i64),
    /// FOREIGN KEY to these columns of the table with this oid.
    Foreign {
        /// The table there.
        table: i64,
        /// Its columns.
        columns: Vec<i64>,
        /// The index there, where those columns are a key.
        index: Option<i64>,
    },
}

impl Constraint {
    /// `pg_constraint.contype`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.rule {
            Rule::Primary(_) => "p",
            Rule::Unique(_) => "u",
            Rule::Foreign { .. } => "f",
        }
    }

    /// The index that stands for it.
    pub(crate) fn index(&self) -> Option<i64> {
        match self.rule {
            Rule::Primary(index) | Rule::Unique(index) => Some(index),
            Rule::Foreign { .. } => None,
        }
    }
}

impl Table {
    /// `pg_class.relkind`.
    pub(crate) fn kind(&self) -> &'static str {
        if self.info.kind == TableKind::View { "v" } else { "r" }
    }

    /// A column by its number, from 1.
    pub(crate) fn column_info(&self, number: i64) -> Option<&ColumnInfo> {
        self.info.columns.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The name of a column by its number.
    pub(crate) fn column(&self, number: i64) -> Option<&str> {
        Some(&self.column_info(number)?.name)
    }

    /// The numbers of columns by their names; nothing where one is not there.
    fn numbers(info: &TableInfo, names: &[String]) -> Option<Vec<i64>> {
        names
            .iter()
            .map(|name| {
                let position = info.columns.iter().position(|column| column.name == *name)?;
                i64::try_from(position + 1).ok()
            })
            .collect()
    }
}

impl Snapshot {
    /// The rows of a relation, the columns at these places.
    ///
    /// # Errors
    /// Those of making them.
    pub(super) fn batch(
        &self,
        relation: &'static Relation,
        wanted: Option<&[usize]>,
    ) -> datafusion::error::Result<RecordBatch> {
        let name = format!("{}.{}", relation.schema, relation.name);
        let Some(name) = SAME_FOR_ALL.iter().find(|known| **known == name) else {
            return relation.batch(self, wanted);
        };
        let kept = || self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept().get(name).cloned();
        let batch = match known {
            Some(batch) => batch,
            None => {
                let batch = relation.batch(self, None)?;
                kept().insert(name, batch.clone());
                batch
            }
        };
        Ok(match wanted {
            Some(wanted) => batch.project(wanted)?,
            None => batch,
        })
    }
}

impl Schema {
    /// The catalog of these schemas, the default one first, each with its tables.
    pub(crate) fn new(schemas: Vec<(String, Vec<Arc<TableInfo>>)>) -> Self {
        let oids = Oids::shared();
        let mut schema = Self::default();
        for (name, tables) in schemas {
            let oid = if name == "public" { PUBLIC } else { oids.of("n", "", &name) };
            // What is always known comes first, so that no form that is read later takes its oid.
            let (first, later): (Vec<_>, Vec<_>) =
                tables.into_iter().partition(|t| !matches!(t.kind, TableKind::Subtable | TableKind::View));
            let table = |info: Arc<TableInfo>| Table {
                oid: oids.of_relation(&name, &info.name),
                row_type: oids.of("t", &name, &info.name),
                row_array: oids.of("t", &name, &format!("_{}", info.name)),
                namespace: oid,
                info,
                constraints: vec![],
            };
            schema.tables.extend(first.into_iter().chain(later).map(table));
            schema.namespaces.push(Namespace { oid, name });
        }
        schema.tables.sort_by(|a, b| (a.namespace, &a.info.name).cmp(&(b.namespace, &b.info.name)));
        for (name, oid) in [("pg_catalog", PG_CATALOG), ("information_schema", INFORMATION_SCHEMA)] {
            schema.namespaces.push(Namespace { oid, name: name.to_owned() });
            // Without an oid it is a function's rows.
            let relations = RELATIONS.iter().filter(|known| known.schema == name && known.oid != 0);
            schema.system.extend(relations.map(|relation| System { namespace: oid, relation }));
        }
        schema.add_keys(oids);
        schema.add_foreign_keys(oids);
        schema.add_places();
        schema
    }

    fn add_places(&mut self) {
        let mut places = HashMap::new();
        for (at, table) in self.tables.iter().enumerate() {
            places.insert(table.oid, Place::Table(at));
            places.insert(table.row_type, Place::RowType(at));
            places.insert(table.row_array, Place::RowType(at));
            for (key, constraint) in table.constraints.iter().enumerate() {
                places.insert(constraint.oid, Place::Constraint(at, key));
                places.extend(constraint.index().map(|index| (index, Place::Index(at, key))));
            }
        }
        places.extend(
            self.system.iter().enumerate().map(|(at, system)| (system.relation.oid, Place::System(at))),
        );
        self.by_oid = places;
        let mut names: HashMap<String, Vec<i64>> = HashMap::new();
        for (oid, _, name) in self.relations() {
            names.entry(name.to_lowercase()).or_default().push(oid);
        }
        self.by_name = names;
    }

    fn add_keys(&mut self, oids: &Oids) {
        // A view has no key of its own in PostgreSQL.
        for table in self.tables.iter_mut().filter(|table| table.info.kind != TableKind::View) {
            let info = Arc::clone(&table.info);
            let key = |name: String, columns: Vec<i64>, rule: fn(i64) -> Rule| {
                let rule = rule(oids.of("i", &info.schema, &name));
                Constraint { oid: oids.of("c", &info.schema, &name), name, columns, rule }
            };
            if let Some(columns) = Table::numbers(&info, &info.primary_key).filter(|c| !c.is_empty()) {
                table.constraints.push(key(format!("{}_pkey", info.name), columns, Rule::Primary));
            }
            // The parent's unique fields repeat in its rows' table.
            let repeats = info.kind == TableKind::Subtable;
            for (number, column) in (1..).zip(&info.columns).filter(|_| !repeats) {
                if column.unique && info.primary_key != [column.name.as_str()] {
                    let name = format!("{}_{}_key", info.name, column.name);
                    table.constraints.push(key(name, vec![number], Rule::Unique));
                }
            }
        }
    }

    fn add_foreign_keys(&mut self, oids: &Oids) {
        let mut found = vec![];
        let by_name: HashMap<_, _> =
            self.tables.iter().map(|table| ((table.namespace, table.info.name.as_str()), table)).collect();
        for (position, table) in self.tables.iter().enumerate() {
            for foreign in &table.info.foreign_keys {
                let Some(target) = by_name.get(&(table.namespace, foreign.table.as_str())) else { continue };
                let columns = Table::numbers(&table.info, &foreign.columns);
                let there = Table::numbers(&target.info, &foreign.referenced);
                let (Some(columns), Some(there)) = (columns, there) else { continue };
                let key = target.constraints.iter().find(|key| key.columns == there);
                let name = format!("{}_{}_fkey", table.info.name, foreign.columns.join("_"));
                let rule = Rule::Foreign {
                    table: target.oid,
                    columns: there,
                    index: key.and_then(Constraint::index),
                };
                let oid = oids.of("c", &table.info.schema, &name);
                found.push((position, Constraint { oid, name, columns, rule }));
            }
        }
        for (position, constraint) in found {
            if let Some(table) = self.tables.get_mut(position) {
                table.constraints.push(constraint);
            }
        }
    }

    /// The table or view of a user with this oid.
    pub(crate) fn table(&self, oid: i64) -> Option<&Table> {
        match self.by_oid.get(&oid)? {
            Place::Table(at) => self.tables.get(*at),
            _ => None,
        }
    }

    /// The key that has this oid, with its table.
    pub(crate) fn constraint(&self, oid: i64) -> Option<(&Table, &Constraint)> {
        match self.by_oid.get(&oid)? {
            Place::Constraint(at, key) => self.key_at(*at, *key),
            _ => None,
        }
    }

    /// The key whose index has this oid, with its table.
    pub(crate) fn index(&self, oid: i64) -> Option<(&Table, &Constraint)> {
        match self.by_oid.get(&oid)? {
            Place::Index(at, key) => self.key_at(*at, *key),
            _ => None,
        }
    }

    fn key_at(&self, table: usize, key: usize) -> Option<(&Table, &Constraint)> {
        let table = self.tables.get(table)?;
        Some((table, table.constraints.get(key)?))
    }

    /// The table or view of a user that the object with this oid belongs to: itself, or that of a key or an index.
    /// `None` where nothing has this oid, `Some(None)` where it is the catalog's own.
    pub(crate) fn table_of(&self, oid: i64) -> Option<Option<&Table>> {
        match self.by_oid.get(&oid)? {
            Place::Table(at) | Place::Constraint(at, _) | Place::Index(at, _) | Place::RowType(at) => {
                Some(self.tables.get(*at))
            }
            Place::System(_) => Some(None),
        }
    }

    /// The relation with this oid: its schema's oid and its name.
    pub(crate) fn relation(&self, oid: i64) -> Option<(i64, &str)> {
        match self.by_oid.get(&oid)? {
            Place::Table(at) => self.tables.get(*at).map(|t| (t.namespace, t.info.name.as_str())),
            Place::Index(at, key) => self.key_at(*at, *key).map(|(t, key)| (t.namespace, key.name.as_str())),
            Place::System(at) => self.system.get(*at).map(|s| (s.namespace, s.relation.name)),
            Place::Constraint(..) | Place::RowType(_) => None,
        }
    }

    /// The relations of this name, in whatever case: oid, oid of the schema, name.
    pub(crate) fn relations_named(&self, name: &str) -> impl Iterator<Item = (i64, i64, &str)> {
        let oids = self.by_name.get(&name.to_lowercase());
        oids.into_iter().flatten().filter_map(|oid| {
            let (namespace, name) = self.relation(*oid)?;
            Some((*oid, namespace, name))
        })
    }

    /// The name of the catalog's relation with this oid.
    pub(crate) fn class_name(&self, oid: i64) -> Option<&'static str> {
        match self.by_oid.get(&oid)? {
            Place::System(at) => self.system.get(*at).map(|system| system.relation.name),
            _ => None,
        }
    }

    /// Every key, with its table.
    pub(crate) fn constraints(&self) -> impl Iterator<Item = (&Table, &Constraint)> {
        self.tables
            .iter()
            .flat_map(|table| table.constraints.iter().map(move |constraint| (table, constraint)))
    }

    /// The name of a schema.
    pub(crate) fn namespace(&self, oid: i64) -> Option<&str> {
        self.namespaces.iter().find(|namespace| namespace.oid == oid).map(|namespace| namespace.name.as_str())
    }

    /// Every relation that has a name: oid, oid of the schema, name. Tables, views, indexes, the catalog's.
    pub(crate) fn relations(&self) -> impl Iterator<Item = (i64, i64, &str)> {
        let tables = self.tables.iter().map(|table| (table.oid, table.namespace, table.info.name.as_str()));
        let indexes = self.constraints().filter_map(|(table, constraint)| {
            Some((constraint.index()?, table.namespace, constraint.name.as_str()))
        });
        let system =
            self.system.iter().map(|system| (system.relation.oid, system.namespace, system.relation.name));
        tables.chain(indexes).chain(system)
    }
}
