//! Bound parameters: their types, declared by the client or inferred from the statement, and their values.

use arrow::datatypes::DataType;
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::LogicalPlan;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Ident};

/// Plans with the declared types; where the client left some out, they are inferred from a first plan, and text
/// where that says nothing either.
pub(super) fn plan(
    declared: &[Option<DataType>],
    plan: &dyn Fn(&[DataType]) -> DfResult<LogicalPlan>,
) -> DfResult<(LogicalPlan, Vec<DataType>)> {
    if !declared.is_empty()
        && let Some(types) = declared.iter().cloned().collect::<Option<Vec<_>>>()
        && let Ok(logical) = plan(&types).map(unwrap)
        && count(&logical)? <= types.len()
    {
        return Ok((logical, types));
    }
    let first = plan(&[])?;
    let wanted = count(&first)?.max(declared.len());
    if wanted == 0 {
        return Ok((first, vec![]));
    }
    let inferred = first.get_parameter_types()?;
    let of = |i: usize| {
        let said = declared.get(i).cloned().flatten();
        said.or_else(|| inferred.get(&format!("${}", i + 1)).cloned().flatten()).unwrap_or(DataType::Utf8)
    };
    let types: Vec<DataType> = (0..wanted).map(of).collect();
    let logical = unwrap(plan(&types)?);
    Ok((logical, types))
}

/// How many parameters a plan has: the highest number.
fn count(plan: &LogicalPlan) -> DfResult<usize> {
    let names = plan.get_parameter_names()?;
    Ok(names.iter().filter_map(|n| n.trim_start_matches('$').parse().ok()).max().unwrap_or(0))
}

/// A statement whose parameters have these types: PREPARE is how the planner takes them.
pub(super) fn declared(statement: ast::Statement, types: &[DataType]) -> ast::Statement {
    if types.is_empty() {
        return statement;
    }
    ast::Statement::Prepare {
        name: Ident::with_quote('"', "statement"),
        data_types: types.iter().map(sql_type).collect(),
        statement: Box::new(statement),
    }
}

/// The plan inside a PREPARE.
fn unwrap(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Statement(datafusion::logical_expr::Statement::Prepare(prepare)) => {
            prepare.input.as_ref().clone()
        }
        other => other,
    }
}

/// A type as SQL spells it.
fn sql_type(data_type: &DataType) -> ast::DataType {
    use ast::{ArrayElemTypeDef, ExactNumberInfo, TimezoneInfo};
    match data_type {
        DataType::Boolean => ast::DataType::Boolean,
        DataType::Int8 | DataType::Int16 => ast::DataType::SmallInt(None),
        DataType::Int32 => ast::DataType::Integer(None),
        DataType::Int64 | DataType::UInt64 | DataType::UInt32 => ast::DataType::BigInt(None),
        DataType::Float32 => ast::DataType::Real,
        DataType::Float64 => ast::DataType::DoublePrecision,
        DataType::Decimal128(precision, scale) => ast::DataType::Numeric(ExactNumberInfo::PrecisionAndScale(
            u64::from(*precision),
            i64::from(*scale),
        )),
        DataType::Date32 => ast::DataType::Date,
        DataType::Time64(_) => ast::DataType::Time(None, TimezoneInfo::None),
        DataType::Timestamp(_, None) => ast::DataType::Timestamp(None, TimezoneInfo::None),
        DataType::Timestamp(_, Some(_)) => ast::DataType::Timestamp(None, TimezoneInfo::WithTimeZone),
        DataType::Interval(_) => ast::DataType::Interval { fields: None, precision: None },
        DataType::Binary => ast::DataType::Bytea,
        DataType::List(item) => {
            ast::DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(sql_type(item.data_type())), None))
        }
        _ => ast::DataType::Text,
    }
}

/// The values in order, each of its parameter's type.
pub(super) fn values(types: &[DataType], values: Vec<ScalarValue>) -> DfResult<Vec<ScalarValue>> {
    let typed = |(data_type, value): (&DataType, ScalarValue)| {
        if value.data_type() == *data_type { Ok(value) } else { value.cast_to(data_type) }
    };
    types.iter().zip(values).map(typed).collect()
}
