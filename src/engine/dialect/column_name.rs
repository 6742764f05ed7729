//! Result columns are named as PostgreSQL names them, since clients look columns up by name.
//!
//! DataFusion wants every name of a result once; PostgreSQL does not. Where names are resolved, one that is there
//! already gets a number behind [`MARK`], and [`shown_name`] takes both off again.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, ArrayElemTypeDef, DataType, Expr, Ident, ObjectName, Query, Select, SelectItem, SetExpr,
    Statement, TrimWhereField, VisitMut, VisitorMut,
};

use super::keyword::is_keyword;
use super::system_column::is_hidden;
use super::{folded, take};

/// Stands between a name and its number.
pub(crate) const MARK: char = '\u{1}';

/// What PostgreSQL says where an expression has no name.
const NO_NAME: &str = "?column?";

/// The name that a client sees.
pub(crate) fn shown_name(name: &str) -> &str {
    name.split(MARK).next().unwrap_or(name)
}

/// Gives a name to every expression of every SELECT.
pub(super) fn name_columns(statement: &mut Statement) {
    let _ = statement.visit(&mut Names);
}

struct Names;

impl VisitorMut for Names {
    type Break = Infallible;

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Infallible> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && !keeps_name(expr)
            {
                let name = column_name(expr).unwrap_or_else(|| NO_NAME.into());
                *item = SelectItem::ExprWithAlias { expr: take(expr), alias: Ident::with_quote('"', name) };
            }
        }
        ControlFlow::Continue(())
    }
}

/// A column that stays one has its name without an alias.
fn keeps_name(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(name) => !is_keyword(name) && !is_hidden(name),
        Expr::CompoundIdentifier(path) => !path.last().is_some_and(is_hidden),
        _ => false,
    }
}

fn last(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(|part| part.as_ident()).map(folded)
}

/// The name of an expression; `None` where PostgreSQL has no opinion, so that what is around it decides.
fn column_name(expr: &Expr) -> Option<String> {
    Some(match expr {
        Expr::Identifier(ident) => folded(ident),
        Expr::CompoundIdentifier(path) => folded(path.last()?),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => return column_name(inner),
        Expr::Function(function) => last(&function.name)?,
        Expr::Cast { expr, data_type, .. } => own_name(expr).unwrap_or_else(|| type_name(data_type)),
        Expr::TypedString(literal) => type_name(&literal.data_type),
        Expr::Interval(_) => "interval".into(),
        Expr::Case { else_result, .. } => {
            else_result.as_ref().and_then(|value| own_name(value)).unwrap_or_else(|| "case".into())
        }
        Expr::Exists { .. } => "exists".into(),
        Expr::Array(_) => "array".into(),
        Expr::Tuple(_) => "row".into(),
        Expr::Extract { .. } => "extract".into(),
        Expr::Substring { shorthand: true, .. } => "substr".into(),
        Expr::Substring { .. } => "substring".into(),
        Expr::Position { .. } => "position".into(),
        Expr::Overlay { .. } => "overlay".into(),
        Expr::Ceil { .. } => "ceil".into(),
        Expr::Floor { .. } => "floor".into(),
        Expr::AtTimeZone { .. } => "timezone".into(),
        Expr::Trim { trim_where, .. } => match trim_where {
            Some(TrimWhereField::Leading) => "ltrim".into(),
            Some(TrimWhereField::Trailing) => "rtrim".into(),
            _ => "btrim".into(),
        },
        Expr::Subquery(query) => return query_name(query),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let field = access_chain.iter().rev().find_map(|access| match access {
                AccessExpr::Dot(field) => column_name(field),
                AccessExpr::Subscript(_) => None,
            });
            return field.or_else(|| column_name(root));
        }
        _ => return None,
    })
}

/// The name that an expression has under a cast or CASE: that of a column or of a function, not of another cast.
fn own_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Cast { expr, .. } | Expr::Nested(expr) | Expr::Collate { expr, .. } => own_name(expr),
        Expr::Case { else_result, .. } => own_name(else_result.as_deref()?),
        Expr::TypedString(_) | Expr::Interval(_) => None,
        other => column_name(other),
    }
}

/// A subquery has the name of its only column.
fn query_name(query: &Query) -> Option<String> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    match select.projection.first()? {
        SelectItem::UnnamedExpr(expr) => column_name(expr),
        SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)).filter(|name| name != NO_NAME),
        _ => None,
    }
}

/// A type's name in `pg_type`.
fn type_name(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Custom(name, _) => return last(name).unwrap_or_default(),
        DataType::Array(ArrayElemTypeDef::SquareBracket(item, _)) => return type_name(item),
        other => other.to_string().to_lowercase(),
    };
    let name = name.split('(').next().unwrap_or(&name).trim();
    match name {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "real" => "float4",
        "double precision" | "float" => "float8",
        "character varying" => "varchar",
        "char" | "character" => "bpchar",
        "decimal" => "numeric",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        "time without time zone" => "time",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn the_last_cast_names_a_column() {
        for (sql, expect) in [
            ("SELECT '1'::int::text", "text"),
            ("SELECT a::int::text", "a"),
            ("SELECT '{}'::numeric[]", "numeric"),
            ("SELECT DATE '2026-01-01'", "date"),
            ("SELECT CASE WHEN a THEN 1::int ELSE 2::int END", "case"),
        ] {
            let mut statement = parse(sql);
            name_columns(&mut statement);
            assert!(statement.to_string().ends_with(&format!(" AS \"{expect}\"")), "{statement}");
        }
    }

    #[test]
    fn columns_have_postgresqls_names() {
        let check = |sql: &str, expect: &[&str]| {
            let mut statement = parse(sql);
            name_columns(&mut statement);
            let Statement::Query(query) = statement else { panic!() };
            let SetExpr::Select(select) = *query.body else { panic!() };
            let names: Vec<_> = select
                .projection
                .iter()
                .map(|item| match item {
                    SelectItem::ExprWithAlias { alias, .. } => shown_name(&alias.value).to_owned(),
                    other => other.to_string(),
                })
                .collect();
            assert_eq!(names, expect, "{sql}");
        };
        check("SELECT 1, 'a', NULL", &["?column?", "?column?", "?column?"]);
        check("SELECT count(*), pg_catalog.version()", &["count", "version"]);
        check("SELECT a::text, 1::int, '1'::pg_catalog.int8", &["a", "int4", "int8"]);
        check("SELECT CASE WHEN a THEN 1 END, CASE WHEN a THEN 1 ELSE b END", &["case", "b"]);
        check("SELECT (SELECT x FROM t), EXISTS (SELECT 1)", &["x", "exists"]);
        check("SELECT a, a.x", &["a", "a.x"]);
        check("SELECT 'a'::regtype::oid, a::regtype::oid", &["oid", "a"]);
        check(
            "SELECT current_schema, current_role, c.xmin FROM c",
            &["current_schema", "current_role", "xmin"],
        );
        check("SELECT k[1], trim(trailing ';' FROM x)", &["k", "rtrim"]);
    }
}
