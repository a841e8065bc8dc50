//! Sealed blocks: rows at rest, a quarter as large as in their chunks.
//!
//! In: chunks of one segment that take no more rows. Out: one [`Sealed`] in their place, with the rows that still count
//! ordered by trace and start, packed column by column, text in compressed pages; and, from it, rows as a chunk again
//! ([`Sealed::thaw`]), so that whatever reads rows reads these. Selections that need no whole rows are in `scan` and
//! `search`. Must never know: traces beyond their number, views, threads.
//!
//! A sealed block stands for all ordinals of the chunks it replaces. Its rows have new ones from the first on; a link
//! from outside into that range means the rows of the trace in question, whatever number it names, so no link in other
//! blocks and no head of a trace changes when a block is sealed.

mod cells;
mod extra;
mod hex;
#[cfg(test)]
mod laws;
mod pack;
mod pages;
mod plain;
mod runs;
mod scan;
mod seal;
mod search;
mod thaw;

use self::cells::Column;
use self::extra::ExtraKeys;
use self::pack::{Bits, Frames};
use self::pages::{Page, Stream};
use self::runs::Runs;
use super::chunk::Bounds;

pub(in crate::index) use self::seal::{NOWHERE, seal};
pub(in crate::index) use self::search::{Cell, Sought};
pub(in crate::index) use self::thaw::Depth;

/// Live rows of a few chunks of one segment, ordered by trace and start.
#[derive(Clone, Debug, Default)]
pub(in crate::index) struct Sealed {
    /// Ordinal of its first row.
    base: u64,
    /// All that is packed, in words.
    arena: Vec<u32>,
    /// All that is compressed.
    pages: Vec<Page>,
    /// The traces.
    runs: Runs,
    /// What rows have in common, each once.
    classes: Vec<Class>,
    /// Each row's place in `classes`.
    class: Bits,
    /// Span ids.
    span_ids: Vec<[u8; 8]>,
    /// 0: no parent; 1: in `odd_parents`; else two more than the folded distance to the parent's row.
    parents: Frames,
    /// Parents that have no row in the same run, by row.
    odd_parents: Vec<(u32, [u8; 8])>,
    /// The low halves of the numbers of traces in which rows share an id, in order.
    sharing: Vec<u32>,
    /// How much later each row starts than the one before it in its run; see [`rank`].
    gaps: Frames,
    /// The rank of the first row of every frame.
    frame_ranks: Vec<u64>,
    /// How long each row took; zero where it ends before it starts.
    durations: Frames,
    /// The ends of those that end before they start, by row.
    backward: Vec<(u32, u64)>,
    /// The shapes and how many values their rows have.
    layouts: Vec<Layout>,
    /// The values: the columns of each layout.
    columns: Vec<Column>,
    /// Texts, bytes and messages, by key.
    streams: Vec<(u32, Stream)>,
    /// Numbers that do not fit into a word, column by column.
    wide: Frames,
    /// How many rows of each layout come before every so many rows.
    counts: Vec<u32>,
    /// Rows between entries of `counts`.
    counts_every: usize,
    /// The rows that have extras.
    extra_rows: Bits,
    /// The extras of these.
    extras: Stream,
    /// The attribute keys of events and links.
    extra_keys: ExtraKeys,
    /// What it can be skipped by.
    bounds: Bounds,
    /// Bytes a row took in its chunk, on average.
    hot_bytes: u32,
}

/// What many rows have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::index) struct Class {
    /// Place among the segment's operations.
    pub(in crate::index) operation: u32,
    /// Place among the segment's origins.
    pub(in crate::index) origin: u32,
    /// Trace flags.
    pub(in crate::index) flags: u32,
    /// Place among the block's layouts.
    layout: u32,
    /// As in a chunk.
    pub(in crate::index) status: u8,
    /// As in a chunk.
    pub(in crate::index) marks: u8,
}

/// Rows with the same shape and the same number of values.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Place among the segment's shapes.
    shape: u32,
    /// How many rows.
    rows: u32,
    /// Its columns.
    first_column: u32,
    columns: u32,
}

/// By what rows of a trace are ordered: their start, but for those without one, which come last. It is what the root of
/// a trace is chosen by, so a root is found first.
fn rank(start: u64) -> u64 {
    start.wrapping_sub(1)
}

/// The start again.
fn start_of(rank: u64) -> u64 {
    rank.wrapping_add(1)
}

impl Sealed {
    /// Ordinal of its first row.
    pub(in crate::index) fn base(&self) -> u64 {
        self.base
    }

    /// How many rows it has.
    pub(in crate::index) fn rows(&self) -> usize {
        self.span_ids.len()
    }

    /// Least and greatest start and duration.
    pub(in crate::index) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Bytes a row took before it was sealed, on average.
    pub(in crate::index) fn hot_bytes(&self) -> u64 {
        u64::from(self.hot_bytes)
    }

    /// Bytes held.
    pub(in crate::index) fn bytes(&self) -> usize {
        self.arena.capacity() * 4
            + self.pages.iter().map(Page::bytes).sum::<usize>()
            + self.runs.bytes()
            + self.classes.capacity() * size_of::<Class>()
            + self.span_ids.capacity() * 8
            + self.odd_parents.capacity() * 12
            + self.sharing.capacity() * 4
            + self.frame_ranks.capacity() * 8
            + self.backward.capacity() * 16
            + self.layouts.capacity() * size_of::<Layout>()
            + self.columns.capacity() * size_of::<Column>()
            + self.streams.capacity() * size_of::<(u32, Stream)>()
            + self.counts.capacity() * 4
            + self.extra_keys.bytes()
            + size_of::<Self>()
    }

    fn store(&self) -> (&[u32], &[Page]) {
        (&self.arena, &self.pages)
    }
}
