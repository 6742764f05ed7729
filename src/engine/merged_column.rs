//! The columns that RIGHT and FULL joins with USING or NATURAL merge: `a` is then the right table's, or whichever of
//! both there is. DataFusion takes the left one's always. In `*` the columns that any join merges come first.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectNamePart, SelectItem,
};

use super::dialect::call;
use super::names::{Relation, constraint, match_name};

/// One name for a column of both sides.
#[derive(Debug, Clone)]
pub(super) struct Merged {
    pub(super) name: String,
    pub(super) value: Expr,
    /// The relations whose columns of that name are in it.
    relations: Vec<String>,
    /// The place of the first relation of its item of FROM: in `*` it comes before that one.
    pub(super) first: usize,
}

/// Whether a join merges columns that are not the left side's alone.
pub(super) fn merges(operator: &JoinOperator) -> bool {
    use JoinOperator as J;
    matches!(
        operator,
        J::Right(c) | J::RightOuter(c) | J::FullOuter(c)
            if matches!(c, JoinConstraint::Using(_) | JoinConstraint::Natural)
    )
}

/// Whether a join has one column for two.
pub(super) fn is_merging(operator: &mut JoinOperator) -> bool {
    matches!(constraint(operator), Some(JoinConstraint::Using(_) | JoinConstraint::Natural))
}

/// Writes the condition of a join out, and what its merged columns are from there on. Says whether it did: a column that
/// is not on both sides is for the planner to tell.
pub(super) fn spell_out(
    join: &mut Join,
    left: &[Relation],
    right: &Relation,
    merged: &mut Vec<Merged>,
) -> bool {
    use JoinOperator as J;
    let is_full = matches!(join.join_operator, J::FullOuter(_));
    let is_right = matches!(join.join_operator, J::Right(_) | J::RightOuter(_));
    let Some(constraint) = constraint(&mut join.join_operator) else { return false };
    let Some(names) = joined_names(constraint, left, right) else { return false };
    if !names
        .iter()
        .all(|name| owner(left, merged, name).is_some() && right.columns.iter().any(|c| matches(c, name)))
    {
        return false;
    }
    let mut condition: Option<Expr> = None;
    let before = std::mem::take(merged);
    let mut kept: Vec<Merged> = before;
    for name in names {
        let (Some(owner), Some(here)) =
            (owner(left, &kept, &name), right.columns.iter().find(|c| matches(c, &name)))
        else {
            continue;
        };
        let (shown, value, mut relations) = match owner {
            Owner::Merged(at) => {
                let known = kept.remove(at);
                (known.name, known.value, known.relations)
            }
            Owner::Relation(relation, column) => {
                (column.to_owned(), qualified(&relation.alias, column), vec![relation.alias.clone()])
            }
        };
        let other = qualified(&right.alias, here);
        condition = Some(both(condition, value.clone(), other.clone()));
        relations.push(right.alias.clone());
        merged.push(Merged {
            name: shown,
            value: chosen(value, other, is_full, is_right),
            relations,
            first: 0,
        });
    }
    // Those of the outermost join come first.
    merged.append(&mut kept);
    let always = || Expr::value(datafusion::sql::sqlparser::ast::Value::Boolean(true));
    *constraint = JoinConstraint::On(condition.unwrap_or_else(always));
    true
}

/// The names that a join says, or that both sides have.
fn joined_names(constraint: &JoinConstraint, left: &[Relation], right: &Relation) -> Option<Vec<Ident>> {
    match constraint {
        JoinConstraint::Using(columns) => columns
            .iter()
            .map(|name| match name.0.last() {
                Some(ObjectNamePart::Identifier(ident)) => Some(ident.clone()),
                _ => None,
            })
            .collect(),
        JoinConstraint::Natural => {
            // In the order of the left side.
            let mut seen = HashSet::new();
            let names = left.iter().flat_map(|relation| &relation.columns);
            let shared = names.filter(|name| right.columns.contains(name) && seen.insert(*name));
            Some(shared.map(|name| Ident::with_quote('"', name.clone())).collect())
        }
        _ => None,
    }
}

/// Where the left side has a column.
enum Owner<'r> {
    Merged(usize),
    Relation(&'r Relation, &'r String),
}

fn owner<'r>(left: &'r [Relation], merged: &[Merged], name: &Ident) -> Option<Owner<'r>> {
    if let Some(at) = merged.iter().position(|known| matches(&known.name, name)) {
        return Some(Owner::Merged(at));
    }
    left.iter().find_map(|relation| {
        let column = relation.columns.iter().find(|column| matches(column, name))?;
        Some(Owner::Relation(relation, column))
    })
}

/// Whether a written name is a column's; without quotes in any case.
fn matches(column: &str, name: &Ident) -> bool {
    if name.quote_style.is_some() {
        column == name.value
    } else {
        column.to_lowercase() == name.value.to_lowercase()
    }
}

fn qualified(alias: &str, column: &str) -> Expr {
    Expr::CompoundIdentifier(vec![Ident::with_quote('"', alias), Ident::with_quote('"', column)])
}

fn chosen(left: Expr, right: Expr, is_full: bool, is_right: bool) -> Expr {
    if is_full {
        call("coalesce", vec![left, right])
    } else if is_right {
        right
    } else {
        left
    }
}

fn both(condition: Option<Expr>, left: Expr, right: Expr) -> Expr {
    let equal = Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Eq, right: Box::new(right) };
    match condition {
        None => equal,
        Some(before) => {
            Expr::BinaryOp { left: Box::new(before), op: BinaryOperator::And, right: Box::new(equal) }
        }
    }
}

/// `*` and the merged columns' names in a SELECT list, written out.
pub(super) fn expand(items: &mut Vec<SelectItem>, relations: &[Relation], merged: &[Merged]) {
    let named = |one: &Merged| SelectItem::ExprWithAlias {
        expr: one.value.clone(),
        alias: Ident::with_quote('"', one.name.clone()),
    };
    let mut out = Vec::with_capacity(items.len());
    for item in std::mem::take(items) {
        match item {
            SelectItem::Wildcard(_) => {
                for (place, relation) in relations.iter().enumerate() {
                    out.extend(merged.iter().filter(|one| one.first == place).map(named));
                    let is_merged = |name: &String| {
                        merged.iter().any(|one| {
                            one.name.to_lowercase() == name.to_lowercase()
                                && one.relations.contains(&relation.alias)
                        })
                    };
                    let columns = relation.columns.iter().filter(|name| !is_merged(name));
                    out.extend(columns.map(|name| {
                        let path = [&relation.alias, name].map(|part| Ident::with_quote('"', part));
                        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path.to_vec()))
                    }));
                }
            }
            SelectItem::UnnamedExpr(Expr::Identifier(ident)) => out.push(match find(merged, &ident) {
                Some(one) => named(one),
                None => SelectItem::UnnamedExpr(Expr::Identifier(ident)),
            }),
            other => out.push(other),
        }
    }
    *items = out;
}

/// The merged column that a name means.
pub(super) fn find<'m>(merged: &'m [Merged], ident: &Ident) -> Option<&'m Merged> {
    let name = match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => match_name(merged.iter().map(|one| &one.name), &ident.value)?,
    };
    merged.iter().find(|one| one.name == name)
}
