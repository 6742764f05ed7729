//! The domain goes up through the plan of a subquery.

use std::sync::Arc;

use datafusion::common::{Column, JoinType};
use datafusion::error::Result;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::logical_plan::{
    Aggregate, Distinct, FetchType, Join, Limit, Projection, SkipType,
};
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, SortExpr, lit};

use super::domain::{Domain, plain_columns, same};
use super::{conditions, in_aggregate, lateral, recursion};

/// The plan with the domain's columns among its own, for each of the domain's rows. `None` for a form that is not
/// known here.
pub(super) fn push(plan: LogicalPlan, domain: &Domain) -> Result<Option<LogicalPlan>> {
    if !domain.is_used_in(&plan)? {
        return Ok(Some(LogicalPlanBuilder::from(plan).cross_join(domain.plan.clone())?.build()?));
    }
    match plan {
        LogicalPlan::TableScan(_) if domain.column(0, plan.schema()).is_some() => Ok(Some(plan)),
        LogicalPlan::RecursiveQuery(query) => recursion::push_recursive(&query, domain),
        LogicalPlan::Limit(limit) => push_limit(&limit, domain),
        LogicalPlan::Projection(projection) => push_projection(&projection, domain),
        LogicalPlan::Filter(filter) => {
            let Some(input) = push(filter.input.as_ref().clone(), domain)? else { return Ok(None) };
            let predicate = domain.substitute(filter.predicate.clone(), input.schema())?;
            Ok(Some(LogicalPlanBuilder::from(input).filter(predicate)?.build()?))
        }
        LogicalPlan::SubqueryAlias(aliased) => {
            let Some(input) = push(aliased.input.as_ref().clone(), domain)? else { return Ok(None) };
            Ok(Some(LogicalPlanBuilder::from(input).alias(aliased.alias.clone())?.build()?))
        }
        LogicalPlan::Distinct(Distinct::All(input)) => {
            let Some(input) = push(input.as_ref().clone(), domain)? else { return Ok(None) };
            Ok(Some(LogicalPlanBuilder::from(input).distinct()?.build()?))
        }
        LogicalPlan::Sort(sort) => {
            let Some(input) = push(sort.input.as_ref().clone(), domain)? else { return Ok(None) };
            let keys = sort.expr.iter().map(|key| {
                let expr = domain.substitute(key.expr.clone(), input.schema())?;
                Ok(SortExpr::new(expr, key.asc, key.nulls_first))
            });
            let keys = keys.collect::<Result<Vec<_>>>()?;
            Ok(Some(LogicalPlanBuilder::from(input).sort(keys)?.build()?))
        }
        LogicalPlan::Unnest(unnest) => {
            let Some(input) = push(unnest.input.as_ref().clone(), domain)? else { return Ok(None) };
            let columns = unnest.exec_columns.clone();
            let plan = LogicalPlanBuilder::from(input)
                .unnest_columns_with_options(columns, unnest.options.clone())?;
            Ok(Some(plan.build()?))
        }
        LogicalPlan::Aggregate(aggregate) => match in_aggregate(&aggregate)? {
            Some(plan) => push(plan, domain),
            None => push_aggregate(&aggregate, domain),
        },
        // A lateral item that stands alone in FROM.
        LogicalPlan::Subquery(subquery) => push(subquery.subquery.as_ref().clone(), domain),
        LogicalPlan::Join(join) => match lateral(&join)? {
            Some(plan) => push(plan, domain),
            None => push_join(&join, domain),
        },
        _ => Ok(None),
    }
}

fn push_projection(projection: &Projection, domain: &Domain) -> Result<Option<LogicalPlan>> {
    let Some(input) = push(projection.input.as_ref().clone(), domain)? else { return Ok(None) };
    let mut exprs = vec![];
    for (expr, (qualifier, field)) in projection.expr.iter().zip(projection.schema.iter()) {
        let substituted = domain.substitute(expr.clone(), input.schema())?;
        let is_same = substituted == *expr;
        exprs.push(if is_same {
            substituted
        } else {
            substituted.unalias().alias_qualified(qualifier.cloned(), field.name())
        });
    }
    exprs.extend(domain.columns_in(input.schema()));
    Ok(Some(LogicalPlanBuilder::from(input).project(exprs)?.build()?))
}

/// Grouped by the domain. Without groups of its own, an aggregate has a row where it has no input, too.
fn push_aggregate(aggregate: &Aggregate, domain: &Domain) -> Result<Option<LogicalPlan>> {
    let Some(input) = push(aggregate.input.as_ref().clone(), domain)? else { return Ok(None) };
    let substitute = |expr: &Expr| domain.substitute(expr.clone(), input.schema());
    let mut groups = aggregate.group_expr.iter().map(substitute).collect::<Result<Vec<_>>>()?;
    let values = aggregate.aggr_expr.iter().map(substitute).collect::<Result<Vec<_>>>()?;
    groups.extend(domain.columns_in(input.schema()));
    let grouped = LogicalPlanBuilder::from(input).aggregate(groups, values.clone())?.build()?;
    // Under the names of before, behind the domain's columns.
    let mut columns = domain.columns_in(grouped.schema());
    let plain = plain_columns(domain, grouped.schema());
    let named = plain.into_iter().zip(aggregate.schema.iter());
    columns.extend(named.map(|(column, (qualifier, field))| {
        Expr::Column(column).alias_qualified(qualifier.cloned(), field.name())
    }));
    let grouped = LogicalPlanBuilder::from(grouped).project(columns)?.build()?;
    if !aggregate.group_expr.is_empty() {
        return Ok(Some(grouped));
    }
    // Names that the domain itself does not have, so that the two can be joined.
    let mut columns = vec![];
    for i in 0..domain.outer.len() {
        if let Some(column) = domain.column(i, grouped.schema()) {
            columns.push(Expr::Column(column).alias(format!("group {}", domain.name(i))));
        }
    }
    let plain = plain_columns(domain, grouped.schema());
    columns.extend(plain.iter().cloned().map(Expr::Column));
    let grouped = LogicalPlanBuilder::from(grouped).project(columns)?.build()?;
    let on = (0..domain.outer.len()).filter_map(|i| {
        let here = domain.column(i, domain.plan.schema())?;
        let there = Column::new_unqualified(format!("group {}", domain.name(i)));
        Some(same(Expr::Column(here), Expr::Column(there)))
    });
    let on: Vec<_> = on.collect();
    let joined = LogicalPlanBuilder::from(domain.plan.clone()).join_on(grouped, JoinType::Left, on)?;
    let mut kept = domain.columns_in(domain.plan.schema());
    let counted = values.iter().map(is_count).collect::<Vec<_>>();
    kept.extend(plain.into_iter().zip(counted).map(|(column, is_count)| {
        let (relation, name) = (column.relation.clone(), column.name.clone());
        let value = Expr::Column(column);
        if is_count { coalesce(vec![value, lit(0_i64)]).alias_qualified(relation, name) } else { value }
    }));
    Ok(Some(joined.project(kept)?.build()?))
}

fn is_count(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_count(&alias.expr),
        Expr::AggregateFunction(function) => function.func.name() == "count",
        _ => false,
    }
}

/// The domain goes into one side, and into the other one where that depends on it, too.
fn push_join(join: &Join, domain: &Domain) -> Result<Option<LogicalPlan>> {
    if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        return Ok(None);
    }
    let (mut left, mut right) = (join.left.as_ref().clone(), join.right.as_ref().clone());
    if join.join_type == JoinType::Inner && !domain.is_used_in(&left)? {
        // The side that depends on the domain brings its columns along.
        std::mem::swap(&mut left, &mut right);
    }
    let Some(left) = push(left, domain)? else { return Ok(None) };
    let mut on = vec![];
    if domain.is_used_in(&right)? {
        let Some(pushed) = push(right, domain)? else { return Ok(None) };
        let mut columns: Vec<Expr> =
            plain_columns(domain, pushed.schema()).into_iter().map(Expr::Column).collect();
        for i in 0..domain.outer.len() {
            let name = format!("right {}", domain.name(i));
            if let (Some(there), Some(here)) =
                (domain.column(i, pushed.schema()), domain.column(i, left.schema()))
            {
                columns.push(Expr::Column(there).alias(&name));
                on.push(same(Expr::Column(here), Expr::Column(Column::new_unqualified(name))));
            }
        }
        right = LogicalPlanBuilder::from(pushed).project(columns)?.build()?;
    }
    let both = left.schema().join(right.schema())?;
    for condition in conditions(join) {
        on.push(domain.substitute(condition, &both)?);
    }
    let mut kept: Vec<Expr> = plain_columns(domain, &join.schema).into_iter().map(Expr::Column).collect();
    kept.extend(domain.columns_in(left.schema()));
    let joined = LogicalPlanBuilder::from(left).join_on(right, join.join_type, on)?;
    Ok(Some(joined.project(kept)?.build()?))
}

/// The first rows for each of the domain's rows, in the order that is below.
fn push_limit(limit: &Limit, domain: &Domain) -> Result<Option<LogicalPlan>> {
    let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
        (limit.get_skip_type()?, limit.get_fetch_type()?)
    else {
        return Ok(None);
    };
    // What is made of a row does not change which are the first ones.
    if let LogicalPlan::Projection(projection) = limit.input.as_ref()
        && !projection.expr.iter().any(Expr::is_volatile)
    {
        let below = Limit { input: Arc::clone(&projection.input), ..limit.clone() };
        let below = Arc::new(LogicalPlan::Limit(below));
        return push_projection(&Projection::try_new(projection.expr.clone(), below)?, domain);
    }
    let (input, order) = match limit.input.as_ref() {
        LogicalPlan::Sort(sort) => (sort.input.as_ref(), sort.expr.as_slice()),
        other => (other, [].as_slice()),
    };
    let Some(input) = push(input.clone(), domain)? else { return Ok(None) };
    let order = order.iter().map(|key| {
        Ok(SortExpr::new(domain.substitute(key.expr.clone(), input.schema())?, key.asc, key.nulls_first))
    });
    let order = order.collect::<Result<Vec<_>>>()?;
    let columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
    let place = format!("{}place", domain.prefix);
    let number = row_number().partition_by(domain.columns_in(input.schema())).order_by(order).build()?;
    let number = number.alias(&place);
    let first = lit(u64::try_from(skip).unwrap_or(u64::MAX));
    let place = Expr::Column(Column::new_unqualified(place));
    let mut kept = place.clone().gt(first);
    if let Some(fetch) = fetch {
        kept = kept.and(place.lt_eq(lit(u64::try_from(skip.saturating_add(fetch)).unwrap_or(u64::MAX))));
    }
    let numbered = LogicalPlanBuilder::from(input).window(vec![number])?;
    Ok(Some(numbered.filter(kept)?.project(columns)?.build()?))
}
