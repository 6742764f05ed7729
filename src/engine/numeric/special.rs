//! `NaN`, `Infinity` and `-Infinity` as numerics. Arrow's decimals have none: they go through as whole columns of a
//! result, and anything else that is done with them is refused.

use std::collections::BTreeMap;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::engine::input::special_of;
use crate::error::Error;

/// Which columns of a result are such a value in each row.
pub(crate) type Specials = BTreeMap<usize, &'static str>;

/// Takes the values out of the list of the result's columns; NULL stands in their place.
///
/// # Errors
/// Where one stands anywhere else.
pub(crate) fn take_specials(plan: LogicalPlan) -> Result<(LogicalPlan, Specials)> {
    if !holds_special(&plan)? {
        return Ok((plan, Specials::new()));
    }
    let mut specials = Specials::new();
    let plan = take(plan, &mut specials)?;
    if holds_special(&plan)? {
        let error = Error::unsupported("NaN or infinity of type numeric inside an expression")
            .with_hint("Cast it to double precision, which has these values.");
        return Err(DataFusionError::External(Box::new(error)));
    }
    Ok((plan, specials))
}

fn holds_special(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            found |= expr.exists(|expr| Ok(special(expr).is_some()))?;
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    Ok(found)
}

fn special(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Literal(value, _) => special_of(value),
        _ => None,
    }
}

fn take(plan: LogicalPlan, specials: &mut Specials) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Projection(_) => {
            let mut at = 0;
            let plan = plan.map_expressions(|expr| {
                let taken = take_value(expr);
                if let Some(name) = taken.1 {
                    specials.insert(at, name);
                }
                at += 1;
                Ok(Transformed::new(taken.0, taken.1.is_some(), TreeNodeRecursion::Continue))
            })?;
            plan.data.recompute_schema()
        }
        // The same columns as what is under it.
        LogicalPlan::Limit(_) | LogicalPlan::Sort(_) => {
            let plan = plan.map_children(|input| Ok(Transformed::yes(take(input, specials)?)))?;
            plan.data.recompute_schema()
        }
        other => Ok(other),
    }
}

/// The value that an expression of the list is, if it is nothing else.
fn take_value(expr: Expr) -> (Expr, Option<&'static str>) {
    match expr {
        Expr::Alias(mut alias) => {
            let (inner, name) = take_value(*alias.expr);
            alias.expr = Box::new(inner);
            (Expr::Alias(alias), name)
        }
        Expr::Cast(mut cast)
            if matches!(cast.field.data_type(), arrow::datatypes::DataType::Decimal128(..)) =>
        {
            let (inner, name) = take_value(*cast.expr);
            cast.expr = Box::new(inner);
            (Expr::Cast(cast), name)
        }
        other => match special(&other) {
            Some(name) => (Expr::Literal(ScalarValue::Decimal128(None, 38, 0), None), Some(name)),
            None => (other, None),
        },
    }
}
