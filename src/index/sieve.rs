//! A search for a part that all wanted texts have in them, see [`super::block::part_of`], over the bytes of many texts at once.

use memchr::memmem::Finder;

/// What strings are looked for by: a part that all that are wanted have in them.
pub(super) struct Sieve<'p> {
    /// In lower case; ASCII letters of either case are taken as equal.
    part: &'p [u8],
    /// Looks for the part in lower case, or for what of it has no letters in the bytes as they are.
    finder: Finder<'p>,
    /// Where in the part that stands which has no letters.
    anchor: Option<usize>,
    /// Room to work in: the bytes in lower case where there is no anchor.
    lower: Vec<u8>,
}

/// Bytes without letters that are worth being looked for by themselves: bytes are then searched as they are.
const ANCHOR: usize = 4;

impl<'p> Sieve<'p> {
    /// `None` where nothing is known of the strings.
    pub(super) fn new(part: &'p str) -> Option<Self> {
        let part = part.as_bytes();
        let plain = part.split(u8::is_ascii_alphabetic).max_by_key(|plain| plain.len()).unwrap_or_default();
        let anchor = part.windows(plain.len().max(1)).position(|own| own == plain).filter(|_| plain.len() >= ANCHOR);
        let finder = Finder::new(if anchor.is_some() { plain } else { part });
        (!part.is_empty()).then(|| Self { part, finder, anchor, lower: Vec::new() })
    }

    /// What is looked for.
    pub(super) fn part(&self) -> &'p [u8] {
        self.part
    }

    /// Makes ready to search these bytes.
    pub(super) fn prepare(&mut self, bytes: &[u8]) {
        self.lower.clear();
        if self.anchor.is_none() {
            self.lower.extend_from_slice(bytes);
            self.lower.make_ascii_lowercase();
        }
    }

    /// Where the part stands first from `from` on, in bytes that were made ready.
    pub(super) fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let Some(anchor) = self.anchor else {
            return self.lower.get(from..).and_then(|rest| self.finder.find(rest)).map(|hit| from + hit);
        };
        let is_here = |start: &usize| {
            bytes.get(*start..*start + self.part.len()).is_some_and(|own| own.eq_ignore_ascii_case(self.part))
        };
        let from = from + anchor;
        let mut hits = self.finder.find_iter(bytes.get(from..)?);
        hits.find_map(|hit| Some(from + hit - anchor).filter(is_here))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sieve_finds_what_a_plain_search_finds(
            text in "[aB = 4-]{0,60}", part in "[ab = 4-]{1,7}", from in 0_usize..70
        ) {
            let mut sieve = Sieve::new(&part).unwrap();
            sieve.prepare(text.as_bytes());
            let lower = text.to_ascii_lowercase();
            let expected = lower.get(from..).and_then(|rest| rest.find(&part)).map(|hit| from + hit);
            prop_assert_eq!(sieve.find(text.as_bytes(), from), expected);
        }
    }
}
