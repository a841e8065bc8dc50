//! The writer's side of a dictionary: finds a word by its bytes, gives new ones an id.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::paged::Words;

/// Words by their bytes. Lives as long as its segment takes rows; readers get [`Words`] through [`Self::sync`].
#[derive(Debug)]
pub(super) struct Interner {
    /// Every word one after the other: flat, because it is compared with on every attribute.
    text: Vec<u8>,
    /// Where each word stands in `text`.
    places: Vec<(u32, u32)>,
    /// Ids by the hash of their word.
    table: HashTable<u32>,
    /// Seeded per process, so that a sender cannot aim at collisions.
    hasher: DefaultHashBuilder,
}

impl Interner {
    pub(super) fn new(hasher: DefaultHashBuilder) -> Self {
        Self { text: Vec::new(), places: Vec::new(), table: HashTable::new(), hasher }
    }

    /// The hash that [`Self::find`] and [`Self::insert`] want.
    #[inline]
    pub(super) fn hash(&self, word: &[u8]) -> u64 {
        hash(&self.hasher, word)
    }

    /// The bytes of a word.
    #[inline]
    pub(super) fn get(&self, id: u32) -> &[u8] {
        self.at(self.place(id))
    }

    /// Where the text of a word begins and ends; it stays there.
    #[inline]
    pub(super) fn place(&self, id: u32) -> (u32, u32) {
        self.places[id as usize]
    }

    /// The text at a place.
    #[inline]
    pub(super) fn at(&self, (start, end): (u32, u32)) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The id of `word`, if it has one.
    #[inline]
    pub(super) fn find(&self, hash: u64, word: &[u8]) -> Option<u32> {
        self.table.find(hash, |id| same(self.get(*id), word)).copied()
    }

    /// Gives a word an id that it must not have yet.
    pub(super) fn insert(&mut self, hash: u64, word: &[u8]) -> u32 {
        let narrow = |length| u32::try_from(length).unwrap_or(u32::MAX);
        let id = narrow(self.places.len());
        let start = narrow(self.text.len());
        self.text.extend_from_slice(word);
        self.places.push((start, narrow(self.text.len())));
        let Self { table, text, places, hasher } = self;
        table.insert_unique(hash, id, |id| {
            let (start, end) = places[*id as usize];
            super::interner::hash(hasher, &text[start as usize..end as usize])
        });
        id
    }

    /// The id of `word`, new or known.
    pub(super) fn intern(&mut self, word: &[u8]) -> u32 {
        let hash = self.hash(word);
        self.find(hash, word).unwrap_or_else(|| self.insert(hash, word))
    }

    /// Brings `words` up to what is known here.
    pub(super) fn sync(&self, words: &mut Words) {
        for id in words.len()..u32::try_from(self.places.len()).unwrap_or(u32::MAX) {
            words.push(self.get(id));
        }
    }

    /// Bytes of text held, before any slack: what the cap of a dictionary is about.
    pub(super) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.places.capacity() * 8 + self.table.capacity() * 6
    }
}

/// Whether two byte strings are equal. Keys and values are short: comparing them eight bytes at a time in place costs a
/// third of a call to the library's comparison.
#[expect(clippy::inline_always, reason = "several times an attribute")]
#[inline(always)]
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match (one.first_chunk::<8>(), other.first_chunk::<8>(), one.last_chunk::<8>(), other.last_chunk::<8>()) {
        (Some(head), Some(other_head), Some(tail), Some(other_tail)) if one.len() <= 16 => {
            word(*head) == word(*other_head) && word(*tail) == word(*other_tail)
        }
        (Some(head), Some(other_head), Some(tail), Some(other_tail)) if one.len() <= 32 => {
            word(*head) == word(*other_head) && word(*tail) == word(*other_tail) && middle(one) == middle(other)
        }
        _ if one.len() < 8 => few(one) == few(other),
        _ => one == other,
    }
}

/// Up to seven bytes as a number; two of the same length are equal where the numbers are.
#[inline]
fn few(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(head), Some(tail)) => u64::from(u32::from_le_bytes(*head)) << 32 | u64::from(u32::from_le_bytes(*tail)),
        _ => match *bytes {
            [one, two, three] => u64::from(one) << 16 | u64::from(two) << 8 | u64::from(three),
            [one, two] => u64::from(one) << 8 | u64::from(two),
            [one] => u64::from(one),
            _ => 0,
        },
    }
}

#[inline]
fn word(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes)
}

/// The second and the second to last eight bytes of seventeen to thirty-two.
#[inline]
fn middle(bytes: &[u8]) -> (u64, u64) {
    let second = bytes.get(8..16).and_then(<[u8]>::first_chunk);
    let before_last = bytes.get(bytes.len() - 16..).and_then(<[u8]>::first_chunk);
    (second.copied().map_or(0, word), before_last.copied().map_or(0, word))
}

/// A hash of bytes.
#[inline]
pub(super) fn hash(hasher: &DefaultHashBuilder, bytes: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(bytes);
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_is_equality_at_every_length() {
        for length in 0..70 {
            let one: Vec<u8> = (0..length).collect();
            assert!(same(&one, &one.clone()));
            for place in 0..one.len() {
                let mut other = one.clone();
                other[place] ^= 0x80;
                assert!(!same(&one, &other), "{length} {place}");
            }
            assert!(!same(&one, &[&one[..], b"x"].concat()));
        }
    }

    #[test]
    fn a_word_keeps_its_id_and_reaches_the_readers_list() {
        let mut interner = Interner::new(DefaultHashBuilder::default());
        let mut words = Words::new(8);
        let ids: Vec<u32> = ["", "a", "b", "a", ""].iter().map(|word| interner.intern(word.as_bytes())).collect();
        assert_eq!(ids, [0, 1, 2, 1, 0]);
        interner.sync(&mut words);
        interner.intern(b"c");
        interner.sync(&mut words);
        assert!(words.iter().eq([&b""[..], b"a", b"b", b"c"]));
    }
}
