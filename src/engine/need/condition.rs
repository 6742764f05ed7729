//! Which tables the conditions of a SELECT leave of the catalog's relations in its FROM.
//!
//! A relation is pinned where what is joined by AND says of which tables its rows are: by a literal, or by being equal
//! to a pinned one. An outer join's condition says so of the side alone that it may fill with NULL.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArguments, Ident, JoinConstraint, JoinOperator, ObjectName, Query, Select,
    SelectItem, SetExpr, TableFactor, TableWithJoins, Value,
};

use super::value::{arguments, name_of, pins_of, pins_of_any, union};
use super::{Is, Pin};
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
    /// Of their names.
    Names,
    /// Of their forms.
    Forms,
    /// Not the catalog's.
    Other,
}

/// A relation in a FROM.
#[derive(Debug)]
pub(super) struct Relation {
    alias: String,
    name: String,
    pub(super) kind: Kind,
    /// The tables that its rows are of, where that is known.
    pub(super) pins: Option<BTreeSet<Pin>>,
    /// Foreign keys to these tables alone.
    pub(super) referenced: Option<BTreeSet<Pin>>,
}

/// The relations of a SELECT and of those around it.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    pub(super) relations: Vec<Relation>,
    pub(super) parent: Option<&'a Scope<'a>>,
}

/// What a column says of the table that a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Its oid.
    Oid,
    /// Its name.
    Name,
    /// The oid of an index of it.
    Index,
    /// The oid of the table that a foreign key of it leads to.
    Referenced,
}

fn key_of(relation: &str, column: &str) -> Option<Key> {
    Some(match (relation, column) {
        ("pg_class", "oid")
        | ("pg_attribute", "attrelid")
        | ("pg_attrdef", "adrelid")
        | ("pg_index", "indrelid")
        | ("pg_constraint", "conrelid")
        | (
            "pg_stat_all_tables" | "pg_stat_user_tables" | "pg_statio_all_tables" | "pg_statio_user_tables",
            "relid",
        )
        | ("pg_depend", "objid" | "refobjid")
        | ("pg_description", "objoid") => Key::Oid,
        ("pg_index", "indexrelid") | ("pg_constraint", "conindid") => Key::Index,
        ("pg_constraint", "confrelid") => Key::Referenced,
        ("pg_class", "relname")
        | ("pg_tables" | "pg_indexes", "tablename")
        | ("pg_views", "viewname")
        | (
            "columns" | "tables" | "views" | "table_constraints" | "key_column_usage" | "column_privileges"
            | "table_privileges" | "role_column_grants" | "role_table_grants",
            "table_name",
        )
        | (
            "pg_stat_all_tables" | "pg_stat_user_tables" | "pg_statio_all_tables" | "pg_statio_user_tables",
            "relname",
        )
        | ("element_types", "object_name") => Key::Name,
        _ => return None,
    })
}

/// The relations of a SELECT, pinned as far as its conditions do.
pub(super) fn relations(select: &Select, outer: &Scope<'_>) -> Vec<Relation> {
    let mut found = Found { relations: vec![], pins: BTreeMap::new(), edges: vec![], outer };
    for from in &select.from {
        found.table_with_joins(from);
    }
    if let Some(condition) = &select.selection {
        found.condition(condition, &|_| true);
    }
    found.finish()
}

struct Found<'a> {
    relations: Vec<Relation>,
    pins: BTreeMap<(usize, bool), BTreeSet<Pin>>,
    /// A relation whose pins are another one's too.
    edges: Vec<(usize, usize)>,
    outer: &'a Scope<'a>,
}

impl Found<'_> {
    fn table_with_joins(&mut self, from: &TableWithJoins) {
        let start = self.relations.len();
        self.table(&from.relation);
        for join in &from.joins {
            let middle = self.relations.len();
            self.table(&join.relation);
            let end = self.relations.len();
            use JoinOperator as J;
            let (constraint, side) = match &join.join_operator {
                J::Join(c) | J::Inner(c) | J::CrossJoin(c) => (c, start..end),
                J::Left(c) | J::LeftOuter(c) => (c, middle..end),
                J::Right(c) | J::RightOuter(c) => (c, start..middle),
                _ => continue,
            };
            if let JoinConstraint::On(condition) = constraint {
                self.condition(condition, &|at| side.contains(&at));
            }
        }
    }

    fn table(&mut self, factor: &TableFactor) {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let (kind, name) = kind_of(name);
                let alias = alias.as_ref().map_or_else(|| name.clone(), |alias| folded(&alias.name));
                self.relations.push(Relation { alias, name, kind, pins: None, referenced: None });
            }
            TableFactor::NestedJoin { table_with_joins, .. } => self.table_with_joins(table_with_joins),
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::Function { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. } => {
                // What it is made of is looked at where it stands; here it hides a relation around of that name.
                let (alias, name) = (folded(&alias.name), String::new());
                self.relations.push(Relation { alias, name, kind: Kind::Free, pins: None, referenced: None });
            }
            _ => {}
        }
    }

    /// Takes what a condition says of the relations that it may say something of.
    fn condition(&mut self, condition: &Expr, may: &dyn Fn(usize) -> bool) {
        for ((at, is_referenced), pins) in self.pins_in(condition) {
            if may(at) {
                self.pins.entry((at, is_referenced)).or_insert(pins);
            }
        }
        let mut edges = vec![];
        self.edges_in(condition, &mut edges);
        self.edges.extend(edges.into_iter().filter(|(_, to)| may(*to)));
        self.comments_in(condition, may);
    }

    fn pins_in(&self, condition: &Expr) -> BTreeMap<(usize, bool), BTreeSet<Pin>> {
        let one = |column: &Expr, is: Option<Is>, pins: &dyn Fn(Is) -> Option<BTreeSet<Pin>>| {
            let found = self.column(column).and_then(|(at, key)| {
                let is = match (key, is) {
                    (Key::Name, pattern) => pattern.unwrap_or(Is::Name),
                    (Key::Oid | Key::Referenced, None) => Is::Oid,
                    _ => return None,
                };
                Some(((at, key == Key::Referenced), pins(is)?))
            });
            found.into_iter().collect::<BTreeMap<_, _>>()
        };
        match condition {
            Expr::Nested(inner) => self.pins_in(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                let mut pins = self.pins_in(right);
                pins.extend(self.pins_in(left));
                pins
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                let (mut left, right) = (self.pins_in(left), self.pins_in(right));
                left.retain(|at, _| right.contains_key(at));
                for (at, pins) in right {
                    if let Some(both) = left.get_mut(&at) {
                        both.extend(pins);
                    }
                }
                left
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                let mut pins = one(left, None, &|is| self.value(right, is));
                pins.extend(one(right, None, &|is| self.value(left, is)));
                pins
            }
            Expr::BinaryOp { left, op, right } if is_regex(op) => {
                one(left, Some(Is::Regex), &|is| self.value(right, is))
            }
            Expr::InList { expr, list, negated: false } => {
                one(expr, None, &|is| union(list.iter().map(|item| self.value(item, is))))
            }
            Expr::InSubquery { expr, subquery, negated: false } => {
                one(expr, None, &|is| self.subquery(subquery, is))
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
                one(left, None, &|is| pins_of_any(right, is))
            }
            Expr::Like { negated: false, expr, pattern, escape_char: None, .. }
            | Expr::ILike { negated: false, expr, pattern, escape_char: None, .. } => {
                one(expr, Some(Is::Like), &|is| self.value(pattern, is))
            }
            _ => BTreeMap::new(),
        }
    }

    /// What a column is compared with: a literal, a pinned column of a query around, or a query.
    fn value(&self, expr: &Expr, is: Is) -> Option<BTreeSet<Pin>> {
        if let Expr::Subquery(query) = expr {
            return self.subquery(query, is);
        }
        pins_of(expr, is).or_else(|| {
            let (alias, column) = parts(expr)?;
            let alias = alias.filter(|alias| self.relations.iter().all(|inner| inner.alias != *alias))?;
            outer_pins(self.outer, &alias, &column)
        })
    }

    /// What a query gives: the key of a pinned relation, or literals.
    fn subquery(&self, query: &Query, is: Is) -> Option<BTreeSet<Pin>> {
        if query.with.is_some() { None } else { self.set_expr(&query.body, is) }
    }

    fn set_expr(&self, body: &SetExpr, is: Is) -> Option<BTreeSet<Pin>> {
        match body {
            SetExpr::Query(query) => self.subquery(query, is),
            SetExpr::SetOperation { left, right, .. } => {
                union([self.set_expr(left, is), self.set_expr(right, is)].into_iter())
            }
            SetExpr::Values(values) => {
                union(values.rows.iter().flat_map(|row| &row.content).map(|value| self.value(value, is)))
            }
            SetExpr::Select(select) => {
                let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
                    select.projection.as_slice()
                else {
                    return None;
                };
                if select.from.is_empty() {
                    return match item {
                        // psql asks so for a table and those that it is a part of: there are no such here.
                        Expr::Function(function) if name_of(function) == "pg_partition_ancestors" => {
                            union(arguments(function).into_iter().map(|value| self.value(value, is)))
                        }
                        value => self.value(value, is),
                    };
                }
                let inner = Found {
                    relations: relations(select, self.outer),
                    pins: BTreeMap::new(),
                    edges: vec![],
                    outer: self.outer,
                };
                match inner.column(item)? {
                    (at, Key::Oid | Key::Name) => inner.relations.get(at)?.pins.clone(),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn edges_in(&self, condition: &Expr, out: &mut Vec<(usize, usize)>) {
        match condition {
            Expr::Nested(inner) => self.edges_in(inner, out),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.edges_in(left, out);
                self.edges_in(right, out);
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                let (Some((a, of_a)), Some((b, of_b))) = (self.column(left), self.column(right)) else {
                    return;
                };
                let leads = |from: Key, to: Key| match to {
                    Key::Oid => from != Key::Name,
                    Key::Name => from == Key::Name,
                    _ => false,
                };
                out.extend(leads(of_a, of_b).then_some((a, b)));
                out.extend(leads(of_b, of_a).then_some((b, a)));
            }
            _ => {}
        }
    }

    /// `objsubid = 0`: of comments those on tables alone, which are their names in Kintone.
    fn comments_in(&mut self, condition: &Expr, may: &dyn Fn(usize) -> bool) {
        match condition {
            Expr::Nested(inner) => self.comments_in(inner, may),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.comments_in(left, may);
                self.comments_in(right, may);
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                let is_zero = matches!(right.as_ref(), Expr::Value(value)
                    if matches!(&value.value, Value::Number(digits, _) if digits == "0"));
                let Some((alias, column)) = parts(left).filter(|_| is_zero) else { return };
                if column != "objsubid" {
                    return;
                }
                for (at, relation) in self.relations.iter_mut().enumerate() {
                    let is_meant = alias.as_ref().is_none_or(|alias| *alias == relation.alias);
                    if relation.name == "pg_description" && is_meant && may(at) {
                        relation.kind = Kind::Names;
                    }
                }
            }
            _ => {}
        }
    }

    fn column(&self, expr: &Expr) -> Option<(usize, Key)> {
        let (alias, column) = parts(expr)?;
        let keys = self.relations.iter().enumerate().filter_map(|(at, relation)| {
            let is_meant = alias.as_ref().is_none_or(|alias| *alias == relation.alias);
            Some((at, key_of(&relation.name, &column)?)).filter(|_| is_meant)
        });
        let keys: Vec<_> = keys.collect();
        match keys.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    fn finish(mut self) -> Vec<Relation> {
        for ((at, is_referenced), pins) in self.pins {
            let Some(relation) = self.relations.get_mut(at) else { continue };
            *(if is_referenced { &mut relation.referenced } else { &mut relation.pins }) = Some(pins);
        }
        loop {
            let mut is_done = true;
            for (from, to) in &self.edges {
                let pins = self.relations.get(*from).and_then(|relation| relation.pins.clone());
                if let (Some(pins), Some(to)) = (pins, self.relations.get_mut(*to))
                    && to.pins.is_none()
                {
                    to.pins = Some(pins);
                    is_done = false;
                }
            }
            if is_done {
                return self.relations;
            }
        }
    }
}

/// `~` and `~*`, with their schema or without.
fn is_regex(op: &BinaryOperator) -> bool {
    match op {
        BinaryOperator::PGRegexMatch | BinaryOperator::PGRegexIMatch => true,
        BinaryOperator::PGCustomBinaryOperator(path) => {
            path.last().is_some_and(|operator| operator == "~" || operator == "~*")
        }
        _ => false,
    }
}

/// The tables of a column of a query around, where its relation is pinned.
fn outer_pins(scope: &Scope<'_>, alias: &str, column: &str) -> Option<BTreeSet<Pin>> {
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
fn parts(expr: &Expr) -> Option<(Option<String>, String)> {
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
fn kind_of(name: &ObjectName) -> (Kind, String) {
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
    } else if NAMES.contains(&relation.name) {
        Kind::Names
    } else {
        Kind::Forms
    };
    (kind, name)
}
