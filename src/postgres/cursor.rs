//! Cursors of SQL: DECLARE, FETCH, MOVE.
//!
//! A cursor streams: rows are asked for as they are fetched. One declared with SCROLL keeps the rows that it has
//! given, so that it can go back.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;

use super::command::Declared;
use super::encode::RowLayout;
use super::failure::Failure;
use super::output::Output;
use super::running::{Cancels, Running};
use super::startup::Stop;
use crate::engine::{Direction, QueryResult, TextOptions};
use tokio::io::AsyncWrite;

/// Bytes that a scrolling cursor may keep.
const MAX_KEPT: usize = 256 << 20;

/// An open cursor.
pub(super) struct Cursor {
    pub(super) declared: Declared,
    /// Its block ended well: WITH HOLD it goes on.
    pub(super) is_kept: bool,
    schema: SchemaRef,
    running: Running,
    /// Rows that came: all of them with SCROLL, else those that are not fetched yet.
    batches: VecDeque<RecordBatch>,
    /// Rows before `batches`, which are gone.
    gone: usize,
    kept_bytes: usize,
    ended: bool,
    /// Rows before the place where it stands: 0 is before the first row; the row here is number `at`.
    at: usize,
    /// It stands behind the last row.
    after_end: bool,
}

impl Cursor {
    /// A cursor before its first row.
    pub(super) fn new(declared: Declared, schema: SchemaRef, result: QueryResult, cancels: Cancels) -> Self {
        Self {
            declared,
            is_kept: false,
            schema,
            running: Running::new(result.rows, cancels),
            batches: VecDeque::new(),
            gone: 0,
            kept_bytes: 0,
            ended: false,
            at: 0,
            after_end: false,
        }
    }

    /// The columns in these formats; a BINARY cursor's are binary where nothing is said.
    pub(super) fn layout(&self, formats: &[i16]) -> Result<RowLayout, Failure> {
        let formats = if formats.is_empty() && self.declared.binary { &[1] } else { formats };
        RowLayout::new(&self.schema, formats)
    }

    /// The rows of a FETCH, and where it leaves the cursor.
    pub(super) async fn fetch(&mut self, direction: Direction) -> Result<RecordBatch, Failure> {
        self.running.resume();
        match direction {
            Direction::By(0) | Direction::Relative(0) => self.row(self.at).await,
            Direction::By(count) if count > 0 => self.forward(Some(size(count))).await,
            Direction::By(count) => self.backward(Some(size(count))),
            Direction::ForwardAll => self.forward(None).await,
            Direction::BackwardAll => self.backward(None),
            Direction::Absolute(number) if number >= 0 => self.row(size(number)).await,
            Direction::Absolute(number) => {
                self.read_to(usize::MAX).await?;
                let target = (self.known() + 1).saturating_sub(size(number));
                self.row(target).await
            }
            Direction::Relative(count) => {
                let from = self.place();
                let by = size(count);
                self.row(if count > 0 { from.saturating_add(by) } else { from.saturating_sub(by) }).await
            }
        }
    }

    /// The number of the row where it stands; one more than the last behind the end.
    fn place(&self) -> usize {
        if self.after_end { self.known() + 1 } else { self.at }
    }

    /// Rows that are known to be there.
    fn known(&self) -> usize {
        self.gone + self.batches.iter().map(RecordBatch::num_rows).sum::<usize>()
    }

    /// Reads until this row has come, or the last.
    async fn read_to(&mut self, number: usize) -> Result<(), Failure> {
        while !self.ended && self.known() < number {
            match self.running.next().await? {
                None => self.ended = true,
                Some(batch) if batch.num_rows() > 0 => {
                    self.kept_bytes += batch.get_array_memory_size();
                    if self.declared.scroll && self.kept_bytes > MAX_KEPT {
                        let message =
                            format!("cursor \"{}\" has more rows than it can keep", self.declared.name);
                        let failure = Failure::error("53200", message);
                        return Err(failure.with_hint("Declare it without SCROLL, or fetch fewer columns."));
                    }
                    self.batches.push_back(batch);
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    async fn forward(&mut self, count: Option<usize>) -> Result<RecordBatch, Failure> {
        let from = self.place();
        let to = count.map_or(usize::MAX, |count| from.saturating_add(count));
        self.read_to(to).await?;
        let last = to.min(self.known());
        // PostgreSQL stands behind the end as soon as it found none further.
        self.after_end = self.ended && to > last;
        self.at = last;
        let rows = self.slice(from.min(last), last)?;
        self.let_go();
        Ok(rows)
    }

    fn backward(&mut self, count: Option<usize>) -> Result<RecordBatch, Failure> {
        self.check_scroll()?;
        let from = self.place();
        let last = from.saturating_sub(1);
        let first = count.map_or(0, |count| last.saturating_sub(count));
        let ends = count.is_none_or(|count| count > last);
        let rows = self.slice(first, last)?;
        self.after_end = false;
        self.at = if ends { 0 } else { first + 1 };
        let order: Vec<u32> = (0..u32::try_from(rows.num_rows()).unwrap_or(0)).rev().collect();
        let order = arrow::array::UInt32Array::from(order);
        let columns = rows.columns().iter().map(|c| arrow::compute::take(c, &order, None));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|e| internal(&e))?;
        batch(&self.schema, columns, order.values().len())
    }

    /// Goes to a row; the row, or none outside.
    async fn row(&mut self, number: usize) -> Result<RecordBatch, Failure> {
        if number < self.place() || (number == self.at && !self.declared.scroll && number > 0) {
            self.check_scroll()?;
        }
        self.read_to(number).await?;
        self.after_end = number > self.known();
        self.at = number.min(self.known());
        let rows =
            if number == 0 || self.after_end { self.slice(0, 0)? } else { self.slice(number - 1, number)? };
        self.let_go();
        Ok(rows)
    }

    fn check_scroll(&self) -> Result<(), Failure> {
        if self.declared.scroll {
            return Ok(());
        }
        let failure = Failure::error("55000", "cursor can only scan forward");
        Err(failure.with_hint("Declare it with SCROLL option to enable backward scan."))
    }

    /// The rows after `from` up to `to`, counted from the first of all.
    fn slice(&self, from: usize, to: usize) -> Result<RecordBatch, Failure> {
        let mut parts = vec![];
        let mut start = self.gone;
        for batch in &self.batches {
            let end = start + batch.num_rows();
            let (low, high) = (from.max(start), to.min(end));
            if low < high {
                parts.push(batch.slice(low - start, high - low));
            }
            start = end;
        }
        let Some(first) = parts.first() else {
            return Ok(RecordBatch::new_empty(SchemaRef::clone(&self.schema)));
        };
        concat_batches(&first.schema(), &parts).map_err(|e| internal(&e))
    }

    /// Without SCROLL, rows that were passed are not needed again.
    fn let_go(&mut self) {
        if self.declared.scroll {
            return;
        }
        while let Some(batch) = self.batches.front().filter(|batch| self.gone + batch.num_rows() <= self.at) {
            self.gone += batch.num_rows();
            self.batches.pop_front();
        }
    }
}

/// Writes rows that are here.
pub(super) async fn send<W: AsyncWrite + Unpin>(
    rows: &RecordBatch,
    layout: &RowLayout,
    options: TextOptions,
    output: &mut Output<W>,
) -> Result<(), Stop> {
    let mut rows = layout.rows(rows, options)?;
    while !rows.is_empty() {
        rows.encode_next(output.buffer(), &mut vec![])?;
        if output.is_full() {
            output.flush().await?;
        }
    }
    Ok(())
}

fn batch(
    schema: &SchemaRef,
    columns: Vec<arrow::array::ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, Failure> {
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(SchemaRef::clone(schema), columns, &options).map_err(|e| internal(&e))
}

fn internal(error: &arrow::error::ArrowError) -> Failure {
    crate::error::Error::internal(error.to_string()).into()
}

fn size(count: i64) -> usize {
    usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int32Array};
    use arrow::datatypes::Int32Type;
    use futures::StreamExt;

    use super::*;

    fn cursor(scroll: bool) -> Cursor {
        let part = |values: Vec<i32>| {
            RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(values)) as ArrayRef)]).unwrap()
        };
        let schema = part(vec![]).schema();
        let batches = [part(vec![1, 2, 3]), part(vec![]), part(vec![4, 5])];
        let result = QueryResult {
            command: "SELECT".into(),
            schema: Some(SchemaRef::clone(&schema)),
            rows: futures::stream::iter(batches.map(Ok)).boxed(),
            notices: vec![],
            ready: false,
        };
        let declared = Declared { name: "c".into(), scroll, hold: false, binary: false };
        Cursor::new(declared, schema, result, tokio::sync::watch::channel(0).1)
    }

    async fn fetched(cursor: &mut Cursor, direction: Direction) -> Vec<i32> {
        let rows = cursor.fetch(direction).await.unwrap();
        rows.column(0).as_primitive::<Int32Type>().values().to_vec()
    }

    #[tokio::test]
    async fn rows_are_fetched_forward() {
        let mut cursor = cursor(false);
        assert_eq!(fetched(&mut cursor, Direction::By(2)).await, [1, 2]);
        assert_eq!(fetched(&mut cursor, Direction::By(2)).await, [3, 4]);
        assert_eq!(fetched(&mut cursor, Direction::ForwardAll).await, [5]);
        assert_eq!(fetched(&mut cursor, Direction::By(1)).await, [0; 0]);
        assert_eq!(cursor.fetch(Direction::By(-1)).await.unwrap_err().code(), "55000");
    }

    #[tokio::test]
    async fn a_scrolling_cursor_goes_anywhere() {
        let mut cursor = cursor(true);
        assert_eq!(fetched(&mut cursor, Direction::Absolute(4)).await, [4]);
        assert_eq!(fetched(&mut cursor, Direction::By(-2)).await, [3, 2]);
        assert_eq!(fetched(&mut cursor, Direction::By(0)).await, [2]);
        assert_eq!(fetched(&mut cursor, Direction::Absolute(-1)).await, [5]);
        assert_eq!(fetched(&mut cursor, Direction::ForwardAll).await, [0; 0]);
        assert_eq!(fetched(&mut cursor, Direction::BackwardAll).await, [5, 4, 3, 2, 1]);
        assert_eq!(fetched(&mut cursor, Direction::By(-1)).await, [0; 0]);
        assert_eq!(fetched(&mut cursor, Direction::Relative(2)).await, [2]);
        assert_eq!(fetched(&mut cursor, Direction::Relative(-1)).await, [1]);
        assert_eq!(fetched(&mut cursor, Direction::Absolute(9)).await, [0; 0]);
        assert_eq!(fetched(&mut cursor, Direction::By(-1)).await, [5]);
    }
}
