//! What siblings are compared by to be drawn as one row.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hashbrown::HashMap;

use super::statement;
use super::tree::{Analysis, Subject};
use crate::model::{Category, Kind, TraceSpan};

/// Two hashes of a node. `DefaultHasher::new` is keyed the same in the whole process, so they can be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Likeness {
    /// Service, label without values, category and kind.
    pub(super) own: u64,
    /// The same with all that stands below, in whatever order it ran.
    pub(super) whole: u64,
}

pub(super) fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// One number of two: both halves of a product in which each bit of either counts.
fn mix(one: u64, other: u64) -> u64 {
    const ONE: u64 = 0x9e37_79b9_7f4a_7c15;
    const OTHER: u64 = 0xd6e8_feb8_6659_fd93;
    let product = u128::from(one ^ ONE) * u128::from(other.rotate_left(32) ^ OTHER);
    let (high, low) = (product >> 64, product & u128::from(u64::MAX));
    u64::try_from(high ^ low).unwrap_or_default()
}

/// The likeness of every node.
pub(super) fn likeness(analysis: &Analysis) -> Vec<Likeness> {
    let mut words = Words::default();
    let mut likeness = vec![Likeness::default(); analysis.nodes.len()];
    for (index, node) in analysis.nodes.iter().enumerate() {
        likeness[index].own = match node.subject {
            Subject::Span(span) => words.span(&analysis.trace.spans[span as usize]),
            Subject::Missing(id) => hash(id),
        };
    }
    // Children come after their parent in the order of the tree, so from its end all are ready before their parent.
    let mut below = vec![0_u64; analysis.nodes.len()];
    for index in analysis.order.iter().rev() {
        let index = *index as usize;
        likeness[index].whole = mix(likeness[index].own, below[index]);
        if let Some(parent) = analysis.nodes[index].parent {
            let sum = &mut below[parent as usize];
            *sum = sum.wrapping_add(likeness[index].whole);
        }
    }
    likeness
}

/// Hashes of texts, remembered by where the text lies: the spans of a trace share theirs.
#[derive(Default)]
struct Words {
    known: HashMap<(usize, Category), u64>,
}

impl Words {
    fn span(&mut self, span: &TraceSpan) -> u64 {
        let service = self.text(&span.service, Category::Other);
        let label = self.text(&span.label, span.category);
        let Kind(kind) = span.key.kind;
        let which = (u64::from(kind.cast_unsigned()) << 8) | u64::from(span.category as u8);
        mix(mix(service, label), which)
    }

    fn text(&mut self, text: &Arc<str>, category: Category) -> u64 {
        let address = Arc::as_ptr(text).cast::<u8>().addr();
        *self.known.entry((address, category)).or_insert_with(|| hash(statement::normalise(category, text)))
    }
}
