//! `x > ANY (SELECT ...)` and `x > ALL (SELECT ...)` compare with every row of the subquery.
//!
//! Its column gets a name of its own, or else its rows: so it is not taken for a subquery that must give one value, and
//! DataFusion, which compares `x` with the column by its name, never takes `t.x` of a subquery over `t` for the outer
//! `t.x`. Rows with a name are the second choice: DataFusion joins no subquery that refers outwards through one.

use arrow::array::{Array, StringArray};
use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArguments, GroupByExpr, Ident, Query, SelectItem, SetExpr,
    TableAlias, TableFactor, TableWithJoins, UnaryOperator, Value, Values, WildcardAdditionalOptions,
};

use super::set_returning::select;
use super::take;
use super::visit::Rule;
use crate::engine::SqlType;
use crate::engine::input::read;

pub(super) const RULE: Rule = Rule::Outer(named);

/// No user's table has it.
pub(super) const NAME: &str = "\u{E001}rows";

fn named(expr: &mut Expr) {
    if let Some(spelled) = of_array(expr) {
        *expr = spelled;
        return;
    }
    let (Expr::AnyOp { right, .. } | Expr::AllOp { right, .. }) = expr else { return };
    // An array of a query's rows has the same items.
    if let Expr::Function(Function { name, args: FunctionArguments::Subquery(query), .. }) = right.as_mut()
        && name.to_string().eq_ignore_ascii_case("array")
    {
        let query = std::mem::replace(query, Box::new(no_rows()));
        **right = Expr::Subquery(query);
    }
    let Expr::Subquery(query) = right.as_mut() else { return };
    match only_item(query) {
        Some(item) => {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                *item = SelectItem::ExprWithAlias { expr: take(expr), alias: Ident::with_quote('"', NAME) };
            }
        }
        None => name_rows(query),
    }
}

/// `x = ANY ('{a,b}')` and `x <> ALL ('{a,b}')` as lists, whose items get the type of `x`; with any other operator such
/// a literal is compared item by item. `x <> ALL ($1)` is `NOT (x = ANY ($1))`, whose right side gets a type elsewhere.
fn of_array(expr: &mut Expr) -> Option<Expr> {
    let (left, op, right, all) = match expr {
        Expr::AnyOp { left, compare_op, right, .. } => (left, compare_op, right, false),
        Expr::AllOp { left, compare_op, right } => (left, compare_op, right, true),
        _ => return None,
    };
    while let Expr::Nested(inner) = right.as_mut() {
        **right = take(inner);
    }
    let Expr::Value(value) = right.as_ref() else { return None };
    let text = match &value.value {
        Value::SingleQuotedString(text) => Some(text.clone()),
        Value::Placeholder(_) => None,
        _ => return None,
    };
    let items = text.map(|text| array_texts(&text));
    match (&*op, all, items) {
        // What is none of an array is told where the array is read.
        (_, _, Some(None)) => None,
        (BinaryOperator::Eq, false, Some(Some(items))) | (BinaryOperator::NotEq, true, Some(Some(items)))
            if !items.is_empty() =>
        {
            let list = items.into_iter().map(literal).collect();
            Some(Expr::Nested(Box::new(Expr::InList { expr: Box::new(take(left)), list, negated: all })))
        }
        (_, _, Some(Some(items))) => each(left, op, items, all),
        (BinaryOperator::NotEq, true, None) => {
            let any = Expr::AnyOp {
                left: Box::new(take(left)),
                compare_op: BinaryOperator::Eq,
                right: Box::new(take(right)),
                is_some: false,
            };
            let any = Expr::Nested(Box::new(any));
            Some(Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(any) })
        }
        (_, _, None) => None,
    }
}

/// The items of an array's text, NULL as `None`; `None` where it is none of one dimension.
fn array_texts(text: &str) -> Option<Vec<Option<String>>> {
    let texts = SqlType::Array(Box::new(SqlType::Text));
    let ScalarValue::List(list) = read(text, &texts, chrono_tz::UTC).ok()? else { return None };
    let items = list.values().as_any().downcast_ref::<StringArray>()?.clone();
    Some(items.iter().map(|item| item.map(str::to_owned)).collect())
}

fn literal(item: Option<String>) -> Expr {
    Expr::value(item.map_or(Value::Null, Value::SingleQuotedString))
}

/// A comparison with each item.
fn each(left: &Expr, op: &BinaryOperator, items: Vec<Option<String>>, all: bool) -> Option<Expr> {
    let compared = items.into_iter().map(|item| {
        let right = Box::new(literal(item));
        Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(left.clone()), op: op.clone(), right }))
    });
    let joined = compared.reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: if all { BinaryOperator::And } else { BinaryOperator::Or },
        right: Box::new(right),
    });
    Some(Expr::Nested(Box::new(joined.unwrap_or_else(|| Expr::value(Value::Boolean(all))))))
}

/// The item of a SELECT whose name nothing refers to.
fn only_item(query: &mut Query) -> Option<&mut SelectItem> {
    let is_ordered = query.order_by.is_some();
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return None };
    let is_grouped = !keys.is_empty() || select.having.is_some() || select.distinct.is_some();
    let [item] = select.projection.as_mut_slice() else { return None };
    let is_free = match item {
        SelectItem::UnnamedExpr(_) => !is_ordered,
        SelectItem::ExprWithAlias { .. } => !is_ordered && !is_grouped,
        _ => false,
    };
    is_free.then_some(item)
}

fn no_rows() -> Query {
    super::query(SetExpr::Values(Values { explicit_row: false, value_keyword: false, rows: vec![] }))
}

fn name_rows(query: &mut Query) {
    let inner = std::mem::replace(query, no_rows());
    let relation = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(inner),
        alias: Some(TableAlias {
            explicit: true,
            name: Ident::with_quote('"', NAME),
            columns: vec![],
            at: None,
        }),
        sample: None,
    };
    let mut outer = select(vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())]);
    if let SetExpr::Select(select) = outer.body.as_mut() {
        select.from = vec![TableWithJoins { relation, joins: vec![] }];
    }
    *query = outer;
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn what_is_compared_with_has_a_name() {
        check(
            RULE,
            "SELECT a > ALL(SELECT x FROM d)",
            &format!("SELECT a > ALL(SELECT x AS \"{NAME}\" FROM d)"),
        );
        check(
            RULE,
            "SELECT a > ALL(SELECT x FROM d ORDER BY x LIMIT 2)",
            &format!("SELECT a > ALL(SELECT * FROM (SELECT x FROM d ORDER BY x LIMIT 2) AS \"{NAME}\")"),
        );
        check(RULE, "SELECT a = ANY(b)", "SELECT a = ANY(b)");
        check(RULE, "SELECT a <> ALL('{b,NULL}')", "SELECT (a NOT IN ('b', NULL))");
        check(RULE, "SELECT a = ANY ('{\"NULL\"}')", "SELECT (a IN ('NULL'))");
        check(
            RULE,
            "SELECT a = ANY(ARRAY(SELECT x FROM d))",
            &format!("SELECT a = ANY(SELECT x AS \"{NAME}\" FROM d)"),
        );
        check(RULE, "SELECT a <> ALL ($1)", "SELECT NOT (a = ANY($1))");
        check(RULE, "SELECT a > ANY('{1,NULL}')", "SELECT ((a > '1') OR (a > NULL))");
        check(RULE, "SELECT a > ALL('{}'), a < ANY('{}')", "SELECT (true), (false)");
    }
}
