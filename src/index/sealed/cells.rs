//! The values that rows of one layout have at one place.

use std::ops::Range;

use super::super::word::{Slot, Word};
use super::pack::{Bits, FRAME, Frames};

/// A column. Values that a word cannot hold stand in a stream or among the wide numbers, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    cells: Cells,
    /// Where its strings are: place among the block's streams.
    pub(super) stream: u32,
    /// Place of its first string there.
    pub(super) strings_from: u32,
    /// Place of its first number among the wide ones.
    pub(super) wide_from: u32,
}

/// How the words of a column are packed.
#[derive(Clone, Copy, Debug)]
enum Cells {
    /// All are the same.
    Same(Word),
    /// Places in a list of distinct words, which stands at `at`.
    Listed { at: u32, length: u32, places: Bits },
    /// All have the same tag; these are their payloads.
    Payloads { tag: u32, payloads: Frames },
}

/// What else than a word a value takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arena {
    None,
    String,
    Wide,
}

/// Where the content of a word stands.
pub(super) fn arena_of(word: Word) -> Arena {
    match word.slot() {
        Slot::Text(_) | Slot::Bytes(_) | Slot::Message(_) => Arena::String,
        Slot::Int(_) | Slot::Double(_) => Arena::Wide,
        Slot::Known(_) | Slot::Small(_) | Slot::Fixed(_) => Arena::None,
    }
}

/// The word with its offset left out.
pub(super) fn without_offset(word: Word) -> Word {
    if arena_of(word) == Arena::None { word } else { with_offset(word, 0) }
}

/// The word with an offset in its chunk.
pub(super) fn with_offset(word: Word, offset: u32) -> Word {
    Word(offset << 3 | word.0 & 7)
}

/// Payloads in an order in which small numbers are close to each other.
fn payload(word: Word) -> u64 {
    let raw = word.0 >> 3;
    u64::from(if word.0 & 7 == SMALL { raw ^ 1 << 28 } else { raw })
}

fn word_of(tag: u32, payload: u64) -> Word {
    let raw = u32::try_from(payload).unwrap_or_default();
    Word((if tag == SMALL { raw ^ 1 << 28 } else { raw }) << 3 | tag)
}

/// The tag of [`Slot::Small`].
const SMALL: u32 = 1;

impl Column {
    /// Packs words without offsets.
    pub(super) fn put(
        words: &[Word],
        (stream, strings_from, wide_from): (u32, u32, u32),
        arena: &mut Vec<u32>,
    ) -> Self {
        Self { cells: Cells::put(words, arena), stream, strings_from, wide_from }
    }

    /// The distinct words, if they are listed.
    pub(super) fn distinct(&self, arena: &[u32]) -> Option<Vec<Word>> {
        match self.cells {
            Cells::Same(word) => Some(vec![word]),
            Cells::Listed { at, length, .. } => {
                let list = arena.get(at as usize..(at + length) as usize).unwrap_or_default();
                Some(list.iter().copied().map(Word).collect())
            }
            Cells::Payloads { .. } => None,
        }
    }

    /// The tag of the words, where it is one and the words are not listed.
    pub(super) fn unlisted(&self) -> Option<u32> {
        match self.cells {
            Cells::Payloads { tag, .. } => Some(tag),
            Cells::Same(_) | Cells::Listed { .. } => None,
        }
    }

    /// The words of some of its rows, `count` in all.
    pub(super) fn read(&self, arena: &[u32], rows: Range<usize>) -> Vec<Word> {
        match self.cells {
            Cells::Same(word) => vec![word; rows.len()],
            Cells::Listed { at, places, .. } => {
                let list = arena.get(at as usize..).unwrap_or_default();
                let word = |place: u32| Word(list.get(place as usize).copied().unwrap_or_default());
                places.read(arena, rows).into_iter().map(word).collect()
            }
            Cells::Payloads { tag, payloads } => {
                payloads.read(arena, rows).into_iter().map(|payload| word_of(tag, payload)).collect()
            }
        }
    }

    /// Calls `each` with every listed place in order; see [`Self::distinct`]. Nothing where there are payloads.
    pub(super) fn each_place(&self, arena: &[u32], count: usize, each: &mut dyn FnMut(usize, &[u32])) {
        let mut frame = [0; FRAME];
        match self.cells {
            Cells::Same(_) => {
                for first in (0..count).step_by(FRAME) {
                    each(first, &frame[..(count - first).min(FRAME)]);
                }
            }
            Cells::Listed { places, .. } => {
                for first in (0..count).step_by(FRAME) {
                    each(first, places.frame(arena, first, &mut frame));
                }
            }
            Cells::Payloads { .. } => {}
        }
    }

    /// How many strings and wide numbers some of its rows have.
    pub(super) fn offsets(&self, arena: &[u32], rows: Range<usize>) -> (usize, usize) {
        let counts = |word: Word| match arena_of(word) {
            Arena::String => (1, 0),
            Arena::Wide => (0, 1),
            Arena::None => (0, 0),
        };
        match self.cells {
            Cells::Same(word) => (counts(word).0 * rows.len(), counts(word).1 * rows.len()),
            Cells::Payloads { .. } => (0, 0),
            Cells::Listed { at, length, places } => {
                let list = arena.get(at as usize..(at + length) as usize).unwrap_or_default();
                let kinds: Vec<(usize, usize)> = list.iter().map(|word| counts(Word(*word))).collect();
                if rows.is_empty() || kinds.iter().all(|kind| *kind == (0, 0)) {
                    return (0, 0);
                }
                let read = places.read(arena, rows).into_iter().map(|place| kinds[place as usize]);
                read.fold((0, 0), |sum, kind| (sum.0 + kind.0, sum.1 + kind.1))
            }
        }
    }
}

/// A number for each of the words that were met last, by some bits of the word.
struct Recent([Option<(Word, u32)>; 256]);

impl Recent {
    fn new() -> Self {
        Self([None; 256])
    }

    /// The number of a word; `look_up` where it was not met lately.
    #[inline]
    fn number(&mut self, word: Word, look_up: impl FnOnce() -> u32) -> u32 {
        // Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4): offsets and small numbers spread well.
        let met = &mut self.0[(word.0.wrapping_mul(0x9e37_79b1) >> 24) as usize];
        match met {
            Some((known, number)) if *known == word => *number,
            _ => met.insert((word, look_up())).1,
        }
    }
}

impl Cells {
    fn put(words: &[Word], arena: &mut Vec<u32>) -> Self {
        let (mut list, mut recent) = (Vec::new(), Recent::new());
        // Most words were met a little before: only the others are sorted.
        for word in words {
            recent.number(*word, || {
                list.push(word.0);
                0
            });
        }
        list.sort_unstable();
        list.dedup();
        if let [same] = list[..] {
            return Self::Same(Word(same));
        }
        let tag = list.first().map_or(0, |word| word & 7);
        if list.len() > 64 && list.iter().all(|word| word & 7 == tag) {
            let before = arena.len();
            let payloads: Vec<u64> = words.iter().map(|word| payload(*word)).collect();
            let payloads = Frames::put(&payloads, arena);
            let width = super::pack::width_of(list.len() as u64);
            if arena.len() - before < list.len() + words.len() * width / 32 {
                return Self::Payloads { tag, payloads };
            }
            arena.truncate(before);
        }
        let at = super::super::chunk::narrow(arena.len());
        arena.extend_from_slice(&list);
        let mut recent = Recent::new();
        let place = |word: &Word| super::super::chunk::narrow(list.binary_search(&word.0).unwrap_or_default());
        let places: Vec<u32> = words.iter().map(|word| recent.number(*word, || place(word))).collect();
        let places = Bits::put(&places, arena);
        Self::Listed { at, length: super::super::chunk::narrow(list.len()), places }
    }
}
