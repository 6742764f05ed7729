//! Chance that can be repeated: each record rolls its own dice.

use fastrand::Rng;

/// A stream of random values that depends on nothing but what it was made from.
pub(super) struct Dice(Rng);

impl Dice {
    /// The dice of one record of one app.
    pub(super) fn new(seed: u64, app: u64, record: u64) -> Self {
        let mixed = mix(mix(mix(seed) ^ app) ^ record);
        Self(Rng::with_seed(mixed))
    }

    /// From 0 to below `n`; 0 where `n` is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { self.0.usize(..n) }
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        if low >= high { low } else { self.0.i64(low..=high) }
    }

    /// True in `percent` of 100 cases.
    pub(super) fn chance(&mut self, percent: u8) -> bool {
        self.0.u8(..100) < percent
    }

    /// One of the pool.
    pub(super) fn pick<T: Copy + Default>(&mut self, pool: &[T]) -> T {
        let at = self.below(pool.len());
        pool.get(at).copied().unwrap_or_default()
    }

    /// Some of the pool in its order, perhaps none.
    pub(super) fn some_of(&mut self, pool: &[&str], percent: u8) -> Vec<String> {
        pool.iter().filter(|_| self.chance(percent)).map(|text| (*text).to_owned()).collect()
    }

    /// A place below `n` that favours the low ones, as a few customers place most orders.
    pub(super) fn early(&mut self, n: usize) -> usize {
        let reach = self.below(n) + 1;
        self.below(reach)
    }
}

/// The finaliser of splitmix64: near inputs give far outputs.
pub(super) fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
