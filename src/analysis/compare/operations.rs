//! What the traces of either side did, how often, and how long it took.

use super::chance::ranks_of_p95;
use super::digest::Digest;
use super::vocabulary::{Operation, Vocabulary};
use super::{MOST_ROWS, SMALL};
use crate::model::{Nanos, SpanKey, TraceId, percentile};

/// An operation on either side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationRow {
    /// The operation.
    pub operation: Operation,
    /// In the selection.
    pub selection: Side,
    /// In the baseline.
    pub baseline: Side,
    /// Its longest call in the selection; where that has none, in the baseline.
    pub example: Option<(TraceId, SpanKey)>,
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
    /// From where to where the 95th percentile of all such calls lies, in 95 of 100 cases: so many as were seen cannot say more. No end:
    /// it may be longer than any that was seen. `None` where they are too few to say anything.
    pub p95_within: Option<(Nanos, Option<Nanos>)>,
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

impl Side {
    /// How often it is on the side that has less of it.
    #[expect(clippy::cast_precision_loss, reason = "a weight")]
    pub(super) fn lesser(&self, other: &Self) -> f64 {
        self.n.min(other.n) as f64
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

/// What is gathered of an operation: durations in the selection and in the baseline, and the longest call of each.
#[derive(Default)]
struct Gathered {
    durations: [Vec<Nanos>; 2],
    longest: [Option<(Nanos, TraceId, SpanKey)>; 2],
}

impl Gathered {
    fn add(&mut self, side: usize, duration: Nanos, (trace, span): (TraceId, SpanKey)) {
        self.durations[side].push(duration);
        let longest = &mut self.longest[side];
        if longest.is_none_or(|(known, of, _)| (duration, trace) > (known, of)) {
            *longest = Some((duration, trace, span));
        }
    }

    fn row(mut self, operation: Operation, traces: [usize; 2]) -> OperationRow {
        let [selection, baseline] = &mut self.durations;
        let example = self.longest[0].or(self.longest[1]).map(|(_, trace, span)| (trace, span));
        OperationRow { operation, selection: side(selection, traces[0]), baseline: side(baseline, traces[1]), example }
    }
}

/// What is gathered, by the number of the operation.
struct All(Vec<Option<Gathered>>);

impl All {
    fn new(words: &Vocabulary) -> Self {
        Self(std::iter::repeat_with(|| None).take(words.operations()).collect())
    }

    fn rows(self, words: &Vocabulary, traces: impl Fn(&Gathered) -> [usize; 2]) -> Vec<OperationRow> {
        let found = (0_u32..).zip(self.0).filter_map(|(number, gathered)| Some((number, gathered?)));
        let row = |(number, gathered): (u32, Gathered)| {
            let traces = traces(&gathered);
            gathered.row(words.operation(number), traces)
        };
        found.map(row).collect()
    }
}

/// Every root operation of the selection, most of it first.
pub(super) fn roots(words: &Vocabulary, (selection, baseline): (&[&Digest], &[&Digest])) -> Vec<OperationRow> {
    let mut all = All::new(words);
    let root = |digest: &Digest| (digest.trace, digest.calls().next().map(|(_, _, key)| key).unwrap_or_default());
    for digest in selection {
        if let Some(of) = all.0.get_mut(digest.root as usize) {
            of.get_or_insert_default().add(0, digest.duration, root(digest));
        }
    }
    for digest in baseline {
        if let Some(Some(known)) = all.0.get_mut(digest.root as usize) {
            known.add(1, digest.duration, root(digest));
        }
    }
    let mut rows = all.rows(words, |gathered| [gathered.durations[0].len(), gathered.durations[1].len()]);
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
    let mut all = All::new(words);
    for (side, digests) in [selection, baseline].into_iter().enumerate() {
        for digest in digests {
            for (operation, duration, key) in digest.calls() {
                if let Some(of) = all.0.get_mut(operation as usize) {
                    of.get_or_insert_default().add(side, duration, (digest.trace, key));
                }
            }
        }
    }
    let mut rows = all.rows(words, |_| [selection.len(), baseline.len()]);
    rows.sort_by(|one, other| {
        let size = |row: &OperationRow| row.change().abs();
        size(other).total_cmp(&size(one)).then_with(|| one.operation.cmp(&other.operation))
    });
    let more = rows.len().saturating_sub(MOST_ROWS);
    rows.truncate(MOST_ROWS);
    (rows, more)
}

/// Steps of [`Comparison::histogram`](super::Comparison::histogram).
pub(super) const STEPS: usize = 24;

/// How many traces of either side take how long: equal steps on a logarithmic scale from the shortest to the longest of both.
pub(super) fn histogram((selection, baseline): (&[&Digest], &[&Digest])) -> [Vec<u32>; 2] {
    #[expect(clippy::cast_precision_loss, reason = "a place on a scale")]
    let log = |digest: &&Digest| (digest.duration.0.max(1) as f64).ln();
    let both = || selection.iter().chain(baseline).map(log);
    let (low, high) = (both().fold(f64::INFINITY, f64::min), both().fold(f64::NEG_INFINITY, f64::max));
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let steps = STEPS as f64;
    [selection, baseline].map(|side| {
        let mut counts = vec![0_u32; STEPS];
        for digest in side {
            let share = if high > low { (log(digest) - low) / (high - low) } else { 0.5 };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to the number of steps")]
            let step = (share * steps) as usize;
            counts[step.min(STEPS - 1)] += 1;
        }
        counts
    })
}

fn side(durations: &mut [Nanos], traces: usize) -> Side {
    durations.sort_unstable();
    let rank = |percent: usize| percentile(durations, percent).unwrap_or(Nanos::ZERO);
    let total = durations.iter().fold(0_u64, |sum, duration| sum.saturating_add(duration.0));
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let n = number(durations.len());
    let p95_within = Some(durations.len()).filter(|_| n >= SMALL).and_then(ranks_of_p95).and_then(|(from, to)| {
        let at = |rank: usize| durations.get(rank - 1).copied();
        Some((at(from)?, to.and_then(at)))
    });
    Side { n, traces: number(traces), total: Nanos(total), p50: rank(50), p95: rank(95), p99: rank(99), p95_within }
}
