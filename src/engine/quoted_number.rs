//! A number in quotes that is compared with a number is that number, to its last digit.
//!
//! DataFusion makes it a decimal of the other side's scale first: `n = '0.00000000001'` would ask for 0.

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Between, BinaryExpr, InList};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, lit};
use datafusion::optimizer::AnalyzerRule;
use datafusion::scalar::ScalarValue;

use super::postgres_cast::{is_comparison, rewrite};

/// Runs before types are made equal.
#[derive(Debug)]
pub(super) struct QuotedNumbers;

impl AnalyzerRule for QuotedNumbers {
    fn name(&self) -> &'static str {
        "quoted_numbers"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| Ok(own_digits(expr, schema)))
    }
}

fn own_digits(mut expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let operands: Vec<&mut Expr> = match &mut expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => vec![left, right],
        Expr::Between(Between { expr, low, high, .. }) => vec![expr, low, high],
        Expr::InList(InList { expr, list, .. }) => std::iter::once(&mut **expr).chain(list).collect(),
        _ => return Transformed::no(expr),
    };
    let scale = operands.iter().find_map(|operand| match operand.get_type(schema) {
        Ok(DataType::Decimal128(_, scale)) => Some(scale),
        _ => None,
    });
    let mut changed = false;
    for operand in operands {
        if let Some(scale) = scale
            && let Expr::Literal(value, _) = &*operand
            && let Some(number) = value.try_as_str().flatten().and_then(decimal)
            && matches!(number, ScalarValue::Decimal128(_, _, own) if own > scale)
        {
            *operand = lit(number);
            changed = true;
        }
    }
    if changed { Transformed::yes(expr) } else { Transformed::no(expr) }
}

/// The number of a text, whole or with a fraction.
pub(super) fn decimal_or_whole(text: &str) -> Option<ScalarValue> {
    decimal(text).or_else(|| {
        let number: i128 = text.parse().ok()?;
        (number.unsigned_abs() < 10_u128.pow(38)).then_some(ScalarValue::Decimal128(Some(number), 38, 0))
    })
}

/// The decimal of a text such as `-0.050`, with as many digits as it needs; `None` for any other text, and for more
/// digits than a decimal has.
fn decimal(text: &str) -> Option<ScalarValue> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (if text.starts_with('-') { "-" } else { "" }, rest),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.')?;
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let scale = i8::try_from(fraction.len()).ok()?;
    let number: i128 = format!("{sign}{whole}{fraction}").parse().ok()?;
    let precision = u8::try_from(number.unsigned_abs().to_string().len().max(fraction.len()).max(1)).ok()?;
    (precision <= 38).then_some(ScalarValue::Decimal128(Some(number), precision, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_digits() {
        let of = |number, precision, scale| Some(ScalarValue::Decimal128(Some(number), precision, scale));
        assert_eq!(decimal("0.0000000001"), of(1, 10, 10));
        assert_eq!(decimal(" -12.500 "), of(-125, 3, 1));
        assert_eq!(decimal("+7.00"), of(7, 1, 0));
        for text in ["7", "a.b", "1e-5", ".5", "1.2.3", "", &format!("1.{}", "3".repeat(39))] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
