//! A statement that was prepared, a portal that was bound, and the rows on their way to the client.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;

use datafusion::scalar::ScalarValue;
use futures::FutureExt;
use futures::future::BoxFuture;
use pgwire::messages::extendedquery::Bind;
use tokio::io::AsyncWrite;

use super::command::Command;
use super::encode::{BatchRows, RowLayout, is_binary};
use super::failure::Failure;
use super::output::Output;
use super::parameter;
use super::running::{Cancels, Running};
use super::startup::Stop;
use super::types::ParameterType;
use crate::engine::{Clock, Prepared, RowStream, TextOptions};
use crate::error::Error;

/// What a Parse message made.
#[derive(Debug)]
pub(super) struct ClientStatement {
    /// What of it is this door's.
    pub(super) command: Command,
    /// What of it is the engine's; `None` also for an empty text.
    pub(super) prepared: Option<Prepared>,
    /// The text is empty.
    pub(super) empty: bool,
    pub(super) parameters: Vec<ParameterType>,
}

impl ClientStatement {
    /// The parameters' types: as the client declared them, else as the engine inferred them.
    pub(super) fn new(
        command: Command,
        prepared: Option<Prepared>,
        declared: &[Option<ParameterType>],
    ) -> Self {
        let inferred = prepared.iter().flat_map(Prepared::parameters);
        let parameters = inferred.enumerate().map(|(at, sql_type)| match declared.get(at) {
            Some(Some(declared)) => declared.clone(),
            _ => ParameterType::inferred(sql_type.clone()),
        });
        Self { parameters: parameters.collect(), command, prepared, empty: false }
    }

    /// The text of what the engine has of it, as others may see it.
    pub(super) fn text(&self) -> &str {
        self.prepared.as_ref().map_or("", |prepared| &prepared.statement().sql)
    }

    /// A text without a statement.
    pub(super) fn empty() -> Self {
        Self { empty: true, ..Self::new(Command::Engine, None, &[]) }
    }

    /// The columns of the result in these formats; `None` for a statement without rows.
    pub(super) fn layout(&self, formats: &[i16]) -> Result<Option<RowLayout>, Failure> {
        if !matches!(self.command, Command::Engine | Command::Discard) {
            return Ok(None);
        }
        let schema = self.prepared.as_ref().and_then(Prepared::schema);
        schema.map(|schema| RowLayout::new(schema, formats)).transpose()
    }
}

/// What a Bind message made.
pub(super) struct Portal {
    pub(super) statement: Arc<ClientStatement>,
    pub(super) values: Vec<ScalarValue>,
    pub(super) formats: Vec<i16>,
    pub(super) state: PortalState,
}

/// How far a portal has come.
pub(super) enum PortalState {
    /// Not executed yet.
    Bound,
    /// Suspended at a row limit, with the first words of its command tag.
    Running(Box<Rows>, String),
    /// All rows are sent: `SELECT`, `SHOW` ...; to execute it again gives none.
    Done(String),
    /// It has run, and gives no rows.
    Finished,
}

impl Portal {
    /// Decodes the values. `clock` has what times leave open.
    pub(super) fn bind(statement: Arc<ClientStatement>, bind: &Bind, clock: Clock) -> Result<Self, Failure> {
        let expected = statement.parameters.len();
        let given = bind.parameters.len();
        if given != expected {
            let message =
                format!("bind message supplies {given} parameters, but the statement requires {expected}");
            return Err(Failure::error("08P01", message));
        }
        let mut values = Vec::with_capacity(given);
        for (at, (value, parameter)) in bind.parameters.iter().zip(&statement.parameters).enumerate() {
            let binary = is_binary(&bind.parameter_format_codes, at, given)?;
            values.push(parameter::decode(value.as_deref(), binary, parameter, clock, at + 1)?);
        }
        let formats = bind.result_column_format_codes.clone();
        // A format that does not fit the result is told now, as PostgreSQL does.
        statement.layout(&formats)?;
        Ok(Self { statement, values, formats, state: PortalState::Bound })
    }
}

/// Rows that are being sent.
pub(super) struct Rows {
    running: Running,
    layout: RowLayout,
    options: TextOptions,
    batch: Option<BatchRows>,
    /// Written in front of the first row, in its message.
    before: Vec<u8>,
}

/// Why sending stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// There are no more; so many were sent.
    All(usize),
    /// The limit was reached.
    Suspended,
}

impl Rows {
    pub(super) fn new(stream: RowStream, cancels: Cancels, layout: RowLayout, options: TextOptions) -> Self {
        Self::sending(Running::new(stream, cancels), layout, options)
    }

    /// Rows that are here already.
    pub(super) fn ready(
        stream: RowStream,
        cancels: Cancels,
        layout: RowLayout,
        options: TextOptions,
    ) -> Self {
        Self::sending(Running::ready(stream, cancels), layout, options)
    }

    fn sending(running: Running, layout: RowLayout, options: TextOptions) -> Self {
        let before = layout.before().to_vec();
        Self { running, layout, options, batch: None, before }
    }

    /// What should have stood before the first row, where there was none.
    pub(super) fn left_over(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.before)
    }

    /// Sends up to `limit` rows. The next batch is asked for only when the client has taken the last one.
    pub(super) async fn send<W: AsyncWrite + Unpin>(
        &mut self,
        output: &mut Output<W>,
        limit: Option<usize>,
    ) -> Result<Sent, Stop> {
        self.running.resume();
        let mut sent = 0;
        loop {
            while let Some(batch) = self.batch.as_mut().filter(|batch| !batch.is_empty()) {
                if limit == Some(sent) {
                    return Ok(Sent::Suspended);
                }
                batch.encode_next(output.buffer(), &mut self.before)?;
                sent += 1;
                if output.is_full() {
                    output.flush().await?;
                }
            }
            // PostgreSQL stops at the limit without looking whether a row follows.
            if limit == Some(sent) {
                return Ok(Sent::Suspended);
            }
            match self.next_batch(output).await? {
                Some(batch) => self.batch = Some(batch),
                None => return Ok(Sent::All(sent)),
            }
        }
    }

    /// Writes what there is before it waits.
    async fn next_batch<W: AsyncWrite + Unpin>(
        &mut self,
        output: &mut Output<W>,
    ) -> Result<Option<BatchRows>, Stop> {
        let next = self.running.next();
        futures::pin_mut!(next);
        let batch = match futures::poll!(&mut next) {
            Poll::Ready(batch) => batch?,
            Poll::Pending => {
                output.flush().await?;
                next.await?
            }
        };
        let Some(batch) = batch else { return Ok(None) };
        Ok(Some(self.layout.rows(&batch, self.options)?))
    }
}

/// Runs a part of the engine. A panic in it is this statement's error, and nobody else's.
pub(super) fn guarded<'a, T: 'a>(
    future: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> BoxFuture<'a, Result<T, Failure>> {
    let caught = AssertUnwindSafe(future).catch_unwind().map(|result| match result {
        Ok(result) => result.map_err(Failure::from),
        Err(_) => {
            tracing::error!("a statement panicked");
            Err(Failure::panic())
        }
    });
    caught.boxed()
}

/// The tag of a CommandComplete message.
pub(super) fn tag(command: &str, rows: usize) -> String {
    match command {
        "SELECT" | "FETCH" | "MOVE" | "COPY" => format!("{command} {rows}"),
        other => other.to_owned(),
    }
}

/// An error of writing has nobody to be told to; it ends the connection.
pub(super) fn told(stop: Stop) -> io::Result<Failure> {
    match stop {
        Stop::Failure(failure) => Ok(failure),
        Stop::Io(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array, RecordBatch};
    use futures::StreamExt;

    use super::*;

    fn rows(batches: Vec<Vec<i32>>) -> Rows {
        let batch = |values: Vec<i32>| {
            RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(values)) as ArrayRef)]).unwrap()
        };
        let layout = RowLayout::new(&batch(vec![]).schema(), &[]).unwrap();
        let cancels = tokio::sync::watch::channel(0).1;
        let stream = futures::stream::iter(batches.into_iter().map(move |values| Ok(batch(values))));
        Rows::new(stream.boxed(), cancels, layout, TextOptions { time_zone: chrono_tz::UTC })
    }

    #[tokio::test]
    async fn a_portal_goes_on_where_it_was_suspended() {
        let mut rows = rows(vec![vec![1, 2, 3], vec![], vec![4]]);
        let mut sent = vec![];
        let mut output = Output::new(&mut sent);
        for expected in [Sent::Suspended, Sent::Suspended, Sent::All(0)] {
            assert_eq!(rows.send(&mut output, Some(2)).await.unwrap(), expected);
        }
        output.flush().await.unwrap();
        let numbers: Vec<u8> = sent.chunks(12).map(|row| row[11]).collect();
        assert_eq!(numbers, b"1234");
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_the_statement() {
        let failure = guarded(async { panic!("test") as Result<(), Error> }).await.unwrap_err();
        assert_eq!(failure.code(), "XX000");
        assert!(!failure.is_fatal());
    }
}
