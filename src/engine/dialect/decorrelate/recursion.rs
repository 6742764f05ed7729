//! Correlated `WITH RECURSIVE`: each row of the recursion carries the domain's row that it belongs to.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::RecursiveQuery;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::domain::{Domain, plain_columns};
use super::push::push;

/// The recursive query with the domain's columns behind its own.
pub(super) fn push_recursive(query: &RecursiveQuery, domain: &Domain) -> Result<Option<LogicalPlan>> {
    let Some(first) = in_order(query.static_term.as_ref().clone(), domain)? else { return Ok(None) };
    let wider = |plan: LogicalPlan| {
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::TableScan(scan) if scan.table_name.table() == query.name => {
                let own = scan.source.schema();
                let added = first.schema().fields().iter().skip(own.fields().len());
                // The rows of a later step may have NULL where those of the first one have none.
                let added = added.map(|field| Arc::new(Field::clone(field).with_nullable(true)));
                let fields: Vec<_> = own.fields().iter().cloned().chain(added).collect();
                let table = CteWorkTable::new(&query.name, Arc::new(Schema::new(fields)));
                let scan = LogicalPlanBuilder::scan(
                    scan.table_name.clone(),
                    provider_as_source(Arc::new(table)),
                    None,
                )?;
                Ok(Transformed::yes(scan.build()?))
            }
            other => other.recompute_schema().map(Transformed::no),
        })
    };
    let next = wider(query.recursive_term.as_ref().clone())?.data;
    let Some(next) = in_order(next, domain)? else { return Ok(None) };
    let first = LogicalPlanBuilder::from(first);
    Ok(Some(first.to_recursive_query(query.name.clone(), next, query.is_distinct)?.build()?))
}

/// A term with its own columns first.
fn in_order(term: LogicalPlan, domain: &Domain) -> Result<Option<LogicalPlan>> {
    let Some(pushed) = push(term, domain)? else { return Ok(None) };
    let schema = pushed.schema();
    let mut columns: Vec<Expr> = plain_columns(domain, schema).into_iter().map(Expr::Column).collect();
    columns.extend(domain.columns_in(schema));
    Ok(Some(LogicalPlanBuilder::from(pushed).project(columns)?.build()?))
}
