//! Small builders of SQL syntax trees, and the numbered parameters that carry every value.

use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, DateTimeField, Expr, ExtractSyntax, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr, Ident, ObjectName, Select,
    SelectFlavor, SelectItem, TableFactor, TableWithJoins, TimezoneInfo, UnaryOperator, Value,
};

/// `TIME`
pub(super) const TIME: DataType = DataType::Time(None, TimezoneInfo::None);

/// The values of a statement, in the order of `$1`, `$2` ...
#[derive(Debug, Default)]
pub(super) struct Parameters(pub(super) Vec<ScalarValue>);

impl Parameters {
    /// A place for the value; its text never enters the statement.
    pub(super) fn bind(&mut self, value: ScalarValue) -> Expr {
        self.0.push(value);
        Expr::Value(Value::Placeholder(format!("${}", self.0.len())).into())
    }
}

/// A quoted name: exact, whatever it holds.
pub(super) fn identifier(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

pub(super) fn column(name: &str) -> Expr {
    Expr::Identifier(identifier(name))
}

/// A number of ours, never of a client.
pub(super) fn number(value: u64) -> Expr {
    Expr::Value(Value::Number(value.to_string(), false).into())
}

pub(super) fn boolean(value: bool) -> Expr {
    Expr::Value(Value::Boolean(value).into())
}

/// In brackets where the operator around could take a part of it.
pub(super) fn nested(expression: Expr) -> Expr {
    match expression {
        Expr::Identifier(_)
        | Expr::Value(_)
        | Expr::Function(_)
        | Expr::Cast { .. }
        | Expr::Extract { .. }
        | Expr::Nested(_) => expression,
        other => Expr::Nested(other.into()),
    }
}

pub(super) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: nested(left).into(), op, right: nested(right).into() }
}

pub(super) fn not(expression: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: nested(expression).into() }
}

pub(super) fn negative(expression: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Minus, expr: nested(expression).into() }
}

/// Terms under one operator as a tree of even depth: a thousand of them are ten levels, not a thousand.
pub(super) fn chain(op: &BinaryOperator, mut terms: Vec<Expr>) -> Option<Expr> {
    if terms.len() <= 1 {
        return terms.pop();
    }
    let right = terms.split_off(terms.len() / 2);
    Some(binary(chain(op, terms)?, op.clone(), chain(op, right)?))
}

pub(super) fn cast(expression: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: expression.into(), data_type, array: false, format: None }
}

/// A time of day that was cast is of another unit than a column's, and the two do not compare: both are cast then.
pub(super) fn aligned_times(left: Expr, right: Expr) -> (Expr, Expr) {
    let is_cast = |side: &Expr| matches!(side, Expr::Cast { data_type: DataType::Time(..), .. });
    match (is_cast(&left), is_cast(&right)) {
        (true, false) => (left, cast(right, TIME)),
        (false, true) => (cast(left, TIME), right),
        _ => (left, right),
    }
}

pub(super) fn extract(field: DateTimeField, expression: Expr) -> Expr {
    Expr::Extract { field, syntax: ExtractSyntax::From, expr: expression.into() }
}

pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    function(name, arguments.into_iter().map(FunctionArgExpr::Expr).collect())
}

/// `count(*)`
pub(super) fn count_all() -> Expr {
    function("count", vec![FunctionArgExpr::Wildcard])
}

fn function(name: &str, arguments: Vec<FunctionArgExpr>) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(Ident::new(name)),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.into_iter().map(FunctionArg::Unnamed).collect(),
            clauses: vec![],
        }),
        within_group: vec![],
        filter: None,
        null_treatment: None,
        over: None,
    })
}

/// `SELECT projection FROM "schema"."table" WHERE selection`
pub(super) fn select(
    schema: &str,
    table: &str,
    projection: Vec<SelectItem>,
    selection: Option<Expr>,
) -> Select {
    let relation = TableFactor::Table {
        name: ObjectName::from(vec![identifier(schema), identifier(table)]),
        alias: None,
        args: None,
        with_hints: vec![],
        version: None,
        with_ordinality: false,
        partitions: vec![],
        json_path: None,
        sample: None,
        index_hints: vec![],
    };
    Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: vec![],
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection,
        exclude: None,
        into: None,
        from: vec![TableWithJoins { relation, joins: vec![] }],
        lateral_views: vec![],
        prewhere: None,
        selection,
        connect_by: vec![],
        group_by: GroupByExpr::Expressions(vec![], vec![]),
        cluster_by: vec![],
        distribute_by: vec![],
        sort_by: vec![],
        having: None,
        named_window: vec![],
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    }
}
