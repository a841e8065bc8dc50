//! What the traces of either side did, how often, and how long it took.

use hashbrown::HashMap;

use super::digest::{Digest, Operation, Vocabulary};
use super::{MOST_ROWS, SMALL};
use crate::model::Nanos;

/// An operation on either side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationRow {
    /// The operation.
    pub operation: Operation,
    /// In the selection.
    pub selection: Side,
    /// In the baseline.
    pub baseline: Side,
}

/// An operation on one side. Percentiles are exact, by the nearest rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// How often.
    pub n: u64,
    /// Traces of this side, with the operation or without.
    pub traces: u64,
    /// Sum of durations.
    pub total: Nanos,
    /// Median of durations; 0 where there is none, as of the others.
    pub p50: Nanos,
    /// 95th percentile.
    pub p95: Nanos,
    /// 99th percentile.
    pub p99: Nanos,
}

impl Side {
    /// How often in a trace, on average; 0 where there is no trace.
    #[must_use]
    pub fn calls(&self) -> f64 {
        quotient(self.n, self.traces)
    }

    /// How much time in a trace, on average, in nanoseconds; 0 where there is no trace.
    #[must_use]
    pub fn time(&self) -> f64 {
        quotient(self.total.0, self.traces)
    }
}

impl OperationRow {
    /// How much longer its median is in the selection: 2 is twice as long. `None` where a side has none, or of no duration.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let some = self.selection.n > 0 && self.baseline.n > 0 && self.baseline.p50.0 > 0;
        some.then(|| quotient(self.selection.p50.0, self.baseline.p50.0))
    }

    /// How much more time of a trace it takes in the selection, on average, in nanoseconds.
    #[must_use]
    pub fn change(&self) -> f64 {
        self.selection.time() - self.baseline.time()
    }

    /// Only the selection has it, and the baseline has traces.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.baseline.n == 0 && self.baseline.traces > 0
    }

    /// Only the baseline has it, and the selection has traces.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.selection.n == 0 && self.selection.traces > 0
    }

    /// So few on some side that its figures say little.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.selection.n.min(self.baseline.n) < SMALL
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn quotient(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Durations by operation, selection and baseline.
type Durations = HashMap<u32, [Vec<Nanos>; 2]>;

/// Every root operation of the selection, most of it first.
pub(super) fn roots(words: &Vocabulary, (selection, baseline): (&[&Digest], &[&Digest])) -> Vec<OperationRow> {
    let mut durations = Durations::new();
    for digest in selection {
        durations.entry(digest.root).or_default()[0].push(digest.duration);
    }
    for digest in baseline {
        if let Some(known) = durations.get_mut(&digest.root) {
            known[1].push(digest.duration);
        }
    }
    let traces = |sides: &[Vec<Nanos>; 2]| [sides[0].len(), sides[1].len()];
    let row = |(root, mut sides): (u32, [Vec<Nanos>; 2])| row(words, root, traces(&sides), &mut sides);
    let mut rows: Vec<OperationRow> = durations.into_iter().map(row).collect();
    rows.sort_by(|one, other| {
        let order = |row: &OperationRow| (row.selection.n, row.baseline.n);
        order(other).cmp(&order(one)).then_with(|| one.operation.cmp(&other.operation))
    });
    rows
}

/// Every operation of either side by how much of a trace's time it changed, and how many are left out.
pub(super) fn operations(
    words: &Vocabulary,
    (selection, baseline): (&[&Digest], &[&Digest]),
) -> (Vec<OperationRow>, usize) {
    let mut durations = Durations::new();
    for (side, digests) in [selection, baseline].into_iter().enumerate() {
        for (operation, duration) in digests.iter().flat_map(|digest| &digest.calls) {
            durations.entry(*operation).or_default()[side].push(*duration);
        }
    }
    let traces = [selection.len(), baseline.len()];
    let mut rows: Vec<OperationRow> =
        durations.into_iter().map(|(operation, mut sides)| row(words, operation, traces, &mut sides)).collect();
    rows.sort_by(|one, other| {
        let size = |row: &OperationRow| row.change().abs();
        size(other).total_cmp(&size(one)).then_with(|| one.operation.cmp(&other.operation))
    });
    let more = rows.len().saturating_sub(MOST_ROWS);
    rows.truncate(MOST_ROWS);
    (rows, more)
}

fn row(words: &Vocabulary, operation: u32, traces: [usize; 2], durations: &mut [Vec<Nanos>; 2]) -> OperationRow {
    let [selection, baseline] = durations;
    OperationRow {
        operation: words.operation(operation),
        selection: side(selection, traces[0]),
        baseline: side(baseline, traces[1]),
    }
}

fn side(durations: &mut [Nanos], traces: usize) -> Side {
    durations.sort_unstable();
    let rank = |percent: usize| {
        let rank = (durations.len() * percent).div_ceil(100);
        rank.checked_sub(1).and_then(|index| durations.get(index)).copied().unwrap_or(Nanos::ZERO)
    };
    let total = durations.iter().fold(0_u64, |sum, duration| sum.saturating_add(duration.0));
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Side {
        n: number(durations.len()),
        traces: number(traces),
        total: Nanos(total),
        p50: rank(50),
        p95: rank(95),
        p99: rank(99),
    }
}
