//! Casts to types of the catalog: `regclass` and its kin become functions, other names become DataFusion's types.

use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, CastKind, CharacterLength, DataType, Expr, Interval, ObjectName, TimezoneInfo,
    TypedString, Value,
};

use super::visit::Rule;
use super::{call, folded, number, take};
use crate::engine::function::display_function;

pub(super) const RULE: Rule = Rule::Expr(known_type);

fn known_type(expr: &mut Expr) {
    if let Expr::TypedString(TypedString { data_type, .. }) = expr
        && let Some(known) = plain(data_type)
    {
        *data_type = known;
    }
    if let Some(text) = interval_text(expr) {
        *expr = Expr::Cast {
            kind: CastKind::DoubleColon,
            expr: Box::new(text),
            data_type: DataType::Interval { fields: None, precision: None },
            array: false,
            format: None,
        };
    }
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
    if let Some(length) = longest(data_type) {
        let text = Expr::Cast {
            kind: CastKind::DoubleColon,
            expr: Box::new(take(inner)),
            data_type: DataType::Text,
            array: false,
            format: None,
        };
        **inner = call("left", vec![text, number(length)]);
    }
}

/// The text of `INTERVAL '...'` without a unit: DataFusion reads fewer forms of it.
fn interval_text(expr: &mut Expr) -> Option<Expr> {
    match expr {
        Expr::Interval(Interval {
            value,
            leading_field: None,
            leading_precision: None,
            last_field: None,
            fractional_seconds_precision: None,
        }) => match value.as_ref() {
            Expr::Value(text) if matches!(text.value, Value::SingleQuotedString(_)) => Some(take(value)),
            _ => None,
        },
        _ => None,
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
        "regoper" | "regoperator" => "pg_regoper",
        "regnamespace" => "pg_regnamespace",
        "regrole" => "pg_regrole",
        "jsonb" => "pg_jsonb",
        "json" => "pg_json",
        "uuid" => "pg_uuid",
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

/// The length that a cast cuts a text to.
fn longest(data_type: &DataType) -> Option<u32> {
    match data_type {
        DataType::Varchar(Some(length))
        | DataType::CharacterVarying(Some(length))
        | DataType::CharVarying(Some(length))
        | DataType::Char(Some(length))
        | DataType::Character(Some(length)) => match length {
            CharacterLength::IntegerLength { length, .. } => u32::try_from(*length).ok(),
            CharacterLength::Max => None,
        },
        DataType::Char(None) | DataType::Character(None) => Some(1),
        _ => None,
    }
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
            let item = match type_name(item).as_str() {
                // An array of oids is one to who asks for a parameter's type.
                "oid" => return None,
                "regclass" => DataType::BigInt(None),
                _ => plain(item)?,
            };
            return Some(DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(item), *size)));
        }
        DataType::Custom(name, _) => last(name),
        // Microseconds, as PostgreSQL's.
        DataType::Timestamp(None | Some(1 | 2 | 4 | 5), zone) => {
            return Some(DataType::Timestamp(Some(6), *zone));
        }
        DataType::Time(Some(_), zone) => return Some(DataType::Time(None, *zone)),
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
        "timestamp" => DataType::Timestamp(Some(6), TimezoneInfo::None),
        "timestamptz" | "time_stamp" => DataType::Timestamp(Some(6), TimezoneInfo::WithTimeZone),
        "text" | "inet" | "xml" | "sql_identifier" | "character_data" | "yes_or_no" | "citext" => {
            DataType::Text
        }
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
        check(RULE, "SELECT a::pg_catalog.int8, b::name", "SELECT a::BIGINT, b::name");
        check(
            RULE,
            "SELECT a::varchar(3), b::char",
            "SELECT left(a::TEXT, 3)::VARCHAR(3), left(b::TEXT, 1)::CHAR",
        );
        check(RULE, "SELECT a::timestamp, b::time(3)", "SELECT a::TIMESTAMP(6), b::TIME");
        check(RULE, "SELECT DATE '2026-01-01', INTERVAL 'P1D'", "SELECT DATE '2026-01-01', 'P1D'::INTERVAL");
        check(RULE, "SELECT a::pg_catalog.int2[]", "SELECT a::SMALLINT[]");
        check(RULE, "SELECT a::numeric(10, 2)", "SELECT a::NUMERIC(10,2)");
        check(RULE, "SELECT a::jsonb, a::json, a::uuid", "SELECT pg_jsonb(a), pg_json(a), pg_uuid(a)");
    }
}
