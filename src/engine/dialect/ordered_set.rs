//! `percentile_cont`, `percentile_disc` and `mode` take the values of a group as an array in their order.
//!
//! `percentile_cont(0.5) WITHIN GROUP (ORDER BY x)` is `pg_percentile_cont(array_agg(x ORDER BY x), 0.5)`.

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments,
    Ident, ObjectName,
};

use super::call;
use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(of_arrays);

fn of_arrays(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let name = function.name.0.last().and_then(|part| part.as_ident()).map(|name| name.value.to_lowercase());
    let (target, count) = match name.as_deref() {
        Some("percentile_cont") => ("pg_percentile_cont", 1),
        Some("percentile_disc") => ("pg_percentile_disc", 1),
        Some("mode") => ("pg_mode", 0),
        _ => return,
    };
    let [order] = function.within_group.as_slice() else { return };
    let FunctionArguments::List(list) = &function.args else { return };
    let direct: Vec<Expr> = list
        .args
        .iter()
        .filter_map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) => Some(arg.clone()),
            _ => None,
        })
        .collect();
    if direct.len() != count {
        return;
    }
    let mut values = function.clone();
    values.name = ObjectName::from(vec![Ident::new("array_agg")]);
    values.within_group = vec![];
    values.args = FunctionArguments::List(FunctionArgumentList {
        duplicate_treatment: None,
        args: vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(order.expr.clone()))],
        clauses: vec![FunctionArgumentClause::OrderBy(vec![order.clone()])],
    });
    *expr = call(target, std::iter::once(Expr::Function(values)).chain(direct).collect());
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn values_are_an_array() {
        check(
            RULE,
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x DESC), mode() WITHIN GROUP (ORDER BY y)",
            "SELECT pg_percentile_cont(array_agg(x ORDER BY x DESC), 0.5), pg_mode(array_agg(y ORDER BY y))",
        );
    }
}
