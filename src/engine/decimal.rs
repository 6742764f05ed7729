//! Casts of decimals as PostgreSQL makes them: to text without trailing zeros, to whole numbers rounded.
//!
//! A column of Kintone's numbers has ten digits after the point, so that `金額 || '円'` would show all ten; and
//! DataFusion's cast to an integer cuts where PostgreSQL rounds. Both are replaced once types are known, so that a
//! cast that nobody wrote is right too.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result as DfResult, exec_datafusion_err};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarUDF, Volatility};
use datafusion::optimizer::AnalyzerRule;

use crate::table::{TextColumn, TextOptions};

/// Replaces the casts. To run after types are coerced.
#[derive(Debug)]
pub(super) struct DecimalCasts {
    to_text: Arc<ScalarUDF>,
    to_integer: Arc<ScalarUDF>,
}

impl DecimalCasts {
    pub(super) fn new() -> Self {
        Self { to_text: Arc::new(to_text()), to_integer: Arc::new(to_integer()) }
    }

    fn replace(&self, expr: Expr, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
        let Expr::Cast(cast) = expr else { return Ok(Transformed::no(expr)) };
        let fraction = matches!(cast.expr.get_type(schema), Ok(DataType::Decimal128(_, scale)) if scale > 0);
        let target = cast.field.data_type();
        if fraction && target.is_string() {
            let text = self.to_text.call(vec![*cast.expr]);
            return Ok(Transformed::yes(if *target == DataType::Utf8 {
                text
            } else {
                again(text, &cast.field)
            }));
        }
        if fraction && target.is_integer() {
            return Ok(Transformed::yes(again(self.to_integer.call(vec![*cast.expr]), &cast.field)));
        }
        Ok(Transformed::no(Expr::Cast(cast)))
    }
}

fn again(expr: Expr, field: &arrow::datatypes::FieldRef) -> Expr {
    Expr::Cast(Cast { expr: Box::new(expr), field: Arc::clone(field) })
}

impl AnalyzerRule for DecimalCasts {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> DfResult<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| {
            let mut schema = DFSchema::empty();
            for input in plan.inputs() {
                schema.merge(input.schema());
            }
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                let replaced = expr.transform_up(|expr| self.replace(expr, &schema))?;
                Ok(replaced.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &'static str {
        "decimal_casts"
    }
}

/// Values as arrays of one length.
fn arrays(args: &[ColumnarValue]) -> DfResult<ArrayRef> {
    let first = ColumnarValue::values_to_arrays(args)?.into_iter().next();
    first.ok_or_else(|| exec_datafusion_err!("a cast without a value"))
}

/// A decimal's text, as every door shows it.
fn to_text() -> ScalarUDF {
    let run = |args: &[ColumnarValue]| {
        let array = arrays(args)?;
        let column = TextColumn::new(
            &array,
            &crate::table::SqlType::Numeric,
            TextOptions { time_zone: chrono_tz::UTC },
        )
        .map_err(|e| exec_datafusion_err!("{e}"))?;
        let mut texts: Vec<Option<String>> = Vec::with_capacity(array.len());
        for row in 0..array.len() {
            let mut text = String::new();
            texts.push(column.append(&mut text, row).then_some(text));
        }
        Ok(ColumnarValue::Array(Arc::new(StringArray::from(texts))))
    };
    any_decimal("decimal_text", DataType::Utf8, Arc::new(run))
}

/// A decimal rounded to a whole number, a half away from zero, as PostgreSQL's numeric does.
fn to_integer() -> ScalarUDF {
    let run = |args: &[ColumnarValue]| {
        let array = arrays(args)?;
        let DataType::Decimal128(_, scale) = array.data_type() else {
            return Err(exec_datafusion_err!("a cast of something that is no decimal"));
        };
        let unit = 10_i128.pow(u32::try_from(*scale).unwrap_or(0));
        let whole = |value: i128| {
            let half = unit / 2 * value.signum();
            i64::try_from((value + half) / unit).map_err(|_| exec_datafusion_err!("integer overflow"))
        };
        let values = array.as_primitive::<Decimal128Type>().iter().map(|v| v.map(whole).transpose());
        Ok(ColumnarValue::Array(Arc::new(values.collect::<DfResult<Int64Array>>()?)))
    };
    any_decimal("decimal_integer", DataType::Int64, Arc::new(run))
}

fn any_decimal(
    name: &str,
    result: DataType,
    run: datafusion::logical_expr::ScalarFunctionImplementation,
) -> ScalarUDF {
    use datafusion::logical_expr::{Signature, SimpleScalarUDF};
    ScalarUDF::from(SimpleScalarUDF::new_with_signature(
        name,
        Signature::any(1, Volatility::Immutable),
        result,
        run,
    ))
}
