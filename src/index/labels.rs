//! What rows are for a person, each distinct case worked out once.
//!
//! A label follows from the operation and from the values under the few keys that `semconv` asks for. Most rows repeat
//! such a combination; those with a value of their own (a statement with literals) are described one by one.

use std::borrow::Cow;
use std::sync::Arc;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::segment::RowRef;
use super::word::{Slot, Word};
use crate::model::{Category, Kind};
use crate::semconv;

/// Combinations remembered for one segment.
const MAX_KNOWN: usize = 8192;

/// What a row is for a person.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) category: Category,
    pub(super) label: Arc<str>,
    pub(super) remark: Arc<str>,
}

/// Service and name of an operation as text.
#[derive(Clone, Debug)]
pub(super) struct OperationText {
    pub(super) service: Arc<str>,
    pub(super) name: Arc<str>,
}

/// The combinations seen in one segment.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Text of operations, by place.
    operations: Vec<Option<OperationText>>,
    /// Services by word, so that operations share them.
    services: HashMap<u32, Arc<str>>,
    /// By shape: where the values stand that labels are made of; `None` where not looked at yet.
    asked: Vec<Option<SmallVec<[u16; 8]>>>,
    /// By operation, shape and the values asked for.
    known: HashMap<Case, Described>,
    /// The last one that is not worth remembering.
    single: Option<Described>,
    /// An empty text, shared.
    empty: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Case {
    operation: u32,
    shape: u32,
    values: SmallVec<[Word; 8]>,
}

impl std::hash::Hash for Word {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u32(self.0);
    }
}

impl Labels {
    /// Service and name of a row.
    pub(super) fn operation(&mut self, row: RowRef<'_>) -> &OperationText {
        let place = row.chunk.operation[row.row] as usize;
        if self.operations.len() <= place {
            self.operations.resize(place + 1, None);
        }
        let services = &mut self.services;
        self.operations[place].get_or_insert_with(|| {
            let operation = row.operation();
            let text = |word| Arc::from(String::from_utf8_lossy(row.segment.words.get(word)));
            let service = services.entry(operation.service).or_insert_with(|| text(operation.service));
            OperationText { service: Arc::clone(service), name: text(operation.name) }
        })
    }

    /// What a row is for a person.
    pub(super) fn describe(&mut self, row: RowRef<'_>) -> &Described {
        let Some(case) = self.case(row) else {
            let described = self.work_out(row);
            return self.single.insert(described);
        };
        if !self.known.contains_key(&case) {
            let described = self.work_out(row);
            if self.known.len() >= MAX_KNOWN {
                self.known.clear();
            }
            self.known.insert(case.clone(), described);
        }
        self.known.entry(case).or_insert_with(|| Described {
            category: Category::Other,
            label: Arc::clone(&self.empty),
            remark: Arc::clone(&self.empty),
        })
    }

    /// The combination that a row repeats; `None` where it has a value of its own.
    fn case(&mut self, row: RowRef<'_>) -> Option<Case> {
        let shape = row.chunk.shape[row.row];
        if self.asked.len() <= shape as usize {
            self.asked.resize(shape as usize + 1, None);
        }
        let asked = self.asked[shape as usize].get_or_insert_with(|| {
            let keys = row.segment.keys(shape);
            let places = keys.iter().enumerate().filter(|(_, key)| is_asked(row.segment.words.get(**key)));
            places.filter_map(|(place, _)| u16::try_from(place).ok()).collect()
        });
        if row.has_more() {
            return None;
        }
        let words = row.chunk.values(row.row);
        let mut values = SmallVec::new();
        for place in asked.iter() {
            let word = words[usize::from(*place)];
            if !matches!(word.slot(), Slot::Known(_) | Slot::Small(_) | Slot::Fixed(_)) {
                return None;
            }
            values.push(word);
        }
        Some(Case { operation: row.chunk.operation[row.row], shape, values })
    }

    /// Bytes held, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.known.capacity() * (size_of::<Case>() + size_of::<Described>() + 1)
            + self.known.len() * 64
            + self.operations.capacity() * (size_of::<OperationText>() + 32)
            + self.asked.capacity() * 32
    }

    fn work_out(&mut self, row: RowRef<'_>) -> Described {
        let attributes = asked_attributes(row);
        let lookup = |key: &str| {
            let found = attributes.iter().rev().find(|(name, _)| *name == key.as_bytes())?;
            found.1.as_ref().map(|text| Cow::Borrowed(&**text))
        };
        let operation = row.operation();
        let name = Arc::clone(&self.operation(row).name);
        let label = semconv::describe(&name, Kind(operation.kind), &lookup);
        let share = |text: String| if text.is_empty() { Arc::clone(&self.empty) } else { Arc::from(text) };
        Described { category: label.category, label: label.text.map_or(name, Arc::from), remark: share(label.remark) }
    }
}

/// Whether labels are made from values under this key.
fn is_asked(key: &[u8]) -> bool {
    std::str::from_utf8(key).is_ok_and(semconv::is_asked)
}

/// The attributes of a row that labels are made from, as text.
fn asked_attributes(row: RowRef<'_>) -> Vec<(&[u8], Option<Cow<'_, str>>)> {
    let mut found = Vec::new();
    row.each_attribute(&mut |key, value| {
        if is_asked(key) {
            found.push((key, value.as_text()));
        }
    });
    found
}
