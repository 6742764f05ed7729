//! PostgreSQL's forms of SQL that DataFusion's planner does not take, made into forms that it takes.
//!
//! Takes: a parsed statement, changed in place. Gives: a statement of the same meaning. Pure: no catalog is asked,
//! no name of a client or text of a query is known. A rule is a file and a line in [`RULES`].
//! What needs types is not here but in `planner.rs`, which DataFusion asks while it plans.

mod aggregate_form;
mod arithmetic;
mod array_subquery;
mod between_symmetric;
mod call_form;
mod cast;
mod catalog_name;
mod collation;
mod column_name;
mod decorrelate;
mod distinct_from;
mod distinct_order;
mod exists_limit;
mod fetch_first;
mod field_access;
mod function_name;
mod integer_literal;
mod json_aggregate;
mod json_rows;
mod jsonb_operator;
mod keyword;
mod lateral_rows;
mod like_escape;
mod literal;
mod literal_cast;
mod mark;
mod name_pattern;
mod only_column;
mod operator;
mod ordered_set;
mod parameter_type;
mod planner;
mod prefix_operator;
mod quantified;
mod regex_substring;
mod relation_kind;
mod repeated_call;
mod result_type;
mod row_comparison;
mod row_join;
mod scalar_subquery;
mod set_returning;
mod simple_case;
mod special_day;
mod system_column;
mod system_view;
mod unnest_apart;
mod visit;
mod window_name;
mod work_table;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName,
    Query, SetExpr, Statement, Value,
};

pub(crate) use catalog_name::mentions_catalog;
pub(crate) use column_name::{MARK, shown_name};
pub(crate) use integer_literal::integer_literals;
pub(crate) use literal_cast::nested;
pub(crate) use planner::{bare, complete, expr_planners, typed};
pub(crate) use relation_kind::may_show_views;
pub(crate) use set_returning::is_named_value;
pub(crate) use system_view::expand_system_views;
use visit::Rule;

/// The rules, in the order in which they are applied to each node, innermost nodes first.
const RULES: &[Rule] = &[
    prefix_operator::RULE,
    catalog_name::FUNCTION,
    fetch_first::RULE,
    distinct_from::RULE,
    exists_limit::RULE,
    repeated_call::RULE,
    unnest_apart::RULE,
    operator::RULE,
    between_symmetric::RULE,
    function_name::RULE,
    ordered_set::RULE,
    json_aggregate::RULE,
    distinct_order::RULE,
    row_comparison::RULE,
    call_form::RULE,
    collation::RULE,
    name_pattern::RULE,
    catalog_name::RELATION,
    aggregate_form::RULE,
    system_column::RULE,
    keyword::RULE,
    like_escape::RULE,
    literal::RULE,
    simple_case::RULE,
    regex_substring::RULE,
    set_returning::LIST,
    set_returning::FROM,
    field_access::RULE,
    special_day::RULE,
    cast::RULE,
    array_subquery::RULE,
    quantified::RULE,
    scalar_subquery::RULE,
    window_name::DEFINITION,
    window_name::USE,
];

/// Rewrites PostgreSQL forms that DataFusion's SQL planner does not take into forms that it does.
pub(crate) fn rewrite(statement: &mut Statement) {
    // Names are given first: they come from the forms that the client wrote.
    column_name::name_columns(statement);
    visit::apply(RULES, statement);
}

/// A name as PostgreSQL takes it: in quotes exact, else in lower case.
#[must_use]
pub fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// Moves an expression out of its place.
fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::value(Value::Null))
}

/// The items of PostgreSQL's text form of an array with one dimension; `None` where it is not one.
pub(crate) fn array_items(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inner.is_empty() {
        return Some(vec![]);
    }
    let mut items = vec![String::new()];
    let mut quoted = false;
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => items.last_mut()?.push(letters.next()?),
            '"' => quoted = !quoted,
            ',' if !quoted => items.push(String::new()),
            '{' | '}' if !quoted => return None,
            other => items.last_mut()?.push(other),
        }
    }
    Some(items)
}

/// A whole number.
fn number(value: u32) -> Expr {
    Expr::value(Value::Number(value.to_string(), false))
}

/// A query without anything around its body.
fn query(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: vec![],
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: vec![],
    }
}

/// A call of a function.
pub(crate) fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: vec![],
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    /// Applies one rule to a statement, and prints it.
    pub(super) fn check(rule: Rule, before: &str, after: &str) {
        let mut statement = parse(before);
        visit::apply(&[rule], &mut statement);
        assert_eq!(statement.to_string(), after, "{before}");
    }

    pub(super) fn parse(sql: &str) -> Statement {
        Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0)
    }
}
