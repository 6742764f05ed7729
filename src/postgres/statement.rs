//! A statement's start: what of it this door does itself, and what the engine plans and runs.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::Expr;
use futures::TryStreamExt;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use tokio::io::AsyncWrite;

use super::command::{Command, Declared, sql_types};
use super::connection::{Connection, room};
use super::copy::CopyFormat;
use super::cursor::{self, Cursor};
use super::encode::RowLayout;
use super::failure::Failure;
use super::portal::{ClientStatement, Rows, Sent, guarded, tag};
use super::startup::Stop;
use super::types::ParameterType;
use crate::engine::{Clock, Fetch, Prepared, SqlType, Statement, Transaction, read_text};

/// What became of a statement that was started.
pub(super) enum Started {
    /// Rows to be sent, and the first words of the tag.
    Rows(Box<Rows>, String),
    /// All is sent, the tag too.
    Done,
}

fn no_cursor(name: &str) -> Failure {
    Failure::error("34000", format!("cursor \"{name}\" does not exist"))
}

impl<W: AsyncWrite + Unpin + Send> Connection<W> {
    /// Plans what of a statement is the engine's.
    pub(super) async fn prepare(
        &mut self,
        statement: Statement,
        declared: &[Option<ParameterType>],
    ) -> Result<ClientStatement, Stop> {
        guarded(async { self.session.check(&statement) }).await?;
        let (command, inner) = Command::of(statement)?;
        let prepared = match inner {
            None => None,
            Some(inner) => Some(guarded(self.session.prepare(inner, &sql_types(declared))).await?),
        };
        Ok(ClientStatement::new(command, prepared, declared))
    }

    /// Starts a statement. What gives no rows under a limit is done afterwards, its tag told.
    pub(super) async fn start(
        &mut self,
        statement: &ClientStatement,
        values: Vec<ScalarValue>,
        formats: &[i16],
        describe: bool,
    ) -> Result<Started, Stop> {
        let tag = match &statement.command {
            Command::Engine | Command::Discard => {
                let Some(prepared) = &statement.prepared else { return Ok(Started::Done) };
                return self.start_query(statement, prepared, values, formats, describe).await;
            }
            Command::Copy(format) => return self.copy(statement, format, values).await,
            Command::Declare(declared) => {
                self.declare(statement, declared, values).await?;
                "DECLARE CURSOR".to_owned()
            }
            Command::Fetch(fetch) => return self.fetch(fetch, formats, describe).await,
            Command::Close(Some(name)) => {
                self.cursors.remove(name).ok_or_else(|| no_cursor(name))?;
                "CLOSE CURSOR".to_owned()
            }
            Command::Close(None) => {
                self.cursors.clear();
                "CLOSE CURSOR ALL".to_owned()
            }
            Command::Prepare(name, types, of) => {
                self.check_new(name)?;
                let prepared = self.prepare(of.as_ref().clone(), types).await?;
                self.statements.insert(name.clone(), Arc::new(prepared));
                "PREPARE".to_owned()
            }
            Command::Execute(name, values) => {
                let named = Arc::clone(self.statement(Some(name))?);
                let values = self.evaluate(values, &named).await?;
                return Box::pin(self.start(&named, values, formats, describe)).await;
            }
            Command::Deallocate(Some(name)) => {
                self.statement(Some(name))?;
                self.statements.remove(name);
                "DEALLOCATE".to_owned()
            }
            Command::Deallocate(None) => {
                self.statements.clear();
                "DEALLOCATE ALL".to_owned()
            }
        };
        self.complete(&tag)?;
        Ok(Started::Done)
    }

    async fn start_query(
        &mut self,
        statement: &ClientStatement,
        prepared: &Prepared,
        values: Vec<ScalarValue>,
        formats: &[i16],
        describe: bool,
    ) -> Result<Started, Stop> {
        let result = guarded(self.session.execute(prepared, values)).await?;
        self.announce(&result)?;
        if matches!(statement.command, Command::Discard) {
            self.statements.clear();
            self.portals.clear();
            self.cursors.clear();
        }
        let Some(schema) = &result.schema else {
            if matches!(result.command.as_str(), "COMMIT" | "ROLLBACK")
                && self.session.transaction() == Transaction::Idle
            {
                self.end_of_block(result.command == "COMMIT");
            }
            self.complete(&tag(&result.command, 0))?;
            return Ok(Started::Done);
        };
        let layout = RowLayout::new(schema, formats)?;
        if describe {
            self.output.put(&layout.description())?;
        }
        let (cancels, options) = (self.cancels.clone(), self.text_options());
        let rows = if result.ready {
            Rows::ready(result.rows, cancels, layout, options)
        } else {
            Rows::new(result.rows, cancels, layout, options)
        };
        Ok(Started::Rows(Box::new(rows), result.command))
    }

    async fn copy(
        &mut self,
        statement: &ClientStatement,
        format: &CopyFormat,
        values: Vec<ScalarValue>,
    ) -> Result<Started, Stop> {
        let Some(prepared) = &statement.prepared else { return Ok(Started::Done) };
        let result = guarded(self.session.execute(prepared, values)).await?;
        self.announce(&result)?;
        let Some(schema) = &result.schema else { return Ok(Started::Done) };
        let layout = RowLayout::of_copy(schema, format.clone())?;
        let code = i8::from(format.is_binary());
        let columns = layout.names().len();
        let count = i16::try_from(columns).unwrap_or(i16::MAX);
        self.output.put(&CopyOutResponse::new(code, count, vec![i16::from(code); columns]))?;
        if let Some(header) = format.header(&layout.names()) {
            self.output.put(&CopyData::new(header.freeze()))?;
        }
        let mut rows = Rows::new(result.rows, self.cancels.clone(), layout, self.text_options());
        let sent = rows.send(&mut self.output, None).await?;
        let last = [rows.left_over().as_slice(), format.after()].concat();
        if !last.is_empty() {
            self.output.put(&CopyData::new(last.into()))?;
        }
        self.output.put(&CopyDone::new())?;
        let count = if let Sent::All(count) = sent { count } else { 0 };
        self.complete(&tag("COPY", count))?;
        Ok(Started::Done)
    }

    async fn declare(
        &mut self,
        statement: &ClientStatement,
        declared: &Declared,
        values: Vec<ScalarValue>,
    ) -> Result<(), Stop> {
        let name = &declared.name;
        if !declared.hold && !self.session.is_in_block() {
            let message = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(Failure::error("25P01", message).into());
        }
        if self.cursors.contains_key(name) || self.portals.contains_key(name) {
            return Err(Failure::error("42P03", format!("cursor \"{name}\" already exists")).into());
        }
        room(self.cursors.len(), "cursors")?;
        let Some(prepared) = &statement.prepared else { return Ok(()) };
        let result = guarded(self.session.execute(prepared, values)).await?;
        self.announce(&result)?;
        let Some(schema) = result.schema.clone() else { return Ok(()) };
        let cursor = Cursor::new(declared.clone(), schema, result, self.cancels.clone());
        self.cursors.insert(name.clone(), cursor);
        Ok(())
    }

    pub(super) async fn fetch(
        &mut self,
        fetch: &Fetch,
        formats: &[i16],
        describe: bool,
    ) -> Result<Started, Stop> {
        let options = self.text_options();
        let cursor = self.cursors.get_mut(&fetch.cursor).ok_or_else(|| no_cursor(&fetch.cursor))?;
        let rows = cursor.fetch(fetch.direction).await?;
        if fetch.moves {
            self.complete(&tag("MOVE", rows.num_rows()))?;
            return Ok(Started::Done);
        }
        let layout = cursor.layout(formats)?;
        if describe {
            self.output.put(&layout.description())?;
        }
        cursor::send(&rows, &layout, options, &mut self.output).await?;
        self.complete(&tag("FETCH", rows.num_rows()))?;
        Ok(Started::Done)
    }

    /// The values of EXECUTE: constant expressions, of the types that the statement takes.
    async fn evaluate(
        &mut self,
        values: &[Expr],
        statement: &ClientStatement,
    ) -> Result<Vec<ScalarValue>, Stop> {
        let types = statement.prepared.as_ref().map(Prepared::parameters).unwrap_or_default();
        if values.len() != types.len() {
            let message =
                format!("wrong number of parameters: {} given, {} expected", values.len(), types.len());
            return Err(Failure::error("42601", message).into());
        }
        if values.is_empty() {
            return Ok(vec![]);
        }
        let list: Vec<String> = values.iter().map(ToString::to_string).collect();
        let mut result = guarded(self.session.run(&format!("SELECT {}", list.join(", ")))).await?;
        let batch = guarded(async move { result.rows.try_next().await }).await?;
        let Some(batch) = batch else { return Err(Failure::error("22023", "EXECUTE has no values").into()) };
        let mut out = vec![];
        let clock = self.session.clock();
        for (at, (column, sql_type)) in batch.columns().iter().zip(types).enumerate() {
            out.push(argument(column, sql_type, clock).map_err(|failure| failure.of_parameter(at + 1))?);
        }
        Ok(out)
    }

    /// A name for a new prepared statement.
    pub(super) fn check_new(&mut self, name: &str) -> Result<(), Failure> {
        if name.is_empty() {
            self.statements.remove("");
        } else if self.statements.contains_key(name) {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(Failure::error("42P05", message));
        }
        room(self.statements.len(), "prepared statements")
    }

    /// The columns of a statement's result; those of FETCH are its cursor's, those of EXECUTE the prepared one's.
    pub(super) fn layout(
        &self,
        statement: &ClientStatement,
        formats: &[i16],
    ) -> Result<Option<RowLayout>, Failure> {
        match &statement.command {
            Command::Fetch(fetch) if !fetch.moves => {
                self.cursors.get(&fetch.cursor).map(|cursor| cursor.layout(formats)).transpose()
            }
            Command::Execute(name, _) => match self.statements.get(name) {
                Some(named) => named.layout(formats),
                None => Ok(None),
            },
            _ => statement.layout(formats),
        }
    }
}

/// A value of EXECUTE as one of the parameter's type. A text is read like a bound one; a numeric has its own digits.
fn argument(column: &ArrayRef, sql_type: &SqlType, clock: Clock) -> Result<ScalarValue, Failure> {
    let wrong = |error| Failure::error("42804", format!("a value of EXECUTE does not fit: {error}"));
    match ScalarValue::try_from_array(column, 0).map_err(wrong)? {
        ScalarValue::Utf8(Some(text)) => Ok(read_text(&text, sql_type, clock)?),
        decimal @ ScalarValue::Decimal128(..) if *sql_type == SqlType::Numeric => Ok(decimal),
        // Rounded half away from zero, where a cast would cut the fraction off.
        ScalarValue::Decimal128(Some(number), precision, scale)
            if sql_type.data_type().is_integer() && scale > 0 =>
        {
            let unit = (0..scale).try_fold(1_i128, |unit, _| unit.checked_mul(10)).unwrap_or(i128::MAX);
            let rounded = number / unit + number % unit / (unit / 2).max(1);
            let whole = ScalarValue::Decimal128(Some(rounded), precision, 0);
            whole.cast_to(&sql_type.data_type()).map_err(wrong)
        }
        value => value.cast_to(&sql_type.data_type()).map_err(wrong),
    }
}
