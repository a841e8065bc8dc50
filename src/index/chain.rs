//! The rows of a trace, one after the other, whichever form they are in.

use std::ops::Range;
use std::sync::Arc;

use super::chunk::Chunk;
use super::sealed::{Depth, Sealed};
use super::segment::{Piece, RowRef, Segment};
use super::thawed::Thawed;
use crate::model::SpanKey;

/// Rows of a sealed block that are thawed at once on a walk.
const SLICE: usize = 4096;

/// Rows that are thawed at once in search of a root: it is mostly the first.
const ROOT_SLICE: usize = 128;

/// Where an ordinal leads to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// To a row in a chunk.
    Row { segment: &'a Segment, chunk: &'a Chunk, row: usize, dead: bool },
    /// Into a sealed block.
    Block { segment: &'a Segment, piece: &'a Piece, sealed: &'a Sealed },
}

/// A chunk where it stands, or thawed.
#[derive(Clone, Debug)]
enum Held<'a> {
    Hot(&'a Chunk),
    Thawed(Arc<Chunk>),
}

/// A row that may have been thawed to be read.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    segment: &'a Segment,
    chunk: Held<'a>,
    row: usize,
}

impl<'a> Found<'a> {
    /// A row of a chunk.
    pub(super) fn hot(row: RowRef<'a>) -> Self {
        Self { segment: row.segment, chunk: Held::Hot(row.chunk), row: row.row }
    }

    /// A row of a sealed block.
    pub(super) fn thawed(segment: &'a Segment, sealed: &Sealed, row: usize, depth: Depth) -> Self {
        Self { segment, chunk: Held::Thawed(Arc::new(sealed.thaw(row..row + 1, depth))), row: 0 }
    }

    /// What its columns refer to.
    pub(super) fn segment(&self) -> &'a Segment {
        self.segment
    }

    /// The row.
    #[inline]
    pub(super) fn get(&self) -> RowRef<'_> {
        let chunk = match &self.chunk {
            Held::Hot(chunk) => chunk,
            Held::Thawed(chunk) => &**chunk,
        };
        RowRef { segment: self.segment, chunk, row: self.row }
    }
}

/// The row that stands for its trace, where the link to it leads. It has a parent or not, as `has_parent` says; in a
/// sealed block it is the first such row of its trace, with the least key of those that start with it.
pub(super) fn root(place: Place<'_>, (trace, has_parent): (u32, bool), depth: Depth) -> Option<Found<'_>> {
    let (segment, piece, sealed) = match place {
        Place::Row { segment, chunk, row, dead } => return (!dead).then(|| Found::hot(RowRef { segment, chunk, row })),
        Place::Block { segment, piece, sealed } => (segment, piece, sealed),
    };
    let (rows, _) = sealed.run(trace)?;
    let mut best: Option<(u64, SpanKey, usize)> = None;
    for first in rows.clone().step_by(ROOT_SLICE) {
        let chunk = sealed.thaw(first..rows.end.min(first + ROOT_SLICE), Depth::Light);
        for row in (0..chunk.rows()).filter(|row| !piece.is_dead(first + row)) {
            let start = chunk.start[row];
            if let Some((_, _, row)) = best.filter(|(least, ..)| *least != start) {
                return Some(Found::thawed(segment, sealed, row, depth));
            }
            let found = RowRef { segment, chunk: &chunk, row };
            if found.parent().is_some() == has_parent && best.is_none_or(|(_, least, _)| found.key() < least) {
                best = Some((start, found.key(), first + row));
            }
        }
    }
    best.map(|(_, _, row)| Found::thawed(segment, sealed, row, depth))
}

/// A walk over the rows of one trace that count, latest block first.
pub(super) struct Chain<'a, L> {
    /// Where ordinals lead to.
    locate: L,
    /// The low half of the trace's number.
    trace: u32,
    /// How much of sealed rows is thawed.
    depth: Depth,
    /// The next link; zero where there is none.
    at: u64,
    /// The link is a row, not whatever rows of the trace are where it leads.
    exact: bool,
    run: Option<Run<'a>>,
    /// Where sealed rows are thawed together with those of other traces.
    thawed: Option<&'a Thawed>,
}

/// The rows of a trace in one sealed block.
struct Run<'a> {
    segment: &'a Segment,
    piece: &'a Piece,
    sealed: &'a Sealed,
    /// Those to come; from the end.
    left: Range<usize>,
    /// Those that are thawed, and the first of them.
    slice: Option<(usize, Arc<Chunk>)>,
}

/// A row on a walk that was not read yet.
enum Step<'a> {
    Hot(u64, RowRef<'a>),
    Sealed(u64, usize),
}

impl<'a, L: Fn(u64) -> Option<Place<'a>>> Chain<'a, L> {
    /// From a link on: of a sealed block it leads into, all rows of the trace.
    pub(super) fn new(locate: L, (trace, at): (u32, u64), depth: Depth) -> Self {
        Self { locate, trace, depth, at, exact: false, run: None, thawed: None }
    }

    /// From a row on.
    pub(super) fn exact(locate: L, (trace, at): (u32, u64), depth: Depth) -> Self {
        Self { locate, trace, depth, at, exact: true, run: None, thawed: None }
    }

    /// The same, for one who reads other traces too.
    pub(super) fn among_many(self, thawed: Option<&'a Thawed>) -> Self {
        Self { thawed, ..self }
    }

    fn step(&mut self) -> Option<Step<'a>> {
        loop {
            if let Some(run) = &mut self.run {
                while let Some(row) = run.left.next_back() {
                    if !run.piece.is_dead(row) {
                        return Some(Step::Sealed(run.sealed.base() + row as u64, row));
                    }
                }
                self.run = None;
            }
            let ordinal = Some(self.at).filter(|at| *at != 0)?;
            match (self.locate)(ordinal)? {
                Place::Row { segment, chunk, row, dead } => {
                    self.at = match chunk.prev[row] {
                        0 => 0,
                        back => ordinal - u64::from(back),
                    };
                    self.exact = false;
                    if !dead {
                        return Some(Step::Hot(ordinal, RowRef { segment, chunk, row }));
                    }
                }
                Place::Block { segment, piece, sealed } => {
                    let (mut left, before) = sealed.run(self.trace)?;
                    if std::mem::take(&mut self.exact) {
                        let last = usize::try_from(ordinal - sealed.base()).unwrap_or(usize::MAX);
                        left.end = left.end.min(last.saturating_add(1));
                    }
                    self.at = before;
                    self.run = Some(Run { segment, piece, sealed, left, slice: None });
                }
            }
        }
    }

    /// The ordinals alone: nothing is thawed.
    pub(super) fn ordinals(mut self) -> impl Iterator<Item = u64> {
        std::iter::from_fn(move || {
            Some(match self.step()? {
                Step::Hot(ordinal, _) | Step::Sealed(ordinal, _) => ordinal,
            })
        })
    }
}

impl<'a, L: Fn(u64) -> Option<Place<'a>>> Iterator for Chain<'a, L> {
    type Item = (u64, Found<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self.step()? {
            Step::Hot(ordinal, row) => Some((ordinal, Found::hot(row))),
            Step::Sealed(ordinal, row) => {
                let run = self.run.as_mut()?;
                if run.slice.as_ref().is_none_or(|(first, _)| row < *first) {
                    run.slice = Some(if let Some(thawed) = self.thawed {
                        thawed.around(run.sealed, row)
                    } else {
                        let first = run.left.start.max((row + 1).saturating_sub(SLICE));
                        (first, Arc::new(run.sealed.thaw(first..row + 1, self.depth)))
                    });
                }
                let (first, chunk) = run.slice.as_ref()?;
                let chunk = Held::Thawed(Arc::clone(chunk));
                Some((ordinal, Found { segment: run.segment, chunk, row: row - first }))
            }
        }
    }
}
