//! PostgreSQL's names of types as Arrow's types, with the marks that tell types of one Arrow type apart.
//!
//! DataFusion asks here first when it plans a cast or the types of parameters.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{self, ArrayElemTypeDef, ExactNumberInfo, ObjectName, TimezoneInfo};

use super::SqlType;
use super::dialect::folded;
use crate::table::SQL_TYPE;

/// The mark of `numeric` without a precision, which keeps the digits of what is cast to it.
const UNCONSTRAINED: &str = "numeric";

/// Whether a cast to this field is to `numeric` without a precision.
pub(super) fn is_unconstrained(field: &Field) -> bool {
    field.metadata().get(SQL_TYPE).is_some_and(|mark| mark == UNCONSTRAINED)
}

/// The types that DataFusion does not know, or knows otherwise.
#[derive(Debug)]
pub(super) struct PostgresTypes;

impl TypePlanner for PostgresTypes {
    fn plan_type_field(&self, sql_type: &ast::DataType) -> Result<Option<FieldRef>> {
        Ok(field(sql_type).map(Arc::new))
    }
}

fn field(data_type: &ast::DataType) -> Option<Field> {
    let known = sql_type(data_type)?;
    let field = match (&known, data_type) {
        (SqlType::Numeric, of) if precision(of) == Some(ExactNumberInfo::None) => known
            .field("", true)
            .with_metadata(HashMap::from([(SQL_TYPE.to_owned(), UNCONSTRAINED.to_owned())])),
        // Without a zone: the session's is DataFusion's to add. Other widths are its own, too.
        (SqlType::Timestamp, ast::DataType::Timestamp(Some(0 | 3), _)) => return None,
        (SqlType::Numeric | SqlType::TimestampTz | SqlType::Time, _) => return None,
        (SqlType::Array(item), _) if is_planned_elsewhere(item) => return None,
        _ => known.field("", true),
    };
    Some(field)
}

fn is_planned_elsewhere(item: &SqlType) -> bool {
    match item {
        SqlType::Array(item) => is_planned_elsewhere(item),
        SqlType::Numeric | SqlType::TimestampTz | SqlType::Time => true,
        _ => false,
    }
}

fn precision(data_type: &ast::DataType) -> Option<ExactNumberInfo> {
    match data_type {
        ast::DataType::Numeric(size) | ast::DataType::Decimal(size) | ast::DataType::Dec(size) => Some(*size),
        _ => None,
    }
}

/// The type that a name in SQL means; `None` for one that is none of [`SqlType`].
pub(super) fn sql_type(data_type: &ast::DataType) -> Option<SqlType> {
    use ast::DataType as D;
    Some(match data_type {
        D::Boolean | D::Bool => SqlType::Bool,
        D::SmallInt(_) | D::Int2(_) => SqlType::Int2,
        D::Int(_) | D::Integer(_) | D::Int4(_) => SqlType::Int4,
        D::BigInt(_) | D::Int8(_) => SqlType::Int8,
        D::Real | D::Float4 => SqlType::Float4,
        D::Float(ExactNumberInfo::Precision(bits)) if *bits <= 24 => SqlType::Float4,
        D::Float(_) | D::Double(ExactNumberInfo::None) | D::DoublePrecision | D::Float8 => SqlType::Float8,
        D::Numeric(_) | D::Decimal(_) | D::Dec(_) => SqlType::Numeric,
        D::Text | D::String(_) => SqlType::Text,
        D::Varchar(_) | D::CharacterVarying(_) | D::CharVarying(_) => SqlType::Varchar,
        D::Char(_) | D::Character(_) => SqlType::Bpchar,
        D::Bytea => SqlType::Bytea,
        D::Date => SqlType::Date,
        D::Time(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => SqlType::Time,
        D::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => SqlType::Timestamp,
        D::Timestamp(_, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone) => SqlType::TimestampTz,
        D::Interval { .. } => SqlType::Interval,
        D::JSON => SqlType::Json,
        D::JSONB => SqlType::Jsonb,
        D::Uuid => SqlType::Uuid,
        D::Array(ArrayElemTypeDef::SquareBracket(item, _)) => SqlType::Array(Box::new(sql_type(item)?)),
        D::Custom(name, _) => named(name)?,
        _ => return None,
    })
}

fn named(name: &ObjectName) -> Option<SqlType> {
    let name = name.0.last()?.as_ident().map(folded)?;
    Some(match name.as_str() {
        "bool" => SqlType::Bool,
        "int2" => SqlType::Int2,
        "int4" => SqlType::Int4,
        "int8" => SqlType::Int8,
        "float4" => SqlType::Float4,
        "float8" => SqlType::Float8,
        "text" => SqlType::Text,
        "varchar" => SqlType::Varchar,
        "bpchar" => SqlType::Bpchar,
        "name" => SqlType::Name,
        "char" => SqlType::Char,
        "oid" => SqlType::Oid,
        "bytea" => SqlType::Bytea,
        "date" => SqlType::Date,
        "timestamp" => SqlType::Timestamp,
        "interval" => SqlType::Interval,
        "json" => SqlType::Json,
        "jsonb" => SqlType::Jsonb,
        "uuid" => SqlType::Uuid,
        "int2vector" => SqlType::Int2Vector,
        "oidvector" => SqlType::OidVector,
        _ => return None,
    })
}

/// A type as SQL spells it, so that [`PostgresTypes`] reads the same.
pub(super) fn spelled(sql_type: &SqlType) -> ast::DataType {
    use ast::DataType as D;
    let custom = |name: &str| D::Custom(ObjectName::from(vec![ast::Ident::new(name)]), vec![]);
    match sql_type {
        SqlType::Bool => D::Boolean,
        SqlType::Int2 => D::SmallInt(None),
        SqlType::Int4 => D::Integer(None),
        SqlType::Int8 => D::BigInt(None),
        SqlType::Float4 => D::Real,
        SqlType::Float8 => D::DoublePrecision,
        SqlType::Numeric => D::Numeric(ExactNumberInfo::None),
        SqlType::Text | SqlType::Unknown => D::Text,
        SqlType::Varchar => D::Varchar(None),
        SqlType::Bpchar => custom("bpchar"),
        SqlType::Name => custom("name"),
        SqlType::Char => custom("char"),
        SqlType::Oid => custom("oid"),
        SqlType::Bytea => D::Bytea,
        SqlType::Date => D::Date,
        SqlType::Time => D::Time(None, TimezoneInfo::None),
        SqlType::Timestamp => D::Timestamp(Some(6), TimezoneInfo::None),
        SqlType::TimestampTz => D::Timestamp(Some(6), TimezoneInfo::WithTimeZone),
        SqlType::Interval => D::Interval { fields: None, precision: None },
        SqlType::Jsonb => D::JSONB,
        SqlType::Json => D::JSON,
        SqlType::Uuid => D::Uuid,
        SqlType::Int2Vector => custom("int2vector"),
        SqlType::OidVector => custom("oidvector"),
        SqlType::Array(item) => D::Array(ArrayElemTypeDef::SquareBracket(Box::new(spelled(item)), None)),
    }
}

/// The Arrow type that a value of a parameter has in a plan: times count as the planner's `TIME '...'` do.
pub(super) fn planned_type(sql_type: &SqlType) -> DataType {
    match sql_type {
        SqlType::Time => DataType::Time64(TimeUnit::Nanosecond),
        SqlType::Array(item) => DataType::new_list(planned_type(item), true),
        other => other.data_type(),
    }
}
