//! `FROM t, unnest(t.tags)`: rows that each outer row makes of its own values alone.
//!
//! DataFusion joins a lateral subquery only through equalities with tables of its own. One without a table is no join:
//! its steps are done on the outer rows themselves, with the outer columns beside.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType, NullHandling, ScalarValue, UnnestOptions};
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::{Join, Unnest};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::row_join::replaced;

/// Starts the names of columns that are made here. No user's column has it.
const PREFIX: &str = "\u{E001}lateral";

/// The join as steps over its left side; `None` where the right side is more than rows of the left one's values.
///
/// # Errors
/// Those of building plans.
pub(super) fn attach(join: &Join) -> Result<Option<LogicalPlan>> {
    let is_left = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left => true,
        _ => return Ok(None),
    };
    let is_lateral = match join.right.as_ref() {
        LogicalPlan::SubqueryAlias(alias) => matches!(alias.input.as_ref(), LogicalPlan::Subquery(_)),
        LogicalPlan::Subquery(_) => true,
        _ => false,
    };
    if !is_lateral {
        return Ok(None);
    }
    let outer = join.left.schema().columns();
    let renamed: Vec<Column> =
        (0..outer.len()).map(|i| Column::new_unqualified(format!("{PREFIX} {i}"))).collect();
    let names = outer.iter().zip(&renamed);
    let base = LogicalPlanBuilder::from(join.left.as_ref().clone())
        .project(
            names.map(|(column, name)| Expr::Column(column.clone()).alias(&name.name)).collect::<Vec<_>>(),
        )?
        .build()?;
    let mut lift = Lift { outer, renamed, base, is_left, count: 0, unnested: false };
    let Some((mut plan, own)) = lift.plan(&join.right)? else { return Ok(None) };

    // What joins both sides is a condition over the columns that are here now.
    let right = join.right.schema().columns();
    let columns: Vec<Column> = lift.outer.iter().chain(&right).cloned().collect();
    let places: Vec<Expr> = lift.renamed.iter().chain(&own).cloned().map(Expr::Column).collect();
    let on = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    let is_true = |expr: &Expr| matches!(expr, Expr::Literal(ScalarValue::Boolean(Some(true)), _));
    for condition in on.chain(join.filter.clone()).filter(|condition| !is_true(condition)) {
        if is_left {
            return Ok(None);
        }
        plan = LogicalPlanBuilder::from(plan).filter(replaced(condition, &columns, &places)?)?.build()?;
    }
    let named = places.into_iter().zip(join.schema.iter());
    let named =
        named.map(|(place, (qualifier, field))| place.alias_qualified(qualifier.cloned(), field.name()));
    Ok(Some(LogicalPlanBuilder::from(plan).project(named.collect::<Vec<_>>())?.build()?))
}

/// Moves the steps of a subquery onto the outer rows.
struct Lift {
    /// The outer columns, and the names that they have meanwhile.
    outer: Vec<Column>,
    renamed: Vec<Column>,
    base: LogicalPlan,
    /// Whether an outer row without rows of its own stays, with NULLs.
    is_left: bool,
    /// Columns made so far.
    count: usize,
    /// Whether a step gave the outer rows more rows.
    unnested: bool,
}

impl Lift {
    /// The plan over the outer rows, and the columns of `plan` in it.
    fn plan(&mut self, plan: &LogicalPlan) -> Result<Option<(LogicalPlan, Vec<Column>)>> {
        match plan {
            LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => {
                Ok(Some((self.base.clone(), vec![])))
            }
            LogicalPlan::SubqueryAlias(alias) => self.plan(&alias.input),
            LogicalPlan::Subquery(subquery) => self.plan(&subquery.subquery),
            LogicalPlan::Projection(projection) => {
                let Some((input, columns)) = self.plan(&projection.input)? else { return Ok(None) };
                let mut exprs: Vec<Expr> = self.renamed.iter().cloned().map(Expr::Column).collect();
                let mut own = vec![];
                for expr in &projection.expr {
                    let plain = matches!(expr.clone().unalias_nested().data, Expr::Column(_));
                    // Of an outer row that stays without rows, nothing but NULLs may come.
                    if self.is_left && self.unnested && !plain {
                        return Ok(None);
                    }
                    let Some(expr) = self.moved(expr, &projection.input, &columns)? else { return Ok(None) };
                    let name = self.name();
                    exprs.push(expr.unalias_nested().data.alias(&name.name));
                    own.push(name);
                }
                Ok(Some((LogicalPlanBuilder::from(input).project(exprs)?.build()?, own)))
            }
            LogicalPlan::Filter(filter) if !self.is_left => {
                let Some((input, columns)) = self.plan(&filter.input)? else { return Ok(None) };
                let Some(condition) = self.moved(&filter.predicate, &filter.input, &columns)? else {
                    return Ok(None);
                };
                Ok(Some((LogicalPlanBuilder::from(input).filter(condition)?.build()?, columns)))
            }
            LogicalPlan::Unnest(unnest) => self.unnest(unnest),
            _ => Ok(None),
        }
    }

    fn unnest(&mut self, unnest: &Unnest) -> Result<Option<(LogicalPlan, Vec<Column>)>> {
        let deeper = unnest.list_type_columns.iter().any(|(_, list)| list.depth != 1);
        if deeper || !unnest.struct_type_columns.is_empty() || (self.is_left && self.unnested) {
            return Ok(None);
        }
        let Some((input, columns)) = self.plan(&unnest.input)? else { return Ok(None) };
        let place = |index: &usize| columns.get(*index).cloned();
        let lists: Option<Vec<Column>> =
            unnest.list_type_columns.iter().map(|(index, _)| place(index)).collect();
        let own: Option<Vec<Column>> = unnest.dependency_indices.iter().map(place).collect();
        let (Some(lists), Some(own)) = (lists, own) else { return Ok(None) };
        let null_handling =
            if self.is_left { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
        let options = UnnestOptions { null_handling, recursions: vec![] };
        let plan = LogicalPlanBuilder::from(input).unnest_columns_with_options(lists, options)?.build()?;
        self.unnested = true;
        Ok(Some((plan, own)))
    }

    fn name(&mut self) -> Column {
        self.count += 1;
        Column::new_unqualified(format!("{PREFIX} own {}", self.count))
    }

    /// An expression over a node's input as one over the columns that are here; `None` where it asks for more.
    fn moved(&self, expr: &Expr, input: &LogicalPlan, columns: &[Column]) -> Result<Option<Expr>> {
        let is_beyond = expr.exists(|expr| {
            Ok(match expr {
                Expr::OuterReferenceColumn(_, column) => !self.outer.contains(column),
                Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) => {
                    true
                }
                _ => false,
            })
        })?;
        if is_beyond {
            return Ok(None);
        }
        let places: Vec<Expr> = columns.iter().cloned().map(Expr::Column).collect();
        let moved = replaced(expr.clone(), &input.schema().columns(), &places)?;
        let moved = moved.transform_up(|expr| {
            let place = match &expr {
                Expr::OuterReferenceColumn(_, column) => self.outer.iter().position(|known| known == column),
                _ => None,
            };
            Ok(match place.and_then(|place| self.renamed.get(place)) {
                Some(column) => Transformed::yes(Expr::Column(column.clone())),
                None => Transformed::no(expr),
            })
        })?;
        Ok(Some(moved.data))
    }
}
