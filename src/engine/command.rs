//! Statements about the session itself: SET, SHOW, RESET, BEGIN, COMMIT, ROLLBACK, DISCARD.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::sql::sqlparser::ast::{self, Expr, Statement, Value};

use super::dialect::folded;
use super::session::{Notice, QueryResult, Session, Transaction};
use super::settings;
use crate::error::{Error, Kind, Result};

/// The columns of such a statement, where it gives rows.
pub(super) fn schema(statement: &Statement) -> Option<SchemaRef> {
    let Statement::ShowVariable { variable } = statement else { return None };
    let columns: Vec<String> = match name_of(variable).as_str() {
        "all" => ["name", "setting", "description"].map(str::to_owned).to_vec(),
        name => vec![shown_name(name).to_owned()],
    };
    let fields: Vec<_> = columns.iter().map(|c| Field::new(c, DataType::Utf8, false)).collect();
    Some(Arc::new(Schema::new(fields)))
}

/// Runs it.
pub(super) fn run(session: &Session, statement: &Statement) -> Result<QueryResult> {
    match statement {
        Statement::Set(set) => assign(session, set),
        Statement::ShowVariable { variable } => show(session, statement, variable),
        Statement::Reset(reset) => {
            match &reset.reset {
                ast::Reset::ALL => session.reset_settings(),
                ast::Reset::ConfigurationParameter(name) => return reset_one(session, &name.to_string()),
            }
            Ok(QueryResult::command("RESET"))
        }
        Statement::Discard { object_type } => {
            if *object_type == ast::DiscardObject::ALL {
                session.reset_settings();
            }
            Ok(QueryResult::command(&format!("DISCARD {object_type}")))
        }
        Statement::StartTransaction { begin, modes, .. } => {
            let result = begin_block(session, *begin);
            isolate(session, modes, false)?;
            Ok(result)
        }
        Statement::Commit { .. } => Ok(end_block(session, "COMMIT")),
        Statement::Rollback { savepoint: None, .. } => Ok(end_block(session, "ROLLBACK")),
        Statement::Rollback { savepoint: Some(name), .. } => {
            session.block(|block| block.roll_back_to(&folded(name)))?;
            Ok(QueryResult::command("ROLLBACK"))
        }
        Statement::Savepoint { name } => {
            session.block(|block| block.save(folded(name)))?;
            Ok(QueryResult::command("SAVEPOINT"))
        }
        Statement::ReleaseSavepoint { name } => {
            session.block(|block| block.release(&folded(name)))?;
            Ok(QueryResult::command("RELEASE"))
        }
        // Nobody notifies anybody here.
        Statement::UNLISTEN { .. } => Ok(QueryResult::command("UNLISTEN")),
        other => {
            let text = other.to_string();
            let word = text.split_whitespace().next().unwrap_or("this statement").to_uppercase();
            Err(Error::unsupported(format!("{word} without a PostgreSQL connection")))
        }
    }
}

fn begin_block(session: &Session, begin: bool) -> QueryResult {
    let mut result = QueryResult::command(if begin { "BEGIN" } else { "START TRANSACTION" });
    if session.begin_block() {
        result.notices.push(warning("25001", "there is already a transaction in progress"));
    }
    result
}

/// Reads only: every isolation level and access mode is kept, and the level shown back while its block lasts.
fn isolate(session: &Session, modes: &[ast::TransactionMode], for_all: bool) -> Result<()> {
    for mode in modes {
        let ast::TransactionMode::IsolationLevel(level) = mode else { continue };
        let level = level.to_string().to_lowercase();
        if for_all {
            session.set("default_transaction_isolation", &level)?;
        } else if session.set_local("transaction_isolation") {
            session.set("transaction_isolation", &level)?;
        }
    }
    Ok(())
}

/// A failed block ends as ROLLBACK whatever was said.
fn end_block(session: &Session, said: &str) -> QueryResult {
    let state = session.transaction();
    let ended = if state == Transaction::Failed { "ROLLBACK" } else { said };
    let mut result = QueryResult::command(ended);
    if state == Transaction::Idle {
        result.notices.push(warning("25P01", "there is no transaction in progress"));
    }
    result.changed_settings.extend(session.end_block(ended == "COMMIT"));
    result
}

fn warning(code: &'static str, message: &str) -> Notice {
    Notice { severity: "WARNING", code, message: message.to_owned() }
}

fn assign(session: &Session, set: &ast::Set) -> Result<QueryResult> {
    let mut result = QueryResult::command("SET");
    let (name, value) = match set {
        ast::Set::SingleAssignment { variable, values, scope, .. } => {
            let name = variable.to_string().replace('"', "");
            if matches!(scope, Some(ast::ContextModifier::Local)) && !session.set_local(&name) {
                let message = "SET LOCAL can only be used in transaction blocks";
                result.notices.push(warning("25P01", message));
                return Ok(result);
            }
            let values: Result<Vec<String>> = values.iter().map(value).collect();
            (name, values?.join(", "))
        }
        ast::Set::SetTimeZone { value: expr, .. } => ("TimeZone".to_owned(), value(expr)?),
        ast::Set::SetNames { charset_name, .. } => ("client_encoding".to_owned(), charset_name.value.clone()),
        ast::Set::SetTransaction { modes, session: for_all, .. } => {
            isolate(session, modes, *for_all)?;
            return Ok(result);
        }
        other => return Err(Error::unsupported(format!("{other}"))),
    };
    if value_is_default(&value) {
        return reset_one(session, &name).map(|r| QueryResult { command: "SET".into(), ..r });
    }
    result.changed_settings.extend(session.set(&name, &value)?);
    Ok(result)
}

fn value_is_default(value: &str) -> bool {
    value.eq_ignore_ascii_case("default")
}

/// Back to what the session began with.
fn reset_one(session: &Session, name: &str) -> Result<QueryResult> {
    let default = session.engine.default_settings().show(name).ok_or_else(|| settings::unknown(name))?;
    let mut result = QueryResult::command("RESET");
    result.changed_settings.extend(session.set(name, &default)?);
    Ok(result)
}

/// A value as SET has it: a literal, a word, a number.
fn value(expr: &Expr) -> Result<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text)
            | Value::DoubleQuotedString(text)
            | Value::EscapedStringLiteral(text) => Ok(text.clone()),
            other => Ok(other.to_string()),
        },
        Expr::Identifier(ident) => Ok(ident.value.clone()),
        Expr::UnaryOp { .. } | Expr::CompoundIdentifier(_) => Ok(expr.to_string()),
        other => {
            Err(Error::new(Kind::Syntax, format!("a setting takes a word, a text or a number, not {other}")))
        }
    }
}

/// `SHOW TIME ZONE` and `SHOW TRANSACTION ISOLATION LEVEL` are two names of several words.
fn name_of(variable: &[ast::Ident]) -> String {
    let words: Vec<String> = variable.iter().map(|i| i.value.to_lowercase()).collect();
    match words.join(" ").as_str() {
        "time zone" => "timezone".into(),
        "transaction isolation level" => "transaction_isolation".into(),
        joined if joined.starts_with("kintone ") => joined.replacen(' ', ".", 1),
        joined => joined.replace(" . ", "."),
    }
}

fn shown_name(name: &str) -> &str {
    match name {
        "timezone" => "TimeZone",
        "datestyle" => "DateStyle",
        "intervalstyle" => "IntervalStyle",
        other => other,
    }
}

fn show(session: &Session, statement: &Statement, variable: &[ast::Ident]) -> Result<QueryResult> {
    let name = name_of(variable);
    let schema = schema(statement).ok_or_else(|| Error::internal("SHOW without a column"))?;
    let columns: Vec<ArrayRef> = if name == "all" {
        let all = session.settings().all();
        let names = StringArray::from_iter_values(all.iter().map(|(n, _)| n));
        let values = StringArray::from_iter_values(all.iter().map(|(_, v)| v));
        let nothing = StringArray::from_iter_values(all.iter().map(|_| ""));
        vec![Arc::new(names), Arc::new(values), Arc::new(nothing)]
    } else {
        let value = session.setting(&name).ok_or_else(|| settings::unknown(&name))?;
        vec![Arc::new(StringArray::from(vec![value]))]
    };
    let batch = RecordBatch::try_new(schema, columns).map_err(|e| Error::internal(e.to_string()))?;
    Ok(QueryResult::rows("SHOW", batch))
}
