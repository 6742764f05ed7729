//! `array_agg(DISTINCT x)` has its values in their order: PostgreSQL sorts them to tell them apart.

use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, OrderByExpr, OrderByOptions,
};

use super::visit::Rule;

pub(super) const RULE: Rule = Rule::Expr(sorted);

fn sorted(expr: &mut Expr) {
    if let Expr::Function(function) = expr {
        let name = function.name.to_string().to_lowercase();
        if matches!(name.as_str(), "array_agg" | "string_agg") {
            ordered(function);
        }
    }
}

/// Orders a call with DISTINCT by its first argument, unless it has an order.
pub(super) fn ordered(function: &mut Function) {
    // A window has an order of its own.
    if function.over.is_some() {
        return;
    }
    let FunctionArguments::List(list) = &mut function.args else { return };
    let has_order = list.clauses.iter().any(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)));
    if has_order || list.duplicate_treatment != Some(DuplicateTreatment::Distinct) {
        return;
    }
    if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))) = list.args.first() {
        let options = OrderByOptions { asc: Some(true), nulls_first: Some(false) };
        let order = OrderByExpr { expr: arg.clone(), options, with_fill: None };
        list.clauses.push(FunctionArgumentClause::OrderBy(vec![order]));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn distinct_values_are_in_order() {
        check(
            RULE,
            "SELECT array_agg(DISTINCT a), string_agg(DISTINCT b, ',' ORDER BY b DESC)",
            "SELECT array_agg(DISTINCT a ORDER BY a ASC NULLS LAST), string_agg(DISTINCT b, ',' ORDER BY b DESC)",
        );
    }
}
