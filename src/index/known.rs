//! What was worked out of rows and is wanted for others too: labels, and what made spans.
//!
//! A trace has few different ones, and the next trace has the same: whoever reads many traces keeps them.

use std::sync::Arc;

use hashbrown::HashMap;

use super::labels::Labels;
use super::segment::RowRef;
use super::word::Slot;
use crate::model::{Resource, Scope, Span, TraceId};

/// What made a span.
pub(super) type Made = (Arc<Resource>, Arc<Scope>);

/// Pairs of resource and scope that are kept.
const MOST_MADE: usize = 4096;
/// Shapes of which the keys are kept.
const MOST_SHAPES: usize = 4096;

/// What is known of a segment's words.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) labels: Labels,
    /// By word: whether it is UTF-8; `None` where that was not asked yet.
    utf8: Vec<Option<bool>>,
}

impl Words {
    /// Whether name, service, status message and the span's own text values are UTF-8.
    pub(super) fn are_utf8(&mut self, row: RowRef<'_>) -> bool {
        let operation = row.operation();
        let mut known = |word: u32| {
            let place = word as usize;
            if self.utf8.len() <= place {
                self.utf8.resize(place + 1, None);
            }
            let valid = |word| std::str::from_utf8(row.segment.words.get(word)).is_ok();
            self.utf8.get_mut(place).is_none_or(|known| *known.get_or_insert_with(|| valid(word)))
        };
        let mut values = row.chunk.values(row.row).iter();
        known(operation.name)
            && known(operation.service)
            && std::str::from_utf8(row.status_message()).is_ok()
            && values.all(|word| match word.slot() {
                Slot::Known(id) => known(id),
                Slot::Text(at) => std::str::from_utf8(row.chunk.bytes_at(at)).is_ok(),
                _ => true,
            })
    }
}

/// Of the segments of one view, which are told apart by their places.
#[derive(Debug, Default)]
pub(super) struct Known {
    words: HashMap<usize, Words>,
    made: HashMap<(usize, u32, u32), Made>,
    /// The keys of shapes as words.
    keys: HashMap<(usize, u32), Vec<u32>>,
}

impl Known {
    /// What is known of a segment's words.
    pub(super) fn words(&mut self, segment: usize) -> &mut Words {
        self.words.entry(segment).or_default()
    }

    /// A row's whole span.
    pub(super) fn span(&mut self, trace: TraceId, (segment, row): (usize, RowRef<'_>)) -> Span {
        let made = self.made(segment, row);
        let shape = row.chunk.shape[row.row];
        if self.keys.len() >= MOST_SHAPES {
            self.keys.clear();
        }
        let keys = self.keys.entry((segment, shape)).or_insert_with(|| row.segment.keys(shape));
        row.to_span_with(trace, made, keys)
    }

    /// What made a row's span; the same for all of which it is the same.
    fn made(&mut self, segment: usize, row: RowRef<'_>) -> Made {
        let origin = row.origin();
        if self.made.len() >= MOST_MADE {
            self.made.clear();
        }
        let made = self.made.entry((segment, origin.resource, origin.scope));
        made.or_insert_with(|| (Arc::new(row.to_resource()), Arc::new(row.to_scope()))).clone()
    }
}
