//! Statements about the session itself, run: SET, SHOW, RESET, BEGIN, COMMIT, ROLLBACK, DISCARD.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::function::quoted;
use super::session::{Notice, QueryResult, Session, Transaction};
use super::settings::{Settings, TRANSACTION, unknown};
use super::utility::{Item, Mode, Utility};
use crate::error::{Error, Kind, Result};

/// The columns of such a statement, where it gives rows.
///
/// # Errors
/// SHOW of no setting.
pub(super) fn schema(session: &Session, utility: &Utility) -> Result<Option<SchemaRef>> {
    let columns: Vec<String> = match utility {
        Utility::Show(None) => ["name", "setting", "description"].map(str::to_owned).to_vec(),
        Utility::Show(Some(name)) => {
            session.setting(name).ok_or_else(|| unknown(name))?;
            vec![Settings::spelling(name)]
        }
        _ => return Ok(None),
    };
    let fields: Vec<_> = columns.iter().map(|c| Field::new(c, DataType::Utf8, false)).collect();
    Ok(Some(Arc::new(Schema::new(fields))))
}

/// Runs it.
pub(super) fn run(session: &Session, utility: &Utility) -> Result<QueryResult> {
    match utility {
        Utility::Set { name, values, local } => set(session, name, values.as_deref(), *local),
        Utility::SetTransaction { modes, session: for_all } => set_transaction(session, modes, *for_all),
        Utility::SetConstraints => Ok(outside(session, "SET CONSTRAINTS", "SET CONSTRAINTS")),
        Utility::Reset(name) => {
            match name {
                None => session.state().reset_all(),
                Some(name) => session.state().set(name, None, false)?,
            }
            Ok(QueryResult::command("RESET"))
        }
        Utility::Show(name) => show(session, utility, name.as_deref()),
        Utility::Begin { tag, modes } => begin(session, tag, modes),
        Utility::End { commits, chain } => end(session, *commits, *chain),
        Utility::Savepoint(name) => {
            let settings = session.settings();
            session.block(|block| block.save(name.clone(), settings))?;
            Ok(QueryResult::command("SAVEPOINT"))
        }
        Utility::Release(name) => {
            session.block(|block| block.release(name))?;
            Ok(QueryResult::command("RELEASE"))
        }
        Utility::RollbackTo(name) => {
            let settings = session.block(|block| block.roll_back_to(name))?;
            session.state().restore(settings);
            Ok(QueryResult::command("ROLLBACK"))
        }
        Utility::Discard(what) => discard(session, what),
        // Nobody notifies anybody here: nothing that is listened to is missed.
        Utility::Listen => Ok(QueryResult::command("LISTEN")),
        Utility::Unlisten => Ok(QueryResult::command("UNLISTEN")),
        Utility::Lock { weakest } => lock(session, *weakest),
    }
}

fn set(session: &Session, name: &str, values: Option<&[Item]>, local: bool) -> Result<QueryResult> {
    let value = values.map(|values| text(name, values)).transpose()?;
    session.state().set(name, value.as_deref(), local)?;
    let result = QueryResult::command("SET");
    if local && !session.is_in_block() {
        return Ok(warned(result, "SET LOCAL can only be used in transaction blocks"));
    }
    Ok(result)
}

/// The values as one text. A list of names keeps what stood in quotes apart from its commas.
fn text(name: &str, values: &[Item]) -> Result<String> {
    let of_names = matches!(
        name.to_lowercase().as_str(),
        "search_path" | "temp_tablespaces" | "session_preload_libraries" | "local_preload_libraries"
    );
    if values.len() > 1 && !of_names && !name.eq_ignore_ascii_case("datestyle") {
        let message = format!("SET {name} takes only one argument");
        return Err(Error::new(Kind::InvalidValue, message));
    }
    let text = |item: &Item| match item {
        Item::Word(text) | Item::Text(text) if of_names => quoted_name(text),
        Item::Word(text) | Item::Text(text) => text.clone(),
    };
    Ok(values.iter().map(text).collect::<Vec<_>>().join(", "))
}

/// A name as a list has it.
fn quoted_name(name: &str) -> String {
    if name.is_empty() { "\"\"".into() } else { quoted(name) }
}

fn set_transaction(session: &Session, modes: &[Mode], for_all: bool) -> Result<QueryResult> {
    for (mode, value) in modes {
        let setting =
            if for_all { format!("default_transaction_{mode}") } else { format!("transaction_{mode}") };
        session.state().set(&setting, Some(value), !for_all)?;
    }
    let result = QueryResult::command("SET");
    Ok(if for_all { result } else { outside_of(session, result, "SET TRANSACTION") })
}

fn begin(session: &Session, tag: &str, modes: &[Mode]) -> Result<QueryResult> {
    let mut result = QueryResult::command(tag);
    if session.state().begin_block() {
        result.notices.push(warning("25001", "there is already a transaction in progress"));
    }
    for (mode, value) in modes {
        session.state().set(&format!("transaction_{mode}"), Some(value), true)?;
    }
    Ok(result)
}

/// A failed block ends as ROLLBACK whatever was said.
fn end(session: &Session, commits: bool, chain: bool) -> Result<QueryResult> {
    let state = session.transaction();
    let said = if commits { "COMMIT" } else { "ROLLBACK" };
    if chain && state == Transaction::Idle {
        let message = format!("{said} AND CHAIN can only be used in transaction blocks");
        return Err(Error::new(Kind::NoTransaction, message));
    }
    let commits = commits && state != Transaction::Failed;
    let mut result = QueryResult::command(if commits { "COMMIT" } else { "ROLLBACK" });
    if state == Transaction::Idle {
        result.notices.push(warning("25P01", "there is no transaction in progress"));
    }
    let settings = session.settings();
    session.state().end_block(commits);
    if chain {
        session.state().begin_block();
        for (name, _) in TRANSACTION {
            let value = settings.show(name);
            session.state().set(name, value.as_deref(), true)?;
        }
    }
    Ok(result)
}

fn discard(session: &Session, what: &str) -> Result<QueryResult> {
    if what == "ALL" {
        if session.is_in_block() {
            let message = "DISCARD ALL cannot run inside a transaction block";
            return Err(Error::new(Kind::InTransaction, message));
        }
        session.state().reset_all();
    }
    Ok(QueryResult::command(&format!("DISCARD {what}")))
}

/// Nothing is kept from anybody, so that only the mode that keeps nobody from reading or writing is given.
fn lock(session: &Session, weakest: bool) -> Result<QueryResult> {
    if !session.is_in_block() {
        return Err(Error::new(Kind::NoTransaction, "LOCK TABLE can only be used in transaction blocks"));
    }
    if !weakest {
        return Err(Error::unsupported("LOCK TABLE in a mode other than ACCESS SHARE"));
    }
    Ok(QueryResult::command("LOCK TABLE"))
}

fn outside(session: &Session, command: &str, what: &str) -> QueryResult {
    outside_of(session, QueryResult::command(command), what)
}

/// What has no effect outside of a block is done with a warning there.
fn outside_of(session: &Session, result: QueryResult, what: &str) -> QueryResult {
    if session.is_in_block() {
        return result;
    }
    warned(result, &format!("{what} can only be used in transaction blocks"))
}

fn warned(mut result: QueryResult, message: &str) -> QueryResult {
    result.notices.push(warning("25P01", message));
    result
}

fn warning(code: &'static str, message: &str) -> Notice {
    Notice { severity: "WARNING", code, message: message.to_owned() }
}

fn show(session: &Session, utility: &Utility, name: Option<&str>) -> Result<QueryResult> {
    let schema = schema(session, utility)?.ok_or_else(|| Error::internal("SHOW without a column"))?;
    let columns: Vec<ArrayRef> = match name {
        None => {
            let all = session.settings().all();
            let names = StringArray::from_iter_values(all.iter().map(|setting| &setting.name));
            let values = StringArray::from_iter_values(all.iter().map(|setting| &setting.shown));
            let nothing = StringArray::from_iter_values(all.iter().map(|_| ""));
            vec![Arc::new(names), Arc::new(values), Arc::new(nothing)]
        }
        Some(name) => {
            let value = session.setting(name).ok_or_else(|| unknown(name))?;
            vec![Arc::new(StringArray::from(vec![value]))]
        }
    };
    let batch = RecordBatch::try_new(schema, columns).map_err(|e| Error::internal(e.to_string()))?;
    Ok(QueryResult::rows("SHOW", batch))
}
