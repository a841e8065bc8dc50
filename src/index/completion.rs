//! Which keys and values are in use, for completion.

use hashbrown::HashMap;

use super::segment::{Form, Segment, unpack};
use super::word::{Fixed, Slot, Word};
use super::{Block, View};
use crate::otlp::{AttributeValue, peek};

/// Counts by text, over all segments.
type Counts = HashMap<Vec<u8>, u64>;

/// Different numbers that are counted under a key of a segment: an id of everything is not worth proposing.
const MOST_NUMBERS: usize = 10_000;

/// Counts of the values of a segment's spans that need no look into an arena.
struct Tally {
    /// By text in the dictionary.
    words: Vec<u64>,
    /// By number.
    numbers: HashMap<i32, u64>,
    /// Of `false` and `true`.
    truths: [u64; 2],
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
            _ => {}
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
    for segment in &view.state.segments {
        let words = vec![0; segment.words.len() as usize];
        let mut tally = Tally { words, numbers: HashMap::new(), truths: [0; 2] };
        for block in view.blocks().filter(|block| std::ptr::eq(block.segment, &raw const **segment)) {
            match key {
                "name" => count_operations(&block, &mut tally.words, false),
                "service.name" => count_operations(&block, &mut tally.words, true),
                _ => count_values(&block, key.as_bytes(), &mut tally),
            }
        }
        tally.add_to(&mut counts, segment);
        if key != "name" && key != "service.name" {
            count_origins(view, segment, key, &mut counts);
        }
    }
    ranked(counts, limit)
}

fn count_operations(block: &Block<'_>, words: &mut [u64], service: bool) {
    let mut count = |operation: u32, count: u64| {
        let operation = block.segment.operations.get(operation);
        let word = operation.map(|operation| if service { operation.service } else { operation.name });
        words[word.unwrap_or_default() as usize] += count;
    };
    match &block.piece.form {
        Form::Hot(chunk) => block.all().iter().for_each(|row| count(chunk.operation[row as usize], 1)),
        Form::Sealed(sealed) => {
            sealed.each_class(&block.piece.dead, &mut |class, rows| count(class.operation, rows));
        }
    }
}

fn count_values(block: &Block<'_>, key: &[u8], tally: &mut Tally) {
    let mut places: HashMap<u32, Option<u32>> = HashMap::new();
    let mut place = |shape: u32| {
        *places.entry(shape).or_insert_with(|| {
            let keys = block.segment.keys(shape);
            let place = keys.iter().rposition(|word| block.segment.words.get(*word) == key);
            place.map(super::chunk::narrow)
        })
    };
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

fn count_origins(view: &View, segment: &Segment, key: &str, counts: &mut Counts) {
    let (_, origins) = usage(view, segment);
    for (origin, count) in segment.origins.iter().zip(origins).filter(|(_, count)| *count > 0) {
        let resource = unpack(segment.resources.get(origin.resource)).0;
        for (name, value, _) in peek::resource_attributes(resource) {
            match value {
                _ if name != key.as_bytes() => {}
                AttributeValue::Text(text) => add(counts, text, count),
                AttributeValue::Int(number) => add(counts, number.to_string().as_bytes(), count),
                AttributeValue::Bool(truth) => add(counts, truth.to_string().as_bytes(), count),
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
