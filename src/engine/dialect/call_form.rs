//! Operators and keywords that are calls of functions: `x AT TIME ZONE z`, `extract(f FROM x)`, `a -> 'b'`, `~x`,
//! `a SIMILAR TO p`, `localtimestamp`.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Ident, ObjectName, TimezoneInfo, UnaryOperator, Value,
};

use super::visit::Rule;
use super::{call, number, take};

pub(super) const RULE: Rule = Rule::Expr(called);

fn called(expr: &mut Expr) {
    match expr {
        Expr::AtTimeZone { timestamp, time_zone } => {
            *expr = call("timezone", vec![take(time_zone), take(timestamp)]);
        }
        Expr::Extract { field, expr: value, .. } => {
            let field =
                Expr::value(Value::SingleQuotedString(field.to_string().trim_matches('\'').to_lowercase()));
            *expr = call("pg_extract", vec![field, take(value)]);
        }
        Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr: value } => {
            // All bits of -1 are set.
            let ones = Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number(1)) };
            let right = Box::new(take(value));
            let difference = Expr::BinaryOp { left: Box::new(ones), op: BinaryOperator::Minus, right };
            *expr = Expr::Nested(Box::new(difference));
        }
        Expr::UnaryOp { op, expr: value } => {
            let name = match op {
                UnaryOperator::PGSquareRoot => "sqrt",
                UnaryOperator::PGCubeRoot => "cbrt",
                UnaryOperator::PGAbs => "abs",
                _ => return,
            };
            *expr = call(name, vec![take(value)]);
        }
        Expr::SimilarTo { negated, expr: value, pattern, escape_char } => {
            let op = if *negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
            let escape = escape_char.take().map(Expr::Value);
            let args = std::iter::once(take(pattern)).chain(escape).collect();
            let right = Box::new(call("similar_to_escape", args));
            let matched = Expr::BinaryOp { left: Box::new(take(value)), op, right };
            *expr = Expr::Nested(Box::new(matched));
        }
        Expr::Identifier(Ident { value, quote_style: None, .. }) => {
            if let Some(clock) = clock(value) {
                *expr = clock;
            }
        }
        Expr::Function(function) if is_count(&function.name.to_string()) => {
            *expr = Expr::Cast {
                kind: CastKind::DoubleColon,
                expr: Box::new(take(expr)),
                data_type: DataType::Integer(None),
                array: false,
                format: None,
            };
        }
        Expr::Function(function) if as_cast(function).is_some() => {
            if let Some(cast) = as_cast(function) {
                *expr = cast;
            }
        }
        Expr::Function(function) if matches!(function.args, FunctionArguments::None) => {
            if let Some(clock) = clock(&function.name.to_string()) {
                *expr = clock;
            }
        }
        _ => {}
    }
}

/// Whether a function counts items: DataFusion's give a number without a sign, which no type of PostgreSQL stands for.
fn is_count(name: &str) -> bool {
    ["array_ndims", "array_position", "cardinality"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// `int4(x)`, which is `x::int4`.
fn as_cast(function: &Function) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(value))] = list.args.as_slice() else { return None };
    let name = function.name.to_string().to_ascii_lowercase();
    let data_type = match name.strip_prefix("pg_catalog.").unwrap_or(&name) {
        "bool" => DataType::Bool,
        "bpchar" => DataType::Custom(ObjectName::from(vec![Ident::new("bpchar")]), vec![]),
        "float4" => DataType::Float4,
        "float8" => DataType::Float8,
        "int2" => DataType::Int2(None),
        "int4" => DataType::Int4(None),
        "int8" => DataType::Int8(None),
        "text" => DataType::Text,
        _ => return None,
    };
    let expr = Box::new(value.clone());
    Some(Expr::Cast { kind: CastKind::DoubleColon, expr, data_type, array: false, format: None })
}

/// What the clocks of the session's zone show.
fn clock(name: &str) -> Option<Expr> {
    let data_type = match name.to_ascii_lowercase().as_str() {
        "localtimestamp" => DataType::Timestamp(None, TimezoneInfo::None),
        "localtime" => DataType::Time(None, TimezoneInfo::None),
        _ => return None,
    };
    let expr = Box::new(call("now", vec![]));
    Some(Expr::Cast { kind: CastKind::DoubleColon, expr, data_type, array: false, format: None })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn forms_are_calls() {
        check(RULE, "SELECT a AT TIME ZONE 'UTC'", "SELECT timezone('UTC', a)");
        check(RULE, "SELECT extract(YEAR FROM d)", "SELECT pg_extract('year', d)");
        check(RULE, "SELECT cardinality(a)", "SELECT cardinality(a)::INTEGER");
        check(RULE, "SELECT ~a", "SELECT (-1 - a)");
        check(RULE, "SELECT |/ a, @ b", "SELECT sqrt(a), abs(b)");
        check(RULE, "SELECT int4(a), pg_catalog.bpchar(b)", "SELECT a::INT4, b::bpchar");
        check(RULE, "SELECT localtimestamp", "SELECT now()::TIMESTAMP");
        check(RULE, "SELECT a SIMILAR TO 'x%' OR b", "SELECT (a ~ similar_to_escape('x%')) OR b");
    }
}
