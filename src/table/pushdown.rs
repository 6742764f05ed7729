//! A filter of SQL as a condition of Kintone's query language.
//!
//! `Exact(c)`: Kintone returns precisely the records for which SQL is TRUE. `Superset(c)`: at least those, so the
//! filter runs again here. `No`: it stays here. One function answers both the planner and the scan, so that they
//! cannot disagree. What each field type answers is in its own file under `field/`; unsure means `No`.

use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

use super::field::{Comparison, Exactness, Formula, Predicate};
use super::native;
use super::schema::{Column, Columns, Source};
use crate::kintone::Condition;

/// What Kintone can do for a filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pushdown {
    Exact(Formula),
    Superset(Formula),
    No,
}

impl Pushdown {
    fn new(exactness: Exactness, formula: Formula) -> Self {
        match exactness {
            Exactness::Exact => Self::Exact(formula),
            Exactness::Superset => Self::Superset(formula),
        }
    }

    /// The condition to send, and whether it is exact; `None` where there is none.
    pub(crate) fn into_parts(self) -> Option<(Formula, bool)> {
        match self {
            Self::Exact(formula) => Some((formula, true)),
            Self::Superset(formula) => Some((formula, false)),
            Self::No => None,
        }
    }
}

/// What Kintone can do for `filter` over these columns.
pub(crate) fn pushdown(filter: &Expr, columns: &Columns) -> Pushdown {
    truth(filter, columns, false)
}

/// Where `expr` is TRUE, or where `NOT expr` is. In three-valued logic NOT goes down to the leaves by De Morgan,
/// and `NOT (a < b)` is TRUE just where `a >= b` is.
fn truth(expr: &Expr, columns: &Columns, negated: bool) -> Pushdown {
    match expr {
        Expr::Alias(alias) => truth(&alias.expr, columns, negated),
        Expr::Not(inner) => truth(inner, columns, !negated),
        Expr::Literal(ScalarValue::Boolean(value), _) => Pushdown::Exact(match value {
            Some(value) if *value != negated => Formula::All,
            _ => Formula::Nothing,
        }),
        Expr::BinaryExpr(binary) => match (binary.op, negated) {
            (Operator::And, false) | (Operator::Or, true) => both(binary, columns, negated),
            (Operator::Or, false) | (Operator::And, true) => either(binary, columns, negated),
            (op, _) => comparison(op).map_or(Pushdown::No, |op| compare(binary, op, columns, negated)),
        },
        Expr::IsNull(inner) => null_test(inner, columns, !negated),
        Expr::IsNotNull(inner) => null_test(inner, columns, negated),
        Expr::Between(between) => between_ends(between, columns, negated),
        Expr::InList(list) => in_list(list, columns, negated),
        Expr::ScalarFunction(function) if function.name() == "array_has" => {
            contains(&function.args, columns, negated)
        }
        Expr::ScalarFunction(function) => {
            native::formula(function, negated).map_or(Pushdown::No, Pushdown::Exact)
        }
        _ => Pushdown::No,
    }
}

/// AND: each side narrows; one side alone is a superset.
fn both(binary: &BinaryExpr, columns: &Columns, negated: bool) -> Pushdown {
    let left = truth(&binary.left, columns, negated).into_parts();
    let right = truth(&binary.right, columns, negated).into_parts();
    match (left, right) {
        (Some((l, l_exact)), Some((r, r_exact))) => {
            let exactness = if l_exact && r_exact { Exactness::Exact } else { Exactness::Superset };
            Pushdown::new(exactness, Formula::and(vec![l, r]))
        }
        (Some((one, _)), None) | (None, Some((one, _))) => Pushdown::Superset(one),
        (None, None) => Pushdown::No,
    }
}

/// OR: whole or not at all.
fn either(binary: &BinaryExpr, columns: &Columns, negated: bool) -> Pushdown {
    let left = truth(&binary.left, columns, negated).into_parts();
    let right = truth(&binary.right, columns, negated).into_parts();
    match (left, right) {
        (Some((l, l_exact)), Some((r, r_exact))) => {
            let exactness = if l_exact && r_exact { Exactness::Exact } else { Exactness::Superset };
            Pushdown::new(exactness, Formula::or(vec![l, r]))
        }
        _ => Pushdown::No,
    }
}

fn comparison(op: Operator) -> Option<Comparison> {
    Some(match op {
        Operator::Eq => Comparison::Eq,
        Operator::NotEq => Comparison::NotEq,
        Operator::Lt => Comparison::Lt,
        Operator::LtEq => Comparison::LtEq,
        Operator::Gt => Comparison::Gt,
        Operator::GtEq => Comparison::GtEq,
        _ => return None,
    })
}

fn compare(binary: &BinaryExpr, op: Comparison, columns: &Columns, negated: bool) -> Pushdown {
    let op = if negated { op.negated() } else { op };
    let (column, value, op) = match (literal(&binary.right), literal(&binary.left)) {
        (Some(value), _) => (column(&binary.left, columns), value, op),
        (_, Some(value)) => (column(&binary.right, columns), value, op.flipped()),
        _ => return Pushdown::No,
    };
    match column {
        // A comparison with NULL is never TRUE.
        Some(_) if value.is_null() => Pushdown::Exact(Formula::Nothing),
        Some(column) => ask(column, &Predicate::Compare(op, value.clone())),
        None => Pushdown::No,
    }
}

fn null_test(inner: &Expr, columns: &Columns, null: bool) -> Pushdown {
    let Some(column) = column(inner, columns) else { return Pushdown::No };
    if !column.nullable {
        return Pushdown::Exact(if null { Formula::Nothing } else { Formula::All });
    }
    ask(column, if null { &Predicate::IsNull } else { &Predicate::IsNotNull })
}

/// `x BETWEEN a AND b` is `x >= a AND x <= b`.
fn between_ends(between: &Between, columns: &Columns, negated: bool) -> Pushdown {
    let end = |op, value: &Expr| {
        Expr::BinaryExpr(BinaryExpr::new(between.expr.clone(), op, Box::new(value.clone())))
    };
    let both = Expr::BinaryExpr(BinaryExpr::new(
        Box::new(end(Operator::GtEq, &between.low)),
        Operator::And,
        Box::new(end(Operator::LtEq, &between.high)),
    ));
    truth(&both, columns, negated != between.negated)
}

fn in_list(list: &InList, columns: &Columns, negated: bool) -> Pushdown {
    let Some(column) = column(&list.expr, columns) else { return Pushdown::No };
    let Some(values) = list.list.iter().map(literal).collect::<Option<Vec<_>>>() else { return Pushdown::No };
    let negated = negated != list.negated;
    let given: Vec<ScalarValue> = values.iter().filter(|v| !v.is_null()).map(|v| (*v).clone()).collect();
    match (negated, given.len() < values.len(), given.is_empty()) {
        // `x NOT IN (..., NULL)` is never TRUE; `x IN (NULL)` neither.
        (true, true, _) | (false, _, true) => Pushdown::Exact(Formula::Nothing),
        (true, ..) => ask(column, &Predicate::NotIn(given)),
        (false, ..) => ask(column, &Predicate::In(given)),
    }
}

fn contains(args: &[Expr], columns: &Columns, negated: bool) -> Pushdown {
    let [list, item] = args else { return Pushdown::No };
    match (column(list, columns), literal(item)) {
        (Some(_), Some(value)) if value.is_null() => Pushdown::Exact(Formula::Nothing),
        (Some(column), Some(value)) if negated => ask(column, &Predicate::NotContains(value.clone())),
        (Some(column), Some(value)) => ask(column, &Predicate::Contains(value.clone())),
        _ => Pushdown::No,
    }
}

/// Asks the field's own table of capabilities, then its wording.
fn ask(column: &Column, predicate: &Predicate) -> Pushdown {
    let Source::Record { field, field_type, part: 0 } = &column.source else { return Pushdown::No };
    if !Condition::is_nameable(&field.code) {
        return Pushdown::No;
    }
    let kind = predicate.kind();
    let Some(rule) = field_type.rules(field).iter().find(|r| r.predicate == kind) else {
        return Pushdown::No;
    };
    field_type.formula(field, predicate).map_or(Pushdown::No, |f| Pushdown::new(rule.exactness, f))
}

/// The column that an expression is, through casts that keep every value.
fn column<'a>(expr: &Expr, columns: &'a Columns) -> Option<&'a Column> {
    match expr {
        Expr::Column(name) => columns.columns.iter().find(|c| c.name == name.name),
        Expr::Alias(alias) => column(&alias.expr, columns),
        Expr::Cast(cast) => {
            let inner = column(&cast.expr, columns)?;
            let from = columns.context.data_type(&inner.sql_type);
            keeps_values(&from, cast.field.data_type()).then_some(inner)
        }
        _ => None,
    }
}

/// Whether a cast changes no value and no order: a wider decimal, an instant in another unit or zone.
fn keeps_values(from: &arrow::datatypes::DataType, to: &arrow::datatypes::DataType) -> bool {
    use arrow::datatypes::DataType as D;
    match (from, to) {
        (D::Decimal128(p, s), D::Decimal128(p2, s2)) => {
            s2 >= s && i16::from(*p2) - i16::from(*s2) >= i16::from(*p) - i16::from(*s)
        }
        (D::Timestamp(_, Some(_)), D::Timestamp(unit, Some(_))) => {
            matches!(unit, arrow::datatypes::TimeUnit::Microsecond | arrow::datatypes::TimeUnit::Nanosecond)
        }
        (D::Time64(_), D::Time64(_)) => true,
        (from, to) => from == to,
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        Expr::Alias(alias) => literal(&alias.expr),
        _ => None,
    }
}
