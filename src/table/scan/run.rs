//! A running scan: keeps as many pages under way as it may, and gives their rows on as they come.
//!
//! All decisions are made where the rows are asked for, so that a scan whose rows nobody takes stops by itself after
//! a page or two for each worker. Each page is a task of its own; dropping the scan aborts them all, and with the
//! first error the others end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::common::runtime::JoinSet;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::metrics::BaselineMetrics;

use super::chains::{Chains, Reply};
use super::page::{Ask, Fetched, PageRows, Reader, fetch};
use super::presence::Presence;
use super::{KintoneScan, ScanRequest};
use crate::table::context::ScanContext;
use crate::table::decode::PageDecoder;
use crate::table::fault::Fault;
use crate::table::meter::Meter;
use crate::table::schema::Shape;

/// The first guess at what a page takes.
const PAGE_BYTES: usize = 64 * 1024;

/// Pages that a chain may read ahead while those before it are not finished.
const AHEAD: usize = 8;

/// So many pages under a limit are read one after the other: the last page would only be a request more.
const FEW_PAGES: usize = 8;

/// The page read backwards from the highest id.
enum End {
    Unasked,
    UnderWay,
    Here(Option<PageRows>),
}

type Done = (Ask, PageDecoder, DfResult<Fetched>);

/// A running scan.
pub(super) struct Run {
    context: Arc<ScanContext>,
    reader: Arc<Reader>,
    scan: KintoneScan,
    chains: Chains,
    tasks: JoinSet<Done>,
    decoders: Vec<PageDecoder>,
    /// Rows to be given on, by chain.
    waiting: BTreeMap<u64, VecDeque<PageRows>>,
    end: End,
    /// The last page, come before the first one: without a count nobody knows how to cut what is between.
    early: Option<(PageRows, bool)>,
    started: bool,
    presence: Presence,
    /// Whether the records that match were counted.
    counted: bool,
    /// Rows still wanted; `None`: all.
    wanted: Option<usize>,
    /// More pages are asked for only as rows are taken.
    lazy: bool,
    taken: usize,
    memory: MemoryReservation,
    page_bytes: usize,
    most: usize,
    baseline: BaselineMetrics,
}

impl Run {
    pub(super) fn new(scan: &KintoneScan, partition: usize, task: &TaskContext) -> DfResult<Self> {
        let context = ScanContext::of(task)?;
        let request = &scan.request;
        let meter = Meter::new(Arc::clone(&context), &scan.metrics, partition);
        let client = meter.watch(context.client(&request.table.connection)?);
        let most = request.concurrency.min(client.config().max_in_flight).max(1);
        let memory = MemoryConsumer::new(format!("KintoneScan({})", request.table.name));
        Ok(Self {
            chains: Chains::new(u64::from(request.page_size), most, request.ordered),
            reader: Arc::new(Reader { client, request: request.clone(), meter }),
            scan: scan.clone(),
            tasks: JoinSet::new(),
            decoders: vec![],
            waiting: BTreeMap::new(),
            end: End::Unasked,
            early: None,
            started: false,
            presence: Presence::default(),
            counted: false,
            wanted: request.limit,
            lazy: request.limit.is_some() || request.limited,
            taken: 0,
            memory: memory.register(task.memory_pool()),
            page_bytes: PAGE_BYTES,
            most,
            baseline: BaselineMetrics::new(&scan.metrics, partition),
            context,
        })
    }

    fn request(&self) -> &ScanRequest {
        &self.scan.request
    }

    /// The next batch with rows; `None` at the end.
    pub(super) async fn next(&mut self) -> DfResult<Option<RecordBatch>> {
        while self.wanted != Some(0) {
            while let Some(done) = self.tasks.try_join_next() {
                self.receive(done.map_err(broken)?).await?;
            }
            // Who may stop at any row gets those that are here before more are asked for.
            let asked = if self.lazy && self.has_ready() { Ok(()) } else { self.ask() };
            if let Some(rows) = self.ready() {
                let batch = self.cut(rows);
                if batch.num_rows() > 0 {
                    self.taken += 1;
                    self.baseline.record_output(batch.num_rows());
                    return Ok(Some(batch));
                }
                continue;
            }
            if self.tasks.is_empty() || self.is_finished() {
                asked?;
                break;
            }
            let meter = Arc::clone(&self.reader.meter);
            let waiting = meter.waiting();
            let done = self.tasks.join_next().await;
            drop(waiting);
            if let Some(done) = done {
                self.receive(done.map_err(broken)?).await?;
            }
        }
        self.tasks.abort_all();
        self.presence.look(&self.context, &self.reader.client, &self.scan.request).await?;
        self.baseline.done();
        Ok(None)
    }

    /// Nothing more to ask for, nor to wait for. A last page that the first one made needless is not waited for.
    fn is_finished(&self) -> bool {
        self.chains.is_finished() && self.waiting.is_empty()
    }

    /// One page at most: its ids say so, or so few rows are wanted.
    fn is_one_page(&self) -> bool {
        let page = u64::from(self.request().page_size);
        let few = |n: u64| n <= page;
        let of_limit = self.request().limit.filter(|_| self.request().columns.shape == Shape::Record);
        self.request().at_most.is_some_and(few) || of_limit.is_some_and(|n| u64::try_from(n).is_ok_and(few))
    }

    /// Whether the next page is to count all that match: Kintone is slower for it, so only where it helps.
    fn counts(&self) -> bool {
        let page = usize::try_from(self.request().page_size).unwrap_or(usize::MAX);
        let many = self.request().limit.is_some_and(|n| n > page.saturating_mul(FEW_PAGES));
        !self.counted && !self.is_one_page() && (!self.lazy || many || self.taken > 0)
    }

    /// Whether the last page is worth its request by now.
    fn wants_end(&self) -> bool {
        if !matches!(self.end, End::Unasked)
            || self.most < 2
            || self.is_one_page()
            || self.chains.is_finished()
        {
            return false;
        }
        let page = u64::from(self.request().page_size);
        if self.counted {
            return self.chains.left() > page && !self.is_sequential();
        }
        let request = self.request();
        let (table, condition) = (&request.table, request.condition.as_ref());
        let known = self.context.remembered.total(&table.connection, table.app, condition);
        !self.lazy && self.taken == 0 && known.map_or(condition.is_none(), |total| total > page)
    }

    /// So few rows are wanted of so many that one page after the other is best.
    fn is_sequential(&self) -> bool {
        let page = usize::try_from(self.request().page_size).unwrap_or(usize::MAX);
        self.wanted.is_some_and(|n| n <= page.saturating_mul(FEW_PAGES))
    }

    /// Asks for as many pages as may be under way.
    fn ask(&mut self) -> DfResult<()> {
        // The last page holds all that is left.
        let rest = self.counted
            && matches!(self.end, End::UnderWay)
            && self.chains.left() <= u64::from(self.request().page_size);
        if !rest && !self.ask_chains()? {
            return Ok(());
        }
        if self.wants_end() {
            let memory = self.memory.new_empty();
            if memory.try_resize(self.page_bytes).is_ok() {
                self.send(Ask::End, self.request().page_size, false, memory)?;
                self.end = End::UnderWay;
            }
        }
        Ok(())
    }

    /// Asks for pages of chains, up to the last page's turn; false where memory is short.
    fn ask_chains(&mut self) -> DfResult<bool> {
        loop {
            let memory = self.memory.new_empty();
            if let Err(error) = memory.try_resize(self.page_bytes) {
                // What is under way or waits gives memory back.
                return if self.tasks.is_empty() { Err(error) } else { Ok(false) };
            }
            let Some(claim) = self.claim() else { return Ok(true) };
            let limit = self.page_limit();
            let count = self.counts() && claim.before.is_none();
            self.send(Ask::Chain(claim), limit, count, memory)?;
            if self.wants_end() {
                return Ok(true);
            }
        }
    }

    fn claim(&mut self) -> Option<super::chains::Claim> {
        let page = usize::try_from(self.request().page_size).unwrap_or(usize::MAX);
        let held: usize = self.waiting.values().map(VecDeque::len).sum();
        let mut allowed = if self.lazy { self.taken.max(1) } else { usize::MAX };
        if let (Some(wanted), Shape::Record) = (self.wanted, &self.scan.request.columns.shape) {
            let waiting: usize = self.waiting.values().flatten().map(|rows| rows.batch.num_rows()).sum();
            allowed = allowed.min(wanted.saturating_sub(waiting).div_ceil(page).max(1));
        }
        let (in_order, first, most) = (self.chains.in_order(), self.chains.first(), self.most);
        let waiting = &self.waiting;
        let may = move |chain: Option<u64>| {
            let own = chain.and_then(|chain| waiting.get(&chain)).map_or(0, VecDeque::len);
            let head = in_order && chain.is_some() && chain == first && own < 2;
            head || (own < AHEAD && held < if in_order { 4 * most } else { most })
        };
        self.chains.claim(allowed, may)
    }

    /// Records to ask for at once.
    fn page_limit(&self) -> u32 {
        match self.wanted {
            Some(rows) if self.tasks.is_empty() && self.waiting.is_empty() => {
                self.request().page_limit(Some(rows))
            }
            _ => self.request().page_size,
        }
    }

    fn send(&mut self, ask: Ask, limit: u32, count: bool, memory: MemoryReservation) -> DfResult<()> {
        self.context.budget.take()?;
        self.context.remembered.spend(&self.scan.request.table);
        let decoder = self.decoders.pop().unwrap_or_else(|| self.scan.decoder());
        self.tasks.spawn(fetch(Arc::clone(&self.reader), ask, (limit, count), decoder, memory));
        Ok(())
    }

    /// Takes a page that came.
    async fn receive(&mut self, (ask, decoder, fetched): Done) -> DfResult<()> {
        let Fetched { rows, full, total, missing, bytes } = fetched?;
        self.page_bytes = self.page_bytes.max(bytes);
        self.presence.check(&self.context, &self.reader.client, &self.scan.request, missing).await?;
        self.decoders.push(decoder);
        let records = u64::try_from(rows.ids.len()).unwrap_or(u64::MAX);
        match ask {
            Ask::End if self.started => self.take_end(rows, full),
            Ask::End => self.early = Some((rows, full)),
            Ask::Chain(claim) => {
                if let Some(total) = total.filter(|_| !self.counted) {
                    self.chains.set_left(total);
                    self.counted = true;
                    if claim.after == 0 {
                        let (table, condition) =
                            (&self.scan.request.table, self.scan.request.condition.as_ref());
                        let remembered = &self.context.remembered;
                        remembered.set_total(&table.connection, table.app, condition, total);
                    }
                }
                let last = rows.ids.last().copied();
                let rows = rows.between(claim.after, self.chains.end_of(claim.chain).unwrap_or(u64::MAX));
                let kept = u64::try_from(rows.ids.len()).unwrap_or(u64::MAX);
                self.chains.read(claim, Reply { records, kept, last, full });
                if rows.batch.num_rows() > 0 {
                    self.waiting.entry(claim.chain).or_default().push_back(rows);
                }
                self.started = true;
                if let Some((rows, full)) = self.early.take() {
                    self.take_end(rows, full);
                }
                if total.is_some() && !self.lazy {
                    let page = u64::from(self.request().page_size);
                    let under_way = u64::from(matches!(self.end, End::UnderWay));
                    self.context
                        .budget
                        .expect(self.chains.left().div_ceil(page).saturating_sub(under_way))?;
                }
            }
        }
        Ok(())
    }

    /// Takes the last page: what chains have read of it already is left out.
    fn take_end(&mut self, rows: PageRows, full: bool) {
        let lowest = if full { rows.ids.first().copied().unwrap_or(0) } else { 0 };
        let twice = self.request().fault == Some(Fault::LastPageTwice);
        let kept = self.chains.floor().map(|floor| rows.between(if twice { 0 } else { floor }, u64::MAX));
        let records = kept.as_ref().map_or(0, |rows| u64::try_from(rows.ids.len()).unwrap_or(0));
        self.chains.set_end(lowest, records);
        self.end = End::Here(kept);
    }

    /// Whether rows may be given on now: in order only those of the first chain that is not finished.
    fn has_ready(&self) -> bool {
        let Some(chain) = self.waiting.keys().next() else { return false };
        !self.chains.in_order() || self.chains.first().is_none_or(|first| first >= *chain)
    }

    /// Rows that may be given on now.
    fn ready(&mut self) -> Option<PageRows> {
        if !self.waiting.is_empty() && !self.has_ready() {
            return None;
        }
        if let Some(mut entry) = self.waiting.first_entry() {
            let rows = entry.get_mut().pop_front();
            if entry.get().is_empty() {
                entry.remove();
            }
            return rows;
        }
        match &mut self.end {
            End::Here(rows) if self.chains.is_finished() => rows.take(),
            _ => None,
        }
    }

    /// No more rows than are wanted.
    fn cut(&mut self, rows: PageRows) -> RecordBatch {
        let batch = rows.into_batch();
        let Some(wanted) = self.wanted else { return batch };
        let rows = wanted.min(batch.num_rows());
        self.wanted = Some(wanted - rows);
        batch.slice(0, rows)
    }
}

/// A task that ended without a page: it panicked.
fn broken(error: tokio::task::JoinError) -> DataFusionError {
    DataFusionError::ExecutionJoin(Box::new(error))
}
