//! Values that name tables: literals, parameters, and what is cast to `regclass`.

use std::collections::BTreeSet;

use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    Array, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};

use super::{Is, Pattern, Pin};
use crate::engine::dialect::array_items;
use crate::engine::function::is_type;
use crate::engine::pg_catalog::RELATIONS;

/// The tables that a text names.
pub(super) fn pins_of_text(text: &str, is: Is) -> Option<BTreeSet<Pin>> {
    let pin = match is {
        Is::Oid => match text.trim().parse() {
            Ok(oid) => Pin::Oid(oid),
            Err(_) => {
                let name = last_part(text.trim_end_matches("[]"));
                // The catalog's own relations and types are always known.
                if is_type(text) || RELATIONS.iter().any(|relation| relation.name == name) {
                    return Some(BTreeSet::new());
                }
                Pin::Name(Pattern::name(&name))
            }
        },
        Is::Name => Pin::Name(Pattern::name(text)),
        Is::Like => Pin::Name(Pattern::like(text)),
        Is::Regex => Pin::Name(Pattern::regex(text)?),
    };
    Some(BTreeSet::from([pin]))
}

/// The tables that a parameter's value names; `None` where that is not known.
pub(super) fn pins_of_scalar(value: &ScalarValue, is: Is) -> Option<BTreeSet<Pin>> {
    if value.is_null() {
        return Some(BTreeSet::new());
    }
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => pins_of_text(text, is),
        ScalarValue::List(list) => {
            let items = list.values();
            let mut pins = BTreeSet::new();
            for at in 0..items.len() {
                pins.extend(pins_of_scalar(&ScalarValue::try_from_array(items, at).ok()?, is)?);
            }
            Some(pins)
        }
        number if number.data_type().is_integer() => pins_of_text(&number.to_string(), is),
        _ => None,
    }
}

/// The tables that an expression without columns names; `None` where it is no literal, parameter or list of them.
pub(super) fn pins_of(expr: &Expr, is: Is) -> Option<BTreeSet<Pin>> {
    match expr {
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => pins_of(inner, is),
        Expr::Cast { expr: inner, data_type, .. } => {
            let wanted = data_type.to_string().to_lowercase();
            let is_name = wanted.contains("regclass") || wanted.contains("regtype");
            pins_of(inner, if is_name { Is::Oid } else { is })
        }
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => pins_of(expr, is),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => pins_of_text(digits, is),
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => pins_of_text(text, is),
            Value::Null => Some(BTreeSet::new()),
            Value::Placeholder(name) => {
                let number = name.strip_prefix('$')?.parse().ok()?;
                Some(BTreeSet::from([Pin::Parameter { number, is, in_list: false }]))
            }
            _ => None,
        },
        Expr::Function(function) if matches!(name_of(function).as_str(), "to_regclass" | "to_regtype") => {
            arguments(function).first().and_then(|argument| pins_of(argument, Is::Oid))
        }
        Expr::Array(Array { elem, .. }) => union(elem.iter().map(|item| pins_of(item, is))),
        Expr::Tuple(items) => union(items.iter().map(|item| pins_of(item, is))),
        _ => None,
    }
}

/// As [`pins_of`], of what stands in `ANY (...)`: `'{a,b}'` is an array there.
pub(super) fn pins_of_any(expr: &Expr, is: Is) -> Option<BTreeSet<Pin>> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => pins_of_any(inner, is),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => {
                union(array_items(text)?.iter().map(|item| pins_of_text(item, is)))
            }
            _ => pins_of(expr, is),
        },
        other => pins_of(other, is),
    }
}

/// All of them, where all are known.
pub(super) fn union(parts: impl Iterator<Item = Option<BTreeSet<Pin>>>) -> Option<BTreeSet<Pin>> {
    let parts: Option<Vec<BTreeSet<Pin>>> = parts.collect();
    Some(parts?.into_iter().flatten().collect())
}

/// The last part of a function's name, in lower case.
pub(super) fn name_of(function: &Function) -> String {
    let last = function.name.0.last().and_then(|part| part.as_ident());
    last.map(|ident| ident.value.to_lowercase()).unwrap_or_default()
}

/// The arguments of a function that have no name.
pub(super) fn arguments(function: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else { return vec![] };
    list.args
        .iter()
        .filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

/// The table's name in `name`, `schema.name` or `"Name"`.
fn last_part(text: &str) -> String {
    let mut part = String::new();
    let mut is_quoted = false;
    for letter in text.trim().chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => part.clear(),
            other => part.push(other),
        }
    }
    part
}
