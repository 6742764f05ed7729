//! Names of SQL as they are written, to the exact names of tables and columns.
//!
//! An unquoted name that matches nothing exactly matches ignoring case, where there is one candidate; `id` falls
//! back to `"$id"`; a quoted name is exact. Aliases and CTE names that are not quoted fold to lower case. After this
//! every name in the tree is quoted, so that the planner has nothing left to guess.
//!
//! Takes: a syntax tree and the tables that it names. Gives: the tree with exact names. No I/O.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    self, AccessExpr, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query, Select,
    SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, VisitMut, VisitorMut,
};

use super::dialect::{MARK, folded, is_named_value, shown_name};
use super::merged_column::{self, Merged};
use super::whole_row;

/// A table that a statement names, found in the catalog.
#[derive(Debug, Clone)]
pub(super) struct KnownTable {
    pub schema: String,
    pub name: String,
    pub columns: Vec<String>,
}

/// The tables of a statement by how it writes them: the parts joined by U+0000.
pub(super) type KnownTables = HashMap<String, KnownTable>;

/// The key of a written name.
pub(super) fn key(name: &ObjectName) -> String {
    let parts: Vec<String> = name.0.iter().map(ToString::to_string).collect();
    parts.join("\0")
}

/// Makes every name of a query exact.
pub(super) fn resolve(query: &mut Query, tables: &KnownTables) {
    let resolver = Resolver { tables };
    resolver.query(query, &Scope::default());
}

/// What a FROM item offers.
#[derive(Debug, Clone, Default)]
pub(super) struct Relation {
    /// The name that qualifies its columns.
    pub(super) alias: String,
    pub(super) columns: Vec<String>,
    /// Its name is that of its one value: `jsonb_array_elements(x) AS item`.
    is_value: bool,
}

/// Names that an expression can use, with those of the queries around it.
#[derive(Debug, Clone, Default)]
struct Scope<'a> {
    relations: Vec<Relation>,
    ctes: Vec<Relation>,
    /// Columns that joins made one of two.
    merged: Vec<Merged>,
    /// A `*` shows the columns, and those that joins merge come first in it.
    starred: bool,
    /// Output names: in ORDER BY they come before the columns.
    outputs: Vec<String>,
    parent: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    fn cte(&self, name: &str) -> Option<&Relation> {
        self.ctes.iter().rev().find(|c| c.alias == name).or_else(|| self.parent.and_then(|p| p.cte(name)))
    }

    /// The exact name of an unquoted column.
    fn column(&self, written: &str) -> Option<String> {
        let lower = written.to_lowercase();
        if let Some(output) = self.outputs.iter().find(|o| **o == lower) {
            return Some(output.clone());
        }
        let columns = self.relations.iter().flat_map(|r| &r.columns);
        match_name(columns, written)
            .or_else(|| match_name(self.outputs.iter(), written))
            .or_else(|| self.parent.and_then(|p| p.column(written)))
    }

    /// The value of a merged column, where an unqualified name means one.
    fn merged(&self, ident: &Ident) -> Option<&Expr> {
        let lower = ident.value.to_lowercase();
        if self.outputs.iter().any(|output| *output == lower || *output == ident.value) {
            return None;
        }
        if let Some(merged) = merged_column::find(&self.merged, ident) {
            return Some(&merged.value);
        }
        let own = self.relations.iter().flat_map(|relation| &relation.columns);
        if match_name(own, &ident.value).is_some() {
            return None;
        }
        self.parent.and_then(|parent| parent.merged(ident))
    }

    /// Whether there is a column or an output of exactly this name.
    fn has_column(&self, name: &str) -> bool {
        let mut columns = self.relations.iter().flat_map(|r| &r.columns).chain(&self.outputs);
        columns.any(|column| column == name) || self.parent.is_some_and(|p| p.has_column(name))
    }

    /// The relation that an unquoted or quoted qualifier means.
    fn relation(&self, qualifier: &Ident) -> Option<&Relation> {
        let exact = |name: &str| self.relations.iter().find(|r| r.alias == name);
        let found = if qualifier.quote_style.is_some() {
            exact(&qualifier.value)
        } else {
            let lower = qualifier.value.to_lowercase();
            exact(&lower).or_else(|| exact(&qualifier.value)).or_else(|| {
                let mut like = self.relations.iter().filter(|r| r.alias.to_lowercase() == lower);
                like.next().filter(|_| like.next().is_none())
            })
        };
        found.or_else(|| self.parent.and_then(|p| p.relation(qualifier)))
    }
}

/// The one name that an unquoted one means: exact, else the only one that differs in case alone.
pub(super) fn match_name<'n>(names: impl IntoIterator<Item = &'n String>, written: &str) -> Option<String> {
    let names: Vec<&String> = names.into_iter().collect();
    let lower = written.to_lowercase();
    let exact = |wanted: &str| names.iter().find(|n| **n == wanted).map(|n| (*n).clone());
    if let Some(found) = exact(&lower).or_else(|| exact(written)) {
        return Some(found);
    }
    let mut like: Vec<&String> = names.iter().copied().filter(|n| n.to_lowercase() == lower).collect();
    like.dedup();
    match like.as_slice() {
        [one] => Some((*one).clone()),
        [] if lower == "id" => exact("$id"),
        _ => None,
    }
}

/// Replaces a name by its exact form.
fn set(ident: &mut Ident, name: String) {
    ident.value = name;
    ident.quote_style = Some('"');
}

/// PostgreSQL's folding of a name that is introduced here.
fn fold(ident: &mut Ident) {
    if ident.quote_style.is_none() {
        let lower = ident.value.to_lowercase();
        set(ident, lower);
    }
}

struct Resolver<'t> {
    tables: &'t KnownTables,
}

impl Resolver<'_> {
    /// Resolves a query; its output columns.
    fn query(&self, query: &mut Query, outer: &Scope<'_>) -> Vec<String> {
        let mut scope = Scope { parent: Some(outer), ..Scope::default() };
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                fold(&mut cte.alias.name);
                let alias = cte.alias.name.value.clone();
                if with.recursive {
                    // Its own columns are those of its alias, or of its first branch, which does not name itself.
                    let columns = self.recursive_columns(&mut cte.alias, &cte.query, &scope);
                    scope.ctes.push(Relation { alias: alias.clone(), columns, is_value: false });
                }
                let columns = self.query(&mut cte.query, &scope);
                let columns = alias_columns(&mut cte.alias, columns);
                scope.ctes.push(Relation { alias, columns, is_value: false });
            }
        }
        let (outputs, mut inner) = self.set_expr(&mut query.body, &scope);
        inner.outputs.clone_from(&outputs);
        if let Some(order_by) = &mut query.order_by {
            self.expressions(order_by, &inner);
        }
        if let Some(limit) = &mut query.limit_clause {
            self.expressions(limit, &inner);
        }
        outputs
    }

    fn recursive_columns(&self, alias: &mut TableAlias, query: &Query, scope: &Scope<'_>) -> Vec<String> {
        let mut first = query.clone();
        if let SetExpr::SetOperation { left, .. } = first.body.as_ref() {
            first.body = left.clone();
        }
        alias_columns(alias, self.query(&mut first, scope))
    }

    /// Resolves a body; its output columns, and the scope that ORDER BY sees besides them.
    fn set_expr<'s>(&self, body: &mut SetExpr, scope: &'s Scope<'s>) -> (Vec<String>, Scope<'s>) {
        match body {
            SetExpr::Select(select) => self.select(select, scope),
            SetExpr::Query(query) => (self.query(query, scope), child(scope)),
            SetExpr::SetOperation { left, right, .. } => {
                let (outputs, _) = self.set_expr(left, scope);
                self.set_expr(right, scope);
                (outputs, child(scope))
            }
            SetExpr::Values(values) => {
                self.expressions(values, scope);
                let width = values.rows.first().map_or(0, |row| row.content.len());
                ((1..=width).map(|i| format!("column{i}")).collect(), child(scope))
            }
            _ => (vec![], child(scope)),
        }
    }

    fn select<'s>(&self, select: &mut Select, outer: &'s Scope<'s>) -> (Vec<String>, Scope<'s>) {
        let mut scope = child(outer);
        scope.starred = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_)))
            // What joins in brackets merge on the right side of a join is DataFusion's to say.
            && !select.from.iter().flat_map(|from| &from.joins).any(|join| is_nested(&join.relation));
        for from in &mut select.from {
            // The columns of one item of FROM are merged with none of another's.
            let before = std::mem::take(&mut scope.merged);
            let first = scope.relations.len();
            self.table_with_joins(from, &mut scope);
            scope.merged.iter_mut().for_each(|merged| merged.first = first);
            scope.merged.splice(..0, before);
        }
        if !scope.merged.is_empty() {
            merged_column::expand(&mut select.projection, &scope.relations, &scope.merged);
        }
        let outputs = self.projection(&mut select.projection, &scope);
        self.expressions(&mut select.selection, &scope);
        self.expressions(&mut select.distinct, &scope);
        self.expressions(&mut select.having, &scope);
        self.expressions(&mut select.named_window, &scope);
        self.expressions(&mut select.qualify, &scope);
        // GROUP BY may name an output, where no column has its name.
        let mut grouping = scope.clone();
        grouping.relations.push(Relation { columns: outputs.clone(), ..Relation::default() });
        let columns: Vec<String> = scope.relations.iter().flat_map(|r| r.columns.clone()).collect();
        if let Some(last) = grouping.relations.last_mut() {
            last.columns.retain(|o| !columns.iter().any(|c| c.to_lowercase() == o.to_lowercase()));
        }
        self.expressions(&mut select.group_by, &grouping);
        (outputs, scope)
    }

    fn table_with_joins(&self, table: &mut TableWithJoins, scope: &mut Scope<'_>) {
        let first = scope.relations.len();
        self.table_factor(&mut table.relation, scope);
        let merges = table.joins.iter_mut().any(|join| {
            merged_column::merges(&join.join_operator)
                || (scope.starred && merged_column::is_merging(&mut join.join_operator))
        });
        for join in &mut table.joins {
            let known = scope.relations.len();
            self.table_factor(&mut join.relation, scope);
            if merges
                // Joins in brackets are several.
                && scope.relations.len() == known + 1
                && let Some((right, left)) = scope.relations.get(first..).and_then(<[Relation]>::split_last)
                && merged_column::spell_out(join, left, right, &mut scope.merged)
            {
                continue;
            }
            match constraint(&mut join.join_operator) {
                Some(JoinConstraint::On(on)) => self.expressions(on, scope),
                Some(JoinConstraint::Using(columns)) => {
                    for column in columns.iter_mut().flat_map(|name| &mut name.0) {
                        if let ObjectNamePart::Identifier(ident) = column {
                            self.identifier(ident, scope);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn table_factor(&self, factor: &mut TableFactor, scope: &mut Scope<'_>) {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let relation = self.table(name, alias, scope);
                scope.relations.push(relation);
            }
            TableFactor::Derived { subquery, alias, lateral, .. } => {
                let outer =
                    if *lateral { scope.clone() } else { Scope { relations: vec![], ..scope.clone() } };
                let is_value = *lateral && is_named_value(subquery);
                let columns = self.query(subquery, &outer);
                scope.relations.push(Relation { is_value, ..aliased(alias.as_mut(), columns, "") });
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                self.table_with_joins(table_with_joins, scope);
                if let Some(alias) = alias {
                    fold(&mut alias.name);
                }
            }
            TableFactor::Table { name, alias, args: Some(args), .. } => {
                for arg in &mut args.args {
                    self.expressions(arg, scope);
                }
                let function = name.to_string().to_lowercase();
                scope.relations.push(aliased(alias.as_mut(), vec![], &function));
            }
            TableFactor::Function { args, alias, name, .. } => {
                self.expressions(args, scope);
                let function = name.to_string().to_lowercase();
                scope.relations.push(aliased(alias.as_mut(), vec![], &function));
            }
            TableFactor::UNNEST { array_exprs, alias, .. } => {
                self.expressions(array_exprs, scope);
                scope.relations.push(aliased(alias.as_mut(), vec![], "unnest"));
            }
            _ => {}
        }
    }

    /// A table by its name: a CTE, or one of the catalog, which always gets an alias: the name as written.
    fn table(&self, name: &mut ObjectName, alias: &mut Option<TableAlias>, scope: &Scope<'_>) -> Relation {
        if let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice() {
            let name = folded(ident);
            if let Some(cte) = scope.cte(&name).cloned() {
                set(ident, name);
                return aliased(alias.as_mut(), cte.columns, &cte.alias);
            }
        }
        let Some(known) = self.tables.get(&key(name)) else {
            return aliased(alias.as_mut(), vec![], "");
        };
        let written = match name.0.last() {
            Some(ObjectNamePart::Identifier(ident)) if ident.quote_style.is_none() => {
                ident.value.to_lowercase()
            }
            _ => known.name.clone(),
        };
        *name = ObjectName::from(vec![
            Ident::with_quote('"', known.schema.clone()),
            Ident::with_quote('"', known.name.clone()),
        ]);
        let alias = alias.get_or_insert_with(|| TableAlias {
            explicit: true,
            name: Ident::with_quote('"', written),
            columns: vec![],
            at: None,
        });
        aliased(Some(alias), known.columns.clone(), "")
    }

    /// Resolves the items of a SELECT; the output columns.
    fn projection(&self, items: &mut [SelectItem], scope: &Scope<'_>) -> Vec<String> {
        let mut outputs: Vec<String> = vec![];
        // What a wildcard stands for keeps its names, so that what is before it has to give way too.
        let mut wildcards: Vec<Vec<String>> = items
            .iter_mut()
            .map(|item| match item {
                SelectItem::Wildcard(_) => scope.relations.iter().flat_map(|r| r.columns.clone()).collect(),
                SelectItem::QualifiedWildcard(kind, _) => qualified_wildcard(kind, scope),
                _ => vec![],
            })
            .collect();
        for (place, item) in items.iter_mut().enumerate() {
            let repeated = |name: &str, outputs: &[String]| {
                let later = wildcards.iter().skip(place + 1).flatten();
                let known: Vec<String> = outputs.iter().chain(later).cloned().collect();
                unrepeated(name, &known)
            };
            match item {
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                    outputs.extend(wildcards.get_mut(place).map(std::mem::take).unwrap_or_default());
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.shown_row(expr, scope);
                    self.expressions(expr, scope);
                    fold(alias);
                    set(alias, repeated(&alias.value, &outputs));
                    outputs.push(alias.value.clone());
                }
                SelectItem::UnnamedExpr(expr) if self.row_named(expr, scope).is_some() => {
                    let Expr::Identifier(ident) = &*expr else { continue };
                    let name = unrepeated(&folded(ident), &outputs);
                    self.shown_row(expr, scope);
                    self.expressions(expr, scope);
                    let alias = Ident::with_quote('"', name.clone());
                    *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                    outputs.push(name);
                }
                SelectItem::UnnamedExpr(expr) => {
                    self.expressions(expr, scope);
                    let name = match &expr {
                        Expr::Identifier(ident) => ident.value.clone(),
                        Expr::CompoundIdentifier(parts) => {
                            parts.last().map(|p| p.value.clone()).unwrap_or_default()
                        }
                        _ => String::new(),
                    };
                    let unrepeated = repeated(&name, &outputs);
                    if unrepeated != name {
                        let alias = Ident::with_quote('"', unrepeated.clone());
                        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                    }
                    outputs.push(unrepeated);
                }
                SelectItem::ExprWithAliases { expr, .. } => self.expressions(expr, scope),
            }
        }
        outputs
    }

    /// A row as a column of a result is text.
    fn shown_row(&self, expr: &mut Expr, scope: &Scope<'_>) {
        let row = match expr {
            Expr::Tuple(_) => expr.clone(),
            Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("row") => expr.clone(),
            _ => match self.row_named(expr, scope) {
                Some(relation) if relation.is_value => return,
                Some(relation) => whole_row::row(&relation.alias, &relation.columns),
                None => return,
            },
        };
        *expr = whole_row::shown(row);
    }

    /// Resolves the names in every expression below `node`.
    fn expressions(&self, node: &mut impl VisitMut, scope: &Scope<'_>) {
        let _ = node.visit(&mut Expressions { resolver: self, scope, depth: 0 });
    }

    /// A relation's name in the place of a value.
    fn whole_row(&self, expr: &mut Expr, scope: &Scope<'_>) {
        if let Some((name, function)) = whole_row::counted(expr) {
            if let Some(ObjectNamePart::Identifier(last)) = name.0.last()
                && let Some(relation) = scope.relation(last).filter(|r| !r.columns.is_empty())
            {
                whole_row::count_rows(function, &relation.alias, &relation.columns);
            }
            return;
        }
        if let Some(relation) = self.row_named(expr, scope) {
            *expr = match relation.columns.as_slice() {
                [column] if relation.is_value => whole_row::of(&relation.alias, column),
                columns => whole_row::row(&relation.alias, columns),
            };
        }
    }

    /// The relation that an expression names, where no column has the name.
    fn row_named(&self, expr: &Expr, scope: &Scope<'_>) -> Option<Relation> {
        let Expr::Identifier(ident) = expr else { return None };
        let is_column = match ident.quote_style {
            None => scope.column(&ident.value).is_some(),
            Some(_) => scope.has_column(&ident.value),
        };
        if is_column {
            return None;
        }
        scope.relation(ident).filter(|relation| !relation.columns.is_empty()).cloned()
    }

    fn identifier(&self, ident: &mut Ident, scope: &Scope<'_>) {
        if ident.quote_style.is_none() {
            let name = scope.column(&ident.value).unwrap_or_else(|| ident.value.to_lowercase());
            set(ident, name);
        }
    }

    /// `table.column`, `schema.table.column`.
    fn compound(&self, parts: &mut Vec<Ident>, scope: &Scope<'_>) {
        let Some((column, qualifiers)) = parts.split_last_mut() else { return };
        let Some(relation) = qualifiers.last().and_then(|q| scope.relation(q)) else {
            parts.iter_mut().for_each(fold);
            return;
        };
        if column.quote_style.is_none() {
            let name = match_name(relation.columns.iter(), &column.value);
            set(column, name.unwrap_or_else(|| column.value.to_lowercase()));
        }
        let column = column.clone();
        *parts = vec![Ident::with_quote('"', relation.alias.clone()), column];
    }
}

struct Expressions<'r, 's> {
    resolver: &'r Resolver<'r>,
    scope: &'s Scope<'s>,
    /// Subqueries around the place of the walk. A subquery is resolved as a whole where the walk enters it; what
    /// the walk then meets inside is done.
    depth: usize,
}

/// The parser has `i.indkey[0]` as `i` with a field and an item; it is a column with an item.
fn join_path(expr: &mut Expr) {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else { return };
    let Expr::Identifier(first) = root.as_ref() else { return };
    let mut path = vec![first.clone()];
    while let Some(AccessExpr::Dot(Expr::Identifier(name))) = access_chain.first() {
        path.push(name.clone());
        access_chain.remove(0);
    }
    if path.len() > 1 {
        **root = Expr::CompoundIdentifier(path);
    }
}

impl VisitorMut for Expressions<'_, '_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0 {
            join_path(expr);
            self.resolver.whole_row(expr, self.scope);
        }
        match expr {
            _ if self.depth > 0 => {}
            Expr::Identifier(ident) if self.scope.merged(ident).is_some() => {
                if let Some(value) = self.scope.merged(ident).cloned() {
                    *expr = value;
                }
            }
            Expr::Identifier(ident) => self.resolver.identifier(ident, self.scope),
            Expr::CompoundIdentifier(parts) => self.resolver.compound(parts, self.scope),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if self.depth == 0 {
            self.resolver.query(query, self.scope);
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

fn is_nested(relation: &TableFactor) -> bool {
    matches!(relation, TableFactor::NestedJoin { .. })
}

fn child<'s>(scope: &'s Scope<'s>) -> Scope<'s> {
    Scope { parent: Some(scope), ..Scope::default() }
}

pub(super) fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    use JoinOperator as J;
    match operator {
        J::Join(c) | J::Inner(c) | J::Left(c) | J::LeftOuter(c) | J::Right(c) | J::RightOuter(c) => Some(c),
        J::FullOuter(c) | J::CrossJoin(c) | J::Semi(c) | J::LeftSemi(c) | J::RightSemi(c) => Some(c),
        J::Anti(c) | J::LeftAnti(c) | J::RightAnti(c) => Some(c),
        _ => None,
    }
}

/// A relation under its alias, where it has one.
fn aliased(alias: Option<&mut TableAlias>, columns: Vec<String>, name: &str) -> Relation {
    match alias {
        Some(alias) => {
            fold(&mut alias.name);
            let columns = alias_columns(alias, columns);
            Relation { alias: alias.name.value.clone(), columns, is_value: false }
        }
        None => Relation { alias: name.to_owned(), columns, is_value: false },
    }
}

/// `AS t (a, b)` renames the first columns.
fn alias_columns(alias: &mut TableAlias, mut columns: Vec<String>) -> Vec<String> {
    for (i, column) in alias.columns.iter_mut().enumerate() {
        fold(&mut column.name);
        match columns.get_mut(i) {
            Some(name) => name.clone_from(&column.name.value),
            None => columns.push(column.name.value.clone()),
        }
    }
    columns
}

fn qualified_wildcard(kind: &mut ast::SelectItemQualifiedWildcardKind, scope: &Scope<'_>) -> Vec<String> {
    let ast::SelectItemQualifiedWildcardKind::ObjectName(name) = kind else { return vec![] };
    let Some(ObjectNamePart::Identifier(last)) = name.0.last() else { return vec![] };
    let Some(relation) = scope.relation(last) else { return vec![] };
    *name = ObjectName::from(vec![Ident::with_quote('"', relation.alias.clone())]);
    relation.columns.clone()
}

/// The name, marked where the projection has it already.
fn unrepeated(name: &str, outputs: &[String]) -> String {
    let mut out = name.to_owned();
    let mut count = 1;
    while outputs.contains(&out) {
        count += 1;
        out = format!("{}{MARK}{count}", shown_name(name));
    }
    out
}

#[cfg(test)]
mod tests;
