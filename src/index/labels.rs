//! What rows are for a person, each distinct case worked out once.
//!
//! A label follows from the operation and from the values under the few keys that `semconv` asks for. Most rows repeat
//! such a combination; those with a value of their own there (a statement with literals) are described one by one.

use std::borrow::Cow;
use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use smallvec::SmallVec;

use super::read_row::Stored;
use super::segment::RowRef;
use super::word::{Slot, Word};
use crate::model::{Category, Kind};
use crate::otlp::peek;
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
    /// By shape: what labels can be made of; `None` where not looked at yet.
    shapes: Vec<Option<Asked>>,
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

/// What labels of one shape can be made of.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// Keys that `semconv` may ask for (it knows fewer than 64), and where their values stand: the last where a key repeats.
    keys: SmallVec<[(Box<str>, u16); 8]>,
    /// A bit for each of `keys` that it has asked for so far. A row with the same values under these has the same
    /// label, because what is asked next depends on nothing but the answers before.
    used: u64,
}

impl Asked {
    fn new(row: RowRef<'_>, shape: u32) -> Self {
        let mut keys: SmallVec<[(Box<str>, u16); 8]> = SmallVec::new();
        for (place, key) in (0..).zip(row.segment.keys(shape)) {
            let Ok(key) = std::str::from_utf8(row.segment.words.get(key)) else { continue };
            if !semconv::is_asked(key) {
                continue;
            }
            match keys.iter_mut().find(|(known, _)| **known == *key) {
                Some((_, known)) => *known = place,
                None => keys.push((key.into(), place)),
            }
        }
        Self { keys, used: 0 }
    }

    /// The values that decide, as words.
    #[inline]
    fn values<'a>(&'a self, words: &'a [Word]) -> impl Iterator<Item = Word> + 'a {
        let used = self.used;
        let keys = self.keys.iter().enumerate().filter(move |(place, _)| used >> place & 1 == 1);
        keys.map(|(_, (_, at))| words[usize::from(*at)])
    }
}

/// A combination.
#[derive(Clone, Debug)]
struct Case {
    hash: u64,
    operation: u32,
    shape: u32,
    used: u64,
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
        if self.shapes.len() <= shape as usize {
            self.shapes.resize(shape as usize + 1, None);
        }
        let asked = self.shapes[shape as usize].get_or_insert_with(|| Asked::new(row, shape));
        let operation = row.chunk.operation[row.row];
        let words = row.chunk.values(row.row);
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(u64::from(operation) << 32 | u64::from(shape));
        let mut own = row.has_more();
        for word in asked.values(words) {
            own |= !matches!(word.slot(), Slot::Known(_) | Slot::Small(_) | Slot::Fixed(_));
            hasher.write_u32(word.0);
        }
        let used = asked.used;
        if !own {
            let hash = hasher.finish();
            let same = |place: &u32| {
                let case = &self.known[*place as usize].0;
                case.operation == operation
                    && case.shape == shape
                    && case.used == used
                    && case.values.iter().copied().eq(asked.values(words))
            };
            if let Some(place) = self.places.find(hash, same) {
                return Some(*place);
            }
        }
        let (described, used) = self.work_out(row, shape);
        let asked = self.shapes[shape as usize].get_or_insert_default();
        let grown = asked.used | used != asked.used;
        asked.used |= used;
        if own || grown {
            self.single = Some(described);
            return None;
        }
        let values = asked.values(words).collect();
        let case = Case { hash: hasher.finish(), operation, shape, used: asked.used, values };
        Some(self.remember(case, described))
    }

    fn remember(&mut self, case: Case, described: Described) -> u32 {
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
            self.places.clear();
        }
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
            + self.shapes.capacity() * (size_of::<Asked>() + 16)
    }

    /// Describes a row; answers also which of its shape's keys were asked for.
    fn work_out(&self, row: RowRef<'_>, shape: u32) -> (Described, u64) {
        let none = Asked::default();
        let asked = self.shapes.get(shape as usize).and_then(Option::as_ref).unwrap_or(&none);
        let words = row.chunk.values(row.row);
        let used = Cell::new(0);
        let more = if row.has_more() { more_attributes(row) } else { Vec::new() };
        let lookup = |key: &str| {
            if let Some((_, text)) = more.iter().rev().find(|(name, _)| name == key) {
                return text.as_deref().map(Cow::Borrowed);
            }
            let place = asked.keys.iter().position(|(known, _)| **known == *key)?;
            used.set(used.get() | 1 << place);
            row.stored(words[usize::from(asked.keys[place].1)]).as_text()
        };
        let text = self.operations.get(row.chunk.operation[row.row] as usize).and_then(Option::as_ref);
        let name = text.map_or(&self.empty, |text| &text.name);
        let label = semconv::describe(name, Kind(row.operation().kind), &lookup);
        let share = |text: String| if text.is_empty() { Arc::clone(&self.empty) } else { Arc::from(text) };
        let described = Described {
            category: label.category,
            label: label.text.map_or_else(|| Arc::clone(name), Arc::from),
            remark: share(label.remark),
            number: 0,
        };
        (described, used.get())
    }
}

/// The attributes beyond the shape, as text.
fn more_attributes(row: RowRef<'_>) -> Vec<(String, Option<String>)> {
    let all = peek::resource_attributes(row.more());
    all.map(|(key, _, message)| {
        let text = Stored::Message(message).as_text().map(Cow::into_owned);
        (String::from_utf8_lossy(key).into_owned(), text)
    })
    .collect()
}
