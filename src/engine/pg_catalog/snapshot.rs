//! All that the catalog says at one moment, each object with its oid.

use std::collections::HashMap;
use std::sync::Arc;

use super::oid::{INFORMATION_SCHEMA, Oids, PG_CATALOG, PUBLIC};
use super::relation::{RELATIONS, Relation};
use super::source::CatalogSource;
use crate::engine::{ColumnInfo, TableInfo, TableKind};
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
    pub(crate) settings: Vec<(String, String)>,
    /// The schemas: first those of users, the default one before the others, then the two of the catalog.
    pub(crate) namespaces: Vec<Namespace>,
    /// The tables and views of users.
    pub(crate) tables: Vec<Table>,
    /// The relations of the catalog.
    pub(crate) system: Vec<System>,
    /// Whether the views are among the tables.
    pub(crate) with_views: bool,
    /// The places of the tables by oid.
    places: HashMap<i64, usize>,
    /// The places of the keys, in their table, by their own oid and by that of their index.
    keys: HashMap<i64, (usize, usize)>,
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
    /// Reads everything that the source has now; with the views or without.
    pub(crate) async fn load(source: &dyn CatalogSource, with_views: bool) -> Result<Self> {
        let mut schemas = vec![];
        for name in source.schemas() {
            let tables = source.tables(&name, with_views).await?;
            schemas.push((name, tables));
        }
        let oids = Oids::shared();
        let mut snapshot = Self {
            database: source.database(),
            current_user: source.current_user(),
            users: source.users(),
            settings: source.settings(),
            with_views,
            ..Self::default()
        };
        for (name, tables) in schemas {
            let oid = if name == "public" { PUBLIC } else { oids.of("n", "", &name) };
            snapshot.tables.extend(tables.into_iter().map(|info| Table {
                oid: oids.of_relation(&name, &info.name),
                row_type: oids.of("t", &name, &info.name),
                row_array: oids.of("t", &name, &format!("_{}", info.name)),
                namespace: oid,
                info,
                constraints: vec![],
            }));
            snapshot.namespaces.push(Namespace { oid, name });
        }
        for (name, oid) in [("pg_catalog", PG_CATALOG), ("information_schema", INFORMATION_SCHEMA)] {
            snapshot.namespaces.push(Namespace { oid, name: name.to_owned() });
            // Without an oid it is a function's rows.
            let relations = RELATIONS.iter().filter(|known| known.schema == name && known.oid != 0);
            snapshot.system.extend(relations.map(|relation| System { namespace: oid, relation }));
        }
        snapshot.add_keys(oids);
        snapshot.add_foreign_keys(oids);
        snapshot.add_places();
        Ok(snapshot)
    }

    fn add_places(&mut self) {
        for (place, table) in self.tables.iter().enumerate() {
            self.places.insert(table.oid, place);
            for (at, key) in table.constraints.iter().enumerate() {
                self.keys.insert(key.oid, (place, at));
                if let Some(index) = key.index() {
                    self.keys.insert(index, (place, at));
                }
            }
        }
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
        let named: HashMap<(i64, &str), usize> = (0..)
            .zip(&self.tables)
            .map(|(place, table)| ((table.namespace, table.info.name.as_str()), place))
            .collect();
        let mut found = vec![];
        for (position, table) in self.tables.iter().enumerate() {
            for foreign in &table.info.foreign_keys {
                let target = named.get(&(table.namespace, foreign.table.as_str()));
                let Some(target) = target.and_then(|place| self.tables.get(*place)) else { continue };
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
        self.tables.get(*self.places.get(&oid)?)
    }

    /// The key that has this oid, with its table.
    pub(crate) fn constraint(&self, oid: i64) -> Option<(&Table, &Constraint)> {
        self.key(oid).filter(|(_, key)| key.oid == oid)
    }

    /// The key whose index has this oid, with its table.
    pub(crate) fn index(&self, oid: i64) -> Option<(&Table, &Constraint)> {
        self.key(oid).filter(|(_, key)| key.index() == Some(oid))
    }

    fn key(&self, oid: i64) -> Option<(&Table, &Constraint)> {
        let (place, at) = self.keys.get(&oid)?;
        let table = self.tables.get(*place)?;
        Some((table, table.constraints.get(*at)?))
    }

    /// The schema and the name of the relation with this oid: a table, a view, an index, one of the catalog's.
    pub(crate) fn relation(&self, oid: i64) -> Option<(i64, &str)> {
        if let Some(table) = self.table(oid) {
            return Some((table.namespace, &table.info.name));
        }
        if let Some((table, key)) = self.index(oid) {
            return Some((table.namespace, &key.name));
        }
        let system = self.system.iter().find(|system| system.relation.oid == oid)?;
        Some((system.namespace, system.relation.name))
    }

    /// The name of the catalog's relation with this oid.
    pub(crate) fn class_name(&self, oid: i64) -> Option<&'static str> {
        self.system.iter().find(|system| system.relation.oid == oid).map(|system| system.relation.name)
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
        let system =
            self.system.iter().map(|system| (system.relation.oid, system.namespace, system.relation.name));
        tables.chain(indexes).chain(system)
    }
}
