//! What rows are for a person, each distinct case worked out once.
//!
//! A label follows from the operation and from the values under the few keys that `semconv` asks for. Most rows repeat
//! such a combination; those with a value of their own (a statement with literals) are described one by one.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
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
    /// The same number means the same label; zero for one that is not remembered.
    pub(super) number: u64,
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
    /// Combinations and what they are.
    known: Vec<(Case, Described)>,
    /// Places in `known` by content.
    places: HashTable<u32>,
    /// The last one that is not worth remembering.
    single: Option<Described>,
    /// An empty text, shared.
    empty: Arc<str>,
    /// The number of the last label.
    number: u64,
    /// For `places`.
    hasher: DefaultHashBuilder,
}

/// A combination.
#[derive(Clone, Debug)]
struct Case {
    hash: u64,
    operation: u32,
    shape: u32,
    values: SmallVec<[Word; 4]>,
}

impl Labels {
    /// For the segment after that of `before`, whose labels have other numbers.
    pub(super) fn after(before: &Self) -> Self {
        Self { number: before.number, ..Self::default() }
    }

    /// Service and name of a row, and what it is for a person.
    #[inline]
    pub(super) fn both(&mut self, row: RowRef<'_>) -> Option<(&OperationText, &Described)> {
        let operation = row.chunk.operation[row.row] as usize;
        if !matches!(self.operations.get(operation), Some(Some(_))) {
            self.learn(row);
        }
        let place = self.place(row);
        let described = match place {
            Some(place) => self.known.get(place as usize).map(|(_, described)| described),
            None => self.single.as_ref(),
        };
        Some((self.operations.get(operation)?.as_ref()?, described?))
    }

    fn learn(&mut self, row: RowRef<'_>) {
        let place = row.chunk.operation[row.row] as usize;
        if self.operations.len() <= place {
            self.operations.resize(place + 1, None);
        }
        let operation = row.operation();
        let text = |word| Arc::from(String::from_utf8_lossy(row.segment.words.get(word)));
        let service = self.services.entry(operation.service).or_insert_with(|| text(operation.service));
        self.operations[place] = Some(OperationText { service: Arc::clone(service), name: text(operation.name) });
    }

    /// Where in `known` the row's combination stands; `None` where it has a value of its own, described in `single`.
    fn place(&mut self, row: RowRef<'_>) -> Option<u32> {
        let shape = row.chunk.shape[row.row];
        if !matches!(self.asked.get(shape as usize), Some(Some(_))) {
            self.ask(row, shape);
        }
        let asked = self.asked[shape as usize].as_deref().unwrap_or_default();
        let operation = row.chunk.operation[row.row];
        let words = row.chunk.values(row.row);
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(u64::from(operation) << 32 | u64::from(shape));
        let mut own = row.has_more();
        for place in asked {
            let word = words[usize::from(*place)];
            own |= !matches!(word.slot(), Slot::Known(_) | Slot::Small(_) | Slot::Fixed(_));
            hasher.write_u32(word.0);
        }
        if own {
            self.single = Some(self.work_out(row));
            return None;
        }
        let hash = hasher.finish();
        let same = |place: &u32| {
            let case = &self.known[*place as usize].0;
            let mut values = asked.iter().map(|place| &words[usize::from(*place)]);
            case.hash == hash
                && case.operation == operation
                && case.shape == shape
                && case.values.iter().all(|value| values.next() == Some(value))
        };
        if let Some(place) = self.places.find(hash, same) {
            return Some(*place);
        }
        let values = asked.iter().map(|place| words[usize::from(*place)]).collect();
        Some(self.remember(row, Case { hash, operation, shape, values }))
    }

    fn ask(&mut self, row: RowRef<'_>, shape: u32) {
        if self.asked.len() <= shape as usize {
            self.asked.resize(shape as usize + 1, None);
        }
        let keys = row.segment.keys(shape);
        let places = keys.iter().enumerate().filter(|(_, key)| is_asked(row.segment.words.get(**key)));
        self.asked[shape as usize] = Some(places.filter_map(|(place, _)| u16::try_from(place).ok()).collect());
    }

    fn remember(&mut self, row: RowRef<'_>, case: Case) -> u32 {
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
            self.places.clear();
        }
        let described = self.work_out(row);
        self.number += 1;
        let place = super::chunk::narrow(self.known.len());
        let Self { known, places, number, .. } = self;
        places.insert_unique(case.hash, place, |place| known[*place as usize].0.hash);
        known.push((case, Described { number: *number, ..described }));
        place
    }

    /// Bytes held, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.known.capacity() * size_of::<(Case, Described)>()
            + self.known.len() * 64
            + self.places.capacity() * 6
            + self.operations.capacity() * (size_of::<OperationText>() + 32)
            + self.asked.capacity() * 32
    }

    fn work_out(&self, row: RowRef<'_>) -> Described {
        let attributes = asked_attributes(row);
        let lookup = |key: &str| {
            let found = attributes.iter().rev().find(|(name, _)| *name == key.as_bytes())?;
            found.1.as_ref().map(|text| Cow::Borrowed(&**text))
        };
        let text = self.operations.get(row.chunk.operation[row.row] as usize).and_then(Option::as_ref);
        let name = text.map_or(&self.empty, |text| &text.name);
        let label = semconv::describe(name, Kind(row.operation().kind), &lookup);
        let share = |text: String| if text.is_empty() { Arc::clone(&self.empty) } else { Arc::from(text) };
        Described {
            category: label.category,
            label: label.text.map_or_else(|| Arc::clone(name), Arc::from),
            remark: share(label.remark),
            number: 0,
        }
    }
}

/// Whether labels are made from values under this key.
fn is_asked(key: &[u8]) -> bool {
    std::str::from_utf8(key).is_ok_and(semconv::is_asked)
}

/// The attributes of a row that labels are made from, as text.
fn asked_attributes(row: RowRef<'_>) -> SmallVec<[(&[u8], Option<Cow<'_, str>>); 8]> {
    let mut found = SmallVec::new();
    row.each_attribute(&mut |key, value| {
        if is_asked(key) {
            found.push((key, value.as_text()));
        }
    });
    found
}
