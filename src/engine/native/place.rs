//! Brings the markers of Kintone's own predicates down to the scans of their tables.
//!
//! A predicate goes down only through what keeps its meaning: other filters, aliases, projections of plain columns,
//! sorts without a limit, and the side of a join whose rows the join keeps as they are. This is done here and not left
//! to the optimizer, which would copy a predicate to the other side of a join (`a.x = b.x AND p(a.x)` gives `p(b.x)`),
//! and which leaves above a scan what does not go down.

use std::sync::Arc;

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result as DfResult};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, Join, JoinType, LogicalPlan, Projection};

use crate::table::{AppTable, Marker, refused};

const TABLE_HINT: &str = "Say which table: kintone_query(table, 'condition').";

/// The plan with every marker among the filters of its table's scan.
///
/// Before the parameters have their values (`last` is false) the predicates with a parameter stay where they are.
///
/// # Errors
/// One cannot go down, or its table cannot say it.
pub(in crate::engine) fn place(plan: LogicalPlan, last: bool) -> DfResult<LogicalPlan> {
    if left(&plan)?.is_empty() {
        return Ok(plan);
    }
    let placed = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Filter(filter) if Marker::find(&filter.predicate).is_some() => {
            filter_placed(filter, last).map(Transformed::yes)
        }
        LogicalPlan::Join(join) if join.filter.as_ref().and_then(Marker::find).is_some() => {
            join_placed(join, last).map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    })?;
    match left(&placed.data)?.into_iter().find(|part| !waits(part, last)) {
        Some(part) => Err(refused(&part, "cannot be sent: it is part of no WHERE and no ON", "").into()),
        None => Ok(placed.data),
    }
}

/// The predicates with a marker that stand outside the scans.
fn left(plan: &LogicalPlan) -> DfResult<Vec<Expr>> {
    let mut found = vec![];
    plan.apply_with_subqueries(|node| {
        if matches!(node, LogicalPlan::TableScan(_)) {
            return Ok(TreeNodeRecursion::Continue);
        }
        node.apply_expressions(|expr| {
            if Marker::find(expr).is_some() {
                found.extend(
                    split_conjunction_owned(expr.clone()).into_iter().filter(|e| Marker::find(e).is_some()),
                );
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found)
}

fn waits(part: &Expr, last: bool) -> bool {
    !last && part.exists(|e| Ok(matches!(e, Expr::Placeholder(_)))).unwrap_or(false)
}

fn filter_placed(filter: Filter, last: bool) -> DfResult<LogicalPlan> {
    let mut input = Arc::unwrap_or_clone(filter.input);
    let mut kept = vec![];
    for part in split_conjunction_owned(filter.predicate) {
        if Marker::find(&part).is_none() || waits(&part, last) {
            kept.push(part);
            continue;
        }
        check(&part, &input)?;
        input = sink(input, part)?;
    }
    match conjunction(kept) {
        Some(predicate) => Ok(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input))?)),
        None => Ok(input),
    }
}

/// What is in ON: an inner join keeps only the pairs for which it holds, an outer join leaves out rows of the side
/// that it may fill with NULL, so that there it is as good as a filter of that side.
fn join_placed(mut join: Join, last: bool) -> DfResult<LogicalPlan> {
    let mut kept = vec![];
    for part in join.filter.take().map(split_conjunction_owned).unwrap_or_default() {
        if Marker::find(&part).is_none() || waits(&part, last) {
            kept.push(part);
            continue;
        }
        check_alone(&part)?;
        let tables = app_tables(&join.left)? + app_tables(&join.right)?;
        check_tables(&part, tables)?;
        let side = side(&join, &part)?;
        let narrows = match join.join_type {
            JoinType::Inner => true,
            JoinType::Left => side == Side::Right,
            JoinType::Right => side == Side::Left,
            _ => false,
        };
        if !narrows {
            let why =
                "cannot be sent: it stands in the ON of an outer join that keeps the table's other rows";
            return Err(refused(&part, why, "Put it in WHERE, or in a subquery of the table.").into());
        }
        join = sunk(join, side, part)?;
    }
    join.filter = conjunction(kept);
    Ok(LogicalPlan::Join(join))
}

fn check(part: &Expr, input: &LogicalPlan) -> DfResult<()> {
    check_alone(part)?;
    check_tables(part, app_tables(input)?)
}

/// Beside a marker nothing may stand that is not of the same table's records.
fn check_alone(part: &Expr) -> DfResult<()> {
    let other = part.exists(|e| {
        Ok(matches!(
            e,
            Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        ))
    })?;
    if !other {
        return Ok(());
    }
    let why = "cannot be sent: it stands beside a subquery or a column of the query around it";
    Err(refused(part, why, "Join it with AND, in the query of its own table.").into())
}

/// `kintone_query('...')` without a table needs that there is one only.
fn check_tables(part: &Expr, tables: usize) -> DfResult<()> {
    let of_no_table =
        part.exists(|e| Ok(matches!(Marker::of(e), Some((Marker::Query, args)) if args.len() < 3)))?;
    if !of_no_table || tables == 1 {
        return Ok(());
    }
    let why =
        if tables == 0 { "has no table of Kintone's to go to" } else { "could be of more than one table" };
    Err(refused(part, why, if tables == 0 { "" } else { TABLE_HINT }).into())
}

/// The scans of apps' tables below.
fn app_tables(plan: &LogicalPlan) -> DfResult<usize> {
    let mut count = 0;
    plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && source_as_provider(&scan.source).is_ok_and(|p| p.downcast_ref::<AppTable>().is_some())
        {
            count += 1;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(count)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The side of a join that a predicate is about.
fn side(join: &Join, part: &Expr) -> DfResult<Side> {
    let columns = part.column_refs();
    let all_in = |schema: &DFSchema| columns.iter().all(|column| schema.has_column(column));
    let side = match (all_in(join.left.schema()), all_in(join.right.schema())) {
        // No column: the one table of Kintone's there is.
        (true, true) => (app_tables(&join.left)? > 0, app_tables(&join.right)? > 0),
        sides => sides,
    };
    match side {
        (true, false) => Ok(Side::Left),
        (false, true) => Ok(Side::Right),
        _ => {
            let why = "cannot be sent: it stands in an OR with columns of another table";
            Err(refused(part, why, TABLE_HINT).into())
        }
    }
}

fn sunk(mut join: Join, side: Side, part: Expr) -> DfResult<Join> {
    match side {
        Side::Left => join.left = Arc::new(sink(Arc::unwrap_or_clone(join.left), part)?),
        Side::Right => join.right = Arc::new(sink(Arc::unwrap_or_clone(join.right), part)?),
    }
    Ok(join)
}

/// Takes a predicate of this plan's rows down to its table.
fn sink(plan: LogicalPlan, part: Expr) -> DfResult<LogicalPlan> {
    match plan {
        LogicalPlan::TableScan(mut scan) => {
            let provider = source_as_provider(&scan.source)?;
            let Some(table) = provider.downcast_ref::<AppTable>() else {
                let why = format!("cannot be sent: {} is no table of an app", scan.table_name.table());
                return Err(refused(&part, &why, "").into());
            };
            if scan.fetch.is_some() {
                return Err(stopped(&part, "a LIMIT"));
            }
            scan.filters.push(table.bind(part)?);
            Ok(LogicalPlan::TableScan(scan))
        }
        LogicalPlan::Filter(mut filter) => {
            filter.input = Arc::new(sink(Arc::unwrap_or_clone(filter.input), part)?);
            Ok(LogicalPlan::Filter(filter))
        }
        LogicalPlan::Sort(mut sort) if sort.fetch.is_none() => {
            sort.input = Arc::new(sink(Arc::unwrap_or_clone(sort.input), part)?);
            Ok(LogicalPlan::Sort(sort))
        }
        LogicalPlan::SubqueryAlias(mut alias) => {
            let below = Arc::clone(alias.input.schema());
            let at = |i: usize| Some(Expr::Column(Column::from(below.qualified_field(i))));
            let part = replaced(part, &alias.schema, &at)?;
            alias.input = Arc::new(sink(Arc::unwrap_or_clone(alias.input), part)?);
            Ok(LogicalPlan::SubqueryAlias(alias))
        }
        LogicalPlan::Projection(projection) => projection_sunk(projection, part),
        LogicalPlan::Join(join) => {
            let side = side(&join, &part)?;
            let keeps = match join.join_type {
                JoinType::Inner => true,
                JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                    side == Side::Left
                }
                JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
                    side == Side::Right
                }
                JoinType::Full => false,
            };
            if keeps {
                Ok(LogicalPlan::Join(sunk(join, side, part)?))
            } else {
                Err(stopped(&part, "an outer join"))
            }
        }
        LogicalPlan::Limit(_) => Err(stopped(&part, "a LIMIT")),
        LogicalPlan::Sort(_) => Err(stopped(&part, "an ORDER BY with a LIMIT")),
        LogicalPlan::Aggregate(_) => Err(stopped(&part, "a GROUP BY or an aggregate")),
        LogicalPlan::Distinct(_) => Err(stopped(&part, "a DISTINCT")),
        LogicalPlan::Window(_) => Err(stopped(&part, "a window function")),
        LogicalPlan::Union(_) => Err(stopped(&part, "a UNION")),
        LogicalPlan::Unnest(_) => Err(stopped(&part, "an unnested array")),
        _ => Err(stopped(&part, "something that it does not go through")),
    }
}

fn projection_sunk(projection: Projection, part: Expr) -> DfResult<LogicalPlan> {
    let Projection { expr, input, schema, .. } = projection;
    let at = |i: usize| match expr.get(i)?.clone().unalias() {
        column @ Expr::Column(_) => Some(column),
        _ => None,
    };
    let below = replaced(part, &schema, &at)?;
    let input = Arc::new(sink(Arc::unwrap_or_clone(input), below)?);
    Ok(LogicalPlan::Projection(Projection::try_new_with_schema(expr, input, schema)?))
}

fn stopped(part: &Expr, what: &str) -> datafusion::error::DataFusionError {
    let why = format!("cannot be sent: between it and its table stands {what}");
    refused(part, &why, "Put it in the WHERE of the query that reads the table.").into()
}

/// The predicate in the columns below a node: `at` says what stands for each of the node's columns.
fn replaced(part: Expr, schema: &DFSchema, at: &dyn Fn(usize) -> Option<Expr>) -> DfResult<Expr> {
    let whole = part.clone();
    let replaced = part.transform(|expr| {
        let Expr::Column(column) = &expr else { return Ok(Transformed::no(expr)) };
        let below = schema.maybe_index_of_column(column).and_then(at);
        match below {
            Some(below) => Ok(Transformed::yes(below)),
            None => {
                let why = format!("cannot be sent: {} is computed, and no field", column.name);
                Err(refused(&whole, &why, "").into())
            }
        }
    })?;
    Ok(replaced.data)
}
