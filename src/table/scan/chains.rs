//! Which ids are read by whom: chains of pages by `$id`, and how an idle worker takes over a part of another's.
//!
//! Pure: no request, no clock. Takes what each page turned out to be; gives the next page to ask for. The ids are
//! cut into ranges that never overlap, and a page's records past its chain's end (which may have come nearer while
//! the page was under way) are dropped by the caller: whoever took that end over reads them. So a record that is
//! there throughout is read exactly once, whatever else is written meanwhile.
//!
//! Where ids have no gaps the cuts fall on page ends, so that cutting costs no request. Where they have, a range is
//! made a little shorter than its pages, by twice the deviation to be expected, so that its last page is nearly
//! full and seldom spills over.

use std::collections::BTreeMap;

/// The end of a range that has none yet.
const OPEN: u64 = u64::MAX;

/// Pages of results that are kept in order although nobody asks for it: small results look ordered.
const SMALL: u64 = 20;

/// In order, a range is so many pages where ids have gaps: shorter ones waste more, longer ones hold more back.
const RANGE_IN_ORDER: u64 = 4;

/// A worker for each so many pages, where ids have gaps: each worker's last page is not full.
const PAGES_A_WORKER: u64 = 8;

/// A page to ask for: ids after `after` and before `before`, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// Ascends with the ids where the records are wanted in order.
    pub chain: u64,
    /// 0: from the first one.
    pub after: u64,
    pub before: Option<u64>,
}

/// What came of a claim.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reply {
    /// Records in the page.
    pub records: u64,
    /// Those of them before the chain's end.
    pub kept: u64,
    /// The last record's id, kept or not.
    pub last: Option<u64>,
    /// As many as were asked for: there may be more.
    pub full: bool,
}

#[derive(Debug)]
struct Chain {
    after: u64,
    before: u64,
    busy: bool,
    /// Records of its latest page, and the ids that they are among.
    latest: Option<(u64, u64)>,
}

impl Chain {
    fn ids(&self) -> u64 {
        self.before.saturating_sub(self.after).saturating_sub(1)
    }
}

/// The chains of one scan.
#[derive(Debug)]
pub(super) struct Chains {
    page: u64,
    most: usize,
    in_order: bool,
    chains: BTreeMap<u64, Chain>,
    next: u64,
    /// What no chain has yet: after, before. Above all chains.
    front: Option<(u64, u64)>,
    /// The width of a range in no order.
    piece: u64,
    /// Records that are still to come, as far as a count told.
    left: u64,
    read: u64,
    /// Places of pages that stayed empty: where ids have gaps, a range's last page is not full.
    wasted: u64,
    /// Ranges that are finished.
    finished: u64,
}

impl Chains {
    /// One chain from the first record on, without an end. At most `most` pages at once.
    pub(super) fn new(page: u64, most: usize, in_order: bool) -> Self {
        let mut chains = Self {
            page: page.max(1),
            most: most.max(1),
            in_order,
            chains: BTreeMap::new(),
            next: 0,
            front: None,
            piece: OPEN,
            left: 0,
            read: 0,
            wasted: 0,
            finished: 0,
        };
        chains.add(0, OPEN);
        chains
    }

    fn add(&mut self, after: u64, before: u64) -> u64 {
        let chain = self.next;
        self.next += 1;
        self.chains.insert(chain, Chain { after, before, busy: false, latest: None });
        chain
    }

    /// So many records are still to come, the page under way among them.
    pub(super) fn set_left(&mut self, records: u64) {
        self.left = records;
    }

    /// Records that are still to come, as far as is known.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Whether the records come in the order of their ids, wanted or not.
    pub(super) fn in_order(&self) -> bool {
        self.in_order
    }

    /// Up to where the last chain has read; `None` where everything is read.
    pub(super) fn floor(&self) -> Option<u64> {
        self.chains.last_key_value().map(|(_, chain)| chain.after)
    }

    /// The last page is here: its lowest id, or 0 where it holds everything, and how many of its records are above
    /// the floor. What lies between remains to be read.
    pub(super) fn set_end(&mut self, lowest: u64, records: u64) {
        let Some((_, chain)) = self.chains.last_key_value() else { return };
        let (chain_after, busy) = (chain.after, chain.busy);
        let end = lowest.max(chain_after.saturating_add(1));
        self.left = self.left.saturating_sub(records);
        self.read += records;
        self.in_order |= self.left / self.page <= SMALL;
        if let Some(mut entry) = self.chains.last_entry() {
            entry.get_mut().before = end;
        }
        self.drop_finished();
        let pages = self.left.div_ceil(self.page);
        let workers = if self.is_dense() { pages } else { pages.div_ceil(PAGES_A_WORKER) };
        self.most = self.most.min(usize::try_from(workers.max(1)).unwrap_or(usize::MAX));
        // What the page under way will not reach goes to whoever is idle.
        let own = if busy { self.width(1) } else { 0 };
        let cut = chain_after.saturating_add(own);
        if end.saturating_sub(cut) > 1 {
            self.front = Some((cut, end));
            if let Some(mut entry) = self.chains.last_entry() {
                entry.get_mut().before = cut.saturating_add(1).min(end);
            }
            self.drop_finished();
            let pages = self.rows(end - cut - 1).div_ceil(self.page);
            self.piece = self.width(pages.div_ceil(count(self.most)).max(1));
        }
    }

    /// Ids in ranges that are not read.
    fn ids(&self) -> u64 {
        let front = self.front.map_or(0, |(after, before)| before - after - 1);
        self.chains.values().map(Chain::ids).fold(front, u64::saturating_add)
    }

    fn is_dense(&self) -> bool {
        self.left >= self.ids()
    }

    /// Records to be expected among so many ids.
    fn rows(&self, ids: u64) -> u64 {
        scaled(ids, self.left, self.ids()).min(ids)
    }

    /// So many ids that their records fill `pages` pages.
    fn width(&self, pages: u64) -> u64 {
        let (rows, ids) = (pages.saturating_mul(self.page), self.ids());
        if self.is_dense() {
            return rows;
        }
        let deviation = scaled(rows, ids - self.left, ids).isqrt();
        let wanted = rows.saturating_sub(2 * deviation).max(rows / 2).max(1);
        scaled(wanted, ids, self.left.max(1)).max(1)
    }

    /// The next page to ask for, where fewer than `allowed` are under way; `may` says whether a chain may go on, or
    /// a new one begin.
    pub(super) fn claim(&mut self, allowed: usize, may: impl Fn(Option<u64>) -> bool) -> Option<Claim> {
        let busy = self.chains.values().filter(|c| c.busy).count();
        if busy >= self.most.min(allowed) {
            return None;
        }
        let idle = self.chains.iter().find(|(id, c)| !c.busy && may(Some(**id))).map(|(id, _)| *id);
        let chain = match idle {
            Some(chain) => chain,
            None if may(None) => self.take_front().or_else(|| self.steal())?,
            None => return None,
        };
        let found = self.chains.get_mut(&chain)?;
        found.busy = true;
        let before = Some(found.before).filter(|b| *b != OPEN);
        Some(Claim { chain, after: found.after, before })
    }

    /// A new chain of what no chain has yet.
    fn take_front(&mut self) -> Option<u64> {
        if self.chains.len() >= self.most {
            return None;
        }
        let (after, before) = self.front?;
        let dense = self.is_dense();
        let affordable = dense || self.can_afford_a_range();
        if !affordable && !self.chains.is_empty() {
            return None;
        }
        let width = match (self.in_order, dense) {
            (true, true) => self.page,
            (true, false) if affordable => {
                let pages = self.left.div_ceil(self.page).div_ceil(count(self.most));
                self.width(pages.clamp(1, RANGE_IN_ORDER))
            }
            (true, false) => before - after,
            (false, _) => self.piece,
        };
        let mut cut = after.saturating_add(width);
        let rest = before.saturating_sub(cut).saturating_sub(1);
        // A rest that is not worth a request of its own.
        if rest == 0 || (!dense && self.rows(rest) < self.page / 4) {
            cut = before - 1;
        }
        self.front = (before - cut > 1).then_some((cut, before));
        Some(self.add(after, cut + 1))
    }

    /// Each range leaves a part of its last page empty, as much as those before it did: all of them may leave an
    /// tenth of what is read.
    fn can_afford_a_range(&self) -> bool {
        let each = (self.wasted + self.page / 2) / (self.finished + 1);
        let wasted = self.wasted + (count(self.chains.len()) + 1) * each;
        wasted <= (self.read + self.left) / 10
    }

    /// A new chain of half of what the chain with most to do has beyond its page under way.
    fn steal(&mut self) -> Option<u64> {
        if self.in_order {
            return None;
        }
        let dense = self.is_dense();
        if !dense && !self.can_afford_a_range() {
            return None;
        }
        let (victim, rows, own) = self
            .chains
            .iter()
            .filter(|(_, c)| c.busy && c.before != OPEN)
            .map(|(id, c)| {
                // A chain's latest page tells more of what follows it than the whole does.
                let rows = match c.latest {
                    Some((rows, ids)) => self.rows(c.ids()).midpoint(scaled(c.ids(), rows, ids)),
                    None => self.rows(c.ids()),
                };
                let own = scaled(self.page, c.ids(), rows.max(1)).min(c.ids());
                (*id, rows.saturating_sub(self.page), if dense { self.page } else { own })
            })
            .max_by_key(|(_, rows, _)| *rows)?;
        if rows < self.page * 3 / 2 {
            return None;
        }
        let chain = self.chains.get_mut(&victim)?;
        let beyond = chain.ids().saturating_sub(own);
        let half = if dense { (rows.div_ceil(self.page) / 2) * self.page } else { beyond / 2 };
        let cut = chain.after.saturating_add(own).saturating_add(half);
        if cut.saturating_add(1) >= chain.before {
            return None;
        }
        let before = std::mem::replace(&mut chain.before, cut + 1);
        Some(self.add(cut, before))
    }

    /// Where a chain ends now; `None` where it has no end.
    pub(super) fn end_of(&self, chain: u64) -> Option<u64> {
        self.chains.get(&chain).map(|c| c.before).filter(|b| *b != OPEN)
    }

    /// A page came. True where its chain is finished.
    pub(super) fn read(&mut self, claim: Claim, reply: Reply) -> bool {
        self.read += reply.kept;
        self.left = self.left.saturating_sub(reply.kept);
        let page = self.page;
        let Some(chain) = self.chains.get_mut(&claim.chain) else { return true };
        chain.busy = false;
        match reply.last {
            Some(last) if reply.full => {
                chain.latest = Some((reply.records, last.saturating_sub(claim.after)));
                chain.after = last;
            }
            // A page that is not full is its range's last.
            _ => {
                self.wasted += page.saturating_sub(reply.records);
                chain.after = chain.before;
            }
        }
        let finished = chain.after.saturating_add(1) >= chain.before;
        self.finished += u64::from(finished);
        self.drop_finished();
        finished
    }

    fn drop_finished(&mut self) {
        self.chains.retain(|_, c| c.busy || c.after.saturating_add(1) < c.before);
    }

    /// Everything is read, or being read.
    pub(super) fn is_finished(&self) -> bool {
        self.front.is_none() && self.chains.is_empty()
    }

    /// The first chain that has not read everything.
    pub(super) fn first(&self) -> Option<u64> {
        self.chains.keys().next().copied()
    }
}

/// `value * times / by`, without overflow.
fn scaled(value: u64, times: u64, by: u64) -> u64 {
    let scaled = u128::from(value) * u128::from(times) / u128::from(by.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads these ids as a scan does, the oldest page under way first or (by the seed) another.
    fn simulate(ids: &[u64], page: usize, most: usize, in_order: bool, seed: u64) -> (usize, Vec<u64>) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut chains = Chains::new(count(page), most, in_order);
        let ask = |claim: Claim| -> Vec<u64> {
            let before = claim.before.unwrap_or(OPEN);
            ids.iter().copied().filter(|id| *id > claim.after && *id < before).take(page).collect()
        };
        let last: Vec<u64> = ids.iter().rev().take(page).rev().copied().collect();
        let mut requests = 1;
        let mut by_chain: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        let mut answer = |chains: &mut Chains, claim: Claim| {
            let found = ask(claim);
            let end = chains.end_of(claim.chain).unwrap_or(OPEN);
            let kept: Vec<u64> = found.iter().copied().filter(|id| *id < end).collect();
            let reply = Reply {
                records: count(found.len()),
                kept: count(kept.len()),
                last: found.last().copied(),
                full: found.len() == page,
            };
            by_chain.entry(claim.chain).or_default().extend(kept);
            chains.read(claim, reply);
        };
        let first = chains.claim(1, |_| true).unwrap();
        chains.set_left(count(ids.len()));
        answer(&mut chains, first);
        let mut end_page = vec![];
        if !chains.is_finished() {
            requests += 1;
            let lowest = if last.len() < page { 0 } else { last[0] };
            // The caller drops what was read already.
            let after = chains.floor().unwrap();
            end_page = last.iter().copied().filter(|id| *id > after).collect();
            chains.set_end(lowest, count(end_page.len()));
        }
        let mut under_way: Vec<Claim> = vec![];
        loop {
            while let Some(claim) = chains.claim(usize::MAX, |_| true) {
                requests += 1;
                under_way.push(claim);
            }
            assert!(under_way.len() <= most);
            if under_way.is_empty() {
                break;
            }
            let at = if seed == 0 { 0 } else { random.usize(..under_way.len()) };
            let claim = under_way.remove(at);
            answer(&mut chains, claim);
        }
        assert!(chains.is_finished());
        (requests, by_chain.into_values().flatten().chain(end_page).collect())
    }

    /// Ids with a pattern of gaps.
    fn patterns(rows: usize) -> Vec<(&'static str, Vec<u64>)> {
        let mut random = fastrand::Rng::with_seed(7);
        let mut kept = |part: f64| -> Vec<u64> { (1..).filter(|_| random.f64() < part).take(rows).collect() };
        let (tenth, half, most) = (kept(0.9), kept(0.5), kept(0.01));
        let n = count(rows);
        let blocks = (0..n).map(|i| i + (i / 5000) * 20_000 + 1).collect();
        let head = (1..=n).map(|i| if i > n / 2 { i * 100 } else { i }).collect();
        let tail = (1..=n).map(|i| if i > n / 2 { n * 100 + i } else { i * 100 }).collect();
        vec![
            ("10 % deleted", tenth),
            ("50 % deleted", half),
            ("99 % deleted", most),
            ("blocks", blocks),
            ("dense, then sparse", head),
            ("sparse, then dense", tail),
        ]
    }

    #[test]
    fn dense_ids_cost_no_request_more_than_their_pages() {
        for rows in [0, 1, 3, 4, 5, 8, 9, 100, 101, 1000, 1003, 4999] {
            let ids: Vec<u64> = (1..=rows).collect();
            for (most, in_order) in [(1, true), (10, true), (10, false), (50, false)] {
                for seed in 0..3 {
                    let (requests, read) = simulate(&ids, 5, most, in_order, seed);
                    let mut sorted = read.clone();
                    sorted.sort_unstable();
                    assert_eq!(sorted, ids);
                    let pages = ids.len().div_ceil(5);
                    assert!(requests <= pages.max(1) + 1, "{rows} rows, {most}: {requests}");
                    assert!(!in_order || read == ids, "{read:?}");
                }
            }
        }
    }

    #[test]
    fn gaps_cost_at_most_a_seventh_more() {
        for rows in [20_000] {
            for (name, ids) in patterns(rows) {
                for (most, in_order) in [(10, false), (50, false), (10, true), (1, false)] {
                    for seed in 0..2 {
                        let (requests, read) = simulate(&ids, 500, most, in_order, seed);
                        let mut sorted = read.clone();
                        sorted.sort_unstable();
                        assert_eq!(sorted, ids, "{name}");
                        assert!(!in_order || read == ids, "{name}");
                        let pages = ids.len().div_ceil(500);
                        assert!(requests * 100 <= pages * 115, "{name}, {most}: {requests} of {pages}");
                    }
                }
            }
        }
    }
}
