//! Bound parameters: their types, declared by the client or inferred from the statement, and their values.

use std::collections::HashMap;

use arrow::datatypes::DataType;
use chrono_tz::Tz;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{Cast, Placeholder, ScalarFunction};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Ident};

use super::SqlType;
use super::dialect::nested;
use super::type_planner::{planned_type, spelled};

/// Plans with the declared types; where the client left some out, they are inferred from a first plan, and text
/// where that says nothing either.
pub(super) fn plan(
    declared: &[Option<SqlType>],
    plan: &dyn Fn(&[SqlType]) -> DfResult<LogicalPlan>,
) -> DfResult<(LogicalPlan, Vec<SqlType>)> {
    if !declared.is_empty()
        && let Some(types) = declared.iter().cloned().collect::<Option<Vec<_>>>()
        && let Ok(logical) = plan(&types).map(unwrap)
        && count(&logical)? <= types.len()
    {
        return Ok((logical, types));
    }
    let first = plan(&[])?;
    let wanted = count(&first)?.max(declared.len());
    if wanted == 0 {
        return Ok((first, vec![]));
    }
    let inferred = inferred(&first)?;
    let of = |i: usize| {
        let said = declared.get(i).cloned().flatten();
        said.or_else(|| inferred.get(&format!("${}", i + 1)).cloned()).unwrap_or(SqlType::Text)
    };
    let types: Vec<SqlType> = (0..wanted).map(of).collect();
    let logical = unwrap(plan(&types)?);
    Ok((logical, types))
}

/// How many parameters a plan has: the highest number.
fn count(plan: &LogicalPlan) -> DfResult<usize> {
    let names = plan.get_parameter_names()?;
    Ok(names.iter().filter_map(|n| n.trim_start_matches('$').parse().ok()).max().unwrap_or(0))
}

/// The types that a plan says of its parameters: what one is cast to, else what it is used with first.
fn inferred(plan: &LogicalPlan) -> DfResult<HashMap<String, SqlType>> {
    let (mut cast_to, mut used_as) = (HashMap::new(), HashMap::new());
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                match expr {
                    Expr::Cast(Cast { expr, field }) => {
                        if let Expr::Placeholder(Placeholder { id, field: own }) = expr.as_ref() {
                            cast_to
                                .entry(id.clone())
                                .or_insert_with(|| SqlType::of(own.as_ref().unwrap_or(field)));
                        }
                    }
                    Expr::ScalarFunction(ScalarFunction { func, args }) => {
                        if let [Expr::Placeholder(Placeholder { id, .. })] = args.as_slice()
                            && let Some(sql_type) = converted_from(func.name())
                        {
                            cast_to.entry(id.clone()).or_insert(sql_type);
                        }
                    }
                    Expr::Placeholder(Placeholder { id, field: Some(field) }) => {
                        used_as.entry(id.clone()).or_insert_with(|| SqlType::of(field));
                    }
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    used_as.extend(cast_to);
    Ok(used_as)
}

/// The type of what a cast is that became a function.
fn converted_from(function: &str) -> Option<SqlType> {
    match function {
        "pg_uuid" => Some(SqlType::Uuid),
        "pg_json" => Some(SqlType::Json),
        "pg_jsonb" => Some(SqlType::Jsonb),
        "pg_oid" => Some(SqlType::Oid),
        _ => None,
    }
}

/// A statement whose parameters have these types: PREPARE is how the planner takes them.
pub(super) fn declared(statement: ast::Statement, types: &[SqlType]) -> ast::Statement {
    if types.is_empty() {
        return statement;
    }
    ast::Statement::Prepare {
        name: Ident::with_quote('"', "statement"),
        data_types: types.iter().map(spelled).collect(),
        statement: Box::new(statement),
    }
}

/// The plan inside a PREPARE.
fn unwrap(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Statement(datafusion::logical_expr::Statement::Prepare(prepare)) => {
            prepare.input.as_ref().clone()
        }
        other => other,
    }
}

/// The values in order, each of its parameter's type. A numeric has its own digits; an instant is one of the session's
/// zone, whose day it has.
pub(super) fn values(types: &[SqlType], values: Vec<ScalarValue>, zone: Tz) -> DfResult<Vec<ScalarValue>> {
    let typed = |(sql_type, value): (&SqlType, ScalarValue)| {
        let wanted = in_zone(planned_type(sql_type), zone);
        if has_type(&value.data_type(), &wanted) {
            return Ok(value);
        }
        let wanted = nested(&value.data_type(), &wanted);
        value.cast_to(&wanted)
    };
    types.iter().zip(values).map(typed).collect()
}

fn in_zone(data_type: DataType, zone: Tz) -> DataType {
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(unit, Some(zone.name().into())),
        DataType::List(item) => DataType::new_list(in_zone(item.data_type().clone(), zone), true),
        other => other,
    }
}

fn has_type(own: &DataType, wanted: &DataType) -> bool {
    match (own, wanted) {
        (DataType::Decimal128(..), DataType::Decimal128(..)) => true,
        (DataType::List(own), DataType::List(wanted)) => has_type(own.data_type(), wanted.data_type()),
        (own, wanted) => own == wanted,
    }
}
