//! Functions that give rows: in FROM they become a subquery that unnests an array, in a SELECT list an unnest.
//!
//! `FROM t, generate_series(1, t.n) AS s` is `FROM t, LATERAL (SELECT unnest(pg_series(1, t.n)) AS s) AS s`.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, GroupByExpr, Ident, ObjectName, Query, Select, SelectFlavor, SelectItem, SetExpr,
    TableAlias, TableFactor, Value,
};

use super::column_name::MARK;
use super::visit::Rule;
use super::{call, json_rows, number, query};

/// In a SELECT list, where DataFusion knows `unnest` alone.
pub(super) const LIST: Rule = Rule::Expr(unnested);
/// In FROM.
pub(super) const FROM: Rule = Rule::Table(derived);

/// Functions that give one column, and the array that has its rows.
fn array_of(name: &str, args: &[Expr]) -> Option<Expr> {
    Some(match (name, args) {
        ("unnest", [array]) => array.clone(),
        ("generate_series", [_, _] | [_, _, _]) if args.iter().all(is_whole) => {
            let numbers = call("generate_series", args.to_vec());
            if args.iter().all(is_integer) { integers(numbers) } else { numbers }
        }
        // One whose bounds are known only with the rows is bounded while it is made.
        ("generate_series", [_, _] | [_, _, _]) => call("pg_series", args.to_vec()),
        ("generate_subscripts", [array, _]) if is_vector(array) => {
            call("pg_series", vec![number(0), minus_one(call("array_upper", vec![array.clone(), number(1)]))])
        }
        ("generate_subscripts", [array, _]) => positions(array.clone()),
        ("_pg_expandarray", [array]) => call("_pg_expandarray", vec![array.clone()]),
        ("aclexplode", [_]) => call("pg_no_acl", vec![]),
        ("pg_partition_ancestors", [_]) => call("pg_no_oids", vec![]),
        ("string_to_table", [_, _] | [_, _, _]) => call("string_to_array", args.to_vec()),
        ("regexp_split_to_table", [_, _] | [_, _, _]) => call("regexp_split_to_array", args.to_vec()),
        ("regexp_matches", [_, _] | [_, _, _]) => call("pg_regexp_matches", args.to_vec()),
        ("json_array_elements" | "jsonb_array_elements", [json]) => {
            call("pg_json_items", vec![json_rows::typed_json(name, json)])
        }
        ("json_array_elements_text" | "jsonb_array_elements_text", [json]) => {
            call("pg_json_texts", vec![json_rows::typed_json(name, json)])
        }
        ("json_object_keys" | "jsonb_object_keys", [json]) => {
            call("pg_json_keys", vec![json_rows::typed_json(name, json)])
        }
        _ => return None,
    })
}

/// The functions of [`array_of`].
pub(super) fn gives_rows(name: &str) -> bool {
    const NAMES: [&str; 15] = [
        "aclexplode",
        "unnest",
        "generate_series",
        "generate_subscripts",
        "_pg_expandarray",
        "pg_partition_ancestors",
        "string_to_table",
        "regexp_split_to_table",
        "regexp_matches",
        "json_array_elements",
        "jsonb_array_elements",
        "json_array_elements_text",
        "jsonb_array_elements_text",
        "json_object_keys",
        "jsonb_object_keys",
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The relation that has the rows of a function without arguments.
fn relation_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "pg_available_extensions" => "pg_available_extensions",
        "pg_cursor" => "pg_cursors",
        "pg_get_keywords" => "pg_get_keywords",
        "pg_lock_status" => "pg_locks",
        "pg_prepared_statement" => "pg_prepared_statements",
        "pg_show_all_settings" => "pg_settings",
        "pg_timezone_names" => "pg_timezone_names",
        _ => return None,
    })
}

/// A column of the catalog whose first item is `[0]`.
fn is_vector(array: &Expr) -> bool {
    super::field_access::column(array).is_some_and(super::field_access::is_vector)
}

fn minus_one(expr: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(expr), op: BinaryOperator::Minus, right: Box::new(number(1)) }
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

/// Whether such a number fits `integer`.
fn is_integer(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => matches!(&value.value, Value::Number(text, _) if text.parse::<i32>().is_ok()),
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => is_integer(expr),
        _ => false,
    }
}

/// An array of `integer`.
fn integers(array: Expr) -> Expr {
    let item = Box::new(DataType::Integer(None));
    Expr::Cast {
        kind: CastKind::DoubleColon,
        expr: Box::new(array),
        data_type: DataType::Array(ArrayElemTypeDef::SquareBracket(item, None)),
        array: false,
        format: None,
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
    if let Some(members) = json_rows::columns(&name, &args, alias.as_ref()) {
        let alias =
            alias.map(|alias| TableAlias { columns: json_rows::without_types(alias.columns), ..alias });
        *table = lateral(members, alias, &name);
        return;
    }
    if let Some(none) = without_rows(&name) {
        *table = lateral(none, alias, &name);
        return;
    }
    if let Some(relation) = relation_of(&name).filter(|_| args.is_empty()) {
        *table = catalog_relation(relation, alias, &name);
        return;
    }
    // One column without a name of its own has that of the relation.
    let column = match name.as_str() {
        "json_array_elements"
        | "jsonb_array_elements"
        | "json_array_elements_text"
        | "jsonb_array_elements_text" => Ident::new("value"),
        _ => alias.as_ref().map_or_else(|| Ident::new(name.as_str()), |alias| alias.name.clone()),
    };
    if let ("unnest", [first, second, rest @ ..]) = (name.as_str(), args.as_slice()) {
        *table = lateral(several([first, second].into_iter().chain(rest), ordinality), alias, &name);
        return;
    }
    let Some(array) = array_of(&name, &args) else {
        // A function of one value gives one row.
        if !ordinality && !matches!(name.as_str(), "range" | "generate_series") {
            *table = lateral(select(vec![item(call(&name, args), column)]), alias, &name);
        }
        return;
    };
    let mut items = vec![item(call("unnest", vec![array.clone()]), column)];
    if ordinality {
        items.push(ordinality_of(positions(array)));
    }
    *table = lateral(select(items), alias, &name);
}

/// `unnest(a, b)`: the arrays side by side, the shorter filled up with NULL.
fn several<'a>(arrays: impl Iterator<Item = &'a Expr> + Clone, ordinality: bool) -> Query {
    let names = (1..).map(|place| match place {
        1 => "unnest".to_owned(),
        _ => format!("unnest{MARK}{place}"),
    });
    let unnested = arrays.clone().map(|array| call("unnest", vec![array.clone()]));
    let mut items: Vec<_> =
        unnested.zip(names).map(|(array, name)| item(array, Ident::with_quote('"', name))).collect();
    if ordinality {
        let lengths = arrays.map(|array| call("array_upper", vec![array.clone(), number(1)]));
        let longest = call("greatest", lengths.collect());
        let positions = call("pg_series", vec![number(1), longest]);
        items.push(ordinality_of(positions));
    }
    select(items)
}

/// The column of WITH ORDINALITY.
fn ordinality_of(positions: Expr) -> SelectItem {
    let number = Expr::Cast {
        kind: CastKind::DoubleColon,
        expr: Box::new(call("unnest", vec![positions])),
        data_type: DataType::BigInt(None),
        array: false,
        format: None,
    };
    item(number, Ident::new("ordinality"))
}

fn catalog_relation(relation: &str, alias: Option<TableAlias>, name: &str) -> TableFactor {
    let alias = alias.unwrap_or_else(|| TableAlias {
        explicit: true,
        name: Ident::new(name),
        columns: vec![],
        at: None,
    });
    TableFactor::Table {
        name: ObjectName::from(vec![Ident::new("pg_catalog"), Ident::new(relation)]),
        alias: Some(alias),
        args: None,
        with_hints: vec![],
        version: None,
        with_ordinality: false,
        partitions: vec![],
        json_path: None,
        sample: None,
        index_hints: vec![],
    }
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

pub(super) fn item(expr: Expr, alias: Ident) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias }
}

/// Whether a relation is a function of one value, whose column has a name of its own: there, the name of the relation
/// is the value too.
pub(crate) fn is_named_value(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    let [SelectItem::ExprWithAlias { expr: Expr::Function(unnest), alias }] = select.projection.as_slice()
    else {
        return false;
    };
    let FunctionArguments::List(list) = &unnest.args else { return false };
    let array = list.args.first().and_then(argument);
    let is_json = |name: &ObjectName| matches!(last(name).as_str(), "pg_json_items" | "pg_json_texts");
    alias.value == "value"
        && select.from.is_empty()
        && matches!(array, Some(Expr::Function(array)) if is_json(&array.name))
}

/// Functions with several columns that never have a row here.
fn columns_of_none(name: &str) -> Option<&'static [(&'static str, DataType)]> {
    const TEXT: DataType = DataType::Text;
    const TRUTH: DataType = DataType::Boolean;
    const OID: DataType = DataType::Regclass;
    Some(match name {
        "aclexplode" => {
            &[("grantor", OID), ("grantee", OID), ("privilege_type", TEXT), ("is_grantable", TRUTH)]
        }
        "ts_token_type" => &[("tokid", DataType::Int4(None)), ("alias", TEXT), ("description", TEXT)],
        "pg_options_to_table" => &[("option_name", TEXT), ("option_value", TEXT)],
        "pg_get_publication_tables" => &[("relid", OID), ("attrs", TEXT), ("qual", TEXT)],
        "pg_partition_tree" => {
            &[("relid", OID), ("parentrelid", OID), ("isleaf", TRUTH), ("level", DataType::Int4(None))]
        }
        _ => return None,
    })
}

fn without_rows(name: &str) -> Option<Query> {
    let columns = columns_of_none(name)?;
    let items = columns.iter().map(|(column, of)| item(null(of), Ident::new(*column))).collect();
    let mut query = select(items);
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.selection = Some(Expr::value(Value::Boolean(false)));
    }
    Some(query)
}

/// NULL of a type; `regclass` stands for an oid.
fn null(data_type: &DataType) -> Expr {
    if *data_type == DataType::Regclass {
        return call("pg_oid", vec![Expr::value(Value::Null)]);
    }
    let (expr, data_type) = (Box::new(Expr::value(Value::Null)), data_type.clone());
    Expr::Cast { kind: CastKind::DoubleColon, expr, data_type, array: false, format: None }
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
            "SELECT * FROM LATERAL (SELECT unnest(a) AS x, unnest(pg_series(1, array_upper(a, 1)))::BIGINT AS ordinality) \
             AS x (v, n)",
        );
        check(
            FROM,
            "SELECT * FROM unnest(a, b) WITH ORDINALITY AS x (v, w, n)",
            &format!(
                "SELECT * FROM LATERAL (SELECT unnest(a) AS \"unnest\", unnest(b) AS \"unnest{MARK}2\", \
                 unnest(pg_series(1, greatest(array_upper(a, 1), array_upper(b, 1))))::BIGINT AS ordinality) AS x (v, w, n)"
            ),
        );
        check(
            FROM,
            "SELECT s[1] FROM string_to_array(x, ',') AS s",
            "SELECT s[1] FROM LATERAL (SELECT string_to_array(x, ',') AS s) AS s",
        );
        check(
            FROM,
            "SELECT word FROM pg_get_keywords()",
            "SELECT word FROM pg_catalog.pg_get_keywords AS pg_get_keywords",
        );
        check(
            FROM,
            "SELECT * FROM aclexplode(a) AS x",
            "SELECT * FROM LATERAL (SELECT pg_oid(NULL) AS grantor, pg_oid(NULL) AS grantee, \
             NULL::TEXT AS privilege_type, NULL::BOOLEAN AS is_grantable WHERE false) AS x",
        );
    }

    #[test]
    fn a_function_in_a_list_is_an_unnest() {
        check(
            LIST,
            "SELECT generate_subscripts(a, 1), unnest(a)",
            "SELECT unnest(pg_series(1, array_upper(a, 1))), unnest(a)",
        );
        check(
            LIST,
            "SELECT generate_subscripts(i.indkey, 1)",
            "SELECT unnest(pg_series(0, array_upper(i.indkey, 1) - 1))",
        );
        check(LIST, "SELECT aclexplode(a)", "SELECT unnest(pg_no_acl())");
        check(LIST, "SELECT (_pg_expandarray(a)).n", "SELECT (unnest(_pg_expandarray(a))).n");
    }
}
