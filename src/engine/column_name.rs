//! The name that PostgreSQL gives an output column that has none.

use datafusion::sql::sqlparser::ast::{Expr, ObjectName, SelectItem, SetExpr};

/// As PostgreSQL's `FigureColname`: a column's own name, a function's name, the type of a cast of a literal,
/// `case`, `array`, `exists`; else `?column?`.
pub(super) fn column_name(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(ident) => ident.value.to_lowercase(),
        Expr::CompoundIdentifier(parts) => parts.last().map_or_else(unnamed, |p| p.value.to_lowercase()),
        Expr::Function(function) => last(&function.name),
        Expr::Nested(inner) => column_name(inner),
        Expr::Cast { expr, data_type, .. } => match column_name(expr) {
            name if name == unnamed() => type_name(&data_type.to_string()),
            name => name,
        },
        Expr::TypedString(typed) => type_name(&typed.data_type.to_string()),
        Expr::Collate { expr, .. } => column_name(expr),
        Expr::AtTimeZone { .. } => "timezone".into(),
        Expr::Case { else_result, .. } => match else_result.as_deref().map(column_name) {
            Some(name) if name != unnamed() && !matches!(else_result.as_deref(), Some(Expr::Cast { .. })) => {
                name
            }
            _ => "case".into(),
        },
        Expr::Extract { .. } => "extract".into(),
        Expr::Substring { .. } => "substring".into(),
        Expr::Trim { .. } => "btrim".into(),
        Expr::Position { .. } => "position".into(),
        Expr::Ceil { .. } => "ceil".into(),
        Expr::Floor { .. } => "floor".into(),
        Expr::Overlay { .. } => "overlay".into(),
        Expr::Exists { .. } => "exists".into(),
        Expr::Array(_) => "array".into(),
        Expr::Tuple(_) => "row".into(),
        Expr::Interval(_) => "interval".into(),
        Expr::Subquery(query) => match query.body.as_ref() {
            SetExpr::Select(select) => match select.projection.first() {
                Some(SelectItem::UnnamedExpr(inner)) => column_name(inner),
                Some(SelectItem::ExprWithAlias { alias, .. }) if alias.quote_style.is_some() => {
                    alias.value.clone()
                }
                Some(SelectItem::ExprWithAlias { alias, .. }) => alias.value.to_lowercase(),
                _ => unnamed(),
            },
            _ => unnamed(),
        },
        Expr::Value(value) if matches!(value.value.to_string().as_str(), "true" | "false") => "bool".into(),
        _ => unnamed(),
    }
}

fn unnamed() -> String {
    "?column?".to_owned()
}

fn last(name: &ObjectName) -> String {
    name.0.last().map_or_else(unnamed, |part| part.to_string().trim_matches('"').to_lowercase())
}

/// PostgreSQL names a cast literal by the type's inner name.
fn type_name(sql: &str) -> String {
    let lower = sql.to_lowercase();
    let base = lower.split(['(', ' ', '[']).next().unwrap_or(&lower);
    match base {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "real" => "float4",
        "double" => "float8",
        "decimal" => "numeric",
        "character" if lower.contains("varying") => "varchar",
        "character" => "bpchar",
        "timestamp" if lower.contains("with time zone") => "timestamptz",
        other => other,
    }
    .to_owned()
}
