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
    /// The keys of shapes as words, and by number.
    keys: HashMap<(usize, u32), Vec<(u32, u32)>>,
    /// Keys by number, whatever segment they are in.
    numbers: HashMap<Box<[u8]>, u32>,
}

impl Known {
    /// What is known of a segment's words.
    pub(super) fn words(&mut self, segment: usize) -> &mut Words {
        self.words.entry(segment).or_default()
    }

    /// A row's whole span.
    pub(super) fn span(&mut self, trace: TraceId, (segment, row): (usize, RowRef<'_>)) -> Span {
        let made = self.made(segment, row);
        row.to_span_with(trace, made, self.columns(segment, row).iter().map(|(key, _)| *key))
    }

    /// The keys of a row's columns: as words of its segment, and by number.
    pub(super) fn columns(&mut self, segment: usize, row: RowRef<'_>) -> &[(u32, u32)] {
        let shape = row.chunk.shape[row.row];
        if self.keys.len() >= MOST_SHAPES {
            self.keys.clear();
        }
        let numbers = &mut self.numbers;
        self.keys.entry((segment, shape)).or_insert_with(|| {
            let keys = row.segment.keys(shape).into_iter();
            keys.map(|key| (key, number_of(numbers, row.segment.words.get(key)))).collect()
        })
    }

    /// The number of a key.
    pub(super) fn number(&mut self, key: &[u8]) -> u32 {
        number_of(&mut self.numbers, key)
    }

    /// What made a row's span; the same for all of which it is the same.
    pub(super) fn made(&mut self, segment: usize, row: RowRef<'_>) -> Made {
        let origin = row.origin();
        if self.made.len() >= MOST_MADE {
            self.made.clear();
        }
        let made = self.made.entry((segment, origin.resource, origin.scope));
        made.or_insert_with(|| (Arc::new(row.to_resource()), Arc::new(row.to_scope()))).clone()
    }
}

fn number_of(numbers: &mut HashMap<Box<[u8]>, u32>, key: &[u8]) -> u32 {
    let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    numbers.get(key).copied().unwrap_or_else(|| *numbers.entry(key.into()).or_insert(next))
}
