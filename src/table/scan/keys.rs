//! What a join tells of the keys that its other side has: lists of values and ranges.
//!
//! DataFusion's hash join makes a dynamic filter of its small side once that is read: `k >= min AND k <= max AND
//! k IN (...)`, the list only where it is short enough, with `OR k IS NULL` where the join wants NULLs as well. Pure:
//! takes such a filter as it stands, gives its parts as filters of a query, which go through the same table of
//! capabilities as a WHERE. What cannot be read narrows nothing: the join itself compares every row again.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Column as ColumnName;
use datafusion::logical_expr::{BinaryExpr as LogicalBinary, Cast, Expr, Operator};
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNullExpr, Literal,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, split_conjunction};
use datafusion::scalar::ScalarValue;

use crate::table::pushdown::asks_for_keys;
use crate::table::schema::Columns;

/// A value as the join has it, and as the column does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub of_join: ScalarValue,
    pub of_column: ScalarValue,
}

/// `key IN (...)`: each value once, in order, none of them NULL.
#[derive(Debug, Clone)]
pub(super) struct KeyList {
    /// Over the scan's rows.
    pub row: Arc<dyn PhysicalExpr>,
    /// Over the table.
    pub key: Expr,
    pub keys: Vec<Key>,
}

/// A join's filter: `(lists AND ranges) OR nulls IS NULL`.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyFilter {
    pub lists: Vec<KeyList>,
    /// Comparisons with a constant.
    pub ranges: Vec<Expr>,
    /// Keys whose NULL is wanted too.
    pub nulls: Vec<(Arc<dyn PhysicalExpr>, Expr)>,
}

/// Whether Kintone could narrow by such a filter once it is known.
pub(super) fn narrows(filter: &Arc<dyn PhysicalExpr>, columns: &Columns, schema: &Schema) -> bool {
    let keys = filter.children();
    filter.downcast_ref::<DynamicFilterPhysicalExpr>().is_some()
        && keys.into_iter().any(|key| logical(inner(key, schema)).is_some_and(|k| asks_for_keys(&k, columns)))
}

/// The keys of a filter that is not yet known, for EXPLAIN: those that Kintone can be asked for.
pub(super) fn names(filter: &Arc<dyn PhysicalExpr>, columns: &Columns, schema: &Schema) -> Vec<String> {
    let keys = filter.children().into_iter().filter_map(|key| logical(inner(key, schema)));
    keys.filter(|key| asks_for_keys(key, columns)).map(|key| name(&key)).collect()
}

/// A key as EXPLAIN shows it.
pub(super) fn name(key: &Expr) -> String {
    match key {
        Expr::Cast(cast) => name(&cast.expr),
        other => other.human_display().to_string(),
    }
}

/// The parts of a filter as it stands; `None` where it says nothing that can be read.
pub(super) fn read(filter: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Option<KeyFilter> {
    let (mut body, mut nulls) = (None, vec![]);
    for part in disjunction(filter) {
        match part.downcast_ref::<IsNullExpr>() {
            Some(null) => nulls.push((Arc::clone(null.arg()), logical(inner(null.arg(), schema))?)),
            None if body.is_none() => body = Some(part),
            None => return None,
        }
    }
    let mut out = KeyFilter { nulls, ..KeyFilter::default() };
    for part in split_conjunction(body?) {
        match part.downcast_ref::<InListExpr>() {
            Some(list) if !list.negated() => out.lists.extend(lists(list, schema)),
            Some(_) => {}
            None => out.ranges.extend(logical(part)),
        }
    }
    Some(out)
}

fn disjunction(expr: &Arc<dyn PhysicalExpr>) -> Vec<&Arc<dyn PhysicalExpr>> {
    match expr.downcast_ref::<BinaryExpr>() {
        Some(or) if *or.op() == Operator::Or => [disjunction(or.left()), disjunction(or.right())].concat(),
        _ => vec![expr],
    }
}

/// The list of each key: of several keys at once come values in a struct, of which each member is a list of its
/// own, wider than the whole.
fn lists(list: &InListExpr, schema: &Schema) -> Vec<KeyList> {
    let values: Option<Vec<&ScalarValue>> =
        list.list().iter().map(|value| value.downcast_ref::<Literal>().map(Literal::value)).collect();
    let Some(values) = values else { return vec![] };
    let tuple = list.expr().downcast_ref::<ScalarFunctionExpr>().filter(|f| f.name() == "struct");
    let Some(tuple) = tuple else {
        return key_list(list.expr(), values.into_iter().cloned(), schema).into_iter().collect();
    };
    let member = |at: usize| {
        values.iter().filter_map(move |value| match value {
            ScalarValue::Struct(row) => ScalarValue::try_from_array(row.columns().get(at)?, 0).ok(),
            _ => None,
        })
    };
    // A row that is not one would be left out of the list.
    if values
        .iter()
        .any(|value| !matches!(value, ScalarValue::Struct(row) if row.columns().len() == tuple.args().len()))
    {
        return vec![];
    }
    tuple.args().iter().enumerate().filter_map(|(at, key)| key_list(key, member(at), schema)).collect()
}

fn key_list(
    row: &Arc<dyn PhysicalExpr>,
    values: impl Iterator<Item = ScalarValue>,
    schema: &Schema,
) -> Option<KeyList> {
    let column = inner(row, schema);
    let key = logical(column)?;
    let cast_from = if Arc::ptr_eq(column, row) { None } else { Some(column.data_type(schema).ok()?) };
    let distinct: HashSet<ScalarValue> = values.filter(|value| !value.is_null()).collect();
    let mut keys: Vec<Key> = distinct
        .into_iter()
        .filter_map(|of_join| {
            let of_column = match &cast_from {
                Some(from) => before_cast(&of_join, from)?,
                None => of_join.clone(),
            };
            Some(Key { of_join, of_column })
        })
        .collect();
    keys.sort_by(|a, b| a.of_column.partial_cmp(&b.of_column).unwrap_or(std::cmp::Ordering::Equal));
    Some(KeyList { row: Arc::clone(row), key, keys })
}

/// A key without a cast to which each whole number has one value of its own: that to a decimal, or to text.
fn inner<'a>(key: &'a Arc<dyn PhysicalExpr>, schema: &Schema) -> &'a Arc<dyn PhysicalExpr> {
    let Some(cast) = key.downcast_ref::<CastExpr>() else { return key };
    let whole = matches!(cast.expr().data_type(schema), Ok(DataType::Int64));
    let to_own = match cast.cast_type() {
        // As many digits before the point as the largest number has.
        DataType::Decimal128(precision, scale) => i16::from(*precision) - i16::from(*scale) >= 19,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => true,
        _ => false,
    };
    if whole && to_own { cast.expr() } else { key }
}

/// The value that becomes `value` by the cast; `None` where there is none, so that no record has it.
fn before_cast(value: &ScalarValue, from: &DataType) -> Option<ScalarValue> {
    let before = value.cast_to(from).ok().filter(|before| !before.is_null())?;
    (before.cast_to(&value.data_type()).ok()? == *value).then_some(before)
}

/// The same expression as the table's filters are written; `None` for what no column is compared by.
fn logical(expr: &Arc<dyn PhysicalExpr>) -> Option<Expr> {
    if let Some(column) = expr.downcast_ref::<Column>() {
        return Some(Expr::Column(ColumnName::from_name(column.name())));
    }
    if let Some(literal) = expr.downcast_ref::<Literal>() {
        return Some(Expr::Literal(literal.value().clone(), None));
    }
    if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        return Some(Expr::Cast(Cast::new(Box::new(logical(cast.expr())?), cast.cast_type().clone())));
    }
    let binary = expr.downcast_ref::<BinaryExpr>()?;
    let (left, right) = (Box::new(logical(binary.left())?), Box::new(logical(binary.right())?));
    Some(Expr::BinaryExpr(LogicalBinary::new(left, *binary.op(), right)))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Decimal128Array, Int64Array, StringArray};
    use arrow::datatypes::Field;
    use datafusion::physical_expr::expressions::{binary, col, is_null, lit};

    use super::*;

    fn schema() -> Schema {
        Schema::new(vec![Field::new("$id", DataType::Int64, false), Field::new("s", DataType::Utf8, true)])
    }

    fn in_list(row: Arc<dyn PhysicalExpr>, values: ArrayRef) -> Arc<dyn PhysicalExpr> {
        Arc::new(InListExpr::try_new_from_array(row, values, false, &schema()).unwrap())
    }

    fn texts(list: &KeyList) -> Vec<String> {
        list.keys.iter().map(|key| key.of_column.to_string()).collect()
    }

    #[test]
    fn a_list_has_each_value_once_and_no_null() {
        let values: ArrayRef = Arc::new(StringArray::from(vec![Some("b"), None, Some("a"), Some("b")]));
        let filter = read(&in_list(col("s", &schema()).unwrap(), values), &schema()).unwrap();
        assert_eq!(texts(&filter.lists[0]), ["a", "b"]);
        assert!(filter.ranges.is_empty() && filter.nulls.is_empty());
    }

    #[test]
    fn bounds_and_nulls_are_read_around_a_list() {
        let schema = schema();
        let s = || col("s", &schema).unwrap();
        let list = in_list(s(), Arc::new(StringArray::from(vec!["a", "c"])));
        let at_least = binary(s(), Operator::GtEq, lit("a"), &schema).unwrap();
        let both = binary(at_least, Operator::And, list, &schema).unwrap();
        let filter = binary(both, Operator::Or, is_null(s()).unwrap(), &schema).unwrap();
        let read = read(&filter, &schema).unwrap();
        assert_eq!((read.lists.len(), read.ranges.len(), read.nulls.len()), (1, 1, 1));
    }

    #[test]
    fn what_no_whole_number_becomes_is_no_key() {
        let schema = schema();
        let cast =
            |to| -> Arc<dyn PhysicalExpr> { Arc::new(CastExpr::new(col("$id", &schema).unwrap(), to, None)) };
        let numbers =
            Decimal128Array::from(vec![30_000, 15_000, -10_000]).with_precision_and_scale(38, 4).unwrap();
        let filter = read(&in_list(cast(DataType::Decimal128(38, 4)), Arc::new(numbers)), &schema).unwrap();
        assert_eq!(texts(&filter.lists[0]), ["-1", "3"]);
        let numbers = StringArray::from(vec!["7", "07", "x", "", "+7", "99999999999999999999"]);
        let filter = read(&in_list(cast(DataType::Utf8), Arc::new(numbers)), &schema).unwrap();
        assert_eq!(texts(&filter.lists[0]), ["7"]);
        // Other casts give several numbers the same value: they are left as they are.
        let narrow = cast(DataType::Int32);
        assert!(Arc::ptr_eq(inner(&narrow, &schema), &narrow));
    }

    #[test]
    fn two_alternatives_are_not_read() {
        let schema = schema();
        let list = |n| in_list(col("$id", &schema).unwrap(), Arc::new(Int64Array::from(vec![n])));
        let either = binary(list(1), Operator::Or, list(2), &schema).unwrap();
        assert!(read(&either, &schema).is_none());
    }
}
