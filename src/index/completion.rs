//! Which keys, values and operations are in use.

use hashbrown::HashMap;

use super::chunk::narrow;
use super::sealed::Cell;
use super::segment::{Form, Segment, unpack};
use super::word::{Fixed, Slot, Word};
use super::{Block, Place, ValueRef, View};
use crate::model::Kind;
use crate::otlp::{AttributeValue, peek};

/// Counts by text, over all segments.
type Counts = HashMap<Vec<u8>, u64>;

/// Different numbers that are counted under a key of a segment: an id of everything is not worth proposing.
const MOST_NUMBERS: usize = 10_000;

/// Values that are no words of the dictionary (texts of which there are too many, fractions, large numbers): so many of the
/// newest are looked at for a proposal.
const NEWEST: usize = 100_000;

/// Different values that are told apart.
const APART: usize = 200_000;

/// The values under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsedValues {
    /// The most used, with the number of spans that carry each.
    pub values: Vec<(String, u64)>,
    /// How many different ones there are beside those.
    pub more: u64,
    /// Times that a span carries none of all these: lists, maps, bytes, nothing, or one of too many to tell apart.
    pub others: u64,
}

/// The spans of one name, service and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedOperation {
    /// The name.
    pub name: String,
    /// The service that sends them.
    pub service: String,
    /// Their kind.
    pub kind: Kind,
    /// How many there are.
    pub spans: u64,
}

/// Counts of the values of a segment's spans that need no look into an arena.
struct Tally {
    /// By text in the dictionary.
    words: Vec<u64>,
    /// By number.
    numbers: HashMap<i32, u64>,
    /// Of `false` and `true`.
    truths: [u64; 2],
    /// Of what needs a look into an arena.
    others: u64,
}

impl Tally {
    fn count(&mut self, word: Word) {
        match word.slot() {
            Slot::Known(id) => self.words[id as usize] += 1,
            Slot::Small(number) => {
                if let Some(count) = self.numbers.get_mut(&number) {
                    *count += 1;
                } else if self.numbers.len() < MOST_NUMBERS {
                    self.numbers.insert(number, 1);
                }
            }
            Slot::Fixed(Fixed::False) => self.truths[0] += 1,
            Slot::Fixed(Fixed::True) => self.truths[1] += 1,
            _ => self.others += 1,
        }
    }

    fn add_to(self, counts: &mut Counts, segment: &Segment) {
        let words = (0..).zip(self.words).filter(|(_, count)| *count > 0);
        words.for_each(|(word, count)| add(counts, segment.words.get(word), count));
        self.numbers.into_iter().for_each(|(number, count)| add(counts, number.to_string().as_bytes(), count));
        let truths = [&b"false"[..], b"true"].into_iter().zip(self.truths).filter(|(_, count)| *count > 0);
        truths.for_each(|(truth, count)| add(counts, truth, count));
    }
}

/// See [`View::keys`].
pub(super) fn keys(view: &View, limit: usize) -> Vec<(String, u64)> {
    let mut counts = Counts::new();
    for segment in &view.state.segments {
        let (shapes, origins) = usage(view, segment);
        for (shape, count) in (0..).zip(shapes).filter(|(_, count)| *count > 0) {
            let mut keys = segment.keys(shape);
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                add(&mut counts, segment.words.get(key), count);
            }
        }
        for (origin, count) in segment.origins.iter().zip(origins).filter(|(_, count)| *count > 0) {
            let resource = unpack(segment.resources.get(origin.resource)).0;
            let scope = unpack(segment.scopes.get(origin.scope)).0;
            for (key, ..) in peek::resource_attributes(resource).chain(peek::scope_attributes(scope)) {
                add(&mut counts, key, count);
            }
        }
    }
    ranked(counts, limit)
}

/// See [`View::values`].
pub(super) fn values(view: &View, key: &str, limit: usize) -> Vec<(String, u64)> {
    let mut counts = Counts::new();
    let mut others = 0;
    for segment in &view.state.segments {
        let words = vec![0; segment.words.len() as usize];
        let mut tally = Tally { words, numbers: HashMap::new(), truths: [0; 2], others: 0 };
        for block in view.blocks().filter(|block| std::ptr::eq(block.segment, &raw const **segment)) {
            match key {
                "name" => count_operations(&block, &mut tally.words, false),
                "service.name" => count_operations(&block, &mut tally.words, true),
                _ => count_values(&block, key.as_bytes(), &mut tally),
            }
        }
        others += tally.others;
        tally.add_to(&mut counts, segment);
        if key != "name" && key != "service.name" {
            count_origins(view, segment, key, &mut counts);
        }
    }
    if others > 0 {
        count_newest(view, key.as_bytes(), &mut counts);
    }
    ranked(counts, limit)
}

/// Counts what stands in arenas, the newest.
fn count_newest(view: &View, key: &[u8], counts: &mut Counts) {
    let mut looked_at = 0;
    let mut count = |text: &[u8]| {
        looked_at += 1;
        if counts.len() < APART {
            add(counts, text, 1);
        } else if let Some(count) = counts.get_mut(text) {
            *count += 1;
        }
        looked_at
    };
    for block in view.blocks() {
        if each_other_value(&block, key, &mut count) >= NEWEST {
            return;
        }
    }
}

/// Calls `each` with every value in an arena; answers what it answered last.
fn each_other_value(block: &Block<'_>, key: &[u8], each: &mut dyn FnMut(&[u8]) -> usize) -> usize {
    let mut last = 0;
    let place = |shape: u32| place_of(block.segment, shape, key);
    match &block.piece.form {
        Form::Hot(chunk) => {
            let mut known: HashMap<u32, Option<u32>> = HashMap::new();
            for row in block.all().iter().map(|row| row as usize) {
                let shape = chunk.shape[row];
                let place = *known.entry(shape).or_insert_with(|| place(shape));
                let word = place.and_then(|place| chunk.values(row).get(place as usize)).copied();
                let in_arena = |word: &Word| matches!(word.slot(), Slot::Text(_) | Slot::Int(_) | Slot::Double(_));
                if let Some(text) =
                    word.filter(in_arena).and_then(|word| block.row_ref(chunk, row).stored(word).as_text())
                {
                    last = each(text.as_bytes());
                }
            }
        }
        Form::Sealed(sealed) => {
            let mut wanted = |shape, columns| place(shape).filter(|place| *place < columns).into_iter().collect();
            sealed.each_cell(&block.all(), &mut wanted, &mut |_, cell| match cell {
                Cell::Text(word, text) if matches!(word.slot(), Slot::Text(_)) => last = each(text.as_bytes()),
                Cell::Wide(word, number) => {
                    last = each(
                        match word.slot() {
                            Slot::Double(_) => f64::from_bits(number).to_string(),
                            _ => number.cast_signed().to_string(),
                        }
                        .as_bytes(),
                    );
                }
                _ => {}
            });
        }
    }
    last
}

/// See [`View::every_value`].
pub(super) fn every_value(view: &View, key: &str, limit: usize) -> UsedValues {
    if matches!(key, "name" | "service.name") {
        let mut values = values(view, key, usize::MAX);
        let more = values.len().saturating_sub(limit) as u64;
        values.truncate(limit);
        return UsedValues { values, more, others: 0 };
    }
    // With the row that carried it last: a span counts once, however many of its events say the same.
    let mut counts: HashMap<Vec<u8>, (u64, u64)> = HashMap::new();
    let mut others = 0;
    for (number, block) in (1..).zip(view.blocks()) {
        let rows = block.all();
        for place in [Place::Span, Place::Resource, Place::Scope, Place::Event, Place::Link] {
            block.each_value((key, place), &rows, &mut |row, value| {
                let at = number << 32 | u64::from(row);
                let told = text_of(value).is_some_and(|text| {
                    if counts.len() >= APART && !counts.contains_key(text.as_bytes()) {
                        return false;
                    }
                    let (count, last) = counts.entry_ref(text.as_bytes()).or_default();
                    *count += u64::from(std::mem::replace(last, at) != at);
                    true
                });
                others += u64::from(!told);
            });
        }
    }
    let more = counts.len().saturating_sub(limit) as u64;
    let counts = counts.into_iter().map(|(text, (count, _))| (text, count)).collect();
    UsedValues { values: ranked(counts, limit), more, others }
}

/// A value as text; lists, maps and bytes have none.
fn text_of(value: ValueRef<'_>) -> Option<std::borrow::Cow<'_, str>> {
    match value {
        ValueRef::Text(text) => Some(text.into()),
        ValueRef::Bool(truth) => Some(truth.to_string().into()),
        ValueRef::Int(number) => Some(number.to_string().into()),
        ValueRef::Double(number) => Some(number.to_string().into()),
        ValueRef::Empty | ValueRef::Bytes(_) | ValueRef::Composite(_) => None,
    }
}

/// See [`View::operations`].
pub(super) fn operations(view: &View, limit: usize) -> Vec<UsedOperation> {
    let mut counts: HashMap<(Vec<u8>, Vec<u8>, i32), u64> = HashMap::new();
    for segment in &view.state.segments {
        let mut used = vec![0_u64; segment.operations.len() as usize];
        for block in view.blocks().filter(|block| std::ptr::eq(block.segment, &raw const **segment)) {
            each_operation(&block, &mut |operation, count| used[operation as usize] += count);
        }
        for (place, count) in (0..).zip(used).filter(|(_, count)| *count > 0) {
            let Some(operation) = segment.operations.get(place) else { continue };
            let text = |word| segment.words.get(word).to_vec();
            *counts.entry((text(operation.name), text(operation.service), operation.kind)).or_default() += count;
        }
    }
    let mut list: Vec<_> = counts.into_iter().collect();
    list.sort_unstable_by(|(one, count), (other, more)| more.cmp(count).then_with(|| one.cmp(other)));
    list.truncate(limit);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let operation = |((name, service, kind), spans)| UsedOperation {
        name: text(name),
        service: text(service),
        kind: Kind(kind),
        spans,
    };
    list.into_iter().map(operation).collect()
}

fn count_operations(block: &Block<'_>, words: &mut [u64], service: bool) {
    each_operation(block, &mut |operation, count| {
        let operation = block.segment.operations.get(operation);
        let word = operation.map(|operation| if service { operation.service } else { operation.name });
        words[word.unwrap_or_default() as usize] += count;
    });
}

/// Calls `count` with operations, by place, and a number of rows of each.
fn each_operation(block: &Block<'_>, count: &mut dyn FnMut(u32, u64)) {
    match &block.piece.form {
        Form::Hot(chunk) => block.all().iter().for_each(|row| count(chunk.operation[row as usize], 1)),
        Form::Sealed(sealed) => {
            sealed.each_class(&block.piece.dead, &mut |class, rows| count(class.operation, rows));
        }
    }
}

fn count_values(block: &Block<'_>, key: &[u8], tally: &mut Tally) {
    let mut places: HashMap<u32, Option<u32>> = HashMap::new();
    let mut place = |shape: u32| *places.entry(shape).or_insert_with(|| place_of(block.segment, shape, key));
    let mut count = |word: Word| tally.count(word);
    match &block.piece.form {
        Form::Sealed(sealed) => sealed.count_words(&block.piece.dead, &mut place, &mut count),
        Form::Hot(chunk) => {
            for row in block.all().iter().map(|row| row as usize) {
                let word = place(chunk.shape[row]).and_then(|place| chunk.values(row).get(place as usize));
                word.copied().into_iter().for_each(&mut count);
            }
        }
    }
}

/// Where the last value under `key` stands in rows of a shape.
fn place_of(segment: &Segment, shape: u32, key: &[u8]) -> Option<u32> {
    segment.keys(shape).iter().rposition(|word| segment.words.get(*word) == key).map(narrow)
}

fn count_origins(view: &View, segment: &Segment, key: &str, counts: &mut Counts) {
    let (_, origins) = usage(view, segment);
    for (origin, count) in segment.origins.iter().zip(origins).filter(|(_, count)| *count > 0) {
        let resource = unpack(segment.resources.get(origin.resource)).0;
        let scope = unpack(segment.scopes.get(origin.scope)).0;
        for (name, value, _) in peek::resource_attributes(resource).chain(peek::scope_attributes(scope)) {
            match value {
                _ if name != key.as_bytes() => {}
                AttributeValue::Text(text) => add(counts, text, count),
                AttributeValue::Int(number) => add(counts, number.to_string().as_bytes(), count),
                AttributeValue::Bool(truth) => add(counts, truth.to_string().as_bytes(), count),
                AttributeValue::Double(number) => add(counts, number.to_string().as_bytes(), count),
                _ => {}
            }
        }
    }
}

/// How many rows that count have each shape and each origin.
pub(super) fn usage(view: &View, segment: &Segment) -> (Vec<u64>, Vec<u64>) {
    let mut shapes = vec![0; segment.shapes.len() as usize];
    let mut origins = vec![0; segment.origins.len() as usize];
    for block in view.blocks().filter(|block| std::ptr::eq(block.segment, segment)) {
        let mut count = |(shape, origin): (u32, u32), rows: u64| {
            shapes[shape as usize] += rows;
            origins[origin as usize] += rows;
        };
        match &block.piece.form {
            Form::Hot(chunk) => {
                let rows = block.all();
                rows.iter().map(|row| row as usize).for_each(|row| count((chunk.shape[row], chunk.origin[row]), 1));
            }
            Form::Sealed(sealed) => {
                let mut count = |class: &_, rows| count((sealed.shape_of(class), class.origin), rows);
                sealed.each_class(&block.piece.dead, &mut count);
            }
        }
    }
    (shapes, origins)
}

fn add(counts: &mut Counts, text: &[u8], count: u64) {
    *counts.entry_ref(text).or_default() += count;
}

/// The most used first, the same number in order of text.
fn ranked(counts: Counts, limit: usize) -> Vec<(String, u64)> {
    let mut list: Vec<_> = counts.into_iter().collect();
    list.sort_unstable_by(|(text, count), (other, more)| more.cmp(count).then_with(|| text.cmp(other)));
    list.truncate(limit);
    list.into_iter().map(|(text, count)| (String::from_utf8_lossy(&text).into_owned(), count)).collect()
}
