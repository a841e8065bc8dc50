//! A set of rows.

use std::ops::Range;

/// Those of the bits of a word of which the place passes; asked only of bits that are set.
#[inline]
pub(super) fn kept(word: u64, mut passes: impl FnMut(usize) -> bool) -> u64 {
    bits(0, word).filter(|bit| passes(*bit as usize)).fold(0, |kept, bit| kept | 1 << bit)
}

/// A set of rows of one [`super::Block`]: a bitmap. Sets of different blocks do not mix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    words: Vec<u64>,
}

impl Rows {
    /// The rows below `count` that pass `test`.
    pub(super) fn of(count: usize, mut test: impl FnMut(usize) -> bool) -> Self {
        let mut words = vec![0; count.div_ceil(64)];
        for (place, word) in words.iter_mut().enumerate() {
            let first = place * 64;
            for bit in 0..(count - first).min(64) {
                *word |= u64::from(test(first + bit)) << bit;
            }
        }
        Self { words }
    }

    /// The rows of this set that pass `test`; asked only of rows in the set.
    pub(super) fn filter(mut self, mut test: impl FnMut(usize) -> bool) -> Self {
        for (place, word) in self.words.iter_mut().enumerate() {
            *word = kept(*word, |bit| test(place * 64 + bit));
        }
        self
    }

    /// The rows of this set that pass `test`; asked only of rows in the set, in ascending order.
    #[must_use]
    pub fn only(self, mut test: impl FnMut(u32) -> bool) -> Self {
        self.filter(|row| test(super::chunk::narrow(row)))
    }

    /// All rows below `count`.
    #[must_use]
    pub fn all(count: usize) -> Self {
        let mut words = vec![u64::MAX; count.div_ceil(64)];
        if let Some(last) = words.last_mut().filter(|_| !count.is_multiple_of(64)) {
            *last = u64::MAX >> (64 - count % 64);
        }
        Self { words }
    }

    /// The bits of the rows, 64 a word.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    /// The rows whose bits are set.
    pub(super) fn from_words(words: Vec<u64>) -> Self {
        Self { words }
    }

    /// No row of a block with as many rows.
    #[must_use]
    pub fn none(count: usize) -> Self {
        Self { words: vec![0; count.div_ceil(64)] }
    }

    /// Takes the rows out whose bits are set.
    pub(super) fn without(mut self, bits: &[u64]) -> Self {
        for (word, bits) in self.words.iter_mut().zip(bits) {
            *word &= !bits;
        }
        self
    }

    fn zip(mut self, other: &Self, join: impl Fn(u64, u64) -> u64) -> Self {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (place, word) in self.words.iter_mut().enumerate() {
            *word = join(*word, other.words.get(place).copied().unwrap_or(0));
        }
        self
    }

    /// Rows in both sets.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        self.zip(other, |one, other| one & other)
    }

    /// Rows in either set.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        self.zip(other, |one, other| one | other)
    }

    /// Rows of this set that are not in `other`.
    #[must_use]
    pub fn minus(self, other: &Self) -> Self {
        self.zip(other, |one, other| one & !other)
    }

    /// Whether no row is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Adds a row below those it has room for.
    pub fn insert(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word |= 1 << (row % 64);
        }
    }

    /// Takes a row out.
    pub fn remove(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Adds rows that follow each other.
    pub fn insert_all(&mut self, rows: Range<u32>) {
        for (place, mask) in masks(rows) {
            if let Some(word) = self.words.get_mut(place) {
                *word |= mask;
            }
        }
    }

    /// Adds those of another set that stand there from `from` on, `count` rows, to stand here from `to` on.
    pub fn insert_from(&mut self, other: &Self, (from, to): (u32, u32), count: u32) {
        let mut done = 0;
        while done < count {
            let (source, target) = (from + done, to + done);
            let some = (64 - source % 64).min(64 - target % 64).min(count - done);
            let bits = other.words.get(source as usize / 64).copied().unwrap_or(0) >> (source % 64);
            if let Some(word) = self.words.get_mut(target as usize / 64) {
                *word |= (bits & u64::MAX >> (64 - some)) << (target % 64);
            }
            done += some;
        }
    }

    /// The bits of these rows, the first of them lowest; of more than 64 rows those of the first 64.
    #[must_use]
    #[inline]
    pub fn bits(&self, rows: Range<u32>) -> u64 {
        let (place, shift) = (rows.start as usize / 64, rows.start % 64);
        let word = |place: usize| self.words.get(place).copied().unwrap_or(0);
        let bits = word(place) >> shift | word(place + 1).checked_shl(64 - shift).unwrap_or(0);
        let count = rows.end.saturating_sub(rows.start);
        if count < 64 { bits & !(u64::MAX << count) } else { bits }
    }

    /// Adds the rows whose bits are set; `first` is that of the lowest.
    pub fn insert_bits(&mut self, first: u32, bits: u64) {
        let (place, shift) = (first as usize / 64, first % 64);
        if let Some(word) = self.words.get_mut(place) {
            *word |= bits << shift;
        }
        if let Some(word) = self.words.get_mut(place + 1) {
            *word |= bits.checked_shr(64 - shift).unwrap_or(0);
        }
    }

    /// Whether some of these rows are in the set.
    #[must_use]
    #[inline]
    pub fn has_any(&self, rows: Range<u32>) -> bool {
        if rows.end.saturating_sub(rows.start) <= 64 {
            return self.bits(rows) != 0;
        }
        masks(rows).any(|(place, mask)| self.words.get(place).is_some_and(|word| word & mask != 0))
    }

    /// How many of these rows are in the set.
    #[must_use]
    #[inline]
    pub fn count(&self, rows: Range<u32>) -> u32 {
        if rows.end.saturating_sub(rows.start) <= 64 {
            return self.bits(rows).count_ones();
        }
        masks(rows).map(|(place, mask)| self.words.get(place).map_or(0, |word| (word & mask).count_ones())).sum()
    }

    /// The rows of the set among these, in ascending order.
    pub fn within(&self, rows: Range<u32>) -> impl Iterator<Item = u32> + '_ {
        masks(rows).flat_map(|(place, mask)| {
            bits(super::chunk::narrow(place * 64), self.words.get(place).map_or(0, |word| word & mask))
        })
    }

    /// Whether a row is in the set.
    #[must_use]
    pub fn has(&self, row: u32) -> bool {
        self.words.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// How many rows are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The rows in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(place, word)| bits(super::chunk::narrow(place * 64), *word))
    }
}

/// The rows of a word whose bits are set; `first` is that of its lowest bit.
fn bits(first: u32, mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros())?;
        word &= word - 1;
        Some(first + bit)
    })
}

/// The words that rows are in, with the bits that are theirs.
fn masks(rows: Range<u32>) -> impl Iterator<Item = (usize, u64)> {
    let (start, end) = (rows.start as usize, rows.end.max(rows.start) as usize);
    (start / 64..end.div_ceil(64)).map(move |place| {
        let from = u64::MAX << start.saturating_sub(place * 64).min(63);
        let to = u64::MAX >> (place * 64 + 64).saturating_sub(end).min(63);
        (place, if start < end { from & to } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_combine_bit_by_bit() {
        let even = Rows::of(130, |row| row % 2 == 0);
        let third = Rows::of(130, |row| row % 3 == 0);
        let list = |rows: Rows| rows.iter().collect::<Vec<_>>();
        let wanted = |test: &dyn Fn(u32) -> bool| (0..130).filter(|row| test(*row)).collect::<Vec<_>>();
        assert_eq!(list(even.clone().and(&third)), wanted(&|row| row % 6 == 0));
        assert_eq!(list(even.clone().or(&third)), wanted(&|row| row % 2 == 0 || row % 3 == 0));
        assert_eq!(list(even.clone().minus(&third)), wanted(&|row| row % 2 == 0 && row % 3 != 0));
        assert_eq!(list(even.clone().filter(|row| row > 100)), wanted(&|row| row % 2 == 0 && row > 100));
        assert_eq!(even.len(), 65);
        let mut some = Rows::none(130);
        some.insert_all(60..130);
        some.insert(3);
        assert_eq!(list(some.clone()), wanted(&|row| row == 3 || row >= 60));
        assert_eq!(some.within(2..62).collect::<Vec<_>>(), [3, 60, 61]);
        assert!(some.has_any(3..4) && some.has_any(0..64) && !some.has_any(4..60) && !some.has_any(3..3));
        assert!(Rows::none(130).is_empty() && !third.is_empty());
        let mut moved = Rows::none(130);
        moved.insert_from(&third, (3, 59), 70);
        assert_eq!(list(moved), wanted(&|row| (59..129).contains(&row) && (row - 56) % 3 == 0));
        for (first, count) in [(0, 64), (3, 64), (64, 9), (61, 5), (128, 2), (7, 0)] {
            let bits = third.bits(first..first + count);
            let mut back = Rows::none(130);
            back.insert_bits(first, bits);
            assert_eq!(list(back), wanted(&|row| (first..first + count).contains(&row) && row % 3 == 0));
        }
        assert_eq!(list(even.without(&[u64::MAX])), wanted(&|row| row % 2 == 0 && row >= 64));
    }
}
