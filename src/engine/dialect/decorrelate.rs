//! Correlated subqueries over the catalog, made into joins.
//!
//! DataFusion joins a correlated subquery only for equalities in its WHERE. Clients ask the catalog for more:
//! `unnest(outer.column)` in FROM, `= ANY (outer.column)`, EXISTS in a SELECT list. Here the distinct values of the
//! outer columns (the domain) are joined into the subquery, carried up through it, and joined back with the outer
//! rows. That reads the outer relations twice, so that it is done where those are the catalog's alone: they are in
//! memory. Everything else is left to `row_join` and to DataFusion.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::logical_plan::{Aggregate, Distinct, Filter, Join, Projection, Subquery};
use datafusion::logical_expr::{
    BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator, SortExpr, lit, scalar_subquery,
};

use super::{lateral_rows, recursion, row_join};

/// Makes every such subquery of a plan a join.
///
/// # Errors
/// Those of building plans.
pub(super) fn decorrelate(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_down_with_subqueries(|node| match node {
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
    })
    .map(|done| done.data)
}

fn in_projection(projection: Projection) -> Result<Transformed<LogicalPlan>> {
    let mut input = projection.input.as_ref().clone();
    let mut exprs = vec![];
    let mut changed = false;
    for (expr, (qualifier, field)) in projection.expr.iter().zip(projection.schema.iter()) {
        let done = replace(expr.clone(), &mut input, &projection.input, true)?;
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
    let done = replace(filter.predicate.clone(), &mut input, &filter.input, false)?;
    if !done.transformed {
        return Ok(Transformed::no(LogicalPlan::Filter(filter)));
    }
    let columns = filter.input.schema().columns().into_iter().map(Expr::from).collect::<Vec<_>>();
    Ok(Transformed::yes(LogicalPlanBuilder::from(input).filter(done.data)?.project(columns)?.build()?))
}

/// Subqueries in the arguments of aggregates.
fn in_aggregate(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let mut input = aggregate.input.as_ref().clone();
    let mut changed = false;
    let mut all = |exprs: &[Expr]| {
        let mut done = vec![];
        for expr in exprs {
            let expr = replace(expr.clone(), &mut input, &aggregate.input, true)?;
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

/// Replaces the subqueries of an expression by columns that are joined to `input`. `existence` tells whether EXISTS
/// is replaced too: where DataFusion makes semi joins, those are better.
fn replace(
    expr: Expr,
    input: &mut LogicalPlan,
    outer: &LogicalPlan,
    existence: bool,
) -> Result<Transformed<Expr>> {
    expr.transform_down(|expr| {
        let replaced = match &expr {
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
            _ => None,
        };
        Ok(match replaced {
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
    columns.push(value.alias(&value_name));
    let mut right = LogicalPlanBuilder::from(pushed).project(columns)?;
    if wanted == Wanted::Existence {
        right = right.distinct()?;
    }
    let right = right.build()?;
    let on = domain.join_with(&domain.outer, right.schema());
    *input = LogicalPlanBuilder::from(input.clone()).join_on(right, JoinType::Left, on)?.build()?;
    Ok(Some(Expr::Column(Column::new_unqualified(value_name))))
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
    let done = replace(filter.clone(), &mut left, &join.left, true)?;
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
pub(super) fn conditions(join: &Join) -> impl Iterator<Item = Expr> {
    let equal = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    equal.chain(join.filter.clone())
}

/// The distinct values of the outer columns that a subquery depends on.
pub(super) struct Domain {
    /// The columns in the outer plan.
    outer: Vec<Column>,
    /// Begins the names of the domain's columns.
    prefix: String,
    plan: LogicalPlan,
}

impl Domain {
    /// `None` where a column is of a query further out, or where the outer plan is not in memory.
    fn of(outer: &LogicalPlan, references: &[Expr]) -> Result<Option<Self>> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let mut columns: Vec<Column> = vec![];
        for reference in references {
            if let Expr::OuterReferenceColumn(_, column) = reference
                && !columns.contains(column)
            {
                columns.push(column.clone());
            }
        }
        if columns.is_empty()
            || !columns.iter().all(|column| outer.schema().has_column(column))
            || !is_catalog(outer)?
        {
            return Ok(None);
        }
        let prefix = format!("\u{E001}{}.", NUMBER.fetch_add(1, Ordering::Relaxed));
        let named = columns
            .iter()
            .enumerate()
            .map(|(i, column)| Expr::Column(column.clone()).alias(format!("{prefix}{i}")));
        let plan = LogicalPlanBuilder::from(outer.clone())
            .project(named.collect::<Vec<_>>())?
            .distinct()?
            .build()?;
        Ok(Some(Self { outer: columns, prefix, plan }))
    }

    fn name(&self, position: usize) -> String {
        format!("{}{position}", self.prefix)
    }

    /// The domain's columns where a schema has them.
    pub(super) fn columns_in(&self, schema: &DFSchema) -> Vec<Expr> {
        (0..self.outer.len()).filter_map(|i| self.column(i, schema)).map(Expr::Column).collect()
    }

    fn column(&self, position: usize, schema: &DFSchema) -> Option<Column> {
        let name = self.name(position);
        let (qualifier, field) = schema.iter().find(|(_, field)| *field.name() == name)?;
        Some(Column::from((qualifier, field)))
    }

    /// The conditions that join other columns with the domain's in a schema.
    fn join_with(&self, others: &[Column], schema: &DFSchema) -> Vec<Expr> {
        let pair = |(i, other): (usize, &Column)| {
            let column = self.column(i, schema)?;
            Some(same(Expr::Column(other.clone()), Expr::Column(column)))
        };
        others.iter().enumerate().filter_map(pair).collect()
    }

    /// The expression with the domain's columns in the place of the outer ones, in nested subqueries too.
    pub(super) fn substitute(&self, expr: Expr, schema: &DFSchema) -> Result<Expr> {
        let expr = expr.transform_up(|expr| match &expr {
            Expr::OuterReferenceColumn(_, column) => {
                let position = self.outer.iter().position(|outer| outer == column);
                match position.and_then(|position| self.column(position, schema)) {
                    Some(column) => Ok(Transformed::yes(Expr::Column(column))),
                    None => Ok(Transformed::no(expr)),
                }
            }
            Expr::ScalarSubquery(subquery) => {
                Ok(Transformed::yes(Expr::ScalarSubquery(self.substitute_in(subquery, schema)?)))
            }
            Expr::Exists(exists) => {
                let mut exists = exists.clone();
                exists.subquery = self.substitute_in(&exists.subquery, schema)?;
                Ok(Transformed::yes(Expr::Exists(exists)))
            }
            Expr::InSubquery(within) => {
                let mut within = within.clone();
                within.subquery = self.substitute_in(&within.subquery, schema)?;
                Ok(Transformed::yes(Expr::InSubquery(within)))
            }
            _ => Ok(Transformed::no(expr)),
        })?;
        Ok(expr.data)
    }

    /// A nested subquery keeps its reference outwards, now to the domain's column.
    fn substitute_in(&self, subquery: &Subquery, schema: &DFSchema) -> Result<Subquery> {
        let renamed = |expr: Expr| match &expr {
            Expr::OuterReferenceColumn(field, column) => {
                let position = self.outer.iter().position(|outer| outer == column);
                match position.and_then(|position| self.column(position, schema)) {
                    Some(column) => {
                        Ok(Transformed::yes(Expr::OuterReferenceColumn(Arc::clone(field), column)))
                    }
                    None => Ok(Transformed::no(expr)),
                }
            }
            _ => Ok(Transformed::no(expr)),
        };
        let plan =
            subquery.subquery.as_ref().clone().transform_down_with_subqueries(|plan| {
                plan.map_expressions(|expr| expr.transform_up(renamed))
            })?;
        let plan = plan.data;
        let references = subquery
            .outer_ref_columns
            .iter()
            .cloned()
            .map(|e| Ok(renamed(e)?.data))
            .collect::<Result<_>>()?;
        Ok(Subquery {
            subquery: Arc::new(plan),
            outer_ref_columns: references,
            spans: subquery.spans.clone(),
        })
    }

    /// Whether anything in a plan refers to the domain.
    fn is_used_in(&self, plan: &LogicalPlan) -> Result<bool> {
        let mut used = false;
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expr| {
                used |= expr.exists(|expr| {
                    Ok(matches!(expr, Expr::OuterReferenceColumn(_, column) if self.outer.contains(column)))
                })?;
                Ok(TreeNodeRecursion::Continue)
            })?;
            Ok(if used { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        Ok(used)
    }
}

/// Equal, or both NULL.
fn same(left: Expr, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), Operator::IsNotDistinctFrom, Box::new(right)))
}

/// The columns of a schema that are not the domain's.
pub(super) fn plain_columns(domain: &Domain, schema: &DFSchema) -> Vec<Column> {
    schema.columns().into_iter().filter(|column| !column.name.starts_with(&domain.prefix)).collect()
}

/// Whether a plan reads nothing but the catalog.
fn is_catalog(plan: &LogicalPlan) -> Result<bool> {
    let mut all = true;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            all &= matches!(scan.table_name.schema(), Some("pg_catalog" | "information_schema"));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(all)
}

/// The plan with the domain's columns among its own, for each of the domain's rows. `None` for a form that is not
/// known here.
pub(super) fn push(plan: LogicalPlan, domain: &Domain) -> Result<Option<LogicalPlan>> {
    if !domain.is_used_in(&plan)? {
        return Ok(Some(LogicalPlanBuilder::from(plan).cross_join(domain.plan.clone())?.build()?));
    }
    match plan {
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
        LogicalPlan::RecursiveQuery(query) => recursion::pushed(&query, domain),
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

/// The domain goes into the left side, and into the right one where that depends on it.
fn push_join(join: &Join, domain: &Domain) -> Result<Option<LogicalPlan>> {
    if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        return Ok(None);
    }
    let Some(left) = push(join.left.as_ref().clone(), domain)? else { return Ok(None) };
    let mut right = join.right.as_ref().clone();
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
    let mut kept: Vec<Expr> = join.schema.columns().into_iter().map(Expr::Column).collect();
    kept.extend(domain.columns_in(left.schema()));
    let joined = LogicalPlanBuilder::from(left).join_on(right, join.join_type, on)?;
    Ok(Some(joined.project(kept)?.build()?))
}
