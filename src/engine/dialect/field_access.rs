//! `(x).f` is `get_field(x, 'f')`, and the items of `int2vector` and `oidvector` columns count from 0.

use datafusion::sql::sqlparser::ast::{AccessExpr, BinaryOperator, Expr, Ident, Subscript, Value};

use super::visit::Rule;
use super::{call, number, take};

pub(super) const RULE: Rule = Rule::Expr(accessed);

/// The columns of the catalog with a vector, whose first item is `[0]`.
const VECTORS: &[&str] = &[
    "indclass",
    "indcollation",
    "indkey",
    "indoption",
    "partattrs",
    "partclass",
    "partcollation",
    "prattrs",
    "proargtypes",
    "stxkeys",
    "tgattr",
];

/// Columns of the catalog of type `name`, whose letters are read by their place, from `[0]`.
const NAMES: &[&str] = &["typname"];

fn accessed(expr: &mut Expr) {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else { return };
    if let Some((name, index)) = letter(root, access_chain) {
        let place = Box::new(index);
        let place = Expr::BinaryOp { left: place, op: BinaryOperator::Plus, right: Box::new(number(1)) };
        *expr = call("substr", vec![name, place, number(1)]);
        return;
    }
    let mut vector = column(root).is_some_and(is_vector);
    for access in access_chain.iter_mut() {
        match access {
            AccessExpr::Dot(field) => vector = column(field).is_some_and(is_vector),
            AccessExpr::Subscript(Subscript::Index { index }) if vector => {
                let position = Box::new(take(index));
                *index =
                    Expr::BinaryOp { left: position, op: BinaryOperator::Plus, right: Box::new(number(1)) };
            }
            AccessExpr::Subscript(_) => {}
        }
    }
    let is_field = |access: &AccessExpr| matches!(access, AccessExpr::Dot(Expr::Identifier(_)));
    if matches!(root.as_ref(), Expr::Nested(_) | Expr::Function(_)) && access_chain.iter().all(is_field) {
        let mut value = take(root);
        for access in access_chain.iter() {
            if let AccessExpr::Dot(Expr::Identifier(name)) = access {
                let name = Expr::value(Value::SingleQuotedString(name.value.clone()));
                value = call("get_field", vec![value, name]);
            }
        }
        *expr = value;
    }
}

/// The column and the place of `t.typname[0]`.
fn letter(root: &Expr, access_chain: &[AccessExpr]) -> Option<(Expr, Expr)> {
    let (AccessExpr::Subscript(Subscript::Index { index }), fields) = access_chain.split_last()? else {
        return None;
    };
    let mut path = match root {
        Expr::Identifier(name) => vec![name.clone()],
        Expr::CompoundIdentifier(path) => path.clone(),
        _ => return None,
    };
    for field in fields {
        let AccessExpr::Dot(Expr::Identifier(name)) = field else { return None };
        path.push(name.clone());
    }
    let is_name = path.last().is_some_and(|name| NAMES.contains(&name.value.to_lowercase().as_str()));
    let name = match path.as_slice() {
        [name] => Expr::Identifier(name.clone()),
        _ => Expr::CompoundIdentifier(path),
    };
    is_name.then(|| (name, index.clone()))
}

pub(super) fn column(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(path) => path.last(),
        _ => None,
    }
}

pub(super) fn is_vector(column: &Ident) -> bool {
    VECTORS.contains(&column.value.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_field_is_a_function() {
        check(RULE, "SELECT (f(a)).n", "SELECT get_field((f(a)), 'n')");
        check(RULE, "SELECT (r.keys).x FROM r", "SELECT get_field((r.keys), 'x') FROM r");
    }

    #[test]
    fn a_vector_counts_from_zero() {
        check(RULE, "SELECT i.indkey[0] FROM i", "SELECT i.indkey[0 + 1] FROM i");
        check(RULE, "SELECT t.typname[0] FROM t", "SELECT substr(t.typname, 0 + 1, 1) FROM t");
        check(RULE, "SELECT c.conkey[1] FROM c", "SELECT c.conkey[1] FROM c");
    }
}
