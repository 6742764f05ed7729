//! Functions of JSON in FROM that give several columns: `json_each`, `json_to_recordset`.

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Ident, Query, SelectItem, TableAlias, TableAliasColumnDef, Value,
};

use super::call;
use super::set_returning::{item, select};

/// The query of such a function.
pub(super) fn columns(name: &str, args: &[Expr], alias: Option<&TableAlias>) -> Option<Query> {
    let [json] = args else { return None };
    let json = typed_json(name, json);
    let rows = |function: &str| call("unnest", vec![call(function, vec![json.clone()])]);
    let pair = |values: &str| {
        select(vec![item(rows("pg_json_keys"), Ident::new("key")), item(rows(values), Ident::new("value"))])
    };
    match name {
        "json_each" | "jsonb_each" => Some(pair("pg_json_values")),
        "json_each_text" | "jsonb_each_text" => Some(pair("pg_json_value_texts")),
        "json_to_record" | "jsonb_to_record" => {
            let of = |name: Expr| call("pg_json_get_text", vec![json.clone(), name]);
            typed(alias?, of).map(select)
        }
        "json_to_recordset" | "jsonb_to_recordset" => {
            let of =
                |name: Expr| call("unnest", vec![call("pg_json_member_texts", vec![json.clone(), name])]);
            typed(alias?, of).map(select)
        }
        _ => None,
    }
}

/// The argument of a function of `json` or `jsonb` as a value of that type, also where it is a literal.
pub(super) fn typed_json(name: &str, json: &Expr) -> Expr {
    call(if name.starts_with("jsonb") { "pg_jsonb" } else { "pg_json" }, vec![json.clone()])
}

/// A column for each that the alias declares with a type.
fn typed(alias: &TableAlias, text: impl Fn(Expr) -> Expr) -> Option<Vec<SelectItem>> {
    let column = |column: &TableAliasColumnDef| {
        let data_type = column.data_type.clone()?;
        let name = Expr::value(Value::SingleQuotedString(super::folded(&column.name)));
        let text = Box::new(text(name));
        let value = match data_type {
            DataType::JSONB => call("pg_jsonb", vec![*text]),
            DataType::JSON => call("pg_json", vec![*text]),
            data_type => {
                Expr::Cast { kind: CastKind::Cast, expr: text, data_type, array: false, format: None }
            }
        };
        Some(item(value, column.name.clone()))
    };
    let columns: Option<Vec<_>> = alias.columns.iter().map(column).collect();
    columns.filter(|columns| !columns.is_empty())
}

/// The names that an alias gives; types are told by the query.
pub(super) fn without_types(columns: Vec<TableAliasColumnDef>) -> Vec<TableAliasColumnDef> {
    columns.into_iter().map(|column| TableAliasColumnDef { data_type: None, ..column }).collect()
}
