//! Bound conditions to a SQL statement with parameters.
//!
//! OData's logic of nulls is kept (4.01, part 2, comparison operators): `ne` is true for null, a comparison with null
//! is false and not unknown, so `not (x gt 5)` keeps the rows where x is null; null is the lowest value in an order.

use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, ExactNumberInfo, Expr, LimitClause, Offset, OffsetRows, OrderBy, OrderByExpr,
    OrderByKind, OrderByOptions, Query, SelectItem, SetExpr, Statement,
};

use super::bind::Bound;
use super::name::EntitySet;
use super::parse::{Arithmetic, Comparison};
use super::sql::{self, Parameters};

/// One key of an order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) by: Bound,
    pub(super) descending: bool,
}

/// Rows of a table, as a page asks for them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Rows {
    /// The properties to give, by index.
    pub(super) properties: Vec<usize>,
    pub(super) filter: Option<Bound>,
    pub(super) order: Vec<Order>,
    /// The order's values of the last row of the page before.
    pub(super) after: Option<Vec<ScalarValue>>,
    pub(super) limit: u64,
    pub(super) offset: u64,
}

/// A statement, its values, and what stands where in its result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) statement: Statement,
    pub(super) parameters: Vec<ScalarValue>,
    /// Columns of the result that hold the order's values.
    pub(super) order_columns: Vec<usize>,
    /// The column of the result that holds `$revision`.
    pub(super) revision_column: Option<usize>,
}

/// `SELECT ... WHERE ... ORDER BY ... LIMIT ...`. The asked properties come first, then what only the server needs.
pub(super) fn rows(set: &EntitySet, rows: &Rows) -> Plan {
    let mut lowering = Lowering { set, parameters: Parameters::default() };
    let mut outputs: Vec<Bound> = rows.properties.iter().map(|i| Bound::Property(*i)).collect();
    let mut place = |bound: &Bound| match outputs.iter().position(|output| output == bound) {
        Some(at) => at,
        None => {
            outputs.push(bound.clone());
            outputs.len() - 1
        }
    };
    let revision_column = set.column("$revision").map(|i| place(&Bound::Property(i)));
    let order_columns = rows.order.iter().map(|order| place(&order.by)).collect();
    let projection = outputs
        .iter()
        .enumerate()
        .map(|(i, output)| match lowering.value(output) {
            expr @ Expr::Identifier(_) => SelectItem::UnnamedExpr(expr),
            expr => SelectItem::ExprWithAlias { expr, alias: sql::identifier(&format!("order_{i}")) },
        })
        .collect();
    let filter = rows.filter.as_ref().map(|filter| lowering.condition(filter, false));
    let after = rows.after.as_ref().and_then(|values| lowering.after(&rows.order, values));
    let conditions: Vec<Expr> = filter.into_iter().chain(after).collect();
    let select = sql::select(
        &set.table.schema,
        &set.table.name,
        projection,
        sql::chain(&BinaryOperator::And, conditions),
    );
    let order = rows.order.iter().map(|order| lowering.order(order)).collect();
    let statement = query(select, order, Some(rows.limit), rows.offset);
    Plan { statement, parameters: lowering.parameters.0, order_columns, revision_column }
}

/// `SELECT count(*) ... WHERE ...`
pub(super) fn count(set: &EntitySet, filter: Option<&Bound>) -> Plan {
    let mut lowering = Lowering { set, parameters: Parameters::default() };
    let selection = filter.map(|filter| lowering.condition(filter, false));
    let projection = vec![SelectItem::UnnamedExpr(sql::count_all())];
    let select = sql::select(&set.table.schema, &set.table.name, projection, selection);
    Plan {
        statement: query(select, vec![], None, 0),
        parameters: lowering.parameters.0,
        order_columns: vec![],
        revision_column: None,
    }
}

fn query(
    select: datafusion::sql::sqlparser::ast::Select,
    order: Vec<OrderByExpr>,
    limit: Option<u64>,
    offset: u64,
) -> Statement {
    let offset = (offset > 0).then(|| Offset { value: sql::number(offset), rows: OffsetRows::None });
    let limit_clause = (limit.is_some() || offset.is_some()).then(|| LimitClause::LimitOffset {
        limit: limit.map(sql::number),
        offset,
        limit_by: vec![],
    });
    let order_by =
        (!order.is_empty()).then_some(OrderBy { kind: OrderByKind::Expressions(order), interpolate: None });
    Statement::Query(Box::new(Query {
        with: None,
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by,
        limit_clause,
        fetch: None,
        locks: vec![],
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: vec![],
    }))
}

struct Lowering<'a> {
    set: &'a EntitySet,
    parameters: Parameters,
}

impl Lowering<'_> {
    fn is_nullable(&self, bound: &Bound) -> bool {
        match bound {
            Bound::Property(i) => self.set.properties.get(*i).is_none_or(|p| p.column.nullable),
            Bound::Value(value) => value.is_null(),
            _ => true,
        }
    }

    /// A condition. With `definite` its result must be true or false where OData says so, not unknown.
    fn condition(&mut self, bound: &Bound, definite: bool) -> Expr {
        match bound {
            Bound::And(terms) => self.chain(&BinaryOperator::And, terms, definite),
            Bound::Or(terms) => self.chain(&BinaryOperator::Or, terms, definite),
            Bound::Not(inner) => match &**inner {
                Bound::IsNull { of, or_empty } => self.is_not_null(of, *or_empty),
                inner => sql::not(self.condition(inner, true)),
            },
            Bound::Compare(op, left, right) => self.compare(*op, left, right, definite),
            Bound::IsNull { of, or_empty } => self.is_null(of, *or_empty),
            Bound::In(of, values) => {
                let list = values.iter().map(|value| self.parameters.bind(value.clone())).collect();
                let expr = Expr::InList { expr: sql::nested(self.value(of)).into(), list, negated: false };
                self.definite(expr, definite && self.is_nullable(of))
            }
            Bound::Has { collection, value } => {
                let has = sql::call("array_has", vec![self.value(collection), self.value(value)]);
                self.definite(has, definite)
            }
            Bound::Call(..) => {
                let call = self.value(bound);
                self.definite(call, definite)
            }
            Bound::Value(ScalarValue::Boolean(Some(value))) => sql::boolean(*value),
            other => self.value(other),
        }
    }

    fn definite(&self, expr: Expr, wanted: bool) -> Expr {
        if wanted { sql::call("coalesce", vec![expr, sql::boolean(false)]) } else { expr }
    }

    fn chain(&mut self, op: &BinaryOperator, terms: &[Bound], definite: bool) -> Expr {
        let terms = terms.iter().map(|term| self.condition(term, definite)).collect();
        sql::chain(op, terms).unwrap_or_else(|| sql::boolean(*op == BinaryOperator::And))
    }

    fn compare(&mut self, op: Comparison, left: &Bound, right: &Bound, definite: bool) -> Expr {
        let nullable = self.is_nullable(left) || self.is_nullable(right);
        let both = self.is_nullable(left) && self.is_nullable(right);
        let (l, r) = sql::aligned_times(self.operand(left), self.operand(right));
        let op = match op {
            // Null equals null, and differs from everything else.
            Comparison::Eq if both => {
                return Expr::IsNotDistinctFrom(sql::nested(l).into(), sql::nested(r).into());
            }
            Comparison::Ne if nullable => {
                return Expr::IsDistinctFrom(sql::nested(l).into(), sql::nested(r).into());
            }
            Comparison::Eq => BinaryOperator::Eq,
            Comparison::Ne => BinaryOperator::NotEq,
            Comparison::Gt => BinaryOperator::Gt,
            Comparison::Ge => BinaryOperator::GtEq,
            Comparison::Lt => BinaryOperator::Lt,
            Comparison::Le => BinaryOperator::LtEq,
        };
        self.definite(sql::binary(l, op, r), definite && nullable)
    }

    /// A side of a comparison: a condition there is a value that must be known.
    fn operand(&mut self, bound: &Bound) -> Expr {
        match bound {
            Bound::And(_)
            | Bound::Or(_)
            | Bound::Not(_)
            | Bound::Compare(..)
            | Bound::In(..)
            | Bound::Has { .. } => self.condition(bound, true),
            other => self.value(other),
        }
    }

    fn is_null(&mut self, of: &Bound, or_empty: bool) -> Expr {
        let null = Expr::IsNull(sql::nested(self.value(of)).into());
        if !or_empty || self.is_never_empty(of) {
            return null;
        }
        let empty = sql::binary(self.value(of), BinaryOperator::Eq, self.parameters.bind(empty_text()));
        sql::nested(sql::binary(null, BinaryOperator::Or, empty))
    }

    fn is_not_null(&mut self, of: &Bound, or_empty: bool) -> Expr {
        if !or_empty || self.is_never_empty(of) {
            return Expr::IsNotNull(sql::nested(self.value(of)).into());
        }
        // Null differs from '' only by being unknown, which WHERE drops; definite for a NOT around it.
        let differs = sql::binary(self.value(of), BinaryOperator::NotEq, self.parameters.bind(empty_text()));
        self.definite(differs, true)
    }

    /// An empty text of a Kintone field is null in SQL already.
    fn is_never_empty(&self, of: &Bound) -> bool {
        let Bound::Property(i) = of else { return false };
        self.set.properties.get(*i).is_some_and(|property| !property.column.kintone_type.is_empty())
    }

    fn value(&mut self, bound: &Bound) -> Expr {
        match bound {
            Bound::Property(i) => {
                sql::column(self.set.properties.get(*i).map_or("", |property| property.column.name.as_str()))
            }
            Bound::Value(value) => self.parameters.bind(value.clone()),
            Bound::Negate(inner) => sql::negative(self.value(inner)),
            Bound::Calculate(op, left, right) => self.calculate(*op, left, right),
            Bound::Size(collection) => {
                let size = sql::call("cardinality", vec![self.value(collection)]);
                sql::call("coalesce", vec![size, sql::number(0)])
            }
            Bound::Call(function, arguments) => {
                let arguments: Vec<Expr> = arguments.iter().map(|argument| self.value(argument)).collect();
                function.sql(&arguments).unwrap_or_else(|| sql::boolean(false))
            }
            condition => self.condition(condition, true),
        }
    }

    fn calculate(&mut self, op: Arithmetic, left: &Bound, right: &Bound) -> Expr {
        let (left, right) = (self.value(left), self.value(right));
        match op {
            Arithmetic::Add => sql::binary(left, BinaryOperator::Plus, right),
            Arithmetic::Sub => sql::binary(left, BinaryOperator::Minus, right),
            Arithmetic::Mul => sql::binary(left, BinaryOperator::Multiply, right),
            Arithmetic::Div => sql::binary(left, BinaryOperator::Divide, right),
            Arithmetic::Mod => sql::binary(left, BinaryOperator::Modulo, right),
            // Whole numbers too are divided with a fraction.
            Arithmetic::DivBy => {
                let wide = DataType::Numeric(ExactNumberInfo::PrecisionAndScale(38, 10));
                sql::binary(sql::cast(left, wide), BinaryOperator::Divide, right)
            }
        }
    }

    fn order(&mut self, order: &Order) -> OrderByExpr {
        // Null is the lowest value. Where there is none, nothing is said of it.
        let nulls_first = self.is_nullable(&order.by).then_some(!order.descending);
        OrderByExpr {
            expr: self.value(&order.by),
            options: OrderByOptions { asc: Some(!order.descending), nulls_first },
            with_fill: None,
        }
    }

    /// The rows that come after these values in the order: `a > 1 OR (a = 1 AND b > 2)`.
    fn after(&mut self, order: &[Order], values: &[ScalarValue]) -> Option<Expr> {
        let (first, rest) = order.split_first()?;
        let (value, values) = values.split_first()?;
        let beyond = self.beyond(first, value);
        let Some(rest) = self.after(rest, values) else { return Some(beyond) };
        let same = self.same(&first.by, value);
        let tied = sql::binary(same, BinaryOperator::And, rest);
        Some(match self.bound(first, value) {
            // A bound by itself, which a table can use, before the exact condition.
            Some(bound) => {
                sql::binary(bound, BinaryOperator::And, sql::binary(beyond, BinaryOperator::Or, tied))
            }
            None => sql::binary(beyond, BinaryOperator::Or, tied),
        })
    }

    fn beyond(&mut self, order: &Order, value: &ScalarValue) -> Expr {
        let by = self.value(&order.by);
        match (value.is_null(), order.descending) {
            (true, false) => Expr::IsNotNull(sql::nested(by).into()),
            (true, true) => sql::boolean(false),
            (false, false) => sql::binary(by, BinaryOperator::Gt, self.parameters.bind(value.clone())),
            (false, true) => {
                let less = sql::binary(by, BinaryOperator::Lt, self.parameters.bind(value.clone()));
                if !self.is_nullable(&order.by) {
                    return less;
                }
                let null = Expr::IsNull(sql::nested(self.value(&order.by)).into());
                sql::binary(less, BinaryOperator::Or, null)
            }
        }
    }

    fn same(&mut self, by: &Bound, value: &ScalarValue) -> Expr {
        let by = self.value(by);
        if value.is_null() {
            return Expr::IsNull(sql::nested(by).into());
        }
        sql::binary(by, BinaryOperator::Eq, self.parameters.bind(value.clone()))
    }

    fn bound(&mut self, order: &Order, value: &ScalarValue) -> Option<Expr> {
        if value.is_null() || (order.descending && self.is_nullable(&order.by)) {
            return None;
        }
        let op = if order.descending { BinaryOperator::LtEq } else { BinaryOperator::GtEq };
        let by = self.value(&order.by);
        Some(sql::binary(by, op, self.parameters.bind(value.clone())))
    }
}

fn empty_text() -> ScalarValue {
    ScalarValue::Utf8(Some(String::new()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::builder::{ListBuilder, StringBuilder};
    use arrow::array::{
        Array, ArrayRef, Date32Array, Decimal128Array, Int64Array, ListArray, StringArray,
        Time64MicrosecondArray, TimestampMicrosecondArray,
    };
    use arrow::record_batch::RecordBatch;
    use chrono_tz::Tz;
    use datafusion::prelude::{SessionConfig, SessionContext};
    use datafusion::sql::parser::Statement as DfStatement;

    use super::*;
    use crate::engine::{ColumnInfo, SqlType, TableInfo, TableKind};
    use crate::odata::name::Model;
    use crate::odata::query::selection;
    use crate::odata::request::parse;

    fn tags() -> ListArray {
        let mut tags = ListBuilder::new(StringBuilder::new());
        for row in [vec!["a", "b"], vec![], vec!["c"], vec![]] {
            row.into_iter().for_each(|tag| tags.values().append_value(tag));
            tags.append(true);
        }
        tags.finish()
    }

    /// Four rows; the last one is null wherever it can be.
    fn rows() -> RecordBatch {
        let noon = 1_711_886_400_000_000; // 2024-03-31T12:00:00Z
        let amounts = Decimal128Array::from(vec![Some(15_000_000_000), Some(0), Some(-25_000_000_000), None]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("$id", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
            ("Name", Arc::new(StringArray::from(vec![Some("髙﨑商店"), Some("abc"), Some("ABC "), None]))),
            ("Amount", Arc::new(amounts.with_precision_and_scale(38, 10).unwrap())),
            ("Day", Arc::new(Date32Array::from(vec![Some(19_813), Some(19_814), Some(19_815), None]))),
            (
                "Clock",
                Arc::new(Time64MicrosecondArray::from(vec![Some(34_200_000_000), Some(0), Some(1), None])),
            ),
            (
                "At",
                Arc::new(
                    TimestampMicrosecondArray::from(vec![
                        Some(noon),
                        Some(noon + 43_200_000_000),
                        Some(0),
                        None,
                    ])
                    .with_timezone("UTC"),
                ),
            ),
            ("Tags", Arc::new(tags())),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, name != "$id")),
        )
        .unwrap()
    }

    fn model() -> Model {
        let column = |name: &str, sql_type: SqlType| ColumnInfo {
            name: name.into(),
            label: String::new(),
            nullable: name != "$id",
            sql_type,
            unique: false,
            kintone_type: "X".into(),
            options: vec![],
        };
        let table = TableInfo {
            schema: "public".into(),
            name: "T".into(),
            kind: TableKind::App,
            app_id: None,
            label: String::new(),
            description: String::new(),
            columns: vec![
                column("$id", SqlType::Int8),
                column("Name", SqlType::Text),
                column("Amount", SqlType::Numeric),
                column("Day", SqlType::Date),
                column("Clock", SqlType::Time),
                column("At", SqlType::TimestampTz),
                column("Tags", SqlType::Array(Box::new(SqlType::Text))),
            ],
            primary_key: vec!["$id".into()],
            foreign_keys: vec![],
        };
        Model::new(&[("public".into(), vec![Arc::new(table)])], false)
    }

    /// The ids that a query gives, in its order, by DataFusion alone.
    async fn ids(query: &str, after: Option<Vec<ScalarValue>>) -> Vec<i64> {
        let model = model();
        let set = model.set("T").unwrap();
        let options = parse("/api.rsc/T", query, false).unwrap().options;
        let selection =
            selection(set, &options, Tz::UTC).unwrap_or_else(|failure| panic!("{query}: {failure}"));
        let rows_of = Rows {
            properties: vec![0],
            filter: selection.filter,
            order: selection.order,
            after,
            limit: 100,
            offset: 0,
        };
        let plan = super::rows(set, &rows_of);
        let config = SessionConfig::new().with_default_catalog_and_schema("kintone", "public");
        let context = SessionContext::new_with_config(config);
        context.register_batch("\"T\"", rows()).unwrap();
        let statement = DfStatement::Statement(Box::new(plan.statement));
        let logical =
            context.state().statement_to_plan(statement).await.unwrap_or_else(|e| panic!("{query}: {e}"));
        let logical = logical.with_param_values(plan.parameters).unwrap();
        let batches = context.execute_logical_plan(logical).await.unwrap().collect().await;
        let batches = batches.unwrap_or_else(|e| panic!("{query}: {e}"));
        let column =
            |batch: &RecordBatch| batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap().clone();
        batches.iter().flat_map(|batch| column(batch).values().to_vec()).collect()
    }

    #[tokio::test]
    async fn conditions_mean_what_odata_says() {
        for (filter, expected) in [
            ("Name ne 'abc'", vec![1, 3, 4]),
            ("Name eq null", vec![4]),
            ("not (Name eq '')", vec![1, 2, 3]),
            ("Amount gt 0", vec![1]),
            ("not (Amount gt 0)", vec![2, 3, 4]),
            ("not (Amount gt 0 or Name eq 'abc')", vec![3, 4]),
            ("not (Name in ('abc'))", vec![1, 3, 4]),
            ("not contains(Name,'bc')", vec![1, 3, 4]),
            ("contains(Name,'商') or startswith(Name,'a') or endswith(Name,'C ')", vec![1, 2, 3]),
            ("tolower(trim(Name)) eq 'abc'", vec![2, 3]),
            ("length(Name) eq 4 and indexof(Name,'商') eq 2", vec![1]),
            ("substring(Name,1,1) eq 'b' or substring(Name,2) eq '商店'", vec![1, 2]),
            ("concat(Name,'!') eq 'abc!'", vec![2]),
            ("Amount eq 1.5 or Amount eq -2.5", vec![1, 3]),
            ("Amount mul 2 eq 3", vec![1]),
            ("Amount eq '1.5'", vec![1]),
            ("Id div 2 eq 1 and Id mod 2 eq 0", vec![2]),
            ("Id divby 2 eq 1.5", vec![3]),
            ("round(Amount) eq 2 or floor(Amount) eq -3 or ceiling(Amount) eq 2", vec![1, 3]),
            ("Day ge 2024-04-01", vec![2, 3]),
            ("Day ge 2024-03-31T09:00:00Z", vec![2, 3]),
            ("Day lt 2024-04-01T00:00:00Z", vec![1]),
            ("At ge 2024-03-31", vec![1, 2]),
            ("At eq 2024-03-31T21:00:00+09:00", vec![1]),
            ("date(At) eq 2024-03-31 and time(At) eq 12:00", vec![1]),
            ("year(Day) eq 2024 and month(Day) eq 4 and day(At) eq 1", vec![2, 3]),
            ("hour(Clock) eq 9 and minute(Clock) eq 30 and second(Clock) eq 0", vec![1]),
            ("At gt 2024-04-01T00:00:00Z sub duration'PT13H'", vec![1, 2]),
            ("Tags/any(t: t eq 'a' or t eq 'c')", vec![1, 3]),
            ("not Tags/any(t: t in ('a','b'))", vec![2, 3, 4]),
            ("Tags/any() and Tags/$count lt 2", vec![3]),
            ("'b' in Tags", vec![1]),
            ("false or Id ge 3", vec![3, 4]),
            ("(Id gt 2) eq true", vec![3, 4]),
            ("Amount gt null", vec![]),
            ("Id in ()", vec![]),
            ("now() gt At", vec![1, 2, 3]),
        ] {
            assert_eq!(
                ids(&format!("$filter={}", filter.replace('+', "%2B")), None).await,
                expected,
                "{filter}"
            );
        }
    }

    #[tokio::test]
    async fn null_is_the_lowest_in_every_order() {
        assert_eq!(ids("$orderby=Amount", None).await, [4, 3, 2, 1]);
        assert_eq!(ids("$orderby=Amount desc", None).await, [1, 2, 3, 4]);
        assert_eq!(ids("$orderby=length(Name) desc,Id desc", None).await, [3, 1, 2, 4]);
    }

    #[tokio::test]
    async fn a_page_goes_on_after_any_row() {
        let amount = |value: Option<i128>| ScalarValue::Decimal128(value, 38, 10);
        let id = |value: i64| ScalarValue::Int64(Some(value));
        for (order, after, expected) in [
            ("Amount", vec![ScalarValue::Null, id(4)], vec![3, 2, 1]),
            ("Amount", vec![amount(Some(-25_000_000_000)), id(3)], vec![2, 1]),
            ("Amount", vec![amount(Some(0)), id(1)], vec![2, 1]),
            ("Amount desc", vec![amount(Some(0)), id(2)], vec![3, 4]),
            ("Amount desc", vec![ScalarValue::Null, id(3)], vec![4]),
            ("Amount desc", vec![ScalarValue::Null, id(4)], vec![]),
            ("Id desc", vec![id(3)], vec![2, 1]),
        ] {
            assert_eq!(ids(&format!("$orderby={order}"), Some(after)).await, expected, "{order}");
        }
    }
}
