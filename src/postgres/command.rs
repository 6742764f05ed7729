//! What this door does with a statement itself: COPY, cursors, prepared statements of SQL.
//!
//! Takes: a parsed statement. Gives: what to do, and the query in it that the engine plans.

use datafusion::sql::sqlparser::ast::{self, CloseCursor, CopySource, Expr, Ident, Query, SetExpr};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::copy::CopyFormat;
use super::failure::Failure;
use super::types::ParameterType;
use crate::engine::{Fetch, SqlType, Statement, Utility, folded};

/// What a statement is to this door.
#[derive(Debug, Clone)]
pub(super) enum Command {
    /// The engine's own.
    Engine,
    /// COPY ... TO STDOUT of the query.
    Copy(CopyFormat),
    /// DECLARE ... CURSOR FOR the query.
    Declare(Declared),
    /// FETCH and MOVE.
    Fetch(Fetch),
    /// CLOSE; `None`: all.
    Close(Option<String>),
    /// PREPARE name AS statement, with the types that it says.
    Prepare(String, Vec<Option<ParameterType>>, Box<Statement>),
    /// EXECUTE name (values).
    Execute(String, Vec<Expr>),
    /// DEALLOCATE; `None`: all.
    Deallocate(Option<String>),
    /// DISCARD ALL: the engine's part, then this door's.
    Discard,
}

/// A cursor as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) name: String,
    /// Rows may be asked for again.
    pub(super) scroll: bool,
    /// It outlives its transaction.
    pub(super) hold: bool,
    pub(super) binary: bool,
}

impl Command {
    /// What a statement is, and what of it the engine plans; nothing for what is of this door alone.
    pub(super) fn of(statement: Statement) -> Result<(Self, Option<Statement>), Failure> {
        match &statement.utility {
            Some(Utility::Discard("ALL")) => return Ok((Self::Discard, Some(statement))),
            Some(_) => return Ok((Self::Engine, Some(statement))),
            None => {}
        }
        let inner = |query: &Query| statement.with_tree(ast::Statement::Query(Box::new(query.clone())));
        let command = match &statement.ast {
            ast::Statement::Copy { source, options, legacy_options, .. } => {
                let query = match source {
                    CopySource::Query(query) => inner(query),
                    CopySource::Table { table_name, columns } => inner(&table(table_name, columns)?),
                };
                return Ok((Self::Copy(CopyFormat::new(options, legacy_options)?), Some(query)));
            }
            ast::Statement::Declare { stmts } => {
                let Some((ast::Declare { for_query: Some(query), .. }, name, declared)) =
                    stmts.first().and_then(|d| Some((d, d.names.first()?, d)))
                else {
                    return Err(Failure::error("42601", "DECLARE names no cursor"));
                };
                let declared = Declared {
                    name: folded(name),
                    scroll: declared.scroll == Some(true),
                    hold: declared.hold == Some(true),
                    binary: declared.binary == Some(true),
                };
                return Ok((Self::Declare(declared), Some(inner(query))));
            }
            ast::Statement::Fetch { .. } => match &statement.fetch {
                Some(fetch) => Self::Fetch(fetch.clone()),
                None => return Err(Failure::error("42601", "FETCH names no cursor")),
            },
            ast::Statement::Close { cursor } => Self::Close(match cursor {
                CloseCursor::All => None,
                CloseCursor::Specific { name } => Some(folded(name)),
            }),
            ast::Statement::Prepare { name, data_types, statement: prepared } => {
                let types = data_types.iter().map(|data_type| parameter_type(data_type).map(Some));
                let prepared = statement.with_tree(prepared.as_ref().clone());
                Self::Prepare(folded(name), types.collect::<Result<_, _>>()?, Box::new(prepared))
            }
            ast::Statement::Execute { name: Some(name), parameters, .. } => {
                let name = name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default();
                Self::Execute(name, parameters.clone())
            }
            ast::Statement::Deallocate { name, .. } => {
                let all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
                Self::Deallocate((!all).then(|| folded(name)))
            }
            _ => return Ok((Self::Engine, Some(statement))),
        };
        Ok((command, None))
    }
}

/// `SELECT columns FROM table`; all of them where none is named.
fn table(name: &ast::ObjectName, columns: &[Ident]) -> Result<Query, Failure> {
    let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let list = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, &format!("SELECT {list} FROM {name}"));
    match parsed.ok().and_then(|mut statements| statements.pop()) {
        Some(ast::Statement::Query(query)) if matches!(query.body.as_ref(), SetExpr::Select(_)) => Ok(*query),
        _ => Err(Failure::error("42601", format!("COPY of {name} cannot be read"))),
    }
}

/// The type that PREPARE says of a parameter.
fn parameter_type(data_type: &ast::DataType) -> Result<ParameterType, Failure> {
    let name = data_type.to_string().to_lowercase();
    ParameterType::named(&name)
        .ok_or_else(|| Failure::error("42704", format!("type \"{name}\" does not exist")))
}

/// The types for the engine, as far as they are said.
pub(super) fn sql_types(declared: &[Option<ParameterType>]) -> Vec<Option<SqlType>> {
    declared.iter().map(|of| of.as_ref().map(|of| of.sql_type.clone())).collect()
}
