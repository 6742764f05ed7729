//! SQL types and the oids by which clients know them.

use pgwire::api::Type;

use crate::engine::SqlType;

/// The type of a result column or of an inferred parameter.
pub(super) fn wire_type(sql_type: &SqlType) -> Type {
    match sql_type {
        SqlType::Bool => Type::BOOL,
        SqlType::Int2 => Type::INT2,
        SqlType::Int4 => Type::INT4,
        SqlType::Int8 => Type::INT8,
        SqlType::Float4 => Type::FLOAT4,
        SqlType::Float8 => Type::FLOAT8,
        SqlType::Numeric => Type::NUMERIC,
        SqlType::Text | SqlType::Unknown => Type::TEXT,
        SqlType::Varchar => Type::VARCHAR,
        SqlType::Bpchar => Type::BPCHAR,
        SqlType::Name => Type::NAME,
        SqlType::Char => Type::CHAR,
        SqlType::Oid => Type::OID,
        SqlType::Bytea => Type::BYTEA,
        SqlType::Date => Type::DATE,
        SqlType::Time => Type::TIME,
        SqlType::Timestamp => Type::TIMESTAMP,
        SqlType::TimestampTz => Type::TIMESTAMPTZ,
        SqlType::Interval => Type::INTERVAL,
        SqlType::Jsonb => Type::JSONB,
        SqlType::Json => Type::JSON,
        SqlType::Uuid => Type::UUID,
        SqlType::Int2Vector => Type::INT2_VECTOR,
        SqlType::OidVector => Type::OID_VECTOR,
        SqlType::Array(item) => array_type(item),
    }
}

/// PostgreSQL has one array type for every number of dimensions.
fn array_type(item: &SqlType) -> Type {
    match item {
        SqlType::Bool => Type::BOOL_ARRAY,
        SqlType::Int2 => Type::INT2_ARRAY,
        SqlType::Int4 => Type::INT4_ARRAY,
        SqlType::Int8 => Type::INT8_ARRAY,
        SqlType::Float4 => Type::FLOAT4_ARRAY,
        SqlType::Float8 => Type::FLOAT8_ARRAY,
        SqlType::Numeric => Type::NUMERIC_ARRAY,
        SqlType::Text | SqlType::Unknown => Type::TEXT_ARRAY,
        SqlType::Varchar => Type::VARCHAR_ARRAY,
        SqlType::Bpchar => Type::BPCHAR_ARRAY,
        SqlType::Name => Type::NAME_ARRAY,
        SqlType::Char => Type::CHAR_ARRAY,
        SqlType::Oid => Type::OID_ARRAY,
        SqlType::Bytea => Type::BYTEA_ARRAY,
        SqlType::Date => Type::DATE_ARRAY,
        SqlType::Time => Type::TIME_ARRAY,
        SqlType::Timestamp => Type::TIMESTAMP_ARRAY,
        SqlType::TimestampTz => Type::TIMESTAMPTZ_ARRAY,
        SqlType::Interval => Type::INTERVAL_ARRAY,
        SqlType::Jsonb => Type::JSONB_ARRAY,
        SqlType::Json => Type::JSON_ARRAY,
        SqlType::Uuid => Type::UUID_ARRAY,
        SqlType::Int2Vector => Type::INT2_VECTOR_ARRAY,
        SqlType::OidVector => Type::OID_VECTOR_ARRAY,
        SqlType::Array(inner) => array_type(inner),
    }
}

/// What a client declares, or finds declared, for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParameterType {
    /// The oid, as it was declared.
    pub(super) oid: u32,
    /// What a value of it is in the engine.
    pub(super) sql_type: SqlType,
}

impl ParameterType {
    /// The type behind an oid in a Parse message; `None` where the client leaves it open (0, or `unknown`).
    ///
    /// An oid that is not known here is text: clients send enums, domains and `reg...` types in text form.
    pub(super) fn declared(oid: u32) -> Option<Self> {
        if oid == 0 || oid == Type::UNKNOWN.oid() || oid == Type::VOID.oid() {
            return None;
        }
        let sql_type = Type::from_oid(oid).map_or(SqlType::Text, |wire| declared_type(&wire));
        Some(Self { oid, sql_type })
    }

    /// The type of this SQL name, in lower case; `None` where there is none.
    pub(super) fn named(name: &str) -> Option<Self> {
        if let Some(item) = name.strip_suffix("[]") {
            let item = Self::named(item)?;
            return Self::declared(array_type(&item.sql_type).oid());
        }
        let bare = name.split('(').next().unwrap_or(name).trim();
        let wire = match bare {
            "boolean" | "bool" => Type::BOOL,
            "smallint" | "int2" => Type::INT2,
            "integer" | "int" | "int4" => Type::INT4,
            "bigint" | "int8" => Type::INT8,
            "real" | "float4" => Type::FLOAT4,
            "double precision" | "float8" | "float" => Type::FLOAT8,
            "numeric" | "decimal" | "dec" => Type::NUMERIC,
            "text" => Type::TEXT,
            "varchar" | "character varying" | "char varying" => Type::VARCHAR,
            "char" | "character" | "bpchar" => Type::BPCHAR,
            "name" => Type::NAME,
            "oid" => Type::OID,
            "bytea" => Type::BYTEA,
            "date" => Type::DATE,
            "time" | "time without time zone" => Type::TIME,
            "timestamp" | "timestamp without time zone" => Type::TIMESTAMP,
            "timestamptz" | "timestamp with time zone" => Type::TIMESTAMPTZ,
            "interval" => Type::INTERVAL,
            "json" => Type::JSON,
            "jsonb" => Type::JSONB,
            "uuid" => Type::UUID,
            _ => return None,
        };
        Self::declared(wire.oid())
    }

    /// What the engine found out.
    pub(super) fn inferred(sql_type: SqlType) -> Self {
        Self { oid: wire_type(&sql_type).oid(), sql_type }
    }
}

fn declared_type(wire: &Type) -> SqlType {
    match *wire {
        Type::INT2_VECTOR => return SqlType::Int2Vector,
        Type::OID_VECTOR => return SqlType::OidVector,
        _ => {}
    }
    if let postgres_types::Kind::Array(item) = wire.kind() {
        return SqlType::Array(Box::new(declared_type(item)));
    }
    match *wire {
        Type::BOOL => SqlType::Bool,
        Type::INT2 => SqlType::Int2,
        Type::INT4 => SqlType::Int4,
        Type::INT8 => SqlType::Int8,
        Type::FLOAT4 => SqlType::Float4,
        Type::FLOAT8 => SqlType::Float8,
        Type::NUMERIC => SqlType::Numeric,
        Type::VARCHAR => SqlType::Varchar,
        Type::BPCHAR => SqlType::Bpchar,
        Type::NAME => SqlType::Name,
        Type::CHAR => SqlType::Char,
        Type::OID => SqlType::Oid,
        Type::BYTEA => SqlType::Bytea,
        Type::DATE => SqlType::Date,
        Type::TIME => SqlType::Time,
        Type::TIMESTAMP => SqlType::Timestamp,
        Type::TIMESTAMPTZ => SqlType::TimestampTz,
        Type::INTERVAL => SqlType::Interval,
        Type::JSONB => SqlType::Jsonb,
        Type::JSON => SqlType::Json,
        Type::UUID => SqlType::Uuid,
        _ => SqlType::Text,
    }
}

/// `pg_type.typlen`: bytes of a value, -1 where they vary.
pub(super) fn type_size(sql_type: &SqlType) -> i16 {
    match sql_type {
        SqlType::Bool | SqlType::Char => 1,
        SqlType::Int2 => 2,
        SqlType::Int4 | SqlType::Float4 | SqlType::Oid | SqlType::Date => 4,
        SqlType::Int8 | SqlType::Float8 | SqlType::Time | SqlType::Timestamp | SqlType::TimestampTz => 8,
        SqlType::Interval | SqlType::Uuid => 16,
        // Names are never cut off here: `max_identifier_length` says as much.
        SqlType::Name => 255,
        SqlType::Numeric
        | SqlType::Text
        | SqlType::Varchar
        | SqlType::Bpchar
        | SqlType::Unknown
        | SqlType::Bytea
        | SqlType::Jsonb
        | SqlType::Json
        | SqlType::Int2Vector
        | SqlType::OidVector
        | SqlType::Array(_) => -1,
    }
}

/// A uuid in its usual form.
pub(super) fn uuid_text(bytes: [u8; 16]) -> String {
    uuid::Uuid::from_bytes(bytes).hyphenated().to_string()
}

/// The bytes of a uuid in its usual form.
pub(super) fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    uuid::Uuid::try_parse(text).ok().map(uuid::Uuid::into_bytes)
}
