//! Span ids of large traces, so that duplicates and missing parents are found without walking all rows.
//!
//! Small traces need none of it: a filter of 256 bits says of most new ids that they are new, and their rows are few.

use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable};
use std::hash::BuildHasher;

use crate::model::SpanId;

/// Spans from which on a trace is large.
pub(super) const LARGE: u32 = 32;

/// The span ids of all large traces.
#[derive(Debug, Default)]
pub(super) struct Twins {
    /// By the trace's number.
    traces: HashMap<u64, Ids>,
    /// Entries in all of them, for the budget.
    entries: usize,
}

/// The span ids of one trace.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Hash of the span id, low half of the ordinal.
    rows: HashTable<(u32, u32)>,
    /// Ids that are held.
    held: HashSet<SpanId>,
    /// Ids that are not held, with the number of spans that have them as parent.
    missing: HashMap<SpanId, u32>,
    /// Sum of `missing`.
    orphans: u32,
    hasher: DefaultHashBuilder,
}

/// A bit for the hash of each of some span ids: of an id whose bit is clear it is sure that it is not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter([u64; 4]);

impl Filter {
    /// Any id may be among them.
    pub(super) const FULL: Self = Self([u64::MAX; 4]);

    #[inline]
    fn place(id: SpanId) -> (usize, u64) {
        let [.., byte] = u64::from_le_bytes(id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        (usize::from(byte >> 6), 1 << (byte & 63))
    }

    /// Whether an id may be among them.
    #[inline]
    pub(super) fn may_have(&self, id: SpanId) -> bool {
        let (word, bit) = Self::place(id);
        self.0[word] & bit != 0
    }

    /// Adds an id; answers whether it may have been among them.
    #[inline]
    pub(super) fn add(&mut self, id: SpanId) -> bool {
        let (word, bit) = Self::place(id);
        let known = self.0[word] & bit != 0;
        self.0[word] |= bit;
        known
    }

    /// Whether the two may have an id in common.
    #[inline]
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |common, (one, other)| common | one & other) != 0
    }

    /// Adds those of another.
    #[inline]
    pub(super) fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(one, other)| *one |= other);
    }
}

impl Ids {
    fn hash(&self, id: SpanId) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "half of the hash is enough")]
        let hash = self.hasher.hash_one(id.0) as u32;
        hash
    }

    /// The low halves of the ordinals of rows that may have this id.
    pub(super) fn rows(&self, id: SpanId) -> impl Iterator<Item = u32> {
        let hash = self.hash(id);
        self.rows.iter_hash(u64::from(hash) << 32 | u64::from(hash)).filter(move |row| row.0 == hash).map(|row| row.1)
    }

    fn add_row(&mut self, id: SpanId, ordinal: u64) {
        let hash = self.hash(id);
        #[expect(clippy::cast_possible_truncation, reason = "the low half is what is kept")]
        let entry = (hash, ordinal as u32);
        let wide = |hash: u32| u64::from(hash) << 32 | u64::from(hash);
        self.rows.insert_unique(wide(hash), entry, |entry| wide(entry.0));
    }

    /// Takes note of a row.
    pub(super) fn add(&mut self, id: SpanId, parent: Option<SpanId>, ordinal: u64) {
        self.add_row(id, ordinal);
        if self.held.insert(id)
            && let Some(children) = self.missing.remove(&id)
        {
            self.orphans -= children;
        }
        if let Some(parent) = parent.filter(|parent| !self.held.contains(parent)) {
            *self.missing.entry(parent).or_default() += 1;
            self.orphans += 1;
        }
    }

    /// Spans whose parent is not held.
    pub(super) fn orphans(&self) -> u32 {
        self.orphans
    }
}

impl Twins {
    /// Those of a large trace.
    pub(super) fn get(&self, trace: u64) -> Option<&Ids> {
        self.traces.get(&trace)
    }

    /// Takes note of a row of a trace that is known to be large.
    pub(super) fn add(&mut self, trace: u64, id: SpanId, parent: Option<SpanId>, ordinal: u64) {
        if let Some(ids) = self.traces.get_mut(&trace) {
            ids.add(id, parent, ordinal);
            self.entries += 1;
        }
    }

    /// A trace is large from now on, or its rows were moved: these are all of them.
    pub(super) fn set(&mut self, trace: u64, rows: impl Iterator<Item = (SpanId, Option<SpanId>, u64)>) {
        self.remove(trace);
        let mut ids = Ids::default();
        for (id, parent, ordinal) in rows {
            ids.add(id, parent, ordinal);
        }
        self.entries += ids.rows.len();
        self.traces.insert(trace, ids);
    }

    /// Rows of a trace whose ordinals were within `range` have new ones: these.
    pub(super) fn move_rows(&mut self, trace: u64, range: (u64, u64), rows: impl Iterator<Item = (SpanId, u64)>) {
        let Some(ids) = self.traces.get_mut(&trace) else { return };
        self.entries -= ids.rows.len();
        #[expect(clippy::cast_possible_truncation, reason = "the low half is what is kept")]
        let (base, length) = (range.0 as u32, (range.1 - range.0) as u32);
        ids.rows.retain(|(_, low)| low.wrapping_sub(base) >= length);
        for (id, ordinal) in rows {
            ids.add_row(id, ordinal);
        }
        self.entries += ids.rows.len();
    }

    /// Forgets a trace.
    pub(super) fn remove(&mut self, trace: u64) {
        if let Some(ids) = self.traces.remove(&trace) {
            self.entries -= ids.rows.len();
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.entries * 32 + self.traces.capacity() * (size_of::<Ids>() + 8)
    }
}
