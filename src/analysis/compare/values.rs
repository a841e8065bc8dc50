//! Attribute values by how much their share differs.

use std::cmp::Ordering;

use super::chance::{Factorials, benjamini_hochberg, kolmogorov_smirnov};
use super::digest::Digest;
use super::vocabulary::{Key, Vocabulary};
use super::{MOST_ROWS, SIGNIFICANT};

/// A key of which more than this share of its values is found in one trace only names things; it does not sort them.
const UNIQUE: f64 = 0.9;
/// Traces that must carry a key before that is said of it: of a few, each may well have its own value.
const CARRIERS: u64 = 20;
/// Different numbers under a key from which on they are compared as a quantity instead of one by one.
const QUANTITY: usize = 13;

/// What differs in the attributes of either side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// What is not chance first, by size.
    pub rows: Vec<Difference>,
    /// How many of `rows`, from the first, are not taken for chance.
    pub significant: usize,
    /// How many were looked at.
    pub tested: usize,
    /// Keys that were left out because nearly every trace has values of its own, in order.
    pub names: Vec<String>,
    /// Keys that have more values than are told apart, and are left out, in order.
    pub crowded: Vec<String>,
    /// Traces with more attributes than are looked at.
    pub cut: u64,
}

/// An attribute that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The key.
    pub key: String,
    /// What of it.
    pub kind: DifferenceKind,
    /// How many traces of the selection count, and of the baseline: all of a side for a value, those with a number for a
    /// quantity.
    pub traces: [u64; 2],
    /// How likely it is by chance.
    pub p: f64,
    /// The same, corrected for how many were looked at.
    pub corrected: f64,
}

/// What differs of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum DifferenceKind {
    /// How many traces have a span with this value: Fisher's exact test.
    Value {
        /// The value as text.
        value: String,
        /// In the selection, in the baseline.
        counts: [u64; 2],
    },
    /// How large the largest number of a trace is: the test of Kolmogorov and Smirnov.
    Quantity {
        /// Medians in the selection and in the baseline.
        medians: [f64; 2],
        /// The largest distance of the distributions, positive where the selection's are larger.
        distance: f64,
    },
}

impl Differences {
    /// Whether some keys or values were not looked at.
    #[must_use]
    pub fn leaves_out(&self) -> bool {
        !(self.names.is_empty() && self.crowded.is_empty() && self.cut == 0)
    }
}

impl Difference {
    /// The share of traces with the value, selection and baseline, 0 to 1; of a quantity 0.
    #[must_use]
    pub fn shares(&self) -> [f64; 2] {
        match &self.kind {
            DifferenceKind::Value { counts, .. } => {
                [share(counts[0], self.traces[0]), share(counts[1], self.traces[1])]
            }
            DifferenceKind::Quantity { .. } => [0.0; 2],
        }
    }

    /// How large it is, -1 to 1: positive where the selection has more.
    #[must_use]
    pub fn size(&self) -> f64 {
        match &self.kind {
            DifferenceKind::Value { .. } => {
                let [selection, baseline] = self.shares();
                selection - baseline
            }
            DifferenceKind::Quantity { distance, .. } => *distance,
        }
    }

    /// Whether it is not taken for chance.
    #[must_use]
    pub fn is_significant(&self) -> bool {
        self.corrected < SIGNIFICANT
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Traces with a value, selection and baseline, by the number of the pair.
type Counts = Vec<[u32; 2]>;

/// What is known of a key on both sides.
#[derive(Clone, Copy, Default)]
struct Carried {
    /// Pairs of trace and value.
    pairs: u64,
    /// Different values.
    different: u64,
    /// Its values are not told apart.
    crowded: bool,
}

/// Every attribute that is not the same in all traces.
pub(super) fn differences(words: &Vocabulary, sides: (&[&Digest], &[&Digest])) -> Differences {
    let traces = [sides.0.len(), sides.1.len()].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
    if traces.contains(&0) {
        return Differences::default();
    }
    let counts = counts(words, sides);
    let carried = carried(words, &counts);
    let mut quantities = quantities(sides, &carried);
    let mut found = Differences {
        cut: sides.0.iter().chain(sides.1).map(|digest| u64::from(digest.cut)).sum(),
        ..Differences::default()
    };
    for (at, (key, of)) in words.keys.iter().zip(&carried).enumerate() {
        if of.pairs == 0 || !quantities[at][0].is_empty() || !quantities[at][1].is_empty() {
            continue;
        }
        if of.crowded {
            found.crowded.push((*key.name).into());
        } else if of.names() {
            found.names.push((*key.name).into());
        }
    }
    let factorials = Factorials::up_to(traces[0] + traces[1]);
    let whole = traces[0] + traces[1];
    for (pair, counts) in words.pairs.iter().zip(&counts) {
        let counts = counts.map(u64::from);
        let at = pair.key as usize;
        let (Some(key), Some(of), Some(quantity)) = (words.keys.get(at), carried.get(at), quantities.get(at)) else {
            continue;
        };
        // What every trace has tells nothing, nor what none has.
        let tells = (1..whole).contains(&(counts[0] + counts[1]));
        if !tells || of.crowded || of.names() || quantity.iter().any(|side| !side.is_empty()) {
            continue;
        }
        let p = factorials.fisher((counts[0], traces[0]), (counts[1], traces[1]));
        let kind = DifferenceKind::Value { value: (*pair.value).into(), counts };
        found.rows.push(Difference { key: (*key.name).into(), kind, traces, p, corrected: p });
    }
    for (key, sides) in words.keys.iter().zip(&mut quantities) {
        if sides.iter().any(|side| !side.is_empty()) {
            found.rows.push(quantity((*key.name).into(), sides));
        }
    }
    found.names.sort_unstable();
    found.crowded.sort_unstable();
    rank(&mut found);
    found
}

impl Carried {
    fn names(&self) -> bool {
        self.pairs >= CARRIERS && share(self.different, self.pairs) > UNIQUE
    }
}

fn counts(words: &Vocabulary, (selection, baseline): (&[&Digest], &[&Digest])) -> Counts {
    let mut counts: Counts = vec![[0; 2]; words.pairs.len()];
    for (side, digests) in [selection, baseline].into_iter().enumerate() {
        for pair in digests.iter().flat_map(|digest| digest.pairs()) {
            counts.get_mut(pair as usize).into_iter().for_each(|counts| counts[side] += 1);
        }
    }
    counts
}

fn carried(words: &Vocabulary, counts: &[[u32; 2]]) -> Vec<Carried> {
    let new = |key: &Key| Carried { crowded: key.crowded.is_some(), ..Carried::default() };
    let mut carried: Vec<Carried> = words.keys.iter().map(new).collect();
    for (pair, counts) in words.pairs.iter().zip(counts) {
        if let Some(of) = carried.get_mut(pair.key as usize).filter(|_| *counts != [0; 2]) {
            of.pairs += u64::from(counts[0]) + u64::from(counts[1]);
            of.different += 1;
        }
    }
    carried
}

/// The numbers of either side under each key that has many different ones, by the number of the key.
fn quantities((selection, baseline): (&[&Digest], &[&Digest]), carried: &[Carried]) -> Vec<[Vec<f64>; 2]> {
    // Of numbers longer than values that are told apart there are no pairs.
    let many = |of: &Carried| of.crowded || of.different == 0 || of.different >= QUANTITY as u64;
    let mut numbers: Vec<[Vec<f64>; 2]> = carried.iter().map(|_| Default::default()).collect();
    for (side, digests) in [selection, baseline].into_iter().enumerate() {
        for (key, number) in digests.iter().flat_map(|digest| digest.numbers()) {
            if carried.get(key as usize).is_some_and(many) {
                numbers.get_mut(key as usize).into_iter().for_each(|numbers| numbers[side].push(number));
            }
        }
    }
    numbers
}

fn quantity(key: String, sides: &mut [Vec<f64>; 2]) -> Difference {
    let [selection, baseline] = sides;
    let (distance, p) = kolmogorov_smirnov(selection, baseline);
    let median = |sorted: &[f64]| sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
    let medians = [median(selection), median(baseline)];
    let traces = [selection.len(), baseline.len()].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
    Difference { key, kind: DifferenceKind::Quantity { medians, distance }, traces, p, corrected: p }
}

/// Corrects, and puts first what is not chance, by size.
fn rank(found: &mut Differences) {
    let tests: Vec<f64> = found.rows.iter().map(|row| row.p).collect();
    for (row, corrected) in found.rows.iter_mut().zip(benjamini_hochberg(&tests)) {
        row.corrected = corrected;
    }
    found.tested = found.rows.len();
    found.rows.sort_by(order);
    found.significant = found.rows.iter().take_while(|row| row.is_significant()).count();
    found.rows.truncate(MOST_ROWS.max(found.significant.min(MOST_ROWS * 4)));
    found.significant = found.significant.min(found.rows.len());
}

fn order(one: &Difference, other: &Difference) -> Ordering {
    let size = |row: &Difference| row.size().abs();
    let value = |row: &Difference| match &row.kind {
        DifferenceKind::Value { value, .. } => Some(value.clone()),
        DifferenceKind::Quantity { .. } => None,
    };
    let significant = other.is_significant().cmp(&one.is_significant());
    significant
        .then_with(|| size(other).total_cmp(&size(one)))
        .then_with(|| one.corrected.total_cmp(&other.corrected))
        .then_with(|| one.key.cmp(&other.key))
        .then_with(|| value(one).cmp(&value(other)))
}
