//! The values of the outer rows that a subquery depends on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::Subquery;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator};

/// The distinct values of the outer columns that a subquery depends on.
pub(super) struct Domain {
    /// The columns in the outer plan.
    pub(super) outer: Vec<Column>,
    /// Begins the names of the domain's columns.
    pub(super) prefix: String,
    pub(super) plan: LogicalPlan,
}

impl Domain {
    /// `None` where a column is of a query further out, or where the outer plan is not in memory.
    pub(super) fn of(outer: &LogicalPlan, references: &[Expr]) -> Result<Option<Self>> {
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

    pub(super) fn name(&self, position: usize) -> String {
        format!("{}{position}", self.prefix)
    }

    /// The domain's columns where a schema has them.
    pub(super) fn columns_in(&self, schema: &DFSchema) -> Vec<Expr> {
        (0..self.outer.len()).filter_map(|i| self.column(i, schema)).map(Expr::Column).collect()
    }

    pub(super) fn column(&self, position: usize, schema: &DFSchema) -> Option<Column> {
        let name = self.name(position);
        let (qualifier, field) = schema.iter().find(|(_, field)| *field.name() == name)?;
        Some(Column::from((qualifier, field)))
    }

    /// The conditions that join other columns with the domain's in a schema.
    pub(super) fn join_with(&self, others: &[Column], schema: &DFSchema) -> Vec<Expr> {
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
            Expr::SetComparison(comparison) => {
                let mut comparison = comparison.clone();
                comparison.subquery = self.substitute_in(&comparison.subquery, schema)?;
                Ok(Transformed::yes(Expr::SetComparison(comparison)))
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

    /// Whether anything in a plan refers to the domain, or has its columns already.
    pub(super) fn is_used_in(&self, plan: &LogicalPlan) -> Result<bool> {
        let mut used = false;
        plan.apply_with_subqueries(|node| {
            used |= matches!(node, LogicalPlan::TableScan(_)) && self.column(0, node.schema()).is_some();
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
pub(super) fn same(left: Expr, right: Expr) -> Expr {
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
