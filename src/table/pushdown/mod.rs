//! A filter of SQL as a condition of Kintone's query language.
//!
//! `Exact(c)`: Kintone returns precisely the records for which SQL is TRUE. `Superset(c)`: at least those, so the
//! filter runs again here. `No`: it stays here. One function answers both the planner and the scan, so that they
//! cannot disagree. What each field type answers is in its own file under `field/` and is looked up in [`ask`]
//! alone; unsure means `No`. `logic` knows three-valued logic, `cases` CASE, `casts` days and instants.

mod cases;
mod casts;
mod logic;

pub(crate) use casts::FLOAT;
use datafusion::logical_expr::expr::{InList, Like};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

use super::field::{Answer, Comparison, Formula, Place, Predicate, PredicateKind, Rule};
use super::native;
use super::schema::{Column, Columns, Source};
use super::types::SqlType;
use crate::kintone::Condition;

/// The longest list that goes to Kintone: thousands of ids are common in the field, where the end is nobody knows
/// (K§3.1). A longer one is looked through here.
const LONGEST_LIST: usize = 2_000;

/// What Kintone can do for a filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pushdown {
    Exact(Formula),
    Superset(Formula),
    No,
}

impl Pushdown {
    const ALL: Self = Self::Exact(Formula::All);
    const NOTHING: Self = Self::Exact(Formula::Nothing);

    fn new(answer: Answer, formula: Formula) -> Self {
        match answer {
            Answer::Exact => Self::Exact(formula),
            Answer::Superset => Self::Superset(formula),
            Answer::No => Self::No,
        }
    }

    fn constant(holds: bool) -> Self {
        if holds { Self::ALL } else { Self::NOTHING }
    }

    /// The condition to send, and whether it is exact; `None` where there is none.
    pub(crate) fn into_parts(self) -> Option<(Formula, bool)> {
        match self {
            Self::Exact(formula) => Some((formula, true)),
            Self::Superset(formula) => Some((formula, false)),
            Self::No => None,
        }
    }

    /// Each side narrows; one side alone is a superset.
    fn and(self, other: Self) -> Self {
        match (self.into_parts(), other.into_parts()) {
            (Some((l, l_exact)), Some((r, r_exact))) => {
                let formula = Formula::and(vec![l, r]);
                if l_exact && r_exact { Self::Exact(formula) } else { Self::Superset(formula) }
            }
            (Some((one, _)), None) | (None, Some((one, _))) => Self::Superset(one),
            (None, None) => Self::No,
        }
    }

    /// Whole or not at all.
    fn or(self, other: Self) -> Self {
        match (self.into_parts(), other.into_parts()) {
            (Some((l, l_exact)), Some((r, r_exact))) => {
                let formula = Formula::or(vec![l, r]);
                if l_exact && r_exact { Self::Exact(formula) } else { Self::Superset(formula) }
            }
            _ => Self::No,
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
        Expr::Literal(value, _) => match value {
            ScalarValue::Boolean(Some(value)) => Pushdown::constant(*value != negated),
            value if value.is_null() => Pushdown::NOTHING,
            _ => Pushdown::No,
        },
        Expr::BinaryExpr(binary) => match (binary.op, negated) {
            (Operator::And, false) | (Operator::Or, true) => {
                truth(&binary.left, columns, negated).and(truth(&binary.right, columns, negated))
            }
            (Operator::Or, false) | (Operator::And, true) => {
                truth(&binary.left, columns, negated).or(truth(&binary.right, columns, negated))
            }
            (Operator::IsDistinctFrom, _) => logic::distinct(binary, columns, !negated),
            (Operator::IsNotDistinctFrom, _) => logic::distinct(binary, columns, negated),
            (op, _) => comparison(op).map_or(Pushdown::No, |op| compare(binary, op, columns, negated)),
        },
        Expr::IsNull(inner) => logic::null_test(inner, columns, !negated),
        Expr::IsNotNull(inner) => logic::null_test(inner, columns, negated),
        Expr::IsTrue(inner) => logic::test(inner, columns, false, !negated),
        Expr::IsNotTrue(inner) => logic::test(inner, columns, false, negated),
        Expr::IsFalse(inner) => logic::test(inner, columns, true, !negated),
        Expr::IsNotFalse(inner) => logic::test(inner, columns, true, negated),
        Expr::IsUnknown(inner) => logic::unknown(inner, columns, !negated),
        Expr::IsNotUnknown(inner) => logic::unknown(inner, columns, negated),
        Expr::Between(between) => truth(&both_ends(between), columns, negated != between.negated),
        Expr::InList(list) => in_list(list, columns, negated),
        Expr::Like(pattern) => like(pattern, columns, negated),
        Expr::Case(case) => cases::take(case, columns, &|value| truth(value, columns, negated)),
        Expr::ScalarFunction(function) => match native::formula(function, negated) {
            Some(formula) => Pushdown::Exact(formula),
            None => array_test(function.name(), &function.args, columns, negated),
        },
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
    match (literal(&binary.left), literal(&binary.right)) {
        (Some(left), Some(right)) => constant(left, op, right),
        (None, Some(value)) => against(&binary.left, op, value, columns),
        (Some(value), None) => against(&binary.right, op.flipped(), value, columns),
        (None, None) => Pushdown::No,
    }
}

/// A comparison of two literals.
fn constant(left: &ScalarValue, op: Comparison, right: &ScalarValue) -> Pushdown {
    if left.is_null() || right.is_null() {
        return Pushdown::NOTHING;
    }
    left.partial_cmp(right).map_or(Pushdown::No, |ordering| Pushdown::constant(op.holds(ordering)))
}

/// A comparison of an expression with a literal.
fn against(expr: &Expr, op: Comparison, value: &ScalarValue, columns: &Columns) -> Pushdown {
    if let Expr::Case(case) = expr {
        return cases::take(case, columns, &|then| match literal(then) {
            Some(then) => constant(then, op, value),
            None => against(then, op, value, columns),
        });
    }
    if let Expr::ScalarFunction(function) = expr
        && function.name() == "cardinality"
    {
        return cardinality(&function.args, op, value, columns);
    }
    match column(expr, columns) {
        // A comparison with NULL is never TRUE.
        Some(_) if value.is_null() => Pushdown::NOTHING,
        Some(column) if matches!(column.sql_type, SqlType::Array(_)) => whole_array(column, op, value),
        Some(column) => ask(column, &Predicate::Compare(op, value.clone())),
        None => casts::compare(expr, op, value, columns),
    }
}

/// `x BETWEEN a AND b` is `x >= a AND x <= b`.
fn both_ends(between: &Between) -> Expr {
    let end = |op, value: &Expr| {
        Expr::BinaryExpr(BinaryExpr::new(between.expr.clone(), op, Box::new(value.clone())))
    };
    Expr::BinaryExpr(BinaryExpr::new(
        Box::new(end(Operator::GtEq, &between.low)),
        Operator::And,
        Box::new(end(Operator::LtEq, &between.high)),
    ))
}

fn in_list(list: &InList, columns: &Columns, negated: bool) -> Pushdown {
    let Some(values) = list.list.iter().map(literal).collect::<Option<Vec<_>>>() else { return Pushdown::No };
    let negated = negated != list.negated;
    let given: Vec<ScalarValue> = values.iter().filter(|v| !v.is_null()).map(|v| (*v).clone()).collect();
    let has_null = given.len() < values.len();
    if given.len() > LONGEST_LIST {
        return Pushdown::No;
    }
    // Of an array without items, whatever `x` is.
    if values.is_empty() {
        return Pushdown::constant(negated);
    }
    // `x NOT IN (..., NULL)` is never TRUE; `x IN (NULL)` neither.
    if (negated && has_null) || given.is_empty() {
        return Pushdown::NOTHING;
    }
    match column(&list.expr, columns) {
        Some(column) if negated => ask(column, &Predicate::NotIn(given)),
        Some(column) => ask(column, &Predicate::In(given)),
        None => casts::in_list(&list.expr, &given, negated, columns),
    }
}

/// LIKE without a wildcard is `=`, and DataFusion makes it that before it asks.
fn like(like: &Like, columns: &Columns, negated: bool) -> Pushdown {
    let (Some(column), Some(pattern)) = (column(&like.expr, columns), literal(&like.pattern)) else {
        return Pushdown::No;
    };
    match pattern.try_as_str() {
        Some(None) => Pushdown::NOTHING,
        Some(Some(pattern)) if matches!(like.escape_char, None | Some('\\')) => ask(
            column,
            &Predicate::Like {
                pattern: pattern.to_owned(),
                negated: like.negated != negated,
                ignore_case: like.case_insensitive,
            },
        ),
        _ => Pushdown::No,
    }
}

/// `literal = ANY(column)`, `column @> array`, `column && array`.
fn array_test(name: &str, args: &[Expr], columns: &Columns, negated: bool) -> Pushdown {
    let [left, right] = args else { return Pushdown::No };
    let (list, value, flipped) = match (column(left, columns), column(right, columns)) {
        (Some(list), None) => (list, literal(right), false),
        (None, Some(list)) => (list, literal(left), true),
        _ => return Pushdown::No,
    };
    let Some(value) = value else { return Pushdown::No };
    if name == "array_has" && !flipped {
        return match (value.is_null(), negated) {
            (true, _) => Pushdown::NOTHING,
            (_, false) => ask(list, &Predicate::Contains(value.clone())),
            (_, true) => ask(list, &Predicate::NotContains(value.clone())),
        };
    }
    // What an array without items or with a NULL among them is in is decided here.
    let Some(items) = items(value).filter(|items| !items.is_empty() && items.len() <= LONGEST_LIST) else {
        return Pushdown::No;
    };
    if items.iter().any(ScalarValue::is_null) {
        return Pushdown::No;
    }
    match (name, flipped, negated) {
        ("array_has_all", false, false) => ask(list, &Predicate::ContainsAll(items)),
        ("array_has_all", false, true) => ask(list, &Predicate::NotContainsAll(items)),
        ("array_has_any", _, false) => ask(list, &Predicate::Overlaps(items)),
        ("array_has_any", _, true) => ask(list, &Predicate::NotOverlaps(items)),
        _ => Pushdown::No,
    }
}

/// `column = array`, where the array has no NULL in it.
fn whole_array(column: &Column, op: Comparison, value: &ScalarValue) -> Pushdown {
    let Some(items) = items(value) else { return Pushdown::No };
    match (items.is_empty(), op) {
        (true, Comparison::Eq) => ask(column, &Predicate::IsEmpty),
        (true, Comparison::NotEq) => ask(column, &Predicate::IsNotEmpty),
        (false, _) if items.iter().all(|item| !item.is_null()) => {
            ask(column, &Predicate::Compare(op, value.clone()))
        }
        _ => Pushdown::No,
    }
}

/// `cardinality(column) = 0` and `> 0`, however they are written.
fn cardinality(args: &[Expr], op: Comparison, value: &ScalarValue, columns: &Columns) -> Pushdown {
    let number = match value {
        ScalarValue::UInt64(Some(n)) => *n,
        ScalarValue::Int64(Some(n)) if *n >= 0 => n.unsigned_abs(),
        _ => return Pushdown::No,
    };
    let [list] = args else { return Pushdown::No };
    let Some(column) = column(list, columns) else { return Pushdown::No };
    match (op, number) {
        (Comparison::Eq | Comparison::LtEq, 0) | (Comparison::Lt, 1) => ask(column, &Predicate::IsEmpty),
        (Comparison::NotEq | Comparison::Gt, 0) | (Comparison::GtEq, 1) => {
            ask(column, &Predicate::IsNotEmpty)
        }
        _ => Pushdown::No,
    }
}

/// The items of an array literal.
fn items(value: &ScalarValue) -> Option<Vec<ScalarValue>> {
    let ScalarValue::List(array) = value else { return None };
    let rows = ScalarValue::convert_array_to_scalar_vec(array.as_ref()).ok()?;
    rows.into_iter().next().flatten()
}

/// Asks the field's own table of capabilities, then its wording.
fn ask(column: &Column, predicate: &Predicate) -> Pushdown {
    let (field, field_type, place) = match &column.source {
        Source::Record { field, field_type, part: 0 } => (field, field_type, Place::Record),
        Source::Row { field, field_type, part: 0 } => (field, field_type, Place::Row),
        _ => return Pushdown::No,
    };
    if !Condition::is_nameable(&field.code) {
        return Pushdown::No;
    }
    let kind = predicate.kind();
    let rules = field_type.rules(field, place);
    let answer = rules.iter().find(|rule| rule.predicates.contains(&kind)).map(|rule| rule.answer);
    match answer {
        None | Some(Answer::No) => Pushdown::No,
        Some(answer) => {
            let formula = field_type.formula(field, place, predicate);
            formula.map_or(Pushdown::No, |formula| Pushdown::new(answer, formula))
        }
    }
}

/// Whether Kintone can be asked for the records with one of many values of `key`.
pub(crate) fn asks_for_keys(key: &Expr, columns: &Columns) -> bool {
    let Some(column) = column(key, columns) else { return false };
    let (field, field_type, place) = match &column.source {
        Source::Record { field, field_type, part: 0 } => (field, field_type, Place::Record),
        Source::Row { field, field_type, part: 0 } => (field, field_type, Place::Row),
        _ => return false,
    };
    let of_keys =
        |kind: &PredicateKind| matches!(kind, PredicateKind::In | PredicateKind::Compare(Comparison::Eq));
    let asked = |rule: &Rule| rule.answer != Answer::No && rule.predicates.iter().any(of_keys);
    Condition::is_nameable(&field.code) && field_type.rules(field, place).iter().any(asked)
}

/// Whether no two records have the same value of `key`.
pub(crate) fn is_unique(key: &Expr, columns: &Columns) -> bool {
    column(key, columns).is_some_and(|column| column.unique)
}

/// The column that an expression is, through casts that keep every value.
fn column<'a>(expr: &Expr, columns: &'a Columns) -> Option<&'a Column> {
    match expr {
        Expr::Column(name) => columns.columns.iter().find(|c| c.name == name.name),
        Expr::Alias(alias) => column(&alias.expr, columns),
        Expr::Cast(cast) => {
            let inner = column(&cast.expr, columns)?;
            let from = columns.context.data_type(&inner.sql_type);
            casts::keeps_values(&from, cast.field.data_type()).then_some(inner)
        }
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        Expr::Alias(alias) => literal(&alias.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kintone::{FieldProperties, Form};
    use crate::table::field::{FIELD_TYPES, FormContext, PredicateKind};

    fn columns(kind: &str, format: Option<&str>) -> Columns {
        let field = FieldProperties {
            kind: kind.into(),
            code: "f".into(),
            enabled: true,
            options: ["a", "b", "c\u{7}"].map(str::to_owned).to_vec(),
            format: format.map(str::to_owned),
            ..FieldProperties::default()
        };
        let table = FieldProperties {
            kind: "SUBTABLE".into(),
            code: "t".into(),
            enabled: true,
            fields: vec![FieldProperties { code: "row".into(), ..field.clone() }],
            ..FieldProperties::default()
        };
        let form = Form { revision: "1".into(), fields: vec![field, table.clone()] };
        let context = FormContext { scale: 10, time_zone: chrono_tz::Asia::Tokyo, by_label: false };
        Columns::of_rows(&form, &table, context)
    }

    fn sample(kind: &str, sql_type: &SqlType) -> ScalarValue {
        match sql_type {
            _ if kind == "RECORD_NUMBER" => ScalarValue::from("X-1"),
            SqlType::Numeric => ScalarValue::Decimal128(Some(5), 38, 0),
            SqlType::Date => ScalarValue::Date32(Some(20_000)),
            SqlType::Time => ScalarValue::Time64Nanosecond(Some(3_600_000_000_000)),
            SqlType::TimestampTz => ScalarValue::TimestampMicrosecond(Some(60_000_000), Some("UTC".into())),
            SqlType::Int8 => ScalarValue::Int64(Some(5)),
            _ => ScalarValue::from("a"),
        }
    }

    fn predicate(kind: PredicateKind, value: ScalarValue, is_list: bool) -> Predicate {
        let list = || {
            ScalarValue::List(ScalarValue::new_list_nullable(
                std::slice::from_ref(&value),
                &value.data_type(),
            ))
        };
        let like = |negated| Predicate::Like { pattern: "a%".into(), negated, ignore_case: false };
        match kind {
            PredicateKind::Compare(op) if is_list => Predicate::Compare(op, list()),
            PredicateKind::Compare(op) => Predicate::Compare(op, value),
            PredicateKind::In => Predicate::In(vec![value]),
            PredicateKind::NotIn => Predicate::NotIn(vec![value]),
            PredicateKind::IsNull => Predicate::IsNull,
            PredicateKind::IsNotNull => Predicate::IsNotNull,
            PredicateKind::Like => like(false),
            PredicateKind::NotLike => like(true),
            PredicateKind::Contains => Predicate::Contains(value),
            PredicateKind::NotContains => Predicate::NotContains(value),
            PredicateKind::ContainsAll => Predicate::ContainsAll(vec![value]),
            PredicateKind::NotContainsAll => Predicate::NotContainsAll(vec![value]),
            PredicateKind::Overlaps => Predicate::Overlaps(vec![value]),
            PredicateKind::NotOverlaps => Predicate::NotOverlaps(vec![value]),
            PredicateKind::IsEmpty => Predicate::IsEmpty,
            PredicateKind::IsNotEmpty => Predicate::IsNotEmpty,
        }
    }

    /// What the table says is what happens: every predicate that it calls answered has a wording, no other has.
    #[test]
    fn each_rule_has_a_wording() {
        let mut asked = 0;
        for field_type in FIELD_TYPES {
            let formats = field_type.formats().iter().copied().map(Some).chain([None]);
            for (format, kind) in formats.flat_map(|f| field_type.kintone_types().iter().map(move |k| (f, k)))
            {
                let columns = columns(kind, format);
                for (name, place) in [("f", Place::Record), ("row", Place::Row)] {
                    let Some(column) = columns.columns.iter().find(|c| c.name == name) else { continue };
                    let field =
                        FieldProperties { format: format.map(str::to_owned), ..FieldProperties::default() };
                    for rule in field_type.rules(&field, place) {
                        for predicate_kind in rule.predicates {
                            if !column.nullable && PredicateKind::NULLS.contains(predicate_kind) {
                                continue;
                            }
                            let is_list = matches!(column.sql_type, SqlType::Array(_));
                            let value = sample(kind, &column.sql_type);
                            let predicate = predicate(*predicate_kind, value, is_list);
                            let answer = match ask(column, &predicate) {
                                Pushdown::Exact(_) => Answer::Exact,
                                Pushdown::Superset(_) => Answer::Superset,
                                Pushdown::No => Answer::No,
                            };
                            assert_eq!(answer, rule.answer, "{kind} {format:?} {place:?} {predicate_kind}");
                            asked += 1;
                        }
                    }
                }
            }
        }
        assert!(asked > 400, "{asked}");
    }

    #[test]
    fn an_option_that_cannot_be_written_is_looked_at_here() {
        let columns = columns("DROP_DOWN", None);
        let column = columns.columns.iter().find(|c| c.name == "f").unwrap();
        let less = Predicate::Compare(Comparison::LtEq, ScalarValue::from("a"));
        let Pushdown::Superset(Formula::Of(condition)) = ask(column, &less) else { panic!("a superset") };
        assert_eq!(condition.to_string(), r#"f not in ("", "b")"#);
    }

    #[test]
    fn a_number_beside_a_float_is_narrowed_down() {
        use datafusion::logical_expr::{ScalarUDF, SimpleScalarUDF, Volatility, col, lit};
        let double = arrow::datatypes::DataType::Float64;
        let call =
            std::sync::Arc::new(|args: &[datafusion::logical_expr::ColumnarValue]| Ok(args[0].clone()));
        let types = vec![SqlType::Numeric.data_type()];
        let float = ScalarUDF::from(SimpleScalarUDF::new(FLOAT, types, double, Volatility::Immutable, call));
        let asked = pushdown(&float.call(vec![col("f")]).gt(lit(89.5)), &columns("NUMBER", None));
        let Pushdown::Superset(Formula::Of(condition)) = asked else { panic!("a superset: {asked:?}") };
        assert_eq!(condition.to_string(), r#"f >= "89.4999999999""#);
    }

    #[test]
    fn a_list_that_is_too_long_stays_here() {
        let columns = columns("NUMBER", None);
        let list = |n: i64| {
            let values = (0..n).map(|n| Expr::Literal(ScalarValue::Int64(Some(n)), None)).collect();
            let column = Box::new(Expr::Column("f".into()));
            pushdown(&Expr::InList(InList { expr: column, list: values, negated: false }), &columns)
        };
        assert!(matches!(list(2_000), Pushdown::Exact(_)));
        assert_eq!(list(2_001), Pushdown::No);
    }
}
