//! `ARRAY(SELECT x ... ORDER BY y)` is a subquery with `array_agg(x ORDER BY y)`; no rows give an empty array.

use datafusion::sql::sqlparser::ast::{
    Array, Expr, Function, FunctionArguments, GroupByExpr, OrderBy, OrderByKind, Query, Select, SelectItem,
    SetExpr, Value, Values,
};

use super::scalar_subquery::add_order;
use super::visit::Rule;
use super::{call, take};

pub(super) const RULE: Rule = Rule::Expr(aggregate);

fn aggregate(expr: &mut Expr) {
    let Expr::Function(Function { name, args: FunctionArguments::Subquery(query), .. }) = expr else {
        return;
    };
    if !name.to_string().eq_ignore_ascii_case("array") || !rewritten(query) {
        return;
    }
    let query = std::mem::replace(
        query,
        Box::new(super::query(SetExpr::Values(Values {
            explicit_row: false,
            value_keyword: false,
            rows: vec![],
        }))),
    );
    *expr = Expr::Subquery(query);
}

fn rewritten(query: &mut Query) -> bool {
    if query.limit_clause.is_some() || query.fetch.is_some() {
        return false;
    }
    let Query { body, order_by, .. } = query;
    let SetExpr::Select(select) = body.as_mut() else { return false };
    let Select { projection, distinct: None, group_by: GroupByExpr::Expressions(keys, _), .. } =
        select.as_mut()
    else {
        return false;
    };
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        projection.as_mut_slice()
    else {
        return false;
    };
    if !keys.is_empty() {
        return false;
    }
    let mut order = match order_by.take() {
        Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) => order,
        _ => vec![],
    };
    for key in &mut order {
        // `ORDER BY 1` is the item itself.
        if matches!(&key.expr, Expr::Value(value) if value.value == Value::Number("1".into(), false)) {
            key.expr = item.clone();
        }
    }
    let value = take(item);
    let mut array = call("array_agg", vec![value]);
    add_order(&mut array, order);
    *item = call("coalesce", vec![array, Expr::Array(Array { elem: vec![], named: true })]);
    true
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn an_array_of_rows_is_an_aggregate() {
        check(
            RULE,
            "SELECT array(SELECT rolname FROM r WHERE a = 1 ORDER BY 1)",
            "SELECT (SELECT coalesce(array_agg(rolname ORDER BY rolname), ARRAY[]) FROM r WHERE a = 1)",
        );
        check(
            RULE,
            "SELECT ARRAY(SELECT x FROM r)",
            "SELECT (SELECT coalesce(array_agg(x), ARRAY[]) FROM r)",
        );
    }
}
