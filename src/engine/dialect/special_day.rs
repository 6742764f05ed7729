//! Days that PostgreSQL has words for: `'today'::date`, `'now'::timestamptz`. They are read when the statement runs, so
//! that no plan keeps a day of its own.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, TimezoneInfo, TypedString, Value,
};

use super::visit::Rule;
use super::{call, number};

pub(super) const RULE: Rule = Rule::Expr(read);

fn read(expr: &mut Expr) {
    let (word, data_type) = match &*expr {
        Expr::Cast { expr: inner, data_type, .. } => match inner.as_ref() {
            Expr::Value(value) => (&value.value, data_type),
            _ => return,
        },
        Expr::TypedString(TypedString { value, data_type, .. }) => (&value.value, data_type),
        _ => return,
    };
    let Value::SingleQuotedString(word) = word else { return };
    let word = word.trim().to_ascii_lowercase();
    let days = match word.as_str() {
        "now" | "today" => 0,
        "tomorrow" => 1,
        "yesterday" => -1,
        _ => return,
    };
    let is_time = match data_type {
        DataType::Date => false,
        DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone)
        | DataType::Timestamp(_, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone) => true,
        _ => return,
    };
    let value = match (word.as_str(), is_time) {
        ("now", true) => call("now", vec![]),
        _ => day(days),
    };
    *expr = Expr::Cast {
        kind: CastKind::DoubleColon,
        expr: Box::new(value),
        data_type: data_type.clone(),
        array: false,
        format: None,
    };
}

/// The day so many days after the session's.
fn day(days: i8) -> Expr {
    let today = call("current_date", vec![]);
    if days == 0 {
        return today;
    }
    let op = if days < 0 { BinaryOperator::Minus } else { BinaryOperator::Plus };
    let right = Box::new(number(u32::from(days.unsigned_abs())));
    Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(today), op, right }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn days_have_words() {
        check(RULE, "SELECT 'today'::DATE", "SELECT current_date()::DATE");
        check(RULE, "SELECT DATE 'Tomorrow '", "SELECT (current_date() + 1)::DATE");
        check(RULE, "SELECT 'now'::TIMESTAMP", "SELECT now()::TIMESTAMP");
        check(RULE, "SELECT 'now'", "SELECT 'now'");
    }
}
