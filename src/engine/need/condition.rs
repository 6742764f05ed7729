//! Which tables the conditions of a SELECT leave of the catalog's relations in its FROM.
//!
//! A relation is pinned where what is joined by AND says of which tables its rows are: by a literal, or by being equal
//! to a pinned one. An outer join's condition says so of the side alone that it may fill with NULL.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, TableFactor,
    TableWithJoins, Value,
};

use super::relation::{
    Key, Kind, Relation, Scope, is_of_plain_types, key_of, kind_of, outer_pins, parts, plain,
};
use super::value::{arguments, name_of, pins_of, pins_of_any, union};
use super::{Is, Pin};
use crate::engine::dialect::folded;

/// A column of a derived table that is a key of a relation in it.
#[derive(Debug)]
struct Export {
    of: usize,
    alias: String,
    column: String,
    is: (usize, Key),
}

/// The relations of derived tables by the places of their queries in memory.
pub(super) type Derived = Vec<(usize, Vec<Relation>)>;

/// What tells a query from every other one of the same tree.
pub(super) fn place_of(query: &Query) -> usize {
    std::ptr::from_ref(query).addr()
}

/// The relations of a SELECT and of the plain derived tables in its FROM, pinned as far as its conditions do.
pub(super) fn relations(select: &Select, outer: &Scope<'_>) -> (Vec<Relation>, Derived) {
    let mut found = Found::new(outer);
    found.select(select);
    found.finish()
}

struct Found<'a> {
    relations: Vec<Relation>,
    exports: Vec<Export>,
    /// The queries of derived tables; the number of one is its place here, from 1.
    derived: Vec<usize>,
    /// The number of the one that is looked at.
    current: usize,
    pins: BTreeMap<(usize, bool), BTreeSet<Pin>>,
    /// A relation whose pins are another one's too, and what the other one's column is.
    edges: Vec<(usize, usize, Key)>,
    outer: &'a Scope<'a>,
}

impl<'a> Found<'a> {
    fn new(outer: &'a Scope<'a>) -> Self {
        Self {
            relations: vec![],
            exports: vec![],
            derived: vec![],
            current: 0,
            pins: BTreeMap::new(),
            edges: vec![],
            outer,
        }
    }

    fn select(&mut self, select: &Select) {
        for from in &select.from {
            self.table_with_joins(from);
        }
        if let Some(condition) = &select.selection {
            self.condition(condition, &|_| true);
        }
    }

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
                self.relations.push(Relation::new(alias, name, kind, self.current));
            }
            TableFactor::NestedJoin { table_with_joins, .. } => self.table_with_joins(table_with_joins),
            TableFactor::Derived { lateral, subquery, alias: Some(alias), .. } => {
                let alias = folded(&alias.name);
                self.relations.push(Relation::new(alias.clone(), String::new(), Kind::Free, self.current));
                if let Some(select) = plain(subquery).filter(|_| !lateral) {
                    self.derived_table(subquery, select, &alias);
                }
            }
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Function { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. } => {
                // What it is made of is looked at where it stands; here it hides a relation around of that name.
                let alias = folded(&alias.name);
                self.relations.push(Relation::new(alias, String::new(), Kind::Free, self.current));
            }
            _ => {}
        }
    }

    /// A derived table without anything between its rows and those of its relations: a condition on one of its columns
    /// is one on theirs.
    fn derived_table(&mut self, query: &Query, select: &Select, alias: &str) {
        let around = self.current;
        self.derived.push(place_of(query));
        self.current = self.derived.len();
        self.select(select);
        let exported = select.projection.iter().filter_map(|item| {
            let (expr, column) = match item {
                SelectItem::UnnamedExpr(expr) => (expr, parts(expr)?.1),
                SelectItem::ExprWithAlias { expr, alias } => (expr, folded(alias)),
                _ => return None,
            };
            let is = self.column(expr)?;
            Some(Export { of: around, alias: alias.to_owned(), column, is })
        });
        let exported: Vec<Export> = exported.collect();
        self.exports.extend(exported);
        self.current = around;
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
        self.edges.extend(edges.into_iter().filter(|(_, to, _)| may(*to)));
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
                pins.extend(self.plain_type(left, right).or_else(|| self.plain_type(right, left)));
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

    /// A type that is a column's is none of a table's rows.
    fn plain_type(&self, oid: &Expr, column: &Expr) -> Option<((usize, bool), BTreeSet<Pin>)> {
        let (at, key) = self.column(oid)?;
        let is_type = self.relations.get(at)?.name == "pg_type" && key == Key::Oid;
        let is_plain = is_of_plain_types(&parts(column)?.1);
        (is_type && is_plain).then(|| ((at, false), BTreeSet::new()))
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
                let (relations, _) = relations(select, self.outer);
                let inner = Found { relations, ..Found::new(self.outer) };
                match inner.column(item)? {
                    (at, Key::Oid | Key::Name) => inner.relations.get(at)?.pins.clone(),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn edges_in(&self, condition: &Expr, out: &mut Vec<(usize, usize, Key)>) {
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
                    Key::Referenced => from == Key::Oid,
                    Key::Part => false,
                };
                out.extend(leads(of_a, of_b).then_some((a, b, of_b)));
                out.extend(leads(of_b, of_a).then_some((b, a, of_a)));
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
                    let is_here = relation.of == self.current;
                    if relation.name == "pg_description" && is_here && is_meant && may(at) {
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
            Some((at, key_of(&relation.name, &column)?)).filter(|_| is_meant && relation.of == self.current)
        });
        let exported = self.exports.iter().filter(|export| {
            let is_meant = alias.as_ref().is_none_or(|alias| *alias == export.alias);
            is_meant && export.column == column && export.of == self.current
        });
        let keys: Vec<_> = keys.chain(exported.map(|export| export.is)).collect();
        match keys.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    fn finish(mut self) -> (Vec<Relation>, Derived) {
        for ((at, is_referenced), pins) in std::mem::take(&mut self.pins) {
            let Some(relation) = self.relations.get_mut(at) else { continue };
            *(if is_referenced { &mut relation.referenced } else { &mut relation.pins }) = Some(pins);
        }
        while self.spread() {}
        let numbers = 1..=self.derived.len();
        let mut relations = self.relations;
        let derived = numbers.zip(&self.derived).map(|(number, place)| {
            (*place, relations.extract_if(.., |relation| relation.of == number).collect())
        });
        let derived = derived.collect();
        (relations, derived)
    }

    /// Takes what is known of relations to those that equal them; whether anything is known that was not.
    fn spread(&mut self) -> bool {
        let mut is_new = false;
        for (from, to, key) in &self.edges {
            let Some(from) = self.relations.get(*from) else { continue };
            let (pins, refers) = (from.pins.clone(), from.refers || from.referenced.is_some());
            let Some(to) = self.relations.get_mut(*to).filter(|to| to.pins.is_none()) else { continue };
            match (key, pins) {
                (Key::Referenced, Some(pins)) if to.referenced.is_none() => to.referenced = Some(pins),
                (Key::Oid | Key::Name, Some(pins)) => to.pins = Some(pins),
                (Key::Oid | Key::Name, None) if refers && !to.refers => to.refers = true,
                _ => continue,
            }
            is_new = true;
        }
        is_new
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
