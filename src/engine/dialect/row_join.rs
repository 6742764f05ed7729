//! A correlated subquery for an aggregate whose condition is no equality, as `(SELECT count(*) FROM d WHERE d.a < t.a)`.
//!
//! DataFusion groups the subquery by the columns that are equal to outer ones, and knows no other condition. Here the
//! outer rows are numbered, joined with the subquery's rows by the whole condition, and grouped by their number
//! again. Each relation is read once, so that all of a row comes from one moment.

use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType};
use datafusion::error::Result;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::logical_plan::{Aggregate, Filter, Subquery};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator, and, lit};

/// Joins a subquery to `input`; the column that stands for its value. `None` where DataFusion joins it itself, or
/// where its form is another.
pub(super) fn attach(input: &mut LogicalPlan, subquery: &Subquery) -> Result<Option<Expr>> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let Some(form) = Form::of(&subquery.subquery)? else { return Ok(None) };
    let is_here = |reference: &Expr| matches!(reference, Expr::OuterReferenceColumn(_, column) if input.schema().has_column(column));
    if !subquery.outer_ref_columns.iter().all(is_here) {
        return Ok(None);
    }
    let prefix = format!("\u{E001}rows {}.", NUMBER.fetch_add(1, Ordering::Relaxed));
    let outer = input.schema().columns();
    let (number, found) = (format!("{prefix}number"), format!("{prefix}found"));

    let windowed = LogicalPlanBuilder::from(input.clone()).window(vec![row_number()])?.build()?;
    let counter = windowed.schema().columns().into_iter().next_back().map(|c| Expr::Column(c).alias(&number));
    let numbered = outer.iter().cloned().map(Expr::Column).chain(counter);
    let numbered = LogicalPlanBuilder::from(windowed).project(numbered.collect::<Vec<_>>())?;

    // Under names that the outer rows do not have.
    let inner = form.filter.input.schema().columns();
    let renamed = |place: usize| Column::new_unqualified(format!("{prefix}{place}"));
    let named = inner.iter().enumerate().map(|(i, c)| Expr::Column(c.clone()).alias(renamed(i).name));
    let right = LogicalPlanBuilder::from(form.filter.input.as_ref().clone())
        .project(named.chain([lit(true).alias(&found)]).collect::<Vec<_>>())?
        .build()?;
    let places: Vec<Expr> = (0..inner.len()).map(|i| Expr::Column(renamed(i))).collect();
    let substitute =
        |expr: &Expr| replaced(expr.clone(), &inner, &places)?.transform_up(to_column).map(|e| e.data);
    let condition = substitute(&form.filter.predicate)?;
    let joined = numbered.join_on(right, JoinType::Left, [condition])?.build()?;

    let found = Expr::Column(Column::new_unqualified(found));
    let values = form.aggregate.aggr_expr.iter().map(|value| of_found(substitute(value)?, &found));
    let values = values.collect::<Result<Vec<_>>>()?;
    let groups: Vec<Expr> =
        outer.iter().cloned().chain([Column::new_unqualified(number)]).map(Expr::Column).collect();
    let first_value = groups.len();
    let grouped = LogicalPlanBuilder::from(joined).aggregate(groups, values)?.build()?;

    let now: Vec<_> = grouped.schema().columns().into_iter().skip(first_value).map(Expr::Column).collect();
    let value = replaced(form.value, &form.aggregate.schema.columns(), &now)?;
    let value_name = format!("{prefix}value");
    let columns = outer.into_iter().map(Expr::Column).chain([value.alias(&value_name)]);
    *input = LogicalPlanBuilder::from(grouped).project(columns.collect::<Vec<_>>())?.build()?;
    Ok(Some(Expr::Column(Column::new_unqualified(value_name))))
}

/// A reference outwards as a column, once the outer rows are here.
fn to_column(expr: Expr) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::OuterReferenceColumn(_, column) => Transformed::yes(Expr::Column(column)),
        other => Transformed::no(other),
    })
}

/// The aggregate over the joined rows alone: an outer row without any is joined with NULLs.
fn of_found(aggregate: Expr, found: &Expr) -> Result<Expr> {
    let done = aggregate.transform_down(|expr| match expr {
        Expr::AggregateFunction(AggregateFunction { func, mut params }) => {
            let filter = match params.filter.take() {
                Some(filter) => and(found.clone(), *filter),
                None => found.clone(),
            };
            params.filter = Some(Box::new(filter));
            let expr = Expr::AggregateFunction(AggregateFunction { func, params });
            Ok(Transformed::new(expr, true, TreeNodeRecursion::Jump))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(done.data)
}

/// A subquery of the one form that is known here: an expression of aggregates without groups over filtered rows.
struct Form<'a> {
    /// Over the aggregate's columns.
    value: Expr,
    aggregate: &'a Aggregate,
    filter: &'a Filter,
    /// Whether the aggregate has a name, as in `FROM (SELECT count(*) ...) AS s`.
    named: bool,
}

impl<'a> Form<'a> {
    fn of(plan: &'a LogicalPlan) -> Result<Option<Self>> {
        let [value] = plan.schema().columns().try_into().unwrap_or_else(|_| [Column::new_unqualified("")]);
        let (mut value, mut plan, mut named) = (Expr::Column(value), plan, false);
        loop {
            let columns = plan.schema().columns();
            plan = match plan {
                LogicalPlan::Projection(projection) => {
                    let exprs: Vec<_> = projection.expr.iter().map(|e| e.clone().unalias()).collect();
                    value = replaced(value, &columns, &exprs)?;
                    projection.input.as_ref()
                }
                LogicalPlan::SubqueryAlias(alias) => {
                    let below = alias.input.schema().columns();
                    value =
                        replaced(value, &columns, &below.into_iter().map(Expr::Column).collect::<Vec<_>>())?;
                    named = true;
                    alias.input.as_ref()
                }
                LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => {
                    let LogicalPlan::Filter(filter) = aggregate.input.as_ref() else { return Ok(None) };
                    let form = Self { value, aggregate, filter, named };
                    return Ok((form.is_alone()? && form.needs_it()?).then_some(form));
                }
                _ => return Ok(None),
            };
        }
    }

    /// Whether nothing but the filter refers outwards.
    fn is_alone(&self) -> Result<bool> {
        let mut elsewhere = false;
        self.filter.input.apply_with_subqueries(|node| {
            node.apply_expressions(|expr| {
                elsewhere |= refers_outwards(expr)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        for expr in self.aggregate.aggr_expr.iter().chain([&self.value]) {
            elsewhere |= refers_outwards(expr)?;
        }
        let has_subquery = self.filter.predicate.exists(|expr| {
            Ok(matches!(
                expr,
                Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_)
            ))
        })?;
        Ok(!elsewhere && !has_subquery)
    }

    /// Whether DataFusion does not join it: a part of the condition that refers outwards is no equality, or the
    /// aggregate has a name, under which it looks for a column in vain.
    fn needs_it(&self) -> Result<bool> {
        if self.named {
            return Ok(true);
        }
        for part in split_conjunction(&self.filter.predicate) {
            let is_equality = matches!(part, Expr::BinaryExpr(BinaryExpr { op: Operator::Eq, .. }));
            if !is_equality && refers_outwards(part)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The expression with other expressions in the place of columns.
pub(super) fn replaced(expr: Expr, columns: &[Column], by: &[Expr]) -> Result<Expr> {
    let done = expr.transform_up(|expr| {
        let place = match &expr {
            Expr::Column(column) => columns.iter().position(|known| known == column),
            _ => None,
        };
        Ok(match place.and_then(|place| by.get(place)) {
            Some(other) => Transformed::yes(other.clone()),
            None => Transformed::no(expr),
        })
    })?;
    Ok(done.data)
}

fn refers_outwards(expr: &Expr) -> Result<bool> {
    expr.exists(|expr| Ok(matches!(expr, Expr::OuterReferenceColumn(..))))
}
