//! All that the catalog says at one moment, each object with its oid.

use std::sync::Arc;

use super::oid::{Oids, PG_CATALOG, PUBLIC};
use super::relation::{RELATIONS, Relation};
use super::source::CatalogSource;
use crate::engine::settings::Settings;
use crate::engine::{TableInfo, TableKind};
use crate::error::Result;

/// The catalog at one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// The database's name.
    pub(crate) database: String,
    /// Who asks.
    pub(crate) current_user: String,
    /// The login names.
    pub(crate) users: Vec<String>,
    /// The session's settings.
    pub(crate) settings: Option<Arc<Settings>>,
    /// The schemas: first those of users, the default one before the others, then the two of the catalog.
    pub(crate) namespaces: Vec<Namespace>,
    /// The tables and views of users.
    pub(crate) tables: Vec<Table>,
    /// The relations of the catalog.
    pub(crate) system: Vec<System>,
    /// Whether the views are among the tables.
    pub(crate) with_views: bool,
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
    /// Its keys.
    pub(crate) constraints: Vec<Constraint>,
}

/// A relation of the catalog.
#[derive(Debug)]
pub(crate) struct System {
    /// Its oid.
    pub(crate) oid: i64,
    /// The oid of its schema.
    pub(crate) namespace: i64,
    /// Its name and columns.
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

    /// The name of a column by its number.
    pub(crate) fn column(&self, number: i64) -> Option<&str> {
        let position = usize::try_from(number).ok()?.checked_sub(1)?;
        Some(&self.info.columns.get(position)?.name)
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
    /// Reads everything that the source has now; with the views or without.
    pub(crate) async fn load(source: &dyn CatalogSource, with_views: bool) -> Result<Self> {
        let mut oids = Oids::default();
        let mut snapshot = Self {
            database: source.database(),
            current_user: source.current_user(),
            users: source.users(),
            settings: Some(source.settings()),
            with_views,
            ..Self::default()
        };
        for name in source.schemas() {
            let oid = if name == "public" { PUBLIC } else { oids.user("n", "", &name) };
            for info in source.tables(&name, with_views).await? {
                let table = Table {
                    oid: oids.user("r", &name, &info.name),
                    namespace: oid,
                    info,
                    constraints: vec![],
                };
                snapshot.tables.push(table);
            }
            snapshot.namespaces.push(Namespace { oid, name });
        }
        for (name, oid) in [("pg_catalog", Some(PG_CATALOG)), ("information_schema", None)] {
            let oid = oid.unwrap_or_else(|| oids.system("", name));
            snapshot.namespaces.push(Namespace { oid, name: name.to_owned() });
            let relations = RELATIONS.iter().filter(|relation| relation.schema == name);
            let system = |relation: &'static Relation| System {
                oid: oids.system(name, relation.name),
                namespace: oid,
                relation,
            };
            snapshot.system.extend(relations.map(system));
        }
        snapshot.add_keys(&mut oids);
        snapshot.add_foreign_keys(&mut oids);
        Ok(snapshot)
    }

    fn add_keys(&mut self, oids: &mut Oids) {
        // A view has no key of its own in PostgreSQL.
        for table in self.tables.iter_mut().filter(|table| table.info.kind != TableKind::View) {
            let info = Arc::clone(&table.info);
            let mut key = |name: String, columns: Vec<i64>, rule: fn(i64) -> Rule| {
                let rule = rule(oids.user("i", &info.schema, &name));
                Constraint { oid: oids.user("c", &info.schema, &name), name, columns, rule }
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

    fn add_foreign_keys(&mut self, oids: &mut Oids) {
        let mut found = vec![];
        for (position, table) in self.tables.iter().enumerate() {
            for foreign in &table.info.foreign_keys {
                let target = self
                    .tables
                    .iter()
                    .find(|other| other.namespace == table.namespace && other.info.name == foreign.table);
                let Some(target) = target else { continue };
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
                let oid = oids.user("c", &table.info.schema, &name);
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
        self.tables.iter().find(|table| table.oid == oid)
    }

    /// The key that has this oid, with its table.
    pub(crate) fn constraint(&self, oid: i64) -> Option<(&Table, &Constraint)> {
        self.constraints().find(|(_, constraint)| constraint.oid == oid)
    }

    /// The key whose index has this oid, with its table.
    pub(crate) fn index(&self, oid: i64) -> Option<(&Table, &Constraint)> {
        self.constraints().find(|(_, constraint)| constraint.index() == Some(oid))
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

    /// The schema that an unqualified name is looked up in, after `pg_catalog`.
    pub(crate) fn default_namespace(&self) -> Option<&Namespace> {
        self.namespaces.first()
    }

    /// Whether an unqualified name finds objects of this schema.
    pub(crate) fn is_visible(&self, namespace: i64) -> bool {
        namespace == PG_CATALOG || self.default_namespace().is_some_and(|default| default.oid == namespace)
    }

    /// Every relation that has a name: oid, oid of the schema, name. Tables, views, indexes, the catalog's.
    pub(crate) fn relations(&self) -> impl Iterator<Item = (i64, i64, &str)> {
        let tables = self.tables.iter().map(|table| (table.oid, table.namespace, table.info.name.as_str()));
        let indexes = self.constraints().filter_map(|(table, constraint)| {
            Some((constraint.index()?, table.namespace, constraint.name.as_str()))
        });
        let system = self.system.iter().map(|system| (system.oid, system.namespace, system.relation.name));
        tables.chain(indexes).chain(system)
    }
}
