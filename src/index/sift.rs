//! Where texts of a chunk may hold what is looked for: their bytes are searched at once, not one after the other.

use super::chunk::Chunk;
use super::sieve::Sieve;
use super::word::{Slot, Word};

/// The places of a part that all wanted texts have in them, see [`super::block::part_of`].
#[derive(Debug)]
pub(super) struct Sifted {
    /// In order; `None`: nothing is known of the texts.
    hits: Option<Vec<usize>>,
}

impl Sifted {
    /// Looks for a part, in lower case; ASCII letters of either case are taken as equal.
    pub(super) fn new(chunk: &Chunk, part: &str) -> Self {
        let hits = Sieve::new(part).map(|mut sieve| {
            sieve.prepare(&chunk.text);
            let next = |last: &usize| sieve.find(&chunk.text, last + 1);
            std::iter::successors(sieve.find(&chunk.text, 0), next).collect()
        });
        Self { hits }
    }

    /// Whether what a word stands for may be wanted: a text has the part in it, of all else nothing is known.
    #[inline]
    pub(super) fn may_pass(&self, chunk: &Chunk, word: Word) -> bool {
        match (&self.hits, word.slot()) {
            (Some(hits), Slot::Text(_)) if hits.is_empty() => false,
            (Some(hits), Slot::Text(at)) => {
                // Its length stands before it.
                let (from, room) = (at as usize, chunk.bytes_at(at).len() + 5);
                hits.get(hits.partition_point(|hit| *hit < from)).is_some_and(|hit| *hit < from + room)
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_without_the_part_are_passed_over() {
        let mut chunk = Chunk::default();
        let texts = ["nothing here", "SELECT Apples", "apple", "", "a", "pples", &"x".repeat(300), &"apple".repeat(80)];
        let words: Vec<Word> =
            texts.iter().map(|text| Word::new(Slot::Text(chunk.push_bytes(text.as_bytes())))).collect();
        let sifted = Sifted::new(&chunk, "apple");
        let may: Vec<bool> = words.iter().map(|word| sifted.may_pass(&chunk, *word)).collect();
        for (text, may) in texts.iter().zip(may) {
            assert!(may || !text.to_lowercase().contains("apple"), "{text}");
        }
        assert!(!sifted.may_pass(&chunk, words[0]) && !sifted.may_pass(&chunk, words[6]));
        assert!(words.iter().all(|word| Sifted::new(&chunk, "").may_pass(&chunk, *word)));
        assert!(!words.iter().any(|word| Sifted::new(&chunk, "no such").may_pass(&chunk, *word)));
    }
}
