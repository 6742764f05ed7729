//! `x IN (SELECT ...)` and `x op ANY | ALL (SELECT ...)` as values: in a condition DataFusion makes semi joins of them, in a
//! SELECT list it knows none.
//!
//! Of a subquery that depends on nothing outside, the rows become one row of counts and bounds, or are joined by their
//! value. Of another one, `IN` looks through an array.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::{Column, JoinType, ScalarValue};
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::{array_agg, count, max, min};
use datafusion::logical_expr::expr::{InSubquery, SetComparison, SetQuantifier};
use datafusion::logical_expr::logical_plan::Subquery;
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, cast, lit, when,
};

use crate::engine::function::data_function;

/// What stands for such a comparison.
pub(super) enum Membership {
    /// Of columns that were joined to the input.
    Joined(Expr),
    /// Of a subquery for one value, which is to be replaced in turn.
    Listed(Expr),
}

/// The value of a comparison with the rows of a subquery; `None` for a form that is not known here.
pub(super) fn value(input: &mut LogicalPlan, expr: &Expr) -> Result<Option<Membership>> {
    let of = match expr {
        Expr::InSubquery(of) => of.clone(),
        Expr::SetComparison(of) => match as_in(of) {
            Some(of) => of,
            None => return Ok(compared(input, of)?.map(Membership::Joined)),
        },
        _ => return Ok(None),
    };
    let Some(rows) = Rows::of(&of.subquery, &of.expr, input)? else {
        return Ok(Some(Membership::Listed(listed(&of)?)));
    };
    let is_in = rows.contains(input, &of.expr)?;
    Ok(Some(Membership::Joined(if of.negated { Expr::Not(Box::new(is_in)) } else { is_in })))
}

/// `x IN (...)` as a look through an array of the rows.
fn listed(of: &InSubquery) -> Result<Expr> {
    let item = of.subquery.subquery.schema().columns().into_iter().next();
    let item = item.map_or_else(|| lit(ScalarValue::Null), Expr::Column);
    let rows = LogicalPlanBuilder::from(of.subquery.subquery.as_ref().clone());
    let items = rows.aggregate(Vec::<Expr>::new(), vec![array_agg(item)])?.build()?;
    let subquery = Subquery { subquery: Arc::new(items), ..of.subquery.clone() };
    let found =
        data_function("pg_is_in")?.call(vec![of.expr.as_ref().clone(), Expr::ScalarSubquery(subquery)]);
    Ok(if of.negated { Expr::Not(Box::new(found)) } else { found })
}

/// `= ANY` and `<> ALL` as what they are short for.
fn as_in(of: &SetComparison) -> Option<InSubquery> {
    let negated = match (of.op, of.quantifier) {
        (Operator::Eq, SetQuantifier::Any) => false,
        (Operator::NotEq, SetQuantifier::All) => true,
        _ => return None,
    };
    Some(InSubquery { expr: of.expr.clone(), subquery: of.subquery.clone(), negated })
}

/// The value of a comparison with some or all rows by their order.
fn compared(input: &mut LogicalPlan, of: &SetComparison) -> Result<Option<Expr>> {
    let Some(rows) = Rows::of(&of.subquery, &of.expr, input)? else { return Ok(None) };
    Ok(match (of.op, of.quantifier) {
        // Less than some is less than the greatest.
        (op @ (Operator::Lt | Operator::LtEq), SetQuantifier::Any) => {
            Some(rows.any(input, &of.expr, op, false)?)
        }
        (op @ (Operator::Gt | Operator::GtEq), SetQuantifier::Any) => {
            Some(rows.any(input, &of.expr, op, true)?)
        }
        (op, SetQuantifier::All) => match op {
            // Of all rows is what is of none the other way round.
            Operator::Lt => Some(Expr::Not(Box::new(rows.any(input, &of.expr, Operator::GtEq, true)?))),
            Operator::LtEq => Some(Expr::Not(Box::new(rows.any(input, &of.expr, Operator::Gt, true)?))),
            Operator::Gt => Some(Expr::Not(Box::new(rows.any(input, &of.expr, Operator::LtEq, false)?))),
            Operator::GtEq => Some(Expr::Not(Box::new(rows.any(input, &of.expr, Operator::Lt, false)?))),
            _ => None,
        },
        _ => None,
    })
}

/// A subquery of one column.
struct Rows {
    plan: LogicalPlan,
    column: Column,
    /// Begins the names of the columns that are joined.
    prefix: String,
}

impl Rows {
    /// `None` for one that depends on outer rows, and beside what is not of `input`.
    fn of(subquery: &Subquery, compared: &Expr, input: &LogicalPlan) -> Result<Option<Self>> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let plan = subquery.subquery.as_ref().clone();
        let columns = plan.schema().columns();
        let is_here = compared.column_refs().iter().all(|column| input.schema().has_column(column));
        let ([column], true) = (columns.as_slice(), is_here && subquery.outer_ref_columns.is_empty()) else {
            return Ok(None);
        };
        let prefix = format!("\u{E001}member {}.", NUMBER.fetch_add(1, Ordering::Relaxed));
        Ok(Some(Self { column: column.clone(), plan, prefix }))
    }

    fn name(&self, part: &str) -> String {
        format!("{}{part}", self.prefix)
    }

    fn part(&self, part: &str) -> Expr {
        Expr::Column(Column::new_unqualified(self.name(part)))
    }

    fn value(&self) -> Expr {
        Expr::Column(self.column.clone())
    }

    /// One row of what `aggregates` say goes beside each row of `input`.
    fn totals(&self, input: &mut LogicalPlan, aggregates: Vec<Expr>) -> Result<()> {
        let totals =
            LogicalPlanBuilder::from(self.plan.clone()).aggregate(Vec::<Expr>::new(), aggregates)?.build()?;
        *input = LogicalPlanBuilder::from(input.clone()).cross_join(totals)?.build()?;
        Ok(())
    }

    fn counts(&self) -> Vec<Expr> {
        vec![count(lit(1)).alias(self.name("rows")), count(self.value()).alias(self.name("values"))]
    }

    /// TRUE where `holds`; where it does not, NULL if a NULL is among the values, or beside them.
    fn answer(&self, holds: Expr, compared: &Expr) -> Result<Expr> {
        let unknown = Expr::Literal(ScalarValue::Boolean(None), None);
        when(self.part("rows").eq(lit(0_i64)), lit(false))
            .when(holds, lit(true))
            .when(compared.clone().is_null().or(self.part("values").not_eq(self.part("rows"))), unknown)
            .otherwise(lit(false))
    }

    fn contains(&self, input: &mut LogicalPlan, compared: &Expr) -> Result<Expr> {
        self.totals(input, self.counts())?;
        // As the comparison has it: two values may be one there.
        let types = (compared.get_type(input.schema())?, self.value().get_type(self.plan.schema())?);
        let value = match comparison_coercion(&types.0, &types.1) {
            Some(common) if common != types.1 => cast(self.value(), common),
            _ => self.value(),
        };
        let found = vec![value.alias(self.name("value")), lit(true).alias(self.name("found"))];
        let values = LogicalPlanBuilder::from(self.plan.clone()).project(found)?.distinct()?.build()?;
        let on = vec![compared.clone().eq(self.part("value"))];
        *input = LogicalPlanBuilder::from(input.clone()).join_on(values, JoinType::Left, on)?.build()?;
        self.answer(self.part("found").is_not_null(), compared)
    }

    /// Whether the comparison holds for some row: for the least or the greatest one, if for any.
    fn any(&self, input: &mut LogicalPlan, compared: &Expr, op: Operator, least: bool) -> Result<Expr> {
        let bound = if least { min(self.value()) } else { max(self.value()) };
        let mut aggregates = self.counts();
        aggregates.push(bound.alias(self.name("bound")));
        self.totals(input, aggregates)?;
        let (left, right) = (Box::new(compared.clone()), Box::new(self.part("bound")));
        self.answer(Expr::BinaryExpr(BinaryExpr { left, op, right }), compared)
    }
}
