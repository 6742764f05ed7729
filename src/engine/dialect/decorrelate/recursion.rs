//! Correlated `WITH RECURSIVE`: each row of the recursion carries the domain's row that it belongs to.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::RecursiveQuery;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::domain::{Domain, plain_columns};
use super::push::push;
use crate::engine::dialect::work_table::with_work_table;

/// The recursive query with the domain's columns behind its own.
pub(super) fn push_recursive(query: &RecursiveQuery, domain: &Domain) -> Result<Option<LogicalPlan>> {
    let Some(first) = in_order(query.static_term.as_ref().clone(), domain)? else { return Ok(None) };
    let wider = |own: SchemaRef| {
        let added = first.schema().fields().iter().skip(own.fields().len());
        // The rows of a later step may have NULL where those of the first one have none.
        let added = added.map(|field| Arc::new(Field::clone(field).with_nullable(true)));
        Arc::new(Schema::new(own.fields().iter().cloned().chain(added).collect::<Vec<_>>()))
    };
    let next = with_work_table(query.recursive_term.as_ref().clone(), &query.name, &wider)?;
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
