//! Functions that give rows: in FROM they become a subquery that unnests an array, in a SELECT list an unnest.
//!
//! `FROM t, generate_series(1, t.n) AS s` is `FROM t, LATERAL (SELECT unnest(pg_series(1, t.n)) AS s) AS s`.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    ObjectName, Query, Select, SelectFlavor, SelectItem, SetExpr, TableAlias, TableFactor, Value,
};

use super::visit::Rule;
use super::{call, number, query};

/// In a SELECT list, where DataFusion knows `unnest` alone.
pub(super) const LIST: Rule = Rule::Expr(unnested);
/// In FROM.
pub(super) const FROM: Rule = Rule::Table(derived);

/// Functions that give one column, and the array that has its rows.
fn array_of(name: &str, args: &[Expr]) -> Option<Expr> {
    Some(match (name, args) {
        ("unnest", [array]) => array.clone(),
        ("generate_series", [_, _] | [_, _, _]) if args.iter().all(is_whole) => {
            call("generate_series", args.to_vec())
        }
        // One whose bounds are known only with the rows is bounded while it is made.
        ("generate_series", [_, _] | [_, _, _]) => call("pg_series", args.to_vec()),
        ("generate_subscripts", [array, _]) => positions(array.clone()),
        ("_pg_expandarray", [array]) => call("_pg_expandarray", vec![array.clone()]),
        ("pg_partition_ancestors", [_]) => call("pg_no_oids", vec![]),
        ("pg_get_keywords", []) => call("pg_keywords", vec![]),
        ("string_to_table", [_, _]) => call("string_to_array", args.to_vec()),
        _ => return None,
    })
}

/// Whether an argument is written as a whole number.
fn is_whole(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => {
            matches!(&value.value, Value::Number(text, _) if text.bytes().all(|b| b.is_ascii_digit()))
        }
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => is_whole(expr),
        _ => false,
    }
}

/// The numbers of an array's items; NULL for an empty one, which gives no row either.
fn positions(array: Expr) -> Expr {
    call("pg_series", vec![number(1), call("array_upper", vec![array, number(1)])])
}

fn unnested(expr: &mut Expr) {
    let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expr else { return };
    let name = name.to_string().to_lowercase();
    if name == "unnest" {
        return;
    }
    let args: Vec<_> = list.args.iter().filter_map(argument).cloned().collect();
    if let Some(array) = array_of(&name, &args) {
        *expr = call("unnest", vec![array]);
    }
}

fn argument(arg: &FunctionArg) -> Option<&Expr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

fn derived(table: &mut TableFactor, _: &[String]) {
    let (name, args, alias, ordinality) = match table {
        TableFactor::Table { name, args: Some(args), alias, with_ordinality, .. } => (
            last(name),
            args.args.iter().filter_map(argument).cloned().collect::<Vec<_>>(),
            alias,
            *with_ordinality,
        ),
        TableFactor::Function { name, args, alias, with_ordinality, .. } => {
            (last(name), args.iter().filter_map(argument).cloned().collect(), alias, *with_ordinality)
        }
        TableFactor::UNNEST { array_exprs, alias, with_ordinality, .. } => {
            ("unnest".to_owned(), array_exprs.clone(), alias, *with_ordinality)
        }
        _ => return,
    };
    let alias = alias.clone();
    if let Some(none) = without_rows(&name) {
        *table = lateral(none, alias, &name);
        return;
    }
    let Some(array) = array_of(&name, &args) else { return };
    // One column without a name of its own has that of the relation.
    let column = match (name.as_str(), &alias) {
        ("pg_get_keywords", _) => Ident::new("word"),
        (_, Some(alias)) => alias.name.clone(),
        (other, None) => Ident::new(other),
    };
    let mut items = vec![item(call("unnest", vec![array.clone()]), column)];
    if ordinality {
        items.push(item(call("unnest", vec![positions(array)]), Ident::new("ordinality")));
    }
    *table = lateral(select(items), alias, &name);
}

fn lateral(query: Query, alias: Option<TableAlias>, name: &str) -> TableFactor {
    let alias = alias.unwrap_or_else(|| TableAlias {
        explicit: true,
        name: Ident::new(name),
        columns: vec![],
        at: None,
    });
    TableFactor::Derived { lateral: true, subquery: Box::new(query), alias: Some(alias), sample: None }
}

fn last(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.to_lowercase()).unwrap_or_default()
}

fn item(expr: Expr, alias: Ident) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias }
}

/// Functions with several columns that never have a row here.
fn columns_of_none(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "aclexplode" => &["grantor", "grantee", "privilege_type", "is_grantable"],
        "pg_options_to_table" => &["option_name", "option_value"],
        "pg_get_publication_tables" => &["relid", "attrs", "qual"],
        "pg_partition_tree" => &["relid", "parentrelid", "isleaf", "level"],
        _ => return None,
    })
}

fn without_rows(name: &str) -> Option<Query> {
    let columns = columns_of_none(name)?;
    let items = columns.iter().map(|column| item(text(Value::Null), Ident::new(*column))).collect();
    let mut query = select(items);
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.selection = Some(Expr::value(Value::Boolean(false)));
    }
    Some(query)
}

fn text(value: Value) -> Expr {
    let expr = Box::new(Expr::value(value));
    Expr::Cast { kind: CastKind::DoubleColon, expr, data_type: DataType::Text, array: false, format: None }
}

/// `SELECT items`.
pub(super) fn select(items: Vec<SelectItem>) -> Query {
    let select = Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: vec![],
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: items,
        exclude: None,
        into: None,
        from: vec![],
        lateral_views: vec![],
        prewhere: None,
        selection: None,
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
    };
    query(SetExpr::Select(Box::new(select)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_function_in_from_is_a_subquery() {
        check(
            FROM,
            "SELECT s FROM t, generate_series(1, t.n) AS s",
            "SELECT s FROM t, LATERAL (SELECT unnest(pg_series(1, t.n)) AS s) AS s",
        );
        check(
            FROM,
            "SELECT * FROM unnest(a)",
            "SELECT * FROM LATERAL (SELECT unnest(a) AS unnest) AS unnest",
        );
        check(
            FROM,
            "SELECT * FROM unnest(a) WITH ORDINALITY AS x (v, n)",
            "SELECT * FROM LATERAL (SELECT unnest(a) AS x, unnest(pg_series(1, array_upper(a, 1))) AS ordinality) \
             AS x (v, n)",
        );
        check(
            FROM,
            "SELECT * FROM aclexplode(a) AS x",
            "SELECT * FROM LATERAL (SELECT NULL::TEXT AS grantor, NULL::TEXT AS grantee, NULL::TEXT AS privilege_type, \
             NULL::TEXT AS is_grantable WHERE false) AS x",
        );
    }

    #[test]
    fn a_function_in_a_list_is_an_unnest() {
        check(
            LIST,
            "SELECT generate_subscripts(a, 1), unnest(a)",
            "SELECT unnest(pg_series(1, array_upper(a, 1))), unnest(a)",
        );
        check(LIST, "SELECT (_pg_expandarray(a)).n", "SELECT (unnest(_pg_expandarray(a))).n");
    }
}
