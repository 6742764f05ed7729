//! Kintone's own functions and conditions in a plan. They are sent to Kintone or refused, never evaluated here.
//!
//! While a statement is planned a predicate of Kintone's own is a call of [`Marker::Function`], [`Marker::Match`] or
//! [`Marker::Query`], with its place in the statement's text as the first argument. The engine brings each down to
//! its table's scan, where [`bind`] makes it a call of [`Marker::Condition`]: the condition's text, what it is where
//! it is negated, its place. The whole predicate stands as [`Marker::Placed`] among the scan's filters from then on,
//! so that no rule of the optimizer can copy, move or evaluate it, nor simplify it to a filter that a scan may leave
//! to others: all markers are volatile, and to run one is an error.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column as ColumnName, Result as DfResult};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::scalar::ScalarValue;

use super::error::{Error, Origin};
use super::field::{Call, Comparison, Formula, Native};
use super::schema::{Column, Columns, Shape, Source};
use crate::kintone::Condition;

/// A predicate of Kintone's own in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Marker {
    /// (place, column, operator or `any`, call): `created >= TODAY()`
    Function,
    /// (place, column, word): `kintone_match(column, 'word')`
    Match,
    /// (place, text) or (place, column, text): `kintone_query('condition')`
    Query,
    /// (text, negated text or NULL, place, whether it is of `kintone_query`): one of the others as its table's
    /// condition.
    Condition,
    /// (predicate): a filter of a scan that nobody applies but Kintone.
    Placed,
}

const MARKERS: &[Marker] =
    &[Marker::Function, Marker::Match, Marker::Query, Marker::Condition, Marker::Placed];

impl Marker {
    /// Its name in a plan, which is none of SQL's.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "kintone:function",
            Self::Match => "kintone:match",
            Self::Query => "kintone:query",
            Self::Condition => "kintone:condition",
            Self::Placed => "kintone:placed",
        }
    }

    /// The marker that a call is, with its arguments.
    #[must_use]
    pub fn of(expr: &Expr) -> Option<(Self, &[Expr])> {
        let Expr::ScalarFunction(call) = expr else { return None };
        let marker = MARKERS.iter().find(|marker| marker.name() == call.name())?;
        Some((*marker, &call.args))
    }

    /// The first marker in an expression. Not looked for in its subqueries.
    #[must_use]
    pub fn find(expr: &Expr) -> Option<(Self, Vec<Expr>)> {
        let mut found = None;
        let _ = expr.exists(|part| {
            found = Self::of(part).map(|(marker, args)| (marker, args.to_vec()));
            Ok(found.is_some())
        });
        found
    }

    /// Where a call of it stands in the statement's text, in characters from 1.
    fn place(self, args: &[Expr]) -> Option<usize> {
        let place = if self == Self::Condition { args.get(2) } else { args.first() };
        let Some(Expr::Literal(place, _)) = place else { return None };
        match place.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(place))) => usize::try_from(place).ok().filter(|place| *place > 0),
            _ => None,
        }
    }

    /// What the statement calls it.
    fn shown(self, args: &[Expr]) -> String {
        match self {
            Self::Function => text(args.get(3)).unwrap_or_default().to_owned(),
            Self::Match => "kintone_match".into(),
            Self::Query => "kintone_query".into(),
            Self::Condition => text(args.first()).unwrap_or_default().to_owned(),
            Self::Placed => args.first().map(shown).unwrap_or_default(),
        }
    }
}

/// The functions that stand for [`Marker`]s, to be registered.
pub fn native_functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    MARKERS.iter().map(|marker| Arc::new(ScalarUDF::from(MarkerFunction::new(*marker))))
}

/// Refuses the first marker of an expression: `why` ends the sentence that its name begins.
#[must_use]
pub fn refused(expr: &Expr, why: &str, hint: &'static str) -> Error {
    match Marker::find(expr) {
        Some((marker, args)) => refusal(marker, &args, why, hint),
        None => {
            Error::NotSent { what: "a condition of Kintone's own".into(), why: why.into(), hint, place: None }
        }
    }
}

fn refusal(marker: Marker, args: &[Expr], why: impl Into<String>, hint: &'static str) -> Error {
    Error::NotSent { what: marker.shown(args), why: why.into(), hint, place: marker.place(args) }
}

/// A marker as a function that does not run.
#[derive(Debug, PartialEq, Eq, Hash)]
struct MarkerFunction {
    marker: Marker,
    signature: Signature,
}

impl MarkerFunction {
    fn new(marker: Marker) -> Self {
        Self { marker, signature: Signature::variadic_any(Volatility::Volatile) }
    }
}

impl ScalarUDFImpl for MarkerFunction {
    fn name(&self) -> &str {
        self.marker.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let constants = args.args.iter().map(|arg| match arg {
            ColumnarValue::Scalar(value) => Expr::Literal(value.clone(), None),
            ColumnarValue::Array(_) => Expr::Literal(ScalarValue::Null, None),
        });
        let constants: Vec<Expr> = constants.collect();
        Err(refusal(self.marker, &constants, "is answered by Kintone alone", "").into())
    }
}

fn text(expr: Option<&Expr>) -> Option<&str> {
    match expr? {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    }
}

/// A predicate with its markers as conditions on the table of these columns, to stand among its scan's filters.
/// What else stands in it stays.
///
/// # Errors
/// One of them says what Kintone cannot.
pub(crate) fn bind(predicate: Expr, columns: &Columns) -> Result<Expr, Error> {
    Ok(call(Marker::Placed, vec![bound(predicate, columns, false)?]))
}

fn call(marker: Marker, args: Vec<Expr>) -> Expr {
    let function = Arc::new(ScalarUDF::from(MarkerFunction::new(marker)));
    Expr::ScalarFunction(ScalarFunction::new_udf(function, args))
}

/// The predicate that a scan has to apply whole, where a filter is one.
pub(crate) fn placed(filter: &Expr) -> Option<&Expr> {
    match Marker::of(filter) {
        Some((Marker::Placed, [predicate])) => Some(predicate),
        _ => None,
    }
}

fn bound(expr: Expr, columns: &Columns, negated: bool) -> Result<Expr, Error> {
    if let Some((marker, args)) = Marker::of(&expr) {
        return condition(marker, args, columns, negated);
    }
    match expr {
        Expr::Alias(alias) => bound(*alias.expr, columns, negated),
        Expr::Not(inner) => Ok(Expr::Not(Box::new(bound(*inner, columns, !negated)?))),
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let (left, right) = (bound(*left, columns, negated)?, bound(*right, columns, negated)?);
            Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
        }
        other if Marker::find(&other).is_some() => {
            Err(refused(&other, "stands inside another expression", "It may stand in AND, OR and NOT."))
        }
        other => Ok(other),
    }
}

/// A condition, with what it is where it is negated.
struct Sides {
    holds: Formula,
    fails: Option<Formula>,
}

fn condition(marker: Marker, args: &[Expr], columns: &Columns, negated: bool) -> Result<Expr, Error> {
    let sides = match marker {
        Marker::Function => function(args, columns)?,
        Marker::Match => matched(args, columns)?,
        Marker::Query => query(args, columns, negated)?,
        Marker::Condition | Marker::Placed => {
            return Err(refusal(marker, args, "stands where no condition can", ""));
        }
    };
    let Some(Sides { holds, fails }) = sides else {
        return Ok(Expr::Literal(ScalarValue::Boolean(None), None));
    };
    let text = |formula: Formula| match formula {
        // It gets its brackets again.
        Formula::Of(Condition::Native(text)) => Some(text),
        Formula::Of(condition) => Some(condition.to_string()),
        Formula::All | Formula::Nothing => None,
    };
    let place = marker.place(args).and_then(|place| i64::try_from(place).ok());
    let constant = |value| Expr::Literal(value, None);
    let args = vec![
        constant(ScalarValue::Utf8(text(holds))),
        constant(ScalarValue::Utf8(fails.and_then(text))),
        constant(ScalarValue::Int64(place)),
        constant(ScalarValue::Boolean(Some(marker == Marker::Query))),
    ];
    Ok(call(Marker::Condition, args))
}

/// The column that a predicate is about: one of the record, named by its field's code.
fn column<'c>(marker: Marker, args: &[Expr], columns: &'c Columns) -> Result<&'c Column, Error> {
    let found = match args.get(1) {
        Some(Expr::Column(name)) => columns.columns.iter().find(|c| c.name == name.name),
        _ => None,
    };
    let Some(column) = found else {
        return Err(refusal(marker, args, "goes with a column of the table and nothing else", ""));
    };
    let why = match &column.source {
        Source::Record { field, part: 0, .. } if Condition::is_nameable(&field.code) => return Ok(column),
        Source::Record { field, part: 0, .. } => {
            format!("cannot be sent: Kintone's query language cannot name {}", field.code)
        }
        Source::Record { .. } => format!("does not go with {}, which is no field of its own", column.name),
        Source::Row { .. } | Source::RowId | Source::RowIndex => {
            format!("does not go with {}: Kintone picks records by it, not rows", column.name)
        }
    };
    Err(refusal(marker, args, why, ""))
}

fn sides(column: &Column, native: &Native) -> Option<Sides> {
    let Source::Record { field, field_type, .. } = &column.source else { return None };
    let holds = field_type.native(field, native)?;
    Some(Sides { holds, fails: field_type.native(field, &native.negated()) })
}

fn function(args: &[Expr], columns: &Columns) -> Result<Option<Sides>, Error> {
    let marker = Marker::Function;
    let column = column(marker, args, columns)?;
    let operator = text(args.get(2)).unwrap_or_default();
    let call = Call { text: text(args.get(3)).unwrap_or_default().to_owned() };
    let is_person = call.is_person();
    let native = match operator {
        "=" => Native::Compare(Comparison::Eq, call),
        "<>" => Native::Compare(Comparison::NotEq, call),
        "<" => Native::Compare(Comparison::Lt, call),
        "<=" => Native::Compare(Comparison::LtEq, call),
        ">" => Native::Compare(Comparison::Gt, call),
        ">=" => Native::Compare(Comparison::GtEq, call),
        _ => Native::Contains(call),
    };
    let hint = if is_person {
        "It goes with = on a creator or modifier, and as LOGINUSER() = ANY (field) on users and assignees."
    } else {
        "It goes with a comparison of a date, a date and time, or a created or updated time."
    };
    let why = || format!("does not go with {operator} on {} ({})", column.name, kind(column));
    sides(column, &native).map(Some).ok_or_else(|| refusal(marker, args, why(), hint))
}

fn kind(column: &Column) -> &str {
    if column.kintone_type.is_empty() { "no field of Kintone's" } else { &column.kintone_type }
}

fn matched(args: &[Expr], columns: &Columns) -> Result<Option<Sides>, Error> {
    let marker = Marker::Match;
    let column = column(marker, args, columns)?;
    let Some(word) = literal(marker, args, args.get(2))? else { return Ok(None) };
    let hint = "Kintone searches texts, links, rich texts and attachments for words.";
    if !Condition::is_expressible(word) {
        return Err(refusal(marker, args, "cannot search for a control character", ""));
    }
    let why = || format!("does not go with {} ({})", column.name, kind(column));
    let native = Native::Match(word.to_owned());
    sides(column, &native).map(Some).ok_or_else(|| refusal(marker, args, why(), hint))
}

fn query(args: &[Expr], columns: &Columns, negated: bool) -> Result<Option<Sides>, Error> {
    let marker = Marker::Query;
    let Some(text) = literal(marker, args, args.last())? else { return Ok(None) };
    let condition = Condition::native(text).map_err(|error| Error::BadCondition {
        origin: Origin::Statement(marker.place(args)),
        reason: error.to_string(),
    })?;
    if negated {
        let hint = "Write its opposite inside the condition: !=, not in, not like, is not empty.";
        return Err(refusal(marker, args, "cannot be negated: Kintone has no NOT before a condition", hint));
    }
    if matches!(columns.shape, Shape::Row(_)) {
        let own = |word: &String| {
            columns
                .columns
                .iter()
                .any(|c| matches!(&c.source, Source::Row { field, .. } if field.code == *word))
        };
        if let Some(code) = Condition::native_words(text).into_iter().find(own) {
            let why = format!("does not go with {code} here: Kintone picks records by it, not rows");
            return Err(refusal(
                marker,
                args,
                why,
                "Compare the column with SQL, or ask the record's own table.",
            ));
        }
    }
    Ok(Some(Sides { holds: Formula::Of(condition), fails: None }))
}

/// A text that is written in the statement or bound; `None` for NULL.
fn literal<'e>(marker: Marker, args: &[Expr], expr: Option<&'e Expr>) -> Result<Option<&'e str>, Error> {
    match expr {
        Some(Expr::Literal(value, _)) if value.is_null() => Ok(None),
        Some(Expr::Literal(value, _)) if value.try_as_str().is_some() => Ok(value.try_as_str().flatten()),
        Some(Expr::Cast(cast)) => literal(marker, args, Some(&cast.expr)),
        _ => Err(refusal(marker, args, "takes its text as a literal or a parameter", "")),
    }
}

/// The condition that a bound marker is, or that it is where it is negated; `None` where there is none.
pub(crate) fn formula(function: &ScalarFunction, negated: bool) -> Option<Formula> {
    if function.name() != Marker::Condition.name() {
        return None;
    }
    let text = text(function.args.get(usize::from(negated)))?;
    Some(Formula::Of(Condition::Native(text.to_owned())))
}

/// The call of `kintone_query` in a filter of a scan.
pub(crate) fn origin(filter: &Expr) -> Option<Origin> {
    let mut found = None;
    let _ = filter.exists(|part| {
        if let Some((Marker::Condition, args)) = Marker::of(part)
            && matches!(args.get(3), Some(Expr::Literal(ScalarValue::Boolean(Some(true)), _)))
        {
            found = Some(Origin::Statement(Marker::Condition.place(args)));
        }
        Ok(found.is_some())
    });
    found
}

/// A filter as EXPLAIN shows it, with its markers in Kintone's words.
pub(crate) fn shown(filter: &Expr) -> String {
    let shown = filter.clone().transform(|part| {
        let words = Marker::of(&part).map(|(marker, args)| marker.shown(args));
        Ok(match words {
            Some(words) => Transformed::yes(Expr::Column(ColumnName::new_unqualified(words))),
            None => Transformed::no(part),
        })
    });
    shown.map_or_else(|_| String::new(), |shown| shown.data.human_display().to_string())
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::lit;

    use super::*;

    #[test]
    fn a_marker_does_not_run() {
        for function in native_functions() {
            assert_eq!(function.signature().volatility, Volatility::Volatile, "{}", function.name());
            let call = function.call(vec![lit(7_i64), lit("x"), lit(7_i64)]);
            let (marker, args) = Marker::find(&call.clone().and(lit(true))).unwrap();
            assert_eq!(marker.name(), function.name());
            assert_eq!(marker.place(&args), Some(7));
        }
        assert!(Marker::find(&lit(1)).is_none());
    }
}
