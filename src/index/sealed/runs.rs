//! Which rows of a sealed block belong to which trace, and where the trace goes on before the block.

use std::ops::Range;

use super::super::Rows;
use super::super::chunk::narrow;
use super::super::room::fit;
use super::pack::{Bits, FRAME, Frames};
use super::{Sealed, start_of};

/// Traces for each row that is asked about, where it is quicker to search for the run of each than to go through all.
const FEW: usize = 16;

/// The traces of a block in order of their numbers' low halves.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    /// The least low half.
    least: u32,
    /// Low halves, relative to the least.
    traces: Bits,
    /// Each trace's first row. A trace has none where all its rows here are dead.
    firsts: Bits,
    /// The rank of each trace's first row.
    ranks: Frames,
    /// The latest row of a trace before this block, by place, for those that have one.
    before: Vec<(u32, u64)>,
}

/// One trace of a block that is being sealed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// The low half of its number.
    pub(super) trace: u32,
    /// Its first row.
    pub(super) first: u32,
    /// The rank of that.
    pub(super) rank: u64,
    /// Ordinal of its latest row before the block; 0 for none.
    pub(super) before: u64,
}

impl Runs {
    /// Packs the runs of a block, which are in order of trace.
    pub(super) fn put(runs: &[Run], arena: &mut Vec<u32>) -> Self {
        let least = runs.first().map_or(0, |run| run.trace);
        let column = |value: fn(&Run) -> u32| runs.iter().map(value).collect::<Vec<_>>();
        let traces: Vec<u32> = runs.iter().map(|run| run.trace - least).collect();
        let ranks: Vec<u64> = runs.iter().map(|run| run.rank).collect();
        let before = (0..).zip(runs).filter(|(_, run)| run.before != 0).map(|(place, run)| (place, run.before));
        let mut before: Vec<_> = before.collect();
        fit(&mut before);
        Self {
            least,
            traces: Bits::put(&traces, arena),
            firsts: Bits::put(&column(|run| run.first), arena),
            ranks: Frames::put(&ranks, arena),
            before,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.before.capacity() * 16
    }
}

impl Sealed {
    /// How many traces have rows here, or had.
    pub(in crate::index) fn run_count(&self) -> usize {
        self.runs.firsts.len()
    }

    fn run_rows(&self, place: usize) -> Range<usize> {
        let first = |place: usize| self.runs.firsts.get(&self.arena, place) as usize;
        let end = if place + 1 < self.run_count() { first(place + 1) } else { self.rows() };
        first(place)..end
    }

    /// The rows of a trace and the ordinal of its latest row before the block (0 for none); `None` where nothing is
    /// known of it here.
    pub(in crate::index) fn run(&self, trace: u32) -> Option<(Range<usize>, u64)> {
        let wanted = trace.checked_sub(self.runs.least)?;
        let place = self.runs.traces.partition(&self.arena, |other| other < wanted);
        (place < self.run_count() && self.runs.traces.get(&self.arena, place) == wanted)
            .then(|| (self.run_rows(place), self.before(place)))
    }

    fn before(&self, place: usize) -> u64 {
        let found = self.runs.before.binary_search_by_key(&narrow(place), |(place, _)| *place);
        found.map_or(0, |found| self.runs.before[found].1)
    }

    /// Every trace that goes on before the block, by the low half of its number.
    pub(in crate::index) fn each_linked(&self, each: &mut dyn FnMut(u32)) {
        for (place, _) in &self.runs.before {
            each(self.runs.traces.get(&self.arena, *place as usize) + self.runs.least);
        }
    }

    /// The least and the greatest of the low halves of the traces' numbers.
    pub(in crate::index) fn outermost(&self) -> Option<(u32, u32)> {
        let last = self.run_count().checked_sub(1)?;
        let low = |place| self.runs.traces.get(&self.arena, place) + self.runs.least;
        Some((low(0), low(last)))
    }

    /// Every trace: the low half of its number, its rows.
    pub(in crate::index) fn each_run(&self, each: &mut dyn FnMut(u32, Range<usize>)) {
        let traces = self.runs.traces.read(&self.arena, 0..self.run_count());
        let firsts = self.runs.firsts.read(&self.arena, 0..self.run_count());
        for (place, trace) in traces.iter().enumerate() {
            let end = firsts.get(place + 1).map_or_else(|| self.rows(), |end| *end as usize);
            each(trace + self.runs.least, firsts[place] as usize..end);
        }
    }

    /// Of each of these rows, in order: the low half of its trace's number, the row, its start.
    pub(in crate::index) fn each_start(&self, rows: &Rows, each: &mut dyn FnMut(u32, usize, u64)) {
        if rows.is_empty() {
            return;
        }
        let traces = self.runs.traces.read(&self.arena, 0..self.run_count());
        let firsts = self.runs.firsts.read(&self.arena, 0..self.run_count());
        let ranks = self.runs.ranks.read(&self.arena, 0..self.run_count());
        let mut run = 0;
        let mut frame = [0; FRAME];
        for (bits, first) in rows.words().chunks(FRAME / 64).zip((0..).step_by(FRAME)) {
            let last = bits.iter().rposition(|word| *word != 0);
            let Some(last) = last.map(|place| place * 64 + 63 - bits[place].leading_zeros() as usize) else { continue };
            let mut rank = self.frame_ranks.get(first / FRAME).copied().unwrap_or_default();
            let gaps = self.gaps.frame(&self.arena, first, &mut frame);
            for (place, gap) in gaps.iter().enumerate().take(last + 1) {
                let row = first + place;
                while firsts.get(run + 1).is_some_and(|next| *next as usize <= row) {
                    run += 1;
                }
                if firsts[run] as usize == row {
                    rank = ranks[run];
                } else if place > 0 {
                    rank = rank.wrapping_add(*gap);
                }
                if bits[place / 64] >> (place % 64) & 1 == 1 {
                    each(traces[run] + self.runs.least, row, start_of(rank));
                }
            }
        }
    }

    /// Of each trace of these rows: the low half of its number, how many they are, the first and its start. Only where rows
    /// of a trace stand in order of start and key: where all have a start and no ids are shared; answers whether it is so.
    pub(in crate::index) fn each_first(&self, rows: &Rows, each: &mut dyn FnMut(u32, u32, usize, u64)) -> bool {
        if self.bounds.start.0 == 0 || !self.sharing.is_empty() {
            return false;
        }
        if rows.len() < self.run_count() / FEW {
            let mut rows = rows.iter().peekable();
            while let Some(row) = rows.next() {
                let run = self.run_of(row as usize);
                let own = self.run_rows(run);
                let others = std::iter::from_fn(|| rows.next_if(|other| (*other as usize) < own.end)).count();
                let start = start_of(self.rank((run, own.start), row as usize));
                each(self.runs.traces.get(&self.arena, run) + self.runs.least, 1 + narrow(others), row as usize, start);
            }
            return true;
        }
        let traces = self.runs.traces.read(&self.arena, 0..self.run_count());
        let firsts = self.runs.firsts.read(&self.arena, 0..self.run_count());
        let mut ranks = Ranks::default();
        for (run, first) in firsts.iter().copied().enumerate() {
            let own = first..firsts.get(run + 1).copied().unwrap_or_else(|| narrow(self.rows()));
            let Some((row, count)) = first_and_count(rows, own) else { continue };
            let start = start_of(ranks.of(self, (run, first as usize), row as usize));
            each(traces[run] + self.runs.least, count, row as usize, start);
        }
        true
    }

    /// The rank of a row of a run, which begins at a row; see [`Ranks`], of many.
    fn rank(&self, (run, first): (usize, usize), row: usize) -> u64 {
        let (from, rank) = self.ranked_before(first, row, || self.runs.ranks.get(&self.arena, run));
        rank.wrapping_add(self.gaps.sum(&self.arena, from + 1..row + 1))
    }

    /// The nearest row up to this one of which the rank is at hand, and that: the first of the run, of which it is asked, or where
    /// that is further away, of the frame.
    #[inline]
    fn ranked_before(&self, first: usize, row: usize, of_first: impl FnOnce() -> u64) -> (usize, u64) {
        let frame = row / FRAME * FRAME;
        if first >= frame {
            (first, of_first())
        } else {
            (frame, self.frame_ranks.get(frame / FRAME).copied().unwrap_or_default())
        }
    }

    /// The low half of the number of a row's trace.
    pub(in crate::index) fn trace_of(&self, row: usize) -> u32 {
        self.runs.traces.get(&self.arena, self.run_of(row)) + self.runs.least
    }

    /// The place of the run that a row is in.
    fn run_of(&self, row: usize) -> usize {
        self.runs.firsts.partition(&self.arena, |first| first as usize <= row).saturating_sub(1)
    }

    /// The runs that rows are in: low half of the trace, rows, rank of the first, the link that leads out of the block.
    pub(super) fn runs_within(&self, rows: Range<usize>) -> Vec<(u32, Range<usize>, u64, u64)> {
        let mut found = Vec::new();
        if rows.is_empty() {
            return found;
        }
        for place in self.run_of(rows.start)..self.run_count() {
            let own = self.run_rows(place);
            if own.start >= rows.end {
                break;
            }
            if !own.is_empty() {
                let rank = self.runs.ranks.read(&self.arena, place..place + 1);
                let trace = self.runs.traces.get(&self.arena, place) + self.runs.least;
                found.push((trace, own, rank.first().copied().unwrap_or_default(), self.before(place)));
            }
        }
        found
    }
}

/// Ranks of rows that are asked for in order.
struct Ranks {
    /// Those of the first rows of some runs.
    firsts: [u64; FRAME],
    /// The place of the first of these runs.
    firsts_from: usize,
    gaps: [u64; FRAME],
    /// The row of the first of these gaps.
    gaps_from: usize,
}

impl Default for Ranks {
    fn default() -> Self {
        Self { firsts: [0; FRAME], firsts_from: usize::MAX, gaps: [0; FRAME], gaps_from: usize::MAX }
    }
}

impl Ranks {
    /// The rank of a row of a run, which begins at a row.
    #[inline]
    fn of(&mut self, sealed: &Sealed, (run, first): (usize, usize), row: usize) -> u64 {
        let (from, rank) = sealed.ranked_before(first, row, || {
            if run / FRAME * FRAME != self.firsts_from {
                self.firsts_from = run / FRAME * FRAME;
                sealed.runs.ranks.frame(&sealed.arena, self.firsts_from, &mut self.firsts);
            }
            self.firsts[run % FRAME]
        });
        if from == row {
            return rank;
        }
        let frame = row / FRAME * FRAME;
        if frame != self.gaps_from {
            self.gaps_from = frame;
            sealed.gaps.frame(&sealed.arena, frame, &mut self.gaps);
        }
        let between = self.gaps.get(from + 1 - frame..=row - frame).unwrap_or_default();
        between.iter().fold(rank, |rank, gap| rank.wrapping_add(*gap))
    }
}

/// The first of the set among these rows, and how many there are.
#[inline]
fn first_and_count(set: &Rows, rows: Range<u32>) -> Option<(u32, u32)> {
    if rows.end.saturating_sub(rows.start) <= 64 {
        let bits = set.bits(rows.clone());
        return (bits != 0).then(|| (rows.start + bits.trailing_zeros(), bits.count_ones()));
    }
    let mut within = set.within(rows);
    let first = within.next()?;
    Some((first, 1 + narrow(within.count())))
}
