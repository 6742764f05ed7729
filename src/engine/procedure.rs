//! `CALL`: the procedures that there are.
//!
//! `refresh_schema(app)` reads an app's form and list views from Kintone anew, `refresh_schema()` the list of apps and
//! every app's. The app is given by its code, its name, a name that its table has or had, or its id.

use std::sync::Arc;

use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Statement, Value,
};

use super::SqlType;
use super::apps::NamedApp;
use super::connection::Connection;
use super::fault;
use super::session::{QueryResult, Session};
use crate::error::{Error, Kind, Result};

/// Whether a call is one of a procedure that there is.
///
/// # Errors
/// Of kind `UndefinedFunction`, with its name.
pub(super) fn check(call: &Function) -> Result<()> {
    let name = call.name.to_string();
    if name.replace('"', "").eq_ignore_ascii_case("refresh_schema") {
        return Ok(());
    }
    Err(Error::new(Kind::UndefinedFunction, format!("procedure {name} does not exist"))
        .with_hint("There is refresh_schema(app)."))
}

/// The types of a call's parameters: all are texts.
pub(super) fn parameters(statement: &Statement) -> Vec<SqlType> {
    let Statement::Call(call) = statement else { return vec![] };
    let numbers = arguments(call).into_iter().flatten().filter_map(|argument| match argument {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => name.strip_prefix('$')?.parse::<usize>().ok(),
            _ => None,
        },
        _ => None,
    });
    vec![SqlType::Text; numbers.max().unwrap_or_default()]
}

/// Runs a call.
pub(super) async fn call(
    session: &Session,
    call: &Function,
    parameters: &[ScalarValue],
) -> Result<QueryResult> {
    check(call)?;
    let wrong = || {
        Error::new(Kind::UndefinedFunction, format!("{call} is no call of refresh_schema"))
            .with_hint("Write CALL refresh_schema('app') or CALL refresh_schema().")
    };
    match arguments(call).as_deref() {
        Some([]) => {
            for connection in &session.engine.inner.connections {
                connection.refresh_all().await.map_err(|e| fault::of_table(&e))?;
            }
        }
        Some([argument]) => {
            let app = text_of(argument, parameters).ok_or_else(wrong)?;
            let (connection, found) = find(session, &app).await?;
            connection.refresh(&found).await.map_err(|e| fault::of_table(&e))?;
        }
        _ => return Err(wrong()),
    }
    Ok(QueryResult::command("CALL"))
}

/// The arguments, where they are plain ones.
fn arguments(call: &Function) -> Option<Vec<&Expr>> {
    match &call.args {
        FunctionArguments::None => Some(vec![]),
        FunctionArguments::Subquery(_) => None,
        FunctionArguments::List(list) => list
            .args
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            })
            .collect(),
    }
}

/// A text, a number, or a parameter.
fn text_of(argument: &Expr, parameters: &[ScalarValue]) -> Option<String> {
    match argument {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => text_of(inner, parameters),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) | Value::Number(text, _) => {
                Some(text.clone())
            }
            Value::Placeholder(name) => {
                let number: usize = name.strip_prefix('$')?.parse().ok()?;
                let value = parameters.get(number.checked_sub(1)?)?;
                if value.is_null() { None } else { Some(value.to_string()) }
            }
            _ => None,
        },
        _ => None,
    }
}

/// The app that a text means, of the connections of the search path first. Where no list that is known has it, the
/// lists are read anew.
async fn find<'s>(session: &'s Session, app: &str) -> Result<(&'s Arc<Connection>, Arc<NamedApp>)> {
    let settings = session.settings();
    let path = &settings.planning.search_path;
    let connections = &session.engine.inner.connections;
    let place = |connection: &Connection| {
        path.iter().position(|schema| schema == connection.name()).unwrap_or(usize::MAX)
    };
    let mut sorted: Vec<&Arc<Connection>> = connections.iter().collect();
    sorted.sort_by_key(|connection| place(connection));
    for is_anew in [false, true] {
        for connection in &sorted {
            let list = if is_anew { connection.list_now().await } else { connection.list().await };
            let list = list.map_err(|e| fault::of_table(&e))?;
            let named = list.find(app, false);
            let found = named.or_else(|| list.by_id(app.trim().parse().ok()?).cloned());
            if let Some(found) = found {
                return Ok((connection, found));
            }
        }
    }
    let message = format!("there is no app \"{app}\" that the connection's login may see");
    Err(Error::new(Kind::UndefinedTable, message)
        .with_hint("Give the app's code, its name or its id; SELECT * FROM Apps lists them."))
}
