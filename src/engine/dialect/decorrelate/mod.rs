//! Correlated subqueries over the catalog, made into joins.
//!
//! DataFusion joins a correlated subquery only for equalities in its WHERE. Clients ask the catalog for more:
//! `unnest(outer.column)` in FROM, `= ANY (outer.column)`, EXISTS in a SELECT list. Here the distinct values of the
//! outer columns (the domain) are joined into the subquery, carried up through it, and joined back with the outer
//! rows. That reads the outer relations twice, so that it is done where those are the catalog's alone: they are in
//! memory. Everything else is left to `row_join` and to DataFusion.

mod domain;
mod membership;
mod push;
mod recursion;
mod refused;

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::logical_plan::{Aggregate, FetchType, Filter, Join, Projection, Subquery};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit, scalar_subquery};

use super::{lateral_rows, row_join};
use crate::engine::function::single_value;
use domain::{Domain, plain_columns};
use membership::Membership;
use push::push;

/// Makes every such subquery of a plan a join.
///
/// # Errors
/// Those of building plans.
pub(super) fn decorrelate(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.transform_down_with_subqueries(|node| match node {
        LogicalPlan::Projection(projection) => in_projection(projection),
        LogicalPlan::Filter(filter) => in_filter(filter),
        LogicalPlan::Aggregate(aggregate) => match in_aggregate(&aggregate)? {
            Some(plan) => Ok(Transformed::yes(plan)),
            None => Ok(Transformed::no(LogicalPlan::Aggregate(aggregate))),
        },
        LogicalPlan::Join(join) => {
            let joined = match lateral_rows::attach(&join)? {
                None => lateral(&join)?.map_or_else(|| in_join(&join), |plan| Ok(Some(plan)))?,
                rows => rows,
            };
            Ok(joined.map_or_else(|| Transformed::no(LogicalPlan::Join(join)), Transformed::yes))
        }
        other => Ok(Transformed::no(other)),
    })?;
    refused::refuse(&plan.data)?;
    Ok(plan.data)
}

fn in_projection(projection: Projection) -> Result<Transformed<LogicalPlan>> {
    let mut input = projection.input.as_ref().clone();
    let mut exprs = vec![];
    let mut changed = false;
    for (expr, (qualifier, field)) in projection.expr.iter().zip(projection.schema.iter()) {
        let done = replace(expr.clone(), &mut input, &projection.input, Replaced::All)?;
        changed |= done.transformed;
        // The new form has another name of its own.
        exprs.push(if done.transformed {
            done.data.unalias().alias_qualified(qualifier.cloned(), field.name())
        } else {
            done.data
        });
    }
    if !changed {
        return Ok(Transformed::no(LogicalPlan::Projection(projection)));
    }
    Ok(Transformed::yes(LogicalPlanBuilder::from(input).project(exprs)?.build()?))
}

fn in_filter(filter: Filter) -> Result<Transformed<LogicalPlan>> {
    let mut input = filter.input.as_ref().clone();
    let mut conditions = vec![];
    let mut changed = false;
    for condition in split_conjunction_owned(filter.predicate.clone()) {
        // Alone they are semi joins; inside a condition DataFusion takes their NULL for FALSE.
        let is_semi_join =
            matches!(condition, Expr::InSubquery(_) | Expr::SetComparison(_) | Expr::Exists(_));
        let of = if is_semi_join { Replaced::Values } else { Replaced::ValuesAndMembers };
        let done = replace(condition, &mut input, &filter.input, of)?;
        changed |= done.transformed;
        conditions.push(done.data);
    }
    if !changed {
        return Ok(Transformed::no(LogicalPlan::Filter(filter)));
    }
    let predicate = conjunction(conditions).unwrap_or_else(|| lit(true));
    let columns = filter.input.schema().columns().into_iter().map(Expr::from).collect::<Vec<_>>();
    Ok(Transformed::yes(LogicalPlanBuilder::from(input).filter(predicate)?.project(columns)?.build()?))
}

/// Subqueries in the arguments of aggregates.
fn in_aggregate(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let mut input = aggregate.input.as_ref().clone();
    let mut changed = false;
    let mut all = |exprs: &[Expr]| {
        let mut done = vec![];
        for expr in exprs {
            let expr = replace(expr.clone(), &mut input, &aggregate.input, Replaced::All)?;
            changed |= expr.transformed;
            done.push(expr.data);
        }
        Ok::<_, DataFusionError>(done)
    };
    let groups = all(&aggregate.group_expr)?;
    let values = all(&aggregate.aggr_expr)?;
    if !changed {
        return Ok(None);
    }
    let plan = LogicalPlanBuilder::from(input).aggregate(groups, values)?.build()?;
    let columns = plan.schema().columns().into_iter().zip(aggregate.schema.iter());
    let named: Vec<_> = columns
        .map(|(column, (qualifier, field))| {
            Expr::Column(column).alias_qualified(qualifier.cloned(), field.name())
        })
        .collect();
    Ok(Some(LogicalPlanBuilder::from(plan).project(named)?.build()?))
}

/// Which subqueries of an expression are replaced: where DataFusion makes semi joins, those are better.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replaced {
    /// Those for one value.
    Values,
    /// And `IN`, ANY and ALL.
    ValuesAndMembers,
    /// And EXISTS.
    All,
}

/// Replaces subqueries of an expression by columns that are joined to `input`.
fn replace(
    expr: Expr,
    input: &mut LogicalPlan,
    outer: &LogicalPlan,
    replaced: Replaced,
) -> Result<Transformed<Expr>> {
    let existence = replaced == Replaced::All;
    let membership = replaced != Replaced::Values;
    expr.transform_down(|expr| {
        let value = match &expr {
            Expr::ScalarSubquery(subquery) if !subquery.outer_ref_columns.is_empty() => {
                match attach(input, outer, subquery, Wanted::Value)? {
                    None => row_join::attach(input, subquery)?,
                    value => value,
                }
            }
            Expr::Exists(exists) if existence && exists.subquery.outer_ref_columns.is_empty() => {
                Some(has_rows(&exists.subquery, exists.negated)?)
            }
            Expr::Exists(exists) if existence => {
                Some(match attach(input, outer, &exists.subquery, Wanted::Existence)? {
                    Some(found) if exists.negated => found.is_null(),
                    Some(found) => found.is_not_null(),
                    None => counts_rows(input, &exists.subquery, exists.negated)?,
                })
            }
            Expr::InSubquery(_) | Expr::SetComparison(_) if membership => {
                match membership::value(input, &expr)? {
                    Some(Membership::Joined(value)) => Some(value),
                    Some(Membership::Listed(value)) if existence => return Ok(Transformed::yes(value)),
                    // In a condition DataFusion joins it, though with FALSE for NULL.
                    Some(Membership::Listed(_)) | None => None,
                }
            }
            _ => None,
        };
        Ok(match value {
            Some(column) => Transformed::new(column, true, TreeNodeRecursion::Jump),
            None => Transformed::no(expr),
        })
    })
}

/// EXISTS of a subquery that depends on nothing: its count is asked once.
fn has_rows(subquery: &Subquery, negated: bool) -> Result<Expr> {
    let first = LogicalPlanBuilder::from(subquery.subquery.as_ref().clone()).limit(0, Some(1))?;
    let counted = first.aggregate(Vec::<Expr>::new(), vec![count(lit(1))])?.build()?;
    let counted = scalar_subquery(Arc::new(counted));
    Ok(if negated { counted.eq(lit(0_i64)) } else { counted.gt(lit(0_i64)) })
}

/// EXISTS of a subquery over other tables than the catalog's: its rows are counted, which DataFusion joins.
fn counts_rows(input: &mut LogicalPlan, subquery: &Subquery, negated: bool) -> Result<Expr> {
    let rows = LogicalPlanBuilder::from(subquery.subquery.as_ref().clone());
    let counted = rows.aggregate(Vec::<Expr>::new(), vec![count(lit(1))])?.build()?;
    let counted = subquery.with_plan(Arc::new(counted));
    let counted = match row_join::attach(input, &counted)? {
        Some(column) => column,
        None => Expr::ScalarSubquery(counted),
    };
    Ok(if negated { counted.eq(lit(0_i64)) } else { counted.gt(lit(0_i64)) })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// The value of the subquery's column.
    Value,
    /// A column that is NULL where the subquery has no row.
    Existence,
}

/// Joins a subquery to `input`; the column that stands for it. `None` where it cannot be done.
fn attach(
    input: &mut LogicalPlan,
    outer: &LogicalPlan,
    subquery: &Subquery,
    wanted: Wanted,
) -> Result<Option<Expr>> {
    let Some(domain) = Domain::of(outer, &subquery.outer_ref_columns)? else { return Ok(None) };
    let Some(pushed) = push(subquery.subquery.as_ref().clone(), &domain)? else { return Ok(None) };
    let value_name = format!("{}value", domain.prefix);
    let mut columns = domain.columns_in(pushed.schema());
    let value = match wanted {
        Wanted::Existence => lit(true),
        Wanted::Value => match plain_columns(&domain, pushed.schema()).into_iter().next() {
            Some(column) => Expr::Column(column),
            None => return Ok(None),
        },
    };
    let keys = columns.clone();
    columns.push(value.alias(&value_name));
    let mut right = LogicalPlanBuilder::from(pushed).project(columns)?;
    if wanted == Wanted::Existence {
        right = right.distinct()?;
    } else if !has_one_row(&subquery.subquery) {
        let value = single_value().call(vec![Expr::Column(Column::new_unqualified(&value_name))]);
        right = right.aggregate(keys, vec![value.alias(&value_name)])?;
    }
    let right = right.build()?;
    let on = domain.join_with(&domain.outer, right.schema());
    *input = LogicalPlanBuilder::from(input.clone()).join_on(right, JoinType::Left, on)?.build()?;
    Ok(Some(Expr::Column(Column::new_unqualified(value_name))))
}

/// Whether a subquery gives one row at most, whatever it reads.
fn has_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(node) => has_one_row(&node.input),
        LogicalPlan::SubqueryAlias(node) => has_one_row(&node.input),
        LogicalPlan::Sort(node) => has_one_row(&node.input),
        LogicalPlan::Filter(node) => has_one_row(&node.input),
        LogicalPlan::Aggregate(node) => node.group_expr.is_empty(),
        LogicalPlan::Limit(node) => matches!(node.get_fetch_type(), Ok(FetchType::Literal(Some(0 | 1)))),
        LogicalPlan::EmptyRelation(_) => true,
        _ => false,
    }
}

/// A lateral item of FROM, joined by the values that it depends on.
fn lateral(join: &Join) -> Result<Option<LogicalPlan>> {
    if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        return Ok(None);
    }
    let (subquery, alias) = match join.right.as_ref() {
        LogicalPlan::Subquery(subquery) => (subquery, None),
        LogicalPlan::SubqueryAlias(aliased) => match aliased.input.as_ref() {
            LogicalPlan::Subquery(subquery) => (subquery, Some(aliased.alias.clone())),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let here: Vec<_> = subquery
        .outer_ref_columns
        .iter()
        .filter(
            |column| matches!(column, Expr::OuterReferenceColumn(_, c) if join.left.schema().has_column(c)),
        )
        .cloned()
        .collect();
    let Some(domain) = Domain::of(&join.left, &here)? else { return Ok(None) };
    let Some(pushed) = push(subquery.subquery.as_ref().clone(), &domain)? else { return Ok(None) };
    let mut columns = domain.columns_in(pushed.schema());
    // Under its own names, as the rest of the query knows them.
    columns.extend(plain_columns(&domain, pushed.schema()).into_iter().map(|column| {
        let name = column.name.clone();
        let qualifier = alias.clone().or_else(|| column.relation.clone());
        Expr::Column(column).alias_qualified(qualifier, name)
    }));
    let right = LogicalPlanBuilder::from(pushed).project(columns)?.build()?;
    let mut on = domain.join_with(&domain.outer, right.schema());
    on.extend(conditions(join));
    let kept: Vec<Expr> = join.schema.columns().into_iter().map(Expr::from).collect();
    let joined = LogicalPlanBuilder::from(join.left.as_ref().clone()).join_on(right, join.join_type, on)?;
    Ok(Some(joined.project(kept)?.build()?))
}

/// Subqueries in the condition of a join that depend on its left side.
fn in_join(join: &Join) -> Result<Option<LogicalPlan>> {
    let Some(filter) = &join.filter else { return Ok(None) };
    if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        return Ok(None);
    }
    let mut left = join.left.as_ref().clone();
    let done = replace(filter.clone(), &mut left, &join.left, Replaced::All)?;
    if !done.transformed {
        return Ok(None);
    }
    let equal = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    let on: Vec<Expr> = equal.chain([done.data]).collect();
    let kept: Vec<Expr> = join.schema.columns().into_iter().map(Expr::from).collect();
    let joined = LogicalPlanBuilder::from(left).join_on(join.right.as_ref().clone(), join.join_type, on)?;
    Ok(Some(joined.project(kept)?.build()?))
}

/// The conditions of a join, in one form.
fn conditions(join: &Join) -> impl Iterator<Item = Expr> {
    let equal = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    equal.chain(join.filter.clone())
}
