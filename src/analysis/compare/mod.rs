//! What is different: some traces against others, or one trace against another.
//!
//! In: what was kept of each trace ([`Digest`]), on two sides. Out: where the time went on either side, statements that are new
//! and gone, and attribute values by how much their share differs, with how likely that is by chance. Must never know: how the
//! sides were chosen, screens, clocks.
//!
//! The sides are called selection (what is asked about) and baseline (what it is compared with). Everything here is
//! antisymmetric: with the sides changed over, differences change their sign and nothing else.

mod chance;
mod digest;
mod operations;
mod packed;
mod pair;
mod reader;
mod values;
mod vocabulary;

#[cfg(test)]
mod by_hand {
    mod tests;
}
#[cfg(test)]
mod tests;

pub use chance::{benjamini_hochberg, fisher, kolmogorov_smirnov};
pub use digest::Digest;
pub use operations::{OperationRow, Side};
pub use pair::{Pair, PairRow, Strand, pair};
pub use reader::Reader;
pub use values::{Difference, DifferenceKind, Differences};
pub use vocabulary::{Operation, Vocabulary};

/// Below so many, a figure says little.
pub const SMALL: u64 = 20;

/// Corrected, a difference with a smaller p is not taken for chance.
pub const SIGNIFICANT: f64 = 0.01;

/// Operations and differences that are kept, most telling first.
const MOST_ROWS: usize = 500;

/// What differs between two sets of traces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Every root operation of the selection, with the traces of either side that begin with it; most of the selection first.
    pub roots: Vec<OperationRow>,
    /// Which of `roots` the rest is about; `None` where the selection is empty.
    pub root: Option<usize>,
    /// How many traces with this root take how long, selection and baseline: equal steps on a logarithmic scale from the shortest to
    /// the longest of both.
    pub histogram: [Vec<u32>; 2],
    /// What the traces with this root did, by how much of a trace's time it changed.
    pub operations: Vec<OperationRow>,
    /// How many operations are left out of that.
    pub more_operations: usize,
    /// Attributes whose values differ between the traces with this root.
    pub differences: Differences,
}

impl Comparison {
    /// The root operation compared, with how many traces and how long they took on either side.
    #[must_use]
    pub fn chosen(&self) -> Option<&OperationRow> {
        self.roots.get(self.root?)
    }

    /// Database statements that only one side has.
    pub fn statements(&self) -> impl Iterator<Item = &OperationRow> {
        self.operations.iter().filter(|row| row.operation.category.is_database() && (row.is_new() || row.is_gone()))
    }
}

/// Which requests are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Those that most of the selection begins with, of those that both sides have; where there are none, of all.
    #[default]
    Most,
    /// Those whose time changed most, all of them together.
    Changed,
    /// Those that begin with this operation; where the selection has none, as [`Self::Most`].
    Root(&'a Operation),
}

/// Compares the traces of either side that begin with one root operation. Comparing unlike requests would tell how they are
/// mixed, not what became of them.
///
/// O(spans) but for sorting.
#[must_use]
pub fn compare(words: &Vocabulary, (selection, baseline): (&[&Digest], &[&Digest]), wanted: Wanted<'_>) -> Comparison {
    let roots = operations::roots(words, (selection, baseline));
    let weight = |row: &OperationRow| row.change().abs() * row.selection.lesser(&row.baseline);
    let wanted = match wanted {
        Wanted::Most => None,
        Wanted::Changed => {
            (0..roots.len()).rev().max_by(|one, other| weight(&roots[*one]).total_cmp(&weight(&roots[*other])))
        }
        Wanted::Root(root) => roots.iter().position(|row| row.operation == *root),
    };
    // The most of the selection come first.
    let first = (!roots.is_empty()).then_some(0);
    let most = || roots.iter().position(|row| row.selection.n > 0 && row.baseline.n > 0).or(first);
    let Some(at) = wanted.or_else(most) else { return Comparison::default() };
    let symbol = roots.get(at).and_then(|row| words.find(&row.operation));
    let [selection, baseline] = [selection, baseline]
        .map(|side| -> Vec<&Digest> { side.iter().copied().filter(|digest| Some(digest.root) == symbol).collect() });
    let sides = (selection.as_slice(), baseline.as_slice());
    let (operations, more_operations) = operations::operations(words, sides);
    let differences = values::differences(words, sides);
    let histogram = operations::histogram(sides);
    Comparison { roots, root: Some(at), histogram, operations, more_operations, differences }
}
