//! The columns of a local table, read from SQL as CREATE TABLE has it.

use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, ColumnDef, ColumnOption, CreateTable, DataType, ExactNumberInfo, Expr, IndexColumn,
    Statement, TableConstraint, TimezoneInfo,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::engine::dialect::folded;
use crate::engine::{ForeignKey, NumericForm, SqlType};
use crate::error::{Error, Kind, Result};

/// A table's columns and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) columns: Vec<ColumnDefinition>,
    /// Names; empty where there is none.
    pub(super) primary_key: Vec<String>,
    pub(super) foreign_keys: Vec<ForeignKey>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnDefinition {
    pub(super) name: String,
    pub(super) sql_type: SqlType,
    pub(super) data_type: ArrowType,
    /// Digits after the point that `numeric(precision, scale)` asks for.
    pub(super) scale: u8,
    pub(super) nullable: bool,
    pub(super) unique: bool,
}

impl Definition {
    /// The columns for Arrow.
    pub(super) fn schema(&self) -> SchemaRef {
        let field = |c: &ColumnDefinition| -> Field {
            let field = c.sql_type.field(&c.name, c.nullable).with_data_type(c.data_type.clone());
            NumericForm { scale: c.scale, special: None }.mark(field)
        };
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(Kind::Config, message).with_hint(
        "write the columns as in CREATE TABLE: '\"$id\" bigint primary key, company text, tags text[]'",
    )
}

/// Reads `"$id" bigint primary key, company text not null, unique (company)`.
pub(super) fn parse(columns: &str) -> Result<Definition> {
    let statement = format!("CREATE TABLE t ({columns}\n)");
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, &statement)
        .map_err(|error| wrong(format!("the columns are not SQL: {error}")))?;
    let [Statement::CreateTable(table)] = parsed.as_slice() else {
        return Err(wrong("the columns are more than a list of columns"));
    };
    let mut definition = Definition { columns: vec![], primary_key: vec![], foreign_keys: vec![] };
    for column in &table.columns {
        let column = read(column, &mut definition)?;
        if definition.columns.iter().any(|known| known.name == column.name) {
            return Err(wrong(format!("the column \"{}\" is there twice", column.name)));
        }
        definition.columns.push(column);
    }
    if definition.columns.is_empty() {
        return Err(wrong("there is no column"));
    }
    constraints(table, &mut definition)?;
    for column in &mut definition.columns {
        if definition.primary_key.contains(&column.name) {
            column.nullable = false;
            column.unique |= definition.primary_key.len() == 1;
        }
    }
    Ok(definition)
}

fn read(column: &ColumnDef, definition: &mut Definition) -> Result<ColumnDefinition> {
    let own = folded(&column.name);
    let (sql_type, data_type) = types(&column.data_type).ok_or_else(|| {
        let known = "boolean, smallint, integer, bigint, real, double precision, numeric, text, varchar, date, time, \
                     timestamp, timestamptz, jsonb, uuid, and arrays of these";
        wrong(format!("the column \"{own}\" is of type {}; known: {known}", column.data_type))
    })?;
    let scale = match (&column.data_type, &data_type) {
        (DataType::Numeric(ExactNumberInfo::None) | DataType::Decimal(ExactNumberInfo::None), _) => 0,
        (_, ArrowType::Decimal128(_, scale)) => scale.unsigned_abs(),
        _ => 0,
    };
    let mut out =
        ColumnDefinition { name: own.clone(), sql_type, data_type, scale, nullable: true, unique: false };
    for option in &column.options {
        match &option.option {
            ColumnOption::Null => {}
            ColumnOption::NotNull => out.nullable = false,
            ColumnOption::Unique(_) => out.unique = true,
            ColumnOption::PrimaryKey(_) => definition.primary_key.push(own.clone()),
            ColumnOption::ForeignKey(key) => definition.foreign_keys.push(ForeignKey {
                columns: vec![own.clone()],
                table: key.foreign_table.0.last().and_then(|p| p.as_ident()).map(folded).unwrap_or_default(),
                referenced: key.referred_columns.iter().map(folded).collect(),
            }),
            other => return Err(wrong(format!("the column \"{own}\" cannot have: {other}"))),
        }
    }
    Ok(out)
}

fn constraints(table: &CreateTable, definition: &mut Definition) -> Result<()> {
    for constraint in &table.constraints {
        match constraint {
            TableConstraint::PrimaryKey(key) => definition.primary_key = key_columns(&key.columns)?,
            TableConstraint::Unique(key) => {
                if let [one] = key_columns(&key.columns)?.as_slice() {
                    let column = definition.columns.iter_mut().find(|c| c.name == *one);
                    column.ok_or_else(|| no_column(one))?.unique = true;
                }
            }
            TableConstraint::ForeignKey(key) => definition.foreign_keys.push(ForeignKey {
                columns: key.columns.iter().map(folded).collect(),
                table: key.foreign_table.0.last().and_then(|p| p.as_ident()).map(folded).unwrap_or_default(),
                referenced: key.referred_columns.iter().map(folded).collect(),
            }),
            other => return Err(wrong(format!("a local table cannot have: {other}"))),
        }
    }
    let keys = definition.foreign_keys.iter().flat_map(|key| &key.columns).chain(&definition.primary_key);
    for column in keys {
        if !definition.columns.iter().any(|known| known.name == *column) {
            return Err(no_column(column));
        }
    }
    Ok(())
}

fn no_column(name: &str) -> Error {
    wrong(format!("a key names the column \"{name}\", which is not there"))
}

fn key_columns(columns: &[IndexColumn]) -> Result<Vec<String>> {
    let column = |column: &IndexColumn| match &column.column.expr {
        Expr::Identifier(ident) => Ok(folded(ident)),
        other => Err(wrong(format!("a key is of columns, not of {other}"))),
    };
    columns.iter().map(column).collect()
}

/// The type of a column, and what it is in Arrow. Names of types are PostgreSQL's.
fn types(data_type: &DataType) -> Option<(SqlType, ArrowType)> {
    let sql_type = match data_type {
        DataType::Boolean | DataType::Bool => SqlType::Bool,
        DataType::SmallInt(_) | DataType::Int2(_) => SqlType::Int2,
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) => SqlType::Int4,
        DataType::BigInt(_) | DataType::Int8(_) => SqlType::Int8,
        DataType::Real | DataType::Float4 => SqlType::Float4,
        DataType::DoublePrecision | DataType::Float8 => SqlType::Float8,
        DataType::Numeric(size) | DataType::Decimal(size) | DataType::Dec(size) => return numeric(*size),
        DataType::Text => SqlType::Text,
        DataType::Varchar(_) | DataType::CharacterVarying(_) | DataType::CharVarying(_) => SqlType::Varchar,
        DataType::Uuid => SqlType::Uuid,
        DataType::Date => SqlType::Date,
        DataType::Time(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => SqlType::Time,
        DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => SqlType::Timestamp,
        DataType::Timestamp(_, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone) => SqlType::TimestampTz,
        DataType::JSON | DataType::JSONB => SqlType::Jsonb,
        DataType::Array(ArrayElemTypeDef::SquareBracket(item, _)) => {
            let (item, arrow) = types(item).filter(|(item, _)| !matches!(item, SqlType::Array(_)))?;
            let list = ArrowType::new_list(arrow, true);
            return Some((SqlType::Array(Box::new(item)), list));
        }
        _ => return None,
    };
    let arrow = match sql_type {
        // As the planner reads TIME '...': it compares no other unit with it.
        SqlType::Time => ArrowType::Time64(arrow::datatypes::TimeUnit::Nanosecond),
        ref other => other.data_type(),
    };
    Some((sql_type, arrow))
}

fn numeric(size: ExactNumberInfo) -> Option<(SqlType, ArrowType)> {
    let (precision, scale) = match size {
        ExactNumberInfo::None => (38, 10),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    let precision = u8::try_from(precision).ok().filter(|p| (1..=38).contains(p))?;
    let scale = i8::try_from(scale).ok().filter(|s| *s >= 0 && s.unsigned_abs() <= precision)?;
    Some((SqlType::Numeric, ArrowType::Decimal128(precision, scale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_in_create_table() {
        let definition = parse(
            "\"$id\" bigint primary key, Company text not null, amount numeric(20, 4), tags text[], \
             owner jsonb, at timestamptz, parent bigint references customers (\"$id\"), unique (company)",
        )
        .unwrap();
        let shown: Vec<_> = definition
            .columns
            .iter()
            .map(|c| format!("{} {} {} {}", c.name, c.sql_type.name(), c.nullable, c.unique))
            .collect();
        assert_eq!(
            shown,
            [
                "$id bigint false true",
                "company text false true",
                "amount numeric true false",
                "tags text[] true false",
                "owner jsonb true false",
                "at timestamp with time zone true false",
                "parent bigint true false"
            ]
        );
        assert_eq!(definition.primary_key, ["$id"]);
        assert_eq!(definition.foreign_keys[0].table, "customers");
        assert_eq!(*definition.schema().field(2).data_type(), ArrowType::Decimal128(20, 4));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (columns, message) in [
            ("", "there is no column"),
            ("a text) ; drop table x --", "the columns are not SQL"),
            ("a text, a text", "the column \"a\" is there twice"),
            ("a money", "the column \"a\" is of type money"),
            ("a numeric(40)", "the column \"a\" is of type NUMERIC(40)"),
            ("a text default 'x'", "the column \"a\" cannot have: DEFAULT 'x'"),
            ("a text, primary key (b)", "a key names the column \"b\", which is not there"),
        ] {
            let error = parse(columns).unwrap_err();
            assert!(error.message.starts_with(message), "{columns}: {error}");
        }
    }
}
