//! Traces that stand whole in one sealed block, where the rows of each follow each other: what is asked of them can be
//! answered for the block at once. All others are scattered.

use std::ops::Range;

use super::chunk::narrow;
use super::sealed::NOWHERE;
use super::segment::{Form, Piece};
use super::traces::full;
use super::{Block, Rows, View};
use crate::model::SpanId;

/// Stands for no row.
pub const NO_ROW: u32 = NOWHERE;

/// The rows of one trace in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The trace, by its number in order of first arrival; see [`View::id_of`].
    pub number: u64,
    /// Its rows, in order of start (those without one last) and id.
    pub rows: Range<u32>,
}

/// Traces that do not stand whole in one sealed block, and maybe a few more: they have rows in a chunk or in several blocks,
/// rows that no longer count, or rows that share an id.
#[derive(Clone, Debug, Default)]
pub struct Scattered {
    /// The number of the first trace.
    first: u64,
    apart: Rows,
}

impl Scattered {
    /// Whether a trace is.
    #[must_use]
    #[inline]
    pub fn has(&self, number: u64) -> bool {
        let place = number.checked_sub(self.first).and_then(|place| u32::try_from(place).ok());
        place.is_none_or(|place| self.apart.has(place))
    }

    fn add(&mut self, number: u64) {
        if let Some(place) = number.checked_sub(self.first).and_then(|place| u32::try_from(place).ok()) {
            self.apart.insert(place);
        }
    }
}

/// Whether none of these rows is dead; `None`: all are.
fn all_live(piece: &Piece, mut rows: Range<usize>) -> Option<bool> {
    if piece.dead.is_empty() {
        return Some(true);
    }
    let dead = rows.clone().filter(|row| piece.is_dead(*row)).count();
    (dead < rows.len()).then(|| rows.all(|row| !piece.is_dead(row)))
}

impl View {
    /// The traces that do not stand whole in one sealed block. A trace with rows in several has a link out of all but the
    /// oldest: those without are not looked at.
    #[must_use]
    pub fn scattered(&self) -> Scattered {
        let numbers = self.numbers();
        let count = usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX);
        let mut found = Scattered { first: numbers.start, apart: Rows::none(count) };
        let number = |low: u32| full(u64::from(low), self.state.next_trace);
        for block in self.blocks() {
            let sealed = match &block.piece.form {
                Form::Hot(chunk) => {
                    chunk.trace.iter().for_each(|low| found.add(number(*low)));
                    continue;
                }
                Form::Sealed(sealed) => sealed,
            };
            sealed.each_linked(&mut |low| found.add(number(low)));
            sealed.sharing().iter().for_each(|low| found.add(number(*low)));
            if !block.piece.dead.is_empty() {
                sealed.each_run(&mut |low, rows| {
                    if !rows.is_empty() && all_live(block.piece, rows) == Some(false) {
                        found.add(number(low));
                    }
                });
            }
        }
        found
    }
}

impl Block<'_> {
    /// Calls `each` with rows that follow each other and are of one trace, in order of row: also where the rows of a trace do
    /// not follow each other. Some of the rows of each count, but for those of a chunk.
    pub fn each_stretch(&self, each: &mut dyn FnMut(Run)) {
        let chunk = match &self.piece.form {
            Form::Hot(chunk) => chunk,
            Form::Sealed(sealed) => {
                return sealed.each_run(&mut |low, rows| {
                    if !rows.is_empty() && all_live(self.piece, rows.clone()).is_some() {
                        let number = full(u64::from(low), self.state.next_trace);
                        each(Run { number, rows: narrow(rows.start)..narrow(rows.end) });
                    }
                });
            }
        };
        let number = |low: u32| full(u64::from(low), self.state.next_trace);
        let mut first = 0;
        for own in chunk.trace.chunk_by(|one, next| one == next) {
            let rows = narrow(first)..narrow(first + own.len());
            first += own.len();
            each(Run { number: own.first().map_or(0, |low| number(*low)), rows });
        }
    }

    /// The ids of the spans, by row.
    #[must_use]
    pub fn span_ids(&self) -> &[[u8; 8]] {
        match &self.piece.form {
            Form::Hot(chunk) => &chunk.span_id,
            Form::Sealed(sealed) => sealed.span_ids(),
        }
    }

    /// Of each row of a sealed block that is among these the row of its parent here, [`NO_ROW`] where there is none. A row
    /// may be its own parent.
    #[must_use]
    pub fn parent_rows(&self, among: &Rows) -> Vec<u32> {
        match &self.piece.form {
            Form::Hot(chunk) => vec![NO_ROW; chunk.rows()],
            Form::Sealed(sealed) => sealed.parent_rows(among),
        }
    }

    /// Calls `each` with every row of a sealed block among these that has a parent here, and the parent's row, in order of
    /// rows; a row may be its own parent.
    pub fn each_parent_row(&self, among: &Rows, mut each: impl FnMut(u32, u32)) {
        if let Form::Sealed(sealed) = &self.piece.form {
            sealed.each_parent_row(among, &mut each);
        }
    }

    /// The rows that name a parent, whether it is held or not.
    #[must_use]
    pub fn with_parent(&self) -> Rows {
        match &self.piece.form {
            Form::Hot(chunk) => Rows::of(chunk.rows(), |row| chunk.parent[row] != [0; 8]),
            Form::Sealed(sealed) => Rows::from_words(sealed.with_parent()),
        }
    }

    /// The rows that name a parent of which [`Self::parent_rows`] knows no row: row and the parent's id, by row.
    pub fn odd_parents(&self) -> impl Iterator<Item = (u32, SpanId)> {
        let (odd, every) = match &self.piece.form {
            Form::Hot(chunk) => (&[][..], &chunk.parent[..]),
            Form::Sealed(sealed) => (sealed.odd_parents(), &[][..]),
        };
        let of_chunk = (0..).zip(every).filter_map(|(row, id)| Some((row, SpanId::from_slice(id)?)));
        odd.iter().map(|(row, id)| (*row, SpanId(*id))).chain(of_chunk)
    }
}
