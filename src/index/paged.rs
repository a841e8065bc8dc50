//! Append-only lists that the writer grows while readers hold what was there before.
//!
//! Both kinds are cut into pages behind an `Arc`. Publishing clones the list of pages, and the next append copies at
//! most the last page: its cost does not grow with what is held.

use std::sync::Arc;

/// Elements a page of [`Paged`] holds, as a power of two.
const PAGE_BITS: u32 = 8;

/// An append-only list of small values.
#[derive(Clone, Debug)]
pub(super) struct Paged<T> {
    /// Full pages and a last one that may still grow.
    pages: Vec<Arc<Vec<T>>>,
    /// How many elements there are: tells whether the last page is full.
    len: u32,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Paged<T> {
    /// Appends; answers the place.
    pub(super) fn push(&mut self, value: T) -> u32 {
        let place = self.len;
        if place.trailing_zeros() >= PAGE_BITS {
            self.pages.push(Arc::new(Vec::new()));
        }
        if let Some(page) = self.pages.last_mut() {
            Arc::make_mut(page).push(value);
        }
        self.len += 1;
        place
    }

    /// How many elements there are.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The element at a place that [`Self::push`] answered.
    pub(super) fn get(&self, place: u32) -> Option<&T> {
        self.pages.get((place >> PAGE_BITS) as usize)?.get((place & ((1 << PAGE_BITS) - 1)) as usize)
    }

    /// Every element in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flat_map(|page| page.iter())
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.len as usize * size_of::<T>() + self.pages.len() * 48
    }
}

/// An append-only list of byte strings: a dictionary as readers see it.
#[derive(Clone, Debug)]
pub(super) struct Words {
    /// Full pages and a last one that may still grow.
    pages: Vec<Arc<Page>>,
    /// Words a page holds, as a power of two: fewer where words are long, so that copying the last page stays cheap.
    page_bits: u32,
    /// How many words there are.
    len: u32,
    /// Bytes of all words together, for the budget.
    text: usize,
    /// It takes no more words.
    closed: bool,
}

/// A page of [`Words`].
#[derive(Clone, Debug, Default)]
struct Page {
    /// The words, one after the other.
    bytes: Vec<u8>,
    /// Where each word ends.
    ends: Vec<u32>,
}

impl Page {
    fn get(&self, place: usize) -> Option<&[u8]> {
        let end = *self.ends.get(place)?;
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        self.bytes.get(start as usize..end as usize)
    }
}

impl Words {
    /// An empty list with `1 << page_bits` words a page.
    pub(super) fn new(page_bits: u32) -> Self {
        Self { pages: Vec::new(), page_bits, len: 0, text: 0, closed: false }
    }

    /// Appends a word.
    pub(super) fn push(&mut self, word: &[u8]) {
        if self.len.trailing_zeros() >= self.page_bits {
            self.pages.push(Arc::new(Page::default()));
        }
        if let Some(page) = self.pages.last_mut() {
            let page = Arc::make_mut(page);
            page.bytes.extend_from_slice(word);
            page.ends.push(u32::try_from(page.bytes.len()).unwrap_or(u32::MAX));
        }
        self.len += 1;
        self.text += word.len();
    }

    /// How many words there are.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The word with an id; empty for an id that was never given.
    pub(super) fn get(&self, id: u32) -> &[u8] {
        let place = (id & ((1 << self.page_bits) - 1)) as usize;
        self.pages.get((id >> self.page_bits) as usize).and_then(|page| page.get(place)).unwrap_or_default()
    }

    /// Every word in the order of ids.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len).map(|id| self.get(id))
    }

    /// Takes no more words from here on: all go into one page that is as large as they are. Many small pages that grew by
    /// doubling would take nearly twice the room, and leave it in pieces that fit nothing else when they go.
    pub(super) fn close(&mut self) {
        let mut whole = Page { bytes: Vec::with_capacity(self.text), ends: Vec::with_capacity(self.len as usize) };
        for page in std::mem::take(&mut self.pages) {
            let before = u32::try_from(whole.bytes.len()).unwrap_or(u32::MAX);
            whole.bytes.extend_from_slice(&page.bytes);
            whole.ends.extend(page.ends.iter().map(|end| before.saturating_add(*end)));
        }
        self.pages.push(Arc::new(whole));
        self.page_bits = u32::BITS - 1;
        self.closed = true;
    }

    /// Bytes held. Pages grow by doubling, hence the half on top.
    pub(super) fn bytes(&self) -> usize {
        let slack = if self.closed { 0 } else { self.text / 2 + self.len as usize * 2 };
        self.text + self.len as usize * 4 + self.pages.len() * 64 + slack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_at_a_clone_stays_while_the_list_grows() {
        let mut words = Words::new(2);
        let mut list = Paged::default();
        for number in 0_u32..1000 {
            words.push(number.to_string().as_bytes());
            assert_eq!(list.push(number), number);
        }
        let (early_words, early_list) = (words.clone(), list.clone());
        for number in 1000_u32..2000 {
            words.push(number.to_string().as_bytes());
            list.push(number);
        }
        assert_eq!((early_words.len(), early_list.len()), (1000, 1000));
        assert_eq!((early_words.get(1000), early_list.get(1000)), (&[][..], None));
        assert!((0_u32..2000).all(|number| words.get(number) == number.to_string().as_bytes()));
        assert!(list.iter().copied().eq(0..2000));
    }

    #[test]
    fn a_closed_list_has_the_same_words_in_less_room() {
        let mut words = Words::new(2);
        (0_u32..1000).for_each(|number| words.push(number.to_string().as_bytes()));
        let (early, before) = (words.clone(), words.bytes());
        words.close();
        assert!(words.iter().eq(early.iter()));
        assert_eq!(words.get(1000), b"");
        assert!(words.bytes() < before);
        let mut none = Words::new(2);
        none.close();
        assert_eq!((none.len(), none.get(0)), (0, &[][..]));
    }
}
