//! The columns that RIGHT and FULL joins with USING or NATURAL merge: `a` is then the right table's, or whichever of
//! both there is. DataFusion takes the left one's always. In `*` the columns that any join merges come first.

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

/// Writes the condition of a join out, and what its merged columns are from there on. Says whether it did.
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
    let names: Vec<String> = match constraint {
        JoinConstraint::Using(columns) => columns
            .iter()
            .filter_map(|name| match name.0.last() {
                Some(ObjectNamePart::Identifier(ident)) if ident.quote_style.is_none() => {
                    match_name(&right.columns, &ident.value)
                }
                Some(ObjectNamePart::Identifier(ident)) => Some(ident.value.clone()),
                _ => None,
            })
            .collect(),
        JoinConstraint::Natural => {
            let shared = |name: &&String| left.iter().any(|relation| relation.columns.contains(name));
            right.columns.iter().filter(shared).cloned().collect()
        }
        _ => return false,
    };
    let mut condition: Option<Expr> = None;
    let joined = names.len();
    for name in names {
        let of = |alias: &str| {
            Expr::CompoundIdentifier(vec![Ident::with_quote('"', alias), Ident::with_quote('"', &name)])
        };
        let known = merged.iter().position(|known| known.name == name);
        let mut relations: Vec<String> = match known.map(|at| merged.remove(at)) {
            Some(known) => {
                let mut relations = known.relations;
                relations.insert(0, String::new());
                condition = Some(both(condition, known.value.clone(), of(&right.alias)));
                push(merged, &name, known.value, of(&right.alias), is_full, is_right);
                relations
            }
            None => {
                let Some(owner) = left.iter().find(|relation| relation.columns.contains(&name)) else {
                    continue;
                };
                condition = Some(both(condition, of(&owner.alias), of(&right.alias)));
                push(merged, &name, of(&owner.alias), of(&right.alias), is_full, is_right);
                vec![owner.alias.clone()]
            }
        };
        relations.retain(|alias| !alias.is_empty());
        relations.push(right.alias.clone());
        if let Some(last) = merged.last_mut() {
            last.relations = relations;
        }
    }
    // Those of the outermost join come first.
    let count = joined.min(merged.len());
    merged.rotate_right(count);
    let always = || Expr::value(datafusion::sql::sqlparser::ast::Value::Boolean(true));
    *constraint = JoinConstraint::On(condition.unwrap_or_else(always));
    true
}

fn push(merged: &mut Vec<Merged>, name: &str, left: Expr, right: Expr, is_full: bool, is_right: bool) {
    let value = if is_full {
        call("coalesce", vec![left, right])
    } else if is_right {
        right
    } else {
        left
    };
    merged.push(Merged { name: name.to_owned(), value, relations: vec![] });
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
                out.extend(merged.iter().map(named));
                for relation in relations {
                    let is_merged = |name: &String| {
                        merged.iter().any(|one| one.name == *name && one.relations.contains(&relation.alias))
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
