//! Chance that repeats: the same seed, the same numbers, on every machine.

use crate::model::{SpanId, TraceId};

/// The `SplitMix64` generator (Steele, Lea, Flood 2014): small, fast, and good enough to look natural.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// True so many times out of a hundred.
    pub(super) fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// A number within `least..=most`.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// One of `choices`, which must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let place = usize::try_from(self.below(choices.len() as u64)).unwrap_or_default();
        choices[place]
    }

    pub(super) fn trace_id(&mut self) -> TraceId {
        let (high, low) = (u128::from(self.next()), u128::from(self.next() | 1));
        TraceId((high << 64 | low).to_be_bytes())
    }

    pub(super) fn span_id(&mut self) -> SpanId {
        SpanId((self.next() | 1).to_be_bytes())
    }

    /// A UUID of version 4.
    pub(super) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let version = high >> 4 & 0xfff;
        let variant = 0x8000 | low >> 48 & 0x3fff;
        format!(
            "{:08x}-{:04x}-4{version:03x}-{variant:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            low & 0xffff_ffff_ffff
        )
    }
}
