//! The types of a result's columns that Arrow does not tell: `name`, `oid`, `regclass` ... They travel as marks of
//! fields. DataFusion passes them on through columns and aliases, and drops them, or keeps those of what was cast
//! away, in other expressions: here each result column gets the one that PostgreSQL's rules give it.

use arrow::datatypes::Field;
use datafusion::common::DFSchema;
use datafusion::logical_expr::logical_plan::Distinct;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan};

use crate::table::SQL_TYPE;

/// What is known of a value's type.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    /// A literal: it has the type of what it stands beside.
    Literal,
    /// Arrow's type tells it.
    Plain,
    /// The type that this word names.
    Word(String),
}

/// The marks of a plan's columns, empty where Arrow's type tells it. To be asked before the plan is rewritten.
pub(super) fn marks(plan: &LogicalPlan) -> Vec<String> {
    let word = |at| match of_column(plan, at) {
        Mark::Word(word) => word,
        Mark::Literal | Mark::Plain => String::new(),
    };
    (0..plan.schema().fields().len()).map(word).collect()
}

fn of_column(plan: &LogicalPlan, at: usize) -> Mark {
    match plan {
        LogicalPlan::SubqueryAlias(node) => of_column(&node.input, at),
        LogicalPlan::Projection(node) => node.expr.get(at).map_or(Mark::Plain, |e| of_expr(e, &node.input)),
        LogicalPlan::Filter(node) => of_column(&node.input, at),
        LogicalPlan::Sort(node) => of_column(&node.input, at),
        LogicalPlan::Limit(node) => of_column(&node.input, at),
        LogicalPlan::Distinct(Distinct::All(input)) => of_column(input, at),
        LogicalPlan::Distinct(Distinct::On(on)) => {
            on.select_expr.get(at).map_or(Mark::Plain, |expr| of_expr(expr, &on.input))
        }
        LogicalPlan::Aggregate(node)
            if !node.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_))) =>
        {
            let exprs = node.group_expr.iter().chain(&node.aggr_expr);
            exprs.skip(at).map(|expr| of_expr(expr, &node.input)).next().unwrap_or(Mark::Plain)
        }
        LogicalPlan::Window(node) => {
            let before = node.input.schema().fields().len();
            match at.checked_sub(before) {
                None => of_column(&node.input, at),
                Some(at) => node.window_expr.get(at).map_or(Mark::Plain, |expr| of_expr(expr, &node.input)),
            }
        }
        LogicalPlan::Join(join) => {
            let left = join.left.schema().fields().len();
            match join.join_type {
                JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => of_column(&join.right, at),
                _ if at < left => of_column(&join.left, at),
                _ => of_column(&join.right, at - left),
            }
        }
        LogicalPlan::Union(union) => first_of(union.inputs.iter().map(|input| of_column(input, at))),
        LogicalPlan::RecursiveQuery(query) => of_column(&query.static_term, at),
        LogicalPlan::Unnest(node) => {
            let Some(from) = node.dependency_indices.get(at) else { return Mark::Plain };
            let mark = of_column(&node.input, *from);
            let is_list = node.list_type_columns.iter().any(|(column, _)| column == from);
            if is_list { item(mark) } else { mark }
        }
        other => other.schema().fields().get(at).map_or(Mark::Plain, |field| of_field(field)),
    }
}

fn of_field(field: &Field) -> Mark {
    let word = field.metadata().get(SQL_TYPE).filter(|word| !word.is_empty());
    word.map_or(Mark::Plain, |word| Mark::Word(word.clone()))
}

fn of_expr(expr: &Expr, input: &LogicalPlan) -> Mark {
    match expr {
        Expr::Alias(alias) => of_expr(&alias.expr, input),
        Expr::Column(column) => match input.schema().maybe_index_of_column(column) {
            Some(at) => of_column(input, at),
            None => of_schema(expr, input.schema()),
        },
        Expr::Literal(_, None) => Mark::Literal,
        Expr::Cast(cast) => of_field(&cast.field),
        Expr::TryCast(cast) => of_field(&cast.field),
        // Of a CASE, PostgreSQL takes ELSE for the most important.
        Expr::Case(case) => {
            let values = case.else_expr.iter().chain(case.when_then_expr.iter().map(|(_, then)| then));
            first_of(values.map(|value| of_expr(value, input)))
        }
        Expr::ScalarSubquery(subquery) => of_column(&subquery.subquery, 0),
        Expr::ScalarFunction(call) => of_function(expr, call.func.name(), &call.args, input),
        Expr::AggregateFunction(call) => of_aggregate(call.func.name(), &call.params.args, input),
        Expr::WindowFunction(call) => of_aggregate(call.fun.name(), &call.params.args, input),
        other => of_schema(other, input.schema()),
    }
}

fn of_schema(expr: &Expr, schema: &DFSchema) -> Mark {
    use datafusion::logical_expr::ExprSchemable;
    match expr {
        Expr::Placeholder(parameter) => parameter.field.as_ref().map_or(Mark::Plain, |field| of_field(field)),
        Expr::Column(_) | Expr::Literal(..) | Expr::OuterReferenceColumn(..) | Expr::ScalarFunction(_) => {
            expr.to_field(schema).map_or(Mark::Plain, |(_, field)| of_field(&field))
        }
        _ => Mark::Plain,
    }
}

fn of_function(call: &Expr, name: &str, args: &[Expr], input: &LogicalPlan) -> Mark {
    let first = || args.first().map_or(Mark::Plain, |arg| of_expr(arg, input));
    match name {
        "coalesce" | "greatest" | "least" => first_of(args.iter().map(|arg| of_expr(arg, input))),
        "nullif" | "array_append" | "array_cat" | "array_concat" | "array_distinct" | "array_remove"
        | "array_remove_all" | "array_sort" | "array_slice" => first(),
        "array_element" => item(first()),
        "make_array" => list(first_of(args.iter().map(|arg| of_expr(arg, input)))),
        _ => of_schema(call, input.schema()),
    }
}

fn of_aggregate(name: &str, args: &[Expr], input: &LogicalPlan) -> Mark {
    let first = || args.first().map_or(Mark::Plain, |arg| of_expr(arg, input));
    match name {
        "array_agg" => list(first()),
        "single_value" | "first_value" | "last_value" | "nth_value" | "lead" | "lag" => first(),
        // Of `name`, PostgreSQL knows none: it compares the texts.
        "min" | "max" => match first() {
            Mark::Word(word) if word == "oid" => Mark::Word(word),
            _ => Mark::Plain,
        },
        _ => Mark::Plain,
    }
}

/// The type that several values have together: that of the first one that is no literal, where the others fit it.
fn first_of(marks: impl Iterator<Item = Mark>) -> Mark {
    let word = |mark: &Mark, name: &str| matches!(mark, Mark::Word(word) if word == name);
    marks
        .filter(|mark| *mark != Mark::Literal)
        .reduce(|first, next| match () {
            // `"char"` goes where others are, and a number is an oid beside one.
            () if word(&first, "char") && first != next => next,
            () if first == Mark::Plain && word(&next, "oid") => next,
            () => first,
        })
        .unwrap_or(Mark::Literal)
}

fn list(item: Mark) -> Mark {
    match item {
        Mark::Word(word) => Mark::Word(format!("{word}[]")),
        other => other,
    }
}

fn item(list: Mark) -> Mark {
    match list {
        Mark::Word(word) if word == "oidvector" => Mark::Word("oid".to_owned()),
        Mark::Word(word) => word.strip_suffix("[]").map_or(Mark::Plain, |word| Mark::Word(word.to_owned())),
        Mark::Plain | Mark::Literal => Mark::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(word: &str) -> Mark {
        Mark::Word(word.to_owned())
    }

    #[test]
    fn the_first_type_decides() {
        for (marks, expect) in [
            (vec![Mark::Literal, word("name")], word("name")),
            (vec![word("name"), Mark::Plain], word("name")),
            (vec![Mark::Plain, word("name")], Mark::Plain),
            (vec![word("char"), word("name")], word("name")),
            (vec![Mark::Plain, word("oid")], word("oid")),
            (vec![Mark::Literal], Mark::Literal),
        ] {
            assert_eq!(first_of(marks.into_iter()), expect);
        }
    }

    #[test]
    fn lists_have_items() {
        assert_eq!(list(word("name")), word("name[]"));
        assert_eq!(item(word("name[]")), word("name"));
        assert_eq!(item(word("oidvector")), word("oid"));
        assert_eq!(item(word("int2vector")), Mark::Plain);
    }
}
