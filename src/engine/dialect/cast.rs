//! Casts to types of the catalog: `regclass` and its kin become functions, other names become DataFusion's types.

use datafusion::sql::sqlparser::ast::{
    Array, ArrayElemTypeDef, CastKind, DataType, Expr, ObjectName, TimezoneInfo, Value,
};

use super::visit::Rule;
use super::{array_items, call, folded, take};
use crate::engine::function::display_function;

pub(super) const RULE: Rule = Rule::Expr(known_type);

fn known_type(expr: &mut Expr) {
    let Expr::Cast { expr: inner, data_type, .. } = expr else { return };
    let name = type_name(data_type);
    if let Some(function) = conversion(&name) {
        *expr = call(function, vec![take(inner)]);
        return;
    }
    if is_text(&name)
        && let Some(display) = converted(inner)
    {
        *expr = call(display, vec![take(inner)]);
        return;
    }
    if converted(inner).is_some() {
        // A plain number from here on.
        let number = take(inner);
        **inner = call("pg_oid", vec![number]);
    }
    if let Some(known) = plain(data_type) {
        *data_type = known;
    }
    if let DataType::Array(ArrayElemTypeDef::SquareBracket(item, _)) = data_type
        && let Some(items) = literal_items(inner, item)
    {
        **inner = Expr::Array(Array { elem: items, named: true });
    }
}

/// The function that a cast to this type is.
fn conversion(name: &str) -> Option<&'static str> {
    Some(match name {
        "oid" => "pg_oid",
        "regclass" => "pg_regclass",
        "regtype" => "pg_regtype",
        "regproc" => "pg_regproc",
        "regprocedure" => "pg_regprocedure",
        "regcollation" => "pg_regcollation",
        "regnamespace" => "pg_regnamespace",
        "regrole" => "pg_regrole",
        "jsonb" => "pg_jsonb",
        _ => return None,
    })
}

/// For an expression that is such a cast already, the function that gives the name back.
fn converted(expr: &Expr) -> Option<&'static str> {
    let inner = match expr {
        Expr::Nested(inner) => return converted(inner),
        Expr::Function(function) => function,
        _ => return None,
    };
    let name = inner.name.to_string();
    display_function(name.strip_prefix("pg_").or(name.strip_prefix("to_"))?)
}

/// The items of an array literal, `'{a,b}'`: DataFusion casts no text to an array.
fn literal_items(expr: &Expr, item: &DataType) -> Option<Vec<Expr>> {
    let Expr::Value(value) = expr else { return None };
    let Value::SingleQuotedString(text) = &value.value else { return None };
    let cast = |text: String| Expr::Cast {
        kind: CastKind::DoubleColon,
        expr: Box::new(Expr::value(Value::SingleQuotedString(text))),
        data_type: item.clone(),
        array: false,
        format: None,
    };
    Some(array_items(text)?.into_iter().map(cast).collect())
}

fn is_text(name: &str) -> bool {
    matches!(name, "text" | "name" | "varchar" | "character varying")
}

/// The last part of a type's name, in lower case unless it is in quotes.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Custom(name, _) => last(name),
        other => other.to_string().to_lowercase(),
    }
}

fn last(name: &ObjectName) -> String {
    let ident = name.0.last().and_then(|part| part.as_ident());
    ident.map(folded).unwrap_or_default()
}

/// DataFusion's type for a name that its parser leaves as it is; `None` where there is nothing to change.
fn plain(data_type: &DataType) -> Option<DataType> {
    let name = match data_type {
        DataType::Array(ArrayElemTypeDef::SquareBracket(item, size)) => {
            let item = plain(item)?;
            return Some(DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(item), *size)));
        }
        DataType::Custom(name, _) => last(name),
        DataType::JSON | DataType::JSONB | DataType::Uuid => return Some(DataType::Text),
        _ => return None,
    };
    Some(match name.as_str() {
        "bool" => DataType::Boolean,
        "int2" => DataType::SmallInt(None),
        "int4" | "cardinal_number" => DataType::Integer(None),
        "int8" | "xid" | "oid" | "regclass" | "regtype" | "regproc" => DataType::BigInt(None),
        "float4" => DataType::Real,
        "float8" => DataType::DoublePrecision,
        "date" => DataType::Date,
        "timestamp" => DataType::Timestamp(None, TimezoneInfo::None),
        "timestamptz" | "time_stamp" => DataType::Timestamp(None, TimezoneInfo::WithTimeZone),
        "text" | "name" | "varchar" | "bpchar" | "char" | "json" | "jsonb" | "uuid" | "inet" | "xml"
        | "sql_identifier" | "character_data" | "yes_or_no" | "citext" => DataType::Text,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_cast_to_a_name_is_a_function() {
        check(RULE, "SELECT 'a'::regclass", "SELECT pg_regclass('a')");
        check(RULE, "SELECT 'a'::pg_catalog.regclass::oid", "SELECT pg_oid(pg_regclass('a'))");
        check(RULE, "SELECT 'a'::regclass::int8", "SELECT pg_oid(pg_regclass('a'))::INT8");
        check(RULE, "SELECT a::regtype::text", "SELECT pg_regtype_name(pg_regtype(a))");
        check(RULE, "SELECT (a::regtype)::pg_catalog.text", "SELECT pg_regtype_name((pg_regtype(a)))");
        check(RULE, "SELECT CAST(a AS oid)", "SELECT pg_oid(a)");
    }

    #[test]
    fn a_cast_to_a_plain_type_stays_one() {
        check(RULE, "SELECT a::pg_catalog.int8, b::name", "SELECT a::BIGINT, b::TEXT");
        check(RULE, "SELECT a::\"char\"", "SELECT a::TEXT");
        check(RULE, "SELECT '{a,\"b,c\"}'::text[]", "SELECT ARRAY['a'::TEXT, 'b,c'::TEXT]::TEXT[]");
        check(RULE, "SELECT a::pg_catalog.int2[]", "SELECT a::SMALLINT[]");
        check(RULE, "SELECT a::numeric(10, 2)", "SELECT a::NUMERIC(10,2)");
        check(RULE, "SELECT a::jsonb, a::json, a::uuid", "SELECT pg_jsonb(a), a::TEXT, a::TEXT");
    }
}
