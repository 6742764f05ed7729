//! The catalog's relations in a FROM: what each is made of, and which columns tell of which table a row is.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArguments, GroupByExpr, Ident, ObjectName, Query, Select, SetExpr, Visit, Visitor,
};

use super::Pin;
use super::value::{arguments, name_of};
use crate::engine::dialect::folded;
use crate::engine::pg_catalog::RELATIONS;

/// Relations that tell nothing of tables, though their rows change.
const FREE: &[&str] = &[
    "character_sets",
    "collations",
    "domains",
    "enabled_roles",
    "information_schema_catalog_name",
    "pg_authid",
    "pg_available_extensions",
    "pg_database",
    "pg_namespace",
    "pg_roles",
    "pg_settings",
    "pg_shadow",
    "pg_stat_activity",
    "pg_stat_database",
    "pg_timezone_abbrevs",
    "pg_timezone_names",
    "pg_user",
    "schemata",
];

/// Relations that list tables, and tell nothing of their columns; and `pg_depend` and `pg_rewrite`, which drivers join
/// for what is not here: they tell of what is known.
const NAMES: &[&str] = &[
    "pg_class",
    "pg_depend",
    "pg_rewrite",
    "pg_stat_all_tables",
    "pg_stat_user_tables",
    "pg_statio_all_tables",
    "pg_statio_user_tables",
    "pg_tables",
    "role_table_grants",
    "table_privileges",
    "tables",
];

/// What a relation is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not of tables.
    Free,
    /// Of types: each table's rows have one, which is of interest beside the table alone.
    Types,
    /// Of names of tables.
    Names,
    /// Of their forms.
    Forms,
    /// Not the catalog's.
    Other,
}

/// A relation in a FROM.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) alias: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The tables that its rows are of, where that is known.
    pub(super) pins: Option<BTreeSet<Pin>>,
    /// Foreign keys to these tables alone.
    pub(super) referenced: Option<BTreeSet<Pin>>,
    /// It is of the tables that such keys are of.
    pub(super) refers: bool,
    /// The SELECT that it stands in: 0, or a derived table of that by its number.
    pub(super) of: usize,
}

impl Relation {
    pub(super) fn new(alias: String, name: String, kind: Kind, of: usize) -> Self {
        Self { alias, name, kind, pins: None, referenced: None, refers: false, of }
    }
}

/// The relations of a SELECT and of those around it.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    pub(super) relations: Vec<Relation>,
    pub(super) parent: Option<&'a Scope<'a>>,
}

/// What a column says of the table that a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Its oid.
    Oid,
    /// Its name.
    Name,
    /// The oid of an index of it, or of the type of its rows.
    Part,
    /// The oid of the table that a foreign key of it leads to.
    Referenced,
}

/// What a column of a relation is a key of.
pub(super) fn key_of(relation: &str, column: &str) -> Option<Key> {
    Some(match (relation, column) {
        ("pg_class" | "pg_type", "oid")
        | ("pg_type", "typrelid")
        | ("pg_attribute", "attrelid")
        | ("pg_attrdef", "adrelid")
        | ("pg_index", "indrelid")
        | ("pg_constraint", "conrelid")
        | ("pg_description", "objoid")
        | ("pg_rewrite", "ev_class")
        | ("pg_depend", "objid") => Key::Oid,
        // Empty here, and asked for by table.
        ("pg_foreign_table", "ftrelid")
        | ("pg_inherits", "inhrelid" | "inhparent")
        | ("pg_partitioned_table", "partrelid")
        | ("pg_policy", "polrelid")
        | ("pg_publication_rel", "prrelid")
        | ("pg_statistic_ext", "stxrelid")
        | ("pg_trigger", "tgrelid") => Key::Oid,
        ("pg_class", "reltype" | "reltoastrelid")
        | ("pg_type", "typarray" | "typelem" | "typbasetype")
        | ("pg_index", "indexrelid")
        | ("pg_constraint", "conindid") => Key::Part,
        ("pg_constraint", "confrelid") | ("pg_depend", "refobjid") => Key::Referenced,
        ("pg_class", "relname")
        | ("pg_type", "typname")
        | ("pg_tables" | "pg_indexes", "tablename")
        | ("pg_views", "viewname")
        | ("element_types", "object_name")
        | (
            "columns" | "column_privileges" | "key_column_usage" | "role_column_grants" | "role_table_grants"
            | "table_constraints" | "table_privileges" | "tables" | "views",
            "table_name",
        ) => Key::Name,
        (statistics, "relid") if statistics.starts_with("pg_stat") => Key::Oid,
        (statistics, "relname") if statistics.starts_with("pg_stat") => Key::Name,
        _ => return None,
    })
}

/// Columns with oids of types, none of which is the type of a table's rows.
pub(super) fn is_of_plain_types(column: &str) -> bool {
    matches!(
        column,
        "atttypid" | "castsource" | "casttarget" | "enumtypid" | "prorettype" | "rngsubtype" | "rngtypid"
    )
}

/// The tables of a column of a query around, where its relation is pinned.
pub(super) fn outer_pins(scope: &Scope<'_>, alias: &str, column: &str) -> Option<BTreeSet<Pin>> {
    match scope.relations.iter().find(|relation| relation.alias == alias) {
        Some(relation) => {
            key_of(&relation.name, column).filter(|key| matches!(key, Key::Oid | Key::Name))?;
            relation.pins.clone()
        }
        None => outer_pins(scope.parent?, alias, column),
    }
}

impl Scope<'_> {
    /// The relation of a column, by its alias; by the column's name where it has none.
    pub(super) fn relation_of(&self, expr: &Expr) -> Option<&Relation> {
        let (alias, column) = parts(expr)?;
        let is_meant = |relation: &&Relation| match &alias {
            Some(alias) => *alias == relation.alias,
            None => RELATIONS
                .iter()
                .any(|r| r.name == relation.name && r.columns.iter().any(|c| c.name == column)),
        };
        self.relations.iter().find(is_meant).or_else(|| self.parent.and_then(|p| p.relation_of(expr)))
    }

    /// Whether any relation here or around is not the catalog's.
    pub(super) fn has_others(&self) -> bool {
        self.relations.iter().any(|relation| relation.kind == Kind::Other)
            || self.parent.is_some_and(Scope::has_others)
    }
}

/// Alias and name of a column, in lower case where they are not quoted, without what does not change which row it is:
/// casts, collations, `lower` and `upper`.
pub(super) fn parts(expr: &Expr) -> Option<(Option<String>, String)> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::Collate { expr: inner, .. } => {
            parts(inner)
        }
        Expr::Function(function)
            if matches!(name_of(function).as_str(), "lower" | "upper")
                && matches!(function.args, FunctionArguments::List(_)) =>
        {
            parts(arguments(function).first()?)
        }
        Expr::Identifier(name) => Some((None, folded(name))),
        Expr::CompoundIdentifier(path) => match path.as_slice() {
            [.., alias, name] => Some((Some(folded(alias)), folded(name))),
            _ => None,
        },
        _ => None,
    }
}

/// What a relation of a FROM is, and its name.
pub(super) fn kind_of(name: &ObjectName) -> (Kind, String) {
    let path: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
    let (schema, name) = match path.as_slice() {
        [.., schema, name] => (folded(schema), folded(name)),
        [name] => ("pg_catalog".to_owned(), folded(name)),
        [] => return (Kind::Other, String::new()),
    };
    let Some(relation) = RELATIONS.iter().find(|r| r.schema == schema && r.name == name) else {
        return (Kind::Other, name);
    };
    let kind = if FREE.contains(&relation.name) || !relation.is_live() {
        Kind::Free
    } else if relation.name == "pg_type" {
        Kind::Types
    } else if NAMES.contains(&relation.name) {
        Kind::Names
    } else {
        Kind::Forms
    };
    (kind, name)
}

/// The SELECT of a query that gives a row for each of its relations' rows and looks at no other: no group, window or
/// limit.
pub(super) fn plain(query: &Query) -> Option<&Select> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let has_groups = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let has_more = query.with.is_some()
        || query.limit_clause.is_some()
        || query.fetch.is_some()
        || select.distinct.is_some()
        || select.having.is_some()
        || select.qualify.is_some()
        || select.top.is_some();
    if has_groups || has_more || has_window(select) { None } else { Some(select) }
}

fn has_window(select: &Select) -> bool {
    struct Windows;
    impl Visitor for Windows {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) if function.over.is_some() => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    select.projection.visit(&mut Windows).is_break()
}
