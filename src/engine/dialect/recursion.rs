//! A recursive query that depends on outer rows: the values that it depends on (the domain) go through its working
//! table, so that each row of it knows for which of them it was made.

use std::sync::Arc;

use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::RecursiveQuery;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder, TableSource};

use super::decorrelate::{Domain, conditions, plain_columns, push};

/// The query with the domain's columns behind its own. `None` for a form that is not known here.
///
/// # Errors
/// Those of building plans.
pub(super) fn pushed(query: &RecursiveQuery, domain: &Domain) -> Result<Option<LogicalPlan>> {
    let Some(first) = push(query.static_term.as_ref().clone(), domain)? else { return Ok(None) };
    let first = in_order(first, domain)?;
    let table = CteWorkTable::new(&query.name, Arc::new(first.schema().as_arrow().clone()));
    let working = Working { name: &query.name, source: provider_as_source(Arc::new(table)), domain };
    let Some(next) = working.carry(query.recursive_term.as_ref().clone())? else { return Ok(None) };
    let next = Arc::new(in_order(next, domain)?);
    let query = RecursiveQuery::try_new(query.name.clone(), Arc::new(first), next, query.is_distinct)?;
    Ok(Some(LogicalPlan::RecursiveQuery(query)))
}

/// The plan's own columns and then the domain's, all by their bare names.
fn in_order(plan: LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
    let own = plain_columns(domain, plan.schema()).into_iter().map(Expr::Column);
    let all = own.chain(domain.columns_in(plan.schema()));
    LogicalPlanBuilder::from(plan).project(all.map(bare).collect::<Vec<_>>())?.build()
}

fn bare(column: Expr) -> Expr {
    match column {
        Expr::Column(column) => {
            let name = column.name.clone();
            Expr::Column(column).alias(name)
        }
        other => other,
    }
}

/// The working table of a recursive query.
struct Working<'q> {
    name: &'q str,
    source: Arc<dyn TableSource>,
    domain: &'q Domain,
}

impl Working<'_> {
    /// The step of the recursion with the domain's columns from the working table up to its top.
    fn carry(&self, plan: LogicalPlan) -> Result<Option<LogicalPlan>> {
        let domain = self.domain;
        match plan {
            LogicalPlan::TableScan(scan) if scan.table_name.table() == self.name => {
                Ok(Some(LogicalPlanBuilder::scan(self.name, Arc::clone(&self.source), None)?.build()?))
            }
            LogicalPlan::SubqueryAlias(aliased) => {
                let Some(input) = self.carry(aliased.input.as_ref().clone())? else { return Ok(None) };
                Ok(Some(LogicalPlanBuilder::from(input).alias(aliased.alias.clone())?.build()?))
            }
            LogicalPlan::Filter(filter) => {
                let Some(input) = self.carry(filter.input.as_ref().clone())? else { return Ok(None) };
                let predicate = domain.substitute(filter.predicate.clone(), input.schema())?;
                Ok(Some(LogicalPlanBuilder::from(input).filter(predicate)?.build()?))
            }
            LogicalPlan::Projection(projection) => {
                let Some(input) = self.carry(projection.input.as_ref().clone())? else { return Ok(None) };
                let exprs =
                    projection.expr.iter().map(|expr| domain.substitute(expr.clone(), input.schema()));
                let mut exprs = exprs.collect::<Result<Vec<_>>>()?;
                exprs.extend(domain.columns_in(input.schema()));
                Ok(Some(LogicalPlanBuilder::from(input).project(exprs)?.build()?))
            }
            LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
                let (left, right) = (join.left.as_ref().clone(), join.right.as_ref().clone());
                let (left, right) = match (self.carry(left.clone())?, self.carry(right.clone())?) {
                    (Some(left), None) => (left, right),
                    (None, Some(right)) => (left, right),
                    _ => return Ok(None),
                };
                let both = left.schema().join(right.schema())?;
                let on = conditions(&join).map(|condition| domain.substitute(condition, &both));
                let on = on.collect::<Result<Vec<_>>>()?;
                let joined = LogicalPlanBuilder::from(left);
                Ok(Some(if on.is_empty() {
                    joined.cross_join(right)?.build()?
                } else {
                    joined.join_on(right, JoinType::Inner, on)?.build()?
                }))
            }
            _ => Ok(None),
        }
    }
}
