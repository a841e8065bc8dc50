//! What rows are for a person, each distinct case worked out once.
//!
//! A label follows from the operation and from the values under the few keys that `semconv` asks for. Most rows repeat
//! such a combination. Where the statement or URL is a text of its own, category and remark still repeat, because such
//! texts count there only by being blank or not; the label then is worked out when someone wants it.

use std::borrow::Cow;
use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use smallvec::SmallVec;

use super::interner::hash;
use super::read_row::Stored;
use super::segment::RowRef;
use super::word::{Slot, Word};
use crate::model::{Category, Kind};
use crate::otlp::{AttributeValue, peek};
use crate::semconv;

/// Combinations remembered for one segment.
const MAX_KNOWN: usize = 8192;

/// The longest text of a row that is a label as it stands, in bytes.
const MAX_PLAIN: usize = 1024;

/// What a row is for a person.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) category: Category,
    /// The label, unless the row has a text of its own: then that of the first such row.
    pub(super) label: Arc<str>,
    pub(super) remark: Arc<str>,
    /// The same number means the same label.
    pub(super) number: u64,
    /// Rows with a plain text of their own at this place among their values have it as label.
    verbatim: Option<u16>,
}

/// Service and name of an operation as text.
#[derive(Clone, Debug)]
pub(super) struct OperationText {
    pub(super) service: Arc<str>,
    pub(super) name: Arc<str>,
}

/// What [`Labels::look`] found out about a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Its combination's place in `known`.
    place: u32,
    /// It has a text of its own among the values that decide.
    own: bool,
}

/// The combinations seen in one segment.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Text of operations, by place.
    operations: Vec<Option<OperationText>>,
    /// Services by word, so that operations share them.
    services: HashMap<u32, Arc<str>>,
    /// Places among the services that are counted, by word.
    pub(super) services_at: HashMap<u32, u16>,
    /// By shape: what labels can be made of; `None` where not looked at yet.
    shapes: Vec<Option<Asked>>,
    /// Combinations and what they are.
    known: Vec<(Case, Described)>,
    /// Places in `known` by content.
    places: HashTable<u32>,
    /// An empty text, shared.
    empty: Arc<str>,
    /// The number of the last label.
    number: u64,
    /// For `places` and for [`Self::call`].
    hasher: DefaultHashBuilder,
}

/// What labels of one shape can be made of.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// Keys that `semconv` may ask for; it knows fewer than 64.
    keys: SmallVec<[AskedKey; 8]>,
    /// A bit for each of `keys` that it has asked for so far. A row with the same values under these has the same
    /// label, because what is asked next depends on nothing but the answers before.
    used: u64,
}

/// A key that labels can be made of.
#[derive(Clone, Debug)]
struct AskedKey {
    key: Box<str>,
    /// Where its value stands: the last where the key repeats.
    at: u16,
    /// It goes into the remark at most.
    remark: bool,
    /// It goes into the label at most, but for being blank.
    free: bool,
}

impl Asked {
    fn new(row: RowRef<'_>, shape: u32) -> Self {
        let mut keys: SmallVec<[AskedKey; 8]> = SmallVec::new();
        for (at, key) in (0..).zip(row.segment.keys(shape)) {
            let Ok(key) = std::str::from_utf8(row.segment.words.get(key)) else { continue };
            if !semconv::is_asked(key) {
                continue;
            }
            match keys.iter_mut().find(|known| *known.key == *key) {
                Some(known) => known.at = at,
                None => keys.push(AskedKey {
                    key: key.into(),
                    at,
                    remark: semconv::is_remark(key),
                    free: semconv::is_free(key),
                }),
            }
        }
        Self { keys, used: 0 }
    }

    /// The values that decide, and where they stand; see [`decisive`].
    #[inline]
    fn decisive<'a>(&'a self, row: RowRef<'a>) -> impl Iterator<Item = (u16, Option<Word>)> {
        let words = row.chunk.values(row.row);
        let keys = self.keys.iter().enumerate().filter(|(place, _)| self.used >> place & 1 == 1);
        keys.map(move |(_, key)| (key.at, decisive(row, words[usize::from(key.at)], key.free)))
    }
}

/// A combination. Texts that rows have of their own stand for each other.
#[derive(Clone, Debug)]
struct Case {
    hash: u64,
    operation: u32,
    shape: u32,
    used: u64,
    values: SmallVec<[Word; 4]>,
}

/// Stands for any text of a row's own.
const OWN: Word = Word(3);

impl Labels {
    /// For the segment after that of `before`, whose labels have other numbers.
    pub(super) fn after(before: &Self) -> Self {
        Self { number: before.number, hasher: before.hasher.clone(), ..Self::default() }
    }

    /// Service and name of a row.
    #[inline]
    pub(super) fn operation(&mut self, row: RowRef<'_>) -> Option<&mut OperationText> {
        let place = row.chunk.operation[row.row] as usize;
        if !matches!(self.operations.get(place), Some(Some(_))) {
            self.learn(row);
        }
        self.operations.get_mut(place)?.as_mut()
    }

    /// The name of a row whose [`Self::operation`] was asked for.
    pub(super) fn name(&self, row: RowRef<'_>) -> &str {
        let text = self.operations.get(row.chunk.operation[row.row] as usize).and_then(Option::as_ref);
        text.map_or("", |text| &text.name)
    }

    fn learn(&mut self, row: RowRef<'_>) {
        let place = row.chunk.operation[row.row] as usize;
        if self.operations.len() <= place {
            self.operations.resize(place + 1, None);
        }
        let operation = row.operation();
        let text = |word| Arc::from(String::from_utf8_lossy(row.segment.words.get(word)));
        let service = self.services.entry(operation.service).or_insert_with(|| text(operation.service));
        let service = Arc::clone(service);
        self.operations[place] = Some(OperationText { service, name: text(operation.name) });
    }

    /// Finds a row's combination, or learns it. [`Self::operation`] comes first.
    pub(super) fn look(&mut self, row: RowRef<'_>) -> Look {
        let shape = row.chunk.shape[row.row];
        self.asked(row);
        let Some(Some(asked)) = self.shapes.get(shape as usize) else { return Look { place: 0, own: true } };
        let operation = row.chunk.operation[row.row];
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(u64::from(operation) << 32 | u64::from(shape));
        let (mut own, mut odd) = (false, row.has_more());
        for (_, word) in asked.decisive(row) {
            own |= word == Some(OWN);
            odd |= word.is_none();
            hasher.write_u32(word.unwrap_or(OWN).0);
        }
        let hash = hasher.finish();
        if !odd {
            let used = asked.used;
            let same = |place: &u32| {
                let case = &self.known[*place as usize].0;
                case.operation == operation
                    && case.shape == shape
                    && case.used == used
                    && case.values.iter().copied().eq(asked.decisive(row).map(|(_, word)| word.unwrap_or(OWN)))
            };
            if let Some(place) = self.places.find(hash, same) {
                return Look { place: *place, own };
            }
        }
        self.study(row, odd)
    }

    #[inline]
    fn asked(&mut self, row: RowRef<'_>) -> &Asked {
        let shape = row.chunk.shape[row.row];
        if self.shapes.len() <= shape as usize {
            self.shapes.resize(shape as usize + 1, None);
        }
        self.shapes[shape as usize].get_or_insert_with(|| Asked::new(row, shape))
    }

    #[cold]
    fn study(&mut self, row: RowRef<'_>, odd: bool) -> Look {
        let (shape, operation) = (row.chunk.shape[row.row], row.chunk.operation[row.row]);
        let (mut described, used) = self.work_out(row);
        let Some(Some(asked)) = self.shapes.get_mut(shape as usize) else { return Look { place: 0, own: true } };
        asked.used |= used;
        let words = row.chunk.values(row.row);
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(u64::from(operation) << 32 | u64::from(shape));
        let (mut own, mut odd) = (false, odd);
        let mut values = SmallVec::new();
        for (at, word) in asked.decisive(row) {
            odd |= word.is_none();
            hasher.write_u32(word.unwrap_or(OWN).0);
            values.push(word.unwrap_or(OWN));
            if word == Some(OWN) {
                let first = !std::mem::replace(&mut own, true);
                let text = plain(row, words[usize::from(at)]);
                let is_label = described.category == Category::Sql && text == Some(&*described.label);
                described.verbatim = Some(at).filter(|_| first && is_label);
            }
        }
        self.number += 1;
        described.number = self.number;
        let case = Case { hash: hasher.finish(), operation, shape, used: asked.used, values };
        Look { place: self.remember(case, described, odd), own: own && !odd }
    }

    /// Keeps a combination. The first place is for odd ones: they are not found again.
    fn remember(&mut self, case: Case, described: Described, odd: bool) -> u32 {
        let Self { known, places, .. } = self;
        if known.len() >= MAX_KNOWN {
            known.truncate(1);
            places.clear();
        }
        if known.is_empty() {
            known.push((case.clone(), described.clone()));
        }
        if odd {
            known[0] = (case, described);
            return 0;
        }
        let place = super::chunk::narrow(known.len());
        let hash = case.hash;
        known.push((case, described));
        places.insert_unique(hash, place, |place| known[*place as usize].0.hash);
        place
    }

    /// What is known of a row's combination.
    #[inline]
    pub(super) fn known(&self, look: Look) -> Option<&Described> {
        self.known.get(look.place as usize).map(|(_, described)| described)
    }

    /// A number that stands for the label, if the row shares it with others.
    pub(super) fn number(&self, look: Look) -> Option<u64> {
        self.known(look).filter(|_| !look.own).map(|described| described.number)
    }

    /// A row's label.
    pub(super) fn label<'a>(&'a self, row: RowRef<'a>, look: Look) -> Cow<'a, str> {
        let Some(known) = self.known(look) else { return Cow::Borrowed("") };
        if !look.own {
            return Cow::Borrowed(&known.label);
        }
        let verbatim = known.verbatim.and_then(|at| plain(row, row.chunk.values(row.row)[usize::from(at)]));
        match verbatim {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.work_out(row).0.label.to_string()),
        }
    }

    /// A row's label, shared where rows share it.
    pub(super) fn shared_label(&self, row: RowRef<'_>, look: Look) -> Arc<str> {
        match self.known(look) {
            Some(known) if !look.own => Arc::clone(&known.label),
            _ => Arc::from(self.label(row, look)),
        }
    }

    /// A number that rows have in common which do the same to the same: they have the same label.
    pub(super) fn call(&self, row: RowRef<'_>) -> u64 {
        let operation = row.operation();
        let mut hasher = self.hasher.build_hasher();
        hasher.write(row.segment.words.get(operation.name));
        let shape = row.chunk.shape[row.row] as usize;
        let keys = self.shapes.get(shape).and_then(Option::as_ref).map(|asked| &asked.keys[..]).unwrap_or_default();
        for key in keys.iter().filter(|key| !key.remark) {
            match row.stored(row.chunk.values(row.row)[usize::from(key.at)]) {
                Stored::Plain(AttributeValue::Text(text)) => hasher.write_u64(hash(&self.hasher, text)),
                other => hasher.write(other.as_text().unwrap_or_default().as_bytes()),
            }
        }
        hasher.write(row.more());
        hasher.finish()
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
    fn work_out(&self, row: RowRef<'_>) -> (Described, u64) {
        let none = Asked::default();
        let shape = row.chunk.shape[row.row] as usize;
        let asked = self.shapes.get(shape).and_then(Option::as_ref).unwrap_or(&none);
        let words = row.chunk.values(row.row);
        let used = Cell::new(0);
        let more = if row.has_more() { more_attributes(row) } else { Vec::new() };
        let lookup = |key: &str| {
            if let Some((_, text)) = more.iter().rev().find(|(name, _)| name == key) {
                return text.as_deref().map(Cow::Borrowed);
            }
            let place = asked.keys.iter().position(|known| *known.key == *key)?;
            used.set(used.get() | 1 << place);
            row.stored(words[usize::from(asked.keys[place].at)]).as_text()
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
            verbatim: None,
        };
        (described, used.get())
    }
}

/// A value as it decides: itself where it is shared or small, [`OWN`] for a text that surely is not blank under a key
/// where that is all that counts; `None` for what is too rare to be told apart.
#[inline]
fn decisive(row: RowRef<'_>, word: Word, free: bool) -> Option<Word> {
    match word.slot() {
        Slot::Known(_) | Slot::Small(_) | Slot::Fixed(_) => Some(word),
        Slot::Text(at) if free => row.chunk.bytes_at(at).first().filter(|byte| byte.is_ascii_graphic()).map(|_| OWN),
        _ => None,
    }
}

/// A text of a row's own that is a label as it stands: short, UTF-8, on one line, with single spaces, without comments that
/// only some know.
fn plain(row: RowRef<'_>, word: Word) -> Option<&str> {
    let Slot::Text(at) = word.slot() else { return None };
    let bytes = row.chunk.bytes_at(at);
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return None };
    if bytes.len() > MAX_PLAIN || *first == b' ' || *last == b' ' {
        return None;
    }
    // What `#` means depends on whose statement it is.
    let printable = bytes.iter().filter(|byte| matches!(**byte, b' '..=b'~') && **byte != b'#').count() == bytes.len();
    // Counted, not sought: without a way out of the loop many bytes are looked at at once.
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let doubled = pairs.filter(|(one, next)| (**one, **next) == (b' ', b' ')).count() > 0;
    std::str::from_utf8(bytes).ok().filter(|_| printable && !doubled)
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
