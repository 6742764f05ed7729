//! Which column of which table a result's column is: drivers ask the catalog about it.
//!
//! As in PostgreSQL, a column that is passed on as it is keeps its origin through joins, subqueries and groups; what
//! is computed has none, and a view's column is the view's.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan};

use super::pg_catalog::Oids;

/// The metadata keys that hold a column's table and its number there.
const TABLE: &str = "table_oid";
const NUMBER: &str = "column_number";

/// The oid of a result column's table and its number there, from 1; `None` where it is computed.
#[must_use]
pub fn column_origin(field: &Field) -> Option<(i64, i16)> {
    let metadata = field.metadata();
    Some((metadata.get(TABLE)?.parse().ok()?, metadata.get(NUMBER)?.parse().ok()?))
}

/// The schema with the origin of each column that `plan`, which has the same columns, passes on.
pub(super) fn with_origins(schema: &SchemaRef, plan: &LogicalPlan) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(at, field)| {
        let Some((table, number)) = origin(plan, at) else { return Arc::clone(field) };
        let oid = Oids::shared().of_relation(table.schema().unwrap_or_default(), table.table());
        let mut metadata: HashMap<_, _> = field.metadata().clone();
        metadata.insert(TABLE.to_owned(), oid.to_string());
        metadata.insert(NUMBER.to_owned(), (number + 1).to_string());
        Arc::new(Field::clone(field).with_metadata(metadata))
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The table behind a column of a plan, and the column's place there.
fn origin(plan: &LogicalPlan, at: usize) -> Option<(TableReference, usize)> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let place = scan.projection.as_ref().map_or(Some(at), |p| p.get(at).copied())?;
            Some((scan.table_name.clone(), place))
        }
        LogicalPlan::SubqueryAlias(alias) => match (&alias.alias, alias.input.as_ref()) {
            // A name with a schema is no alias of a statement: it is a view.
            (view, input) if view.schema().is_some() && !matches!(input, LogicalPlan::TableScan(_)) => {
                Some((view.clone(), at))
            }
            (_, input) => origin(input, at),
        },
        LogicalPlan::Projection(node) => of_expr(node.expr.get(at)?, &node.input),
        LogicalPlan::Aggregate(node) => of_expr(node.group_expr.get(at)?, &node.input),
        LogicalPlan::Filter(node) => origin(&node.input, at),
        LogicalPlan::Sort(node) => origin(&node.input, at),
        LogicalPlan::Limit(node) => origin(&node.input, at),
        LogicalPlan::Distinct(datafusion::logical_expr::Distinct::All(input)) => origin(input, at),
        LogicalPlan::Window(node) if at < node.input.schema().fields().len() => origin(&node.input, at),
        LogicalPlan::Join(join) => {
            let left = join.left.schema().fields().len();
            match join.join_type {
                JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => origin(&join.right, at),
                _ if at < left => origin(&join.left, at),
                _ => origin(&join.right, at - left),
            }
        }
        _ => None,
    }
}

fn of_expr(expr: &Expr, input: &LogicalPlan) -> Option<(TableReference, usize)> {
    match expr {
        Expr::Alias(alias) => of_expr(&alias.expr, input),
        Expr::Column(column) => origin(input, place(input.schema(), column)?),
        _ => None,
    }
}

fn place(schema: &DFSchema, column: &Column) -> Option<usize> {
    schema.maybe_index_of_column(column)
}
