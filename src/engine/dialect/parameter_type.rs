//! Parameters without a type get that of the values beside them, as PostgreSQL's rules say: `coalesce($1, 5)`,
//! `CASE WHEN $1 THEN ...`, `$1 IN (1, 2)`, `$1 = ANY (array)`, `round(x, $1)`. DataFusion looks at operators only.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::{Between, Case, InList, Placeholder, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable};

/// Types the parameters that are operands of this expression; whether there were any.
pub(super) fn infer(expr: &mut Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::ScalarFunction(ScalarFunction { func, args }) => match (func.name(), args.as_mut_slice()) {
            ("coalesce" | "nullif" | "greatest" | "least", args) => alike(args.iter_mut(), schema),
            ("round" | "trunc" | "left" | "right" | "repeat", [_, number]) => set(number, &DataType::Int32),
            ("split_part", [_, _, number]) => set(number, &DataType::Int32),
            ("substr", [_, numbers @ ..]) => {
                numbers.iter_mut().fold(false, |changed, number| set(number, &DataType::Int32) | changed)
            }
            ("array_has", [array, item]) => match array.get_type(schema) {
                Ok(DataType::List(of)) => set(item, of.data_type()),
                _ => false,
            },
            _ => false,
        },
        Expr::Case(case) => of_case(case, schema),
        Expr::InList(InList { expr, list, .. }) => alike(std::iter::once(&mut **expr).chain(list), schema),
        Expr::Between(Between { expr, low, high, .. }) => {
            alike([expr, low, high].into_iter().map(|e| &mut **e), schema)
        }
        Expr::Not(inner) => set(inner, &DataType::Boolean),
        _ => false,
    }
}

fn of_case(case: &mut Case, schema: &DFSchema) -> bool {
    let conditions = case.when_then_expr.iter_mut().map(|(when, _)| &mut **when);
    let mut changed = match &mut case.expr {
        Some(operand) => alike(std::iter::once(&mut **operand).chain(conditions), schema),
        None => conditions.fold(false, |changed, when| set(when, &DataType::Boolean) | changed),
    };
    let results = case.when_then_expr.iter_mut().map(|(_, then)| &mut **then);
    changed |= alike(results.chain(case.else_expr.as_deref_mut()), schema);
    changed
}

/// Values of one type: that of the first one which has a type.
fn alike<'e>(values: impl Iterator<Item = &'e mut Expr>, schema: &DFSchema) -> bool {
    let values: Vec<_> = values.collect();
    let known = values.iter().filter(|value| !is_open(value)).find_map(|value| {
        let data_type = value.get_type(schema).ok()?;
        (data_type != DataType::Null).then_some(data_type)
    });
    let Some(known) = known else { return false };
    values.into_iter().fold(false, |changed, value| set(value, &known) | changed)
}

fn is_open(expr: &Expr) -> bool {
    matches!(expr, Expr::Placeholder(Placeholder { field: None, .. }))
}

fn set(expr: &mut Expr, data_type: &DataType) -> bool {
    let Expr::Placeholder(Placeholder { field: field @ None, .. }) = expr else { return false };
    *field = Some(Arc::new(Field::new("", data_type.clone(), true)));
    true
}
